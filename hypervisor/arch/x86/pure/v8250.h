/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A PC's UART (National PC16550D, 1995) that is nowhere but here: what is sent is gone at once, what
 * is received waits in its FIFO. It has no line to interrupt by; its registers say what it would
 * interrupt for. Pure.
 */
#ifndef X86_PURE_V8250_H
#define X86_PURE_V8250_H

#include "base/types.h"

#define V8250_PORTS 8u
/* Deeper than the real one's 16: a guest sees only that there is more to read. */
#define V8250_FIFO 64u

struct v8250 {
	uint8_t fifo[V8250_FIFO];
	uint8_t first, count;		/* of what is in it */
	uint8_t ier, fcr, lcr, mcr, scr, dll, dlm;
	bool thre;			/* the interrupt of an empty transmitter is there */
};

/* As after a reset. */
void v8250_reset(struct v8250 *uart);

/* One register, below V8250_PORTS. */
uint8_t v8250_read(struct v8250 *uart, unsigned reg);
/* Was it a byte to send? */
bool v8250_write(struct v8250 *uart, unsigned reg, uint8_t value);

/* Bytes arrive; how many there was room for. */
unsigned v8250_receive(struct v8250 *uart, const uint8_t *bytes, unsigned count);

#endif
