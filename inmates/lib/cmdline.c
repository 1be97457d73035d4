/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "state.h"

#define CMDLINE_SIZE 0x1000u	/* reserved in the linker script */

struct word {
	const char *value;	/* behind '=', or NULL where there is none */
	size_t length;
};

static bool word_end(const char *text, const char *limit)
{
	return text == limit || *text == '\0' || *text == ' ';
}

/* Finds the first word called `name`. */
static bool word_find(const char *name, struct word *out)
{
	const char *at = image_cmdline, *limit = image_cmdline + CMDLINE_SIZE;
	size_t n = strlen(name);

	while (at < limit && *at) {
		const char *start = at;

		while (!word_end(at, limit))
			at++;
		size_t length = (size_t)(at - start);

		if (length >= n && memcmp(start, name, n) == 0) {
			if (length == n) {
				*out = (struct word){ NULL, 0 };
				return true;
			}
			if (start[n] == '=') {
				*out = (struct word){ start + n + 1, length - n - 1 };
				return true;
			}
		}
		while (at < limit && *at == ' ')
			at++;
	}
	return false;
}

static unsigned int digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned int)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned int)(c - 'A') + 10;
	return 16;
}

/* The power of two a suffix stands for; 64 for what is none. */
static unsigned int suffix_shift(char c)
{
	switch (c) {
	case 'k':
	case 'K':
		return 10;
	case 'M':
		return 20;
	case 'G':
		return 30;
	default:
		return 64;
	}
}

uint64_t cmdline_get_int(const char *name, uint64_t fallback)
{
	struct word w;
	unsigned int base = 10;
	uint64_t value = 0;
	size_t i = 0;

	if (!word_find(name, &w) || !w.length)
		return fallback;
	if (w.length > 2 && w.value[0] == '0' && (w.value[1] | 0x20) == 'x') {
		base = 16;
		i = 2;
	}
	if (digit(w.value[i]) >= base)
		return fallback;
	for (; i < w.length && digit(w.value[i]) < base; i++)
		value = value * base + digit(w.value[i]);
	if (i == w.length)
		return value;
	if (i + 1 == w.length && suffix_shift(w.value[i]) < 64)
		return value << suffix_shift(w.value[i]);
	return fallback;
}

bool cmdline_get_str(const char *name, char *value, size_t size)
{
	struct word w;
	size_t n;

	if (!size)
		return false;
	value[0] = '\0';
	if (!word_find(name, &w))
		return false;
	n = w.length < size ? w.length : size - 1;
	memcpy(value, w.value, n);
	value[n] = '\0';
	return true;
}

bool cmdline_get_bool(const char *name, bool fallback)
{
	struct word w;

	if (!word_find(name, &w))
		return fallback;
	if (!w.value)
		return true;
	if (w.length == 2 && memcmp(w.value, "on", 2) == 0)
		return true;
	return w.length && (w.value[0] == '1' || w.value[0] == 'y');
}
