// SPDX-License-Identifier: GPL-2.0-only
#include "arch/x86/pure/apic.h"

#define XAPIC_BROADCAST 0xffu

/* By offset / 16. The rest, AMD's extended space with its LVT entries among it (APM 2, 16.3.6), is the root cell's. */
static const uint8_t rules[APIC_EXT_FEATURE / 16] = {
	/* it could be written on some, and CPUs are known by it */
	[APIC_ID / 16] = APIC_WRITE_DROP,
	[APIC_TPR / 16] = APIC_WRITE_PASS,
	[APIC_EOI / 16] = APIC_WRITE_PASS,
	[APIC_LDR / 16] = APIC_WRITE_LDR,
	[APIC_DFR / 16] = APIC_WRITE_DFR,
	[APIC_SVR / 16] = APIC_WRITE_PASS,
	[APIC_ESR / 16] = APIC_WRITE_PASS,
	[APIC_ICR / 16] = APIC_WRITE_ICR,
	[APIC_ICR_HIGH / 16] = APIC_WRITE_ICR_HIGH,
	/* message types are reserved in the timer's, but QEMU sends what stands there */
	[APIC_LVT_TIMER / 16] = APIC_WRITE_LVT,
	[APIC_LVT_THERMAL / 16] = APIC_WRITE_LVT,
	[APIC_LVT_PERF / 16] = APIC_WRITE_LVT,
	[APIC_LVT_LINT0 / 16] = APIC_WRITE_LVT,
	[APIC_LVT_LINT1 / 16] = APIC_WRITE_LVT,
	[APIC_LVT_ERROR / 16] = APIC_WRITE_LVT,
	[APIC_TIMER_INITIAL / 16] = APIC_WRITE_PASS,
	[APIC_TIMER_DIVIDE / 16] = APIC_WRITE_PASS,
};

enum apic_write apic_write_rule(uint32_t offset, bool root)
{
	uint32_t n = offset / 16;
	enum apic_write rule = n < ARRAY_SIZE(rules) ? (enum apic_write)rules[n] : APIC_WRITE_ROOT;

	if (root && (rule == APIC_WRITE_ROOT || rule == APIC_WRITE_LVT))
		return APIC_WRITE_PASS;
	return rule == APIC_WRITE_ROOT ? APIC_WRITE_DROP : rule;
}

uint32_t apic_lvt(uint32_t value)
{
	uint64_t type = FIELD_GET(LVT_MODE, value);

	return type == MT_FIXED || type == MT_NMI ? value : value | (uint32_t)LVT_MASKED;
}

/* SDM 3, 11.12.10.2: the id's upper bits are the cluster, and a bit for the lower four */
static bool meant_in_cluster(uint32_t id, uint32_t destination)
{
	return destination >> 16 == (id >> 4 & 0xffff) && (destination >> (id & 0xf) & 1);
}

bool apic_is_meant(const struct apic_cpu *cpu, uint32_t destination, bool logical, uint32_t broadcast)
{
	uint32_t logical_id, model;

	if (!logical)
		return destination == broadcast || destination == cpu->id;
	/* the guest may be writing them on that CPU: either is a value it had */
	if (__atomic_load_n(&cpu->x2apic, __ATOMIC_RELAXED))
		return destination == UINT32_MAX || meant_in_cluster(cpu->id, destination);
	if (destination > XAPIC_BROADCAST)
		return false;
	logical_id = (uint32_t)FIELD_GET(LDR_ID, __atomic_load_n(&cpu->logical_id, __ATOMIC_RELAXED));
	model = (uint32_t)FIELD_GET(DFR_MODEL, __atomic_load_n(&cpu->destination_format, __ATOMIC_RELAXED));
	/* SDM 3, 11.6.2.2: flat; clusters of four, of which 15 means all; no other model is defined */
	if (model == FIELD_GET(DFR_MODEL, DFR_FLAT))
		return (destination & logical_id) != 0;
	return model == 0 && (destination & logical_id & 0xf) != 0 &&
	       (destination >> 4 == 0xf || destination >> 4 == logical_id >> 4);
}
