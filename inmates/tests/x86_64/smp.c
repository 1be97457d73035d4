/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A second CPU by INIT and SIPI, twice over: it comes as from reset, in a mode of its own; interrupts go
 * both ways; a second SIPI is nothing to one that runs; an INIT takes it away. `second` is its
 * APIC id (this CPU's and 1), `foreign` another cell's, which must not come.
 */
#include "inmate.h"
#include "x86_64/apic.h"
#include "x86_64/asm.h"
#include "x86_64/cpu.h"

/* For what comes, and for what does not */
#define WAIT_NS 20000000000ull
#define QUIET_NS 20000000ull
#define PINGS 1000u
#define LINE_PING 1u
#define LINE_PONG 2u
#define NOBODY UINT64_MAX

struct suite {
	unsigned int checks, failed;
};

static struct second {
	uint64_t affinity, first;
	uint64_t cr0, efer, rflags;
	volatile uint32_t runs, pings, beats;
	volatile uint32_t leave;
} second;

static volatile uint32_t pongs;

static void check(struct suite *s, const char *what, bool right, uint64_t found)
{
	s->checks++;
	if (right)
		return;
	s->failed++;
	printk("smp: %s: 0x%lx\n", what, found);
}

static void send(uint64_t to, unsigned int line)
{
	apic_send((uint32_t)to, ICR_ASSERT | ICR_FIXED | (VECTOR_LINES + line));
}

static void ping(void *context, uint64_t entered)
{
	(void)context;
	(void)entered;
	second.pings = second.pings + 1;
	send(second.first, LINE_PONG);
}

static void pong(void *context, uint64_t entered)
{
	(void)context;
	(void)entered;
	pongs = pongs + 1;
}

static void second_main(void *argument)
{
	(void)argument;
	second.affinity = cpu_affinity();
	second.cr0 = read_cr0();
	irq_init();
	second.runs = second.runs + 1;
	irq_unmask();
	while (!second.leave)
		second.beats = second.beats + 1;
	irq_mask();
}

/* Does it do anything within that time? */
static bool beats(uint64_t ns)
{
	uint32_t before = second.beats;
	uint64_t limit = timer_now() + timer_ns_to_ticks(ns);

	while (second.beats == before)
		if (timer_now() > limit)
			return false;
	return true;
}

static void exchange(struct suite *s, uint64_t affinity)
{
	uint32_t before = second.pings;

	pongs = 0;
	for (uint32_t i = 0; i < PINGS; i++) {
		uint32_t wanted = i + 1;

		send(affinity, LINE_PING);
		if (!timer_wait_count(&pongs, wanted, WAIT_NS))
			break;
	}
	check(s, "interrupts to the second CPU", second.pings - before == PINGS, second.pings - before);
	check(s, "interrupts from the second CPU", pongs == PINGS, pongs);
}

static void round(struct suite *s, uint64_t affinity)
{
	static unsigned char stack[8192] __attribute__((aligned(16)));
	uint32_t runs = second.runs;
	int64_t result;

	second.leave = 0;
	result = cpu_start(affinity, second_main, NULL, stack, sizeof(stack));
	check(s, "start of the second CPU", result == 0, (uint64_t)result);
	if (result)
		return;
	check(s, "the second CPU's run", timer_wait_count(&second.runs, runs + 1, WAIT_NS), second.runs);
	check(s, "its APIC id", second.affinity == affinity, second.affinity);
	exchange(s, affinity);
	cpu_send(affinity, ICR_SIPI | SECONDARY_VECTOR);
	check(s, "a SIPI to a running CPU", beats(WAIT_NS) && second.runs == runs + 1, second.runs);
	exchange(s, affinity);
	cpu_send(affinity, ICR_INIT);
	/* What it had under way */
	timer_sleep_until(timer_now() + timer_ns_to_ticks(QUIET_NS));
	check(s, "a CPU after INIT", !beats(QUIET_NS), second.beats);
}

/* One that may not be had: nothing happens to it, and nothing comes of it. */
static void stranger(struct suite *s, uint64_t affinity)
{
	uint32_t runs = second.runs;

	cpu_send(affinity, ICR_INIT);
	cpu_send(affinity, ICR_SIPI | SECONDARY_VECTOR);
	send(affinity, LINE_PING);
	timer_sleep_until(timer_now() + timer_ns_to_ticks(QUIET_NS));
	check(s, "a stranger that came", second.runs == runs, second.runs);
}

void inmate_main(void)
{
	uint64_t foreign = cmdline_get_int("foreign", NOBODY);
	uint64_t other = cmdline_get_int("second", cpu_affinity() + 1);
	struct suite s = { 0 };

	irq_init();
	irq_enable(LINE_PING, ping, NULL);
	irq_enable(LINE_PONG, pong, NULL);
	second.first = cpu_affinity();
	irq_unmask();
	for (unsigned int i = 0; i < 3; i++)
		round(&s, other);
	if (foreign != NOBODY)
		stranger(&s, foreign);
	if (s.failed)
		printk("smp: %u of %u checks failed\n", s.failed, s.checks);
	else
		printk("smp: ok %u checks\n", s.checks);
	inmate_serve();
}
