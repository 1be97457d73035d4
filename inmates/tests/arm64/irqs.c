/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interrupts of every kind, as a program may use them: whether the hypervisor hands them on
 * or they come by themselves, the program must not see a difference. Says `ok N checks`, or what
 * is wrong, and in between what it cost: exits of this CPU while it counted.
 *
 *   lines=F count=C (19) extra=E   shared lines that are the cell's: F to F+C-1, and E
 *   cpu=N (0)     the hypervisor's number of this CPU      ticks=T (200) timer interrupts
 *   peer=N        the cell's second CPU, by affinity: software interrupts to and fro, and
 *                 a shared line routed to it
 *   hold          leaves interrupts active and pending, masks everything and spins
 */
#include "inmate.h"
#include "arm64/gic.h"
#include "arm64/sysreg.h"

#define LINES_MAX 20u
#define SPURIOUS 1023u
#define PRIORITY 0xa0
#define EOIMODE 2		/* ICC_CTLR_EL1 */
#define ROUNDS 500u
#define LIMIT_NS 20000000000ull	/* how soon one must come that may */
#define QUIET_NS 3000000ull	/* how long one must not come that may not */
#define SGI_THERE 1u
#define SGI_BACK 2u
#define PPI_A 18u		/* nobody's on the machines this runs on */
#define PPI_B 19u

struct tally {
	volatile uint32_t count[1020];
	unsigned int order[64];
	volatile unsigned int taken;
};

struct test {
	uint64_t gicd, frame;		/* frame: the SGI frame of this CPU's redistributor */
	unsigned int line[LINES_MAX];
	unsigned int lines, checks, wrong;
	uint64_t cpu;
	struct tally tally;
	volatile uint32_t there, back, routed;
	volatile bool peer_ready;
	uint64_t self, peer;
	uint64_t deadline, period;
	volatile uint32_t ticks;
	uint32_t ticks_wanted;
	/* of check_nesting() */
	unsigned int outer, inner, later;
};

static struct test test;
static unsigned char stack[8192] __attribute__((aligned(16)));

static bool expect(struct test *t, bool right, const char *what, uint64_t got)
{
	t->checks++;
	if (!right) {
		t->wrong++;
		printk("irqs: wrong: %s (%lu)\n", what, got);
	}
	return right;
}

/* A line's bit in a bank of one bit a line. */
static void set_bit(struct test *t, unsigned int bank, unsigned int line)
{
	mmio_write32((line < 32 ? t->frame : t->gicd) + bank + line / 32 * 4, 1u << line % 32);
	dsb_sy();
}

static bool get_bit(struct test *t, unsigned int bank, unsigned int line)
{
	return mmio_read32((line < 32 ? t->frame : t->gicd) + bank + line / 32 * 4) >> line % 32 & 1;
}

static void set_priority(struct test *t, unsigned int line, unsigned int priority)
{
	mmio_write8((line < 32 ? t->frame : t->gicd) + GIC_IPRIORITYR + line, (uint8_t)priority);
	dsb_sy();
}

static void set_edge(struct test *t, unsigned int line, bool edge)
{
	uint64_t at = t->gicd + GIC_ICFGR + line / 16 * 4;
	unsigned int shift = line % 16 * 2;

	set_bit(t, GIC_ICENABLER, line);
	mmio_write32(at, (mmio_read32(at) & ~(3u << shift)) | (edge ? 2u : 0) << shift);
	set_bit(t, GIC_ISENABLER, line);
}

static void send(uint64_t to, unsigned int sgi)
{
	dsb_sy();
	sysreg_write(icc_sgi1r_el1, (uint64_t)sgi << 24 | (to >> 32 & 0xff) << 48 | (to >> 16 & 0xff) << 32 |
		     (to >> 8 & 0xff) << 16 | (to >> 4 & 15) << 44 | 1ull << (to & 15));
	isb();
}

static void pend(struct test *t, unsigned int line)
{
	if (line < 16)
		send(t->self, line);
	else
		set_bit(t, GIC_ISPENDR, line);
}

static unsigned int acknowledge(void)
{
	unsigned int line = (unsigned int)sysreg_read(icc_iar1_el1) & 0xffffff;

	dsb_sy();
	return line;
}

static void end(unsigned int line)
{
	sysreg_write(icc_eoir1_el1, line);
	isb();
}

/* With interrupts masked: this one is acknowledged next, and soon. */
static bool comes(struct test *t, unsigned int line, const char *what)
{
	uint64_t limit = timer_now() + timer_ns_to_ticks(LIMIT_NS);
	unsigned int got;

	do
		got = acknowledge();
	while (got == SPURIOUS && timer_now() < limit);
	return expect(t, got == line, what, got);
}

