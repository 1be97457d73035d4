/* SPDX-License-Identifier: GPL-2.0-only */
/* From the write that makes a shared line pending, or that sends by ICR, to the vector. */
#ifndef BENCH_X86_64_DEVICE_H
#define BENCH_X86_64_DEVICE_H

#include "bench.h"

bool begin_device(struct bench *b);
uint64_t sample_device(struct bench *b);
void end_device(struct bench *b);

/* vector.S: as wait_sgi(), through ICR */
struct taken wait_icr(uint64_t icr, uint64_t *before);

#endif
