/* SPDX-License-Identifier: GPL-2.0-only */
/* What the benchmark's shared files leave to the architecture: its registers and instructions. */
#ifndef BENCH_ARCH_H
#define BENCH_ARCH_H

#include "inmate.h"
#include "exception.h"
#include "x86_64/apic.h"
#include "x86_64/asm.h"

#define DEVICE_SUBSTITUTE "device"
#define LINE_NONE (VECTOR_END - VECTOR_LINES)
/* With icount */
#define TICKS_PER_INSTRUCTION(b) ((b)->tick)

#define BENCH_STUB 16u
extern const char bench_vectors[];

/* The benchmark's vectors, or the library's; all CPUs have the same. */
static inline void vectors_bench(void)
{
	for (unsigned int v = VECTOR_LINES; v < VECTOR_END; v++)
		exception_set_gate(v, bench_vectors + (v - VECTOR_LINES) * BENCH_STUB, false);
}

static inline void vectors_library(void)
{
	for (unsigned int v = VECTOR_LINES; v < VECTOR_END; v++)
		exception_set_gate(v, vector_stubs + v * BENCH_STUB, false);
}

static inline void end_of_interrupt(uint64_t line)
{
	(void)line;
	apic_write(APIC_EOI, 0);
}

/* What is pending is taken now. */
static inline void take_pending(void)
{
	irq_unmask();
	irq_mask();
}

/* An interrupt before its deadline: the timer's counts are not quite the counter's. */
static inline void timer_again(uint64_t deadline)
{
	timer_arm(deadline);
}

/* Ticks that a loop of 2 * n instructions and one read of the counter take. */
static inline uint64_t loop_ticks(uint64_t n)
{
	uint32_t before, after;

	/* The pairs behind the first read are two more, and one read */
	n--;
	__asm__ volatile("lfence\n\trdtsc\n\tmovl %%eax, %0\n\tnop\n"
			 "1:\tdecq %1\n\tjnz 1b\n\trdtsc"
			 : "=&r"(before), "+&r"(n), "=&a"(after) :: "rdx", "cc", "memory");
	return after - before;
}

/*
 * Multiplications and shifts that each wait for the one before, n turns of ARITHMETIC_TURN
 * instructions; ARITHMETIC_MORE are around them between the counter's reads.
 */
#define ARITHMETIC_TURN 7u
#define ARITHMETIC_MORE 2u
static inline uint64_t arithmetic(uint64_t n)
{
	uint64_t x = 1, y;
	uint32_t before, after;

	__asm__ volatile("lfence\n\trdtsc\n\tmovl %%eax, %0\n"
			 "1:\timulq %5, %1\n\tincq %1\n\tmovq %1, %2\n\tshrq $29, %2\n\txorq %2, %1\n\t"
			 "decq %3\n\tjnz 1b\n\trdtsc"
			 : "=&r"(before), "+&r"(x), "=&r"(y), "+&r"(n), "=&a"(after)
			 : "r"(6364136223846793005ull) : "rdx", "cc", "memory");
	return after - before;
}

/* An emulator that runs one CPU at a time goes to the next. */
static inline void yield(void)
{
	__asm__ volatile("pause" ::: "memory");
}

static inline uint64_t sgi_to(uint64_t affinity, unsigned int line)
{
	return affinity << 32 | ICR_ASSERT | ICR_FIXED | (VECTOR_LINES + line);
}

/* The counter before it was sent. */
static inline uint64_t sgi_send(uint64_t sgi)
{
	uint32_t low, high;

	/* In x2APIC mode the write does not wait for stores before it (SDM 3, 10.12.3). */
	__asm__ volatile("mfence; lfence\n\trdtsc\n\tmovl %%eax, %%esi\n\tmovl %%edx, %%edi\n\t"
			 "movl %3, %%eax\n\tmovl %4, %%edx\n\twrmsr"
			 : "=&S"(low), "=&D"(high) : "c"(MSR_X2APIC + APIC_ICR / 16), "r"((uint32_t)sgi),
			   "r"((uint32_t)(sgi >> 32)) : "rax", "rdx", "memory");
	return (uint64_t)high << 32 | low;
}

/* False: said why not. */
static inline bool sgi_possible(const char *workload)
{
	if (!apic_x2apic())
		printk("bench: refused: workload=%s: the local APIC is in xAPIC mode: it is measured in x2APIC mode\n",
		       workload);
	return apic_x2apic();
}

/* A CPU that is off does not say so: the next one, unless cpu2= names another. */
static inline uint64_t find_cpu(uint64_t none)
{
	(void)none;
	return cpu_affinity() + 1;
}

#endif
