/* SPDX-License-Identifier: GPL-2.0-only */
/* What an x86 program is told of its cell besides ACPI's tables. Acts on nothing. */
#ifndef JAILHOUSE_CLI_BOOT_PARAMS_H
#define JAILHOUSE_CLI_BOOT_PARAMS_H

#include "image_bzimage.h"
#include "pc.h"

#define PAGE ((size_t)4096)

/* Linux's boot parameters with the command line in the page behind; then tables for 64-bit mode, if it begins there */
#define PARAMS_CMDLINE PAGE
#define PARAMS_SIZE (2 * PAGE)
#define PARAMS_TABLES PARAMS_SIZE
#define PARAMS_SIZE_LONG (PARAMS_TABLES + 6 * PAGE)

/* Multiboot's information, its memory map and command line */
#define MULTIBOOT_SIZE (2 * PAGE)

struct params {
	const struct config *cell;
	const struct bzimage *kernel;	/* NULL: none, the header is made up */
	uint64_t at;			/* where it is going to lie */
	uint64_t rsdp, initrd, initrd_size;
	const char *cmdline;
};

/* Into zeroed bytes. False: the cell has more ranges of memory than can be told. */
bool params_make(const struct params *p, uint8_t bytes[PARAMS_SIZE]);
bool params_make_multiboot(const struct params *p, uint8_t bytes[MULTIBOOT_SIZE]);

/* Tables that map the first 4 GiB to themselves, to lie at `at`. */
void params_make_tables(uint64_t at, uint8_t *bytes);

/* The user's words, or NULL, and what the cell needs beside them; to be freed. NULL: no memory. */
char *params_cmdline(const struct config *cell, const char *given, uint32_t tsc_khz);

#endif
