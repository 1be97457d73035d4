/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BASE_CRC_H
#define BASE_CRC_H

#include "base/types.h"

/* CRC-32 (IEEE 802.3, reflected, as zlib's crc32). Start with crc = 0; chains. */
uint32_t crc32(uint32_t crc, const void *bytes, size_t size);

#endif
