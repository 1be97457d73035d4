/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The local APIC in either mode (SDM 3, 10.4.1 and 10.12.1.2) and the IOAPIC. */
#ifndef INMATE_X86_64_APIC_H
#define INMATE_X86_64_APIC_H

#include <stdbool.h>
#include <stdint.h>

#define APIC_PAGE 0xfee00000ull
#define APIC_ID 0x020u
#define APIC_VERSION 0x030u
#define APIC_TPR 0x080u
#define APIC_EOI 0x0b0u
#define APIC_LDR 0x0d0u
#define APIC_DFR 0x0e0u
#define APIC_SVR 0x0f0u
#define APIC_SVR_ENABLE 0x100u
#define APIC_ISR 0x100u
#define APIC_IRR 0x200u
#define APIC_ESR 0x280u
#define APIC_ICR 0x300u
#define APIC_ICR_HIGH 0x310u		/* xAPIC only */
#define APIC_LVT_TIMER 0x320u
#define APIC_LVT_THERMAL 0x330u
#define APIC_LVT_PERF 0x340u
#define APIC_LVT_LINT0 0x350u
#define APIC_LVT_LINT1 0x360u
#define APIC_LVT_ERROR 0x370u
#define APIC_TIMER_INITIAL 0x380u
#define APIC_TIMER_CURRENT 0x390u
#define APIC_TIMER_DIVIDE 0x3e0u
#define APIC_SELF_IPI 0x3f0u		/* x2APIC only */

#define APIC_LVT_MASKED 0x10000u
#define APIC_LVT_TSC_DEADLINE 0x40000u

#define ICR_FIXED 0x000u
#define ICR_SMI 0x200u
#define ICR_NMI 0x400u
#define ICR_INIT 0x500u
#define ICR_SIPI 0x600u
#define ICR_LOGICAL 0x800u
#define ICR_PENDING 0x1000u
#define ICR_ASSERT 0x4000u
#define ICR_SELF 0x40000u
#define ICR_ALL 0x80000u
#define ICR_OTHERS 0xc0000u

/* An APIC's register is the MSR of its offset's 16th from here on in x2APIC mode. */
#define MSR_X2APIC 0x800u

#define IOAPIC_PAGE 0xfec00000ull	/* unless the command line says ioapic=ADDRESS */
#define IOAPIC_SELECT 0x00u
#define IOAPIC_WINDOW 0x10u
#define IOAPIC_VERSION 1u
#define IOAPIC_ENTRY 0x10u		/* two registers each */
#define IOAPIC_ACTIVE_LOW 0x2000u
#define IOAPIC_LEVEL 0x8000u
#define IOAPIC_MASKED 0x10000u

/* Vectors: the lines below 32, then the shared ones by their slots */
#define VECTOR_LINES 0x20u
#define VECTOR_SHARED 0x40u
#define VECTOR_END (VECTOR_SHARED + 16u)
#define VECTOR_SPURIOUS 0xffu
/* Nobody's line: ends a sleep and nothing else */
#define LINE_WAKE 31u

/* x2APIC where there is one, or as `apic=xapic` says; once on each CPU. */
void apic_choose_mode(void);
bool apic_x2apic(void);
uint32_t apic_read(unsigned int reg);
void apic_write(unsigned int reg, uint32_t value);
/* To one CPU by its id, or to whomever `low` names itself. */
void apic_send(uint32_t id, uint32_t low);

uint32_t ioapic_selected(void);
uint32_t ioapic_read(unsigned int reg);
void ioapic_write(unsigned int reg, uint32_t value);

void irq_dispatch(uint64_t vector, uint64_t entered);

/* Once on each CPU; before, nothing of timer_*() but the counter. */
void timer_init(void);
/* What the LVT's timer entry has to say, but for the vector; 0 or APIC_LVT_TSC_DEADLINE. */
uint32_t timer_mode(void);
/* False: the deadline is later than now, and the timer armed again. */
bool timer_due(void);

#endif
