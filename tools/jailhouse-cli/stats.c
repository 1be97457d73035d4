// SPDX-License-Identifier: GPL-2.0-only
/* jailhouse cell stats: the exit counters of a cell, once or each second. */
#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "stats.h"

#define PREFIX "vmexits_"

struct options {
	bool watch;
	bool json;
	bool screen;		/* watch on a terminal that can move its cursor */
};

static int by_number(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	return (x > y) - (x < y);
}

/* What is no reason of its own comes last. */
static int by_stat(const void *a, const void *b)
{
	const char *x = a, *y = b;
	bool ox = !strcmp(x, OVER_BUDGET), oy = !strcmp(y, OVER_BUDGET);

	return ox != oy ? ox - oy : strcmp(x, y);
}

static void add_entry(struct stats *s, const char *name)
{
	const char *stat = name + strlen(PREFIX);
	uint64_t cpu;

	/* the total is the sum of what is read: it would be another one a moment later */
	if (!strncmp(name, PREFIX, strlen(PREFIX)) && strcmp(stat, "total") && s->stat_count < MAX_STATS)
		snprintf(s->stats[s->stat_count++], sizeof(s->stats[0]), "%.39s", stat);
	else if (!strncmp(name, "cpu", 3) && number_parse(name + 3, &cpu) && s->now.cpu_count < MAX_CPUS)
		s->now.cpus[s->now.cpu_count++] = (unsigned)cpu;
}

/* Counters and CPUs: Linux may take CPUs of its own off or on while we watch. */
static bool read_names(struct stats *s)
{
	struct dirent *entry;
	char path[300];
	DIR *dir;

	s->stat_count = 0;
	s->now.cpu_count = 0;
	snprintf(path, sizeof(path), JAILHOUSE_SYSFS "/cells/%u/statistics", s->id);
	dir = opendir(path);
	if (!dir)
		return false;
	while ((entry = readdir(dir)))
		add_entry(s, entry->d_name);
	closedir(dir);
	qsort(s->stats, s->stat_count, sizeof(s->stats[0]), by_stat);
	qsort(s->now.cpus, s->now.cpu_count, sizeof(s->now.cpus[0]), by_number);
	s->reason_count = s->stat_count;
	if (s->stat_count && !strcmp(s->stats[s->stat_count - 1], OVER_BUDGET))
		s->reason_count--;
	return true;
}

