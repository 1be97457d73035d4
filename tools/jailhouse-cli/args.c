// SPDX-License-Identifier: GPL-2.0-only
/* Words of the command line. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static unsigned suffix_shift(char suffix)
{
	switch (suffix) {
	case 'K': case 'k':
		return 10;
	case 'M': case 'm':
		return 20;
	case 'G': case 'g':
		return 30;
	default:
		return 0;
	}
}

/* Decimal or 0x..., with K, M or G for powers of 1024. */
bool number_parse(const char *text, uint64_t *value)
{
	unsigned shift;
	char *end;

	/* strtoull would take blanks and signs, and a leading 0 for octal */
	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*value = strtoull(text, &end, text[0] == '0' && tolower((unsigned char)text[1]) == 'x' ? 16 : 10);
	shift = suffix_shift(*end);
	if (errno || end == text || *value > UINT64_MAX >> shift)
		return false;
	*value <<= shift;
	return !end[shift ? 1 : 0];
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

/* Insertions, deletions and replacements from a to b; words longer than 31 are far away. */
unsigned edit_distance(const char *a, const char *b)
{
	unsigned row[32];
	size_t la = strlen(a), lb = strlen(b);

	if (la > 31 || lb > 31)
		return 99;
	for (unsigned j = 0; j <= lb; j++)
		row[j] = j;
	for (unsigned i = 1; i <= la; i++) {
		unsigned diagonal = row[0];

		row[0] = i;
		for (unsigned j = 1; j <= lb; j++) {
			unsigned above = row[j];

			row[j] = min3(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[lb];
}

static bool all_digits(const char *text)
{
	return *text && strspn(text, "0123456789") == strlen(text);
}

enum status cell_reference(const struct command *c, int *argc, char ***argv,
			   struct abi_drv_cell *cell)
{
	bool by_name = *argc && !strcmp(**argv, "--name");
	uint64_t id;

	if (by_name) {
		++*argv;
		--*argc;
	}
	if (!*argc)
		return command_usage(c, "which cell? give its ID or name", NULL);
	if (!by_name && (**argv)[0] == '-')
		return command_usage(c, "unknown option", **argv);
	memset(cell, 0, sizeof(*cell));
	cell->id = ABI_CELL_ID_BY_NAME;
	if (!by_name && all_digits(**argv)) {
		if (!number_parse(**argv, &id) || id >= ABI_CELL_ID_BY_NAME)
			return fail(STATUS_NO_CELL, c->name, "no cell %s: see jailhouse cell list",
				    **argv);
		cell->id = (uint32_t)id;
	} else if (strlen(**argv) >= sizeof(cell->name)) {
		return fail(STATUS_NO_CELL, c->name,
			    "no cell \"%s\": names have at most %zu characters; see jailhouse cell list",
			    **argv, sizeof(cell->name) - 1);
	} else {
		memcpy(cell->name, **argv, strlen(**argv));
	}
	++*argv;
	--*argc;
	return STATUS_OK;
}
