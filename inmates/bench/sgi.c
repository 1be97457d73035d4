/* SPDX-License-Identifier: GPL-2.0-only */
#include "bench.h"
#include "arm64/cpu.h"
#include "arm64/sysreg.h"

#define SGI 1u
#define SGI_LEAVE 2u
#define STACK_SIZE 0x2000u
#define START_NS 1000000000ull

/* The second CPU, and what it tells the first. */
static struct partner {
	char stack[STACK_SIZE] __attribute__((aligned(16)));
	volatile uint64_t ready;	/* it waits */
	volatile uint64_t taken;	/* how many */
	volatile uint64_t entered;	/* of the last; written before `taken` */
	volatile uint64_t strays;
} partner;

/* ICC_SGI1R_EL1: Aff3 [55:48], RS [47:44], Aff2 [39:32], INTID [27:24], Aff1 [23:16], list */
static uint64_t sgi_to(uint64_t affinity, unsigned int line)
{
	uint64_t value = 1ull << (affinity & 15) | (uint64_t)line << 24;

	value |= (affinity >> 32 & 0xff) << 48 | (affinity >> 16 & 0xff) << 32;
	return value | (affinity >> 8 & 0xff) << 16 | (affinity >> 4 & 15) << 44;
}

/* An emulator that runs one CPU at a time goes to the next. */
static void yield(void)
{
	__asm__ volatile("yield" ::: "memory");
}

bool begin_sgi(struct bench *b)
{
	b->address = sgi_to(cpu_affinity(), SGI);
	return irq_enable(SGI, NULL, NULL);
}

uint64_t sample_sgi(struct bench *b)
{
	uint64_t before;
	struct taken t = wait_sgi(b->address, &before);

	/* What else came may have come before the SGI was sent. */
	while (t.line != SGI) {
		b->spoilt = true;
		stray(b, t.line);
		t = wait_sgi(b->address, &before);
	}
	end_of_interrupt(t.line);
	return t.entered - before;
}

static void partner_run(void *argument)
{
	uint64_t line = 0;

	(void)argument;
	vectors_use(bench_vectors);
	irq_init();
	irq_enable(SGI, NULL, NULL);
	irq_enable(SGI_LEAVE, NULL, NULL);
	partner.ready = 1;
	dsb_sy();
	while (line != SGI_LEAVE) {
		struct taken t = wait_yielding();

		line = t.line;
		if (line == SGI) {
			partner.entered = t.entered;
			dsb_sy();
			partner.taken = partner.taken + 1;
		} else if (line != SGI_LEAVE) {
			partner.strays = partner.strays + 1;
		}
		end_of_interrupt(line);
	}
	partner.ready = 0;
	dsb_sy();
}

/* The first that is switched off and may be switched on: a cell knows no others but its own. */
static uint64_t find_target(void)
{
	uint64_t own = cpu_affinity();

	for (uint64_t n = 0; n < 256; n++) {
		/* Clusters of 16 at most, on this CPU's Aff2 and Aff3 */
		uint64_t affinity = (own & ~0xffffull) | (n / 16) << 8 | n % 16;

		if (affinity != own &&
		    psci_call(PSCI_AFFINITY_INFO, affinity, 0, 0) == PSCI_AFFINITY_OFF)
			return affinity;
	}
	return NO_CPU;
}

static bool wait_ready(uint64_t ready)
{
	uint64_t until = timer_now() + timer_ns_to_ticks(START_NS);

	while (partner.ready != ready) {
		if (timer_now() > until)
			return false;
		yield();
	}
	return true;
}

bool begin_ipi(struct bench *b)
{
	uint64_t target = b->target == NO_CPU ? find_target() : b->target;
	int64_t result;

	if (target == NO_CPU) {
		printk("bench: refused: workload=ipi: there is no second CPU that is off: give the "
		       "cell two\n");
		return false;
	}
	memset(&partner, 0, sizeof(partner));
	dsb_sy();
	result = cpu_start(target, partner_run, NULL, partner.stack, STACK_SIZE);
	if (result || !wait_ready(1)) {
		printk("bench: refused: workload=ipi: CPU 0x%lx does not start (PSCI said %ld)\n",
		       target, result);
		return false;
	}
	b->address = sgi_to(target, SGI);
	return true;
}

uint64_t sample_ipi(struct bench *b)
{
	uint64_t before, taken = partner.taken;

	__asm__ volatile("dsb sy\n\tisb\n\tmrs %0, cntvct_el0\n\tmsr icc_sgi1r_el1, %1\n\tisb"
			 : "=&r"(before) : "r"(b->address) : "memory");
	while (partner.taken == taken)
		yield();
	dsb_sy();
	return partner.entered - before;
}

void end_ipi(struct bench *b)
{
	uint64_t leave = (b->address & ~(15ull << 24)) | (uint64_t)SGI_LEAVE << 24;

	b->strays += (uint32_t)partner.strays;
	sysreg_write(icc_sgi1r_el1, leave);
	isb();
	wait_ready(0);
}
