// SPDX-License-Identifier: GPL-2.0-only
#include "arch/arm64/pure/gicpass.h"
#include "arch/arm64/pure/gicreg.h"

#include "base/bits.h"

/* IHI0069H 12.9; registers that are not here and are none of lines are RAZ/WI */
#define GICD_ROUTED_FIRST (GICD_IROUTER + 8 * GIC_SPI_FIRST)
#define GICD_ROUTED_LAST (GICD_IROUTER + 8 * GIC_SPI_END - 1)
#define GICD_ID_FIRST 0xffd0
#define GICD_ID_LAST 0xffff

#define SETSPI_INTID BITS(12, 0)

#define CTLR_ENABLES (GICD_CTLR_ENABLE_GRP0 | GICD_CTLR_ENABLE_GRP1)

/* Aff3.Aff2.Aff1.Aff0 as in MPIDR_EL1; of IROUTER nothing else but IRM is defined. */
#define AFFINITY (BITS(39, 32) | BITS(23, 0))

/*
 * The enables are the cell's alone: the hardware's stay as the hypervisor set them. Their bits
 * and ARE's are the same in the Non-secure view of two states, where they are EnableGrp1,
 * EnableGrp1A and ARE_NS (IHI0069H 12.9.4).
 */
static err_t control_access(struct gicd_view *view, const struct gic_bus *bus,
			    struct mmio_access *access)
{
	uint64_t physical;

	if (access->write) {
		view->ctlr = (uint32_t)access->value & CTLR_ENABLES;
		return OK;
	}
	physical = bus->read(bus->context, GICD_CTLR, GICREG_WORD);
	access->value = (physical & GICD_CTLR_RWP) | (view->two_states ? 0 : GICD_CTLR_DS) |
			GICD_CTLR_ARE | (view->ctlr & CTLR_ENABLES);
	return OK;
}

static err_t type_access(const struct gicd_view *view, const struct gic_bus *bus,
			 struct mmio_access *access)
{
	struct gic_pass pass = gicd_typer_pass(view);

	TRY(gicreg_read_through(bus, access, pass.mask));
	if (!access->write)
		access->value |= pass.fixed;
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
	bus->write(bus->context, (uint32_t)access->address.v, GICREG_WORD,
		   gicreg_physical(lines, (unsigned)intid));
	return OK;
}

unsigned gic_number_of(const struct gicd_view *view, uint64_t affinity)
{
	unsigned n = 0;

	for (unsigned i = 0; i < view->affinity_count && view->affinities[i] != affinity; i++)
		n += view->affinities[i] != GIC_NO_CPU;
	return n;
}

uint64_t gic_affinity_of(const struct gicd_view *view, uint64_t seen)
{
	unsigned n = 0;

	for (unsigned i = 0; i < view->affinity_count; i++) {
		uint64_t affinity = view->affinities[i];

		if (affinity != GIC_NO_CPU && seen == (view->counted ? gic_counted(n++) : affinity))
			return affinity;
	}
	return GIC_NO_CPU;
}

/* Where a line of the cell may go: to one CPU, and that one the cell's. */
static uint64_t route_allowed(const struct gicd_view *view, uint64_t route)
{
	uint64_t affinity = GIC_NO_CPU;

	if (!(route & GICD_IROUTER_IRM))
		affinity = gic_affinity_of(view, route & AFFINITY);
	for (unsigned i = 0; affinity == GIC_NO_CPU; i++)
		affinity = view->affinities[i];
	return affinity & AFFINITY;
}

/* A route to a CPU of the cell's, as the cell sees it. */
static uint64_t route_seen(const struct gicd_view *view, uint64_t route)
{
	return view->counted ? gic_counted(gic_number_of(view, route & AFFINITY)) : route;
}

static err_t route_access(const struct gicd_view *view, const struct gicreg_lines *lines,
			  const struct gic_bus *bus, struct mmio_access *access)
{
	uint32_t offset = (uint32_t)access->address.v;
	unsigned intid = (offset - GICD_IROUTER) / 8;
	unsigned shift = 8 * (offset & 4);
	uint64_t half = BITS(31, 0) << shift;
	uint64_t route;

	if (!gicreg_owns(lines, intid))
		return gicreg_ignore(access);
	offset = GICD_IROUTER + 8 * gicreg_physical(lines, intid);
	/* whole, whichever half is meant: half a route may be somebody else's CPU */
	route = route_seen(view, bus->read(bus->context, offset, GICREG_DOUBLE));
	if (!access->write) {
		access->value = access->size == GICREG_WORD ? (route & half) >> shift : route;
		return OK;
	}
	if (access->size == GICREG_WORD)
		route = (route & ~half) | ((access->value << shift) & half);
	else
		route = access->value;
	bus->write(bus->context, offset, GICREG_DOUBLE, route_allowed(view, route));
	return OK;
}

/* The registers before those of lines: one word each, and holes. */
static err_t head_access(struct gicd_view *view, const struct gicreg_lines *lines,
			 const struct gic_bus *bus, struct mmio_access *access)
{
	uint32_t offset = (uint32_t)access->address.v & ~3u;

	if (offset == GICD_SETSPI_NSR || offset == GICD_CLRSPI_NSR)
		return access->size == GICREG_WORD || access->size == GICREG_HALF ?
			       message_access(view, lines, bus, access) : ERR_INVALID;
	if (offset > GICD_IIDR)
		return gicreg_ignore(access);
	if (access->size != GICREG_WORD)
		return ERR_INVALID;
	if (offset == GICD_TYPER)
		return type_access(view, bus, access);
	if (offset == GICD_CTLR)
		return control_access(view, bus, access);
	return gicreg_read_through(bus, access, ~0ull);
}

/* Behind the registers of lines: routes, and what the distributor is. */
static err_t tail_access(const struct gicd_view *view, const struct gicreg_lines *lines,
			 const struct gic_bus *bus, struct mmio_access *access)
{
	uint64_t offset = access->address.v;

	if (offset >= GICD_ROUTED_FIRST && offset <= GICD_ROUTED_LAST)
		return access->size >= GICREG_WORD ? route_access(view, lines, bus, access) : ERR_INVALID;
	if (offset >= GICD_ID_FIRST && offset <= GICD_ID_LAST)
		return access->size == GICREG_WORD ? gicreg_read_through(bus, access, ~0ull) : ERR_INVALID;
	return gicreg_ignore(access);
}

err_t gicd_access(struct gicd_view *view, const struct gic_bus *bus, struct mmio_access *access)
{
	const struct gicreg_lines lines = {
		.owned = view->lines, .physical = view->physical, .first = GIC_SPI_FIRST, .end = GIC_SPI_END,
		.ungrouped = view->two_states,
	};

	if (!gicreg_natural(access))
		return ERR_INVALID;
	if (access->address.v < GICD_IGROUPR)
		return head_access(view, &lines, bus, access);
	if (access->address.v < GICREG_LINES_END)
		return gicreg_lines_access(&lines, bus, access);
	return tail_access(view, &lines, bus, access);
}
