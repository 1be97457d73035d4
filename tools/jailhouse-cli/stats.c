// SPDX-License-Identifier: GPL-2.0-only
/* jailhouse cell stats: the exit counters of a cell, per CPU and in sum. */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

#define MAX_STATS 64
#define MAX_CPUS (ABI_CPU_SET_WORDS * 64)
#define PREFIX "vmexits_"

struct table {
	unsigned id;
	char name[40];
	char stats[MAX_STATS][40];	/* without PREFIX */
	size_t stat_count;
	unsigned cpus[MAX_CPUS];
	size_t cpu_count;
};

static int by_number(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	return (x > y) - (x < y);
}

/* "total" first */
static int by_stat(const void *a, const void *b)
{
	const char *x = a, *y = b;
	bool tx = !strcmp(x, "total"), ty = !strcmp(y, "total");

	return tx != ty ? ty - tx : strcmp(x, y);
}

static void add_entry(struct table *t, const char *name)
{
	uint64_t cpu;

	if (!strncmp(name, PREFIX, strlen(PREFIX)) && t->stat_count < MAX_STATS)
		snprintf(t->stats[t->stat_count++], sizeof(t->stats[0]), "%.39s",
			 name + strlen(PREFIX));
	else if (!strncmp(name, "cpu", 3) && number_parse(name + 3, &cpu) &&
		 t->cpu_count < MAX_CPUS)
		t->cpus[t->cpu_count++] = (unsigned)cpu;
}

/* Counters and CPUs: the latter may change while we watch. */
static bool table_read(struct table *t)
{
	struct dirent *entry;
	char path[300];
	DIR *dir;

	t->stat_count = 0;
	t->cpu_count = 0;
	snprintf(path, sizeof(path), JAILHOUSE_SYSFS "/cells/%u/statistics", t->id);
	dir = opendir(path);
	if (!dir)
		return false;
	while ((entry = readdir(dir)))
		add_entry(t, entry->d_name);
	closedir(dir);
	qsort(t->stats, t->stat_count, sizeof(t->stats[0]), by_stat);
	qsort(t->cpus, t->cpu_count, sizeof(t->cpus[0]), by_number);
	return true;
}

static uint64_t counter_read(const struct table *t, size_t cpu, size_t stat)
{
	char line[32];
	uint64_t value;

	if (!sysfs_line(line, sizeof(line), "cells/%u/statistics/cpu%u/" PREFIX "%s", t->id,
			t->cpus[cpu], t->stats[stat]) || !number_parse(line, &value))
		return 0;
	return value;
}

/* The sum is of what is printed: the counters go on while they are read. */
static void row_print(const struct table *t, size_t stat)
{
	uint64_t values[MAX_CPUS];
	uint64_t sum = 0;

	for (size_t k = 0; k < t->cpu_count; k++) {
		values[k] = counter_read(t, k, stat);
		sum += values[k];
	}
	printf("%-16s%14" PRIu64, t->stats[stat], sum);
	for (size_t k = 0; k < t->cpu_count; k++)
		printf("%14" PRIu64, values[k]);
	putchar('\n');
}

static void table_print(const struct table *t)
{
	char title[24];

	printf("Exits of cell %u \"%s\"\n%-16s%14s", t->id, t->name, "Reason", "Sum");
	for (size_t k = 0; k < t->cpu_count; k++) {
		snprintf(title, sizeof(title), "CPU %u", t->cpus[k]);
		printf("%14s", title);
	}
	putchar('\n');
	for (size_t i = 0; i < t->stat_count; i++)
		row_print(t, i);
	fflush(stdout);
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

static enum status find(const struct command *c, const struct abi_drv_cell *ref, struct table *t)
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
	if (k == count) {
		s = no_such_cell(c, ref, cells, count);
	} else {
		t->id = cells[k].id;
		memcpy(t->name, cells[k].name, sizeof(t->name));
	}
	free(cells);
	return s;
}

enum status stats_run(const struct command *c, int argc, char **argv)
{
	bool watch = argc && (!strcmp(argv[0], "-w") || !strcmp(argv[0], "--watch"));
	struct abi_drv_cell ref;
	struct table *t;
	enum status s;

	argv += watch;
	argc -= watch;
	s = cell_reference(c, &argc, &argv, &ref);
	if (s)
		return s;
	if (argc && !watch && (!strcmp(argv[0], "-w") || !strcmp(argv[0], "--watch"))) {
		watch = true;
		argv++;
		argc--;
	}
	if (argc)
		return command_usage(c, "one argument too many", argv[0]);
	t = calloc(1, sizeof(*t));
	if (!t)
		return out_of_memory();
	s = find(c, &ref, t);
	while (!s) {
		if (!table_read(t)) {
			s = fail(STATUS_NO_CELL, c->name, "cell %u \"%s\" is gone", t->id, t->name);
			break;
		}
		if (watch && isatty(STDOUT_FILENO))
			fputs("\033[H\033[J", stdout);
		table_print(t);
		if (!watch)
			break;
		sleep(1);
	}
	free(t);
	return s;
}
