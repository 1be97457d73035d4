// SPDX-License-Identifier: GPL-2.0-only
#include "arch/arm64/pure/gicreg.h"

#include "base/bits.h"

/* IHI0069H 12.11, RD_base; registers that are not here are RAZ/WI */
#define GICR_SETLPIR 0x0040
#define GICR_CLRLPIR 0x0048
#define GICR_PROPBASER 0x0070
#define GICR_PENDBASER 0x0078
#define GICR_INVLPIR 0x00a0
#define GICR_INVALLR 0x00b0
#define GICR_SYNCR 0x00c0
#define GICR_ID_FIRST 0xffd0
#define GICR_ID_LAST 0xffff

#define CTLR_ENABLE_LPIS BIT(0)
#define CTLR_RWP BIT(3)
#define CTLR_DPG BITS(26, 24)
#define CTLR_UWP BIT(31)

#define TYPER_DIRTY BIT(2)
#define TYPER_DIRECT_LPI BIT(3)
#define TYPER_DPGS BIT(5)
#define TYPER_MPAM BIT(6)
#define TYPER_RVPEID BIT(7)
#define TYPER_COMMON_LPI_AFF BITS(25, 24)
#define TYPER_VSGI BIT(26)
#define TYPER_PPI_NUM BITS(31, 27)

#define TYPER_LPI_BITS (GICR_TYPER_PLPIS | GICR_TYPER_VLPIS | TYPER_DIRTY | TYPER_DIRECT_LPI | \
			TYPER_DPGS | TYPER_MPAM | TYPER_RVPEID | TYPER_COMMON_LPI_AFF | TYPER_VSGI)

enum policy {
	GICR_CONTROL,
	GICR_TYPE,
	GICR_IDENTITY,
	GICR_WAKE,
	GICR_LPI
};

#define DOUBLE_OR_HALVES (GICREG_WORD | GICREG_DOUBLE)

static const struct gicreg registers[] = {
	{ GICR_CTLR, GICR_CTLR + 3, GICREG_WORD, GICR_CONTROL },
	{ GICR_IIDR, GICR_IIDR + 3, GICREG_WORD, GICR_IDENTITY },
	{ GICR_TYPER, GICR_TYPER + 7, DOUBLE_OR_HALVES, GICR_TYPE },
	{ GICR_WAKER, GICR_WAKER + 3, GICREG_WORD, GICR_WAKE },
	{ GICR_SETLPIR, GICR_SETLPIR + 7, DOUBLE_OR_HALVES, GICR_LPI },
	{ GICR_CLRLPIR, GICR_CLRLPIR + 7, DOUBLE_OR_HALVES, GICR_LPI },
	{ GICR_PROPBASER, GICR_PROPBASER + 7, DOUBLE_OR_HALVES, GICR_LPI },
	{ GICR_PENDBASER, GICR_PENDBASER + 7, DOUBLE_OR_HALVES, GICR_LPI },
	{ GICR_INVLPIR, GICR_INVLPIR + 7, DOUBLE_OR_HALVES, GICR_LPI },
	{ GICR_INVALLR, GICR_INVALLR + 7, DOUBLE_OR_HALVES, GICR_LPI },
	{ GICR_SYNCR, GICR_SYNCR + 3, GICREG_WORD, GICR_LPI },
	{ GICR_ID_FIRST, GICR_ID_LAST, GICREG_WORD, GICR_IDENTITY },
};

/* Every SGI and PPI of a cell's CPU is the cell's, but for the hypervisor's SGI. */
static const uint64_t private_lines[] = { BITS(31, 0) & ~BIT(GIC_SGI_MANAGEMENT) };

/* What may be seen of a CPU that is another cell's: enough to walk over it. */
static bool foreign_readable(uint64_t offset)
{
	return offset < GICR_TYPER + 8 ? offset >= GICR_IIDR : offset == GIC_PIDR2;
}

static err_t control_access(const struct gicr_view *view, const struct gic_bus *bus,
			    struct mmio_access *access)
{
	if (!access->write)
		return gicreg_read_through(bus, access, view->root ? ~0ull : CTLR_RWP | CTLR_UWP);
	if (view->root)
		bus->write(bus->context, GICR_CTLR, GICREG_WORD,
			   access->value & (CTLR_ENABLE_LPIS | CTLR_DPG));
	return OK;
}

/* Extended PPIs are nobody's; LPIs the root cell's. */
static err_t type_access(const struct gicr_view *view, const struct gic_bus *bus,
			 struct mmio_access *access)
{
	uint64_t hidden = TYPER_PPI_NUM | (view->root ? 0 : TYPER_LPI_BITS);

	return gicreg_read_through(bus, access, ~(hidden >> (8 * (access->address.v & 4))));
}

/* The hypervisor's own SGI comes through here: the hardware's ProcessorSleep stays 0. */
static err_t wake_access(struct gicr_view *view, struct mmio_access *access)
{
	if (access->write) {
		view->waker = (uint32_t)access->value & GICR_WAKER_PROCESSOR_SLEEP;
		return OK;
	}
	access->value = view->waker & GICR_WAKER_PROCESSOR_SLEEP;
	if (access->value)
		access->value |= GICR_WAKER_CHILDREN_ASLEEP;
	return OK;
}

static err_t lpi_access(const struct gicr_view *view, const struct gic_bus *bus,
			struct mmio_access *access)
{
	if (!view->root)
		return gicreg_ignore(access);
	if (!access->write)
		return gicreg_read_through(bus, access, ~0ull);
	bus->write(bus->context, (uint32_t)access->address.v, access->size, access->value);
	return OK;
}

static err_t register_access(struct gicr_view *view, const struct gic_bus *bus,
			     enum policy policy, struct mmio_access *access)
{
	switch (policy) {
	case GICR_CONTROL:
		return control_access(view, bus, access);
	case GICR_TYPE:
		return type_access(view, bus, access);
	case GICR_IDENTITY:
		return gicreg_read_through(bus, access, ~0ull);
	case GICR_WAKE:
		return wake_access(view, access);
	case GICR_LPI:
		return lpi_access(view, bus, access);
	}
	return gicreg_ignore(access);
}

err_t gicr_access(struct gicr_view *view, const struct gic_bus *bus, struct mmio_access *access)
{
	const struct gicreg_lines lines = {
		.owned = private_lines,
		.end = view->own ? GIC_SPI_FIRST : 0,
		.frame = GICR_SGI_FRAME,
	};
	const struct gicreg *row;

	if (!gicreg_natural(access))
		return ERR_INVALID;
	if (access->address.v >= GICR_SGI_FRAME)
		return gicreg_lines_access(&lines, bus, access);
	row = gicreg_find(registers, ARRAY_SIZE(registers), access->address.v);
	if (!row)
		return gicreg_ignore(access);
	if (!(row->sizes & access->size))
		return ERR_INVALID;
	if (!view->own && !foreign_readable(access->address.v))
		return gicreg_ignore(access);
	return register_access(view, bus, (enum policy)row->policy, access);
}
