// SPDX-License-Identifier: GPL-2.0-only
/* jailhouse cell list */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

#define COLUMNS 5

static const char *const titles[COLUMNS] = { "ID", "Name", "State", "Assigned CPUs", "Failed CPUs" };

/* Text that is made for a row, and lives as long as it. */
struct made {
	char id[16];
	char state[64];
};

static void row_fill(const struct cell_info *cell, struct made *made, const char *row[COLUMNS])
{
	snprintf(made->id, sizeof(made->id), "%u", cell->id);
	snprintf(made->state, sizeof(made->state), "%s%s", cell->state,
		 cell->over_contract ? " (over contract)" : "");
	row[0] = made->id;
	row[1] = cell->name;
	row[2] = made->state;
	row[3] = cell->assigned;
	row[4] = cell->failed;
}

/* Columns are Jailhouse's, wider only for what would not fit; no blanks at the end. */
static void row_print(const char *const row[COLUMNS], const size_t widths[COLUMNS])
{
	size_t last = COLUMNS;

	while (last > 1 && !*row[last - 1])
		last--;
	for (size_t i = 0; i + 1 < last; i++)
		printf("%-*s", (int)widths[i], row[i]);
	puts(row[last - 1]);
}

enum status list_run(const struct command *c, int argc, char **argv)
{
	size_t widths[COLUMNS] = { 8, 24, 18, 24, 24 };
	const char *row[COLUMNS];
	struct cell_info *cells;
	size_t count;
	enum status s;
	struct made made;

	if (argc)
		return command_usage(c, "takes no argument", argv[0]);
	s = cells_read(c->name, &cells, &count);
	if (s)
		return s;
	for (size_t k = 0; k < count; k++) {
		row_fill(&cells[k], &made, row);
		for (size_t i = 0; i < COLUMNS; i++)
			if (strlen(row[i]) + 1 > widths[i])
				widths[i] = strlen(row[i]) + 1;
	}
	row_print(titles, widths);
	for (size_t k = 0; k < count; k++) {
		row_fill(&cells[k], &made, row);
		row_print(row, widths);
	}
	free(cells);
	return STATUS_OK;
}
