// SPDX-License-Identifier: GPL-2.0-only
/*
 * Entries of the host's formats: bit 0 present, bit 1 table, bits 5..2 MAP_*, and the
 * address from bit 12 on.
 */
#include "arch/host/host.h"
#include "base/bits.h"
#include "base/bug.h"

#define ENTRY_PRESENT BIT(0)
#define ENTRY_TABLE BIT(1)
#define ENTRY_FLAGS BITS(5, 2)
#define ENTRY_ADDRESS BITS(63, 12)

static uint64_t leaf(unsigned level, hpa_t to, uint32_t flags)
{
	(void)level;
	BUG_ON((to.v & ~ENTRY_ADDRESS) != 0);
	return ENTRY_PRESENT | FIELD_PUT(ENTRY_FLAGS, flags) | to.v;
}

static uint64_t table(hpa_t to)
{
	return ENTRY_PRESENT | ENTRY_TABLE | to.v;
}

static bool present(uint64_t entry)
{
	return (entry & ENTRY_PRESENT) != 0;
}

static bool is_table(unsigned level, uint64_t entry)
{
	(void)level;
	return (entry & ENTRY_TABLE) != 0;
}

static hpa_t address(unsigned level, uint64_t entry)
{
	(void)level;
	return hpa(entry & ENTRY_ADDRESS);
}

static uint32_t flags(uint64_t entry)
{
	return (uint32_t)FIELD_GET(ENTRY_FLAGS, entry);
}

const struct paging_format host_format_small = {
	.levels = 3,
	.level = { { 16, true, 4 }, { 14, true, 4 }, { 12, true, 4 } },
	.root_pages = 1,
	.end = BIT(18),
	.leaf = leaf, .table = table, .present = present, .is_table = is_table,
	.address = address, .flags = flags, .write = host_write,
};

const struct paging_format host_format_wide = {
	.levels = 3,
	.level = { { 30, true, 1024 }, { 21, true, 512 }, { 12, true, 512 } },
	.root_pages = 2,
	.end = BIT(40),
	.leaf = leaf, .table = table, .present = present, .is_table = is_table,
	.address = address, .flags = flags, .write = host_write,
};
