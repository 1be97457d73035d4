// SPDX-License-Identifier: GPL-2.0-only
#include "arm64.h"
#include "base/bug.h"
#include "sysreg.h"

_Noreturn void halt(void)
{
	for (;;)
		wfi();
}

/* Nothing that shares our tables and locks goes on as if nothing had happened. */
static _Noreturn void stop_machine(void)
{
	unsigned i;

	__atomic_store_n(&machine.dead, true, __ATOMIC_RELEASE);
	for (i = 0; i < machine.sys.cpu_count; i++)
		arch_cpu_kick(machine.sys.cpus[i]);
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
