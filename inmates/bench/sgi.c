/* SPDX-License-Identifier: GPL-2.0-only */
#include "bench.h"

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

bool begin_sgi(struct bench *b)
{
	b->address = sgi_to(cpu_affinity(), SGI);
	return sgi_possible("self-sgi") && irq_enable(SGI, NULL, NULL);
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
	vectors_bench();
	irq_init();
	irq_enable(SGI, NULL, NULL);
	irq_enable(SGI_LEAVE, NULL, NULL);
	partner.ready = 1;
	memory_barrier();
	while (line != SGI_LEAVE) {
		struct taken t = wait_yielding();

		line = t.line;
		if (line == SGI) {
			partner.entered = t.entered;
			memory_barrier();
			partner.taken = partner.taken + 1;
		} else if (line != SGI_LEAVE) {
			partner.strays = partner.strays + 1;
		}
		end_of_interrupt(line);
	}
	partner.ready = 0;
	memory_barrier();
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
	uint64_t target = b->target == NO_CPU ? find_cpu(NO_CPU) : b->target;
	int64_t result;

	if (!sgi_possible("ipi"))
		return false;
	if (target == NO_CPU) {
		printk("bench: refused: workload=ipi: there is no second CPU that is off: give the "
		       "cell two\n");
		return false;
	}
	memset(&partner, 0, sizeof(partner));
	memory_barrier();
	result = cpu_start(target, partner_run, NULL, partner.stack, STACK_SIZE);
	if (result || !wait_ready(1)) {
		printk("bench: refused: workload=ipi: CPU 0x%lx does not start (%ld)\n",
		       target, result);
		return false;
	}
	b->second = target;
	b->address = sgi_to(target, SGI);
	return true;
}

uint64_t sample_ipi(struct bench *b)
{
	uint64_t taken = partner.taken, before = sgi_send(b->address);

	while (partner.taken == taken)
		yield();
	memory_barrier();
	return partner.entered - before;
}

void end_ipi(struct bench *b)
{
	b->strays += (uint32_t)partner.strays;
	sgi_send(sgi_to(b->second, SGI_LEAVE));
	wait_ready(0);
}
