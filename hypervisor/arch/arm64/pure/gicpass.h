/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The accesses that are many, of whole words that pass to the hardware and back with nothing
 * but a mask: what gicd_access() and gicr_access() would do with them, said in advance.
 */
#ifndef ARM64_PURE_GICPASS_H
#define ARM64_PURE_GICPASS_H

#include "arch/arm64/pure/gic.h"
#include "base/bits.h"

#define GICD_TYPER_ESPI BIT(8)
#define GICD_TYPER_SECURITY BIT(10)
#define GICD_TYPER_NUM_LPIS BITS(15, 11)
#define GICD_TYPER_DVIS BIT(18)
#define GICD_TYPER_ID_BITS BITS(23, 19)
#define GICD_TYPER_ESPI_RANGE BITS(31, 27)
#define GICD_TYPER_ID_BITS_WITHOUT_LPIS 9	/* INTIDs of 10 bits: up to 1023 */

/* A read's value is (word & mask) | fixed, what a write stores is value & mask. */
struct gic_pass {
	uint64_t mask;
	uint64_t fixed;
};

/* Extended SPIs and virtual LPIs are nobody's; LPIs and messages the root cell's. */
static inline struct gic_pass gicd_typer_pass(const struct gicd_view *view)
{
	uint64_t hidden = GICD_TYPER_ESPI | GICD_TYPER_ESPI_RANGE | GICD_TYPER_DVIS;

	if (!view->two_states)
		hidden |= GICD_TYPER_SECURITY;
	if (view->root)
		return (struct gic_pass){ ~hidden, 0 };
	hidden |= GICD_TYPER_LPIS | GICD_TYPER_MBIS | GICD_TYPER_NUM_LPIS | GICD_TYPER_ID_BITS;
	return (struct gic_pass){ ~hidden, FIELD_PUT(GICD_TYPER_ID_BITS, GICD_TYPER_ID_BITS_WITHOUT_LPIS) };
}

/*
 * A read of the distributor's word at `offset`: TYPER, and ISENABLER to ICACTIVER where the cell's
 * numbers are the machine's. false: ask gicd_access().
 */
static inline bool gicd_read_passes(const struct gicd_view *view, uint64_t offset, struct gic_pass *pass)
{
	unsigned intid = (unsigned)offset % 0x80 * 8;

	if (offset == GICD_TYPER) {
		*pass = gicd_typer_pass(view);
		return true;
	}
	if (offset - GICD_ISENABLER >= GICD_IPRIORITYR - GICD_ISENABLER || offset % 4 != 0 ||
	    view->physical != NULL || intid < GIC_SPI_FIRST || intid + 32 > GIC_SPI_END)
		return false;
	*pass = (struct gic_pass){ view->lines[intid / 64] >> intid % 64 & BITS(31, 0), 0 };
	return true;
}

/* The private lines that are the cell's on its own CPUs. */
static inline uint64_t gicr_owned(const struct gicr_view *view)
{
	return BITS(31, 0) & ~(BIT(GIC_SGI_MANAGEMENT) | view->hidden);
}

/*
 * A read or write of the word at `offset` of a redistributor that is the cell's: ISENABLER0 to
 * ICACTIVER0. false: ask gicr_access().
 */
static inline bool gicr_passes(const struct gicr_view *view, uint64_t offset, struct gic_pass *pass)
{
	uint64_t bank = offset - (GICR_SGI_FRAME + GICD_ISENABLER);

	if (bank >= GICD_IPRIORITYR - GICD_ISENABLER || bank % 0x80 != 0)
		return false;
	*pass = (struct gic_pass){ gicr_owned(view), 0 };
	return true;
}

#endif
