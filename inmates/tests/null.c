/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the ways in and out of a cell cost, in counter ticks: `iters` (1000) times each, the
 * counter read right before and right after. Run with one tick to an instruction (QEMU
 * -icount shift=0, 1 GHz counter) these are instruction counts, of all CPUs together: `wait`
 * (0) nanoseconds pass first, in which whoever started this comes to rest. On the bare
 * machine the hypercall is left out. `psci=smc` or `psci=hvc` says how VERSION is asked for.
 */
#include "inmate.h"
#include "arm64/cpu.h"
#include "arm64/gic.h"
#include "arm64/sysreg.h"

#define SGI 1u
#define UNKNOWN_HYPERCALL 0xff

struct stat {
	uint64_t count, min, max, sum;
	uint64_t at_min;	/* samples that took no longer */
};

/* One sample between two reads of the counter; no barriers: they would be counted too. */
#define COUNT_TICKS(instructions, ...) ({ \
	uint64_t t0, t1; \
	__asm__ volatile("mrs %0, cntvct_el0\n\t" instructions "\n\tmrs %1, cntvct_el0" \
			 : "=&r"(t0), "=&r"(t1) : __VA_ARGS__); \
	t1 - t0; \
})

static void stat_add(struct stat *s, uint64_t ticks)
{
	if (!s->count || ticks < s->min) {
		s->min = ticks;
		s->at_min = 0;
	}
	s->at_min += ticks == s->min;
	if (ticks > s->max)
		s->max = ticks;
	s->sum += ticks;
	s->count++;
}

static void stat_print(const char *what, const struct stat *s)
{
	printk("null: %s min=%lu avg=%lu max=%lu at_min=%lu\n", what, s->min, s->sum / s->count,
	       s->max, s->at_min);
}

static uint64_t sample_hypercall(void)
{
	register uint64_t x0 __asm__("x0") = UNKNOWN_HYPERCALL;
	uint64_t t0, t1;

	__asm__ volatile("mrs %0, cntvct_el0\n\thvc %3\n\tmrs %1, cntvct_el0"
			 : "=&r"(t0), "=&r"(t1), "+r"(x0) : "i"(ABI_HVC_IMMEDIATE)
			 : "x1", "x2", "x3", "memory");
	return t1 - t0;
}

#define SAMPLE_VERSION(instruction) \
	register uint64_t x0 __asm__("x0") = PSCI_VERSION; \
	uint64_t t0, t1; \
	__asm__ volatile("mrs %0, cntvct_el0\n\t" instruction "\n\tmrs %1, cntvct_el0" \
			 : "=&r"(t0), "=&r"(t1), "+r"(x0) \
			 :: "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", \
			    "x12", "x13", "x14", "x15", "x16", "x17", "memory"); \
	return t1 - t0

static uint64_t sample_version_hvc(void)
{
	SAMPLE_VERSION("hvc #0");
}

static uint64_t sample_version_smc(void)
{
	SAMPLE_VERSION("smc #0");
}

static uint64_t sample_gicd_read(void)
{
	return COUNT_TICKS("ldr wzr, [%2]", "r"(gic_distributor() + GICD_TYPER) : "memory");
}

/* Sets what is set. */
static uint64_t sample_gicr_write(void)
{
	return COUNT_TICKS("str %w3, [%2]",
			   "r"(gic_redistributor() + GICR_SGI_FRAME + GIC_ISENABLER),
			   "r"(1u << IRQ_TIMER) : "memory");
}

/* The sampled thing is done `iters` times; the first one, which fills caches, counts as well. */
static void measure(const char *what, uint64_t (*sample)(void), uint64_t iters)
{
	struct stat s = { 0 };

	for (uint64_t i = 0; i < iters; i++)
		stat_add(&s, sample());
	stat_print(what, &s);
}

struct vector {
	volatile uint64_t entered;	/* 0: not yet */
	uint64_t from;
};

static void vector_reached(void *context, uint64_t entered)
{
	struct vector *v = context;

	timer_disarm();
	if (entered >= v->from)
		v->entered = entered;
}

