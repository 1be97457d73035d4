// SPDX-License-Identifier: GPL-2.0-only
#include "arm64.h"
#include "base/bug.h"
#include "sysreg.h"

_Noreturn void halt(void)
{
	for (;;)
		wfi();
}

void halt_if_dead(void)
{
	if (__atomic_load_n(&machine.dead, __ATOMIC_ACQUIRE))
		halt();
}

/* Nothing that shares our tables and locks goes on as if nothing had happened. */
static _Noreturn void stop_machine(void)
{
	struct cell *cell;
	unsigned i;

	/* a second one has nothing to add, and may have come from here */
	if (__atomic_exchange_n(&machine.dead, true, __ATOMIC_ACQ_REL))
		halt();
	/* before enable is through no CPU has a guest, nor a way to be kicked */
	if (__atomic_load_n(&machine.meeting.active, __ATOMIC_ACQUIRE) != machine.sys.cpu_count)
		halt();
	/* nobody has anything left to run: whoever cannot be interrupted comes by an abort */
	for (cell = machine.sys.root; cell != NULL; cell = cell->next)
		space_revoke(&cell->space);
	for (i = 0; i < machine.sys.cpu_count; i++)
		arch_cpu_kick_out(machine.sys.cpus[i]);
	halt();
}

_Noreturn void bug(const char *file, unsigned line, const char *what)
{
	log_fatal(&machine.sys.log, "\njailhouse BUG: %s:%u: %s (CPU 0x%llx, called from 0x%llx)\n", file, line,
		  what, (unsigned long long)(sysreg_read(mpidr_el1) & MPIDR_AFFINITY),
		  (unsigned long long)__builtin_return_address(0));
	stop_machine();
}

/* An exception in the hypervisor itself. x17 holds the stack pointer it came with. */
_Noreturn void exit_hypervisor(struct regs *regs, unsigned vector)
{
	log_fatal(&machine.sys.log,
		  "\njailhouse BUG: exception in the hypervisor: vector %u, ESR_EL2 0x%llx, ELR_EL2 0x%llx, FAR_EL2 0x%llx, SP 0x%llx, LR 0x%llx, CPU 0x%llx\n",
		  vector, (unsigned long long)sysreg_read(esr_el2), (unsigned long long)sysreg_read(elr_el2),
		  (unsigned long long)sysreg_read(far_el2), (unsigned long long)regs->x[17],
		  (unsigned long long)regs->x[30], (unsigned long long)(sysreg_read(mpidr_el1) & MPIDR_AFFINITY));
	stop_machine();
}
