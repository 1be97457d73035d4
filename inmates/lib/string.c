/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "inmate.h"

/* Keeps the compiler from recognising a loop as the very function it is the body of. */
#define KEEP_LOOP() __asm__ volatile("" ::: "memory")

static bool aligned(const void *a, const void *b, size_t size)
{
	return (((uintptr_t)a | (uintptr_t)b | size) & 7) == 0;
}

void *memmove(void *to, const void *from, size_t size)
{
	unsigned char *t = to;
	const unsigned char *f = from;

	if ((uintptr_t)t - (uintptr_t)f >= size)
		return memcpy(to, from, size);
	while (size) {
		size--;
		t[size] = f[size];
		KEEP_LOOP();
	}
	return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
	if (aligned(to, from, size)) {
		uint64_t *t = to;
		const uint64_t *f = from;

		for (size_t i = 0; i < size / 8; i++) {
			t[i] = f[i];
			KEEP_LOOP();
		}
	} else {
		unsigned char *t = to;
		const unsigned char *f = from;

		for (size_t i = 0; i < size; i++) {
			t[i] = f[i];
			KEEP_LOOP();
		}
	}
	return to;
}

void *memset(void *to, int value, size_t size)
{
	unsigned char *t = to;

	for (size_t i = 0; i < size; i++) {
		t[i] = (unsigned char)value;
		KEEP_LOOP();
	}
	return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
	const unsigned char *p = a, *q = b;

	for (size_t i = 0; i < size; i++)
		if (p[i] != q[i])
			return p[i] - q[i];
	return 0;
}

size_t strlen(const char *text)
{
	size_t n = 0;

	while (text[n]) {
		n++;
		KEEP_LOOP();
	}
	return n;
}

int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (unsigned char)*a - (unsigned char)*b;
}
