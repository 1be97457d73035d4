// SPDX-License-Identifier: GPL-2.0-only
/* Forgetting translations (pure/flush.h), and each CPU's window on memory that is nobody's mapping. */
#include "arch/cpu.h"
#include "arch/tlb.h"
#include "asm.h"
#include "pure/format.h"
#include "x86.h"

#define BLOCK_SIZE 0x200000ull

/*
 * An owner that changes meanwhile does not matter: the CPU is parked then, and forgets all it
 * has before it runs a guest again (virt->reset).
 */
static bool runs_space(const struct cpu *cpu, uint16_t tag)
{
	return __atomic_load_n(&cpu->cell, __ATOMIC_RELAXED)->id == tag;
}

void arch_tlb_flush_space_all(uint16_t tag)
{
	const struct system *sys = &machine.sys;
	bool waited[CONFIG_MAX_CPUS];
	uint32_t run[CONFIG_MAX_CPUS];
	unsigned i;

	for (i = 0; i < sys->cpu_count; i++) {
		const struct cpu *cpu = sys->cpus[i];

		waited[i] = runs_space(cpu, tag) && flush_want(&cpu->arch->flush, &run[i]);
		if (waited[i])
			kick(cpu);
	}
	for (i = 0; i < sys->cpu_count; i++)
		while (waited[i] && !flush_done(&sys->cpus[i]->arch->flush, run[i]))
			cpu_relax();
}

/* There is no flush of guest-physical addresses: an ASID's translations go, or one guest-linear one (APM 2, 15.16). */
void arch_tlb_flush_space(uint16_t tag, struct span range)
{
	(void)range;
	arch_tlb_flush_space_all(tag);
}

/* Only enable changes them, on the one CPU that builds them and before any other has them. */
void arch_tlb_flush_hypervisor(struct span range)
{
	(void)range;
	write_cr3(read_cr3());
}

void window_init(struct cpu *self, uint64_t *block, uint64_t *page)
{
	self->arch->window = (uint8_t *)WINDOW_BASE + (uint64_t)self->id * WINDOW_SIZE;
	self->arch->window_block = block;
	self->arch->window_page = page;
}

static void set_window(uint64_t *slot, uint64_t entry, const uint8_t *at)
{
	host_paging.write(slot, entry);
	__asm__ volatile("invlpg %0" : : "m"(*at) : "memory");
}

void *arch_window_open(struct cpu *self, hpa_t at, uint64_t size)
{
	struct arch_cpu *arch = self->arch;
	bool block = align_down(at.v, PAGE_SIZE) != align_down(at.v + size - 1, PAGE_SIZE);
	uint64_t unit = block ? BLOCK_SIZE : PAGE_SIZE;
	unsigned level = host_paging.levels - (block ? 2 : 1);
	uint64_t *slot = block ? arch->window_block : arch->window_page;
	uint8_t *window = arch->window + (block ? 0 : BLOCK_SIZE);
	uint64_t entry = host_paging.leaf(level, hpa(align_down(at.v, unit)), MAP_READ | MAP_WRITE);

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

/* Accesses with CR0.CD set look into caches, too (APM 2, 7.6.2). */
void arch_memory_clean(const void *at, uint64_t size)
{
	(void)at;
	(void)size;
}
