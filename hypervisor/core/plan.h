/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A new cell, prepared: all that can fail is done by plan_build, and plan_drop undoes it;
 * plan_commit cannot fail. The caller holds the system lock throughout.
 */
#ifndef CORE_PLAN_H
#define CORE_PLAN_H

#include "core/system.h"

struct plan {
	struct cell *cell;
	unsigned cut;		/* regions whose edges are cut in the root cell's tables */
	unsigned cpus;		/* CPUs below this index were taken if they are the cell's */
};

/* `config`: at most ABI_CONFIG_MAX_SIZE bytes in the root cell's memory, copied once and then checked. */
MUST_CHECK err_t plan_build(struct plan *plan, struct cpu *self, gpa_t config, uint64_t size,
			    struct why *why);
void plan_drop(struct plan *plan);
/* The cell exists, owns what it names, and its CPUs begin to zero its memory. */
void plan_commit(struct plan *plan);

/* The other way: everything the cell owns is the root cell's again, and the cell is gone. */
void plan_revert(struct cell *cell);

/* Is the region one the root cell loses while the cell has it? */
bool mem_is_private(const struct abi_mem *mem);
/* Gives a private region to the root cell's tables (a cell's past is zero by now). Cannot fail: it was cut. */
void plan_root_map(struct system *sys, const struct abi_mem *mem, bool merge);

#endif
