// SPDX-License-Identifier: GPL-2.0-only
#include "arch/x86/pure/insn.h"

#include "base/bits.h"

/* What follows an opcode. */
#define N 0x00			/* nothing */
#define M 0x01			/* ModRM, and SIB and displacement as it says */
#define B 0x02			/* a byte */
#define Z 0x04			/* 4 bytes, or 2 with 16-bit operands */
#define V 0x08			/* as many as the operand has */
#define W 0x10			/* 2 bytes */
#define O 0x20			/* an address */
#define L 0x40			/* not in 64-bit mode */
#define U 0x80			/* nothing that is an instruction; or it is looked at apart */

/* APM 3, A.1 */
static const uint8_t map0[256] = {
	M, M, M, M, B, Z, L, L, M, M, M, M, B, Z, L, U,
	M, M, M, M, B, Z, L, L, M, M, M, M, B, Z, L, L,
	M, M, M, M, B, Z, U, L, M, M, M, M, B, Z, U, L,
	M, M, M, M, B, Z, U, L, M, M, M, M, B, Z, U, L,
	N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N,
	N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N,
	L, L, M | L, M, U, U, U, U, Z, M | Z, B, M | B, N, N, N, N,
	B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B,
	M | B, M | Z, M | B | L, M | B, M, M, M, M, M, M, M, M, M, M, M, M,
	N, N, N, N, N, N, N, N, N, N, Z | W | L, N, N, N, N, N,
	O, O, O, O, N, N, N, N, B, Z, N, N, N, N, N, N,
	B, B, B, B, B, B, B, B, V, V, V, V, V, V, V, V,
	M | B, M | B, W, N, M | L, M | L, M | B, M | Z, W | B, N, W, N, N, B, L, N,
	M, M, M, M, B | L, B | L, L, N, M, M, M, M, M, M, M, M,
	B, B, B, B, B, B, B, B, Z, Z, Z | W | L, B, N, N, N, N,
	U, N, U, U, N, N, M, M, N, N, N, N, N, N, M, M,
};

/* Behind 0f; those behind 0f 38 have M, those behind 0f 3a M | B */
static const uint8_t map1[256] = {
	M, M, M, M, U, N, N, N, N, N, U, N, U, M, N, M | B,
	M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, M,
	M, M, M, M, U, U, U, U, M, M, M, M, M, M, M, M,
	N, N, N, N, N, N, U, N, U, U, U, U, U, U, U, U,
	M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, M,
	M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, M,
	M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, M,
	M | B, M | B, M | B, M | B, M, M, M, N, M, M, U, U, M, M, M, M,
	Z, Z, Z, Z, Z, Z, Z, Z, Z, Z, Z, Z, Z, Z, Z, Z,
	M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, M,
	N, N, N, M, M | B, M, U, U, N, N, N, M, M | B, M, M, M,
	M, M, M, M, M, M, M, M, M, U, M | B, M, M, M, M, M,
	M, M, M | B, M, M | B, M | B, M | B, M, N, N, N, N, N, N, N, N,
	M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, M,
	M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, M,
	M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, U,
};

#define REGISTER 0xc0		/* ModRM from here on: no memory */
#define REX_W 0x08
#define REX_R 0x04

#define MAP_0F 1u
#define MAP_0F38 2u
#define MAP_0F3A 3u
#define MAP_XOP8 8u
#define MAP_XOP9 9u
#define MAP_XOP10 10u

struct cursor {
	const uint8_t *code;
	unsigned count;
	unsigned at;
	unsigned bits;
	bool small;		/* 66 */
	bool other_address;	/* 67 */
	bool f0, f2, f3;
	bool vector;		/* VEX, EVEX or XOP */
	uint8_t rex;
	unsigned map;		/* 0; 1: 0f; 2: 0f 38; 3: 0f 3a; XOP's 8, 9, 10 */
	uint8_t opcode;
	uint8_t modrm;		/* a register's, where there is none */
	uint64_t value;		/* the last immediate, sign-extended */
};

static err_t skip(struct cursor *c, unsigned bytes)
{
	if (c->at + bytes > INSN_MAX)
		return ERR_UNSUPPORTED;
	if (c->at + bytes > c->count)
		return ERR_SHORT;
	c->at += bytes;
	return OK;
}

static err_t next(struct cursor *c, uint8_t *byte)
{
	TRY(skip(c, 1));
	*byte = c->code[c->at - 1];
	return OK;
}

static err_t immediate(struct cursor *c, unsigned bytes)
{
	if (bytes == 0)
		return OK;
	TRY(skip(c, bytes));
	c->value = 0;
	for (unsigned i = 1; i <= bytes; i++)
		c->value = c->value << 8 | c->code[c->at - i];
	c->value = sign_extend(c->value, bytes);
	return OK;
}

