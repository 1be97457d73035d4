// SPDX-License-Identifier: GPL-2.0-only
/* The result for a reader: a row per workload under its place and load, then the cells' life. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

/* A number too wide for its column moves the others, but stays apart from them. */
static void number(int width, bool known, uint64_t value)
{
	if (known)
		printf(" %*" PRIu64, width, value);
	else
		printf(" %*s", width, "-");
}

static void ranks(const struct bench_run *run)
{
	static const unsigned parts[] = { 0, 5000, 9900, 9999, 10000 };

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		uint64_t value = 0;

		bool known = run->measured && histogram_rank(&run->histogram, parts[i], &value);

		number(10, known, value);
	}
}

/* "1.000 (sgi)" */
static void exits(const struct bench_run *run)
{
	const char *before = " (";

	if (!run->counted || !run->histogram.samples) {
		printf("  -");
		return;
	}
	for (size_t i = 0; i < run->exit_count; i++)
		if (!strcmp(run->exits[i].name, "total"))
			printf("  %.3f", (double)run->exits[i].count /
			       (double)run->histogram.samples);
	for (size_t i = 0; i < run->exit_count; i++) {
		if (!run->exits[i].count || !strcmp(run->exits[i].name, "total"))
			continue;
		printf("%s%s", before, run->exits[i].name);
		before = " ";
	}
	if (before[1] != '(')
		putchar(')');
}

static void run_row(const struct bench_run *run)
{
	printf("  %-11s", run->workload);
	if (*run->refused) {
		printf("  not measured: %s\n", run->refused);
		return;
	}
	number(8, true, run->histogram.samples);
	ranks(run);
	exits(run);
	if (run->unit)
		printf("  in %s", run->unit);
	if (run->histogram.resolution)
		printf("  (to 1/%" PRIu64 ")", run->histogram.resolution);
	putchar('\n');
}

/* Where it ran and what Linux did: once for all that have it in common. */
static void run_title(const struct bench_run *run, const struct bench_run *before)
{
	if (before && !strcmp(run->where, before->where) && !strcmp(run->load, before->load))
		return;
	printf("%s, %s\n", run->where, run->load);
}

static int by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void middle(bool known, const uint64_t *values, unsigned n)
{
	uint64_t sorted[BENCH_MAX_ROUNDS];

	memcpy(sorted, values, n * sizeof(*values));
	qsort(sorted, n, sizeof(*sorted), by_number);
	for (int i = 0; i < 3; i++)
		number(10, known, i == 0 ? sorted[0] : i == 1 ? sorted[(n - 1) / 2] : sorted[n - 1]);
}

static void life_row(const struct bench_life *l)
{
	uint64_t pause = 0, quiet = 0;

	for (unsigned i = 0; i < l->rounds; i++) {
		pause = l->pauses[i] > pause ? l->pauses[i] : pause;
		quiet = l->quiet[i] > quiet ? l->quiet[i] : quiet;
	}
	printf("%-10s%-19s", l->operation, l->cell);
	number(10, true, l->rounds);
	middle(true, l->times, l->rounds);
	number(10, l->watched, pause);
	number(10, l->watched, quiet);
	putchar('\n');
}

void table_print(const struct bench_result *r)
{
	printf("  %-11s %8s %10s %10s %10s %10s %10s  %s\n", "workload", "samples", "min", "median", "p99",
	       "p99.99", "max", "exits per event");
	for (size_t i = 0; i < r->run_count; i++) {
		run_title(&r->runs[i], i ? &r->runs[i - 1] : NULL);
		run_row(&r->runs[i]);
	}
	printf("\nin %s; exits are the program's own count, from its first sample to its last\n",
	       r->icount ? "instructions" : "ns");
	if (!r->lived)
		return;
	printf("\n%-10s%-19s%11s%11s%11s%11s%11s%11s\n", "operation", "cell", "rounds", "min",
	       "median", "max", "pause", "quiet");
	for (size_t i = 0; i < BENCH_OPERATIONS; i++)
		life_row(&r->life[i]);
	printf("\nin ns; pause: the longest of Linux's other CPUs during the operation; quiet: in as\n"
	       "long a time without one\n");
}