static void quiet(struct test *t, const char *what)
{
	uint64_t limit = timer_now() + timer_ns_to_ticks(QUIET_NS);
	unsigned int got;

	do
		got = acknowledge();
	while (got == SPURIOUS && timer_now() < limit);
	expect(t, got == SPURIOUS, what, got);
	if (got != SPURIOUS)
		end(got);
}

static void comes_once(struct test *t, unsigned int line, const char *what)
{
	if (comes(t, line, what))
		end(line);
	quiet(t, what);
}

static uint64_t stat(struct test *t, unsigned int reason)
{
	int64_t value = hypercall(ABI_HC_CPU_INFO, t->cpu, ABI_CPU_INFO_STAT + reason);

	if (value >= 0)
		return (uint64_t)value;
	printk("irqs: no statistics of CPU %lu (%ld): give the number of this cell's CPU: cpu=N\n",
	       t->cpu, value);
	inmate_stop(ABI_CELL_FAILED);
}

/* Checks with interrupts masked, by acknowledging them where the program wants to --------- */

static void check_pended(struct test *t)
{
	for (unsigned int edge = 0; edge < 2; edge++) {
		set_edge(t, t->line[0], edge);
		for (unsigned int i = 0; i < 3; i++) {
			pend(t, t->line[0]);
			comes_once(t, t->line[0], edge ? "edge line, pended" : "level line, pended");
		}
	}
	pend(t, PPI_A);
	comes_once(t, PPI_A, "private line, pended");
	pend(t, t->line[t->lines - 1]);
	comes_once(t, t->line[t->lines - 1], "extra line, pended");
}

/* One that is pending, and by now perhaps on its way, is masked: it waits. */
static void check_masked_while_pending(struct test *t)
{
	static const char text[] = "pending, masked, unmasked";
	unsigned int lines[] = { t->line[1], PPI_A };

	for (unsigned int i = 0; i < ARRAY_SIZE(lines); i++) {
		pend(t, lines[i]);
		set_bit(t, GIC_ICENABLER, lines[i]);
		quiet(t, text);
		set_bit(t, GIC_ISENABLER, lines[i]);
		comes_once(t, lines[i], text);
	}
}

static void check_withdrawn(struct test *t)
{
	pend(t, t->line[1]);
	set_bit(t, GIC_ICENABLER, t->line[1]);
	set_bit(t, GIC_ICPENDR, t->line[1]);
	set_bit(t, GIC_ISENABLER, t->line[1]);
	quiet(t, "pending, masked, cleared, unmasked");
}

static void check_again_while_active(struct test *t)
{
	unsigned int lines[] = { t->line[2], 5 };

	for (unsigned int i = 0; i < ARRAY_SIZE(lines); i++) {
		pend(t, lines[i]);
		comes(t, lines[i], "first");
		pend(t, lines[i]);
		quiet(t, "again before it was ended");
		end(lines[i]);
		comes_once(t, lines[i], "again after it was ended");
	}
}

static void check_active_bit(struct test *t)
{
	pend(t, t->line[2]);
	comes(t, t->line[2], "first");
	expect(t, get_bit(t, GIC_ISACTIVER, t->line[2]), "active, and ISACTIVER says no", t->line[2]);
	end(t->line[2]);
	expect(t, !get_bit(t, GIC_ISACTIVER, t->line[2]), "ended, and ISACTIVER says active", t->line[2]);
}

static void check_sgis(struct test *t)
{
	for (unsigned int sgi = 0; sgi < 15; sgi++) {
		pend(t, sgi);
		comes_once(t, sgi, "software interrupt to itself");
	}
	pend(t, 7);
	pend(t, 7);
	comes_once(t, 7, "the same software interrupt twice is one");
}

static void check_not_ended(struct test *t)
{
	unsigned int first = t->line[3], lower = t->line[4], higher = t->line[5];

	set_priority(t, first, 0x80);
	set_priority(t, lower, 0xa0);
	set_priority(t, higher, 0x40);
	pend(t, first);
	comes(t, first, "the first");
	pend(t, lower);
	quiet(t, "less urgent than one that was not ended");
	pend(t, higher);
	if (comes(t, higher, "more urgent than one that was not ended"))
		end(higher);
	end(first);
	comes_once(t, lower, "what waited for the end");
}

