/* SPDX-License-Identifier: GPL-2.0-only */
/* Loading by way of a boot region. */
#ifndef JAILHOUSE_CLI_BOOT_LOAD_H
#define JAILHOUSE_CLI_BOOT_LOAD_H

#include "boot.h"
#include "cell_config.h"
#include "tree.h"

/* Is there a loader for the machine that the cell's file is for? Else it says so. */
enum status boot_supported(const struct command *c, const struct config *cell);

/* tree_make() with its words; where the user's own tree came from is `path`. */
enum status tree_build(const struct tree_wish *wish, const char *path, struct tree *tree);

/* Says where two files want the same memory. */
enum status check_overlaps(const struct images *in);

/* Packs the images behind a loader that enters them, and has them loaded. */
enum status boot_load(const struct command *c, const struct abi_drv_cell *ref, const struct config *cell,
		      const struct images *in, uint64_t entry, uint64_t argument);

#endif
