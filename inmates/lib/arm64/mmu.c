/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "state.h"
#include "arm64/cpu.h"
#include "arm64/gic.h"
#include "arm64/sysreg.h"

/* Stage 1, 4 KiB granule, 39 bits: three levels of 512 entries (DDI0487 D8.2) */
#define ENTRIES 512u
#define TABLES 16u
#define LEVEL_SHIFT(level) (39u - 9u * (level))
#define PAGE 4096ull

#define PTE_VALID 0x1ull
#define PTE_TABLE 0x2ull		/* table at levels 1 and 2, page at level 3 */
#define PTE_ATTR_DEVICE (0ull << 2)
#define PTE_ATTR_MEMORY (1ull << 2)
#define PTE_READ_ONLY (2ull << 6)
#define PTE_INNER_SHAREABLE (3ull << 8)
#define PTE_AF (1ull << 10)
#define PTE_XN (3ull << 53)		/* PXN and UXN */
#define PTE_ADDRESS 0xfffffffff000ull

#define MAIR 0xff04ull			/* 0: Device-nGnRE, 1: Normal write-back */
#define TCR_T0SZ 25ull
#define TCR_CACHED (1ull << 8 | 1ull << 10 | 3ull << 12)
#define TCR_EPD1 (1ull << 23)
#define TCR_IPS_SHIFT 32
#define SCTLR_M 0x1ull
#define SCTLR_C 0x4ull
#define SCTLR_I 0x1000ull

#define MAP_CODE (PTE_ATTR_MEMORY | PTE_INNER_SHAREABLE | PTE_READ_ONLY | 1ull << 54)
#define MAP_MEMORY (PTE_ATTR_MEMORY | PTE_INNER_SHAREABLE | PTE_XN)
#define MAP_DEVICE (PTE_ATTR_DEVICE | PTE_XN)

/* Memory for the tables; [0] is the root. Zeroed with the program's other data. */
static struct mmu_tables {
	uint64_t entry[TABLES][ENTRIES] __attribute__((aligned(4096)));
	unsigned int used;
} mmu;

static uint64_t *table_new(void)
{
	if (mmu.used + 1 >= TABLES) {
		printk("inmate: out of page tables: map fewer or larger regions\n");
		inmate_stop(ABI_CELL_FAILED);
	}
	return mmu.entry[++mmu.used];
}

static void map_page(uint64_t address, uint64_t attributes)
{
	uint64_t *table = mmu.entry[0], *at;

	for (unsigned int level = 1; level < 3; level++) {
		at = &table[address >> LEVEL_SHIFT(level) & (ENTRIES - 1)];
		if (!*at)
			*at = (uint64_t)(uintptr_t)table_new() | PTE_VALID | PTE_TABLE;
		table = (uint64_t *)(uintptr_t)(*at & PTE_ADDRESS);
	}
	at = &table[address >> LEVEL_SHIFT(3) & (ENTRIES - 1)];
	*at = address | attributes | PTE_AF | PTE_VALID | PTE_TABLE;
}

/* Level 2 block where the address is aligned, nothing is mapped and two MiB are left. */
static bool map_block(uint64_t address, uint64_t left, uint64_t attributes)
{
	uint64_t size = 1ull << LEVEL_SHIFT(2), *l1, *l2;

	if (address & (size - 1) || left < size)
		return false;
	l1 = &mmu.entry[0][address >> LEVEL_SHIFT(1) & (ENTRIES - 1)];
	if (!*l1)
		*l1 = (uint64_t)(uintptr_t)table_new() | PTE_VALID | PTE_TABLE;
	l2 = (uint64_t *)(uintptr_t)(*l1 & PTE_ADDRESS);
	l2 += address >> LEVEL_SHIFT(2) & (ENTRIES - 1);
	if (*l2)
		return false;
	*l2 = address | attributes | PTE_AF | PTE_VALID;
	return true;
}

static void map(uint64_t address, uint64_t size, uint64_t attributes)
{
	uint64_t end = (address + size + PAGE - 1) & ~(PAGE - 1);

	address &= ~(PAGE - 1);
	while (address < end) {
		if (map_block(address, end - address, attributes)) {
			address += 1ull << LEVEL_SHIFT(2);
			continue;
		}
		map_page(address, attributes);
		address += PAGE;
	}
	/* Invalid entries are never cached: no TLB maintenance to add one (DDI0487 D8.17.1). */
	__asm__ volatile("dsb ish\n\tisb" ::: "memory");
}

void mmu_map_memory(uint64_t address, uint64_t size)
{
	map(address, size, MAP_MEMORY);
}

void mmu_map_device(uint64_t address, uint64_t size)
{
	map(address, size, MAP_DEVICE);
}

static void map_platform(void)
{
	const struct abi_comm *comm = comm_page();
	uint64_t typer = 0, frame = 0;

	map((uint64_t)(uintptr_t)comm, PAGE, MAP_MEMORY);
	if (comm->console.flags & ABI_CONSOLE_MMIO && comm->console.type != ABI_CONSOLE_NONE)
		mmu_map_device(comm->console.address, comm->console.size);
	if (!gic_distributor())
		return;
	mmu_map_device(gic_distributor(), GIC_FRAME_SIZE);
	while ((frame = gic_redistributor_next(frame, &typer)))
		mmu_map_device(frame, 2 * GIC_FRAME_SIZE);
}

/* Bytes in the smallest data cache line (CTR_EL0.DminLine, in words). */
static uint64_t cache_line(void)
{
	return 4ull << (sysreg_read(ctr_el0) >> 16 & 15);
}

void mmu_enable_cpu(void)
{
	uint64_t pa_range = sysreg_read(id_aa64mmfr0_el1) & 15;

	if (pa_range > 5)	/* 48 bits: more needs other tables */
		pa_range = 5;
	sysreg_write(mair_el1, MAIR);
	sysreg_write(tcr_el1, TCR_T0SZ | TCR_CACHED | TCR_EPD1 | pa_range << TCR_IPS_SHIFT);
	sysreg_write(ttbr0_el1, (uintptr_t)mmu.entry[0]);
	__asm__ volatile("isb\n\ttlbi vmalle1\n\tic iallu\n\tdsb nsh\n\tisb" ::: "memory");
	sysreg_write(sctlr_el1, sysreg_read(sctlr_el1) | SCTLR_M | SCTLR_C | SCTLR_I);
	isb();
}

void mmu_enable(void)
{
	uint64_t code = image_start(), code_end = (uint64_t)(uintptr_t)image_code_end;

	map(code, code_end - code, MAP_CODE);
	map(code_end, image_end() - code_end, MAP_MEMORY);
	map_platform();
	/* Written around the caches so far: what they hold of it is older. */
	for (uint64_t at = image_start(); at < image_end(); at += cache_line())
		__asm__ volatile("dc ivac, %0" :: "r"(at) : "memory");
	dsb_sy();
	inmate.mmu_on = true;
	mmu_enable_cpu();
}