static void check_masks(struct test *t)
{
	unsigned int high = t->line[6], low = t->line[7];

	set_priority(t, high, 0x40);
	set_priority(t, low, 0xa0);
	sysreg_write(icc_pmr_el1, 0x80);
	isb();
	pend(t, low);
	quiet(t, "masked by ICC_PMR_EL1");
	pend(t, high);
	comes_once(t, high, "above ICC_PMR_EL1");
	sysreg_write(icc_pmr_el1, 0xff);
	isb();
	comes_once(t, low, "ICC_PMR_EL1 opened");
	sysreg_write(icc_igrpen1_el1, 0);
	isb();
	pend(t, low);
	quiet(t, "masked by ICC_IGRPEN1_EL1");
	sysreg_write(icc_igrpen1_el1, 1);
	isb();
	comes_once(t, low, "ICC_IGRPEN1_EL1 opened");
}

static void check_eoimode(struct test *t)
{
	unsigned int lines[] = { t->line[8], PPI_B, 6 };

	sysreg_write(icc_ctlr_el1, EOIMODE);
	isb();
	expect(t, sysreg_read(icc_ctlr_el1) & EOIMODE, "ICC_CTLR_EL1.EOImode does not read 1", 0);
	for (unsigned int i = 0; i < 3 * ARRAY_SIZE(lines); i++) {
		unsigned int line = lines[i / 3];

		pend(t, line);
		if (!comes(t, line, "EOImode 1"))
			break;
		end(line);
		pend(t, line);
		quiet(t, "EOImode 1, ended and not deactivated");
		sysreg_write(icc_dir_el1, line);
		isb();
		if (comes(t, line, "EOImode 1, deactivated"))
			end(line);
		sysreg_write(icc_dir_el1, line);
		isb();
		quiet(t, "EOImode 1, deactivated twice");
	}
	sysreg_write(icc_ctlr_el1, 0);
	isb();
}

/* Checks with interrupts taken ----------------------------------------------------------- */

static void note(void *context, uint64_t entered)
{
	struct test *t = &test;
	unsigned int line = (unsigned int)(uintptr_t)context;

	(void)entered;
	t->tally.count[line]++;
	if (t->tally.taken < ARRAY_SIZE(t->tally.order))
		t->tally.order[t->tally.taken] = line;
	t->tally.taken++;
}

/* Counts what is taken of these, from now on. */
static void note_lines(struct test *t, const unsigned int *lines, unsigned int count)
{
	memset(&t->tally, 0, sizeof(t->tally));
	for (unsigned int i = 0; i < count; i++) {
		irq_enable(lines[i], note, (void *)(uintptr_t)lines[i]);
		if (lines[i] >= 32)
			set_edge(t, lines[i], true);
	}
}

static void forget_lines(const unsigned int *lines, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		irq_disable(lines[i]);
}

static bool taken_soon(struct test *t, unsigned int count)
{
	uint64_t limit = timer_now() + timer_ns_to_ticks(LIMIT_NS), still;

	while (t->tally.taken < count && timer_now() < limit)
		;
	/* ... and not one more */
	still = timer_now() + timer_ns_to_ticks(QUIET_NS);
	while (timer_now() < still)
		;
	return t->tally.taken == count;
}

static void check_tally(struct test *t, const unsigned int *lines, const uint8_t *priorities,
			unsigned int count)
{
	unsigned int last = 0, i, j;

	for (i = 0; i < count; i++)
		expect(t, t->tally.count[lines[i]] == 1, "each of many at once, this one not once", lines[i]);
	for (i = 0; i < count && i < t->tally.taken; i++) {
		for (j = 0; j < count && lines[j] != t->tally.order[i]; j++)
			;
		expect(t, j < count && priorities[j] >= last, "out of the order of priorities", t->tally.order[i]);
		last = j < count ? priorities[j] : last;
	}
}

/* More than any CPU has list registers: 16 shared lines, 2 private, 6 software interrupts. */
static void check_many(struct test *t)
{
	unsigned int lines[IRQ_SHARED_MAX + 8], n = 0;
	uint8_t priorities[ARRAY_SIZE(lines)];

	for (unsigned int i = 0; i < IRQ_SHARED_MAX; i++)
		lines[n++] = t->line[t->lines - 1 - i];
	lines[n++] = PPI_A;
	lines[n++] = PPI_B;
	for (unsigned int sgi = 8; sgi < 14; sgi++)
		lines[n++] = sgi;
	note_lines(t, lines, n);
	for (unsigned int round = 0; round < 4; round++) {
		memset(&t->tally, 0, sizeof(t->tally));
		for (unsigned int i = 0; i < n; i++) {
			priorities[i] = (uint8_t)(0x20 + (i * 5 + round * 3) % 13 * 0x10);
			set_priority(t, lines[i], priorities[i]);
		}
		for (unsigned int i = 0; i < n; i++)
			pend(t, lines[round & 1 ? n - 1 - i : i]);
		irq_unmask();
		expect(t, taken_soon(t, n), "so many were taken of many at once", t->tally.taken);
		irq_mask();
		check_tally(t, lines, priorities, n);
	}
	forget_lines(lines, n);
}

