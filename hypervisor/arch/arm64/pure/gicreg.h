/* SPDX-License-Identifier: GPL-2.0-only */
/* What distributor and redistributor share: sizes of accesses, and the registers of lines. */
#ifndef ARM64_PURE_GICREG_H
#define ARM64_PURE_GICREG_H

#include "arch/arm64/pure/gic.h"

/* Sizes an access may have are a sum of sizes, each being its own bit. */
#define GICREG_BYTE 1u
#define GICREG_HALF 2u
#define GICREG_WORD 4u
#define GICREG_DOUBLE 8u

/* Where the registers of lines end: IGROUPR to NSACR, in both kinds of frame. */
#define GICREG_LINES_END 0x1000u

/* The lines that a frame has and a cell owns; bit n of `owned` counts for first <= n < end. */
struct gicreg_lines {
	const uint64_t *owned;
	const uint16_t *physical;	/* the machine's INTID of each line; NULL: the same */
	unsigned first;
	unsigned end;
	uint32_t frame;			/* offset of the frame on the bus */
	bool ungrouped;			/* IGROUPR is RAZ/WI: the Non-secure view */
};

/* Is the access of a size that exists and aligned to it? */
static inline bool gicreg_natural(const struct mmio_access *access)
{
	unsigned size = access->size;

	return size - 1 < GICREG_DOUBLE && (size & (size - 1)) == 0 && (access->address.v & (size - 1)) == 0;
}

/* RAZ/WI: the access is over. */
static inline err_t gicreg_ignore(struct mmio_access *access)
{
	if (!access->write)
		access->value = 0;
	return OK;
}

/* A read goes through to the bus; a write is ignored. */
static inline err_t gicreg_read_through(const struct gic_bus *bus, struct mmio_access *access, uint64_t mask)
{
	if (!access->write)
		access->value = bus->read(bus->context, (uint32_t)access->address.v,
					  access->size) & mask;
	return OK;
}

static inline bool gicreg_owns(const struct gicreg_lines *lines, uint64_t intid)
{
	return intid >= lines->first && intid < lines->end &&
	       (lines->owned[intid / 64] >> (intid % 64) & 1);
}

/* The machine's INTID of a line that is owned. */
static inline unsigned gicreg_physical(const struct gicreg_lines *lines, unsigned intid)
{
	return lines->physical == NULL ? intid : lines->physical[intid];
}

/*
 * IGROUPR to ICFGR. access->address is the offset on the bus, at or above lines->frame; an
 * offset that is no such register is RAZ/WI (IGRPMODR, NSACR, ITARGETSR and SGIR among
 * them: with DS and affinity routing there is nothing in them a cell may have).
 */
MUST_CHECK err_t gicreg_lines_access(const struct gicreg_lines *lines, const struct gic_bus *bus,
				     struct mmio_access *access);

#endif
