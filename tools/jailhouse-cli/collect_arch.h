/* SPDX-License-Identifier: GPL-2.0-only */
/* What a description of a machine cannot do without, by architecture. */
#ifndef JAILHOUSE_CLI_COLLECT_ARCH_H
#define JAILHOUSE_CLI_COLLECT_ARCH_H

struct important {
	const char *path;	/* a file, or a folder with some */
	unsigned group;		/* of each group one has to be there; 0: it is only said that it is missing */
	const char *otherwise;	/* what to do if permission is not what is missing */
};

/* The last one has no path. */
extern const struct important collect_important[];

#endif
