/* SPDX-License-Identifier: GPL-2.0-only */
/* The facts of a machine that a description is made from, gathered in memory. */
#ifndef JAILHOUSE_CLI_COLLECTION_H
#define JAILHOUSE_CLI_COLLECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "facts.h"
#include "tar.h"

/* Of all that is gathered, as an archive. */
#define COLLECTION_MAX ((size_t)64 << 20)
#define COLLECTION_MANIFEST "facts/manifest"

struct missing {
	char *path;
	const char *reason;
	bool denied;		/* root may do it */
};

struct collection {
	struct tar_entry *entry;
	size_t count;
	size_t size;		/* of the archive */
	struct missing *missing;
	size_t missing_count;
	const char *arch;
	char release[FACTS_RELEASE_SIZE];
	bool short_config;	/* no function showed more of its configuration space than anybody may see */
	FILE *say;		/* files that are left out, as they are met */
	size_t left_out;
	bool out_of_memory;
};

/*
 * Gathers everything that can be read, sorted by name, with COLLECTION_MANIFEST. `c` holds `say` and is
 * otherwise empty. `arch`: what the machine is if it does not say so itself. False: there is no memory. To be freed either way.
 */
bool collection_gather(struct collection *c, const struct facts *f, const char *arch);
void collection_free(struct collection *c);

/* The file is there, or files below that folder. */
bool collection_has(const struct collection *c, const char *path);
/* Why it is not; NULL: it is, or nobody asked for it by this name. */
const struct missing *collection_missing(const struct collection *c, const char *path);

/* To print what may hold anything: in one of its last few results. */
const char *printable(const char *text);

#endif
