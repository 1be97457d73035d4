// SPDX-License-Identifier: GPL-2.0-only
#include "arch/x86/pure/walk.h"

#include "base/bits.h"

#define CR0_PG BIT(31)
#define CR4_PSE BIT(4)
#define CR4_PAE BIT(5)
#define CR4_LA57 BIT(12)
#define EFER_LMA BIT(10)

/* struct segment's attributes */
#define SEGMENT_L BIT(9)
#define SEGMENT_D BIT(10)

/* APM 2, 5.2 to 5.4 */
#define PTE_P BIT(0)
#define PTE_PS BIT(7)
#define PTE_ADDRESS BITS(51, 12)
#define PDE32_ADDRESS_HIGH BITS(20, 13)	/* of a page of 4 MiB: bits 39..32 */
#define PDE32_ADDRESS BITS(31, 22)

/* How a mode's tables are laid out. */
struct tables {
	uint64_t root;			/* of CR3 */
	uint8_t levels;			/* the last is 1 */
	uint8_t bits;			/* an index has */
	uint8_t size;			/* an entry has, in bytes */
	bool blocks;			/* PS is looked at */
};

static const struct tables long_mode = { PTE_ADDRESS, 4, 9, 8, true }, five_levels = { PTE_ADDRESS, 5, 9, 8, true },
			   pae = { BITS(31, 5), 3, 9, 8, true }, legacy = { BITS(31, 12), 2, 10, 4, false },
			   legacy_pse = { BITS(31, 12), 2, 10, 4, true };

static const struct tables *tables_of(const struct guest_mode *mode)
{
	if (mode->efer & EFER_LMA)
		return mode->cr4 & CR4_LA57 ? &five_levels : &long_mode;
	if (mode->cr4 & CR4_PAE)
		return &pae;
	return mode->cr4 & CR4_PSE ? &legacy_pse : &legacy;
}

/* What lies above the indices of all levels is the sign; PAE's first level has two bits. */
static bool is_canonical(const struct tables *t, uint64_t linear)
{
	unsigned top = 12u + t->levels * t->bits;

	if (t->levels < 4)
		return linear <= UINT32_MAX;
	return linear >> (top - 1) == 0 || linear >> (top - 1) == ~0ull >> (top - 1);
}

static bool is_leaf(const struct tables *t, unsigned level, uint64_t entry)
{
	if (level == 1)
		return true;
	return t->blocks && (entry & PTE_PS) && level <= 3;
}

static gpa_t leaf_address(const struct tables *t, unsigned level, uint64_t entry, uint64_t linear)
{
	uint64_t mask = BIT(12 + (level - 1) * t->bits) - 1;

	if (level == 2 && t->size == 4)
		return gpa((entry & PDE32_ADDRESS) | FIELD_GET(PDE32_ADDRESS_HIGH, entry) << 32 | (linear & mask));
	return gpa((entry & PTE_ADDRESS & ~mask) | (linear & mask));
}

err_t walk_linear(const struct guest_mode *mode, const struct guest_memory *memory, uint64_t linear, gpa_t *out)
{
	const struct tables *t = tables_of(mode);
	uint64_t table = mode->cr3 & t->root;

	if (!(mode->cr0 & CR0_PG)) {
		*out = gpa(linear & UINT32_MAX);
		return OK;
	}
	if (!is_canonical(t, linear))
		return ERR_NOT_FOUND;
	for (unsigned level = t->levels;; level--) {
		uint64_t index = linear >> (12 + (level - 1) * t->bits) & (BIT(t->bits) - 1);
		uint64_t entry = 0;

		TRY(memory->read(memory->context, gpa(table + index * t->size), &entry, t->size));
		if (!(entry & PTE_P))
			return ERR_NOT_FOUND;
		if (is_leaf(t, level, entry)) {
			*out = leaf_address(t, level, entry, linear);
			return OK;
		}
		table = entry & PTE_ADDRESS;
	}
}

unsigned walk_code_bits(const struct guest_mode *mode)
{
	if ((mode->efer & EFER_LMA) && (mode->cs.attributes & SEGMENT_L))
		return 64;
	return mode->cs.attributes & SEGMENT_D ? 32 : 16;
}

err_t walk_fetch(const struct guest_mode *mode, const struct guest_memory *memory, uint8_t code[INSN_MAX],
		 unsigned *size)
{
	bool is64 = walk_code_bits(mode) == 64;
	unsigned count = 0;
	err_t e = OK;

	while (count < INSN_MAX && e == OK) {
		/* 64-bit mode has no base; elsewhere linear addresses wrap at 4 GiB */
		uint64_t linear = is64 ? mode->rip + count : (mode->cs.base + mode->rip + count) & UINT32_MAX;
		uint64_t part = PAGE_SIZE - (linear & PAGE_MASK);
		gpa_t at;

		if (part > INSN_MAX - count)
			part = INSN_MAX - count;
		e = walk_linear(mode, memory, linear, &at);
		if (e == OK)
			e = memory->read(memory->context, at, code + count, part);
		if (e == OK)
			count += (unsigned)part;
	}
	*size = count;
	return count != 0 ? OK : e;
}
