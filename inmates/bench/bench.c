/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The benchmark's program: the same in a cell and on the bare machine. What it does is said on
 * its command line:
 *
 *   workload=A,B     names of the table below, one after the other
 *   samples=N        of each (1000), behind an eighth of them that do not count
 *   period=TICKS     from one timer deadline to the next (100 us)
 *   freq=HZ          what the counter must run at
 *   icount=1         a tick must be an instruction, and nothing else may run; x86_64: or
 *                    tick=N of them, as `-icount shift=` of the machine has it
 *   mmu=0|1          caches (on, with icount=1 off)
 *   wait=NS          rest before each workload
 *   uart=ADDRESS line=N   a PL011 (arm64) or an 8250's ports (x86_64) and a shared line that are
 *                    this program's own; arm64: where no device answers, `device` is `spi`
 *   cpu2=AFFINITY    the second CPU of `ipi` (the first that is off)
 *   loops=N          of the arithmetic in a round of `compute` (50000)
 *   psci=smc|hvc     arm64: how firmware is called (hvc)
 *
 * Nothing is said while a workload runs. Then, per workload:
 *
 *   bench: workload=timer-spin samples=1000 unit=ticks freq=1000000000 min=2 max=2
 *   bench: values 2:1000
 *   bench: exits total=0 mmio=0 ...
 *   bench: end workload=timer-spin
 *
 * `bench: tries N` says that the samples of N - 1 rounds were dropped, as another CPU ran.
 * Or `bench: refused: why` and no numbers before the end; `bench: done` behind the last.
 */
#include "bench.h"
#include "exception.h"

#define CHECK_LOOPS 5000u
#define CHECK_ROWS 10u
#define CHECK_TRIES 400u
#define TRIES 20u

static const struct workload workloads[] = {
	{ "timer-spin", begin_timer, sample_timer_spin, end_timer },
	{ "timer-wfi", begin_timer, sample_timer_wfi, end_timer },
	{ "tick", begin_tick, sample_tick, end_timer },
	{ "self-sgi", begin_sgi, sample_sgi, NULL },
	{ "ipi", begin_ipi, sample_ipi, end_ipi },
	{ "compute", begin_compute, sample_compute, end_compute },
};

/* Too large for a stack. */
static struct bench bench;
static struct histogram histogram;

/* By the library's vectors: on x86_64 what ends a sleep is taken. */
static void rest(uint64_t ns)
{
	vectors_library();
	timer_sleep_until(timer_now() + timer_ns_to_ticks(ns));
	vectors_bench();
}

static bool check_icount(const struct bench *b)
{
	uint64_t right = (2 * CHECK_LOOPS + 1) * TICKS_PER_INSTRUCTION(b);
	unsigned int in_a_row = 0;
	uint64_t last = 0;

	for (unsigned int i = 0; i < CHECK_TRIES && in_a_row < CHECK_ROWS; i++) {
		last = loop_ticks(CHECK_LOOPS);
		if (last == right) {
			in_a_row++;
			continue;
		}
		in_a_row = 0;
		rest(1000000);
	}
	if (in_a_row == CHECK_ROWS)
		return true;
	printk("bench: refused: icount is off or something else runs: %u instructions took %lu "
	       "ticks\n", 2 * CHECK_LOOPS + 1, last);
	return false;
}

static bool check_inputs(const struct bench *b)
{
	uint64_t told = cmdline_get_int("freq", 0), freq = timer_frequency();

	if (!freq || (told && told != freq)) {
		printk("bench: refused: the counter runs at %lu Hz, not at %lu: give the machine's "
		       "as freq=\n", freq, told);
		return false;
	}
	if (b->icount && freq != 1000000000) {
		printk("bench: refused: icount=1 needs a counter of 1 GHz, this one has %lu Hz\n",
		       freq);
		return false;
	}
	return !b->icount || check_icount(b);
}

/* False: another CPU ran during one of them, or another interrupt came. */
static bool sample_all(struct bench *b, const struct workload *w, struct exits *before,
		       struct exits *after)
{
	histogram_clear(b->histogram);
	b->spoilt = false;
	exits_read(b, before);
	for (uint64_t i = 0; i < b->samples && !b->spoilt; i++)
		histogram_add(b->histogram, w->sample(b));
	exits_read(b, after);
	return !b->spoilt;
}

