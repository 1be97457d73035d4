/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a cell sees itself that counts its two CPUs from 0 and sees the GIC where it wants to: all that
 * names a CPU, and that nothing of the machine's own names shows. Says `counted: ok N checks`, or
 * what is wrong.
 *
 *   gicd=A gicr=A   where it is to see them      line=N   a shared line of its own
 *   ram=A           memory of its own, at one of the machine's own addresses of the GIC
 */
#include "inmate.h"
#include "arm64/cpu.h"
#include "arm64/gic.h"
#include "arm64/sysreg.h"

#define CPUS 2u
#define FRAMES (2 * GIC_FRAME_SIZE)
#define LIMIT_NS 20000000000ull	/* how soon what is to come comes */
#define QUIET_NS 3000000ull	/* how long what is not to come stays away */
#define MPIDR_RES1 0x80000000ull
#define SGI 3u
#define PPI 18u			/* nobody's on the machines this runs on */
#define PRIORITY 0x50
#define SGI1R_IRM (1ull << 40)

struct test {
	unsigned int checks, wrong;
	uint64_t gicd, gicr;
	unsigned int line;
	/* what the second CPU says of itself */
	volatile uint64_t mpidr, own_frame;
	volatile bool ready;
	volatile uint32_t sgis[CPUS], lines[CPUS];
};

static struct test test;
static unsigned char stack[8192] __attribute__((aligned(16)));

static void expect(struct test *t, const char *what, uint64_t got, uint64_t want)
{
	t->checks++;
	if (got == want)
		return;
	t->wrong++;
	printk("counted: wrong: %s: 0x%lx, not 0x%lx\n", what, got, want);
}

static void check_places(struct test *t)
{
	uint64_t ram = cmdline_get_int("ram", 0);

	expect(t, "GICD in the communication page", gic_distributor(), t->gicd);
	expect(t, "GICR there", comm_page()->arch.arm64.gicr_base, t->gicr);
	if (!ram)
		return;
	for (uint64_t at = ram; at < ram + 0x1000; at += 8)
		mmio_write64(at, at * 3);
	for (uint64_t at = ram; at < ram + 0x1000; at += 8)
		if (mmio_read64(at) != at * 3)
			expect(t, "memory where the machine's GIC is", at, ram);
}

/* From the first one by what TYPER says, as any driver does. */
static void check_redistributors(struct test *t)
{
	uint64_t frame = 0, typer = 0;
	unsigned int n;

	for (n = 0; (frame = gic_redistributor_next(frame, &typer)); n++) {
		expect(t, "place of a redistributor", frame, t->gicr + n * FRAMES);
		expect(t, "its affinity", typer >> 32, n);
		expect(t, "its number", typer >> 8 & 0xffff, n);
		expect(t, "the last", typer >> 4 & 1, n == CPUS - 1);
		expect(t, "lower half", mmio_read32(frame + GICR_TYPER), typer & 0xffffffff);
		expect(t, "upper half", mmio_read32(frame + GICR_TYPER + 4), typer >> 32);
	}
	expect(t, "redistributors", n, CPUS);
	expect(t, "this CPU's", gic_redistributor(), t->gicr);
}

static int64_t info(uint64_t affinity)
{
	return psci_call(PSCI_AFFINITY_INFO, affinity, 0, 0);
}

/* The machine calls its CPUs 2 and 3, and there are four. */
static void check_names(struct test *t)
{
	static const uint64_t strangers[] = { 2, 3, 0x100, 0x80000001, 1ull << 32 };

	expect(t, "MPIDR_EL1", sysreg_read(mpidr_el1), MPIDR_RES1);
	expect(t, "AFFINITY_INFO of 0", (uint64_t)info(0), PSCI_AFFINITY_ON);
	expect(t, "AFFINITY_INFO of 1", (uint64_t)info(1), PSCI_AFFINITY_OFF);
	for (unsigned int i = 0; i < ARRAY_SIZE(strangers); i++) {
		expect(t, "AFFINITY_INFO of a stranger", (uint64_t)info(strangers[i]), (uint64_t)PSCI_INVALID_PARAMETERS);
		expect(t, "CPU_ON of a stranger",
		       (uint64_t)psci_call(PSCI_CPU_ON, strangers[i], image_start(), 0), (uint64_t)PSCI_INVALID_PARAMETERS);
	}
}

static void check_routes(struct test *t)
{
	uint64_t at = t->gicd + GICD_IROUTER + 8ull * t->line;

	mmio_write64(at, 1);
	expect(t, "IROUTER to 1", mmio_read64(at), 1);
	expect(t, "its lower half", mmio_read32(at), 1);
	expect(t, "its upper half", mmio_read32(at + 4), 0);
	mmio_write32(at, 0);
	expect(t, "IROUTER to 0 by half", mmio_read64(at), 0);
	mmio_write32(at, 1);
	expect(t, "IROUTER to 1 by half", mmio_read64(at), 1);
	mmio_write64(at, 3);
	expect(t, "IROUTER to a stranger", mmio_read64(at), 0);
}

