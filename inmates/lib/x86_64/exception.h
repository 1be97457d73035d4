/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Exceptions. A program may catch the ones it provokes. */
#ifndef INMATE_X86_64_EXCEPTION_H
#define INMATE_X86_64_EXCEPTION_H

#define EXCEPTION_UD 6
#define EXCEPTION_GP 13
#define EXCEPTION_PF 14
#define EXCEPTIONS 32

/* x87, XMM, header, upper halves of YMM; not all of it is C's to keep, so all of it is saved */
#define XSAVE_HEADER 512
#define XSAVE_SIZE 832

#define CATCH_RSP 32

#ifndef __ASSEMBLER__
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As vectors.S and the CPU push it. */
struct exception_frame {
	uint64_t entered;	/* the counter at the vector */
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rbx, rcx, rdx, rax;
	uint64_t vector, code;
	uint64_t rip, cs, rflags, rsp, ss;
};

struct exception_catch {
	uint32_t count;		/* 0, or 1: it ended what was called */
	uint32_t vector;
	uint64_t code, address, rip;	/* address: CR2 */
	uint64_t rsp;		/* where to go on */
};
_Static_assert(offsetof(struct exception_catch, rsp) == CATCH_RSP, "vectors.S");

/*
 * Calls what(argument). An exception in it is recorded in *c and ends it there. One CPU at
 * a time.
 */
void exception_call(struct exception_catch *c, void (*what)(void *argument), void *argument);
/* What was caught, in words, without a newline. */
void exception_print(const struct exception_catch *c);

/* Gates for all that may come; the table that LIDT takes. Called by the start code. */
void exception_init(void);
void exception_use(const void *table, uint16_t size);
/* A gate of the library's table: for interrupts, or one that user mode may call. */
void exception_set_gate(unsigned int vector, const void *entry, bool user);

void exception_handle(struct exception_frame *frame);

/* vectors.S */
extern const char vector_stubs[], vector_spurious[], exception_unwind[];
void exception_guarded(struct exception_catch *c, void (*what)(void *argument), void *argument);
#endif

#endif
