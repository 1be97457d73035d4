/* SPDX-License-Identifier: GPL-2.0-only */
/* What a cell and its machine were made from: the driver shows the files. */
#ifndef JAILHOUSE_CLI_CELL_CONFIG_H
#define JAILHOUSE_CLI_CELL_CONFIG_H

#include "cli.h"
#include "config/parse.h"

struct cell_config {
	void *bytes[2];		/* to be freed with cell_config_free() */
	struct config cell, system;
};

/*
 * What the cell that `ref` names was made from. `*found` is false, and nothing is said, where the
 * driver shows no such cell, or is not there: a request to it says that best.
 */
enum status cell_config_read(const struct command *c, const struct abi_drv_cell *ref, struct cell_config *config,
			     bool *found);
void cell_config_free(struct cell_config *config);

#endif