static unsigned operand_size(const struct cursor *c)
{
	if (c->rex & REX_W)
		return 8;
	return (c->bits == 16) != c->small ? 2 : 4;
}

static unsigned address_size(const struct cursor *c)
{
	if (c->bits == 64)
		return c->other_address ? 4 : 8;
	return (c->bits == 16) != c->other_address ? 2 : 4;
}

static bool prefix(struct cursor *c, uint8_t byte)
{
	switch (byte) {
	case 0x26: case 0x2e: case 0x36: case 0x3e: case 0x64: case 0x65:
		break;
	case 0x66:
		c->small = true;
		break;
	case 0x67:
		c->other_address = true;
		break;
	case 0xf0:
		c->f0 = true;
		break;
	case 0xf2:
		c->f2 = true;
		break;
	case 0xf3:
		c->f3 = true;
		break;
	default:
		if (c->bits != 64 || (byte & 0xf0) != 0x40)
			return false;
		c->rex = byte;
		return true;
	}
	/* REX counts only right before the opcode */
	c->rex = 0;
	return true;
}

/* VEX, EVEX or XOP rather than LES, LDS, BOUND or POP? */
static bool is_vector(const struct cursor *c)
{
	bool long_form = c->bits == 64 || (c->at < c->count && c->code[c->at] >= 0xc0);

	if (c->opcode == 0x8f)
		return c->at < c->count && (c->code[c->at] & 0x1f) >= MAP_XOP8;
	return (c->opcode == 0xc4 || c->opcode == 0xc5 || c->opcode == 0x62) && long_form;
}

/* Behind its first byte, up to the opcode. */
static err_t vector_opcode(struct cursor *c)
{
	uint8_t form = c->opcode, map;

	c->vector = true;
	if (c->small || c->f0 || c->f2 || c->f3 || c->rex)
		return ERR_UNSUPPORTED;
	TRY(next(c, &map));
	c->map = form == 0xc5 ? MAP_0F : map & (form == 0x62 ? 0x0f : 0x1f);
	if (form != 0xc5)
		TRY(skip(c, form == 0x62 ? 2 : 1));
	return next(c, &c->opcode);
}

static err_t vector_follows(const struct cursor *c, unsigned *follows)
{
	switch (c->map) {
	case MAP_0F:
		*follows = c->opcode == 0x77 ? N : M | (map1[c->opcode] & B);
		return OK;
	case MAP_0F38:
	case MAP_XOP9:
		*follows = M;
		return OK;
	case MAP_0F3A:
	case MAP_XOP8:
		*follows = M | B;
		return OK;
	case MAP_XOP10:
		*follows = M | Z;
		return OK;
	default:
		return ERR_UNSUPPORTED;
	}
}

static err_t escaped_opcode(struct cursor *c)
{
	TRY(next(c, &c->opcode));
	c->map = MAP_0F;
	if (c->opcode != 0x38 && c->opcode != 0x3a)
		return OK;
	c->map = c->opcode == 0x38 ? MAP_0F38 : MAP_0F3A;
	return next(c, &c->opcode);
}

/* Prefixes and the opcode, and what follows it. */
static err_t opcode(struct cursor *c, unsigned *follows)
{
	do
		TRY(next(c, &c->opcode));
	while (prefix(c, c->opcode));
	if (is_vector(c)) {
		TRY(vector_opcode(c));
		return vector_follows(c, follows);
	}
	if (c->opcode == 0x0f)
		TRY(escaped_opcode(c));
	*follows = c->map == 0 ? map0[c->opcode] : c->map == MAP_0F ? map1[c->opcode] :
		   c->map == MAP_0F38 ? M : M | B;
	if ((*follows & U) || ((*follows & L) && c->bits == 64))
		return ERR_UNSUPPORTED;
	return OK;
}

/* APM 3, 1.4: ModRM, SIB and displacement */
static err_t address_bytes(struct cursor *c)
{
	unsigned mode, rm;
	uint8_t sib = 0;

	TRY(next(c, &c->modrm));
	mode = c->modrm >> 6;
	rm = c->modrm & 7;
	/* control and debug registers: never memory, whatever the mode says */
	if (!c->vector && c->map == MAP_0F && (c->opcode & 0xfc) == 0x20)
		c->modrm |= REGISTER;
	if (c->modrm >= REGISTER)
		return OK;
	if (address_size(c) == 2)
		return skip(c, mode == 2 || (mode == 0 && rm == 6) ? 2 : mode);
	if (rm == 4)
		TRY(next(c, &sib));
	if (mode == 0)
		return skip(c, rm == 5 || (rm == 4 && (sib & 7) == 5) ? 4 : 0);
	return skip(c, mode == 2 ? 4 : 1);
}

