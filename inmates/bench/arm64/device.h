/* SPDX-License-Identifier: GPL-2.0-only */
/* From the write that makes a shared line pending to the vector. */
#ifndef BENCH_ARM64_DEVICE_H
#define BENCH_ARM64_DEVICE_H

#include "bench.h"

bool begin_device(struct bench *b);
uint64_t sample_device(struct bench *b);
void end_device(struct bench *b);
bool begin_spi(struct bench *b);
uint64_t sample_spi(struct bench *b);
void end_spi(struct bench *b);

#endif
