/* SPDX-License-Identifier: GPL-2.0-only */
/* Exit counters: what stats.c reads and stats_show.c shows. */
#ifndef JAILHOUSE_CLI_STATS_H
#define JAILHOUSE_CLI_STATS_H

#include <stdio.h>

#include "cli.h"

#define MAX_STATS 64
#define MAX_CPUS (ABI_CPU_SET_WORDS * 64)
#define UNKNOWN UINT64_MAX
#define OVER_BUDGET "over_budget"

/* Every counter once, as near together in time as they can be read. */
struct sample {
	double at;			/* seconds of the monotonic clock; 0: there is no sample */
	char state[40];
	unsigned cpus[MAX_CPUS];	/* ascending */
	size_t cpu_count;
	uint64_t values[MAX_STATS][MAX_CPUS];	/* by stat and index into cpus; or UNKNOWN */
};

struct stats {
	unsigned id;
	char name[40];
	/* the cell's contract, in the driver's words; empty if the driver does not say */
	char exits[24];
	char interrupts[16];
	char wfi[16];
	char stats[MAX_STATS][40];	/* without vmexits_; the reasons sorted, OVER_BUDGET behind them */
	size_t stat_count;		/* with OVER_BUDGET */
	size_t reason_count;		/* without */
	struct sample now;
	struct sample before;
};

/* Of all CPUs. */
uint64_t stats_sum(const struct sample *sample, size_t stat);
/* Of all CPUs and reasons: the rows that are printed add up to it. */
uint64_t stats_total(const struct stats *s, const struct sample *sample);

/* Counts on each CPU, for one look. */
void show_counts(const struct stats *s);
/* Sums and rates since the sample before, one block after the other. */
void show_block(const struct stats *s);
/* The same over the whole screen, as much as fits. */
void show_screen(const struct stats *s);
/* One object on one line. */
void show_json(const struct stats *s);

#endif
