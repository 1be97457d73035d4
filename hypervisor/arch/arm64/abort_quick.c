// SPDX-License-Identifier: GPL-2.0-only
/*
 * The front of abort.c: accesses to the GIC that are many and pass with a mask (pure/gicpass.h),
 * done right here.
 */
#include "arm64.h"
#include "core/budget.h"
#include "pure/gicpass.h"
#include "sysreg.h"

/* of an instruction whose access is esr_is_plain_word() */
#define PLAIN_SIZE 4u

/* Of the banks that pass, those that clear bits are the upper halves: ICENABLER, ICPENDR, ICACTIVER. */
#define GIC_CLEAR_BANK 0x80u
static_assert(GICD_ICENABLER & GICD_ICPENDR & GICD_ICACTIVER & GIC_CLEAR_BANK, "IHI0069H 12.9");
static_assert(!((GICD_ISENABLER | GICD_ISPENDR | GICD_ISACTIVER) & GIC_CLEAR_BANK), "IHI0069H 12.9");

/* The register that the guest sees at `at`, or NULL: it does not pass. */
static inline uint8_t *passes(const struct cpu *self, uint64_t esr, gpa_t at, struct gic_pass *pass)
{
	const struct arch_cpu *arch = self->arch;
	uint64_t offset = at.v - arch->gicr_seen;

	/* what an injected cell switches off or clears is looked at behind it (lr_revalidate) */
	if (arch->injected && (esr & ESR_ISS_WNR) && (at.v & GIC_CLEAR_BANK))
		return NULL;
	if (gicr_passes(&arch->gicr_view, offset, pass))
		return arch->gicr + offset;
	offset = at.v - arch->gicd_seen;
	if (!(esr & ESR_ISS_WNR) && gicd_read_passes(&self->cell->arch->gicd, offset, pass))
		return arch->gicd + offset;
	return NULL;
}

/*
 * Does what the word's load or store at `at` was to do, and counts it. False: it is one for
 * exit_any_abort() or has to be judged, and nothing was done.
 */
static inline bool quick_access(struct cpu *self, struct regs *regs, uint64_t esr, gpa_t at)
{
	unsigned reg = (unsigned)FIELD_GET(ESR_ISS_SRT, esr);
	volatile uint32_t *word;
	struct gic_pass pass;

	if (self->budget.left <= 0)
		return false;
	word = (volatile uint32_t *)(void *)passes(self, esr, at, &pass);
	if (word == NULL)
		return false;
	exit_count(self, ABI_STAT_MMIO, at.v);
	if (esr & ESR_ISS_WNR)
		*word = (uint32_t)(reg_get(regs, reg) & pass.mask);
	else
		reg_set(regs, reg, (*word & pass.mask) | pass.fixed);
	skip_instruction(PLAIN_SIZE);
	return true;
}

void exit_abort(struct cpu *self, struct regs *regs, uint64_t esr)
{
	if (!esr_is_plain_word(esr) ||
	    !quick_access(self, regs, esr, esr_plain_address(sysreg_read(far_el2), sysreg_read(hpfar_el2))))
		exit_any_abort(self, regs, esr);
	cpu_check_stop(self);
}
