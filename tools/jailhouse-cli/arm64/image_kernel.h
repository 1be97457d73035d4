/* SPDX-License-Identifier: GPL-2.0-only */
/* Linux's arm64 Image: what its header says (Documentation/arch/arm64/booting.rst). Acts on nothing. */
#ifndef JAILHOUSE_CLI_IMAGE_KERNEL_H
#define JAILHOUSE_CLI_IMAGE_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "problem.h"

/* Base addresses are multiples of this */
#define KERNEL_ALIGN (2ull << 20)

struct kernel {
	uint64_t offset;	/* from a base address to the image, and to its entry: its first byte */
	uint64_t memory;	/* bytes from there on that it uses, at least the file's */
};

/* Does the file have the header's mark? */
bool kernel_is(const void *data, size_t size);

/* False: it is no Image that can be started, and `problem` says in words why not and what to do. */
bool kernel_parse(const void *data, size_t size, struct kernel *kernel, char problem[PROBLEM_SIZE]);

#endif
