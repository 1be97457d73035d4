/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Boot regions: which of a cell's memory is what to images, and how a loader, its table and their
 * bytes are laid into one (abi/boot.h). Acts on nothing.
 */
#ifndef JAILHOUSE_CLI_BOOT_H
#define JAILHOUSE_CLI_BOOT_H

#include <stdbool.h>

#include "abi/driver.h"
#include "config/parse.h"
#include "problem.h"

/* More than can be loaded, for what is added to as many as can be named */
#define IMAGES_MAX (ABI_DRV_MAX_IMAGES + 4)

/* Images in the order they were named. What they point to is whose it is. */
struct images {
	uint32_t count;
	struct abi_drv_image image[IMAGES_MAX];
	const char *name[IMAGES_MAX];	/* NULL: a string, which may be laid into another's memory */
};

static inline struct span image_span(const struct abi_drv_image *image)
{
	return (struct span){ image->address, image->memory };
}

/* What runs first in a boot region; the architecture's. */
extern const char boot_loader[];
size_t boot_loader_size(void);

/* The cell's boot region, or NULL. */
const struct abi_mem *boot_region(const struct config *cell);

/* Memory that an operating system takes for its RAM. */
bool mem_is_ram(const struct abi_mem *m);
const struct abi_mem *ram_largest(const struct config *cell);
/* No image has a byte of it. */
bool images_leave(const struct images *in, struct span s);
void images_add(struct images *to, const char *name, const void *data, uint64_t size, uint64_t address, uint64_t memory);
/* The region of its guest addresses that holds all of the span, or NULL. */
const struct abi_mem *mem_holding(const struct config *cell, struct span s);

/*
 * Loadable memory that the cell cannot write: what is loaded there stays, no loader has to put it
 * there anew.
 */
bool mem_is_fixed(const struct abi_mem *m);
/* Do all images lie in the boot region itself? Then they need no loader: the first is one. */
bool images_boot_alone(const struct images *in, const struct config *cell);

/* Where two of them want the same memory; NULL-named ones may. */
struct clash {
	uint32_t first, second;
	uint64_t address;
};
bool images_clash(const struct images *in, struct clash *clash);

/* See abi/boot.h */
struct boot_start {
	uint64_t entry, argument, tables;
	uint32_t mode;
};

struct boot {
	const void *loader;	/* a multiple of ABI_BOOT_ALIGN bytes */
	size_t loader_size;
	struct boot_start start;
};

/*
 * From images, each with the address where the cell wants it, to what is loaded: the loader with its
 * table as the first, then what stays where it is loaded, and the others' bytes. `head` is the loader
 * with its table, to be freed. False: `problem` says why not and what to change, nothing is to be
 * freed (or nothing is left of this program's own memory, and it is empty).
 */
bool boot_pack(const struct config *cell, const struct boot *boot, const struct images *in, struct images *out,
	       void **head, char problem[PROBLEM_SIZE]);

/* How large a boot region has to be for these images, in whole MiB, as a text says it. */
uint64_t boot_size(const struct boot *boot, const struct images *in);

#endif
