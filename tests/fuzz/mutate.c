// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "mutate.h"

_Noreturn void require_failed(const char *file, unsigned line, const char *what)
{
	fprintf(stderr, "%s:%u: not so: %s\n", file, line, what);
	abort();
}

uint64_t mutate_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dull >> 8;
}

/* The values that meet edges: of pages, of spans that are there or mediated, of integers. */
static uint64_t next_value(const uint8_t *file, size_t size, uint64_t old, uint64_t *state)
{
	uint64_t other;

	memcpy(&other, file + mutate_random(state) % (size / 8) * 8, 8);
	switch (mutate_random(state) % 8) {
	case 0:
		return old + PAGE_SIZE;
	case 1:
		return old - PAGE_SIZE;
	case 2:
		return old ^ 1ull << mutate_random(state) % 64;
	case 3:
		return other;
	case 4:
		return old + other;
	case 5:
		return old - other;
	case 6:
		return mutate_random(state) % 2 ? golden_limits.mediated[0].start : UINT64_MAX;
	default:
		return old + mutate_random(state) % 5 - 2;
	}
}

void mutate_file(uint8_t *file, size_t size, uint64_t *state)
{
	uint64_t changes = 1 + mutate_random(state) % 3;

	if (size < 8)
		return;
	for (; changes > 0; changes--) {
		/* A field of 4 bytes as often as one of 8 */
		size_t width = mutate_random(state) % 2 ? 4 : 8;
		uint8_t *at = file + mutate_random(state) % (size / width) * width;
		uint64_t value = 0;

		memcpy(&value, at, width);
		value = next_value(file, size, value, state);
		memcpy(at, &value, width);
	}
}

void mutate_seal(uint8_t *file, size_t size)
{
	struct abi_header header;

	memcpy(&header, file, sizeof(header));
	memcpy(header.magic, ABI_CONFIG_MAGIC, sizeof(header.magic));
	header.size = (uint32_t)size;
	memcpy(file, &header, sizeof(header));
	golden_seal(file, size);
}
