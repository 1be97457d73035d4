// SPDX-License-Identifier: GPL-2.0-only
#include "arch/arm64/pure/format.h"
#include "base/bug.h"

/* DDI0487 D8.3: descriptors of the 4 KiB granule. */
#define DESC_VALID BIT(0)
#define DESC_TABLE BIT(1)		/* not at the last level: a table, else a block */
#define DESC_PAGE BIT(1)		/* at the last level: always */
#define DESC_SH BITS(9, 8)
#define DESC_AF BIT(10)
#define DESC_ADDRESS BITS(47, 12)
#define DESC_XN BIT(54)			/* stage 2 with FEAT_XNX: XN[1:0] = 0b10, for EL1 and EL0 */

#define SH_INNER 3

/* D8.4, D8.6: stage 2, with HCR_EL2.FWB = 0 */
#define S2_MEMATTR BITS(5, 2)
#define S2_MEMATTR_NORMAL 0xf
#define S2_MEMATTR_DEVICE 0x1		/* nGnRE */
#define S2_READ BIT(6)
#define S2_WRITE BIT(7)

/* D8.4, D8.6: stage 1 of a regime with one privilege level */
#define S1_ATTR BITS(4, 2)
#define S1_ATTR_NORMAL 0		/* index into STAGE1_MAIR */
#define S1_ATTR_DEVICE 1
#define S1_AP1_RES1 BIT(6)
#define S1_READ_ONLY BIT(7)

/* VTCR_EL2 and TCR_EL2 have these in common. */
#define TCR_T0SZ BITS(5, 0)
#define TCR_IRGN0 BITS(9, 8)
#define TCR_ORGN0 BITS(11, 10)
#define TCR_SH0 BITS(13, 12)
#define TCR_TG0 BITS(15, 14)
#define TCR_PS BITS(18, 16)
#define TCR_RES1_31 BIT(31)

#define TCR_RES1_23 BIT(23)		/* TCR_EL2 only */
#define VTCR_SL0 BITS(7, 6)		/* VTCR_EL2 only */

#define RGN_WRITE_BACK 1		/* read- and write-allocate */
#define TG0_4K 0
#define SL0_LEVEL1 1
#define SL0_LEVEL0 2

#define PARANGE_48 5
#define PARANGE_LAST 7			/* 56 bits; what is above is reserved */

/* A level-1 table resolves 39 bits; 16 of them side by side, 4 more (D8.2). */
#define LEVEL1_BITS 39u
#define CONCATENATED_BITS 4u

static uint64_t descriptor(bool last, hpa_t to)
{
	/* a higher address would be another one's, truncated */
	BUG_ON((to.v & ~DESC_ADDRESS) != 0);
	return DESC_VALID | (last ? DESC_PAGE : 0) | DESC_AF | FIELD_PUT(DESC_SH, SH_INNER) | to.v;
}

static uint64_t table(hpa_t to)
{
	BUG_ON((to.v & ~DESC_ADDRESS) != 0);
	return DESC_VALID | DESC_TABLE | to.v;
}

static bool present(uint64_t entry)
{
	return (entry & DESC_VALID) != 0;
}

static hpa_t address(unsigned level, uint64_t entry)
{
	(void)level;
	return hpa(entry & DESC_ADDRESS);
}

/* The last level is told by its number, which depends on where the walk starts. */
static bool is_table_of3(unsigned level, uint64_t entry)
{
	return level != 2 && (entry & DESC_TABLE) != 0;
}

static bool is_table_of4(unsigned level, uint64_t entry)
{
	return level != 3 && (entry & DESC_TABLE) != 0;
}

static uint64_t stage2_leaf(bool last, hpa_t to, uint32_t flags)
{
	uint64_t attr = (flags & MAP_DEVICE) ? S2_MEMATTR_DEVICE : S2_MEMATTR_NORMAL;

	return descriptor(last, to) | FIELD_PUT(S2_MEMATTR, attr) |
	       ((flags & MAP_READ) ? S2_READ : 0) |
	       ((flags & MAP_WRITE) ? S2_WRITE : 0) |
	       ((flags & MAP_EXEC) ? 0 : DESC_XN);
}

static uint64_t stage2_leaf_of3(unsigned level, hpa_t to, uint32_t flags)
{
	return stage2_leaf(level == 2, to, flags);
}

static uint64_t stage2_leaf_of4(unsigned level, hpa_t to, uint32_t flags)
{
	return stage2_leaf(level == 3, to, flags);
}

