/* SPDX-License-Identifier: GPL-2.0-only */
#include "bench.h"

/*
 * With icount ticks are instructions of any CPU: whoever spins towards the deadline has used
 * all of them, or another CPU ran, and may have run past it.
 */
#define TURN 2u
#define SLACK 16u

void stray(struct bench *b, uint64_t line)
{
	if (line >= LINE_NONE)
		return;
	b->strays++;
	b->stray = (uint32_t)line;
	end_of_interrupt(line);
}

void drain(void)
{
	timer_disarm();
	vectors_library();
	take_pending();
	vectors_bench();
}

bool begin_timer(struct bench *b)
{
	(void)b;
	return true;
}

static void arm_next(struct bench *b)
{
	b->deadline = timer_now() + b->period;
	timer_arm(b->deadline);
}

/* Waits for the deadline; the counter at the vector. */
static uint64_t take_deadline(struct bench *b, bool sleep)
{
	for (;;) {
		uint64_t from = timer_now(), turns = 0;
		struct taken t = sleep ? wait_sleeping() : wait_counting(&turns);

		if (b->icount && !sleep &&
		    (from > b->deadline || from + (TURN * turns + SLACK) * TICKS_PER_INSTRUCTION(b) < b->deadline))
			b->spoilt = true;
		if (t.line != IRQ_TIMER) {
			stray(b, t.line);
			continue;
		}
		if (t.entered >= b->deadline)
			return t.entered;
		end_of_interrupt(t.line);
		timer_again(b->deadline);
	}
}

static uint64_t sample_timer(struct bench *b, bool sleep)
{
	uint64_t entered;

	arm_next(b);
	entered = take_deadline(b, sleep);
	timer_disarm();
	end_of_interrupt(IRQ_TIMER);
	return entered - b->deadline;
}

uint64_t sample_timer_spin(struct bench *b)
{
	return sample_timer(b, false);
}

uint64_t sample_timer_wfi(struct bench *b)
{
	return sample_timer(b, true);
}

bool begin_tick(struct bench *b)
{
	arm_next(b);
	return true;
}

uint64_t sample_tick(struct bench *b)
{
	uint64_t deadline;

	/* Whatever came between two samples is none of them. */
	if (timer_now() >= b->deadline) {
		drain();
		arm_next(b);
	}
	deadline = b->deadline;
	take_deadline(b, false);
	b->deadline += b->period;
	timer_arm(b->deadline);
	end_of_interrupt(IRQ_TIMER);
	return timer_now() - deadline;
}

void end_timer(struct bench *b)
{
	(void)b;
	timer_disarm();
}
