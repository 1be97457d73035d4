/* SPDX-License-Identifier: GPL-2.0-only */
/* No barriers between the two reads of the counter: they would be counted too. */
#include "bench.h"
#include "device.h"
#include "arm64/cpu.h"
#include "arm64/gic.h"

#define UNKNOWN_HYPERCALL 0xff

static bool begin_hypercall(struct bench *b)
{
	if (!b->hypervisor)
		printk("bench: refused: workload=hypercall: there is no hypervisor to call\n");
	return b->hypervisor;
}

static uint64_t sample_hypercall(struct bench *b)
{
	register uint64_t x0 __asm__("x0") = UNKNOWN_HYPERCALL;
	uint64_t t0, t1;

	(void)b;
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

static uint64_t version_by_hvc(void)
{
	SAMPLE_VERSION("hvc #0");
}

static uint64_t version_by_smc(void)
{
	SAMPLE_VERSION("smc #0");
}

static bool begin_psci(struct bench *b)
{
	char conduit[4];

	b->address = cmdline_get_str("psci", conduit, sizeof(conduit)) && strcmp(conduit, "smc") == 0;
	return true;
}

static uint64_t sample_psci(struct bench *b)
{
	return b->address ? version_by_smc() : version_by_hvc();
}

static bool begin_gicd(struct bench *b)
{
	b->address = gic_distributor() + GICD_TYPER;
	return true;
}

static uint64_t sample_gicd_read(struct bench *b)
{
	uint64_t t0, t1;

	__asm__ volatile("mrs %0, cntvct_el0\n\tldr wzr, [%2]\n\tmrs %1, cntvct_el0"
			 : "=&r"(t0), "=&r"(t1) : "r"(b->address) : "memory");
	return t1 - t0;
}

static bool begin_gicr(struct bench *b)
{
	b->address = gic_redistributor() + GICR_SGI_FRAME + GIC_ISENABLER;
	return true;
}

/* Sets what is set. */
static uint64_t sample_gicr_write(struct bench *b)
{
	uint64_t t0, t1;

	__asm__ volatile("mrs %0, cntvct_el0\n\tstr %w3, [%2]\n\tmrs %1, cntvct_el0"
			 : "=&r"(t0), "=&r"(t1) : "r"(b->address), "r"(1u << IRQ_TIMER)
			 : "memory");
	return t1 - t0;
}

const struct workload arch_workloads[] = {
	{ "device", begin_device, sample_device, end_device },
	{ "spi", begin_spi, sample_spi, end_spi },
	{ "hypercall", begin_hypercall, sample_hypercall, NULL },
	{ "psci", begin_psci, sample_psci, NULL },
	{ "gicd-read", begin_gicd, sample_gicd_read, NULL },
	{ "gicr-write", begin_gicr, sample_gicr_write, NULL },
};
const size_t arch_workload_count = ARRAY_SIZE(arch_workloads);
