// SPDX-License-Identifier: GPL-2.0-only
/* EL2's own registers: as Linux's stub had them, as the hypervisor and each kind of cell need them. */
#include "arm64.h"
#include "pure/format.h"
#include "sysreg.h"

static bool has_hcrx(void)
{
	return FIELD_GET(MMFR1_HCX, sysreg_read(id_aa64mmfr1_el1)) != 0;
}

void el2_save(struct bare *bare)
{
	bare->vbar = sysreg_read(vbar_el2);
	bare->hcr = sysreg_read(hcr_el2);
	bare->cptr = sysreg_read(cptr_el2);
	bare->mdcr = sysreg_read(mdcr_el2);
	bare->cnthctl = sysreg_read(cnthctl_el2);
	bare->cntvoff = sysreg_read(cntvoff_el2);
	bare->vtcr = sysreg_read(vtcr_el2);
	bare->vttbr = sysreg_read(vttbr_el2);
	bare->tpidr = sysreg_read(tpidr_el2);
	bare->vmpidr = sysreg_read(vmpidr_el2);
	bare->vpidr = sysreg_read(vpidr_el2);
	bare->hstr = sysreg_read(hstr_el2);
	bare->hcrx = has_hcrx() ? sysreg_read(S3_4_C1_C2_2) : 0;
}

err_t el2_check(struct cpu *self, struct why *why)
{
	uint64_t mmfr0 = sysreg_read(id_aa64mmfr0_el1);
	uint64_t tgran4 = FIELD_GET(MMFR0_TGRAN4, mmfr0);
	struct paging_format format;
	uint64_t vtcr;

	if (sysreg_read(hcr_el2) & HCR_E2H)
		return why_set(why, ERR_UNSUPPORTED,
			       "CPU %u: Linux runs with VHE: boot it with kvm-arm.mode=nvhe kvm-arm.mode=none", self->id);
	if (tgran4 == 0xf)
		return why_set(why, ERR_UNSUPPORTED, "CPU %u has no 4 KiB pages", self->id);
	if (stage2_format((unsigned)FIELD_GET(MMFR0_PARANGE, mmfr0), &format, &vtcr) != OK ||
	    vtcr != machine.vtcr)
		return why_set(why, ERR_UNSUPPORTED, "CPU %u has another physical address size than CPU 0's",
			       self->id);
	return OK;
}

bool el2_has_sve(const struct cpu *self)
{
	return FIELD_GET(PFR0_SVE, sysreg_read(id_aa64pfr0_el1)) != 0 && !(self->arch->bare.cptr & CPTR_TZ);
}

bool el2_has_sme(const struct cpu *self)
{
	return FIELD_GET(PFR1_SME, sysreg_read(id_aa64pfr1_el1)) != 0 && !(self->arch->bare.cptr & CPTR_TSM);
}

/* A cell gets what the CPU has and nothing that reaches outside (DDI0487 D1.3, D24). */
static void trap_for_cell(const struct cell *cell, const struct bare *bare)
{
	uint64_t hcr = bare->hcr | HCR_VM | HCR_SWIO | HCR_FMO | HCR_AMO | HCR_TID3 | HCR_TSC |
		       HCR_TIDCP | HCR_TACR | HCR_RW;
	uint64_t mops = sysreg_read(S3_0_C0_C6_2) & ISAR2_MOPS ? HCRX_MSCEN : 0;

	/*
	 * A direct guest can mask what would wake it from a WFI; one whose interrupts come to
	 * EL2 cannot, and one that is trusted not to is believed.
	 */
	if (cell_is_injected(cell))
		hcr |= HCR_IMO;
	else if (!(cell->config.cell->flags & ABI_CELL_TRUSTED_WFI))
		hcr |= HCR_TWI;
	/* no walk through a device of the cell's: an abort there would be ours, in an AT */
	hcr |= HCR_PTW;

	if (FIELD_GET(MMFR1_LO, sysreg_read(id_aa64mmfr1_el1)))
		hcr |= HCR_TLOR;
	if (FIELD_GET(PFR0_RAS, sysreg_read(id_aa64pfr0_el1)))
		hcr |= HCR_TERR;
	/*
	 * No allocation tags, whose memory would have to be zeroed too, and no fault injection. No
	 * SCXTNUM_ELx: firmware may keep them from EL2 itself (SCR_EL3.EnSCXT), and an attempt to
	 * clear one for the next owner would end in EL3.
	 */
	hcr &= ~(HCR_ATA | HCR_FIEN | HCR_ENSCXT);
	if (FIELD_GET(PFR1_MTE, sysreg_read(id_aa64pfr1_el1)))
		hcr |= HCR_TID5;
	sysreg_write(hcr_el2, hcr);
	sysreg_write(cptr_el2, bare->cptr | CPTR_TTA |
				       (FIELD_GET(PFR0_AMU, sysreg_read(id_aa64pfr0_el1)) ? CPTR_TAM : 0));
	sysreg_write(mdcr_el2, (bare->mdcr & ~(MDCR_E2PB | MDCR_E2TB)) | MDCR_TPMS | MDCR_TTRF |
				       MDCR_HPMD | MDCR_HCCD);
	if (has_hcrx())
		sysreg_write(S3_4_C1_C2_2, bare->hcrx | mops);
	/* whoever sleeps in a WFE wakes now and then, and can be had back (DDI0487 D12.2.7) */
	sysreg_write(cnthctl_el2, CNTHCTL_EL1PCTEN | CNTHCTL_EL1PCEN | CNTHCTL_EVNTEN | CNTHCTL_EVNTI);
}