static void outer(void *context, uint64_t entered)
{
	struct test *t = context;
	uint64_t limit = timer_now() + timer_ns_to_ticks(LIMIT_NS), still;

	note((void *)(uintptr_t)t->outer, entered);
	pend(t, t->later);
	pend(t, t->inner);
	irq_unmask();
	while (t->tally.taken < 2 && timer_now() < limit)
		;
	still = timer_now() + timer_ns_to_ticks(QUIET_NS);
	while (timer_now() < still)
		;
	irq_mask();
	expect(t, t->tally.taken == 2, "inside a handler so many were taken, not 2", t->tally.taken);
}

/* A handler that lets others in: the more urgent one comes, the less urgent one waits. */
static void check_nesting(struct test *t)
{
	const unsigned int cases[][3] = {
		{ t->line[0], t->line[1], t->line[2] }, { 4, t->line[1], 9 }, { t->line[0], 4, PPI_A },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		t->outer = cases[i][0];
		t->inner = cases[i][1];
		t->later = cases[i][2];
		note_lines(t, cases[i], 3);
		irq_enable(t->outer, outer, t);
		set_priority(t, t->outer, 0x80);
		set_priority(t, t->inner, 0x40);
		set_priority(t, t->later, 0xc0);
		pend(t, t->outer);
		irq_unmask();
		expect(t, taken_soon(t, 3), "nested: so many were taken, not 3", t->tally.taken);
		irq_mask();
		expect(t, t->tally.order[0] == t->outer && t->tally.order[1] == t->inner &&
		       t->tally.order[2] == t->later, "nested: the order", i);
		forget_lines(cases[i], 3);
	}
}

static void tick(void *context, uint64_t entered)
{
	struct test *t = context;

	if (entered < t->deadline)
		return;
	t->ticks = t->ticks + 1;
	t->deadline += t->period;
	if (t->ticks < t->ticks_wanted)
		timer_arm(t->deadline);
	else
		timer_disarm();
}

static void check_timer(struct test *t, bool sleep)
{
	uint64_t total = stat(t, ABI_STAT_TOTAL), irq = stat(t, ABI_STAT_ARM64_IRQ);

	t->ticks = 0;
	t->period = timer_ns_to_ticks(500000);
	t->deadline = timer_now() + t->period;
	timer_arm(t->deadline);
	while (t->ticks < t->ticks_wanted) {
		irq_mask();
		if (sleep && t->ticks < t->ticks_wanted)
			irq_wait();
		irq_unmask();
	}
	irq_mask();
	irq = stat(t, ABI_STAT_ARM64_IRQ) - irq;
	/* Three of the four questions lie between the first and the last answer */
	total = stat(t, ABI_STAT_TOTAL) - total - 3;
	expect(t, t->ticks == t->ticks_wanted, "timer interrupts", t->ticks);
	printk("irqs: timer%s ticks=%u irq=%lu exits=%lu\n", sleep ? " wfi" : "", t->ticks, irq, total);
}

/* With a second CPU --------------------------------------------------------------------- */

static void there(void *context, uint64_t entered)
{
	struct test *t = context;

	(void)entered;
	t->there = t->there + 1;
	send(t->self, SGI_BACK);
}

static void back(void *context, uint64_t entered)
{
	struct test *t = context;

	(void)entered;
	t->back = t->back + 1;
}

static void routed(void *context, uint64_t entered)
{
	struct test *t = context;

	(void)entered;
	if (cpu_affinity() == t->peer)
		t->routed = t->routed + 1;
}

static void peer_main(void *context)
{
	struct test *t = context;

	irq_init();
	irq_enable(SGI_THERE, there, t);
	irq_enable(t->line[9], routed, t);
	irq_unmask();
	t->peer_ready = true;
	for (;;)
		irq_wait();
}

