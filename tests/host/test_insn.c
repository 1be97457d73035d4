// SPDX-License-Identifier: GPL-2.0-only
/*
 * The instruction decoder against libcapstone, over ten million byte strings: any instruction
 * is as long as capstone says, and one that is decoded does with memory what capstone says of
 * it. What capstone takes for one of those is decoded. And what they do to operands and flags,
 * against arithmetic bit by bit.
 */
#include <capstone/capstone.h>

#include "test.h"

#include "arch/x86/pure/insn.h"

#define STRINGS 10000000u

static const unsigned code_bits[] = { 16, 32, 64 };
static const cs_mode modes[] = { CS_MODE_16, CS_MODE_32, CS_MODE_64 };
#define MODES (sizeof(modes) / sizeof(modes[0]))

/* The instructions that are decoded, as capstone numbers them. */
static const struct {
	unsigned id;
	enum insn_op op;
} decoded[] = {
	{ X86_INS_ADD, INSN_ADD }, { X86_INS_OR, INSN_OR }, { X86_INS_ADC, INSN_ADC },
	{ X86_INS_SBB, INSN_SBB }, { X86_INS_AND, INSN_AND }, { X86_INS_SUB, INSN_SUB },
	{ X86_INS_XOR, INSN_XOR }, { X86_INS_CMP, INSN_CMP }, { X86_INS_MOV, INSN_MOV },
	{ X86_INS_MOVABS, INSN_MOV }, { X86_INS_MOVZX, INSN_MOV }, { X86_INS_MOVSX, INSN_MOV },
	{ X86_INS_MOVSXD, INSN_MOV }, { X86_INS_TEST, INSN_TEST }, { X86_INS_XCHG, INSN_XCHG },
};

/* General registers by number and width; the high bytes apart. */
static const x86_reg registers[4][16] = {
	{ X86_REG_AL, X86_REG_CL, X86_REG_DL, X86_REG_BL, X86_REG_SPL, X86_REG_BPL, X86_REG_SIL,
	  X86_REG_DIL, X86_REG_R8B, X86_REG_R9B, X86_REG_R10B, X86_REG_R11B, X86_REG_R12B,
	  X86_REG_R13B, X86_REG_R14B, X86_REG_R15B },
	{ X86_REG_AX, X86_REG_CX, X86_REG_DX, X86_REG_BX, X86_REG_SP, X86_REG_BP, X86_REG_SI,
	  X86_REG_DI, X86_REG_R8W, X86_REG_R9W, X86_REG_R10W, X86_REG_R11W, X86_REG_R12W,
	  X86_REG_R13W, X86_REG_R14W, X86_REG_R15W },
	{ X86_REG_EAX, X86_REG_ECX, X86_REG_EDX, X86_REG_EBX, X86_REG_ESP, X86_REG_EBP, X86_REG_ESI,
	  X86_REG_EDI, X86_REG_R8D, X86_REG_R9D, X86_REG_R10D, X86_REG_R11D, X86_REG_R12D,
	  X86_REG_R13D, X86_REG_R14D, X86_REG_R15D },
	{ X86_REG_RAX, X86_REG_RCX, X86_REG_RDX, X86_REG_RBX, X86_REG_RSP, X86_REG_RBP, X86_REG_RSI,
	  X86_REG_RDI, X86_REG_R8, X86_REG_R9, X86_REG_R10, X86_REG_R11, X86_REG_R12,
	  X86_REG_R13, X86_REG_R14, X86_REG_R15 },
};
static const x86_reg high_registers[] = { X86_REG_AH, X86_REG_CH, X86_REG_DH, X86_REG_BH };

/* What the exceptions below are about, found by a scanner of its own. */
struct shape {
	unsigned bits;
	bool p66, p67, pf0, f2f3;
	uint8_t rex;
	unsigned map;			/* 0: one byte, 1: behind 0f, 2: behind more */
	uint8_t opcode;
	uint8_t modrm;
};

