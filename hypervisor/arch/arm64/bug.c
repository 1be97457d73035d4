// SPDX-License-Identifier: GPL-2.0-only
#include "arm64.h"
#include "base/bug.h"
#include "sysreg.h"

static _Noreturn void halt(void)
{
	for (;;)
		wfi();
}

_Noreturn void bug(const char *file, unsigned line, const char *what)
{
	log_fatal(&machine.sys.log, "\njailhouse BUG: %s:%u: %s (CPU 0x%llx, called from 0x%llx)\n", file, line,
		  what, (unsigned long long)(sysreg_read(mpidr_el1) & MPIDR_AFFINITY),
		  (unsigned long long)__builtin_return_address(0));
	halt();
}

/* An exception in the hypervisor itself. x17 holds the stack pointer it came with. */
_Noreturn void exit_hypervisor(struct regs *regs, unsigned vector)
{
	log_fatal(&machine.sys.log,
		  "\njailhouse BUG: exception in the hypervisor: vector %u, ESR_EL2 0x%llx, ELR_EL2 0x%llx, FAR_EL2 0x%llx, SP 0x%llx, LR 0x%llx, CPU 0x%llx\n",
		  vector, (unsigned long long)sysreg_read(esr_el2), (unsigned long long)sysreg_read(elr_el2),
		  (unsigned long long)sysreg_read(far_el2), (unsigned long long)regs->x[17],
		  (unsigned long long)regs->x[30], (unsigned long long)(sysreg_read(mpidr_el1) & MPIDR_AFFINITY));
	halt();
}
