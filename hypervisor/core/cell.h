/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What can be asked of a cell. The management calls are for the root cell's CPUs with the
 * system lock held; on an error `why` says it in words and nothing has changed. ERR_AGAIN
 * means that the cell's CPUs are at work: call again.
 */
#ifndef CORE_CELL_H
#define CORE_CELL_H

#include "core/system.h"

MUST_CHECK err_t cell_create(struct cpu *self, gpa_t config, uint64_t size, unsigned *id,
			     struct why *why);
MUST_CHECK err_t cell_start(struct cell *cell, struct why *why);
MUST_CHECK err_t cell_shutdown(struct cell *cell, struct why *why);
MUST_CHECK err_t cell_set_loadable(struct cell *cell, struct why *why);
MUST_CHECK err_t cell_destroy(struct cell *cell, struct why *why);
/*
 * What the cell answered (ABI_REPLY_*) to the request to shut down, which is made if `ask`. It is asked
 * for nothing if it does not run (approved) or has no communication page (unknown).
 */
uint32_t cell_ask(struct cell *cell, bool ask);
/* ABI_CELL_* */
MUST_CHECK err_t cell_get_state(struct cell *cell, uint32_t *state);

/* Not the root cell; NULL if there is none. */
struct cell *cell_find(struct system *sys, unsigned id);

/* From inside, on one of the cell's CPUs, without locks. */

/* This CPU did what its cell may not: the cell fails, all its CPUs park. Not for the root cell. */
_Noreturn void cell_fail(struct cpu *self);
/* The cell powers itself off. */
_Noreturn void cell_power_off(struct cpu *self);
/* The cell starts again at its entry, with the memory it has. */
_Noreturn void cell_reset(struct cpu *self);

/* One character on the debug console; whole lines go to the log. */
void cell_putc(struct cell *cell, char c);

#endif
