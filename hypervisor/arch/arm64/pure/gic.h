/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * GICv3 distributor and redistributors as one cell sees them (IHI0069H chapter 12):
 * its own lines and nothing else. Pure but for the bus it is given.
 *
 * SGI 15 of every CPU is the hypervisor's: Group 0, highest priority, invisible. All
 * else is Group 1. A cell's priorities never reach GIC_PRIORITY_MANAGEMENT: a written
 * priority above GIC_PRIORITY_CELL_MIN (numerically below) becomes that, and reads so.
 * Where GICD_CTLR.DS is 0 all this is the Non-secure view, without groups; cells still see
 * a distributor with one security state, so that a program finds the same on both.
 */
#ifndef ARM64_PURE_GIC_H
#define ARM64_PURE_GIC_H

#include "base/err.h"
#include "core/mmio.h"

#define GIC_SGI_MANAGEMENT 15u
#define GIC_PRIORITY_MANAGEMENT 0x00u
#define GIC_PRIORITY_CELL_MIN 0x10u
#define GIC_SPI_FIRST 32u
#define GIC_SPI_END 1020u
#define GIC_LINE_WORDS 16u
#define GIC_NO_CPU UINT64_MAX

/* Offsets within a frame; a redistributor is RD_base then SGI_base, 64 KiB each. */
#define GICD_CTLR 0x0000u
#define GICD_TYPER 0x0004u
#define GICD_IIDR 0x0008u
#define GICD_SETSPI_NSR 0x0040u
#define GICD_CLRSPI_NSR 0x0048u
#define GICD_IGROUPR 0x0080u
#define GICD_ISENABLER 0x0100u
#define GICD_ICENABLER 0x0180u
#define GICD_ISPENDR 0x0200u
#define GICD_ICPENDR 0x0280u
#define GICD_ISACTIVER 0x0300u
#define GICD_ICACTIVER 0x0380u
#define GICD_IPRIORITYR 0x0400u
#define GICD_ITARGETSR 0x0800u
#define GICD_ICFGR 0x0c00u
#define GICD_IGRPMODR 0x0d00u
#define GICD_NSACR 0x0e00u
#define GICD_SGIR 0x0f00u
#define GICD_IROUTER 0x6000u
#define GIC_PIDR2 0xffe8u
#define GICD_CTLR_ENABLE_GRP0 0x1u
#define GICD_CTLR_ENABLE_GRP1 0x2u
#define GICD_CTLR_ARE 0x10u
#define GICD_CTLR_DS 0x40u
#define GICD_CTLR_RWP 0x80000000u
#define GICD_TYPER_MBIS 0x10000u
#define GICD_TYPER_LPIS 0x20000u
#define GICD_IROUTER_IRM 0x80000000u
#define GICR_CTLR 0x0000u
#define GICR_IIDR 0x0004u
#define GICR_TYPER 0x0008u
#define GICR_WAKER 0x0014u
#define GICR_SGI_FRAME 0x10000u
#define GICR_WAKER_PROCESSOR_SLEEP 0x2u
#define GICR_WAKER_CHILDREN_ASLEEP 0x4u
#define GICR_TYPER_PLPIS 0x1u
#define GICR_TYPER_VLPIS 0x2u
#define GICR_TYPER_LAST 0x10u
/* RD_base and SGI_base */
#define GICR_SIZE 0x20000u

/*
 * The real frame the access falls into. Offsets are within it; size 1, 4 or 8, aligned.
 * The caller of gicd_access holds the lock that makes read-modify-write of the
 * distributor's shared words whole; a redistributor's words are one CPU's.
 */
struct gic_bus {
	void *context;
	uint64_t (*read)(void *context, uint32_t offset, unsigned size);
	void (*write)(void *context, uint32_t offset, unsigned size, uint64_t value);
};

/* A cell's view of the distributor. */
struct gicd_view {
	bool root;			/* LPIs and message-based interrupts are the root cell's */
	bool two_states;		/* GICD_CTLR.DS reads 0: the root cell of a machine where it is */
	uint64_t lines[GIC_LINE_WORDS];	/* bit n: the cell's INTID n is there; bits 0..31 unused */
	/*
	 * The machine's INTID of each of the cell's, by the cell's number; where numbers are not
	 * changed, NULL. Only for lines that are there.
	 */
	const uint16_t *physical;
	uint32_t ctlr;			/* what the cell wrote to GICD_CTLR's enable bits */
	/*
	 * MPIDR affinities of the cell's CPUs, with GIC_NO_CPU anywhere between; at least one.
	 * The first takes what is routed anywhere else.
	 */
	const uint64_t *affinities;
	unsigned affinity_count;
	bool counted;			/* the cell calls them gic_counted(0), gic_counted(1), ... instead */
};

/* A cell's view of one redistributor. */
struct gicr_view {
	bool root;
	bool own;			/* the CPU is the cell's: else only TYPER, IIDR, PIDR2 read, all other RAZ/WI */
	uint32_t hidden;		/* lines beside SGI 15 that are the hypervisor's: bit n, INTID n */
	uint32_t waker;			/* GICR_WAKER.ProcessorSleep as the cell wrote it */
	bool counted;			/* the CPU is the cell's, which calls it gic_counted(n) */
	uint64_t type;			/* ... and gicr_counted_type() of it */
};

/* The affinity of a counted cell's n-th CPU: all of sixteen can be named in one list of targets. */
static inline uint64_t gic_counted(unsigned n)
{
	return n / 16 << 8 | n % 16;
}

/* What GICR_TYPER says of who the n-th CPU is; `last`: the cell has none behind it. */
static inline uint64_t gicr_counted_type(unsigned n, bool last)
{
	return gic_counted(n) << 32 | (uint64_t)n << 8 | (last ? GICR_TYPER_LAST : 0);
}

/* How many CPUs the view's cell has before the one with this affinity of the machine's, which is the cell's. */
unsigned gic_number_of(const struct gicd_view *view, uint64_t affinity);
/* The machine's affinity of the CPU that the cell calls `seen`; GIC_NO_CPU: none of its CPUs. */
uint64_t gic_affinity_of(const struct gicd_view *view, uint64_t seen);

/*
 * access->address is taken as the offset within the frame(s). A register that is not
 * the cell's or does not exist is RAZ/WI. ERR_INVALID: a size or alignment the register
 * does not have; nothing was read or written.
 */
MUST_CHECK err_t gicd_access(struct gicd_view *view, const struct gic_bus *bus,
			     struct mmio_access *access);
MUST_CHECK err_t gicr_access(struct gicr_view *view, const struct gic_bus *bus,
			     struct mmio_access *access);

#define GIC_SGI_ROWS 16u
/*
 * What may be sent as it was written, without a look at the list: one word for the groups with
 * Aff1 % GIC_SGI_ROWS = row, the fields of one of them and in the target list the cell's CPUs of that group.
 * 0: there is none.
 */
uint64_t gic_sgi_row(unsigned row, const uint64_t *affinities, unsigned count);

static inline unsigned gic_sgi_row_of(uint64_t affinity)
{
	return (unsigned)(affinity >> 8) % GIC_SGI_ROWS;
}

/*
 * The ICC_SGI1R_EL1 values that may be sent for what a cell wrote: a call of `send` for each of the
 * cell's CPUs that is listed, or with IRM=1 is any but self; never SGI 15. `self` is the sender's
 * affinity, the machine's.
 */
void gic_sgi_filter(uint64_t written, const struct gicd_view *view, uint64_t self,
		    void (*send)(void *context, uint64_t icc_sgi1r), void *context);

#endif