/* Opcodes of which not all have the same. */
static unsigned exceptions(const struct cursor *c, unsigned follows)
{
	/* TEST has an immediate, NOT to IDIV have none */
	if (c->map == 0 && (c->opcode & 0xfe) == 0xf6 && !(c->modrm & 0x30))
		return follows | (c->opcode & 1 ? Z : B);
	/* EXTRQ and INSERTQ of registers, otherwise VMREAD */
	if (!c->vector && c->map == MAP_0F && c->opcode == 0x78 && (c->small || c->f2) && c->modrm >= REGISTER)
		return follows | W;
	return follows;
}

static err_t parse(struct cursor *c)
{
	unsigned follows = 0;

	TRY(opcode(c, &follows));
	c->modrm = REGISTER;
	if (follows & M)
		TRY(address_bytes(c));
	follows = exceptions(c, follows);
	if (follows & O)
		TRY(skip(c, address_size(c)));
	if (follows & V)
		TRY(immediate(c, operand_size(c)));
	if (follows & Z)
		TRY(immediate(c, operand_size(c) == 2 ? 2 : 4));
	if (follows & W)
		TRY(immediate(c, 2));
	return immediate(c, follows & B ? 1 : 0);
}

err_t insn_length(const uint8_t *code, unsigned count, unsigned bits, unsigned *length)
{
	struct cursor c = { .code = code, .count = count, .bits = bits };

	TRY(parse(&c));
	*length = c.at;
	return OK;
}

/* MOV between RAX and memory at an address in the instruction. */
static bool decode_offset(const struct cursor *c, struct insn *i)
{
	if (c->map != 0 || (c->opcode & 0xfc) != 0xa0)
		return false;
	i->op = INSN_MOV;
	i->load = !(c->opcode & 2);
	i->reg = 0;
	return true;
}

static bool decode_immediate(const struct cursor *c, struct insn *i)
{
	unsigned extension = c->modrm >> 3 & 7;

	i->immediate = true;
	i->value = c->value;
	switch (c->opcode) {
	case 0x80: case 0x81: case 0x82: case 0x83:
		i->op = (enum insn_op)extension;
		return true;
	case 0xc6: case 0xc7:
		i->op = INSN_MOV;
		return extension == 0;
	case 0xf6: case 0xf7:
		i->op = INSN_TEST;
		return extension < 2;
	default:
		i->immediate = false;
		return false;
	}
}

static bool decode_register(const struct cursor *c, struct insn *i)
{
	i->load = (c->opcode & 2) != 0;
	if (c->opcode < 0x40) {
		i->op = (enum insn_op)(c->opcode >> 3);
		return !(c->opcode & 4);
	}
	switch (c->opcode) {
	case 0x84: case 0x85:
		i->op = INSN_TEST;
		return true;
	case 0x86: case 0x87:
		i->op = INSN_XCHG;
		i->load = false;
		return true;
	case 0x88: case 0x89: case 0x8a: case 0x8b:
		i->op = INSN_MOV;
		return true;
	default:
		return false;
	}
}

/* MOVZX, MOVSX and MOVSXD; with 16-bit operands processors differ in what the last reads. */
static bool decode_extending(const struct cursor *c, struct insn *i)
{
	bool extends = c->map == MAP_0F && (c->opcode & 0xf6) == 0xb6;
	bool doubleword = c->map == 0 && c->opcode == 0x63 && c->bits == 64 && operand_size(c) != 2;

	if (!extends && !doubleword)
		return false;
	i->op = INSN_MOV;
	i->load = true;
	i->size = doubleword ? 4 : c->opcode & 1 ? 2 : 1;
	i->sign_extend = doubleword || (c->opcode & 8);
	i->width = (uint8_t)operand_size(c);
	return true;
}

static bool decode_operands(const struct cursor *c, struct insn *i)
{
	if (c->vector)
		return false;
	if (decode_offset(c, i))
		return true;
	if (c->modrm >= REGISTER)
		return false;
	return decode_extending(c, i) || (c->map == 0 && (decode_immediate(c, i) || decode_register(c, i)));
}

/* AH, CH, DH or BH, unless there is REX. */
static void name_high(const struct cursor *c, struct insn *i)
{
	i->high = !i->immediate && i->width == 1 && !c->rex && i->reg >= 4;
	if (i->high)
		i->reg &= 3;
}

static void name_directions(struct insn *i)
{
	bool test = i->op == INSN_CMP || i->op == INSN_TEST;

	i->read = i->load || i->op != INSN_MOV;
	i->write = !i->load && !test;
}

err_t insn_decode(const uint8_t *code, unsigned count, unsigned bits, struct insn *out)
{
	struct cursor c = { .code = code, .count = count, .bits = bits };
	struct insn i = { 0 };

	TRY(parse(&c));
	i.length = (uint8_t)c.at;
	i.size = i.width = c.opcode & 1 ? (uint8_t)operand_size(&c) : 1;
	i.reg = (uint8_t)((c.modrm >> 3 & 7) | (c.rex & REX_R ? 8 : 0));
	if (!decode_operands(&c, &i))
		return ERR_UNSUPPORTED;
	name_high(&c, &i);
	name_directions(&i);
	*out = i;
	return OK;
}

