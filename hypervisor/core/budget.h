/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The contract on exits: how many a second a cell's CPU may cause, as its configuration
 * says (abi_cell.exits, .settle_ms). Every exit is counted here, once, with its reason.
 *
 *       start        settled   exit                exit
 *   ------+-------------+---------+---------+---------+---------+--
 *         |  any number |         | 1 second|         | 1 second|     `exits` permitted in each
 *
 * A second begins with the first exit that finds nothing left and the second before over;
 * what was left lasts until then. So whatever is reported was more than `exits` within one
 * second, and no second on any clock has as many as twice `exits` unreported.
 */
#ifndef CORE_BUDGET_H
#define CORE_BUDGET_H

#include "core/system.h"

/* The CPU is about to enter its cell's guest from `start`: a new settling time begins. `self` only. */
void budget_start(struct cpu *self);

/*
 * More exits than were left: is that permitted? Then begins a new second; else the exit counts
 * as over budget, the first since the start is reported on the log, and if the
 * configuration says so the cell fails (and this does not return). No lock held.
 */
void budget_judge(struct cpu *self, unsigned reason, uint64_t detail);

/*
 * Counts one exit, without locks: before it is handled, but an interrupt is handed on first. reason: ABI_STAT_*, not TOTAL. detail, for the
 * report: the guest-physical address of an MMIO access or a fault, the number of a call, the
 * encoding of a register, the interrupt's number; 0 where there is none.
 */
static inline void exit_count(struct cpu *self, unsigned reason, uint64_t detail)
{
	self->stats[reason]++;
	if (--self->budget.left < 0)
		budget_judge(self, reason, detail);
}

/* The same out of line: where bytes count more than instructions. */
void exit_counted(struct cpu *self, unsigned reason, uint64_t detail);

/* One that the root cell's management caused: no cell has to answer for it. */
static inline void exit_count_management(struct cpu *self)
{
	self->stats[ABI_STAT_MANAGEMENT]++;
}

/* What a cell's owner is told of the reason: "mmio", "wfi". Of every reason below ABI_STAT_OVER_BUDGET that is used. */
const char *exit_name(unsigned reason);

#endif
