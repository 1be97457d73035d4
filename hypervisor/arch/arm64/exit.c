// SPDX-License-Identifier: GPL-2.0-only
/* Guest exits: decoded purely (pure/esr.h), then handed to who knows what to do. */
#include "arm64.h"
#include "base/bug.h"
#include "core/cell.h"
#include "core/hypercall.h"
#include "sysreg.h"

void skip_instruction(const struct exit *x)
{
	sysreg_write(elr_el2, sysreg_read(elr_el2) + x->length);
	/* what an instruction that is done leaves clear */
	sysreg_write(spsr_el2, sysreg_read(spsr_el2) & ~(SPSR_BTYPE | SPSR_SS));
}

static void exit_hvc(struct cpu *self, struct regs *regs, struct exit *x)
{
	if (x->immediate == ABI_HVC_IMMEDIATE) {
		regs->x[0] = (uint64_t)hypercall(self, regs->x[0], regs->x[1], regs->x[2]);
		return;
	}
	if (x->immediate == 0) {
		smccc_call(self, regs, true);
		return;
	}
	/* ELR_EL2 is behind the hvc already */
	sysreg_write(elr_el2, sysreg_read(elr_el2) - x->length);
	inject_undefined(x);
}

static void exit_smc(struct cpu *self, struct regs *regs, struct exit *x)
{
	/* a trapped SMC's preferred return is the SMC itself (DDI0487 D1.10) */
	skip_instruction(x);
	smccc_call(self, regs, false);
}

/*
 * WFI is trapped for cells: a CPU that sleeps with the management interrupt masked by a
 * made-up active priority could not be had back. Here it sleeps with none.
 */
void guest_sleep(void)
{
	uint64_t active = sysreg_read(ICC_AP1R0_EL1);

	sysreg_write(ICC_AP1R0_EL1, 0);
	isb();
	dsb(sy);
	wfi();
	gic_ack_management();
	sysreg_write(ICC_AP1R0_EL1, active);
	isb();
}

static void exit_wfx(struct cpu *self, struct regs *regs, struct exit *x)
{
	(void)regs;
	self->stats[ABI_STAT_ARM64_WFI]++;
	skip_instruction(x);
	/* a wait with a time limit may end early (DDI0487 D1.6): there is no timer of ours to end it */
	if (!x->wfe && !x->timed)
		guest_sleep();
}

static void exit_other(struct cpu *self, struct regs *regs, struct exit *x)
{
	(void)regs;
	if (in_el0()) {
		inject_undefined(x);
		return;
	}
	log_print(&self->sys->log, "%s \"%s\": CPU %u: exception class 0x%x at PC 0x%llx is not handled\n",
		  cell_is_root(self->cell) ? "root cell" : "FAILED cell", self->cell->config.cell->name,
		  self->id, x->ec, (unsigned long long)sysreg_read(elr_el2));
	if (!cell_is_root(self->cell))
		cell_fail(self);
	inject_undefined(x);
}

static void (*const handlers[])(struct cpu *self, struct regs *regs, struct exit *x) = {
	[EXIT_OTHER] = exit_other,
	[EXIT_WFX] = exit_wfx,
	[EXIT_HVC64] = exit_hvc,
	[EXIT_SMC64] = exit_smc,
	[EXIT_SYSREG] = exit_sysreg,
	[EXIT_INSN_ABORT] = exit_abort,
	[EXIT_DATA_ABORT] = exit_abort,
};
static_assert(ARRAY_SIZE(handlers) == EXIT_KINDS, "every kind of exit");

void exit_sync(struct regs *regs)
{
	struct cpu *self = this_cpu();
	struct exit x;

	self->stats[ABI_STAT_TOTAL]++;
	esr_decode(sysreg_read(esr_el2), sysreg_read(far_el2), sysreg_read(hpfar_el2), &x);
	handlers[x.kind](self, regs, &x);
	cpu_check_stop(self);
}

void exit_fiq(struct regs *regs)
{
	struct cpu *self = this_cpu();

	(void)regs;
	self->stats[ABI_STAT_TOTAL]++;
	self->stats[ABI_STAT_MANAGEMENT]++;
	gic_ack_management();
	cpu_check_stop(self);
}

void exit_serror(struct regs *regs)
{
	struct cpu *self = this_cpu();

	(void)regs;
	self->stats[ABI_STAT_TOTAL]++;
	/* HCR_EL2.AMO is 0 for the root cell: it takes its own */
	BUG_ON(cell_is_root(self->cell));
	log_print(&self->sys->log, "FAILED cell \"%s\": CPU %u: SError, ESR_EL2 0x%llx, PC 0x%llx\n",
		  self->cell->config.cell->name, self->id, (unsigned long long)sysreg_read(esr_el2),
		  (unsigned long long)sysreg_read(elr_el2));
	cell_fail(self);
}

_Noreturn void arch_cpu_leave(struct cpu *self)
{
	/* the registers of the hypercall are at the top of the stack */
	const struct regs *regs = (const struct regs *)(const void *)percpu_of(self->id) - 1;

	gic_cpu_leave(self);
	gic_restore();
	el2_leave(self, regs, 0);
}
