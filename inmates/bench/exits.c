/* SPDX-License-Identifier: GPL-2.0-only */
#include "bench.h"

/* As the driver calls them in sysfs. */
static const char *const names[ABI_STAT_COUNT] = {
	[ABI_STAT_TOTAL] = "total",
	[ABI_STAT_MMIO] = "mmio",
	[ABI_STAT_MANAGEMENT] = "management",
	[ABI_STAT_HYPERCALL] = "hypercall",
	[ABI_STAT_ARM64_SGI] = "sgi",
	[ABI_STAT_ARM64_PSCI] = "psci",
	[ABI_STAT_ARM64_SMCCC] = "smccc",
	[ABI_STAT_ARM64_SYSREG] = "sysreg",
	[ABI_STAT_ARM64_WFI] = "wfi",
	[ABI_STAT_ARM64_FAULT] = "fault",
	[ABI_STAT_ARM64_IRQ] = "irq",
	[ABI_STAT_ARM64_MAINTENANCE] = "maintenance",
	[ABI_STAT_ARM64_OTHER] = "other",
	[ABI_STAT_OVER_BUDGET] = "over_budget",
};

/* The CPUs of other cells are not answered for. */
void exits_find_cpus(struct bench *b)
{
	b->cpu_count = 0;
	if (!b->hypervisor)
		return;
	for (uint32_t cpu = 0; cpu < ARRAY_SIZE(b->cpus); cpu++)
		if (hypercall(ABI_HC_CPU_INFO, cpu, ABI_CPU_INFO_STATE) >= 0)
			b->cpus[b->cpu_count++] = cpu;
}

void exits_read(const struct bench *b, struct exits *e)
{
	for (unsigned int stat = 0; stat < ABI_STAT_COUNT; stat++) {
		uint64_t sum = 0;
		bool known = b->cpu_count;

		for (unsigned int i = 0; i < b->cpu_count; i++) {
			int64_t value = hypercall(ABI_HC_CPU_INFO, b->cpus[i],
						  ABI_CPU_INFO_STAT + stat);

			known = known && value >= 0;
			sum += (uint64_t)value;
		}
		e->count[stat] = sum;
		e->known[stat] = known;
	}
}

void exits_print(const struct bench *b, const struct exits *before, const struct exits *after)
{
	uint64_t asked = (uint64_t)b->cpu_count * ABI_STAT_COUNT;
	unsigned int on_line = 0;

	for (unsigned int stat = 0; stat < ABI_STAT_COUNT; stat++) {
		uint64_t count = after->count[stat] - before->count[stat];

		if (!names[stat] || !before->known[stat] || !after->known[stat])
			continue;
		/* From a counter's first reading to its second all of them are asked for once. */
		if (stat == ABI_STAT_TOTAL || stat == ABI_STAT_HYPERCALL)
			count -= asked;
		if (!on_line)
			printk("bench: exits");
		printk(" %s=%lu", names[stat], count);
		if (++on_line == 5) {
			printk("\n");
			on_line = 0;
		}
	}
	if (on_line)
		printk("\n");
}
