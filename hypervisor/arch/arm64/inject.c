// SPDX-License-Identifier: GPL-2.0-only
/* Exceptions a guest takes at EL1 for what it did, as the CPU would deliver them (DDI0487 D1.3.1). */
#include "arm64.h"
#include "sysreg.h"

#define FSC_EXTERNAL_ABORT 0x10ull
#define EC_UNKNOWN 0x00u
#define EC_INSN_ABORT_LOWER 0x20u
#define EC_DATA_ABORT_LOWER 0x24u
/* an abort taken without a change of exception level has the next number */
#define EC_SAME_LEVEL 1u
#define SCTLR_EL1_SPAN BIT(23)
#define SCTLR_EL1_DSSBS BIT(44)
#define SPSR_PAN BIT(22)

static bool from_el1(uint64_t spsr)
{
	return !(spsr & SPSR_AARCH32) && (spsr & BITS(3, 2)) != 0;
}

static uint64_t vector_offset(uint64_t spsr)
{
	if (spsr & SPSR_AARCH32)
		return 0x600;
	if (!from_el1(spsr))
		return 0x400;
	return spsr & BIT(0) ? 0x200 : 0x000;
}

static void inject(uint64_t esr)
{
	uint64_t spsr = sysreg_read(spsr_el2);
	uint64_t pan = sysreg_read(sctlr_el1) & SCTLR_EL1_SPAN ? spsr & SPSR_PAN : SPSR_PAN;

	if (FIELD_GET(BITS(23, 20), sysreg_read(id_aa64mmfr1_el1)) == 0)
		pan = 0;
	sysreg_write(esr_el1, esr | ESR_IL);
	sysreg_write(spsr_el1, spsr);
	sysreg_write(elr_el1, sysreg_read(elr_el2));
	sysreg_write(elr_el2, sysreg_read(vbar_el1) + vector_offset(spsr));
	sysreg_write(spsr_el2, SPSR_EL1H_MASKED | pan | (spsr & SPSR_DIT) |
				       (sysreg_read(sctlr_el1) & SCTLR_EL1_DSSBS ? SPSR_SSBS : 0));
}

void inject_undefined(const struct exit *x)
{
	(void)x;
	inject(FIELD_PUT(ESR_EC, EC_UNKNOWN));
}

void inject_external_abort(const struct exit *x)
{
	unsigned ec = x->kind == EXIT_INSN_ABORT ? EC_INSN_ABORT_LOWER : EC_DATA_ABORT_LOWER;
	uint64_t write = x->kind == EXIT_DATA_ABORT && x->abort.write ? ESR_ISS_WNR : 0;

	if (from_el1(sysreg_read(spsr_el2)))
		ec += EC_SAME_LEVEL;
	sysreg_write(far_el1, x->abort.far);
	inject(FIELD_PUT(ESR_EC, ec) | write | FSC_EXTERNAL_ABORT);
}
