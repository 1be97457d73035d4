// SPDX-License-Identifier: GPL-2.0-only
#include "arch/x86/pure/icr.h"

enum { SHORTHAND_NONE, SHORTHAND_SELF, SHORTHAND_ALL, SHORTHAND_OTHERS };

#define XAPIC_BROADCAST 0xffu

enum icr_kind icr_kind(uint64_t icr)
{
	bool vector = FIELD_GET(ICR_VECTOR, icr) >= APIC_VECTOR_MIN;

	switch (FIELD_GET(ICR_MODE, icr)) {
	case MT_FIXED:
		return vector ? ICR_KIND_FIXED : ICR_KIND_NOTHING;
	case MT_LOWEST:
		return vector ? ICR_KIND_LOWEST : ICR_KIND_NOTHING;
	case MT_NMI:
		return ICR_KIND_NMI;
	case MT_INIT:
		/* level triggered and not asserted: of no effect since the Pentium 4 (SDM 3, 11.6.1) */
		return (icr & (ICR_LEVEL | ICR_ASSERT)) == ICR_LEVEL ? ICR_KIND_NOTHING : ICR_KIND_INIT;
	case MT_STARTUP:
		return ICR_KIND_STARTUP;
	default:
		return ICR_KIND_REFUSED;
	}
}

bool icr_is_meant(uint64_t icr, const struct apic_cpu *from, const struct apic_cpu *to)
{
	switch (FIELD_GET(ICR_SHORTHAND, icr)) {
	case SHORTHAND_SELF:
		return to == from;
	case SHORTHAND_ALL:
		return true;
	case SHORTHAND_OTHERS:
		return to != from;
	default:
		return apic_is_meant(to, (uint32_t)FIELD_GET(ICR_DESTINATION, icr), (icr & ICR_LOGICAL) != 0,
				     from->x2apic ? UINT32_MAX : XAPIC_BROADCAST);
	}
}
