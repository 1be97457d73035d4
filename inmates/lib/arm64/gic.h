/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* GICv3: offsets (IHI0069H chapter 12) and where this cell's frames are. */
#ifndef INMATE_ARM64_GIC_H
#define INMATE_ARM64_GIC_H

#include <stdbool.h>
#include <stdint.h>

#define GICD_CTLR 0x0000u
#define GICD_CTLR_ENABLE_GRP1 0x2u
#define GICD_CTLR_ARE 0x10u
#define GICD_CTLR_RWP 0x80000000u
#define GICD_TYPER 0x0004u
#define GICD_SETSPI_NSR 0x0040u
#define GICD_IROUTER 0x6000u
#define GIC_PIDR2 0xffe8u
#define GIC_FRAME_SIZE 0x10000u

#define GICR_CTLR 0x0000u
#define GICR_CTLR_RWP 0x8u
#define GICR_TYPER 0x0008u
#define GICR_TYPER_VLPIS 0x2u
#define GICR_TYPER_LAST 0x10u
#define GICR_WAKER 0x0014u
#define GICR_WAKER_PROCESSOR_SLEEP 0x2u
#define GICR_WAKER_CHILDREN_ASLEEP 0x4u
#define GICR_SGI_FRAME 0x10000u

/* In the distributor for shared lines, in a redistributor's SGI frame for private ones. */
#define GIC_IGROUPR 0x0080u
#define GIC_ISENABLER 0x0100u
#define GIC_ICENABLER 0x0180u
#define GIC_ISPENDR 0x0200u
#define GIC_ICPENDR 0x0280u
#define GIC_ISACTIVER 0x0300u
#define GIC_ICACTIVER 0x0380u
#define GIC_IPRIORITYR 0x0400u
#define GIC_ICFGR 0x0c00u
#define GIC_IGRPMODR 0x0d00u

#define GIC_LINE_SPURIOUS 1020u		/* from here on nothing is to be acknowledged */

/* Of the distributor; 0 where the communication page names no GICv3. */
uint64_t gic_distributor(void);
/* Of this CPU's redistributor; 0 if there is none. */
uint64_t gic_redistributor(void);
/*
 * The redistributor behind `frame` (0: the first one), its TYPER in *typer; 0 behind the last.
 */
uint64_t gic_redistributor_next(uint64_t frame, uint64_t *typer);

void irq_dispatch(uint64_t entered);

#endif