#define RFLAGS_CF BIT(0)
#define RFLAGS_PF BIT(2)
#define RFLAGS_AF BIT(4)
#define RFLAGS_ZF BIT(6)
#define RFLAGS_SF BIT(7)
#define RFLAGS_OF BIT(11)
#define RFLAGS_STATUS (RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF)

static uint64_t low_bytes(uint64_t value, unsigned size)
{
	return size < 8 ? value & (BIT(8 * size) - 1) : value;
}

static uint64_t get_register(const struct insn *i, uint64_t reg)
{
	return low_bytes(i->high ? reg >> 8 : reg, i->width);
}

/* What is shorter than 32 bits leaves the rest, 32 bits clear it (APM 1, 3.1.2). */
static uint64_t set_register(const struct insn *i, uint64_t reg, uint64_t value)
{
	unsigned shift = i->high ? 8 : 0;
	uint64_t mask = low_bytes(~0ull, i->width) << shift;

	if (i->width >= 4)
		return value & mask;
	return (reg & ~mask) | (value << shift & mask);
}

static bool parity_even(uint64_t value)
{
	/* bit n: is the number of ones in n odd? */
	return !(0x6996u >> ((value ^ value >> 4) & 0xf) & 1);
}

/* carries: out of each bit; AF is undefined after logic, here 0 */
static uint64_t status(uint64_t rflags, uint64_t result, uint64_t carries, bool overflow, unsigned size)
{
	uint64_t sign = BIT(8 * size - 1);

	return (rflags & ~RFLAGS_STATUS) | (carries & sign ? RFLAGS_CF : 0) | (carries & 8 ? RFLAGS_AF : 0) |
	       (parity_even(result) ? RFLAGS_PF : 0) | (low_bytes(result, size) ? 0 : RFLAGS_ZF) |
	       (result & sign ? RFLAGS_SF : 0) | (overflow ? RFLAGS_OF : 0);
}

static uint64_t add(uint64_t a, uint64_t b, uint64_t carry, unsigned size, uint64_t *rflags)
{
	uint64_t result = a + b + carry;
	uint64_t carries = (a & b) | ((a | b) & ~result);

	*rflags = status(*rflags, result, carries, (~(a ^ b) & (a ^ result) & BIT(8 * size - 1)) != 0, size);
	return result;
}

static uint64_t subtract(uint64_t a, uint64_t b, uint64_t borrow, unsigned size, uint64_t *rflags)
{
	uint64_t result = a - b - borrow;
	uint64_t borrows = (~a & b) | ((~a | b) & result);

	*rflags = status(*rflags, result, borrows, ((a ^ b) & (a ^ result) & BIT(8 * size - 1)) != 0, size);
	return result;
}

static uint64_t logic(uint64_t result, unsigned size, uint64_t *rflags)
{
	*rflags = status(*rflags, result, 0, false, size);
	return result;
}

/* What the destination becomes. */
static uint64_t compute(enum insn_op op, uint64_t to, uint64_t from, unsigned size, uint64_t *rflags)
{
	uint64_t carry = *rflags & RFLAGS_CF;

	switch (op) {
	case INSN_ADD:
		return add(to, from, 0, size, rflags);
	case INSN_ADC:
		return add(to, from, carry, size, rflags);
	case INSN_SUB:
		return subtract(to, from, 0, size, rflags);
	case INSN_SBB:
		return subtract(to, from, carry, size, rflags);
	case INSN_CMP:
		(void)subtract(to, from, 0, size, rflags);
		return to;
	case INSN_OR:
		return logic(to | from, size, rflags);
	case INSN_AND:
		return logic(to & from, size, rflags);
	case INSN_XOR:
		return logic(to ^ from, size, rflags);
	case INSN_TEST:
		(void)logic(to & from, size, rflags);
		return to;
	case INSN_MOV:
	case INSN_XCHG:
		return from;
	}
	return to;
}

void insn_execute(const struct insn *i, struct insn_state *state)
{
	uint64_t memory = i->sign_extend ? sign_extend(state->memory, i->size) : low_bytes(state->memory, i->size);
	uint64_t other = i->immediate ? i->value : get_register(i, state->reg);

	if (i->load) {
		other = compute(i->op, other, memory, i->width, &state->rflags);
	} else {
		state->memory = low_bytes(compute(i->op, memory, other, i->size, &state->rflags), i->size);
		if (i->op != INSN_XCHG)
			return;
		other = memory;
	}
	if (i->op != INSN_CMP)
		state->reg = set_register(i, state->reg, other);
}
