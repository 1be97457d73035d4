// SPDX-License-Identifier: GPL-2.0-only
/* TLB and cache maintenance, and each CPU's window on memory that is nobody's mapping. */
#include "arch/cpu.h"
#include "arch/tlb.h"
#include "arm64.h"
#include "sysreg.h"

#define BLOCK_SIZE 0x200000ull
/* Above this many pages one flush of everything is cheaper than one for each */
#define FLUSH_PAGES_MAX 32

/*
 * Stage-2 maintenance works on the current VMID (DDI0487 D8.13): another cell's is put
 * into VTTBR_EL2 for the while. Nothing at EL1 runs on this CPU meanwhile.
 */
static uint64_t vmid_switch(uint16_t tag)
{
	uint64_t vttbr = sysreg_read(vttbr_el2);

	sysreg_write(vttbr_el2, (vttbr & ~BITS(63, 48)) | (uint64_t)tag << 48);
	isb();
	return vttbr;
}

static void vmid_restore(uint64_t vttbr)
{
	sysreg_write(vttbr_el2, vttbr);
	isb();
}

void arch_tlb_flush_space_all(uint16_t tag)
{
	uint64_t vttbr;

	dsb(ishst);
	vttbr = vmid_switch(tag);
	__asm__ volatile("tlbi vmalls12e1is");
	dsb(ish);
	vmid_restore(vttbr);
}

void arch_tlb_flush_space(uint16_t tag, struct span range)
{
	uint64_t vttbr, at;

	if (range.size > FLUSH_PAGES_MAX * PAGE_SIZE) {
		arch_tlb_flush_space_all(tag);
		return;
	}
	dsb(ishst);
	vttbr = vmid_switch(tag);
	for (at = range.start; at - range.start < range.size; at += PAGE_SIZE)
		__asm__ volatile("tlbi ipas2e1is, %0" : : "r"(at >> PAGE_SHIFT));
	dsb(ish);
	/* stage-1 entries made through the old stage 2 */
	__asm__ volatile("tlbi vmalle1is");
	dsb(ish);
	vmid_restore(vttbr);
}

void arch_tlb_flush_hypervisor(struct span range)
{
	(void)range;
	dsb(ishst);
	__asm__ volatile("tlbi alle2is");
	dsb(ish);
	isb();
}

void window_init(struct cpu *self, uint64_t *block, uint64_t *page)
{
	self->arch->window = (uint8_t *)WINDOW_BASE + (uint64_t)self->id * WINDOW_SIZE;
	self->arch->window_block = block;
	self->arch->window_page = page;
}

static void set_window(uint64_t *slot, uint64_t entry, const uint8_t *at)
{
	*(volatile uint64_t *)slot = entry;
	dsb(nshst);
	__asm__ volatile("tlbi vae2, %0" : : "r"((uint64_t)at >> PAGE_SHIFT));
	dsb(nsh);
	isb();
}

void *arch_window_open(struct cpu *self, hpa_t at, uint64_t size)
{
	const struct paging_format *format = &machine.format;
	struct arch_cpu *arch = self->arch;
	bool block = align_down(at.v, PAGE_SIZE) != align_down(at.v + size - 1, PAGE_SIZE);
	uint64_t unit = block ? BLOCK_SIZE : PAGE_SIZE;
	unsigned level = format->levels - (block ? 2 : 1);
	uint64_t *slot = block ? arch->window_block : arch->window_page;
	uint8_t *window = arch->window + (block ? 0 : BLOCK_SIZE);
	uint64_t entry = format->leaf(level, hpa(align_down(at.v, unit)), MAP_READ | MAP_WRITE);

	arch_window_close(self);
	set_window(slot, entry, window);
	return window + (at.v & (unit - 1));
}

void arch_window_close(struct cpu *self)
{
	struct arch_cpu *arch = self->arch;

	if (*arch->window_block != 0)
		set_window(arch->window_block, 0, arch->window);
	if (*arch->window_page != 0)
		set_window(arch->window_page, 0, arch->window + BLOCK_SIZE);
}

void arch_memory_clean(const void *at, uint64_t size)
{
	uint64_t line = 4ull << FIELD_GET(BITS(19, 16), sysreg_read(ctr_el0));
	uint64_t from = align_down((uint64_t)at, line);

	dsb(ish);
	for (; from < (uint64_t)at + size; from += line)
		__asm__ volatile("dc civac, %0" : : "r"(from) : "memory");
	dsb(sy);
}
