/* SPDX-License-Identifier: GPL-2.0-only */
/* Where images go in a cell's RAM that do not say so themselves. Acts on nothing. */
#ifndef JAILHOUSE_CLI_BOOT_PLACE_H
#define JAILHOUSE_CLI_BOOT_PLACE_H

#include "boot.h"
#include "image_kernel.h"

/* At the first base address in the cell's largest RAM. False: it has none. */
bool place_kernel(const struct config *cell, const struct kernel *kernel, uint64_t *address);

/*
 * The device tree: at the start of the largest RAM; where that is taken, at a multiple of 2 MiB behind
 * the images in it, else at its end.
 */
bool place_tree(const struct config *cell, const struct images *in, uint64_t size, uint64_t *address);

struct linux_place {
	uint64_t kernel_end;	/* in the largest RAM */
	uint64_t initrd_size, tree_size;
	uint64_t initrd, tree;	/* out: addresses */
	uint64_t missing;	/* out: of bytes of RAM */
};

/* At the end of the RAM, but not farther from its start than booting.rst lets them. */
bool place_linux(const struct config *cell, struct linux_place *p);

/* A place for a boot region of `size` bytes at which the cell has nothing; the GIC and a UART of its own included. */
uint64_t place_region(const struct config *cell, const struct config *system, uint64_t size);

#endif
