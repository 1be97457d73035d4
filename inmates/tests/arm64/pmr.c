/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Does ICC_PMR_EL1 mask a cell's interrupts? With several priorities of the timer's line and
 * several masks, a timer that is due must not be taken before the mask is opened, and must be
 * then. With `hold` the mask is closed afterwards and stays so: a CPU that spins and takes none.
 */
#include "inmate.h"
#include "arm64/gic.h"
#include "arm64/sysreg.h"

#define PMR_OPEN 0xff
#define QUIET_NS 20000000ull	/* how long a due timer must not be taken */
#define LIMIT_NS 20000000000ull	/* how soon it must be when it may */

struct closed {
	uint8_t priority;	/* of the timer's line, as written */
	uint8_t mask;		/* takes only priorities numerically below it */
};

static const struct closed closed[] = {
	{ 0xa0, 0 },
	{ 0xa0, 0xa0 },
	{ 0xa0, 0x40 },
	/* the highest a cell can have, whatever it asks for */
	{ 0, 0 },
};

static volatile uint32_t taken;

static void timer_came(void *context, uint64_t entered)
{
	(void)context;
	(void)entered;
	taken = taken + 1;
	timer_disarm();
}

static void set_mask(uint64_t mask)
{
	sysreg_write(icc_pmr_el1, mask);
	isb();
}

static void spin_until(uint64_t end, bool stop_when_taken)
{
	while (timer_now() < end)
		if (stop_when_taken && taken)
			return;
}

static unsigned int report(const struct closed *c, const char *what, uint64_t got)
{
	printk("pmr: priority 0x%x, mask 0x%x: %s (%lu)\n", c->priority, c->mask, what, got);
	return 1;
}

/* Returns how much of it was wrong. */
static unsigned int check(const struct closed *c)
{
	unsigned int bad = 0;
	uint64_t read;

	mmio_write8(gic_redistributor() + GICR_SGI_FRAME + GIC_IPRIORITYR + IRQ_TIMER, c->priority);
	taken = 0;
	set_mask(c->mask);
	read = sysreg_read(icc_pmr_el1);
	if (read != c->mask)
		bad += report(c, "does not read back", read);
	timer_arm(timer_now());
	irq_unmask();
	spin_until(timer_now() + timer_ns_to_ticks(QUIET_NS), false);
	if (taken)
		bad += report(c, "taken while masked", taken);
	taken = 0;
	timer_arm(timer_now());
	set_mask(PMR_OPEN);
	spin_until(timer_now() + timer_ns_to_ticks(LIMIT_NS), true);
	if (!taken)
		bad += report(c, "not taken when opened", taken);
	irq_mask();
	timer_disarm();
	return bad;
}

void inmate_main(void)
{
	unsigned int bad = 0;

	irq_init();
	irq_enable(IRQ_TIMER, timer_came, NULL);
	for (unsigned int i = 0; i < ARRAY_SIZE(closed); i++)
		bad += check(&closed[i]);
	if (bad)
		printk("pmr: %u wrong\n", bad);
	else
		printk("pmr: ok %u masks\n", (unsigned int)ARRAY_SIZE(closed));
	if (!cmdline_get_bool("hold", false))
		inmate_serve();
	set_mask(0);
	printk("pmr: holds\n");
	for (;;)
		__asm__ volatile("" ::: "memory");
}
