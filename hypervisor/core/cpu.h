/* SPDX-License-Identifier: GPL-2.0-only */
/* The life of a physical CPU: parked in the hypervisor, or in its cell's guest. */
#ifndef CORE_CPU_H
#define CORE_CPU_H

#include "arch/cpu.h"
#include "core/system.h"

/* What a CPU does that is in no guest: zero memory, wait to be started, power off. On its own stack's start. */
_Noreturn void cpu_run(struct cpu *self);

/* Out of the guest for good, as `state` (CPU_PARKED or CPU_FAILED). */
_Noreturn void cpu_park(struct cpu *self, enum cpu_state state);

/* At the end of every exit: does not return if the CPU was told to stop. */
void cpu_check_stop(struct cpu *self);

/*
 * Makes a parked CPU run its cell's guest from `start`. Any CPU, any of the system's or the
 * cell's locks held. ERR_NOT_FOUND: not the cell's (any more); ERR_BUSY: not parked;
 * ERR_AGAIN: already being started.
 */
MUST_CHECK err_t cpu_start(const struct cell *cell, struct cpu *cpu, const struct vcpu_start *start);

/*
 * Tells it to leave the guest and park. That takes effect on its next exit, for which the
 * caller sees to: space_revoke(), then arch_cpu_kick_out().
 */
void cpu_stop(struct cpu *cpu);

/*
 * For another CPU of its cell. True, and *flag, which its next exit looks at, is set, if it is in its guest;
 * not if it is another cell's by now.
 */
bool cpu_tell(const struct cell *cell, struct cpu *cpu, bool *flag);
/* ... that wants it parked: a start that it was told and has not taken is void. */
bool cpu_recall(const struct cell *cell, struct cpu *cpu, bool *flag);

enum cpu_state cpu_get_state(struct cpu *cpu);

/* The cell's CPU with that id, or NULL. */
struct cpu *cpu_find(struct cell *cell, uint64_t hwid);

/* The first CPU at or after index n that belongs to the cell, or NULL. */
struct cpu *cell_cpu_from(const struct cell *cell, unsigned n);
#define for_each_cell_cpu(cpu, cell) \
	for ((cpu) = cell_cpu_from(cell, 0); (cpu) != NULL; (cpu) = cell_cpu_from(cell, (cpu)->id + 1))

#endif
