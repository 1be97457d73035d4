/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "state.h"
#include "x86_64/apic.h"
#include "x86_64/asm.h"

/* The same on all of the cell's CPUs. */
static struct {
	bool x2apic;
	uint64_t ioapic;
} apic;

/* From off or from xAPIC mode there is a way to x2APIC mode, and none back (SDM 3, 10.12.5). */
void apic_choose_mode(void)
{
	uint64_t base = rdmsr(MSR_APIC_BASE);
	char mode[8];

	cmdline_get_str("apic", mode, sizeof(mode));
	if (!(base & APIC_BASE_X2APIC) && cpuid(1, 0).ecx & CPUID_1_ECX_X2APIC && strcmp(mode, "xapic") != 0) {
		base |= APIC_BASE_ENABLE | APIC_BASE_X2APIC;
		wrmsr(MSR_APIC_BASE, base);
	}
	apic.x2apic = (base & APIC_BASE_X2APIC) != 0;
}

bool apic_x2apic(void)
{
	return apic.x2apic;
}

uint32_t apic_read(unsigned int reg)
{
	if (apic.x2apic)
		return (uint32_t)rdmsr(MSR_X2APIC + reg / 16);
	return mmio_read32(APIC_PAGE + reg);
}

void apic_write(unsigned int reg, uint32_t value)
{
	if (apic.x2apic)
		wrmsr(MSR_X2APIC + reg / 16, value);
	else
		mmio_write32(APIC_PAGE + reg, value);
}

void apic_send(uint32_t id, uint32_t low)
{
	/* In x2APIC mode the write does not wait for stores before it (SDM 3, 10.12.3). */
	__asm__ volatile("mfence; lfence" ::: "memory");
	if (apic.x2apic) {
		wrmsr(MSR_X2APIC + APIC_ICR / 16, (uint64_t)id << 32 | low);
		return;
	}
	while (mmio_read32(APIC_PAGE + APIC_ICR) & ICR_PENDING)
		;
	mmio_write32(APIC_PAGE + APIC_ICR_HIGH, id << 24);
	mmio_write32(APIC_PAGE + APIC_ICR, low);
}

static uint64_t ioapic_page(void)
{
	if (!apic.ioapic)
		apic.ioapic = cmdline_get_int("ioapic", IOAPIC_PAGE);
	return apic.ioapic;
}

uint32_t ioapic_selected(void)
{
	return mmio_read32(ioapic_page() + IOAPIC_SELECT);
}

uint32_t ioapic_read(unsigned int reg)
{
	mmio_write32(ioapic_page() + IOAPIC_SELECT, reg);
	return mmio_read32(ioapic_page() + IOAPIC_WINDOW);
}

void ioapic_write(unsigned int reg, uint32_t value)
{
	mmio_write32(ioapic_page() + IOAPIC_SELECT, reg);
	mmio_write32(ioapic_page() + IOAPIC_WINDOW, value);
}