static struct shape shape_of(const uint8_t *code, unsigned count, unsigned bits)
{
	struct shape s = { .bits = bits };
	unsigned i = 0;

	for (; i < count && (memchr("\x26\x2e\x36\x3e\x64\x65\x66\x67\xf0\xf2\xf3", code[i], 11) ||
			     (bits == 64 && code[i] >> 4 == 4)); i++) {
		s.p66 = s.p66 || code[i] == 0x66;
		s.p67 = s.p67 || code[i] == 0x67;
		s.pf0 = s.pf0 || code[i] == 0xf0;
		s.f2f3 = s.f2f3 || code[i] == 0xf2 || code[i] == 0xf3;
		s.rex = code[i] >> 4 == 4 ? code[i] : 0;
	}
	if (i + 1 < count && code[i] == 0x0f) {
		i++;
		s.map = code[i] == 0x38 || code[i] == 0x3a ? 2 : 1;
	}
	if (i < count)
		s.opcode = code[i];
	if (i + 1 < count)
		s.modrm = code[i + 1];
	return s;
}

static bool vector_with_prefix(const struct shape *s)
{
	return s->map == 0 && (s->p66 || s->pf0 || s->f2f3 || s->rex) &&
	       (s->opcode == 0x62 || s->opcode == 0x8f || s->opcode == 0xc4 || s->opcode == 0xc5);
}

static bool via_padlock(const struct shape *s)
{
	return s->map == 1 && (s->opcode == 0xa6 || s->opcode == 0xa7);
}

static bool always_undefined(const struct shape *s)
{
	return s->map == 1 && (s->opcode == 0xb9 || s->opcode == 0xff);
}

static bool prefixed_call(const struct shape *s)
{
	return s->map == 0 && s->opcode == 0xe8 && (s->p66 || s->p67);
}

static bool small_push(const struct shape *s)
{
	return s->map == 0 && s->opcode == 0x68 && s->p66 && s->bits == 64;
}

static bool wide_return(const struct shape *s)
{
	return s->map == 0 && s->opcode == 0xc2 && (s->rex & 8);
}

static bool repeated_small(const struct shape *s)
{
	return s->p66 && s->f2f3 && s->map < 2;
}

static bool extract(const struct shape *s)
{
	return s->map == 1 && s->opcode == 0x78 && (s->p66 || s->p67 || s->f2f3);
}

/* Where the two may say something else of the length. None of these has an operand that is a device's. */
static const struct exception {
	const char *reason;
	bool (*applies)(const struct shape *s);
} exceptions[] = {
	{ "VEX, EVEX and XOP behind 66, F0, F2, F3 or REX are #UD; capstone looks past those", vector_with_prefix },
	{ "instructions of VIA's, who make no processor with SVM or VMX", via_padlock },
	{ "UD0 and UD1 end in #UD; processors differ in how many bytes they read for it", always_undefined },
	{ "CALL with 66 or 67: to capstone other prefixes take them back; with 66 AMD's and Intel's processors differ",
	  prefixed_call },
	{ "PUSH with 66: to capstone other prefixes take it back", small_push },
	{ "RET: to capstone REX.W makes its immediate 32 bits", wide_return },
	{ "to capstone F2 and F3 take back 66 for one operand and not for the other", repeated_small },
	{ "EXTRQ, INSERTQ and VMREAD have one opcode; capstone tells them apart by the wrong prefixes", extract },
};

struct bench {
	csh capstone[MODES];
	cs_insn *insn;
	unsigned long lengths;
	unsigned long accesses;
	unsigned long excused;
};

/* The number a register has, as an operand of `width` bytes; false: not a general one. */
static bool find_register(x86_reg reg, struct insn *out)
{
	for (uint8_t log2 = 0; log2 < 4; log2++)
		for (uint8_t n = 0; n < 16; n++)
			if (registers[log2][n] == reg) {
				out->reg = n;
				out->width = (uint8_t)(1u << log2);
				return true;
			}
	for (uint8_t n = 0; n < 4; n++)
		if (high_registers[n] == reg) {
			out->reg = n;
			out->width = 1;
			out->high = true;
			return true;
		}
	return false;
}

