// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest exits. What vectors.S cannot tell apart is decoded purely (pure/esr.h), then handed to
 * who knows what to do. Each is counted once, where its reason is known.
 */
#include "arch/cpu.h"
#include "arm64.h"
#include "base/bug.h"
#include "core/budget.h"
#include "core/cell.h"
#include "core/fault.h"
#include "sysreg.h"

uint64_t arch_now(void)
{
	return sysreg_read(cntpct_el0);
}

uint64_t arch_ticks_per_second(void)
{
	uint64_t frequency = sysreg_read(cntfrq_el0);

	/* firmware has to set it; Linux would not have come this far */
	return frequency != 0 ? frequency : 1;
}

uint64_t arch_guest_pc(void)
{
	return sysreg_read(elr_el2);
}

const char *arch_exit_name(unsigned reason)
{
	static const char *const names[ABI_STAT_COUNT] = {
		[ABI_STAT_ARM64_SGI] = "sgi",
		[ABI_STAT_ARM64_PSCI] = "psci",
		[ABI_STAT_ARM64_SMCCC] = "smccc",
		[ABI_STAT_ARM64_SYSREG] = "sysreg",
		[ABI_STAT_ARM64_WFI] = "wfi",
		[ABI_STAT_ARM64_FAULT] = "fault",
		[ABI_STAT_ARM64_IRQ] = "irq",
		[ABI_STAT_ARM64_MAINTENANCE] = "maintenance",
		[ABI_STAT_ARM64_OTHER] = "other",
	};

	return names[reason];
}

static void exit_wfx(struct cpu *self, const struct exit *x)
{
	exit_count(self, ABI_STAT_ARM64_WFI, 0);
	skip_instruction(x->length);
	/* a wait with a time limit may end early (DDI0487 D1.6): there is no timer of ours to end it */
	if (!x->wfe && !x->timed)
		guest_sleep();
}

void exit_other(struct cpu *self, const struct exit *x)
{
	exit_counted(self, ABI_STAT_ARM64_OTHER, 0);
	if (in_el0()) {
		inject_undefined(x);
		return;
	}
	fault_say(self, true, "exception class 0x%x at PC 0x%llx is not handled", x->ec,
		  (unsigned long long)sysreg_read(elr_el2));
	if (!cell_is_root(self->cell))
		cell_fail(self);
	inject_undefined(x);
}

/* What vectors.S does not send elsewhere at once: exit_hvc() is for ABI_HC_DISABLE. */
static void dispatch(struct cpu *self, struct regs *regs, const struct exit *x)
{
	switch (x->kind) {
	case EXIT_WFX:
		exit_wfx(self, x);
		break;
	case EXIT_SYSREG:
		exit_sysreg(self, regs, x);
		break;
	case EXIT_HVC64:
		exit_hvc(self, regs);
		break;
	case EXIT_SMC64:
	case EXIT_INSN_ABORT:
	case EXIT_DATA_ABORT:
	case EXIT_OTHER:
	case EXIT_KINDS:
		exit_other(self, x);
		break;
	}
}

void exit_sync(struct cpu *self, struct regs *regs, uint64_t esr)
{
	struct exit x;

	esr_decode(esr, sysreg_read(far_el2), sysreg_read(hpfar_el2), &x);
	dispatch(self, regs, &x);
	cpu_check_stop(self);
}

void exit_fiq(struct cpu *self)
{
	exit_count_management(self);
	gic_ack_management();
	cpu_check_stop(self);
}

void exit_serror(struct cpu *self)
{
	/* HCR_EL2.AMO is 0 for the root cell: it takes its own */
	BUG_ON(cell_is_root(self->cell));
	exit_counted(self, ABI_STAT_ARM64_OTHER, 0);
	fault_say(self, true, "SError, ESR_EL2 0x%llx, PC 0x%llx", (unsigned long long)sysreg_read(esr_el2),
		  (unsigned long long)sysreg_read(elr_el2));
	cell_fail(self);
}

_Noreturn void arch_cpu_leave(struct cpu *self)
{
	/* the registers of the hypercall are at the top of the stack */
	const struct regs *regs = regs_of(self);

	gic_cpu_leave(self);
	gic_restore();
	el2_leave(self, regs, 0);
}
