// SPDX-License-Identifier: GPL-2.0-only
#include "arch/arm64/pure/gicreg.h"

#include "base/bits.h"

enum line_policy {
	LINE_GROUP,	/* all of the cell's lines are Group 1 and stay so */
	LINE_STROBE,	/* a 1 written acts, a 0 does not: nobody else's state is in the word */
	LINE_PRIORITY,
	LINE_CONFIG
};

/* IHI0069H 12.9 and 12.11: the same offsets in the distributor and in SGI_base. */
static const struct gicreg line_registers[] = {
	{ GICD_IGROUPR, GICD_IGROUPR + 0x7f, GICREG_WORD, LINE_GROUP },
	{ GICD_ISENABLER, GICD_ISENABLER + 0x7f, GICREG_WORD, LINE_STROBE },
	{ GICD_ICENABLER, GICD_ICENABLER + 0x7f, GICREG_WORD, LINE_STROBE },
	{ GICD_ISPENDR, GICD_ISPENDR + 0x7f, GICREG_WORD, LINE_STROBE },
	{ GICD_ICPENDR, GICD_ICPENDR + 0x7f, GICREG_WORD, LINE_STROBE },
	{ GICD_ISACTIVER, GICD_ISACTIVER + 0x7f, GICREG_WORD, LINE_STROBE },
	{ GICD_ICACTIVER, GICD_ICACTIVER + 0x7f, GICREG_WORD, LINE_STROBE },
	{ GICD_IPRIORITYR, GICD_IPRIORITYR + 0x3ff, GICREG_BYTE | GICREG_WORD, LINE_PRIORITY },
	{ GICD_ICFGR, GICD_ICFGR + 0xff, GICREG_WORD, LINE_CONFIG },
};

static const uint8_t bits_per_line[] = {
	[LINE_GROUP] = 1,
	[LINE_STROBE] = 1,
	[LINE_PRIORITY] = 8,
	[LINE_CONFIG] = 2,
};

#define SGI_END 16u

bool gicreg_natural(const struct mmio_access *access)
{
	unsigned size = access->size;

	return size != 0 && size <= GICREG_DOUBLE && (size & (size - 1)) == 0 &&
	       (access->address.v & (size - 1)) == 0;
}

const struct gicreg *gicreg_find(const struct gicreg *rows, unsigned count, uint64_t offset)
{
	for (unsigned i = 0; i < count; i++)
		if (offset >= rows[i].first && offset <= rows[i].last)
			return &rows[i];
	return NULL;
}

err_t gicreg_ignore(struct mmio_access *access)
{
	if (!access->write)
		access->value = 0;
	return OK;
}

err_t gicreg_read_through(const struct gic_bus *bus, struct mmio_access *access, uint64_t mask)
{
	if (!access->write)
		access->value = bus->read(bus->context, (uint32_t)access->address.v,
					  access->size) & mask;
	return OK;
}

bool gicreg_owns(const struct gicreg_lines *lines, uint64_t intid)
{
	return intid >= lines->first && intid < lines->end &&
	       bit_test(lines->owned, (unsigned)intid);
}

/* The bits of a word that belong to the cell, the word's bit 0 being of line `intid`. */
static uint64_t owned_bits(const struct gicreg_lines *lines, unsigned intid, unsigned bits,
			   unsigned size)
{
	uint64_t mask = 0;

	/* one bit a line: the word is the bitmap's own, if it lies wholly within the frame's lines */
	if (bits == 1 && intid >= lines->first && intid + size * 8 <= lines->end)
		return lines->owned[intid / 64] >> intid % 64 & BITS(size * 8 - 1, 0);
	for (unsigned at = 0; at < size * 8; at += bits, intid++)
		if (gicreg_owns(lines, intid))
			mask |= BITS(bits - 1, 0) << at;
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
static void merge(const struct gic_bus *bus, const struct mmio_access *access, uint64_t mask,
		  uint64_t value)
{
	uint32_t offset = (uint32_t)access->address.v;
	uint64_t old = bus->read(bus->context, offset, access->size);

	bus->write(bus->context, offset, access->size, (old & ~mask) | (value & mask));
}

static void lines_write(enum line_policy policy, unsigned intid, const struct gic_bus *bus,
			const struct mmio_access *access, uint64_t mask)
{
	switch (policy) {
	case LINE_GROUP:
		break;
	case LINE_STROBE:
		bus->write(bus->context, (uint32_t)access->address.v, access->size,
			   access->value & mask);
		break;
	case LINE_PRIORITY:
		merge(bus, access, mask, clamp_priorities(access->value));
		break;
	case LINE_CONFIG:
		/* SGIs are edge-triggered: ICFGR0 is read-only */
		if (intid >= SGI_END)
			merge(bus, access, mask, access->value);
		break;
	}
}

err_t gicreg_lines_access(const struct gicreg_lines *lines, const struct gic_bus *bus,
			  struct mmio_access *access)
{
	uint64_t offset = access->address.v - lines->frame;
	const struct gicreg *row = gicreg_find(line_registers, ARRAY_SIZE(line_registers), offset);
	unsigned bits, intid;
	uint64_t mask;

	if (!row)
		return gicreg_ignore(access);
	if (!(row->sizes & access->size))
		return ERR_INVALID;
	bits = bits_per_line[row->policy];
	intid = (unsigned)(offset - row->first) * 8 / bits;
	mask = owned_bits(lines, intid, bits, access->size);
	if (mask == 0)
		return gicreg_ignore(access);
	if (access->write)
		lines_write((enum line_policy)row->policy, intid, bus, access, mask);
	else if (row->policy == LINE_GROUP)
		access->value = mask;
	else
		return gicreg_read_through(bus, access, mask);
	return OK;
}