static bool find_op(const cs_insn *insn, struct insn *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(decoded); i++)
		if (decoded[i].id == insn->id) {
			out->op = decoded[i].op;
			out->sign_extend = insn->id == X86_INS_MOVSX || insn->id == X86_INS_MOVSXD;
			return true;
		}
	return false;
}

/* What capstone says the instruction does with memory; false: none of those that are decoded. */
static bool expected_of(const cs_insn *insn, struct insn *out)
{
	const cs_x86 *x = &insn->detail->x86;
	const cs_x86_op *memory, *other;

	memset(out, 0, sizeof(*out));
	if (!find_op(insn, out) || x->op_count != 2)
		return false;
	out->load = x->operands[1].type == X86_OP_MEM;
	memory = &x->operands[out->load];
	other = &x->operands[!out->load];
	if (memory->type != X86_OP_MEM)
		return false;
	out->length = (uint8_t)insn->size;
	out->size = memory->size;
	out->immediate = other->type == X86_OP_IMM;
	if (out->immediate) {
		out->value = (uint64_t)other->imm;
		out->width = out->size;
	} else if (!find_register(other->reg, out)) {
		return false;
	}
	/* capstone makes the register 64 bits whatever the prefixes say */
	if (insn->id == X86_INS_MOVSXD && !(x->rex & 8)) {
		out->width = 4;
		if (x->prefix[2] == 0x66)
			return false;
	}
	/* no order to speak of: memory and the register */
	if (out->op == INSN_XCHG || out->op == INSN_TEST)
		out->load = false;
	out->read = out->op != INSN_MOV || out->load;
	out->write = !out->load && out->op != INSN_CMP && out->op != INSN_TEST;
	return true;
}

static uint64_t low_bytes(uint64_t value, unsigned size)
{
	return size < 8 ? value & ((1ull << 8 * size) - 1) : value;
}

static bool same(const struct insn *a, const struct insn *b)
{
	return a->op == b->op && a->length == b->length && a->size == b->size && a->read == b->read &&
	       a->write == b->write && a->load == b->load && a->immediate == b->immediate &&
	       (a->immediate ? low_bytes(a->value, a->size) == low_bytes(b->value, a->size) :
			       a->reg == b->reg && a->high == b->high && a->width == b->width) &&
	       a->sign_extend == b->sign_extend;
}

static _Noreturn void complain(const struct bench *bench, const uint8_t *code, unsigned bits, const char *what)
{
	char text[64];

	for (unsigned i = 0; i < INSN_MAX; i++)
		snprintf(text + 2 * i, 3, "%02x", code[i]);
	fail_msg("%u bits: %s: capstone: %s %s (%u bytes): %s", bits, text, bench->insn->mnemonic,
		 bench->insn->op_str, bench->insn->size, what);
	abort();
}

static bool excused(struct bench *bench, const uint8_t *code, unsigned bits)
{
	struct shape s = shape_of(code, INSN_MAX, bits);

	for (size_t i = 0; i < ARRAY_SIZE(exceptions); i++)
		if (exceptions[i].applies(&s)) {
			bench->excused++;
			return true;
		}
	return false;
}

static void check_length(struct bench *bench, const uint8_t *code, unsigned bits)
{
	unsigned length = 0;
	err_t e = insn_length(code, INSN_MAX, bits, &length);

	if (e == OK && length == bench->insn->size) {
		bench->lengths++;
		/* all of it has to be there, and no more is looked at */
		if (insn_length(code, length - 1, bits, &length) != ERR_SHORT ||
		    insn_length(code, length, bits, &length) != OK)
			complain(bench, code, bits, "its end is elsewhere when the bytes end");
	} else if (!excused(bench, code, bits)) {
		complain(bench, code, bits, "another length");
	}
}

