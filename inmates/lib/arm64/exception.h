/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Exceptions taken to EL1. A program may catch the ones it provokes. */
#ifndef INMATE_ARM64_EXCEPTION_H
#define INMATE_ARM64_EXCEPTION_H

#define FRAME_ELR 248
#define FRAME_SPSR 256
#define FRAME_ENTERED 264
#define FRAME_Q 272
#define FRAME_SIZE 784

/* Which vector: its number in the table (DDI0487 D1.4.1.4). */
#define VECTOR_SYNC 4
#define VECTOR_IRQ 5

#ifndef __ASSEMBLER__
#include <stddef.h>
#include <stdint.h>

struct exception_frame {
	uint64_t x[31];
	uint64_t elr;
	uint64_t spsr;
	uint64_t entered;	/* the counter at the vector */
	uint64_t q[32][2];
};

_Static_assert(offsetof(struct exception_frame, elr) == FRAME_ELR, "vectors.S");
_Static_assert(offsetof(struct exception_frame, spsr) == FRAME_SPSR, "vectors.S");
_Static_assert(offsetof(struct exception_frame, entered) == FRAME_ENTERED, "vectors.S");
_Static_assert(offsetof(struct exception_frame, q) == FRAME_Q, "vectors.S");
_Static_assert(sizeof(struct exception_frame) == FRAME_SIZE, "vectors.S");
_Static_assert(FRAME_SIZE % 16 == 0, "the stack pointer's alignment");

struct exception_catch {
	volatile uint32_t count;	/* since exception_catch() */
	uint64_t esr, elr, far;		/* of the last */
};

/*
 * Until exception_release() a synchronous exception is recorded in *c and its instruction
 * skipped; if that lies outside the image, it is left for the caller (x30) instead: a failed
 * fetch, or nonsense that was found there. One CPU at a time.
 */
void exception_catch(struct exception_catch *c);
void exception_release(void);
/* The same around what(argument). */
void exception_call(struct exception_catch *c, void (*what)(void *argument), void *argument);
/* What was caught, in words, without a newline. */
void exception_print(const struct exception_catch *c);

void exception_handle(struct exception_frame *frame, uint32_t vector);
#endif

#endif