static uint64_t counter_read(const struct stats *s, unsigned cpu, const char *stat)
{
	char line[32];
	uint64_t value;

	if (!sysfs_line(line, sizeof(line), "cells/%u/statistics/cpu%u/" PREFIX "%s", s->id, cpu, stat) ||
	    !number_parse(line, &value))
		return UNKNOWN;
	return value;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Is it there still, and no other in its place? */
static bool take_sample(struct stats *s)
{
	char name[40];

	s->before = s->now;
	if (!read_names(s) || !sysfs_line(name, sizeof(name), "cells/%u/name", s->id) ||
	    strcmp(name, s->name) ||
	    !sysfs_line(s->now.state, sizeof(s->now.state), "cells/%u/state", s->id))
		return false;
	s->now.at = now();
	for (size_t i = 0; i < s->stat_count; i++)
		for (size_t k = 0; k < s->now.cpu_count; k++)
			s->now.values[i][k] = counter_read(s, s->now.cpus[k], s->stats[i]);
	return true;
}

uint64_t stats_sum(const struct sample *sample, size_t stat)
{
	uint64_t sum = 0;

	for (size_t k = 0; k < sample->cpu_count; k++)
		if (sample->values[stat][k] != UNKNOWN)
			sum += sample->values[stat][k];
	return sum;
}

uint64_t stats_total(const struct stats *s, const struct sample *sample)
{
	uint64_t total = 0;

	for (size_t i = 0; i < s->reason_count; i++)
		total += stats_sum(sample, i);
	return total;
}

static enum status no_such_cell(const struct command *c, const struct abi_drv_cell *ref,
				const struct cell_info *cells, size_t count)
{
	char names[512] = "";
	size_t n = 0;

	for (size_t k = 0; k < count && n < sizeof(names) - 64; k++)
		n += (size_t)snprintf(names + n, sizeof(names) - n, "%s %u %s", k ? "," : "",
				      cells[k].id, cells[k].name);
	if (ref->id == ABI_CELL_ID_BY_NAME)
		return fail(STATUS_NO_CELL, c->name, "no cell \"%s\"; there are:%s", ref->name,
			    names);
	return fail(STATUS_NO_CELL, c->name, "no cell %u; there are:%s", ref->id, names);
}

static void found(struct stats *s, const struct cell_info *cell)
{
	s->id = cell->id;
	memcpy(s->name, cell->name, sizeof(s->name));
	/* what a driver of before does not say stays empty */
	(void)sysfs_line(s->exits, sizeof(s->exits), "cells/%u/exits", s->id);
	(void)sysfs_line(s->interrupts, sizeof(s->interrupts), "cells/%u/interrupts", s->id);
	(void)sysfs_line(s->wfi, sizeof(s->wfi), "cells/%u/wfi", s->id);
}

static enum status find(const struct command *c, const struct abi_drv_cell *ref, struct stats *stats)
{
	struct cell_info *cells;
	size_t count;
	enum status s = cells_read(c->name, &cells, &count);
	size_t k;

	if (s)
		return s;
	for (k = 0; k < count; k++)
		if (ref->id == ABI_CELL_ID_BY_NAME ? !strcmp(cells[k].name, ref->name) :
						     cells[k].id == ref->id)
			break;
	if (k == count)
		s = no_such_cell(c, ref, cells, count);
	else
		found(stats, &cells[k]);
	free(cells);
	return s;
}

static void show(const struct stats *s, const struct options *o)
{
	if (o->json)
		show_json(s);
	else if (o->screen)
		show_screen(s);
	else if (o->watch)
		show_block(s);
	else
		show_counts(s);
	fflush(stdout);
}

/* Signals that end or interrupt the wait; those that were ignored from the start stay so. */
static void block_signals(sigset_t *set)
{
	static const int wanted[] = { SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGTSTP };

	sigemptyset(set);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (!signal_ignored(wanted[i]))
			sigaddset(set, wanted[i]);
	sigprocmask(SIG_BLOCK, set, NULL);
}

/* The alternate screen, without a cursor; what is too wide is cut. */
static void screen_enter(const struct options *o)
{
	if (o->screen)
		fputs("\033[?1049h\033[?25l\033[?7l", stdout);
}

static void screen_leave(const struct options *o)
{
	if (o->screen)
		fputs("\033[?7h\033[?25h\033[?1049l", stdout);
	fflush(stdout);
}

/* False: it is to end. */
static bool wait_a_second(const struct stats *s, const struct options *o, const sigset_t *set)
{
	const double until = s->now.at + 1;

	for (;;) {
		double left = until - now();
		struct timespec t = { 0, (long)(left * 1e9) };
		int signal;

		if (left <= 0)
			return true;
		if (left >= 1)
			t = (struct timespec){ 1, 0 };
		signal = sigtimedwait(set, NULL, &t);
		if (signal == SIGINT || signal == SIGTERM || signal == SIGHUP)
			return false;
		if (signal == SIGTSTP) {
			screen_leave(o);
			raise(SIGSTOP);
			screen_enter(o);
		}
		if (signal > 0 && o->screen)
			show(s, o);
	}
}

static enum status watch(const struct command *c, struct stats *s, const struct options *o)
{
	struct options last = { .watch = true };
	bool there = true;
	sigset_t set;

	block_signals(&set);
	screen_enter(o);
	do {
		there = take_sample(s);
		if (there)
			show(s, o);
	} while (there && wait_a_second(s, o, &set));
	screen_leave(o);
	if (!there)
		return fail(STATUS_NO_CELL, c->name, "cell %u \"%s\" is gone", s->id, s->name);
	/* what was last seen is to be read when the screen is gone */
	if (o->screen)
		show(s, &last);
	return STATUS_OK;
}

static enum status once(const struct command *c, struct stats *s, const struct options *o)
{
	if (!take_sample(s))
		return fail(STATUS_NO_CELL, c->name, "cell %u \"%s\" is gone", s->id, s->name);
	show(s, o);
	return STATUS_OK;
}

/* Takes what stands here of the options. */
static void take_options(int *argc, char ***argv, struct options *o)
{
	for (; *argc; --*argc, ++*argv) {
		const char *word = **argv;

		if (!strcmp(word, "-w") || !strcmp(word, "--watch"))
			o->watch = true;
		else if (!strcmp(word, "--json"))
			o->json = true;
		else
			return;
	}
}

enum status stats_run(const struct command *c, int argc, char **argv)
{
	const char *terminal = getenv("TERM");
	struct options o = { 0 };
	struct abi_drv_cell ref;
	struct stats *stats;
	enum status s;

	take_options(&argc, &argv, &o);
	s = cell_reference(c, &argc, &argv, &ref);
	if (s)
		return s;
	take_options(&argc, &argv, &o);
	if (argc)
		return command_usage(c, "one argument too many", argv[0]);
	o.screen = o.watch && !o.json && isatty(STDOUT_FILENO) && terminal && strcmp(terminal, "dumb");
	stats = calloc(1, sizeof(*stats));
	if (!stats)
		return out_of_memory();
	s = find(c, &ref, stats);
	if (!s)
		s = o.watch ? watch(c, stats, &o) : once(c, stats, &o);
	free(stats);
	return s;
}
