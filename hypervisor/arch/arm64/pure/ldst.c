// SPDX-License-Identifier: GPL-2.0-only
#include "arch/arm64/pure/ldst.h"

#include "base/bits.h"

/* DDI0487 C4.1 "Loads and stores": fields that all or most classes share */
#define INSN_SIZE BITS(31, 30)		/* log2 of the bytes; LDP/STP: opc */
#define INSN_OPC BITS(23, 22)
#define INSN_LOAD BIT(22)		/* L of LDP/STP and LDAR/STLR */
#define INSN_IMM9 BITS(20, 12)
#define INSN_IMM7 BITS(21, 15)
#define INSN_RT2 BITS(14, 10)
#define INSN_RN BITS(9, 5)
#define INSN_RT BITS(4, 0)

#define REG_SP 31

enum form {
	FORM_SINGLE,	/* size, opc */
	FORM_ORDERED,	/* size, L */
	FORM_PAIR,	/* opc, L, Rt2; opc 01 is LDPSW */
	FORM_PAIR_PLAIN	/* the same without LDPSW */
};

static const struct insn_class {
	uint32_t mask;
	uint32_t value;
	uint8_t form;
	bool write_back;
} classes[] = {
	{ 0x3f000000, 0x39000000, FORM_SINGLE, false },		/* unsigned offset */
	{ 0x3f200c00, 0x38000000, FORM_SINGLE, false },		/* unscaled: LDUR, STUR */
	{ 0x3f200c00, 0x38000400, FORM_SINGLE, true },		/* post-index */
	{ 0x3f200c00, 0x38000800, FORM_SINGLE, false },		/* unprivileged: LDTR, STTR */
	{ 0x3f200c00, 0x38000c00, FORM_SINGLE, true },		/* pre-index */
	{ 0x3f204c00, 0x38204800, FORM_SINGLE, false },		/* register offset; option<1> is 1 */
	{ 0x3fbffc00, 0x089ffc00, FORM_ORDERED, false },	/* LDAR, STLR; Rs and Rt2 are (1) */
	{ 0x3f800000, 0x28000000, FORM_PAIR_PLAIN, false },	/* LDNP, STNP */
	{ 0x3f800000, 0x28800000, FORM_PAIR, true },		/* post-index */
	{ 0x3f800000, 0x29000000, FORM_PAIR, false },		/* signed offset */
	{ 0x3f800000, 0x29800000, FORM_PAIR, true },		/* pre-index */
};

static const struct insn_class *class_of(uint32_t instruction)
{
	for (unsigned i = 0; i < ARRAY_SIZE(classes); i++)
		if ((instruction & classes[i].mask) == classes[i].value)
			return &classes[i];
	return NULL;
}

/* The low `bits` of value as a signed number. */
static int64_t signed_field(uint64_t value, unsigned bits)
{
	uint64_t sign = BIT(bits - 1);

	return (int64_t)((value ^ sign) - sign);
}

/* opc 00 stores, 01 loads, 10 loads into 64 bits with sign, 11 into 32 bits with sign */
static err_t single_decode(uint32_t instruction, struct ldst *out)
{
	unsigned log2 = (unsigned)FIELD_GET(INSN_SIZE, instruction);
	unsigned opc = (unsigned)FIELD_GET(INSN_OPC, instruction);

	/* what would extend to no more bits than it loads: prefetches and holes */
	if (opc >= 2 && log2 + opc >= 5)
		return ERR_UNSUPPORTED;
	out->write = opc == 0;
	out->size = (uint8_t)(1u << log2);
	out->sign_extend = opc >= 2;
	out->wide = log2 == 3 || opc == 2;
	out->offset = signed_field(FIELD_GET(INSN_IMM9, instruction), 9);
	return OK;
}

static err_t ordered_decode(uint32_t instruction, struct ldst *out)
{
	unsigned log2 = (unsigned)FIELD_GET(INSN_SIZE, instruction);

	out->write = !(instruction & INSN_LOAD);
	out->size = (uint8_t)(1u << log2);
	out->wide = log2 == 3;
	return OK;
}

/* opc 00 is 32 bits, 10 is 64; 01 is LDPSW (and STGP, which writes tags), 11 a hole */
static err_t pair_decode(uint32_t instruction, bool with_ldpsw, struct ldst *out)
{
	unsigned opc = (unsigned)FIELD_GET(INSN_SIZE, instruction);

	out->pair = true;
	out->write = !(instruction & INSN_LOAD);
	if (opc == 3 || (opc == 1 && (out->write || !with_ldpsw)))
		return ERR_UNSUPPORTED;
	out->size = opc == 2 ? 8 : 4;
	out->sign_extend = opc == 1;
	out->wide = opc != 0;
	out->reg2 = (uint8_t)FIELD_GET(INSN_RT2, instruction);
	out->offset = signed_field(FIELD_GET(INSN_IMM7, instruction), 7) * out->size;
	return OK;
}

static err_t form_decode(enum form form, uint32_t instruction, struct ldst *out)
{
	switch (form) {
	case FORM_SINGLE:
		return single_decode(instruction, out);
	case FORM_ORDERED:
		return ordered_decode(instruction, out);
	case FORM_PAIR:
		return pair_decode(instruction, true, out);
	case FORM_PAIR_PLAIN:
		return pair_decode(instruction, false, out);
	}
	return ERR_UNSUPPORTED;
}

/* DDI0487 K1.2: write-back into a transferred register; a pair loaded into one register */
static bool unpredictable(const struct ldst *d)
{
	if (d->pair && !d->write && d->reg == d->reg2)
		return true;
	if (!d->write_back || d->base == REG_SP)
		return false;
	return d->reg == d->base || (d->pair && d->reg2 == d->base);
}

err_t ldst_decode(uint32_t instruction, struct ldst *out)
{
	const struct insn_class *class = class_of(instruction);
	struct ldst d = { 0 };

	if (!class)
		return ERR_UNSUPPORTED;
	TRY(form_decode((enum form)class->form, instruction, &d));
	d.reg = (uint8_t)FIELD_GET(INSN_RT, instruction);
	d.base = (uint8_t)FIELD_GET(INSN_RN, instruction);
	d.write_back = class->write_back;
	if (!d.write_back)
		d.offset = 0;
	if (unpredictable(&d))
		return ERR_UNSUPPORTED;
	*out = d;
	return OK;
}
