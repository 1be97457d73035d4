/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How many exits do timer interrupts cost? Takes `count` (1000) of them, `period` (100000)
 * counter ticks apart, spinning in between or, with `wfi`, in WFI or HLT, and asks the hypervisor
 * for the exits of this CPU, `cpu` (0), just before and after.
 */
#include "inmate.h"

struct ticks {
	uint64_t period, deadline;
	uint32_t wanted;
	volatile uint32_t count;
};

static void tick(void *context, uint64_t entered)
{
	struct ticks *t = context;

	if (entered < t->deadline)
		return;
	t->count = t->count + 1;
	t->deadline += t->period;
	if (t->count < t->wanted)
		timer_arm(t->deadline);
	else
		timer_disarm();
}

static void ticks_take(struct ticks *t, bool wfi)
{
	t->deadline = timer_now() + t->period;
	timer_arm(t->deadline);
	while (t->count < t->wanted) {
		if (!wfi) {
			irq_unmask();
			continue;
		}
		irq_mask();
		if (t->count < t->wanted)
			irq_wait();
		irq_unmask();
	}
	irq_mask();
}

static int64_t exits(uint64_t cpu)
{
	return hypercall(ABI_HC_CPU_INFO, cpu, ABI_CPU_INFO_STAT + ABI_STAT_TOTAL);
}

void inmate_main(void)
{
	struct ticks t = { .period = cmdline_get_int("period", 100000),
			   .wanted = (uint32_t)cmdline_get_int("count", 1000) };
	uint64_t cpu = cmdline_get_int("cpu", 0);
	bool wfi = cmdline_get_bool("wfi", false), native;
	int64_t before = 0, after = 0;

	irq_init();
	irq_enable(IRQ_TIMER, tick, &t);
	native = !hypervisor_present();
	if (!native)
		before = exits(cpu);
	ticks_take(&t, wfi);
	if (!native)
		after = exits(cpu);
	if (native)
		printk("ticks: count=%u native\n", t.count);
	else if (before < 0 || after < 0)
		printk("ticks: no statistics of CPU %lu (%ld): give the number of this cell's CPU: "
		       "cpu=N\n", cpu, before < 0 ? before : after);
	else	/* one of the two questions lies between the two answers */
		printk("ticks: count=%u exits=%ld\n", t.count,
		       after - before - 1);
	inmate_serve();
}
