/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a guest's linear addresses are, by the guest's own tables, and the bytes of the
 * instruction it is at. Pure: whoever calls says how guest-physical memory is read.
 */
#ifndef X86_PURE_WALK_H
#define X86_PURE_WALK_H

#include "base/addr.h"
#include "base/err.h"

/* As the VMCB has it: bits 7..0 are the descriptor's bits 47..40, bits 11..8 its 55..52 (APM 2, 15.5.1). */
struct segment {
	uint16_t selector;
	uint16_t attributes;
	uint32_t limit;
	uint64_t base;
};

/* How the guest's instructions are to be read. */
struct guest_mode {
	uint64_t cr0, cr3, cr4, efer;
	uint64_t rip, rflags;
	struct segment cs;
	unsigned cpl;
};

struct guest_memory {
	/* `size` bytes at guest-physical `at`. ERR_FAULT: not the guest's to read. */
	err_t (*read)(void *context, gpa_t at, void *to, size_t size);
	void *context;
};

/* Bytes of the longest instruction. */
#define INSN_MAX 15

/*
 * What the guest's tables say of a linear address now; permissions are not looked at, a CPU has
 * just used them. ERR_NOT_FOUND: nothing; ERR_FAULT: a table is where the guest may not read.
 */
MUST_CHECK err_t walk_linear(const struct guest_mode *mode, const struct guest_memory *memory, uint64_t linear,
			     gpa_t *out);

/* 16, 32 or 64: the default size of what is at CS:RIP. */
unsigned walk_code_bits(const struct guest_mode *mode);

/*
 * The bytes at CS:RIP, INSN_MAX of them, or fewer where the next page cannot be read. Errors as
 * walk_linear() if there is none.
 */
MUST_CHECK err_t walk_fetch(const struct guest_mode *mode, const struct guest_memory *memory,
			    uint8_t code[INSN_MAX], unsigned *size);

#endif
