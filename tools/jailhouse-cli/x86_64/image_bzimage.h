/* SPDX-License-Identifier: GPL-2.0-only */
/* Linux's bzImage: what its setup header says (Documentation/arch/x86/boot.rst). Acts on nothing. */
#ifndef JAILHOUSE_CLI_IMAGE_BZIMAGE_H
#define JAILHOUSE_CLI_IMAGE_BZIMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "problem.h"

/* In the file, and in the boot parameters: the header */
#define BZIMAGE_HEADER 0x1f1

struct bzimage {
	const uint8_t *header;	/* header_size bytes from BZIMAGE_HEADER on */
	size_t header_size;
	const uint8_t *code;	/* what is put at `address`, and entered at its first byte */
	size_t code_size;
	uint64_t address;	/* where it wants to be; it can be nowhere below */
	uint64_t memory;	/* bytes from there on that it takes before it reads a memory map */
	uint64_t initrd_end;	/* the initrd ends below */
	uint32_t cmdline_size;	/* the most it takes, without the NUL */
};

/* Does the file have the header's mark? */
bool bzimage_is(const void *data, size_t size);

/* False: it cannot be started, and `problem` says in words why not and what to do. */
bool bzimage_parse(const void *data, size_t size, struct bzimage *image, char problem[PROBLEM_SIZE]);

#endif
