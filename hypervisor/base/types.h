/* SPDX-License-Identifier: GPL-2.0-only */
/* The C11 freestanding headers everything else builds on, and what the compiler is told beyond C. */
#ifndef BASE_TYPES_H
#define BASE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define static_assert _Static_assert

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))

/* The same; but the compiler does not know what is there, so that copying it is no store for each member. */
static inline const void *opaque(const void *p)
{
	__asm__("" : "+r"(p));
	return p;
}

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define PAGE_SHIFT 12
#define PAGE_SIZE (1ull << PAGE_SHIFT)
#define PAGE_MASK (PAGE_SIZE - 1)

#endif
