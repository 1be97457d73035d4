/* SPDX-License-Identifier: GPL-2.0-only */
/* Register fields, named as in the manuals: FIELD_GET(ESR_EC, esr). */
#ifndef BASE_BITS_H
#define BASE_BITS_H

#include "base/types.h"

#define BIT(n) (1ull << (n))
#define BITS(high, low) ((~0ull >> (63 - (high))) & (~0ull << (low)))
#define FIELD_SHIFT(mask) ((unsigned)__builtin_ctzll(mask))
#define FIELD_GET(mask, value) (((uint64_t)(value) & (mask)) >> FIELD_SHIFT(mask))
#define FIELD_PUT(mask, value) (((uint64_t)(value) << FIELD_SHIFT(mask)) & (mask))

/* Bit n of an array of 64-bit words. */
static inline bool bit_test(const uint64_t *words, unsigned n)
{
	return (words[n / 64] >> (n % 64)) & 1;
}

static inline void bit_set(uint64_t *words, unsigned n)
{
	words[n / 64] |= BIT(n % 64);
}

static inline void bit_clear(uint64_t *words, unsigned n)
{
	words[n / 64] &= ~BIT(n % 64);
}

/* The value of `size` (1, 2, 4, 8) bytes, sign-extended to 64 bits. */
static inline uint64_t sign_extend(uint64_t value, unsigned size)
{
	unsigned shift = 64 - 8 * size;

	return (uint64_t)((int64_t)(value << shift) >> shift);
}

#endif
