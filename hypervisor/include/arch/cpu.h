/* SPDX-License-Identifier: GPL-2.0-only */
/* What core asks of an architecture's CPUs. `self` is always the CPU that calls. */
#ifndef ARCH_CPU_H
#define ARCH_CPU_H

#include "base/addr.h"
#include "base/err.h"

struct abi_comm;
struct abi_irq;
struct cell;
struct cpu;
struct pool;
struct system;
struct vcpu_start;
struct why;

/* Makes `target` return from arch_cpu_wait; one that is in its guest may stay there. Any CPU. */
void arch_cpu_kick(const struct cpu *target);
/*
 * ... so that `target` leaves its guest for good. Its stop flag is set and its space is revoked
 * already: what it would execute next is an abort anyway, and this is to end a sleep.
 */
void arch_cpu_kick_out(const struct cpu *target);
/* Sleeps until kicked; may return early. A kick before the call is not lost. */
void arch_cpu_wait(struct cpu *self);
/* Forgets what is on the stack and continues in `run`. */
_Noreturn void arch_cpu_restart(struct cpu *self, void (*run)(struct cpu *self));
/* Gives a parked CPU back to the firmware, powered off. */
_Noreturn void arch_cpu_power_off(struct cpu *self);
/* Does the firmware say that it is off? */
bool arch_cpu_is_off(const struct cpu *cpu);
/* Back to bare metal, to the instruction after the hypercall, with result 0. */
_Noreturn void arch_cpu_leave(struct cpu *self);

/* A counter that never stops, the same on all CPUs, and its ticks per second (not 0). */
uint64_t arch_now(void);
uint64_t arch_ticks_per_second(void);
/* Where the guest of this CPU was when it came here; on an exit only. */
uint64_t arch_guest_pc(void);
/* The name of an exit reason from ABI_STAT_ARCH on that the architecture has; NULL: it has none. */
const char *arch_exit_name(unsigned reason);

/* No interrupt of the guest's may wake or enter this CPU any more. */
void arch_vcpu_quiesce(struct cpu *self);
/*
 * Runs the guest from a state as after power-on: nothing of any earlier owner is left in
 * a register, timer, debug unit or the CPU's interrupt controller.
 */
_Noreturn void arch_vcpu_start(struct cpu *self, const struct vcpu_start *start);

/*
 * `size` bytes at `at`, not across a 2 MiB boundary of host-physical addresses, mapped for
 * this CPU until the next arch_window_open or arch_window_close. One window a CPU.
 */
void *arch_window_open(struct cpu *self, hpa_t at, uint64_t size);
void arch_window_close(struct cpu *self);
/* Writes through to memory what lies in caches, for a guest with its caches off. */
void arch_memory_clean(const void *at, uint64_t size);

/* The architecture's part of a cell; `cell` is otherwise complete. ERR_NO_MEMORY without words; others with. */
MUST_CHECK err_t arch_cell_init(struct cell *cell, struct why *why);
void arch_cell_exit(struct cell *cell);
/* The architecture's fields of a communication page. */
void arch_cell_comm(const struct cell *cell, struct abi_comm *comm);
/* Types `count` bytes on the cell's UART that is none of the machine's: how many it took; negative: it has none. Any CPU. */
long arch_uart_input(struct cell *cell, const uint8_t *bytes, unsigned count);
/* `cpu`, parked, now belongs to cpu->cell instead of `from`. */
void arch_cell_cpu_moved(struct cell *from, const struct cpu *cpu);
/* The lines are silenced (masked, not pending, not active) and are `to`'s from now on. */
void arch_cell_lines_move(struct cell *from, struct cell *to, struct abi_irq lines);
/* The cell starts anew: its lines are silenced as for a new owner. */
void arch_cell_lines_reset(struct cell *cell);
/*
 * What of the cell's configuration core knows nothing of (ports, PCI functions) leaves the root
 * cell, or goes back to it, out of service. Its CPUs are parked. Cannot fail.
 */
void arch_cell_attach(struct cell *cell);
void arch_cell_detach(struct cell *cell);
/*
 * Its devices do nothing by themselves any more. All of its CPUs, the caller's perhaps excepted, were told
 * to stop before, but may still be in the guest; any CPU, cell.lock or the system lock held. False: they are being reset, so
 * that nothing goes on; but they cannot be given back yet.
 */
bool arch_cell_quiesce(struct cell *cell);

#endif
