/* SPDX-License-Identifier: GPL-2.0-only */
/* What distributor and redistributor share: register tables, and the registers of lines. */
#ifndef ARM64_PURE_GICREG_H
#define ARM64_PURE_GICREG_H

#include "arch/arm64/pure/gic.h"

/* Sizes an access may have are a sum of sizes, each being its own bit. */
#define GICREG_BYTE 1u
#define GICREG_HALF 2u
#define GICREG_WORD 4u
#define GICREG_DOUBLE 8u

struct gicreg {
	uint16_t first;		/* offsets: of the first byte ... */
	uint16_t last;		/* ... and of the last */
	uint8_t sizes;
	uint8_t policy;		/* of the table's own enumeration */
};

/* The lines that a frame has and a cell owns; bit n of `owned` counts for first <= n < end. */
struct gicreg_lines {
	const uint64_t *owned;
	unsigned first;
	unsigned end;
	uint32_t frame;		/* offset of the frame on the bus */
};

/* Is the access of a size that exists and aligned to it? */
bool gicreg_natural(const struct mmio_access *access);

/* The row that holds `offset`, or NULL. */
const struct gicreg *gicreg_find(const struct gicreg *rows, unsigned count, uint64_t offset);

/* RAZ/WI: the access is over. */
err_t gicreg_ignore(struct mmio_access *access);

/* A read goes through to the bus; a write is ignored. */
err_t gicreg_read_through(const struct gic_bus *bus, struct mmio_access *access, uint64_t mask);

bool gicreg_owns(const struct gicreg_lines *lines, uint64_t intid);

/*
 * IGROUPR to ICFGR. access->address is the offset on the bus, at or above lines->frame; an
 * offset that is no such register is RAZ/WI (IGRPMODR, NSACR, ITARGETSR and SGIR among
 * them: with DS and affinity routing there is nothing in them a cell may have).
 */
err_t gicreg_lines_access(const struct gicreg_lines *lines, const struct gic_bus *bus,
			  struct mmio_access *access);

#endif
