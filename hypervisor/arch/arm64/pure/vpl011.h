/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A PL011 (Arm DDI0183G, r1p5) that is nowhere but here: what is sent is gone at once, what
 * is received waits in its FIFO. Bits and modes a console has no use for (modem lines, IrDA, DMA, loopback,
 * errors) are absent. Pure.
 */
#ifndef ARM64_PURE_VPL011_H
#define ARM64_PURE_VPL011_H

#include "base/err.h"
#include "core/mmio.h"

/* Deeper than the real one's 16: a guest sees only that there is more to read. */
#define VPL011_FIFO 64u

struct vpl011 {
	uint8_t fifo[VPL011_FIFO];
	uint8_t first, count;		/* of what is in it */
	uint8_t ifls, ilpr, fbrd, lcr_h;
	uint16_t ibrd, cr;
	uint16_t imsc, ris;		/* interrupts: unmasked; there */
	bool next;			/* the first byte came as the one before was read, and no interrupt was cleared since */
};

/* As after a reset. */
void vpl011_reset(struct vpl011 *uart);

/*
 * access->address is taken as the offset. *sent: a byte was, the value's lowest. Registers that do
 * not exist read as zero and ignore writes. ERR_INVALID: not aligned, or larger than a word; nothing was done.
 */
MUST_CHECK err_t vpl011_access(struct vpl011 *uart, struct mmio_access *access, bool *sent);

/* Bytes arrive; how many there was room for. */
unsigned vpl011_receive(struct vpl011 *uart, const uint8_t *bytes, unsigned count);

/* UARTINTR */
static inline bool vpl011_interrupts(const struct vpl011 *uart)
{
	return (uart->ris & uart->imsc) != 0;
}

#endif
