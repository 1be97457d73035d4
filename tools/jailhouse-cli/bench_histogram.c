// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "bench.h"

bool histogram_add(struct bench_histogram *h, uint64_t value, uint64_t count)
{
	/* room for a power of two of them */
	if (!(h->count & (h->count - 1))) {
		struct bench_pair *larger = realloc(h->pairs, (h->count ? h->count * 2 : 1) *
						    sizeof(*larger));

		if (!larger)
			return false;
		h->pairs = larger;
	}
	h->pairs[h->count++] = (struct bench_pair){ value, count };
	return true;
}

static int by_value(const void *a, const void *b)
{
	const struct bench_pair *x = a, *y = b;

	return (x->value > y->value) - (x->value < y->value);
}

bool histogram_sort(struct bench_histogram *h)
{
	uint64_t sum = 0;

	if (h->count)
		qsort(h->pairs, h->count, sizeof(*h->pairs), by_value);
	for (size_t i = 0; i < h->count; i++) {
		if (i && h->pairs[i].value == h->pairs[i - 1].value)
			return false;
		sum += h->pairs[i].count;
	}
	return sum == h->samples && sum;
}

void histogram_free(struct bench_histogram *h)
{
	free(h->pairs);
	memset(h, 0, sizeof(*h));
}

bool histogram_rank(const struct bench_histogram *h, unsigned part, uint64_t *value)
{
	uint64_t seen = 0;
	/* rounded up, without a product that could wrap */
	uint64_t rank = h->samples / 10000 * part + (h->samples % 10000 * part + 9999) / 10000;

	if (part > 5000 && part < 10000 && h->samples < 10000 / (10000 - part))
		return false;
	for (size_t i = 0; i < h->count; i++) {
		seen += h->pairs[i].count;
		if (seen >= rank) {
			*value = h->pairs[i].value;
			return true;
		}
	}
	return false;
}

struct bench_run *result_run(struct bench_result *r, const char *where, const char *load,
			     const char *workload)
{
	struct bench_run *runs = realloc(r->runs, (r->run_count + 1) * sizeof(*runs));
	struct bench_run *run;

	if (!runs)
		return NULL;
	r->runs = runs;
	run = &runs[r->run_count++];
	memset(run, 0, sizeof(*run));
	snprintf(run->where, sizeof(run->where), "%s", where);
	snprintf(run->workload, sizeof(run->workload), "%s", workload);
	run->load = load;
	return run;
}

void result_free(struct bench_result *r)
{
	for (size_t i = 0; i < r->run_count; i++)
		histogram_free(&r->runs[i].histogram);
	free(r->runs);
	memset(r, 0, sizeof(*r));
}
