/* SPDX-License-Identifier: GPL-2.0-only */
/* Tables as bytes: little-endian, where their manuals say. */
#ifndef JAILHOUSE_CLI_BYTES_H
#define JAILHOUSE_CLI_BYTES_H

#include <stddef.h>
#include <stdint.h>

static inline void put_bytes(uint8_t *at, uint64_t value, unsigned count)
{
	for (; count; count--, value >>= 8)
		*at++ = (uint8_t)value;
}

static inline void put16(uint8_t *at, uint16_t value)
{
	put_bytes(at, value, 2);
}

static inline void put32(uint8_t *at, uint32_t value)
{
	put_bytes(at, value, 4);
}

static inline void put64(uint8_t *at, uint64_t value)
{
	put_bytes(at, value, 8);
}

static inline uint64_t get_bytes(const uint8_t *at, unsigned count)
{
	uint64_t value = 0;

	while (count--)
		value = value << 8 | at[count];
	return value;
}

static inline uint16_t get16(const uint8_t *at)
{
	return (uint16_t)get_bytes(at, 2);
}

static inline uint32_t get32(const uint8_t *at)
{
	return (uint32_t)get_bytes(at, 4);
}

static inline uint64_t get64(const uint8_t *at)
{
	return get_bytes(at, 8);
}

#endif
