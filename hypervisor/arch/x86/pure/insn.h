/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * x86 instructions, taken apart from their bytes (APM 3): how long any of them is, and what
 * those do that programs access device registers with.
 */
#ifndef X86_PURE_INSN_H
#define X86_PURE_INSN_H

#include "arch/x86/pure/walk.h"

/* The first eight as the instructions number them (APM 3, A.2, group 1). */
enum insn_op {
	INSN_ADD,
	INSN_OR,
	INSN_ADC,
	INSN_SBB,
	INSN_AND,
	INSN_SUB,
	INSN_XOR,
	INSN_CMP,
	INSN_MOV,
	INSN_TEST,
	INSN_XCHG,
};

/* One operand in memory, the other a general register or an immediate. */
struct insn {
	enum insn_op op;
	uint8_t length;
	uint8_t size;		/* bytes of the operand in memory: 1, 2, 4, 8 */
	bool read;		/* memory is read */
	bool write;		/* ... is written, afterwards */
	bool load;		/* memory is the source: the register, if any, gets the result */
	bool immediate;		/* `value` is the other operand, not a register */
	bool high;		/* the register's bits 15..8: AH, CH, DH, BH */
	bool sign_extend;	/* what was read, to `width`; else zeroes */
	uint8_t width;		/* bytes the register has in it; more than `size` for MOVZX, MOVSX */
	uint8_t reg;		/* 0 to 15 */
	uint64_t value;		/* sign-extended */
};

/*
 * Bytes of the instruction at `code`, of which `count` are there; bits: 16, 32 or 64, the default
 * size. ERR_SHORT: it goes on behind them; ERR_UNSUPPORTED: none, or an opcode that no processor
 * with SVM or VMX has.
 */
MUST_CHECK err_t insn_length(const uint8_t *code, unsigned count, unsigned bits, unsigned *length);

/*
 * MOV (not to or from segment, control and debug registers), MOVZX, MOVSX, MOVSXD, ADD, OR, ADC,
 * SBB, AND, SUB, XOR, CMP, TEST and XCHG with an operand in memory. Errors as insn_length();
 * ERR_UNSUPPORTED for all others too. LOCK is not looked at.
 */
MUST_CHECK err_t insn_decode(const uint8_t *code, unsigned count, unsigned bits, struct insn *out);

/* Before and after. */
struct insn_state {
	uint64_t memory;	/* before: the low insn.size bytes count; after: zero-extended */
	uint64_t reg;		/* all 64 bits of insn.reg */
	uint64_t rflags;
};

/* What the instruction makes of it; what it does not change stays. */
void insn_execute(const struct insn *insn, struct insn_state *state);

#endif
