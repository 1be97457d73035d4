// SPDX-License-Identifier: GPL-2.0-only
/*
 * Word loops; memset's is unrolled, because gigabytes are zeroed with it. Words are only ever accessed at
 * their natural alignment: before the MMU is on all memory is Device memory, where an
 * unaligned access faults (DDI0487 B2.9.2).
 */
#include "base/str.h"

/*
 * gcc would see memset's loop for a memset and call memset. clang leaves functions of
 * these names alone, and knows no such attribute.
 */
#if __has_attribute(optimize)
#define NO_IDIOMS __attribute__((optimize("no-tree-loop-distribute-patterns")))
#else
#define NO_IDIOMS
#endif

typedef uint64_t __attribute__((may_alias)) word_t;

#define WORD sizeof(word_t)
#define CHUNK (8 * WORD)

static bool word_aligned(const void *at)
{
	return ((uintptr_t)at & (WORD - 1)) == 0;
}

/* Whether both become word-aligned after the same number of bytes. */
static bool congruent(const void *a, const void *b)
{
	return (((uintptr_t)a ^ (uintptr_t)b) & (WORD - 1)) == 0;
}

NO_IDIOMS static void copy_forward(uint8_t *to, const uint8_t *from, size_t size)
{
	if (congruent(to, from)) {
		for (; size > 0 && !word_aligned(to); size--)
			*to++ = *from++;
		for (; size >= WORD; size -= WORD, to += WORD, from += WORD)
			*(word_t *)(void *)to = *(const word_t *)(const void *)from;
	}
	for (; size > 0; size--)
		*to++ = *from++;
}

/* `to` and `from` point behind the last byte. */
NO_IDIOMS static void copy_backward(uint8_t *to, const uint8_t *from, size_t size)
{
	if (congruent(to, from)) {
		for (; size > 0 && !word_aligned(to); size--)
			*--to = *--from;
		for (; size >= WORD; size -= WORD) {
			to -= WORD;
			from -= WORD;
			*(word_t *)(void *)to = *(const word_t *)(const void *)from;
		}
	}
	for (; size > 0; size--)
		*--to = *--from;
}

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
	copy_forward(to, from, size);
	return to;
}

void *memmove(void *to, const void *from, size_t size)
{
	/* Wraps to a large number where `to` lies below `from`: forward then, too */
	if ((uintptr_t)to - (uintptr_t)from >= size)
		copy_forward(to, from, size);
	else
		copy_backward((uint8_t *)to + size, (const uint8_t *)from + size, size);
	return to;
}

NO_IDIOMS void *memset(void *to, int byte, size_t size)
{
	uint8_t *at = to;
	word_t word = (uint8_t)byte * 0x0101010101010101ull;

	for (; size > 0 && !word_aligned(at); size--)
		*at++ = (uint8_t)byte;
	for (; size >= CHUNK; size -= CHUNK, at += CHUNK) {
		word_t *t = (void *)at;

		t[0] = word, t[1] = word, t[2] = word, t[3] = word;
		t[4] = word, t[5] = word, t[6] = word, t[7] = word;
	}
	for (; size >= WORD; size -= WORD, at += WORD)
		*(word_t *)(void *)at = word;
	for (; size > 0; size--)
		*at++ = (uint8_t)byte;
	return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
	const uint8_t *x = a, *y = b;

	for (; size > 0; size--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

bool str_ends(const char *s, size_t size)
{
	for (; size > 0; size--)
		if (*s++ == '\0')
			return true;
	return false;
}

bool str_equal(const char *a, const char *b)
{
	for (; *a == *b; a++, b++)
		if (*a == '\0')
			return true;
	return false;
}
