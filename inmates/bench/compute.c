/* SPDX-License-Identifier: GPL-2.0-only */
#include "bench.h"

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
	vectors_library();
	state.period = timer_frequency() / TICKS_PER_SECOND;
	state.cost = UINT64_MAX - SLACK;
	state.deadline = timer_now() + state.period;
	irq_enable(IRQ_TIMER, tick, &state);
	timer_arm(state.deadline);
	irq_unmask();
	return true;
}

/*
 * With icount ticks are instructions of any CPU. An interrupt costs the same each time, but for what is
 * pending behind another.
 */
static void judge(struct bench *b, uint64_t took, uint64_t ticks)
{
	uint64_t alone = (ARITHMETIC_TURN * b->loops + ARITHMETIC_MORE) * TICKS_PER_INSTRUCTION(b);

	if (ticks == 1 && took - alone < state.cost)
		state.cost = took - alone;
	if (took < alone || took - alone > ticks * (state.cost + SLACK * TICKS_PER_INSTRUCTION(b)))
		b->spoilt = true;
}

uint64_t sample_compute(struct bench *b)
{
	uint64_t ticks = state.count, took = arithmetic(b->loops);

	if (b->icount)
		judge(b, took, state.count - ticks);
	return took;
}

void end_compute(struct bench *b)
{
	(void)b;
	irq_mask();
	timer_disarm();
	vectors_bench();
}
