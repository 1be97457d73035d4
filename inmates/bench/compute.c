/* SPDX-License-Identifier: GPL-2.0-only */
#include "bench.h"
#include "arm64/sysreg.h"

#define TICKS_PER_SECOND 1000u
#define SLACK 32u

struct tick {
	uint64_t period, deadline;
	volatile uint64_t count;
	uint64_t cost;			/* icount: the least that a round took longer for one */
};

static void tick(void *context, uint64_t entered)
{
	struct tick *t = context;

	if (entered < t->deadline)
		return;
	t->count = t->count + 1;
	while (t->deadline <= entered)
		t->deadline += t->period;
	timer_arm(t->deadline);
}

static struct tick state;

bool begin_compute(struct bench *b)
{
	(void)b;
	vectors_use(vectors);
	state.period = timer_frequency() / TICKS_PER_SECOND;
	state.cost = UINT64_MAX - SLACK;
	state.deadline = timer_now() + state.period;
	irq_enable(IRQ_TIMER, tick, &state);
	timer_arm(state.deadline);
	irq_unmask();
	return true;
}

/*
 * With icount a tick is an instruction of any CPU. A turn has five, and the second barrier and
 * read follow; an interrupt costs the same each time, but for what is pending behind another.
 */
static void judge(struct bench *b, uint64_t took, uint64_t ticks)
{
	uint64_t alone = 5 * b->loops + 2;

	if (ticks == 1 && took - alone < state.cost)
		state.cost = took - alone;
	if (took < alone || took - alone > ticks * (state.cost + SLACK))
		b->spoilt = true;
}

/* Multiplications and shifts that each wait for the one before. */
uint64_t sample_compute(struct bench *b)
{
	uint64_t x = 1, n = b->loops, ticks = state.count, t0, t1;

	__asm__ volatile("isb\n\tmrs %0, cntvct_el0\n"
			 "1:\tmul %2, %2, %4\n\tadd %2, %2, #1\n\teor %2, %2, %2, lsr #29\n\t"
			 "subs %3, %3, #1\n\tb.ne 1b\n\tisb\n\tmrs %1, cntvct_el0"
			 : "=&r"(t0), "=&r"(t1), "+&r"(x), "+&r"(n)
			 : "r"(6364136223846793005ull) : "cc", "memory");
	if (b->icount)
		judge(b, t1 - t0, state.count - ticks);
	return t1 - t0;
}

void end_compute(struct bench *b)
{
	(void)b;
	irq_mask();
	timer_disarm();
	vectors_use(bench_vectors);
}
