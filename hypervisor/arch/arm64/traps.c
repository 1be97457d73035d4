// SPDX-License-Identifier: GPL-2.0-only
/* Trapped system registers. What is in neither table is UNDEFINED for the guest. */
#include "arm64.h"
#include "sysreg.h"

/* What a cell does not see of the ID registers: extensions that reach outside it, or whose state is not cleaned. */
static const struct {
	uint32_t id;
	uint64_t hidden;
} hidden_features[] = {
	{ SYSREG_ID(3, 0, 0, 4, 0), PFR0_EL3 | PFR0_EL2 | PFR0_RAS | PFR0_MPAM | PFR0_AMU },
	{ SYSREG_ID(3, 0, 0, 4, 1), PFR1_MTE | PFR1_RAS_FRAC | PFR1_MPAM_FRAC | PFR1_NMI | PFR1_MTE_FRAC },
	{ SYSREG_ID(3, 0, 0, 5, 0), DFR0_TRACEVER | DFR0_PMSVER | DFR0_TRACEFILT | DFR0_TRACEBUFFER |
				    DFR0_MTPMU | DFR0_BRBE | DFR0_HPMN0 },
	{ SYSREG_ID(3, 0, 0, 7, 1), MMFR1_VH | MMFR1_LO },
	{ SYSREG_ID(3, 0, 0, 7, 2), MMFR2_NV },
};

static uint64_t id_value(uint32_t id)
{
	uint64_t value = id_register((((id >> 4) & 15) - 1) * 8 + (id & 15));
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(hidden_features); i++)
		if (hidden_features[i].id == id)
			value &= ~hidden_features[i].hidden;
	return value;
}

/* Group 3 (HCR_EL2.TID3): op0 = 3, op1 = 0, CRn = 0, CRm = 1..7 */
static bool is_id_register(uint32_t id)
{
	return (id & SYSREG_ID(3, 7, 15, 0, 0)) == SYSREG_ID(3, 0, 0, 0, 0) && ((id >> 4) & 15) >= 1 &&
	       ((id >> 4) & 15) <= 7;
}

static void write_sgi1(struct cpu *self, uint64_t value)
{
	self->stats[ABI_STAT_ARM64_SGI]++;
	gic_guest_sgi(self, value);
}

/* There are no Group 0 SGIs for guests. */
static void ignore(struct cpu *self, uint64_t value)
{
	(void)value;
	self->stats[ABI_STAT_ARM64_SYSREG]++;
}

static const struct {
	uint32_t id;
	void (*write)(struct cpu *self, uint64_t value);
	uint64_t read;		/* the value, where reading is not refused */
	bool readable;
} trapped[] = {
	{ SYSREG_ID(3, 0, 12, 11, 5), write_sgi1, 0, false },	/* ICC_SGI1R_EL1 */
	{ SYSREG_ID(3, 0, 12, 11, 6), ignore, 0, false },	/* ICC_ASGI1R_EL1 */
	{ SYSREG_ID(3, 0, 12, 11, 7), ignore, 0, false },	/* ICC_SGI0R_EL1 */
	{ SYSREG_ID(3, 0, 12, 12, 5), ignore, 7, true },	/* ICC_SRE_EL1: system registers, no bypass */
	{ SYSREG_ID(3, 0, 1, 0, 1), ignore, 0, true },		/* ACTLR_EL1 */
};

static bool access_trapped(struct cpu *self, struct regs *regs, const struct exit_sysreg *s)
{
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(trapped); i++) {
		if (trapped[i].id != s->id)
			continue;
		if (s->read && !trapped[i].readable)
			return false;
		if (s->read)
			reg_set(regs, s->reg, trapped[i].read);
		else
			trapped[i].write(self, reg_get(regs, s->reg));
		return true;
	}
	return false;
}

void exit_sysreg(struct cpu *self, struct regs *regs, struct exit *x)
{
	const struct exit_sysreg *s = &x->sysreg;

	if (access_trapped(self, regs, s)) {
		skip_instruction(x);
		return;
	}
	self->stats[ABI_STAT_ARM64_SYSREG]++;
	if (s->read && is_id_register(s->id)) {
		reg_set(regs, s->reg, id_value(s->id));
		skip_instruction(x);
		return;
	}
	inject_undefined(x);
}
