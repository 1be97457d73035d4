// SPDX-License-Identifier: GPL-2.0-only
/* Cells as the driver shows them in sysfs. */
#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

bool sysfs_line(char *line, size_t size, const char *format, ...)
{
	char path[512];
	va_list arguments;
	int n, m;
	FILE *f;

	n = snprintf(path, sizeof(path), "%s/", JAILHOUSE_SYSFS);
	va_start(arguments, format);
	m = vsnprintf(path + n, sizeof(path) - (size_t)n, format, arguments);
	va_end(arguments);
	line[0] = 0;
	if (m < 0 || (size_t)n + (size_t)m >= sizeof(path))
		return false;
	f = fopen(path, "re");
	if (!f)
		return false;
	/* an empty CPU list is a line without characters */
	if (!fgets(line, (int)size, f))
		line[0] = 0;
	fclose(f);
	line[strcspn(line, "\n")] = 0;
	return true;
}

static bool is_over_contract(unsigned id)
{
	char line[32];
	uint64_t count;

	return sysfs_line(line, sizeof(line), "cells/%u/statistics/vmexits_over_budget", id) &&
	       number_parse(line, &count) && count;
}

static bool cell_read(struct cell_info *cell, unsigned id)
{
	cell->id = id;
	cell->over_contract = is_over_contract(id);
	return sysfs_line(cell->name, sizeof(cell->name), "cells/%u/name", id) &&
	       sysfs_line(cell->state, sizeof(cell->state), "cells/%u/state", id) &&
	       sysfs_line(cell->assigned, sizeof(cell->assigned), "cells/%u/cpus_assigned_list", id) &&
	       sysfs_line(cell->failed, sizeof(cell->failed), "cells/%u/cpus_failed_list", id);
}

static int by_id(const void *a, const void *b)
{
	const struct cell_info *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static enum status absent(const char *what)
{
	char enabled[8];

	if (!sysfs_line(enabled, sizeof(enabled), "enabled"))
		return fail(STATUS_ABSENT, what, "the driver is not loaded: modprobe jailhouse");
	if (strcmp(enabled, "1"))
		return fail(STATUS_ABSENT, what,
			    "the hypervisor is not enabled: jailhouse enable SYSTEM.cell first");
	return STATUS_OK;
}

static enum status collect(DIR *dir, struct cell_info **cells, size_t *count)
{
	struct dirent *entry;

	while ((entry = readdir(dir))) {
		struct cell_info *larger;
		uint64_t id;

		if (!number_parse(entry->d_name, &id) || id > UINT32_MAX)
			continue;
		larger = realloc(*cells, (*count + 1) * sizeof(**cells));
		if (!larger)
			return out_of_memory();
		*cells = larger;
		/* a cell that is destroyed meanwhile is not there */
		if (cell_read(&larger[*count], (unsigned)id))
			++*count;
	}
	return STATUS_OK;
}

enum status cells_read(const char *what, struct cell_info **cells, size_t *count)
{
	enum status s = absent(what);
	DIR *dir;

	*cells = NULL;
	*count = 0;
	if (s)
		return s;
	dir = opendir(JAILHOUSE_SYSFS "/cells");
	if (!dir)
		return fail(STATUS_ABSENT, what, "no " JAILHOUSE_SYSFS "/cells: modprobe jailhouse");
	s = collect(dir, cells, count);
	closedir(dir);
	if (s) {
		free(*cells);
		*cells = NULL;
		return s;
	}
	if (*count)
		qsort(*cells, *count, sizeof(**cells), by_id);
	return STATUS_OK;
}
