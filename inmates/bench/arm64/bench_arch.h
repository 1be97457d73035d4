/* SPDX-License-Identifier: GPL-2.0-only */
/* What the benchmark's shared files leave to the architecture: its registers and instructions. */
#ifndef BENCH_ARCH_H
#define BENCH_ARCH_H

#include "inmate.h"
#include "arm64/cpu.h"
#include "arm64/gic.h"
#include "arm64/sysreg.h"

/* What `device` is where there is none; lines from here on are nothing */
#define DEVICE_SUBSTITUTE "spi"
#define LINE_NONE GIC_LINE_SPURIOUS
/* With icount */
#define TICKS_PER_INSTRUCTION(b) ((void)(b), 1u)

extern char bench_vectors[], vectors[];

/* The benchmark's vectors, or the library's. */
static inline void vectors_bench(void)
{
	sysreg_write(vbar_el1, (uintptr_t)bench_vectors);
	isb();
}

static inline void vectors_library(void)
{
	sysreg_write(vbar_el1, (uintptr_t)vectors);
	isb();
}

static inline void end_of_interrupt(uint64_t line)
{
	sysreg_write(icc_eoir1_el1, line);
	isb();
}

/* What is pending is taken now. */
static inline void take_pending(void)
{
	irq_unmask();
	isb();
	irq_mask();
}

/* An interrupt before its deadline: the line's level fell later than the timer was armed anew. */
static inline void timer_again(uint64_t deadline)
{
	(void)deadline;
}

/* Ticks that a loop of 2 * n instructions and one read of the counter take. */
static inline uint64_t loop_ticks(uint64_t n)
{
	uint64_t t0, t1;

	__asm__ volatile("isb\n\tmrs %0, cntvct_el0\n"
			 "1:\tsubs %2, %2, #1\n\tb.ne 1b\n\tmrs %1, cntvct_el0"
			 : "=&r"(t0), "=&r"(t1), "+&r"(n) :: "cc", "memory");
	return t1 - t0;
}

/*
 * Multiplications and shifts that each wait for the one before, n turns of ARITHMETIC_TURN
 * instructions; ARITHMETIC_MORE follow before the counter is read.
 */
#define ARITHMETIC_TURN 5u
#define ARITHMETIC_MORE 2u
static inline uint64_t arithmetic(uint64_t n)
{
	uint64_t x = 1, t0, t1;

	__asm__ volatile("isb\n\tmrs %0, cntvct_el0\n"
			 "1:\tmul %2, %2, %4\n\tadd %2, %2, #1\n\teor %2, %2, %2, lsr #29\n\t"
			 "subs %3, %3, #1\n\tb.ne 1b\n\tisb\n\tmrs %1, cntvct_el0"
			 : "=&r"(t0), "=&r"(t1), "+&r"(x), "+&r"(n)
			 : "r"(6364136223846793005ull) : "cc", "memory");
	return t1 - t0;
}

/* An emulator that runs one CPU at a time goes to the next. */
static inline void yield(void)
{
	__asm__ volatile("yield" ::: "memory");
}

/* ICC_SGI1R_EL1: Aff3 [55:48], RS [47:44], Aff2 [39:32], INTID [27:24], Aff1 [23:16], list */
static inline uint64_t sgi_to(uint64_t affinity, unsigned int line)
{
	uint64_t value = 1ull << (affinity & 15) | (uint64_t)line << 24;

	value |= (affinity >> 32 & 0xff) << 48 | (affinity >> 16 & 0xff) << 32;
	return value | (affinity >> 8 & 0xff) << 16 | (affinity >> 4 & 15) << 44;
}

/* The counter before it was sent. */
static inline uint64_t sgi_send(uint64_t sgi)
{
	uint64_t before;

	__asm__ volatile("dsb sy\n\tisb\n\tmrs %0, cntvct_el0\n\tmsr icc_sgi1r_el1, %1\n\tisb"
			 : "=&r"(before) : "r"(sgi) : "memory");
	return before;
}

/* False: said why not. */
static inline bool sgi_possible(const char *workload)
{
	(void)workload;
	return true;
}

/* The first CPU that is switched off and may be switched on: a cell knows no others but its own. */
static inline uint64_t find_cpu(uint64_t none)
{
	uint64_t own = cpu_affinity();

	for (uint64_t n = 0; n < 256; n++) {
		/* Clusters of 16 at most, on this CPU's Aff2 and Aff3 */
		uint64_t affinity = (own & ~0xffffull) | (n / 16) << 8 | n % 16;

		if (affinity != own &&
		    psci_call(PSCI_AFFINITY_INFO, affinity, 0, 0) == PSCI_AFFINITY_OFF)
			return affinity;
	}
	return none;
}

#endif