static void trap_for_root(const struct bare *bare)
{
	sysreg_write(hcr_el2, bare->hcr | HCR_VM | HCR_SWIO | HCR_FMO | HCR_TSC | HCR_RW);
	sysreg_write(cptr_el2, bare->cptr);
	sysreg_write(mdcr_el2, bare->mdcr);
	if (has_hcrx())
		sysreg_write(S3_4_C1_C2_2, bare->hcrx);
	/* the guest's own timers and counter, untrapped */
	sysreg_write(cnthctl_el2, bare->cnthctl | CNTHCTL_EL1PCTEN | CNTHCTL_EL1PCEN);
}

void el2_set_cell(struct cpu *self)
{
	struct cell *cell = self->cell;
	const struct bare *bare = &self->arch->bare;
	hpa_t root = pool_phys(&self->sys->pool, cell->space.live);

	self->arch->sgi_targets = cell->arch->sgi_targets;
	if (cell_is_root(cell))
		trap_for_root(bare);
	else
		trap_for_cell(cell, bare);
	sysreg_write(vmpidr_el2, self->arch->vmpidr);
	sysreg_write(cntvoff_el2, cell_is_root(cell) ? bare->cntvoff : 0);
	sysreg_write(vttbr_el2, (uint64_t)cell->id << 48 | root.v);
	isb();
}

void el2_own_tables(struct cpu *self)
{
	hpa_t root = pool_phys(&self->sys->pool, machine.tables.root);

	sysreg_write(tpidr_el2, (uint64_t)percpu_of_cpu(self));
	sysreg_write(vbar_el2, (uint64_t)vectors);
	isb();
	switch_tables(root.v, SCTLR_EL2_ON | SCTLR_WXN, self->arch->bare.to_physical);
}

void el2_activate(struct cpu *self)
{
	sysreg_write(vtcr_el2, machine.vtcr);
	sysreg_write(hstr_el2, 0);
	el2_set_cell(self);
	__asm__ volatile("tlbi vmalls12e1is");
	dsb(ish);
	isb();
}

_Noreturn void el2_leave(struct cpu *self, const struct regs *regs, long result)
{
	const struct bare *bare = &self->arch->bare;

	sysreg_write(hcr_el2, bare->hcr);
	sysreg_write(cptr_el2, bare->cptr);
	sysreg_write(mdcr_el2, bare->mdcr);
	sysreg_write(cnthctl_el2, bare->cnthctl);
	sysreg_write(cntvoff_el2, bare->cntvoff);
	sysreg_write(vtcr_el2, bare->vtcr);
	sysreg_write(vttbr_el2, bare->vttbr);
	sysreg_write(vmpidr_el2, bare->vmpidr);
	sysreg_write(vpidr_el2, bare->vpidr);
	sysreg_write(hstr_el2, bare->hstr);
	isb();
	__asm__ volatile("tlbi vmalls12e1is");
	dsb(ish);
	isb();
	sysreg_write(vbar_el2, bare->vbar);
	sysreg_write(tpidr_el2, bare->tpidr);
	leave_to_bare(regs, bare, result);
}
