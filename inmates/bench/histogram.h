/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How often each value was seen. Exact up to HISTOGRAM_EXACT different ones; when there are
 * more, each value's upper nine bits count and the rest is cut off.
 */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdbool.h>
#include <stdint.h>

#define HISTOGRAM_EXACT 2000u
#define HISTOGRAM_RESOLUTION 256u
#define HISTOGRAM_BUCKETS (512u + 55u * 256u)

struct histogram {
	uint64_t samples, min, max;
	bool coarse;
	uint32_t used;			/* of `value` and `count`, sorted by value */
	uint64_t value[HISTOGRAM_EXACT];
	uint32_t count[HISTOGRAM_EXACT];
	uint32_t bucket[HISTOGRAM_BUCKETS];	/* where coarse */
};

void histogram_clear(struct histogram *h);
void histogram_add(struct histogram *h, uint64_t value);
/* Lines of value:count, sorted, none longer than a log line. */
void histogram_print(const struct histogram *h);

#endif
