/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The real-time cell: a periodic task on the virtual timer and how late it was served. Each
 * round of `samples` (2000) periods of `period_us` (1000) ends with a histogram of the time
 * from the deadline to the interrupt vector; then the next begins. `spin=1` spins between
 * the deadlines, which otherwise are waited for in WFI.
 */
#include "inmate.h"

/* Up to 7 ns each value, from there four buckets to each power of two. */
#define BUCKETS_LINEAR 8u
#define BUCKETS (BUCKETS_LINEAR + 4u * 61u)

struct task {
	uint64_t period;		/* ticks */
	uint64_t deadline;		/* absolute: lateness does not move the next one */
	uint32_t samples;		/* of a round */
	volatile uint32_t count;
	uint32_t missed;		/* whole periods lost */
	uint64_t min, max, sum;		/* ns */
	uint32_t bucket[BUCKETS];
};

static unsigned int bucket_of(uint64_t ns)
{
	unsigned int top;

	if (ns < BUCKETS_LINEAR)
		return (unsigned int)ns;
	top = 63u - (unsigned int)__builtin_clzll(ns);
	return BUCKETS_LINEAR + (top - 3) * 4 + (unsigned int)(ns >> (top - 2) & 3);
}

static uint64_t bucket_lower(unsigned int bucket)
{
	unsigned int above = bucket - BUCKETS_LINEAR;

	if (bucket < BUCKETS_LINEAR)
		return bucket;
	return (4ull + above % 4) << (above / 4 + 1);
}

static void task_record(struct task *t, uint64_t ns)
{
	t->bucket[bucket_of(ns)]++;
	t->sum += ns;
	if (ns < t->min)
		t->min = ns;
	if (ns > t->max)
		t->max = ns;
}

static void task_tick(void *context, uint64_t entered)
{
	struct task *t = context;
	uint64_t late = entered - t->deadline;

	/* The line's level may fall later than the timer was armed anew: not this deadline's yet. */
	if (entered < t->deadline)
		return;
	task_record(t, timer_ticks_to_ns(late));
	t->deadline += t->period;
	if (late >= t->period) {
		uint64_t lost = late / t->period;

		t->missed += (uint32_t)lost;
		t->deadline += lost * t->period;
	}
	t->count = t->count + 1;
	if (t->count < t->samples)
		timer_arm(t->deadline);
	else
		timer_disarm();
}

static void task_report(const struct task *t)
{
	for (unsigned int i = 0; i < BUCKETS; i++)
		if (t->bucket[i])
			printk("latency: bucket %lu %u\n", bucket_lower(i), t->bucket[i]);
	if (t->missed)
		printk("latency: missed %u periods\n", t->missed);
	printk("latency: done samples=%u min=%lu avg=%lu max=%lu\n", t->count, t->min,
	       t->sum / t->count, t->max);
}

static void task_round(struct task *t, bool spin)
{
	memset(t->bucket, 0, sizeof(t->bucket));
	t->count = 0;
	t->missed = 0;
	t->min = UINT64_MAX;
	t->max = 0;
	t->sum = 0;
	t->deadline = timer_now() + t->period;
	timer_arm(t->deadline);
	while (t->count < t->samples) {
		irq_mask();
		if (!spin && t->count < t->samples)
			irq_wait();
		irq_unmask();
		comm_poll();
	}
	irq_mask();
}

void inmate_main(void)
{
	struct task t = { 0 };
	uint64_t period_us = cmdline_get_int("period_us", 1000), next_report;
	bool spin = cmdline_get_bool("spin", false);

	t.period = timer_ns_to_ticks(period_us * 1000);
	t.samples = (uint32_t)cmdline_get_int("samples", 2000);
	if (!t.period || !t.samples) {
		printk("latency: period_us=%lu samples=%u: both must be at least 1\n", period_us,
		       t.samples);
		inmate_stop(ABI_CELL_FAILED);
	}
	irq_init();
	mmu_enable();
	irq_enable(IRQ_TIMER, task_tick, &t);
	next_report = timer_now();
	for (;;) {
		task_round(&t, spin);
		/* Short rounds: one report a second is what a console is asked to take. */
		while (timer_now() < next_report) {
			comm_poll();
			timer_sleep_until(timer_now() + timer_frequency() / 100);
		}
		next_report = timer_now() + timer_frequency();
		task_report(&t);
	}
}
