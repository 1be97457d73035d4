/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Addresses as types that do not mix, and half-open spans of them. A span of size 0
 * is empty; a valid span is not empty and does not wrap.
 */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include "base/types.h"

typedef struct {
	uint64_t v;
} gpa_t;			/* guest-physical: what a cell's stage 2 translates */

typedef struct {
	uint64_t v;
} hpa_t;			/* host-physical */

static inline gpa_t gpa(uint64_t v)
{
	return (gpa_t){ v };
}

static inline hpa_t hpa(uint64_t v)
{
	return (hpa_t){ v };
}

struct span {
	uint64_t start;
	uint64_t size;
};

static inline bool span_valid(struct span s)
{
	return s.size != 0 && s.size - 1 <= UINT64_MAX - s.start;
}

/* The last address in a valid span. */
static inline uint64_t span_last(struct span s)
{
	return s.start + (s.size - 1);
}

static inline bool span_has(struct span s, uint64_t address)
{
	/* below its start the difference wraps to more than the size of any span that does not */
	return address - s.start < s.size;
}

/* Both valid: does `outer` hold all of `inner`? */
static inline bool span_within(struct span inner, struct span outer)
{
	return span_has(outer, inner.start) && span_has(outer, span_last(inner));
}

static inline bool span_overlaps(struct span a, struct span b)
{
	return span_has(a, b.start) || span_has(b, a.start);
}

/* Start and size are multiples of `unit`, a power of two. */
static inline bool span_aligned(struct span s, uint64_t unit)
{
	return ((s.start | s.size) & (unit - 1)) == 0;
}

static inline uint64_t align_up(uint64_t v, uint64_t unit)
{
	return (v + unit - 1) & ~(unit - 1);
}

static inline uint64_t align_down(uint64_t v, uint64_t unit)
{
	return v & ~(unit - 1);
}

#endif