/* ICC_SGI1R_EL1 for that CPU: Aff3 [55:48], RS [47:44], Aff2 [39:32], Aff1 [23:16] */
static uint64_t sgi_to(uint64_t aff)
{
	uint64_t target = 1ull << (aff & 15) | (uint64_t)SGI << 24;

	target |= (aff >> 32 & 0xff) << 48 | (aff >> 16 & 0xff) << 32 | (aff >> 8 & 0xff) << 16;
	return target | (aff >> 4 & 15) << 44;
}

/* Another CPU of the cell, which is switched off and stays so; false: it has no other. */
static bool other_cpu(uint64_t *affinity)
{
	uint64_t typer = 0, frame = 0;

	while ((frame = gic_redistributor_next(frame, &typer))) {
		*affinity = typer >> 56 << 32 | (typer >> 32 & 0xffffff);
		if (*affinity != cpu_affinity() &&
		    psci_call(PSCI_AFFINITY_INFO, *affinity, 0, 0) == PSCI_AFFINITY_OFF)
			return true;
	}
	return false;
}

/* The sender's part of an SGI to another CPU: what the target then does costs it nothing. */
static void measure_sending(uint64_t iters)
{
	uint64_t affinity;
	struct stat s = { 0 };

	if (!other_cpu(&affinity))
		return;
	for (uint64_t i = 0; i < iters; i++)
		stat_add(&s, COUNT_TICKS("msr icc_sgi1r_el1, %2", "r"(sgi_to(affinity)) : "memory"));
	stat_print("SGI to another CPU, sent", &s);
}

/* From the write that sends it to the vector. */
static void measure_sgi(uint64_t iters, struct vector *v)
{
	struct stat s = { 0 };
	uint64_t target = sgi_to(cpu_affinity());

	irq_unmask();
	for (uint64_t i = 0; i < iters; i++) {
		uint64_t before;

		v->entered = 0;
		v->from = 0;
		__asm__ volatile("isb\n\tmrs %0, cntvct_el0\n\tmsr icc_sgi1r_el1, %1\n\tisb"
				 : "=&r"(before) : "r"(target) : "memory");
		while (!v->entered)
			;
		stat_add(&s, v->entered - before);
	}
	irq_mask();
	stat_print("self-SGI to vector", &s);
}

/* From the timer's deadline to the vector. */
static void measure_timer(const char *what, uint64_t iters, struct vector *v, bool wfi)
{
	uint64_t ahead = timer_ns_to_ticks(100000);
	struct stat s = { 0 };

	for (uint64_t i = 0; i < iters; i++) {
		v->entered = 0;
		v->from = timer_now() + ahead;
		timer_arm(v->from);
		irq_unmask();
		while (!v->entered) {
			if (!wfi)
				continue;
			irq_mask();
			if (!v->entered)
				irq_wait();
			irq_unmask();
			isb();
		}
		irq_mask();
		stat_add(&s, v->entered - v->from);
	}
	stat_print(what, &s);
}

void inmate_main(void)
{
	uint64_t iters = cmdline_get_int("iters", 1000);
	struct vector v = { 0 };
	char psci[4];

	if (!iters) {
		printk("null: iters=0: must be at least 1\n");
		inmate_stop(ABI_CELL_FAILED);
	}
	irq_init();
	timer_sleep_until(timer_now() + timer_ns_to_ticks(cmdline_get_int("wait", 0)));
	irq_enable(SGI, vector_reached, &v);
	irq_enable(IRQ_TIMER, vector_reached, &v);
	cmdline_get_str("psci", psci, sizeof(psci));
	if (hypervisor_present())
		measure("hypercall", sample_hypercall, iters);
	if (strcmp(psci, "smc") == 0)
		measure("PSCI_VERSION by smc", sample_version_smc, iters);
	else
		measure("PSCI_VERSION by hvc", sample_version_hvc, iters);
	measure("GICD_TYPER read", sample_gicd_read, iters);
	measure("GICR_ISENABLER0 write", sample_gicr_write, iters);
	measure_sgi(iters, &v);
	measure_sending(iters);
	measure_timer("timer to vector, spinning", iters, &v, false);
	measure_timer("timer to vector, from WFI", iters, &v, true);
	printk("null: done\n");
	inmate_serve();
}
