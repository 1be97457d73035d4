// SPDX-License-Identifier: GPL-2.0-only
#include "arch/arm64/pure/esr.h"

#include "base/bits.h"

/* DDI0487 D24.2.40, ESR_EL2 */
#define EC_WFX 0x01
#define EC_HVC64 0x16
#define EC_SMC64 0x17
#define EC_SYSREG 0x18
#define EC_INSN_ABORT_LOWER 0x20
#define EC_COUNT 0x40

#define ISS_WFX_EVENT BIT(0)		/* of TI: WFI, WFE, WFIT, WFET */
#define ISS_WFX_TIMED BIT(1)

#define ISS_SYSREG_OP0 BITS(21, 20)
#define ISS_SYSREG_OP2 BITS(19, 17)
#define ISS_SYSREG_OP1 BITS(16, 14)
#define ISS_SYSREG_CRN BITS(13, 10)
#define ISS_SYSREG_RT BITS(9, 5)
#define ISS_SYSREG_CRM BITS(4, 1)
#define ISS_SYSREG_READ BIT(0)

#define ISS_ABORT_FNV BIT(10)

#define FSC_LEVEL BITS(1, 0)
#define FSC_EXTERNAL 0x10		/* not on a walk: the only code for which FnV means anything */

static const uint8_t kinds[EC_COUNT] = {
	[EC_WFX] = EXIT_WFX,
	[EC_HVC64] = EXIT_HVC64,
	[EC_SMC64] = EXIT_SMC64,
	[EC_SYSREG] = EXIT_SYSREG,
	[EC_INSN_ABORT_LOWER] = EXIT_INSN_ABORT,
	[ESR_EC_DATA_ABORT] = EXIT_DATA_ABORT,
};

/*
 * The fault status codes of instruction and data aborts are the same. A mask of 0x3c
 * leaves the level to the low two bits; the single codes are those of levels -1 and -2,
 * which no stage 2 here has, and those with no level at all.
 */
#define WITH_LEVEL 0x3c
#define ALONE 0x3f

static const struct fault_code {
	uint8_t mask;
	uint8_t code;
	uint8_t fault;
} fault_codes[] = {
	{ WITH_LEVEL, 0x00, FAULT_ADDRESS_SIZE },
	{ WITH_LEVEL, 0x04, FAULT_TRANSLATION },
	{ WITH_LEVEL, 0x08, FAULT_ACCESS_FLAG },
	{ WITH_LEVEL, 0x0c, FAULT_PERMISSION },
	{ ALONE, FSC_EXTERNAL, FAULT_EXTERNAL },
	{ ALONE, 0x12, FAULT_EXTERNAL },	/* on a walk, level -2 */
	{ ALONE, 0x13, FAULT_EXTERNAL },	/* on a walk, level -1 */
	{ WITH_LEVEL, 0x14, FAULT_EXTERNAL },	/* on a walk */
	{ ALONE, 0x18, FAULT_EXTERNAL },	/* parity or ECC */
	{ ALONE, 0x1b, FAULT_EXTERNAL },	/* parity or ECC on a walk, level -1 */
	{ WITH_LEVEL, 0x1c, FAULT_EXTERNAL },	/* parity or ECC on a walk */
	{ ALONE, 0x29, FAULT_ADDRESS_SIZE },	/* level -1 */
	{ ALONE, 0x2a, FAULT_TRANSLATION },	/* level -2 */
	{ ALONE, 0x2b, FAULT_TRANSLATION },	/* level -1 */
	{ ALONE, 0x2c, FAULT_ADDRESS_SIZE },	/* level -2 */
};

static void fault_decode(struct exit_abort *abort, uint64_t fsc)
{
	abort->fault = FAULT_OTHER;
	abort->level = 0;
	for (unsigned i = 0; i < ARRAY_SIZE(fault_codes); i++) {
		const struct fault_code *row = &fault_codes[i];

		if ((fsc & row->mask) != row->code)
			continue;
		abort->fault = (enum fault)row->fault;
		if (row->mask == WITH_LEVEL)
			abort->level = (uint8_t)FIELD_GET(FSC_LEVEL, fsc);
		return;
	}
}

