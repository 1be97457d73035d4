/* SPDX-License-Identifier: GPL-2.0-only */
/* The interrupt command register as x2APIC has it: SDM 3, 11.6.1 and 11.12.9. */
#ifndef X86_PURE_ICR_H
#define X86_PURE_ICR_H

#include "arch/x86/pure/apic.h"

#define ICR_VECTOR BITS(7, 0)
#define ICR_MODE BITS(10, 8)
#define ICR_LOGICAL BIT(11)
#define ICR_ASSERT BIT(14)
#define ICR_LEVEL BIT(15)
#define ICR_SHORTHAND BITS(19, 18)
#define ICR_DESTINATION BITS(63, 32)
/* Bit 12, the delivery status, is said to be read-only where it still is */
#define ICR_RESERVED (BITS(31, 20) | BITS(17, 16) | BIT(13))

/* What may be sent on to one physical id, for a fixed interrupt */
#define ICR_FIXED(vector) ((vector) | (uint32_t)ICR_ASSERT)
#define ICR_NMI_LOW ((uint32_t)(FIELD_PUT(ICR_MODE, MT_NMI) | ICR_ASSERT))
#define ICR_INIT_LOW ((uint32_t)(FIELD_PUT(ICR_MODE, MT_INIT) | ICR_ASSERT))

enum icr_kind {
	ICR_KIND_FIXED,
	ICR_KIND_LOWEST,	/* to one of those meant */
	ICR_KIND_NMI,
	ICR_KIND_INIT,
	ICR_KIND_STARTUP,
	ICR_KIND_NOTHING,	/* INIT deassert; vectors that are none */
	ICR_KIND_REFUSED,	/* SMI, ExtINT, reserved */
};

enum icr_kind icr_kind(uint64_t icr);

/* Does what `from` sends mean `to`? Both are CPUs of one cell. */
bool icr_is_meant(uint64_t icr, const struct apic_cpu *from, const struct apic_cpu *to);

/* A fixed interrupt, physical destination, no shorthand: nearly all are, in physical x2APIC mode. */
static inline bool icr_is_plain(uint64_t icr)
{
	return (icr & (BITS(31, 0) & ~(ICR_VECTOR | ICR_ASSERT))) == 0 && (icr & ICR_VECTOR) >= APIC_VECTOR_MIN;
}

#endif
