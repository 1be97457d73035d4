// SPDX-License-Identifier: GPL-2.0-only
#include "arch/arm64/pure/gicreg.h"

#include "base/bits.h"

enum line_policy {
	LINE_NONE,	/* no register of a cell's */
	LINE_GROUP,	/* all of the cell's lines are Group 1 and stay so */
	LINE_STROBE,	/* a 1 written acts, a 0 does not: nobody else's state is in the word */
	LINE_PRIORITY,
	LINE_CONFIG
};

/* All registers of one kind, a bank, begin and end at a multiple of this. */
#define SLOT_SHIFT 7
#define SLOT(offset) ((offset) >> SLOT_SHIFT)

struct bank {
	uint16_t first;		/* offset */
	uint8_t policy;
	uint8_t sizes;
};

#define BANK(offset, policy, sizes) [SLOT(offset)] = { offset, policy, sizes }
#define BANK_PART(first, part, policy, sizes) [SLOT(first) + (part)] = { first, policy, sizes }
#define PRIORITY_PART(part) BANK_PART(GICD_IPRIORITYR, part, LINE_PRIORITY, GICREG_BYTE | GICREG_WORD)

/* IHI0069H 12.9 and 12.11: the same offsets in the distributor and in SGI_base. */
static const struct bank banks[SLOT(GICREG_LINES_END)] = {
	BANK(GICD_IGROUPR, LINE_GROUP, GICREG_WORD),
	BANK(GICD_ISENABLER, LINE_STROBE, GICREG_WORD),
	BANK(GICD_ICENABLER, LINE_STROBE, GICREG_WORD),
	BANK(GICD_ISPENDR, LINE_STROBE, GICREG_WORD),
	BANK(GICD_ICPENDR, LINE_STROBE, GICREG_WORD),
	BANK(GICD_ISACTIVER, LINE_STROBE, GICREG_WORD),
	BANK(GICD_ICACTIVER, LINE_STROBE, GICREG_WORD),
	PRIORITY_PART(0), PRIORITY_PART(1), PRIORITY_PART(2), PRIORITY_PART(3),
	PRIORITY_PART(4), PRIORITY_PART(5), PRIORITY_PART(6), PRIORITY_PART(7),
	BANK_PART(GICD_ICFGR, 0, LINE_CONFIG, GICREG_WORD),
	BANK_PART(GICD_ICFGR, 1, LINE_CONFIG, GICREG_WORD),
};

static const uint8_t bits_per_line[] = {
	[LINE_NONE] = 1,
	[LINE_GROUP] = 1,
	[LINE_STROBE] = 1,
	[LINE_PRIORITY] = 8,
	[LINE_CONFIG] = 2,
};

#define SGI_END 16u

/* One access to lines' registers, taken apart. */
struct part {
	const struct gicreg_lines *lines;
	const struct gic_bus *bus;
	const struct bank *bank;
	unsigned bits;		/* of each line */
	unsigned intid;		/* the line of bit 0 */
	unsigned size;
	uint64_t mask;		/* the bits of lines that are the cell's */
};

/* The word is the bitmap's own, if it lies wholly within the frame's lines. */
static bool in_one_piece(const struct part *p)
{
	return p->bits == 1 && p->intid >= p->lines->first && p->intid + p->size * 8 <= p->lines->end;
}

static uint64_t owned_bits(const struct part *p)
{
	unsigned intid = p->intid;
	uint64_t mask = 0;

	if (in_one_piece(p))
		return p->lines->owned[intid / 64] >> intid % 64 & BITS(31, 0);
	for (unsigned at = 0; at < p->size * 8; at += p->bits, intid++)
		if (gicreg_owns(p->lines, intid))
			mask |= BITS(p->bits - 1, 0) << at;
	return mask;
}

