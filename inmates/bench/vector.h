/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interrupts are masked everywhere in the benchmark but inside the functions below, whose
 * vector goes to one that reads the counter as its first instruction and acknowledges. They return with the
 * interrupt active and masked; end_of_interrupt() is the caller's.
 */
#ifndef BENCH_VECTOR_H
#define BENCH_VECTOR_H

#include <stdint.h>

struct taken {
	uint64_t entered;	/* the counter at the vector */
	uint64_t line;		/* what came: LINE_NONE and up is nothing */
};

struct taken wait_spinning(void);
/* The same; each turn is two instructions. */
struct taken wait_counting(uint64_t *turns);
struct taken wait_sleeping(void);
/* Spins and lets others run where CPUs take turns. */
struct taken wait_yielding(void);
/* Reads the counter, does what causes an interrupt, and waits for it, spinning. */
struct taken wait_sgi(uint64_t sgi, uint64_t *before);
struct taken wait_store(uint64_t address, uint32_t value, uint64_t *before);

#endif
