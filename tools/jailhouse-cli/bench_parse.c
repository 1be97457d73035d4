// SPDX-License-Identifier: GPL-2.0-only
/* What the benchmark's program says (inmates/bench/bench.c), line by line. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define MARK "bench: "

static void refuse(struct bench_run *run, const char *why, const char *line)
{
	if (!*run->refused)
		snprintf(run->refused, sizeof(run->refused), "%s%.150s", why, line);
}

/* The number behind " name="; false if there is none. */
static bool field(const char *line, const char *name, uint64_t *value)
{
	size_t n = strlen(name);

	for (const char *at = line; (at = strstr(at, name)); at++) {
		const char *digits = at + n + 1;

		if ((at > line && at[-1] != ' ') || at[n] != '=' || *digits < '0' || *digits > '9')
			continue;
		*value = strtoull(digits, NULL, 10);
		return true;
	}
	return false;
}

/* In ns where the counter has another frequency; fractions are cut off. */
static uint64_t scale(const struct bench_run *run, uint64_t ticks)
{
	uint64_t hz = run->counter_hz;

	return ticks / hz * 1000000000u + ticks % hz * 1000000000u / hz;
}

static void values_line(struct bench_run *run, const char *text)
{
	uint64_t value, count;
	struct bench_histogram *h = &run->histogram;
	int n;

	if (!run->counter_hz) {
		refuse(run, "values before their headline: ", text);
		return;
	}
	while (sscanf(text, " %" SCNu64 ":%" SCNu64 "%n", &value, &count, &n) == 2) {
		text += n;
		value = scale(run, value);
		/* what a fast counter tells apart may be one nanosecond */
		if (h->count && h->pairs[h->count - 1].value == value)
			h->pairs[h->count - 1].count += count;
		else if (!histogram_add(h, value, count))
			refuse(run, "no memory left for its numbers", "");
	}
	if (text[strspn(text, " ")])
		refuse(run, "a line of values came damaged: ", text);
}

static void exits_line(struct bench_run *run, const char *text)
{
	struct bench_exit e;
	int n;

	while (sscanf(text, " %23[a-z_]=%" SCNu64 "%n", e.name, &e.count, &n) == 2) {
		text += n;
		if (run->exit_count == BENCH_MAX_EXITS)
			refuse(run, "too many exit counters: ", text);
		else
			run->exits[run->exit_count++] = e;
		run->counted = true;
	}
	if (text[strspn(text, " ")])
		refuse(run, "a line of exits came damaged: ", text);
}

static void headline(struct bench_run *run, const char *text)
{
	char name[sizeof(run->workload)];

	if (sscanf(text, "workload=%23s", name) != 1 ||
	    !field(text, "samples", &run->histogram.samples) ||
	    !field(text, "freq", &run->counter_hz) || !run->counter_hz) {
		refuse(run, "its headline came damaged: ", text);
		run->counter_hz = 0;
		return;
	}
	/* `device` is called `spi` where there is no device */
	memcpy(run->workload, name, sizeof(name));
	field(text, "resolution", &run->histogram.resolution);
	run->measured = true;
}

void run_line(struct bench_run *run, const char *line)
{
	if (strncmp(line, MARK, strlen(MARK)))
		return;
	line += strlen(MARK);
	if (!strncmp(line, "refused: ", 9))
		refuse(run, line + 9, "");
	else if (!strncmp(line, "workload=", 9))
		headline(run, line);
	else if (!strncmp(line, "values", 6))
		values_line(run, line + 6);
	else if (!strncmp(line, "exits", 5))
		exits_line(run, line + 5);
	else if (!strncmp(line, "end workload=", 13))
		run->ended = true;
}

void run_refuse(struct bench_run *run, const char *why)
{
	refuse(run, why, "");
	histogram_free(&run->histogram);
	run->measured = false;
	run->counted = false;
	run->exit_count = 0;
}

void run_check(struct bench_run *run, bool icount)
{
	if (!run->ended)
		refuse(run, "its end is missing", "");
	if (run->measured && !histogram_sort(&run->histogram))
		refuse(run, "its values are not as many as its samples: lines of the log were lost", "");
	if (icount && run->measured && run->counter_hz != BENCH_COUNTER_HZ)
		refuse(run, "its counter does not run at 1 GHz: ticks are no instructions", "");
	if (!run->measured)
		refuse(run, "it said nothing", "");
	if (*run->refused)
		run_refuse(run, "");
}
