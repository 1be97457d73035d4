/* SPDX-License-Identifier: GPL-2.0-only */
#include "device.h"
#include "arm64/gic.h"

/* ARM PL011 TRM DDI0183, 3.3 */
#define PL011_DR 0x00
#define PL011_IBRD 0x24
#define PL011_FBRD 0x28
#define PL011_LCR_H 0x2c
#define PL011_LCR_H_8BIT 0x60u	/* FEN 0: one character is the FIFO */
#define PL011_CR 0x30
#define PL011_CR_UARTEN 0x001u
#define PL011_CR_LBE 0x080u	/* what is sent stays inside */
#define PL011_CR_TXE 0x100u
#define PL011_IMSC 0x38
#define PL011_RIS 0x3c
#define PL011_INT_TX 0x20u

#define SEND_NS 20000000ull

static bool line_begin(struct bench *b, const char *what)
{
	if (b->line < 32 || !irq_enable((unsigned int)b->line, NULL, NULL)) {
		printk("bench: refused: workload=%s: line=%lu is no shared interrupt line: give the "
		       "cell one and name it\n", what, b->line);
		return false;
	}
	return true;
}

/* The transmit interrupt is raw from the moment a character has left until it is cleared. */
bool begin_device(struct bench *b)
{
	uint64_t until = timer_now() + timer_ns_to_ticks(SEND_NS);

	if (!line_begin(b, "device"))
		return false;
	mmio_write32(b->uart + PL011_CR, 0);
	mmio_write32(b->uart + PL011_IMSC, 0);
	/* Any speed but none will do. */
	if (!mmio_read32(b->uart + PL011_IBRD)) {
		mmio_write32(b->uart + PL011_IBRD, 13);
		mmio_write32(b->uart + PL011_FBRD, 0);
	}
	mmio_write32(b->uart + PL011_LCR_H, PL011_LCR_H_8BIT);
	mmio_write32(b->uart + PL011_CR, PL011_CR_UARTEN | PL011_CR_TXE | PL011_CR_LBE);
	mmio_write32(b->uart + PL011_DR, 0);
	while (!(mmio_read32(b->uart + PL011_RIS) & PL011_INT_TX))
		if (timer_now() > until) {
			printk("bench: refused: workload=device: the UART at 0x%lx sends nothing: is "
			       "its clock on, is it a PL011?\n", b->uart);
			return false;
		}
	return true;
}

static uint64_t take_line(struct bench *b, uint64_t address, uint32_t value)
{
	uint64_t before;
	struct taken t = wait_store(address, value, &before);

	/* What else came may have come before the store. */
	while (t.line != b->line) {
		b->spoilt = true;
		stray(b, t.line);
		t = wait_store(address, value, &before);
	}
	return t.entered - before;
}

uint64_t sample_device(struct bench *b)
{
	uint64_t ticks = take_line(b, b->uart + PL011_IMSC, PL011_INT_TX);

	mmio_write32(b->uart + PL011_IMSC, 0);
	/* Read back: the line has fallen when the interrupt ends. */
	(void)mmio_read32(b->uart + PL011_IMSC);
	end_of_interrupt(b->line);
	return ticks;
}

void end_device(struct bench *b)
{
	mmio_write32(b->uart + PL011_CR, 0);
	irq_disable((unsigned int)b->line);
}

bool begin_spi(struct bench *b)
{
	b->address = gic_distributor() + GIC_ISPENDR + b->line / 32 * 4;
	return line_begin(b, "spi");
}

uint64_t sample_spi(struct bench *b)
{
	uint64_t ticks = take_line(b, b->address, 1u << b->line % 32);

	end_of_interrupt(b->line);
	return ticks;
}

void end_spi(struct bench *b)
{
	irq_disable((unsigned int)b->line);
}
