/* SPDX-License-Identifier: GPL-2.0-only */
/* jailhouse cell linux: what was asked for, and what becomes of it. */
#ifndef JAILHOUSE_CLI_LINUX_H
#define JAILHOUSE_CLI_LINUX_H

#include "boot.h"
#include "cell_config.h"

struct linux_file {
	const char *path;	/* NULL: none */
	void *data;
	size_t size;
};

struct linux_job {
	const struct command *c;
	struct abi_drv_cell cell;
	struct linux_file kernel, initrd, user_tree;
	const char *bootargs;
	bool print, stay;
	struct cell_config config;
	struct images images;
	struct boot_start start;
	void *told;		/* what the kernel is told of the cell, to be freed */
	size_t told_size;
};

#endif
