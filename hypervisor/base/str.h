/* SPDX-License-Identifier: GPL-2.0-only */
/* The four functions gcc and clang want from a freestanding program, and str_*. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include "base/types.h"

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);

/* Is there a NUL among the first `size` bytes? */
bool str_ends(const char *s, size_t size);
/* Both NUL-terminated. */
bool str_equal(const char *a, const char *b);

#endif
