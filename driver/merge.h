/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading the hypervisor's rings of text while they are written (abi/image.h). Nothing of Linux's:
 * the tests run it on the host.
 */
#ifndef JAILHOUSE_MERGE_H
#define JAILHOUSE_MERGE_H

#include "abi/image.h"

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdbool.h>
#endif

#define MERGE_RINGS_MAX 64

/* "[name] text\n", or a note that much as long was lost */
#define MERGE_OUT_SIZE (ABI_LINE_MAX + 64)

/* The area, in parts that were checked. */
struct rings {
	const struct abi_log *log;	/* NULL: none */
	unsigned int count;
	const struct abi_ring *ring[MERGE_RINGS_MAX];
};

/* How far one reader has come. */
struct merge {
	struct merge_at {
		uint32_t epoch;
		uint64_t line;		/* the next */
	} at[MERGE_RINGS_MAX];
	char out[MERGE_OUT_SIZE];	/* of which the caller has not got [out_at, out_size) yet */
	unsigned int out_at, out_size;
};

/* The same of one cell's ring, byte by byte, as long as it is that cell's. */
struct tail {
	uint32_t epoch;
	uint64_t at;			/* the next byte */
	bool begun;			/* what is lost from now on is said */
};

/* False: `size` bytes at `area` are no rings this can read; then there are none. */
bool rings_init(struct rings *rings, const void *area, size_t size);

/* Which ring is the cell's with that id; -1: none. */
int rings_find(const struct rings *rings, uint32_t cell);

/* Whole lines of all rings, as they ended in time, each with the name of its cell: up to `size` bytes; 0: no news. */
size_t merge_read(struct merge *merge, const struct rings *rings, char *to, size_t size);
/* Would it give any? */
bool merge_ready(struct merge *merge, const struct rings *rings);

/* From the oldest byte there is. */
void tail_begin(struct tail *tail, const struct abi_ring *ring);
/* Up to `size` (at least 64) bytes as they were written; 0: no news, or the end. */
size_t tail_read(struct tail *tail, const struct abi_ring *ring, char *to, size_t size);
/* The cell is gone, and there is nothing more to read of it. */
bool tail_over(const struct tail *tail, const struct abi_ring *ring);
/* Is there anything to read, or the end? */
bool tail_ready(const struct tail *tail, const struct abi_ring *ring);

#endif
