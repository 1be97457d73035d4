/* SPDX-License-Identifier: GPL-2.0-only */
/* What loading by way of a boot region asks of an architecture, a folder each; nothing in it is optional. */
#ifndef JAILHOUSE_CLI_BOOT_ARCH_H
#define JAILHOUSE_CLI_BOOT_ARCH_H

#include "boot.h"
#include "image_elf.h"
#include "linux.h"

/* ABI_ARCH_* of this command's machine. */
extern const uint8_t boot_arch_id;

/* Where an image of no format of its own is entered, and which way (abi/boot.h). */
extern const uint32_t boot_arch_mode;

/* No image may reach beyond. */
extern const uint64_t boot_arch_end;

/* Makes a loader what it is to be at this guest-physical address. */
void boot_arch_move(void *loader, uint64_t to);

/* A place for a boot region of `size` bytes at which the cell has nothing. */
uint64_t boot_arch_region(const struct config *cell, const struct config *system, uint64_t size);

/* Is it an image that says itself where it goes, in a format that can be loaded here? */
bool boot_arch_is_program(const void *data, size_t size);

/* elf_parse() of such an image; how it is to be entered goes to `mode`. */
struct elf *boot_arch_parse(const void *data, size_t size, uint32_t *mode, char problem[PROBLEM_SIZE]);

/*
 * Where a file goes that says so only to those who know the cell, and how much memory it has there: sets both in
 * `image`. One of which nothing is known stays as it is. False: it cannot be loaded, and `problem` says why not.
 */
bool boot_arch_place(const struct config *cell, struct abi_drv_image *image, char problem[PROBLEM_SIZE]);

/*
 * Tells a program of its cell: adds images to `images` that say what there is, and sets what of `start` leads to
 * them. `cmdline` are words for the program, or NULL. What the images point to is in `bytes`, to be freed.
 */
enum status boot_arch_describe(const struct command *c, const struct cell_config *config, const char *cmdline,
			       struct images *images, struct boot_start *start, void **bytes);

/* cell linux: adds kernel, initrd and what it is told of the cell to `j->images`, and says how it is entered. */
enum status boot_arch_linux(struct linux_job *j);

#endif