static void check_access(struct bench *bench, const uint8_t *code, unsigned bits, bool known)
{
	struct insn expected, got;
	bool access = known && expected_of(bench->insn, &expected);
	err_t e = insn_decode(code, INSN_MAX, bits, &got);

	if (access && e == OK && same(&expected, &got))
		bench->accesses++;
	else if ((access || e == OK) && !excused(bench, code, bits) && !(shape_of(code, INSN_MAX, bits).pf0 && !known))
		complain(bench, code, bits, access ? "decoded as another access, or not at all" :
						     "decoded, but no such access");
}

static void check(struct bench *bench, unsigned mode, const uint8_t *code)
{
	const uint8_t *at = code;
	size_t left = INSN_MAX;
	uint64_t address = 0;
	bool known = cs_disasm_iter(bench->capstone[mode], &at, &left, &address, bench->insn);

	if (known)
		check_length(bench, code, code_bits[mode]);
	check_access(bench, code, code_bits[mode], known);
}

static int open_capstone(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	*state = bench;
	for (size_t m = 0; m < MODES; m++)
		if (!bench || cs_open(CS_ARCH_X86, modes[m], &bench->capstone[m]) != CS_ERR_OK ||
		    cs_option(bench->capstone[m], CS_OPT_DETAIL, CS_OPT_ON) != CS_ERR_OK)
			return -1;
	bench->insn = cs_malloc(bench->capstone[0]);
	return bench->insn ? 0 : -1;
}

static int close_capstone(void **state)
{
	struct bench *bench = *state;

	cs_free(bench->insn, 1);
	for (size_t m = 0; m < MODES; m++)
		cs_close(&bench->capstone[m]);
	free(bench);
	return 0;
}

static void random_bytes(uint64_t *seed, uint8_t code[INSN_MAX])
{
	uint64_t bytes[2] = { test_random(seed), test_random(seed) };

	memcpy(code, bytes, INSN_MAX);
}

/* Random bytes; or some prefixes first; or an opcode that is decoded; or an escape. */
static void mutated_bytes(uint64_t *seed, uint8_t code[INSN_MAX])
{
	static const uint8_t prefixes[] = { 0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x2e, 0x65, 0x40, 0x44, 0x48, 0x4f };
	static const uint8_t accesses[] = { 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a,
					    0x8b, 0xa0, 0xa1, 0xa2, 0xa3, 0xc6, 0xc7, 0xf6, 0xf7, 0x63 };
	static const uint8_t extending[] = { 0xb6, 0xb7, 0xbe, 0xbf };
	unsigned at = 0;

	random_bytes(seed, code);
	while (test_below(seed, 3) == 0 && at < 4)
		code[at++] = prefixes[test_below(seed, sizeof(prefixes))];
	switch (test_below(seed, 8)) {
	case 0:
		code[at] = accesses[test_below(seed, sizeof(accesses))];
		break;
	case 1:
		code[at++] = 0x0f;
		code[at] = extending[test_below(seed, sizeof(extending))];
		break;
	case 2:
		code[at++] = 0x0f;
		code[at] = test_below(seed, 2) ? 0x38 : 0x3a;
		break;
	case 3:
		code[at] = 0x0f;
		break;
	case 4:
		code[at] &= 0x3f;
		break;
	default:
		break;
	}
}

static void test_random_strings(void **state)
{
	struct bench *bench = *state;
	uint64_t seed = 0x9e3779b97f4a7c15;
	uint8_t code[INSN_MAX];

	bench->lengths = bench->accesses = bench->excused = 0;
	for (unsigned i = 0; i < STRINGS; i++) {
		mutated_bytes(&seed, code);
		check(bench, i % MODES, code);
	}
	print_message("%lu lengths, %lu accesses, %lu excused\n", bench->lengths, bench->accesses, bench->excused);
	assert_true(bench->lengths > STRINGS / 2);
	assert_true(bench->accesses > STRINGS / 10);
	assert_true(bench->excused < STRINGS / 100);
}