static uint32_t stage2_flags(uint64_t entry)
{
	return ((entry & S2_READ) ? MAP_READ : 0) | ((entry & S2_WRITE) ? MAP_WRITE : 0) |
	       ((entry & DESC_XN) ? 0 : MAP_EXEC) |
	       (FIELD_GET(S2_MEMATTR, entry) == S2_MEMATTR_DEVICE ? MAP_DEVICE : 0);
}

static uint64_t stage1_leaf(unsigned level, hpa_t to, uint32_t flags)
{
	uint64_t attr = (flags & MAP_DEVICE) ? S1_ATTR_DEVICE : S1_ATTR_NORMAL;

	BUG_ON(!(flags & MAP_READ));
	BUG_ON((flags & MAP_EXEC) && (flags & (MAP_WRITE | MAP_DEVICE)));
	return descriptor(level == 3, to) | FIELD_PUT(S1_ATTR, attr) | S1_AP1_RES1 |
	       ((flags & MAP_WRITE) ? 0 : S1_READ_ONLY) |
	       ((flags & MAP_EXEC) ? 0 : DESC_XN);
}

static uint32_t stage1_flags(uint64_t entry)
{
	return MAP_READ | ((entry & S1_READ_ONLY) ? 0 : MAP_WRITE) |
	       ((entry & DESC_XN) ? 0 : MAP_EXEC) |
	       (FIELD_GET(S1_ATTR, entry) == S1_ATTR_DEVICE ? MAP_DEVICE : 0);
}

/* T0SZ, PS, granule, and the walks themselves: cacheable, inner shareable. */
static uint64_t tcr_common(unsigned input_bits, unsigned parange)
{
	return FIELD_PUT(TCR_T0SZ, 64 - input_bits) |
	       FIELD_PUT(TCR_IRGN0, RGN_WRITE_BACK) | FIELD_PUT(TCR_ORGN0, RGN_WRITE_BACK) |
	       FIELD_PUT(TCR_SH0, SH_INNER) | FIELD_PUT(TCR_TG0, TG0_4K) |
	       FIELD_PUT(TCR_PS, parange) | TCR_RES1_31;
}

/* The levels that translate `bits` bits, the first of them with level 0's or level 1's span. */
static void geometry(struct paging_format *out, unsigned bits, bool from_level0)
{
	static const struct paging_level all[] = {
		{ 39, false, 512 }, { 30, true, 512 }, { 21, true, 512 }, { 12, true, 512 },
	};
	unsigned first = from_level0 ? 0 : 1;
	unsigned entries = 1u << (bits - all[first].shift);

	out->levels = 4 - first;
	for (unsigned i = first; i < ARRAY_SIZE(all); i++)
		out->level[i - first] = all[i];
	out->level[0].entries = (uint16_t)entries;
	out->root_pages = entries <= 512 ? 1 : entries / 512;
	out->end = BIT(bits);
}

static void codec(struct paging_format *out)
{
	out->table = table;
	out->present = present;
	out->address = address;
	out->is_table = out->levels == 3 ? is_table_of3 : is_table_of4;
}

err_t stage2_format(unsigned parange, struct paging_format *out, uint64_t *vtcr)
{
	/* ID_AA64MMFR0_EL1.PARange; 52 and 56 bits need FEAT_LPA2's descriptors, so: 48 */
	static const uint8_t bits_of[PARANGE_LAST + 1] = { 32, 36, 40, 42, 44, 48, 48, 48 };
	unsigned bits;
	bool from_level0;

	if (parange > PARANGE_LAST)
		return ERR_UNSUPPORTED;
	bits = bits_of[parange];
	/* a start at level 0 is reserved for small PA sizes, so level 1 as far as it goes */
	from_level0 = bits > LEVEL1_BITS + CONCATENATED_BITS;

	*out = (struct paging_format){ .flags = stage2_flags };
	geometry(out, bits, from_level0);
	codec(out);
	out->leaf = from_level0 ? stage2_leaf_of4 : stage2_leaf_of3;
	*vtcr = tcr_common(bits, parange < PARANGE_48 ? parange : PARANGE_48) |
		FIELD_PUT(VTCR_SL0, from_level0 ? SL0_LEVEL0 : SL0_LEVEL1);
	return OK;
}

void stage1_format(struct paging_format *out)
{
	*out = (struct paging_format){ .leaf = stage1_leaf, .flags = stage1_flags };
	geometry(out, 48, true);
	codec(out);
}

uint64_t stage1_tcr(unsigned parange)
{
	return tcr_common(48, parange < PARANGE_48 ? parange : PARANGE_48) | TCR_RES1_23;
}
