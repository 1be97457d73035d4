// SPDX-License-Identifier: GPL-2.0-only
/* Trapped system registers. What is in neither table is UNDEFINED for the guest. */
#include "arm64.h"
#include "core/budget.h"
#include "sysreg.h"

#define ICC_SGI1R SYSREG_ID(3, 0, 12, 11, 5)
#define ID_REGISTER(crm, op2) (((crm) - 1u) * 8 + (op2))

/* What a cell does not see of the ID registers: extensions that reach outside it, or whose state is not cleaned. */
static const struct {
	unsigned index;
	uint64_t hidden;
} hidden_features[] = {
	{ ID_REGISTER(4, 0), PFR0_EL3 | PFR0_EL2 | PFR0_RAS | PFR0_MPAM | PFR0_AMU | PFR0_CSV2 },
	{ ID_REGISTER(4, 1), PFR1_MTE | PFR1_RAS_FRAC | PFR1_MPAM_FRAC | PFR1_NMI | PFR1_MTE_FRAC },
	{ ID_REGISTER(5, 0), DFR0_TRACEVER | DFR0_PMSVER | DFR0_TRACEFILT | DFR0_TRACEBUFFER |
				    DFR0_MTPMU | DFR0_BRBE | DFR0_HPMN0 },
	{ ID_REGISTER(7, 1), MMFR1_VH | MMFR1_LO },
	{ ID_REGISTER(6, 2), ISAR2_WFXT },
	{ ID_REGISTER(7, 2), MMFR2_NV },
	/* registers Linux may not have opened to EL1 (HCRX_EL2, HFGRTR_EL2) */
	{ ID_REGISTER(7, 3), MMFR3_TCRX | MMFR3_SCTLRX | MMFR3_S1PIE | MMFR3_S1POE },
};

/* What Linux has switched off for EL1 is not there. */
static uint64_t switched_off(const struct cpu *self, unsigned index)
{
	if (index == ID_REGISTER(4, 0) && !el2_has_sve(self))
		return PFR0_SVE;
	return index == ID_REGISTER(4, 1) && !el2_has_sme(self) ? PFR1_SME : 0;
}

void id_registers_init(struct cpu *self)
{
	uint64_t *values = percpu_of_cpu(self)->id_registers;
	unsigned i;

	for (i = 0; i < ID_REGISTERS; i++)
		values[i] = id_register(i) & ~switched_off(self, i);
	for (i = 0; i < ARRAY_SIZE(hidden_features); i++)
		values[hidden_features[i].index] &= ~hidden_features[i].hidden;
}

/* Group 3 (HCR_EL2.TID3): op0 = 3, op1 = 0, CRn = 0, CRm = 1..7. Those come here that vectors.S leaves to be judged. */
static bool is_id_register(uint32_t id)
{
	return (id & SYSREG_ID(3, 7, 15, 0, 0)) == SYSREG_ID(3, 0, 0, 0, 0) && ((id >> 4) & 15) >= 1 &&
	       ((id >> 4) & 15) <= 7;
}

/* What sgi.S did not send. */
static void write_sgi1(struct cpu *self, uint64_t value)
{
	if (self->arch->injected)
		lr_guest_sgi(self, value);
	else
		gic_guest_sgi(self, value);
}

/* There are no Group 0 SGIs for guests. */
static void ignore(struct cpu *self, uint64_t value)
{
	(void)self;
	(void)value;
}

static void write_pmr(struct cpu *self, uint64_t value)
{
	gic_set_pmr(self, value);
}

static uint64_t read_pmr(const struct cpu *self)
{
	return self->arch->icc_pmr;
}

/* CBPR is kept and has no effect: there are no interrupts of the other group. */
static void write_ctlr(struct cpu *self, uint64_t value)
{
	self->arch->icc_ctlr = (uint32_t)(value & (ICC_CTLR_EOIMODE | ICC_CTLR_CBPR));
	sysreg_write(ICC_CTLR_EL1, (sysreg_read(ICC_CTLR_EL1) & ~ICC_CTLR_EOIMODE) | (value & ICC_CTLR_EOIMODE));
	isb();
}

/* The physical interface deactivates any line there is. */
static void write_dir(struct cpu *self, uint64_t intid)
{
	if ((self->arch->icc_ctlr & ICC_CTLR_EOIMODE) && gic_owns(self, intid))
		sysreg_write(ICC_DIR_EL1, intid);
}

static uint64_t read_ctlr(const struct cpu *self)
{
	return (sysreg_read(ICC_CTLR_EL1) & ~(ICC_CTLR_EOIMODE | ICC_CTLR_CBPR)) | self->arch->icc_ctlr;
}

static uint64_t read_rpr(const struct cpu *self)
{
	(void)self;
	return gic_priority_out(sysreg_read(ICC_RPR_EL1));
}

/* System registers, no bypass (IHI0069H 12.2, ICC_SRE_EL1) */
static uint64_t read_sre(const struct cpu *self)
{
	(void)self;
	return 7;
}

static uint64_t read_zero(const struct cpu *self)
{
	(void)self;
	return 0;
}

/* A hole is UNDEFINED. */
static const struct {
	uint32_t id;
	void (*write)(struct cpu *self, uint64_t value);
	uint64_t (*read)(const struct cpu *self);
} trapped[] = {
	{ ICC_SGI1R, write_sgi1, NULL },
	{ SYSREG_ID(3, 0, 12, 11, 6), ignore, NULL },		/* ICC_ASGI1R_EL1 */
	{ SYSREG_ID(3, 0, 12, 11, 7), ignore, NULL },		/* ICC_SGI0R_EL1 */
	{ SYSREG_ID(3, 0, 4, 6, 0), write_pmr, read_pmr },	/* ICC_PMR_EL1 */
	{ SYSREG_ID(3, 0, 12, 12, 4), write_ctlr, read_ctlr },	/* ICC_CTLR_EL1 */
	{ SYSREG_ID(3, 0, 12, 11, 1), write_dir, NULL },	/* ICC_DIR_EL1 */
	{ SYSREG_ID(3, 0, 12, 11, 3), NULL, read_rpr },		/* ICC_RPR_EL1 */
	{ SYSREG_ID(3, 0, 12, 12, 5), ignore, read_sre },	/* ICC_SRE_EL1 */
	{ SYSREG_ID(3, 0, 1, 0, 1), ignore, read_zero },	/* ACTLR_EL1 */
};

static bool access_trapped(struct cpu *self, struct regs *regs, const struct exit_sysreg *s)
{
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(trapped); i++) {
		if (trapped[i].id != s->id)
			continue;
		if (s->read ? trapped[i].read == NULL : trapped[i].write == NULL)
			return false;
		if (s->read)
			reg_set(regs, s->reg, trapped[i].read(self));
		else
			trapped[i].write(self, reg_get(regs, s->reg));
		return true;
	}
	return false;
}

void exit_sysreg(struct cpu *self, struct regs *regs, const struct exit *x)
{
	const struct exit_sysreg *s = &x->sysreg;

	exit_count(self, s->id == ICC_SGI1R && !s->read ? ABI_STAT_ARM64_SGI : ABI_STAT_ARM64_SYSREG, s->id);
	if (access_trapped(self, regs, s)) {
		skip_instruction(x->length);
		return;
	}
	if (s->read && is_id_register(s->id)) {
		reg_set(regs, s->reg, percpu_of_cpu(self)->id_registers[ID_REGISTER(s->id >> 4 & 15, s->id & 15)]);
		skip_instruction(x->length);
		return;
	}
	inject_undefined(x);
}