/* All opcodes of all maps with all of ModRM, some of SIB, and the prefixes that change sizes. */
static void sweep_opcode(struct bench *bench, const uint8_t *prefix, size_t prefix_size, uint8_t opcode)
{
	static const uint8_t sibs[] = { 0x00, 0x65, 0xad };
	uint8_t code[INSN_MAX] = { 0 };

	memcpy(code, prefix, prefix_size);
	code[prefix_size] = opcode;
	for (unsigned modrm = 0; modrm < 256; modrm++)
		for (size_t sib = 0; sib < ARRAY_SIZE(sibs); sib++) {
			code[prefix_size + 1] = (uint8_t)modrm;
			code[prefix_size + 2] = sibs[sib];
			for (unsigned mode = 0; mode < MODES; mode++)
				check(bench, mode, code);
		}
}

static void test_every_opcode(void **state)
{
	static const char *const prefixes[] = {
		"", "66", "67", "48", "44", "664f", "0f", "660f", "480f", "f30f", "0f38", "660f38", "0f3a", "660f3a",
	};
	struct bench *bench = *state;

	bench->accesses = 0;
	for (size_t p = 0; p < ARRAY_SIZE(prefixes); p++) {
		uint8_t prefix[4];
		size_t size = strlen(prefixes[p]) / 2;

		for (size_t i = 0; i < size; i++) {
			const char digits[] = { prefixes[p][2 * i], prefixes[p][2 * i + 1], '\0' };

			prefix[i] = (uint8_t)strtoul(digits, NULL, 16);
		}
		for (unsigned opcode = 0; opcode < 256; opcode++)
			sweep_opcode(bench, prefix, size, (uint8_t)opcode);
	}
	assert_true(bench->accesses > 300000);
}

/* A legal instruction of 15 bytes, and the same with a prefix more. */
static void test_too_long(void **state)
{
	uint8_t code[INSN_MAX + 1];
	unsigned length = 77;

	(void)state;
	memset(code, 0x2e, sizeof(code));
	memcpy(code + INSN_MAX - 2, "\x89\x01", 2);
	assert_ok(insn_length(code, INSN_MAX, 64, &length));
	assert_int_equal(length, INSN_MAX);
	memcpy(code + INSN_MAX - 2, "\x2e\x89\x01", 3);
	assert_err(insn_length(code, INSN_MAX + 1, 64, &length), ERR_UNSUPPORTED);
	assert_err(insn_length(code, INSN_MAX, 64, &length), ERR_UNSUPPORTED);
	assert_err(insn_length(code, INSN_MAX - 1, 64, &length), ERR_SHORT);
	assert_err(insn_length(code, 0, 64, &length), ERR_SHORT);
	assert_int_equal(length, INSN_MAX);
}

