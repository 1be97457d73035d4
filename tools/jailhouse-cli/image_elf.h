/* SPDX-License-Identifier: GPL-2.0-only */
/* ELF images: bytes of a file to what goes where in a cell. Acts on nothing. */
#ifndef JAILHOUSE_CLI_IMAGE_ELF_H
#define JAILHOUSE_CLI_IMAGE_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "problem.h"

/* A PT_LOAD entry that occupies memory. */
struct elf_segment {
	uint64_t address;	/* guest-physical */
	uint64_t memory;	/* bytes there, not 0 */
	uint64_t offset;	/* in the file */
	uint64_t size;		/* of those bytes; the rest of the memory is zero */
};

struct elf {
	uint64_t entry;		/* guest-physical */
	unsigned count;
	struct elf_segment segment[];
};

/* Do two ranges, neither of them empty nor past the last address, have an address in common? */
static inline bool ranges_overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a <= b ? b - a < a_size : a - b < b_size;
}

/* Does the file claim to be one? */
bool elf_is(const void *data, size_t size);

/*
 * The segments of an image for the machine that uname() calls `machine` ("i386": ELF32), in the file's order, to
 * be freed by the caller. NULL: it cannot be loaded, and `problem` says in words why not and
 * what to change (or nothing is left of this program's own memory, and it is empty).
 */
struct elf *elf_parse(const void *data, size_t size, const char *machine, char problem[PROBLEM_SIZE]);

#endif