static void count_sgi(void *context, uint64_t entered)
{
	struct test *t = context;

	(void)entered;
	t->sgis[cpu_affinity() % CPUS]++;
}

static void count_line(void *context, uint64_t entered)
{
	struct test *t = context;

	(void)entered;
	t->lines[cpu_affinity() % CPUS]++;
}

static void second(void *context)
{
	struct test *t = context;

	t->mpidr = sysreg_read(mpidr_el1);
	t->own_frame = gic_redistributor();
	irq_init();
	irq_enable(SGI, count_sgi, t);
	irq_enable(t->line, count_line, t);
	irq_unmask();
	t->ready = true;
	for (;;)
		irq_wait();
}

static void quiet(void)
{
	uint64_t limit = timer_now() + timer_ns_to_ticks(QUIET_NS);

	while (timer_now() < limit)
		;
}

/* The other's frame is this cell's to write, and is that CPU's own. */
static void check_second(struct test *t)
{
	uint64_t limit = timer_now() + timer_ns_to_ticks(LIMIT_NS), frame = t->gicr + FRAMES + GICR_SGI_FRAME;

	expect(t, "CPU_ON of 1", (uint64_t)cpu_start(1, second, t, stack, sizeof(stack)), 0);
	while (!t->ready && timer_now() < limit)
		;
	expect(t, "the second runs", t->ready, true);
	expect(t, "its MPIDR_EL1", t->mpidr, MPIDR_RES1 | 1);
	expect(t, "its redistributor", t->own_frame, t->gicr + FRAMES);
	expect(t, "AFFINITY_INFO of 1", (uint64_t)info(1), PSCI_AFFINITY_ON);
	mmio_write8(frame + GIC_IPRIORITYR + PPI, PRIORITY);
	expect(t, "a priority in its frame", mmio_read8(frame + GIC_IPRIORITYR + PPI), PRIORITY);
	mmio_write32(frame + GIC_ISENABLER, 1u << PPI);
	expect(t, "a line in its frame", mmio_read32(frame + GIC_ISENABLER) >> PPI & 1, 1);
	expect(t, "... that is not in this CPU's", mmio_read32(t->gicr + GICR_SGI_FRAME + GIC_ISENABLER) >> PPI & 1, 0);
}

static void send(struct test *t, uint64_t targets, unsigned int to_first, unsigned int to_second, const char *what)
{
	t->sgis[0] = t->sgis[1] = 0;
	dsb_sy();
	sysreg_write(icc_sgi1r_el1, (uint64_t)SGI << 24 | targets);
	isb();
	expect(t, what, timer_wait_count(&t->sgis[0], to_first, LIMIT_NS) &&
	       timer_wait_count(&t->sgis[1], to_second, LIMIT_NS), true);
	quiet();
	expect(t, what, t->sgis[0] << 16 | t->sgis[1], to_first << 16 | to_second);
}

static void check_interrupts(struct test *t)
{
	irq_enable(SGI, count_sgi, t);
	irq_unmask();
	send(t, 0x1, 1, 0, "SGI to 0");
	send(t, 0x2, 0, 1, "SGI to 1");
	send(t, 0x3, 1, 1, "SGI to both");
	send(t, 0xffff, 1, 1, "SGI to sixteen");
	send(t, 0xc, 0, 0, "SGI to the machine's 2 and 3");
	send(t, 0x10003, 0, 0, "SGI to another cluster");
	send(t, SGI1R_IRM, 0, 1, "SGI to all others");
	for (uint32_t i = 1; i <= 3; i++) {
		mmio_write32(t->gicd + GIC_ISPENDR + t->line / 32 * 4, 1u << t->line % 32);
		expect(t, "the line, routed to 1", timer_wait_count(&t->lines[1], i, LIMIT_NS), true);
	}
	mmio_write64(t->gicd + GICD_IROUTER + 8ull * t->line, 0);
	mmio_write32(t->gicd + GIC_ISPENDR + t->line / 32 * 4, 1u << t->line % 32);
	quiet();
	expect(t, "the line, routed away", t->lines[1], 3);
	irq_mask();
}

void inmate_main(void)
{
	struct test *t = &test;

	t->gicd = cmdline_get_int("gicd", 0);
	t->gicr = cmdline_get_int("gicr", 0);
	t->line = (unsigned int)cmdline_get_int("line", 0);
	check_places(t);
	check_redistributors(t);
	check_names(t);
	irq_init();
	check_routes(t);
	check_second(t);
	check_interrupts(t);
	if (t->wrong)
		printk("counted: %u of %u wrong\n", t->wrong, t->checks);
	else
		printk("counted: ok %u checks\n", t->checks);
	inmate_serve();
}