static void test_refusal_leaves_the_result(void **state)
{
	static const struct {
		const char *code;
		unsigned size;
	} refused[] = {
		{ "\xf3\xa4", 2 },			/* rep movsb */
		{ "\xf3\x48\xab", 3 },			/* rep stosq */
		{ "\xac", 1 },				/* lodsb */
		{ "\xff\x00", 2 },			/* inc dword [rax] */
		{ "\xf0\x0f\xb1\x0a", 4 },		/* lock cmpxchg [rdx], ecx */
		{ "\x0f\x10\x07", 3 },			/* movups xmm0, [rdi] */
		{ "\x8f\x00", 2 },			/* pop [rax] */
		{ "\x89\xc8", 2 },			/* mov eax, ecx */
		{ "\x66\x63\x00", 3 },			/* movsxd ax, [rax] */
		{ "\xc5\xf8\x88\x00", 4 },		/* VEX in front of what would be mov */
	};
	struct insn out = { .reg = 17, .value = 3 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		assert_err(insn_decode((const uint8_t *)refused[i].code, refused[i].size, 64, &out), ERR_UNSUPPORTED);
	assert_int_equal(out.reg, 17);
	assert_int_equal(out.value, 3);
}

/* What an operation gives, one bit after the other: a full adder, or a table of logic. */
struct sum {
	uint64_t result;
	bool carry, half, into_sign;
};

static struct sum add_bits(uint64_t a, uint64_t b, bool carry, unsigned bits)
{
	struct sum s = { .carry = carry };

	for (unsigned i = 0; i < bits; i++) {
		unsigned ones = (unsigned)(a >> i & 1) + (unsigned)(b >> i & 1) + s.carry;

		s.into_sign = s.carry;
		s.result |= (uint64_t)(ones & 1) << i;
		s.carry = ones >= 2;
		if (i == 3)
			s.half = s.carry;
	}
	return s;
}

static uint64_t logic_bits(enum insn_op op, uint64_t a, uint64_t b)
{
	uint64_t result = 0;

	for (unsigned i = 0; i < 64; i++) {
		bool x = a >> i & 1, y = b >> i & 1;
		bool z = op == INSN_OR ? x || y : op == INSN_XOR ? x != y : x && y;

		result |= (uint64_t)z << i;
	}
	return result;
}

#define CF 0x001u
#define PF 0x004u
#define AF 0x010u
#define ZF 0x040u
#define SF 0x080u
#define OF 0x800u

static uint64_t flags_of(uint64_t rflags, uint64_t result, unsigned bits, bool carry, bool half, bool overflow)
{
	unsigned ones = 0;

	for (unsigned i = 0; i < 8; i++)
		ones += (unsigned)(result >> i & 1);
	rflags &= ~(uint64_t)(CF | PF | AF | ZF | SF | OF);
	return rflags | (carry ? CF : 0) | (ones % 2 == 0 ? PF : 0) | (half ? AF : 0) | (result == 0 ? ZF : 0) |
	       (result >> (bits - 1) & 1 ? SF : 0) | (overflow ? OF : 0);
}

static uint64_t slow_compute(enum insn_op op, uint64_t a, uint64_t b, unsigned bits, uint64_t *rflags)
{
	bool subtract = op == INSN_SUB || op == INSN_SBB || op == INSN_CMP;
	bool with_carry = (op == INSN_ADC || op == INSN_SBB) && (*rflags & CF);
	struct sum s;

	if (op == INSN_MOV || op == INSN_XCHG)
		return b;
	if (op == INSN_OR || op == INSN_AND || op == INSN_XOR || op == INSN_TEST) {
		s.result = logic_bits(op, a, b);
		*rflags = flags_of(*rflags, s.result, bits, false, false, false);
	} else {
		/* a - b - c = a + not b + not c, and the carry says that there was no borrow */
		s = add_bits(a, subtract ? ~b : b, with_carry != subtract, bits);
		*rflags = flags_of(*rflags, s.result, bits, s.carry != subtract, s.half != subtract,
				   s.carry != s.into_sign);
	}
	return op == INSN_CMP || op == INSN_TEST ? a : s.result;
}

static uint64_t slow_set(uint64_t reg, uint64_t value, unsigned width, bool high)
{
	uint8_t bytes[8];

	memcpy(bytes, &reg, 8);
	if (width == 4)
		memset(bytes, 0, 8);
	memcpy(bytes + high, &value, width);
	memcpy(&reg, bytes, 8);
	return reg;
}

static struct insn_state slow_execute(const struct insn *i, struct insn_state s)
{
	uint64_t reg = low_bytes(i->high ? s.reg >> 8 : s.reg, i->width);
	uint64_t memory = s.memory, other = i->immediate ? low_bytes(i->value, i->size) : reg;

	if (i->sign_extend && (memory >> (8 * i->size - 1) & 1))
		memory |= ~0ull << (8 * i->size - 1);
	memory = low_bytes(memory, i->width);
	if (i->op == INSN_XCHG) {
		s.memory = reg;
		s.reg = slow_set(s.reg, memory, i->width, i->high);
	} else if (i->load) {
		reg = slow_compute(i->op, reg, memory, 8u * i->width, &s.rflags);
		if (i->op != INSN_CMP && i->op != INSN_TEST)
			s.reg = slow_set(s.reg, reg, i->width, i->high);
	} else {
		s.memory = slow_compute(i->op, memory, other, 8u * i->size, &s.rflags);
	}
	return s;
}

/* Values where carries, signs and zeroes are more common than among random ones. */
static uint64_t operand(uint64_t *seed)
{
	static const uint64_t edges[] = { 0, 1, 0xf, 0x10, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0x7fffffff, 0x80000000,
					  0xffffffff, 0x7fffffffffffffff, 0x8000000000000000, ~0ull };

	return test_below(seed, 2) ? edges[test_below(seed, ARRAY_SIZE(edges))] : test_random(seed);
}

static void test_execution(void **state)
{
	uint64_t seed = 0x2545f4914f6cdd1d;
	unsigned executed[INSN_XCHG + 1] = { 0 };
	uint8_t code[INSN_MAX];

	(void)state;
	for (unsigned n = 0; n < 2000000; n++) {
		struct insn i;
		struct insn_state is, should;

		mutated_bytes(&seed, code);
		if (insn_decode(code, INSN_MAX, code_bits[n % MODES], &i) != OK)
			continue;
		is = (struct insn_state){ low_bytes(operand(&seed), i.size), operand(&seed), test_random(&seed) };
		should = slow_execute(&i, is);
		insn_execute(&i, &is);
		if (is.memory != should.memory || is.reg != should.reg || is.rflags != should.rflags)
			fail_msg("operation %u, %u bytes: %#llx %#llx %#llx where %#llx %#llx %#llx should be", i.op,
				 i.size, (unsigned long long)is.memory, (unsigned long long)is.reg,
				 (unsigned long long)is.rflags, (unsigned long long)should.memory,
				 (unsigned long long)should.reg, (unsigned long long)should.rflags);
		executed[i.op]++;
	}
	for (unsigned op = 0; op <= INSN_XCHG; op++)
		assert_true(executed[op] > 1000);
}

/* By hand. */
static void test_known(void **state)
{
	struct insn_state s = { .memory = 0x80, .reg = 0x1122334455667788, .rflags = 0x202 };
	struct insn i;

	(void)state;
	/* test byte [rdi], 0x80 */
	assert_ok(insn_decode((const uint8_t *)"\xf6\x07\x80", 3, 64, &i));
	assert_true(i.read && !i.write && i.immediate && i.size == 1 && i.length == 3);
	insn_execute(&i, &s);
	assert_int_equal(s.rflags, 0x202 | SF);
	/* movsx ecx, byte [rax] */
	assert_ok(insn_decode((const uint8_t *)"\x0f\xbe\x08", 3, 64, &i));
	insn_execute(&i, &s);
	assert_int_equal(s.reg, 0xffffff80);
	/* mov [rip + 0x10], bh */
	assert_ok(insn_decode((const uint8_t *)"\x88\x3d\x10\x00\x00\x00", 6, 64, &i));
	assert_true(i.high && i.reg == 3 && i.write && !i.read);
	s.reg = 0x1122334455667788;
	insn_execute(&i, &s);
	assert_int_equal(s.memory, 0x77);
	/* xchg [rdx], r9d */
	assert_ok(insn_decode((const uint8_t *)"\x44\x87\x0a", 3, 64, &i));
	assert_true(i.read && i.write && i.reg == 9 && i.size == 4);
	insn_execute(&i, &s);
	assert_int_equal(s.memory, 0x55667788);
	assert_int_equal(s.reg, 0x77);
	assert_int_equal(s.rflags, 0x202 | SF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_strings),
		cmocka_unit_test(test_every_opcode),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_refusal_leaves_the_result),
		cmocka_unit_test(test_execution),
		cmocka_unit_test(test_known),
	};

	return cmocka_run_group_tests_name("insn", tests, open_capstone, close_capstone);
}
