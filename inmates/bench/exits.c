/* SPDX-License-Identifier: GPL-2.0-only */
#include "bench.h"

#define READ_TRIES 50u

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

static void read_once(struct bench *b, struct exits *e)
{
	e->asked = b->asked;
	b->asked += (uint64_t)b->cpu_count * ABI_STAT_COUNT;
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

/*
 * The total, asked for first, is that of the reasons unless there was an exit in between that is
 * none of the asking.
 */
static bool is_whole(const struct bench *b, const struct exits *e)
{
	uint64_t sum = 0;

	for (unsigned int stat = 0; stat < ABI_STAT_COUNT; stat++)
		if (exit_names[stat] && e->known[stat] && stat != ABI_STAT_TOTAL &&
		    stat != ABI_STAT_OVER_BUDGET)
			sum += e->count[stat];
	sum -= (uint64_t)b->cpu_count * (ABI_STAT_HYPERCALL - ABI_STAT_TOTAL);
	return sum == e->count[ABI_STAT_TOTAL];
}

void exits_read(struct bench *b, struct exits *e)
{
	for (unsigned int i = 0; b->cpu_count && i < READ_TRIES; i++) {
		read_once(b, e);
		if (is_whole(b, e))
			return;
	}
	memset(e, 0, sizeof(*e));
}

void exits_print(const struct exits *before, const struct exits *after)
{
	uint64_t asked = after->asked - before->asked;
	unsigned int on_line = 0;

	for (unsigned int stat = 0; stat < ABI_STAT_COUNT; stat++) {
		uint64_t count = after->count[stat] - before->count[stat];

		if (!exit_names[stat] || !before->known[stat] || !after->known[stat])
			continue;
		if (stat == ABI_STAT_TOTAL || stat == ABI_STAT_HYPERCALL)
			count -= asked;
		if (!on_line)
			printk("bench: exits");
		printk(" %s=%lu", exit_names[stat], count);
		if (++on_line == 5) {
			printk("\n");
			on_line = 0;
		}
	}
	if (on_line)
		printk("\n");
}
