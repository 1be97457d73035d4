/* SPDX-License-Identifier: GPL-2.0-only */
#include "device.h"

/* A 16550's registers, by ports */
#define IER 1
#define IER_TX 0x2u
#define IIR 2
#define FCR 2
#define LCR 3
#define LCR_8N1 0x3u
#define MCR 4
#define MCR_OUT2 0x8u		/* the interrupt's gate */
#define LSR 5
#define LSR_THRE 0x20u

static uint8_t reg_read(const struct bench *b, unsigned int reg)
{
	return port_read8((uint16_t)(b->uart + reg));
}

static void reg_write(const struct bench *b, unsigned int reg, unsigned int value)
{
	port_write8((uint16_t)(b->uart + reg), (uint8_t)value);
}

/* The transmitter is empty: its interrupt is pending as soon as it is enabled. */
bool begin_device(struct bench *b)
{
	if (!b->uart) {
		printk("bench: refused: workload=device: give the cell an 8250 and name its first port: uart=\n");
		return false;
	}
	reg_write(b, IER, 0);
	reg_write(b, LCR, LCR_8N1);
	reg_write(b, FCR, 0);
	reg_write(b, MCR, MCR_OUT2);
	(void)reg_read(b, IIR);
	if (reg_read(b, LSR) == 0xff || !(reg_read(b, LSR) & LSR_THRE)) {
		printk("bench: refused: workload=device: there is no idle 8250 at port 0x%lx\n", b->uart);
		return false;
	}
	if (b->line < IRQ_SHARED_FIRST || !irq_enable((unsigned int)b->line, NULL, NULL)) {
		printk("bench: refused: workload=device: line=%lu is no shared interrupt line of this cell's: give it one "
		       "and name it\n", b->line);
		return false;
	}
	return true;
}

/*
 * What this program calls a shared line is a slot of the library's table, and this is its first.
 */
uint64_t sample_device(struct bench *b)
{
	uint64_t before;
	struct taken t = wait_store(b->uart + IER, IER_TX, &before);

	/* What else came may have come before the write. */
	while (t.line != VECTOR_SHARED - VECTOR_LINES) {
		b->spoilt = true;
		stray(b, t.line);
		reg_write(b, IER, 0);
		t = wait_store(b->uart + IER, IER_TX, &before);
	}
	/* Reading why takes it back. */
	(void)reg_read(b, IIR);
	reg_write(b, IER, 0);
	end_of_interrupt(t.line);
	return t.entered - before;
}

void end_device(struct bench *b)
{
	irq_disable((unsigned int)b->line);
}