static void report(const struct bench *b, const struct workload *w, unsigned int tries)
{
	printk("bench: workload=%s samples=%lu unit=ticks freq=%lu min=%lu max=%lu", w->name,
	       b->histogram->samples, timer_frequency(), b->histogram->min, b->histogram->max);
	if (b->histogram->coarse)
		printk(" resolution=%u", HISTOGRAM_RESOLUTION);
	printk("\n");
	if (tries > 1)
		printk("bench: tries %u\n", tries);
	histogram_print(b->histogram);
}

static void phase(struct bench *b, const struct workload *w)
{
	struct exits before, after;
	unsigned int tries = 0;
	bool whole = false;

	for (uint64_t i = 0; i < b->samples / 8 + 1; i++)
		w->sample(b);
	while (!whole && tries++ < TRIES)
		whole = sample_all(b, w, &before, &after);
	if (w->end)
		w->end(b);
	if (b->strays) {
		printk("bench: refused: workload=%s: %u interrupts that it does not expect came in "
		       "between, %u the last\n", w->name, b->strays, b->stray);
	} else if (!whole) {
		printk("bench: refused: workload=%s: other CPUs run each time: take fewer samples\n",
		       w->name);
	} else {
		report(b, w, tries);
		exits_print(&before, &after);
	}
}

static const struct workload *find(const struct bench *b, const char *name)
{
	if (strcmp(name, "device") == 0 && !b->uart)
		name = DEVICE_SUBSTITUTE;
	for (size_t i = 0; i < ARRAY_SIZE(workloads); i++)
		if (strcmp(workloads[i].name, name) == 0)
			return &workloads[i];
	for (size_t i = 0; i < arch_workload_count; i++)
		if (strcmp(arch_workloads[i].name, name) == 0)
			return &arch_workloads[i];
	return NULL;
}

/* Before the workload makes its own arrangements: one of them unmasks. */
static bool begin(struct bench *b, const struct workload *w)
{
	drain();
	return !w->begin || w->begin(b);
}

static void run(struct bench *b, const char *name)
{
	const struct workload *w = find(b, name);

	b->strays = 0;
	rest(cmdline_get_int("wait", 0));
	if (!w)
		printk("bench: refused: workload=%s: there is none of this name\n", name);
	else if (check_inputs(b) && begin(b, w))
		phase(b, w);
	printk("bench: end workload=%s\n", w ? w->name : name);
}

static void run_all(struct bench *b)
{
	char names[200], *name = names, *at = names;
	bool last = false;

	if (!cmdline_get_str("workload", names, sizeof(names))) {
		printk("bench: refused: which? give workload=NAME\n");
		last = true;
	}
	while (!last) {
		while (*at && *at != ',')
			at++;
		last = !*at;
		*at++ = '\0';
		run(b, name);
		name = at;
	}
	printk("bench: done\n");
}

static void touch(void *argument)
{
	(void)mmio_read32(*(const uint64_t *)argument);
}

/* A configuration may give a cell what this machine was built without. */
static void check_uart(struct bench *b)
{
	struct exception_catch c;

	if (!b->uart || ARCH_HAS_PORTS)
		return;
	exception_call(&c, touch, &b->uart);
	if (!c.count)
		return;
	printk("bench: there is no device at 0x%lx (", b->uart);
	exception_print(&c);
	printk("): its line is made pending instead\n");
	b->uart = 0;
}

void inmate_main(void)
{
	struct bench *b = &bench;

	b->icount = cmdline_get_bool("icount", false);
	b->samples = cmdline_get_int("samples", 1000);
	b->period = cmdline_get_int("period", timer_ns_to_ticks(100000));
	b->loops = cmdline_get_int("loops", 50000);
	b->uart = cmdline_get_int("uart", 0);
	b->line = cmdline_get_int("line", 0);
	b->target = cmdline_get_int("cpu2", NO_CPU);
	b->tick = cmdline_get_int("tick", 1);
	b->histogram = &histogram;
	if (!b->samples || !b->period || !b->loops) {
		printk("bench: refused: samples, period and loops must be at least 1\nbench: done\n");
		inmate_stop(ABI_CELL_FAILED);
	}
	b->hypervisor = hypervisor_present();
	irq_init();
	if (cmdline_get_bool("mmu", !b->icount)) {
		if (b->uart && !ARCH_HAS_PORTS)
			mmu_map_device(b->uart, 0x1000);
		mmu_enable();
	}
	check_uart(b);
	exits_find_cpus(b);
	irq_enable(IRQ_TIMER, NULL, NULL);
	vectors_bench();
	run_all(b);
	/* Stays to be shut down, asleep; nothing wakes it. */
	timer_disarm();
	for (;;)
		irq_wait();
}
