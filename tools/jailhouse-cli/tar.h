/* SPDX-License-Identifier: GPL-2.0-only */
/* Archives in POSIX's ustar format: the same entries are the same bytes. */
#ifndef JAILHOUSE_CLI_TAR_H
#define JAILHOUSE_CLI_TAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define TAR_BLOCK 512u

struct tar_entry {
	const char *path;	/* without a '/' at its beginning or end */
	const char *link;	/* where a symbolic link leads; NULL: a regular file */
	const void *data;
	size_t size;		/* less than 8 GiB; 0 for a link */
};

/* What it takes in the archive, header included. */
size_t tar_entry_size(const struct tar_entry *e);
/* False: it could not be written, errno says why. */
bool tar_put(FILE *to, const struct tar_entry *e);
bool tar_end(FILE *to);

#endif
