// SPDX-License-Identifier: GPL-2.0-only
/* A CPU changes hands: every register an owner could have left something in (DDI0487 D1.9: reset state). */
#include "arm64.h"
#include "base/str.h"
#include "sysreg.h"

/* Registers the assembler has no name for are written by encoding */
#define MPAM2_TRAP_EL1_EL0 BITS(49, 48)

#define clear(reg) sysreg_write(reg, 0)

static bool has(uint64_t id_register, uint64_t field)
{
	return FIELD_GET(field, id_register) != 0 && FIELD_GET(field, id_register) != FIELD_GET(field, ~0ull);
}

static void clean_translation(void)
{
	uint64_t mmfr3 = sysreg_read(S3_0_C0_C7_3);

	sysreg_write(sctlr_el1, SCTLR_EL1_RESET);
	clear(actlr_el1);
	clear(ttbr0_el1);
	clear(ttbr1_el1);
	clear(tcr_el1);
	clear(mair_el1);
	clear(amair_el1);
	clear(contextidr_el1);
	if (has(mmfr3, MMFR3_TCRX))
		clear(S3_0_C2_C0_3);		/* TCR2_EL1 */
	if (has(mmfr3, MMFR3_S1PIE)) {
		clear(S3_0_C10_C2_2);		/* PIRE0_EL1 */
		clear(S3_0_C10_C2_3);		/* PIR_EL1 */
	}
	if (has(mmfr3, MMFR3_S1POE)) {
		clear(S3_0_C10_C2_4);		/* POR_EL1 */
		clear(S3_3_C10_C2_4);		/* POR_EL0 */
	}
}

static void clean_exceptions(void)
{
	clear(vbar_el1);
	clear(elr_el1);
	clear(spsr_el1);
	clear(esr_el1);
	clear(far_el1);
	clear(afsr0_el1);
	clear(afsr1_el1);
	clear(par_el1);
	clear(sp_el0);
	clear(sp_el1);
	clear(spsr_abt);
	clear(spsr_und);
	clear(spsr_irq);
	clear(spsr_fiq);
}

static void clean_threads(void)
{
	clear(tpidr_el0);
	clear(tpidrro_el0);
	clear(tpidr_el1);
	clear(csselr_el1);
	clear(cpacr_el1);
}

static void clean_pauth_keys(void)
{
	if (!(sysreg_read(id_aa64isar1_el1) & (ISAR1_APA | ISAR1_API)) &&
	    !(sysreg_read(S3_0_C0_C6_2) & ISAR2_APA3))
		return;
	clear(S3_0_C2_C1_0);			/* APIAKeyLo_EL1 ... APIBKeyHi_EL1 */
	clear(S3_0_C2_C1_1);
	clear(S3_0_C2_C1_2);
	clear(S3_0_C2_C1_3);
	clear(S3_0_C2_C2_0);			/* APDAKeyLo_EL1 ... APDBKeyHi_EL1 */
	clear(S3_0_C2_C2_1);
	clear(S3_0_C2_C2_2);
	clear(S3_0_C2_C2_3);
	clear(S3_0_C2_C3_0);			/* APGAKeyLo_EL1, APGAKeyHi_EL1 */
	clear(S3_0_C2_C3_1);
}

static void clean_vectors(const struct cpu *self)
{
	bool sve = el2_has_sve(self);

	if (el2_has_sme(self)) {
		clear(S3_3_C4_C2_2);		/* SVCR: out of streaming mode, ZA off */
		clear(S3_0_C1_C2_6);		/* SMCR_EL1 */
		clear(S3_0_C1_C2_4);		/* SMPRI_EL1 */
		clear(S3_3_C13_C0_5);		/* TPIDR2_EL0 */
	}
	clean_fp(sve);
	if (sve)
		clear(S3_0_C1_C2_0);		/* ZCR_EL1 */
}

static void clean_timers(void)
{
	clear(cntkctl_el1);
	clear(cntv_ctl_el0);
	clear(cntp_ctl_el0);
	clear(cntv_cval_el0);
	clear(cntp_cval_el0);
}

static void clean_pmu(void)
{
	if (!has(sysreg_read(id_aa64dfr0_el1), DFR0_PMUVER))
		return;
	sysreg_write(pmcr_el0, BIT(1) | BIT(2));	/* P, C: all counters to 0, E = 0 */
	sysreg_write(pmcntenclr_el0, BITS(31, 0));
	sysreg_write(pmintenclr_el1, BITS(31, 0));
	sysreg_write(pmovsclr_el0, BITS(31, 0));
	clear(pmuserenr_el0);
	clear(pmselr_el0);
	clear(pmccfiltr_el0);
}

static void clean_debug_state(void)
{
	uint64_t dfr0 = sysreg_read(id_aa64dfr0_el1);

	clear(mdscr_el1);
	sysreg_write(oslar_el1, 1);
	clean_debug((unsigned)FIELD_GET(DFR0_BRPS, dfr0), (unsigned)FIELD_GET(DFR0_WRPS, dfr0));
}

/* Cells do not choose memory-system partitions: MPAM0_EL1 and MPAM1_EL1 trap. */
static void confine_mpam(const struct cell *cell)
{
	uint64_t mpam2;

	if (!has(sysreg_read(id_aa64pfr0_el1), PFR0_MPAM))
		return;
	mpam2 = sysreg_read(S3_4_C10_C5_0);
	mpam2 = cell_is_root(cell) ? mpam2 & ~MPAM2_TRAP_EL1_EL0 : mpam2 | MPAM2_TRAP_EL1_EL0;
	sysreg_write(S3_4_C10_C5_0, mpam2);
}

void arch_vcpu_quiesce(struct cpu *self)
{
	clear(cntv_ctl_el0);
	clear(cntp_ctl_el0);
	gic_cpu_quiesce(self);
}

_Noreturn void arch_vcpu_start(struct cpu *self, const struct vcpu_start *start)
{
	struct regs *regs = regs_of(self);

	clean_translation();
	clean_exceptions();
	clean_threads();
	clean_pauth_keys();
	clean_vectors(self);
	clean_timers();
	clean_pmu();
	clean_debug_state();
	confine_mpam(self->cell);
	gic_cpu_reset(self);
	el2_set_cell(self);
	/* first-stage entries and instructions of the owner before */
	__asm__ volatile("tlbi vmalle1");
	__asm__ volatile("ic iallu");
	dsb(nsh);
	isb();
	memset(regs, 0, sizeof(*regs));
	regs->x[0] = start->argument;
	sysreg_write(elr_el2, start->entry.v);
	sysreg_write(spsr_el2, SPSR_EL1H_MASKED);
	enter_guest(regs);
}

_Noreturn void arch_cpu_restart(struct cpu *self, void (*run)(struct cpu *self))
{
	/* below the registers, which the next guest is given while it runs */
	restart_on_stack(regs_of(self), run, self);
}
