// SPDX-License-Identifier: GPL-2.0-only
#include "arch/arm64/pure/gicpass.h"
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
#define TYPER_PROCESSOR_NUMBER BITS(23, 8)
#define TYPER_AFFINITY BITS(63, 32)

#define TYPER_LPI_BITS (GICR_TYPER_PLPIS | GICR_TYPER_VLPIS | TYPER_DIRTY | TYPER_DIRECT_LPI | \
			TYPER_DPGS | TYPER_MPAM | TYPER_RVPEID | TYPER_COMMON_LPI_AFF | TYPER_VSGI)

enum policy {
	GICR_NONE,
	GICR_CONTROL,
	GICR_TYPE,
	GICR_IDENTITY,
	GICR_WAKE,
	GICR_LPI,		/* a word or both halves of a doubleword */
	GICR_LPI_SYNC
};

#define DOUBLE_OR_HALVES (GICREG_WORD | GICREG_DOUBLE)

static const uint8_t sizes[] = {
	[GICR_CONTROL] = GICREG_WORD,
	[GICR_TYPE] = DOUBLE_OR_HALVES,
	[GICR_IDENTITY] = GICREG_WORD,
	[GICR_WAKE] = GICREG_WORD,
	[GICR_LPI] = DOUBLE_OR_HALVES,
	[GICR_LPI_SYNC] = GICREG_WORD,
};

#define HEAD_END 0x100
#define WORDS(offset, policy) [(offset) / 4] = (policy)
#define DOUBLE(offset, policy) WORDS(offset, policy), WORDS((offset) + 4, policy)

/* The enum policy of each word of the frame's head. */
static const uint8_t head[HEAD_END / 4] = {
	WORDS(GICR_CTLR, GICR_CONTROL),
	WORDS(GICR_IIDR, GICR_IDENTITY),
	DOUBLE(GICR_TYPER, GICR_TYPE),
	WORDS(GICR_WAKER, GICR_WAKE),
	DOUBLE(GICR_SETLPIR, GICR_LPI),
	DOUBLE(GICR_CLRLPIR, GICR_LPI),
	DOUBLE(GICR_PROPBASER, GICR_LPI),
	DOUBLE(GICR_PENDBASER, GICR_LPI),
	DOUBLE(GICR_INVLPIR, GICR_LPI),
	DOUBLE(GICR_INVALLR, GICR_LPI),
	WORDS(GICR_SYNCR, GICR_LPI_SYNC),
};

static enum policy policy_of(uint64_t offset)
{
	if (offset < HEAD_END)
		return (enum policy)head[offset / 4];
	return offset >= GICR_ID_FIRST && offset <= GICR_ID_LAST ? GICR_IDENTITY : GICR_NONE;
}

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
	unsigned shift = 8 * (access->address.v & 4);

	if (view->counted)
		hidden |= TYPER_AFFINITY | TYPER_PROCESSOR_NUMBER | GICR_TYPER_LAST;
	TRY(gicreg_read_through(bus, access, ~(hidden >> shift)));
	if (view->counted && !access->write)
		access->value |= view->type >> shift & ~0ull >> (64 - access->size * 8);
	return OK;
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
	case GICR_LPI_SYNC:
		return lpi_access(view, bus, access);
	case GICR_NONE:
		break;
	}
	return gicreg_ignore(access);
}

static err_t frame_access(struct gicr_view *view, const struct gic_bus *bus, struct mmio_access *access)
{
	enum policy policy = policy_of(access->address.v);

	if (policy == GICR_NONE)
		return gicreg_ignore(access);
	if (!(sizes[policy] & access->size))
		return ERR_INVALID;
	if (!view->own && !foreign_readable(access->address.v))
		return gicreg_ignore(access);
	return register_access(view, bus, policy, access);
}

static err_t private_lines_access(const struct gicr_view *view, const struct gic_bus *bus,
					 struct mmio_access *access)
{
	const uint64_t owned = gicr_owned(view);
	const struct gicreg_lines lines = {
		.owned = &owned,
		.end = view->own ? GIC_SPI_FIRST : 0,
		.frame = GICR_SGI_FRAME,
	};

	return gicreg_lines_access(&lines, bus, access);
}

err_t gicr_access(struct gicr_view *view, const struct gic_bus *bus, struct mmio_access *access)
{
	if (!gicreg_natural(access))
		return ERR_INVALID;
	if (access->address.v < GICR_SGI_FRAME)
		return frame_access(view, bus, access);
	return private_lines_access(view, bus, access);
}
