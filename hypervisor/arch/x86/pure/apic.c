// SPDX-License-Identifier: GPL-2.0-only
#include "arch/x86/pure/apic.h"

/* Of LVT entries: vector, message type, delivery status, polarity, remote IRR, trigger mode, mask */
#define LVT_PLAIN (BITS(7, 0) | BIT(12) | BIT(16))
#define LVT_MESSAGE (LVT_PLAIN | LVT_MODE)
#define LVT_PIN (LVT_MESSAGE | BITS(15, 13))
#define LVT_TIMER (LVT_PLAIN | BITS(18, 17))

#define XAPIC_BROADCAST 0xffu

enum apic_write apic_write_rule(uint32_t offset, bool root)
{
	switch (offset) {
	case APIC_ICR:
		return APIC_WRITE_ICR;
	case APIC_ICR_HIGH:
		return APIC_WRITE_ICR_HIGH;
	case APIC_LDR:
		return APIC_WRITE_LDR;
	case APIC_DFR:
		return APIC_WRITE_DFR;
	case APIC_ID:
		/* it could be written on some, and CPUs are known by it */
		return APIC_WRITE_DROP;
	case APIC_TPR:
	case APIC_EOI:
	case APIC_SVR:
	case APIC_ESR:
	case APIC_TIMER_INITIAL:
	case APIC_TIMER_DIVIDE:
		return APIC_WRITE_PASS;
	/* reserved in the timer's, but QEMU sends what stands there */
	case APIC_LVT_TIMER:
	case APIC_LVT_CMCI:
	case APIC_LVT_THERMAL:
	case APIC_LVT_PERF:
	case APIC_LVT_LINT0:
	case APIC_LVT_LINT1:
	case APIC_LVT_ERROR:
		return root ? APIC_WRITE_PASS : APIC_WRITE_LVT;
	default:
		/* AMD's extended space with its LVT entries among them (APM 2, 16.3.6) */
		return root ? APIC_WRITE_PASS : APIC_WRITE_DROP;
	}
}

uint32_t apic_lvt(uint32_t value)
{
	uint64_t type = FIELD_GET(LVT_MODE, value);

	return type == MT_FIXED || type == MT_NMI ? value : value | (uint32_t)LVT_MASKED;
}

bool apic_lvt_valid(uint32_t offset, uint32_t value)
{
	uint64_t valid = LVT_MESSAGE;

	if (offset == APIC_LVT_TIMER)
		valid = LVT_TIMER;
	else if (offset == APIC_LVT_LINT0 || offset == APIC_LVT_LINT1)
		valid = LVT_PIN;
	else if (offset == APIC_LVT_ERROR)
		valid = LVT_PLAIN;
	return (value & ~valid) == 0;
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