static uint64_t clamp_priorities(uint64_t value)
{
	uint64_t clamped = 0;

	for (unsigned at = 0; at < 64; at += 8) {
		uint64_t priority = (value >> at) & 0xff;

		if (priority < GIC_PRIORITY_CELL_MIN)
			priority = GIC_PRIORITY_CELL_MIN;
		clamped |= priority << at;
	}
	return clamped;
}

/* `value` in the bits of `mask`; the bus's own in the others. */
static void merge(const struct gic_bus *bus, uint32_t offset, unsigned size, uint64_t mask, uint64_t value)
{
	uint64_t old = bus->read(bus->context, offset, size);

	bus->write(bus->context, offset, size, (old & ~mask) | (value & mask));
}

/* `mask` and `value` are of the `size` bytes at `offset` of the bus, whose bit 0 is the cell's line `intid`. */
static void write_bits(const struct part *p, unsigned intid, uint32_t offset, unsigned size, uint64_t mask,
		       uint64_t value)
{
	switch ((enum line_policy)p->bank->policy) {
	case LINE_NONE:
	case LINE_GROUP:
		break;
	case LINE_STROBE:
		p->bus->write(p->bus->context, offset, size, value & mask);
		break;
	case LINE_PRIORITY:
		merge(p->bus, offset, size, mask, clamp_priorities(value));
		break;
	case LINE_CONFIG:
		/* SGIs are edge-triggered: ICFGR0 is read-only */
		if (intid >= SGI_END)
			merge(p->bus, offset, size, mask, value);
		break;
	}
}

/*
 * Line by line, each in the word where its own machine's number is. Priorities are
 * accessed as bytes, which are nobody else's.
 */
static void renumbered_access(const struct part *p, struct mmio_access *access)
{
	unsigned size = p->bits == 8 ? GICREG_BYTE : GICREG_WORD;
	unsigned per_unit = size * 8 / p->bits;
	uint64_t one = BITS(p->bits - 1, 0);
	uint64_t value = 0;

	for (unsigned n = 0; n < p->size * 8 / p->bits; n++) {
		unsigned at = n * p->bits, physical, shift;
		uint32_t offset;

		if (!(p->mask >> at & 1))
			continue;
		physical = p->lines->physical[p->intid + n];
		offset = p->lines->frame + p->bank->first + physical / per_unit * size;
		shift = physical % per_unit * p->bits;
		if (!access->write)
			value |= (p->bus->read(p->bus->context, offset, size) >> shift & one) << at;
		else if (p->bank->policy != LINE_STROBE || (access->value >> at & 1))
			write_bits(p, p->intid + n, offset, size, one << shift, (access->value >> at & one) << shift);
	}
	if (!access->write)
		access->value = value;
}

static void lines_access(const struct part *p, struct mmio_access *access)
{
	if (!access->write && p->bank->policy == LINE_GROUP)
		access->value = p->lines->ungrouped ? 0 : p->mask;
	else if (p->lines->physical != NULL)
		renumbered_access(p, access);
	else if (access->write)
		write_bits(p, p->intid, (uint32_t)access->address.v, p->size, p->mask, access->value);
	else
		access->value = p->bus->read(p->bus->context, (uint32_t)access->address.v, p->size) & p->mask;
}

err_t gicreg_lines_access(const struct gicreg_lines *lines, const struct gic_bus *bus,
			  struct mmio_access *access)
{
	uint64_t offset = access->address.v - lines->frame;
	struct part p = { .lines = lines, .bus = bus, .size = access->size };

	if (offset >= GICREG_LINES_END)
		return gicreg_ignore(access);
	p.bank = &banks[SLOT(offset)];
	if (p.bank->policy == LINE_NONE)
		return gicreg_ignore(access);
	if (!(p.bank->sizes & access->size))
		return ERR_INVALID;
	p.bits = bits_per_line[p.bank->policy];
	p.intid = (unsigned)(offset - p.bank->first) * 8 / p.bits;
	p.mask = owned_bits(&p);
	if (p.mask == 0)
		return gicreg_ignore(access);
	lines_access(&p, access);
	return OK;
}
