// SPDX-License-Identifier: GPL-2.0-only
#include "arch/arm64/pure/gicreg.h"

#include "base/bits.h"

/* IHI0069H 12.9; registers that are not here and are none of lines are RAZ/WI */
#define GICD_ROUTED_FIRST (GICD_IROUTER + 8 * GIC_SPI_FIRST)
#define GICD_ROUTED_LAST (GICD_IROUTER + 8 * GIC_SPI_END - 1)
#define GICD_ID_FIRST 0xffd0
#define GICD_ID_LAST 0xffff

#define TYPER_ESPI BIT(8)
#define TYPER_NUM_LPIS BITS(15, 11)
#define TYPER_DVIS BIT(18)
#define TYPER_ID_BITS BITS(23, 19)
#define TYPER_ESPI_RANGE BITS(31, 27)
#define TYPER_ID_BITS_WITHOUT_LPIS 9		/* INTIDs of 10 bits: up to 1023 */

#define SETSPI_INTID BITS(12, 0)

#define CTLR_ENABLES (GICD_CTLR_ENABLE_GRP0 | GICD_CTLR_ENABLE_GRP1)

/* Aff3.Aff2.Aff1.Aff0 as in MPIDR_EL1; of IROUTER nothing else but IRM is defined. */
#define AFFINITY (BITS(39, 32) | BITS(23, 0))

enum policy {
	GICD_CONTROL,
	GICD_TYPE,
	GICD_IDENTITY,
	GICD_MESSAGE,
	GICD_ROUTE
};

static const struct gicreg registers[] = {
	{ GICD_CTLR, GICD_CTLR + 3, GICREG_WORD, GICD_CONTROL },
	{ GICD_TYPER, GICD_TYPER + 3, GICREG_WORD, GICD_TYPE },
	{ GICD_IIDR, GICD_IIDR + 3, GICREG_WORD, GICD_IDENTITY },
	{ GICD_SETSPI_NSR, GICD_SETSPI_NSR + 3, GICREG_HALF | GICREG_WORD, GICD_MESSAGE },
	{ GICD_CLRSPI_NSR, GICD_CLRSPI_NSR + 3, GICREG_HALF | GICREG_WORD, GICD_MESSAGE },
	{ GICD_ROUTED_FIRST, GICD_ROUTED_LAST, GICREG_WORD | GICREG_DOUBLE, GICD_ROUTE },
	{ GICD_ID_FIRST, GICD_ID_LAST, GICREG_WORD, GICD_IDENTITY },
};

/* The enables are the cell's alone: the hardware's stay as the hypervisor set them. */
static err_t control_access(struct gicd_view *view, const struct gic_bus *bus,
			    struct mmio_access *access)
{
	uint64_t physical;

	if (access->write) {
		view->ctlr = (uint32_t)access->value & CTLR_ENABLES;
		return OK;
	}
	physical = bus->read(bus->context, GICD_CTLR, GICREG_WORD);
	access->value = (physical & GICD_CTLR_RWP) | GICD_CTLR_DS | GICD_CTLR_ARE |
			(view->ctlr & CTLR_ENABLES);
	return OK;
}

/* Extended SPIs and virtual LPIs are nobody's; LPIs and messages the root cell's. */
static err_t type_access(const struct gicd_view *view, const struct gic_bus *bus,
			 struct mmio_access *access)
{
	uint64_t hidden = TYPER_ESPI | TYPER_ESPI_RANGE | TYPER_DVIS;

	if (access->write)
		return OK;
	if (!view->root)
		hidden |= GICD_TYPER_LPIS | GICD_TYPER_MBIS | TYPER_NUM_LPIS | TYPER_ID_BITS;
	TRY(gicreg_read_through(bus, access, ~hidden));
	if (!view->root)
		access->value |= FIELD_PUT(TYPER_ID_BITS, TYPER_ID_BITS_WITHOUT_LPIS);
	return OK;
}

/* SETSPI and CLRSPI are write-only, and to a cell whose TYPER.MBIS is 0 they are reserved. */
static err_t message_access(const struct gicd_view *view, const struct gicreg_lines *lines,
			    const struct gic_bus *bus, struct mmio_access *access)
{
	uint64_t intid = FIELD_GET(SETSPI_INTID, access->value);

	bool upper_half = access->address.v & 2;

	if (!access->write || upper_half || !view->root || !gicreg_owns(lines, intid))
		return gicreg_ignore(access);
	bus->write(bus->context, (uint32_t)access->address.v, GICREG_WORD, intid);
	return OK;
}

/* Where a line of the cell may go: to one CPU, and that one the cell's. */
static uint64_t route_allowed(const struct gicd_view *view, uint64_t route)
{
	uint64_t first = GIC_NO_CPU;

	for (unsigned i = view->affinity_count; i-- > 0;) {
		uint64_t affinity = view->affinities[i];

		if (affinity == GIC_NO_CPU)
			continue;
		if (!(route & GICD_IROUTER_IRM) && ((route ^ affinity) & AFFINITY) == 0)
			return route & AFFINITY;
		first = affinity;
	}
	return first & AFFINITY;
}

static err_t route_access(const struct gicd_view *view, const struct gicreg_lines *lines,
			  const struct gic_bus *bus, struct mmio_access *access)
{
	uint32_t offset = (uint32_t)access->address.v;
	unsigned shift = 8 * (offset & 4);
	uint64_t half = BITS(31, 0) << shift;
	uint64_t route;

	if (!gicreg_owns(lines, (offset - GICD_IROUTER) / 8))
		return gicreg_ignore(access);
	if (!access->write)
		return gicreg_read_through(bus, access, ~0ull);
	route = access->value;
	offset &= ~7u;
	/* whole, whichever half was written: half a route may be somebody else's CPU */
	if (access->size == GICREG_WORD)
		route = (bus->read(bus->context, offset, GICREG_DOUBLE) & ~half) |
			((route << shift) & half);
	bus->write(bus->context, offset, GICREG_DOUBLE, route_allowed(view, route));
	return OK;
}

err_t gicd_access(struct gicd_view *view, const struct gic_bus *bus, struct mmio_access *access)
{
	const struct gicreg_lines lines = {
		.owned = view->lines, .first = GIC_SPI_FIRST, .end = GIC_SPI_END,
	};
	const struct gicreg *row;

	if (!gicreg_natural(access))
		return ERR_INVALID;
	row = gicreg_find(registers, ARRAY_SIZE(registers), access->address.v);
	if (!row)
		return gicreg_lines_access(&lines, bus, access);
	if (!(row->sizes & access->size))
		return ERR_INVALID;
	switch ((enum policy)row->policy) {
	case GICD_CONTROL:
		return control_access(view, bus, access);
	case GICD_TYPE:
		return type_access(view, bus, access);
	case GICD_IDENTITY:
		return gicreg_read_through(bus, access, ~0ull);
	case GICD_MESSAGE:
		return message_access(view, &lines, bus, access);
	case GICD_ROUTE:
		return route_access(view, &lines, bus, access);
	}
	return gicreg_ignore(access);
}
