// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "problem.h"

static const struct disguise packed[] = {
	{ 0, "\x1f\x8b", "is compressed: gunzip it first" },
	{ 0, "\xfd" "7zXZ", "is compressed: unxz it first" },
	{ 0, "(\xb5/\xfd", "is compressed: unzstd it first" },
	{ 0, "BZh", "is compressed: bunzip2 it first" },
};

bool problem_say(char problem[PROBLEM_SIZE], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(problem, PROBLEM_SIZE, format, args);
	va_end(args);
	return false;
}

static const char *find(const void *data, size_t size, const struct disguise *d, size_t count)
{
	for (; count > 0; d++, count--) {
		size_t length = strlen(d->mark);

		if (size >= d->at + length && !memcmp((const char *)data + d->at, d->mark, length))
			return d->words;
	}
	return NULL;
}

const char *disguise_words(const void *data, size_t size, const struct disguise *disguises, size_t count)
{
	const char *words = find(data, size, packed, sizeof(packed) / sizeof(packed[0]));

	return words ? words : find(data, size, disguises, count);
}
