/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "state.h"
#include "x86_64/apic.h"
#include "x86_64/asm.h"

#define PRIVATE_LINES 32u
#define SOFTWARE_LINES 15u
#define ISA_LINES 16u

void irq_init(void)
{
	static const uint16_t lvt[] = {
		APIC_LVT_THERMAL, APIC_LVT_PERF, APIC_LVT_LINT0, APIC_LVT_LINT1, APIC_LVT_ERROR,
	};

	if (!(rdmsr(MSR_APIC_BASE) & APIC_BASE_ENABLE)) {
		printk("inmate: the local APIC of CPU %lu is off, and was not to be switched on\n", cpu_affinity());
		inmate_stop(ABI_CELL_FAILED);
	}
	apic_write(APIC_SVR, APIC_SVR_ENABLE | VECTOR_SPURIOUS);
	for (unsigned int i = 0; i < ARRAY_SIZE(lvt); i++)
		apic_write(lvt[i], APIC_LVT_MASKED);
	apic_write(APIC_TPR, 0);
	timer_init();
	/* Timers end HLT before a program has asked for their interrupts: timer_sleep_until() */
	apic_write(APIC_LVT_TIMER, timer_mode() | (VECTOR_LINES + IRQ_TIMER));
	inmate.irq_ready = true;
}

static struct irq_slot *shared_slot(unsigned int line)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(inmate.shared_lines); i++)
		if (inmate.shared_lines[i].line == line)
			return &inmate.shared_lines[i];
	return NULL;
}

static unsigned int entry_of(unsigned int line)
{
	return IOAPIC_ENTRY + 2 * (line - IRQ_SHARED_FIRST);
}

/* ISA's are edges, active high; PCI's are levels, active low. */
static bool line_route(unsigned int line, unsigned int vector)
{
	uint32_t low = vector | APIC_LVT_MASKED;

	if (line - IRQ_SHARED_FIRST >= ISA_LINES)
		low |= IOAPIC_LEVEL | IOAPIC_ACTIVE_LOW;
	ioapic_write(entry_of(line), low);
	ioapic_write(entry_of(line) + 1, (uint32_t)cpu_affinity() << 24);
	ioapic_write(entry_of(line), low & ~APIC_LVT_MASKED);
	return !(ioapic_read(entry_of(line)) & IOAPIC_MASKED);
}

static bool shared_enable(unsigned int line, irq_handler_t handler, void *context)
{
	unsigned int pins = (ioapic_read(IOAPIC_VERSION) >> 16 & 0xff) + 1;
	struct irq_slot *slot = shared_slot(line);

	if (!slot)
		slot = shared_slot(0);
	if (!slot || line - IRQ_SHARED_FIRST >= pins)
		return false;
	*slot = (struct irq_slot){ handler, context, line };
	if (line_route(line, VECTOR_SHARED + (unsigned int)(slot - inmate.shared_lines)))
		return true;
	*slot = (struct irq_slot){ 0 };
	return false;
}

bool irq_enable(unsigned int line, irq_handler_t handler, void *context)
{
	if (line >= IRQ_SHARED_FIRST)
		return shared_enable(line, handler, context);
	if (line >= SOFTWARE_LINES && line != IRQ_TIMER)
		return false;
	inmate.private_lines[line] = (struct irq_slot){ handler, context, line };
	if (line == IRQ_TIMER)
		apic_write(APIC_LVT_TIMER, timer_mode() | (VECTOR_LINES + IRQ_TIMER));
	return true;
}

void irq_disable(unsigned int line)
{
	struct irq_slot *slot;

	if (line < PRIVATE_LINES) {
		if (line == IRQ_TIMER)
			apic_write(APIC_LVT_TIMER, APIC_LVT_MASKED);
		inmate.private_lines[line] = (struct irq_slot){ 0 };
		return;
	}
	slot = shared_slot(line);
	if (!slot)
		return;
	ioapic_write(entry_of(line), IOAPIC_MASKED);
	*slot = (struct irq_slot){ 0 };
}

/* A software interrupt is enabled from the start: nobody else sends one. */
void irq_dispatch(uint64_t vector, uint64_t entered)
{
	unsigned int line = (unsigned int)vector - VECTOR_LINES;
	const struct irq_slot *slot;

	slot = vector < VECTOR_SHARED ? &inmate.private_lines[line] : &inmate.shared_lines[vector - VECTOR_SHARED];
	if (line == IRQ_TIMER && !timer_due())
		;
	else if (slot->handler)
		slot->handler(slot->context, entered);
	else if (line == IRQ_TIMER)
		timer_disarm();
	apic_write(APIC_EOI, 0);
}

void irq_send_self(unsigned int line)
{
	if (apic_x2apic())
		apic_write(APIC_SELF_IPI, VECTOR_LINES + line);
	else
		apic_send((uint32_t)cpu_affinity(), ICR_SELF | ICR_FIXED | (VECTOR_LINES + line));
}

uint32_t irq_controller_read(void)
{
	return ioapic_selected();
}

void irq_unmask(void)
{
	/* STI holds interrupts back for one instruction: with this one, they are taken here. */
	__asm__ volatile("sti\n\tnop" ::: "memory");
}

void irq_mask(void)
{
	__asm__ volatile("cli" ::: "memory");
}

/* Masked, HLT is for ever: they are let in from HLT on, and then as they were. */
void irq_wait(void)
{
	__asm__ volatile("pushfq\n\tsti\n\thlt\n\tpopfq" ::: "memory", "cc");
}