/*
 * DDI0487 D24.2, HPFAR_EL2: written for translation, access flag and address size
 * faults at stage 2, and for a permission fault only if it is one of a stage 1 walk.
 */
static bool hpfar_written(const struct exit_abort *abort)
{
	switch (abort->fault) {
	case FAULT_TRANSLATION:
	case FAULT_ACCESS_FLAG:
	case FAULT_ADDRESS_SIZE:
		return true;
	case FAULT_PERMISSION:
		return abort->walk;
	case FAULT_EXTERNAL:
	case FAULT_OTHER:
	case FAULT_KINDS:
		break;
	}
	return false;
}

/* The syndrome of the access: a data abort's alone. */
static void access_decode(struct exit_abort *abort, uint64_t esr)
{
	abort->cache_op = esr & ESR_ISS_CM;
	/* WnR is 1 for every cache operation and tells of the instruction, not of its walk. */
	abort->write = (esr & ESR_ISS_WNR) && !abort->cache_op && !abort->walk;
	abort->syndrome = esr & ESR_ISS_ISV;
	if (!abort->syndrome)
		return;
	abort->size = (uint8_t)(1u << FIELD_GET(ESR_ISS_SAS, esr));
	abort->sign_extend = esr & ESR_ISS_SSE;
	abort->wide = esr & ESR_ISS_SF;
	abort->reg = (uint8_t)FIELD_GET(ESR_ISS_SRT, esr);
}

static void abort_decode(struct exit *x, uint64_t esr, uint64_t far, uint64_t hpfar)
{
	struct exit_abort *abort = &x->abort;
	uint64_t fsc = FIELD_GET(ESR_ISS_FSC, esr);

	fault_decode(abort, fsc);
	abort->walk = esr & ESR_ISS_S1PTW;
	abort->fetch = x->kind == EXIT_INSN_ABORT;
	abort->write = abort->cache_op = abort->syndrome = false;
	if (!abort->fetch)
		access_decode(abort, esr);
	abort->far = far;
	abort->address_known = fsc != FSC_EXTERNAL || !(esr & ISS_ABORT_FNV);
	abort->far_only = !hpfar_written(abort);
	abort->address = gpa(FIELD_GET(HPFAR_FIPA, hpfar) << PAGE_SHIFT);
	/* FAR_EL2 holds what was walked for: it says nothing of where in the table's page. */
	if (!abort->walk)
		abort->address.v |= far & PAGE_MASK;
}

static void sysreg_decode(struct exit_sysreg *sysreg, uint64_t esr)
{
	sysreg->id = SYSREG_ID(FIELD_GET(ISS_SYSREG_OP0, esr), FIELD_GET(ISS_SYSREG_OP1, esr),
			       FIELD_GET(ISS_SYSREG_CRN, esr), FIELD_GET(ISS_SYSREG_CRM, esr),
			       FIELD_GET(ISS_SYSREG_OP2, esr));
	sysreg->reg = (uint8_t)FIELD_GET(ISS_SYSREG_RT, esr);
	sysreg->read = esr & ISS_SYSREG_READ;
}

void esr_decode(uint64_t esr, uint64_t far, uint64_t hpfar, struct exit *x)
{
	x->ec = (uint8_t)FIELD_GET(ESR_EC, esr);
	x->kind = (enum exit_kind)kinds[x->ec];
	x->length = (uint8_t)esr_length(esr);
	switch (x->kind) {
	case EXIT_WFX:
		x->wfe = esr & ISS_WFX_EVENT;
		x->timed = esr & ISS_WFX_TIMED;
		break;
	case EXIT_HVC64:
	case EXIT_SMC64:
		x->immediate = (uint16_t)FIELD_GET(ESR_IMMEDIATE, esr);
		break;
	case EXIT_SYSREG:
		sysreg_decode(&x->sysreg, esr);
		break;
	case EXIT_INSN_ABORT:
	case EXIT_DATA_ABORT:
		abort_decode(x, esr, far, hpfar);
		break;
	case EXIT_OTHER:
	case EXIT_KINDS:
		break;
	}
}
