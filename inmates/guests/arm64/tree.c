// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kernel's Image that believes its device tree, with MMU and caches on, the physical timer, interrupts
 * deactivated apart from their end, and floating point that they do not spoil.
 */
#include "base/guest.h"

#define WORK 4u

const struct habits habits = {
	.name = "tree", .from_tree = true, .walks = true, .splits_end = true, .timer = 30, .console = FIFO, .timeout = true,
};

/* Of the same sum before and after ticks. */
static void fpu(const char *words)
{
	volatile double sum = 0;
	unsigned from = cpu_state[0].ticks, n;

	(void)words;
	while (cpu_state[0].ticks - from < 3)
		for (n = 1; n <= 1000; n++)
			sum += 1.0 / (double)n;
	sum = 0;
	for (n = 1; n <= 10000; n++)
		sum += 1.0 / (double)n;
	print("fpu %u\n", (unsigned)(sum * 1e6));
}

/*
 * An interrupt that a task deactivates, long after its end, does not come again until then. The task runs
 * as the handler does, with all other interrupts let in.
 */
static unsigned came, before_end;

static void work(unsigned sgi)
{
	if (sgi != WORK || came++ != 0)
		return;
	gic_send(WORK, 0);
	irqs_on();
	timer_wait(2);
	irqs_off();
	before_end = came;
}

static void late(const char *words)
{
	(void)words;
	came = 0;
	on_sgi = work;
	gic_send(WORK, 0);
	timer_wait(2);
	print("late %u, then %u\n", before_end, came);
}

const struct command commands[] = { { "fpu", fpu }, { "late", late }, { NULL, NULL } };
