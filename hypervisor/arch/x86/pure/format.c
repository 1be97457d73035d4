// SPDX-License-Identifier: GPL-2.0-only
#include "arch/x86/pure/format.h"

#include "base/bits.h"
#include "base/bug.h"

/* APM 2, 5.3.3 and 5.4.1 */
#define PTE_P BIT(0)
#define PTE_RW BIT(1)
#define PTE_US BIT(2)
#define PTE_PWT BIT(3)
#define PTE_PCD BIT(4)
#define PTE_A BIT(5)
#define PTE_D BIT(6)
#define PTE_PS BIT(7)			/* not at the last level: a leaf; there it is PAT */
#define PTE_ADDRESS BITS(51, 12)
#define PTE_NX BIT(63)

/*
 * Nested leaves: MAP_DEVICE is remembered in a bit that hardware ignores. The type of memory is
 * the MTRRs' and the guest's PAT's to say: write-back here lets theirs through (APM 2, 15.25.8).
 */
#define NPT_DEVICE BIT(9)

#define LAST 3u				/* level of the pages */
#define MIN_BITS 32u
#define MAX_BITS 52u
#define INPUT_BITS 48u

static bool present(uint64_t entry)
{
	return (entry & PTE_P) != 0;
}

static bool is_table(unsigned level, uint64_t entry)
{
	return level != LAST && !(entry & PTE_PS);
}

static hpa_t address(unsigned level, uint64_t entry)
{
	(void)level;
	return hpa(entry & PTE_ADDRESS);
}

/* A and D are set from the start, so that no walker ever writes to a table. */
static uint64_t leaf(unsigned level, hpa_t to, uint32_t flags)
{
	BUG_ON((to.v & ~PTE_ADDRESS) != 0);
	BUG_ON(!(flags & MAP_READ));
	return to.v | PTE_P | PTE_A | PTE_D | (level == LAST ? 0 : PTE_PS) |
	       ((flags & MAP_WRITE) ? PTE_RW : 0) | ((flags & MAP_EXEC) ? 0 : PTE_NX);
}

static uint32_t leaf_flags(uint64_t entry, uint64_t device)
{
	return MAP_READ | ((entry & PTE_RW) ? MAP_WRITE : 0) | ((entry & PTE_NX) ? 0 : MAP_EXEC) |
	       ((entry & device) ? MAP_DEVICE : 0);
}

static uint64_t table(hpa_t to, uint64_t user)
{
	BUG_ON((to.v & ~PTE_ADDRESS) != 0);
	return to.v | PTE_P | PTE_RW | user | PTE_A;
}

/* All of a guest's accesses count as a user's (APM 2, 15.25.5). */
static uint64_t npt_leaf(unsigned level, hpa_t to, uint32_t flags)
{
	return leaf(level, to, flags) | PTE_US | ((flags & MAP_DEVICE) ? NPT_DEVICE : 0);
}

static uint64_t npt_table(hpa_t to)
{
	return table(to, PTE_US);
}

static uint32_t npt_flags(uint64_t entry)
{
	return leaf_flags(entry, NPT_DEVICE);
}

/* PCD and PWT choose entry 3 of the PAT: uncacheable since power-on. */
static uint64_t host_leaf(unsigned level, hpa_t to, uint32_t flags)
{
	BUG_ON((flags & MAP_EXEC) && (flags & (MAP_WRITE | MAP_DEVICE)));
	return leaf(level, to, flags) | ((flags & MAP_DEVICE) ? PTE_PCD | PTE_PWT : 0);
}

static uint64_t host_table(hpa_t to)
{
	return table(to, 0);
}

static uint32_t host_flags(uint64_t entry)
{
	return leaf_flags(entry, PTE_PCD);
}

static void write(uint64_t *entry, uint64_t value)
{
	/* stores are seen in their order (APM 2, 7.1.1); the compiler has to keep it */
	__atomic_store_n(entry, value, __ATOMIC_RELEASE);
}

#define LEVELS { { 39, false, 512 }, { 30, true, 512 }, { 21, true, 512 }, { 12, true, 512 } }

const struct paging_format host_paging = {
	LAST + 1, LEVELS, 1, BIT(INPUT_BITS), host_leaf, host_table, present, is_table, address, host_flags, write,
};

static const struct paging_format npt_paging = {
	LAST + 1, LEVELS, 1, BIT(INPUT_BITS), npt_leaf, npt_table, present, is_table, address, npt_flags, write,
};

err_t npt_format(unsigned phys_bits, struct paging_format *out)
{
	if (phys_bits < MIN_BITS || phys_bits > MAX_BITS)
		return ERR_UNSUPPORTED;
	*out = *(const struct paging_format *)opaque(&npt_paging);
	if (phys_bits < INPUT_BITS)
		out->end = BIT(phys_bits);
	return OK;
}
