/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "state.h"
#include "x86_64/mmu.h"

/* Four levels, and no smaller pages than the third's of 1 GiB (APM 2, 5.3.3) */
#define ENTRIES 512u
#define TABLES 4u
#define GIB (1ull << 30)
#define PTE_PRESENT 0x001ull
#define PTE_WRITE 0x002ull
#define PTE_USER 0x004ull
#define PTE_UNCACHED 0x018ull		/* PCD, PWT */
#define PTE_LARGE 0x080ull
#define PTE_ADDRESS 0xffffffffff000ull

/* For addresses from 512 GiB on. Like the root, it stays what it is when the cell starts anew. */
static struct mmu_tables {
	uint64_t entry[TABLES][ENTRIES] __attribute__((aligned(4096)));
	unsigned int used;
} mmu __attribute__((section(".kept")));

static uint64_t *directory(uint64_t address)
{
	uint64_t *at = &image_tables[address >> 39 & (ENTRIES - 1)];

	if (!(*at & PTE_PRESENT)) {
		if (mmu.used == TABLES) {
			printk("inmate: out of page tables: map fewer or nearer regions\n");
			inmate_stop(ABI_CELL_FAILED);
		}
		*at = (uint64_t)(uintptr_t)mmu.entry[mmu.used++] | PTE_PRESENT | PTE_WRITE | PTE_USER;
	}
	return (uint64_t *)(uintptr_t)(*at & PTE_ADDRESS);
}

/* Entries that were not there are never cached: no INVLPG to add one (APM 2, 5.5.2). */
static void map(uint64_t address, uint64_t size, uint64_t attributes)
{
	for (uint64_t at = address & ~(GIB - 1); size && at <= address + size - 1; at += GIB) {
		uint64_t *entry = &directory(at)[at >> 30 & (ENTRIES - 1)];

		if (!(*entry & PTE_PRESENT))
			*entry = at | attributes | PTE_LARGE | PTE_USER | PTE_WRITE | PTE_PRESENT;
	}
}

void mmu_map_memory(uint64_t address, uint64_t size)
{
	map(address, size, 0);
}

void mmu_map_device(uint64_t address, uint64_t size)
{
	map(address, size, PTE_UNCACHED);
}

void mmu_enable(void)
{
}