static void check_peer(struct test *t)
{
	uint64_t limit = timer_now() + timer_ns_to_ticks(LIMIT_NS), sgi, irq, total;
	int64_t result = cpu_start(t->peer, peer_main, t, stack, sizeof(stack));
	uint32_t i;

	while (!t->peer_ready && timer_now() < limit)
		;
	if (!expect(t, result == 0 && t->peer_ready, "the second CPU does not start", (uint64_t)result))
		return;
	irq_enable(SGI_BACK, back, t);
	irq_unmask();
	total = stat(t, ABI_STAT_TOTAL);
	sgi = stat(t, ABI_STAT_ARM64_SGI);
	irq = stat(t, ABI_STAT_ARM64_IRQ);
	for (i = 0; i < ROUNDS; i++) {
		send(t->peer, SGI_THERE);
		if (!timer_wait_count(&t->back, i + 1, LIMIT_NS))
			break;
	}
	irq = stat(t, ABI_STAT_ARM64_IRQ) - irq;
	sgi = stat(t, ABI_STAT_ARM64_SGI) - sgi;
	total = stat(t, ABI_STAT_TOTAL) - total - 5;
	expect(t, t->there == ROUNDS, "software interrupts to the other CPU", t->there);
	expect(t, t->back == ROUNDS, "software interrupts back", t->back);
	printk("irqs: peer rounds=%u sgi=%lu irq=%lu exits=%lu\n", t->back, sgi, irq, total);
	for (i = 0; i < ROUNDS; i++) {
		pend(t, t->line[9]);
		if (!timer_wait_count(&t->routed, i + 1, LIMIT_NS))
			break;
	}
	expect(t, t->routed == ROUNDS, "a shared line routed to the other CPU", t->routed);
	irq_mask();
}

/* ------------------------------------------------------------------------------------- */

static void set_up(struct test *t)
{
	unsigned int first = (unsigned int)cmdline_get_int("lines", 0);
	unsigned int count = (unsigned int)cmdline_get_int("count", LINES_MAX - 1);

	t->gicd = gic_distributor();
	t->self = cpu_affinity();
	irq_init();
	t->frame = gic_redistributor() + GICR_SGI_FRAME;
	while (t->lines < count && t->lines < LINES_MAX - 1) {
		t->line[t->lines] = first + t->lines;
		t->lines++;
	}
	t->line[t->lines++] = (unsigned int)cmdline_get_int("extra", first + count - 1);
	for (unsigned int i = 0; i < t->lines; i++) {
		set_bit(t, GIC_ICENABLER, t->line[i]);
		set_bit(t, GIC_ICPENDR, t->line[i]);
		mmio_write64(t->gicd + GICD_IROUTER + 8ull * t->line[i], t->self);
		set_priority(t, t->line[i], PRIORITY);
		set_edge(t, t->line[i], true);
	}
	for (unsigned int line = 0; line < 32; line++) {
		if (line == IRQ_TIMER || (line >= 15 && line != PPI_A && line != PPI_B))
			continue;
		set_priority(t, line, PRIORITY);
		set_bit(t, GIC_ISENABLER, line);
	}
}

/* Four active, one above the other, and more pending than there is room for; then silence. */
static _Noreturn void hold(struct test *t)
{
	for (unsigned int i = 0; i < 4; i++) {
		set_priority(t, t->line[i], 0xc0 - i * 0x20);
		pend(t, t->line[i]);
		comes(t, t->line[i], "to be held");
	}
	for (unsigned int i = 4; i < t->lines; i++)
		pend(t, t->line[i]);
	for (unsigned int sgi = 0; sgi < 15; sgi++)
		pend(t, sgi);
	printk("irqs: holds %u\n", t->wrong);
	__asm__ volatile("msr daifset, #0xf" ::: "memory");
	for (;;)
		__asm__ volatile("" ::: "memory");
}

void inmate_main(void)
{
	struct test *t = &test;
	uint64_t maintenance;

	t->cpu = cmdline_get_int("cpu", 0);
	t->peer = cmdline_get_int("peer", UINT64_MAX);
	t->ticks_wanted = (uint32_t)cmdline_get_int("ticks", 200);
	set_up(t);
	if (cmdline_get_bool("hold", false))
		hold(t);
	quiet(t, "something pending at the start");
	check_pended(t);
	check_masked_while_pending(t);
	check_withdrawn(t);
	check_again_while_active(t);
	check_active_bit(t);
	check_sgis(t);
	check_not_ended(t);
	check_masks(t);
	check_eoimode(t);
	maintenance = stat(t, ABI_STAT_ARM64_MAINTENANCE);
	check_many(t);
	printk("irqs: many maintenance=%lu\n", stat(t, ABI_STAT_ARM64_MAINTENANCE) - maintenance);
	check_nesting(t);
	irq_enable(IRQ_TIMER, tick, t);
	check_timer(t, false);
	check_timer(t, true);
	if (t->peer != UINT64_MAX)
		check_peer(t);
	if (t->wrong)
		printk("irqs: %u of %u wrong\n", t->wrong, t->checks);
	else
		printk("irqs: ok %u checks\n", t->checks);
	inmate_serve();
}
