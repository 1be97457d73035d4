/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A program that causes exits only when it is told to. The root cell writes commands to a page
 * it shares with it, at `board` (0x70000000); nothing of that is an exit:
 *
 *   word 0  command, set back to 0 when it is done    word 2  its argument n
 *   word 1  how many are done; 1 from the beginning   word 3  its argument gap, counter ticks
 *   word 4  of the last, how many were taken
 *
 *   1  takes n timer interrupts, gap apart, spinning
 *   2  takes n timer interrupts, gap apart, in WFI or HLT
 *   3  n hypercalls, never two of them within gap
 *   4  prints a line
 *   5  n reads of the interrupt controller
 *   6  n software interrupts to itself, each of them taken
 *
 * It begins with the first command `settle` milliseconds after its start.
 */
#include "inmate.h"

#define NS_PER_MS 1000000ull
#define SGI 3u

struct board {
	volatile uint32_t command, done, n, gap, taken;
};

struct ticks {
	uint64_t deadline;
	uint32_t gap, wanted;
	volatile uint32_t count;
};

struct contract {
	struct board *board;
	struct ticks ticks;
	volatile uint32_t sgis;
};

static struct contract contract;

static void tick(void *context, uint64_t entered)
{
	struct ticks *t = context;

	if (entered < t->deadline)
		return;
	t->count = t->count + 1;
	t->deadline += t->gap;
	if (t->count < t->wanted)
		timer_arm(t->deadline);
	else
		timer_disarm();
}

static void sgi(void *context, uint64_t entered)
{
	(void)entered;
	((struct contract *)context)->sgis++;
}

static void take_ticks(struct contract *c, bool sleep)
{
	struct ticks *t = &c->ticks;

	t->gap = c->board->gap;
	t->wanted = c->board->n;
	t->count = 0;
	t->deadline = timer_now() + t->gap;
	timer_arm(t->deadline);
	while (t->count < t->wanted) {
		irq_mask();
		if (sleep && t->count < t->wanted)
			irq_wait();
		irq_unmask();
	}
	irq_mask();
	c->board->taken = t->count;
}

static void call(struct contract *c)
{
	for (uint32_t i = 0; i < c->board->n; i++) {
		uint64_t last;

		hypercall(ABI_HC_INFO, ABI_INFO_CELLS, 0);
		last = timer_now();
		while (timer_now() - last < c->board->gap)
			;
	}
}

static void read_controller(struct contract *c)
{
	for (uint32_t i = 0; i < c->board->n; i++)
		irq_controller_read();
}

static void send_sgis(struct contract *c)
{
	c->sgis = 0;
	irq_unmask();
	for (uint32_t i = 0; i < c->board->n; i++) {
		irq_send_self(SGI);
		while (c->sgis == i)
			;
	}
	irq_mask();
	c->board->taken = c->sgis;
}

static void obey(struct contract *c)
{
	switch (c->board->command) {
	case 1:
		take_ticks(c, false);
		break;
	case 2:
		take_ticks(c, true);
		break;
	case 3:
		call(c);
		break;
	case 4:
		printk("contract: says so\n");
		break;
	case 5:
		read_controller(c);
		break;
	case 6:
		send_sgis(c);
		break;
	default:
		return;
	}
	c->board->command = 0;
	memory_barrier();
	c->board->done++;
}

void inmate_main(void)
{
	struct contract *c = &contract;
	uint64_t ready = timer_now() + timer_ns_to_ticks(cmdline_get_int("settle", 0) * NS_PER_MS);

	c->board = (struct board *)(uintptr_t)cmdline_get_int("board", 0x70000000);
	c->board->command = 0;
	irq_init();
	irq_enable(IRQ_TIMER, tick, &c->ticks);
	irq_enable(SGI, sgi, c);
	while (timer_now() < ready)
		;
	c->board->done = 1;
	for (;;)
		obey(c);
}
