/* SPDX-License-Identifier: GPL-2.0-only */
/* Loading by way of a boot region. */
#ifndef JAILHOUSE_CLI_BOOT_LOAD_H
#define JAILHOUSE_CLI_BOOT_LOAD_H

#include "boot.h"
#include "cell_config.h"

/* Is there a loader for the machine that the cell's file is for? Else it says so. */
enum status boot_supported(const struct command *c, const struct config *cell);

/* Says where two files want the same memory. */
enum status check_overlaps(const struct images *in);

/* Packs the images behind a loader that enters them, and has them loaded. */
enum status boot_load(const struct command *c, const struct abi_drv_cell *ref, const struct config *cell,
		      const struct images *in, const struct boot_start *start);

#endif
