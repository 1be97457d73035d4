/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The local APIC's registers (SDM 3, 11.4.1; AMD APM 2, 16.3.2) and what a guest may do with
 * them. Reads are never in the way. Writes: most registers are the CPU's own and so its
 * guest's; an LVT entry must not raise what reaches beyond the guest; the ICR is acted upon.
 *
 * Who is meant by a logical destination follows from what the guests wrote to LDR and DFR.
 * In the hardware those of a cell's CPUs are 0: nothing that is sent to logical ids from outside
 * finds them.
 */
#ifndef X86_PURE_APIC_H
#define X86_PURE_APIC_H

#include "base/bits.h"

/* Offsets in the page; MSR_X2APIC + offset / 16 */
#define APIC_ID 0x020
#define APIC_VERSION 0x030
#define APIC_TPR 0x080
#define APIC_EOI 0x0b0
#define APIC_LDR 0x0d0
#define APIC_DFR 0x0e0
#define APIC_SVR 0x0f0
#define APIC_ISR 0x100
#define APIC_IRR 0x200
#define APIC_ESR 0x280
#define APIC_LVT_CMCI 0x2f0
#define APIC_ICR 0x300
#define APIC_ICR_HIGH 0x310
#define APIC_LVT_TIMER 0x320
#define APIC_LVT_THERMAL 0x330
#define APIC_LVT_PERF 0x340
#define APIC_LVT_LINT0 0x350
#define APIC_LVT_LINT1 0x360
#define APIC_LVT_ERROR 0x370
#define APIC_TIMER_INITIAL 0x380
#define APIC_TIMER_CURRENT 0x390
#define APIC_TIMER_DIVIDE 0x3e0
/* AMD's extended space */
#define APIC_EXT_FEATURE 0x400
#define APIC_EXT_CONTROL 0x410
#define APIC_EXT_LVT 0x500
#define APIC_EXT_LVT_END 0x600
#define APIC_END 0x1000

#define VERSION_MAX_LVT BITS(23, 16)
#define VERSION_EXT_SPACE BIT(31)
#define EXT_FEATURE_LVTS BITS(23, 16)
#define SVR_ENABLE BIT(8)
#define DFR_FLAT 0xffffffffu
#define DFR_MODEL BITS(31, 28)
#define LDR_ID BITS(31, 24)
#define LVT_MODE BITS(10, 8)
#define LVT_MASKED BIT(16)

/* Message types: of the ICR, LVT entries and the IOAPIC's */
#define MT_FIXED 0u
#define MT_LOWEST 1u
#define MT_SMI 2u
#define MT_NMI 4u
#define MT_INIT 5u
#define MT_STARTUP 6u
#define MT_EXTINT 7u
/* Lower ones are no interrupts (APM 2, 16.4) */
#define APIC_VECTOR_MIN 16u

/* A CPU's local APIC as its guest set it up: what others have to know. */
struct apic_cpu {
	uint32_t id;
	bool x2apic;			/* its mode: the guest chooses; as APIC_BASE has it */
	uint32_t logical_id;		/* xAPIC: what the guest wrote to LDR and DFR */
	uint32_t destination_format;
	uint32_t icr_high;		/* xAPIC: what the guest wrote there */
};

/* What a guest's write means. */
enum apic_write {
	APIC_WRITE_ROOT,	/* of the root cell's it passes, of a cell's it is dropped; no answer */
	APIC_WRITE_PASS,	/* the register takes it */
	APIC_WRITE_LVT,		/* ... as apic_lvt() says */
	APIC_WRITE_DROP,	/* nothing: read-only, or not for a cell */
	APIC_WRITE_ICR,
	APIC_WRITE_ICR_HIGH,
	APIC_WRITE_LDR,
	APIC_WRITE_DFR,
};

/* By offset, a multiple of 16 below APIC_END. */
enum apic_write apic_write_rule(uint32_t offset, bool root);

/* May a cell have this in an LVT entry? What it gets is masked if it is no fixed interrupt or NMI. */
uint32_t apic_lvt(uint32_t value);

/* Does the destination of a message mean this CPU? `broadcast` is the one that means all. */
bool apic_is_meant(const struct apic_cpu *cpu, uint32_t destination, bool logical, uint32_t broadcast);

#endif
