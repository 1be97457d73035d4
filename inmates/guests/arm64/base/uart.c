// SPDX-License-Identifier: GPL-2.0-only
/* PL011: polled as it was found, or by interrupts in both directions, with its FIFOs or without. */
#include "guest.h"

#define DR 0x00
#define FR 0x18
#define IBRD 0x24
#define FBRD 0x28
#define LCR_H 0x2c
#define CR 0x30
#define IMSC 0x38
#define MIS 0x40
#define ICR 0x44
#define FR_RXFE (1u << 4)
#define FR_TXFF (1u << 5)
#define LCR_8N1 0x60u
#define LCR_FEN 0x10u
#define CR_ON 0x301u
#define INT_RX (1u << 4)
#define INT_TX (1u << 5)
#define INT_RT (1u << 6)
#define RING 1024u

struct ring {
	char text[RING];
	volatile unsigned put, got;
};

struct uart_counts uart_counts;
static struct ring rx, tx;
static volatile bool sending;

static volatile uint32_t *reg(unsigned offset)
{
	return (volatile uint32_t *)(board.uart + offset);
}

static bool ring_full(const struct ring *r)
{
	return r->put - r->got == RING;
}

static void ring_put(struct ring *r, char c)
{
	r->text[r->put % RING] = c;
	r->put++;
}

static char ring_get(struct ring *r)
{
	char c = r->text[r->got % RING];

	r->got++;
	return c;
}

static uint32_t rx_interrupts(void)
{
	return INT_RX | (habits.timeout ? INT_RT : 0);
}

void uart_init(void)
{
	if (habits.console == POLLED)
		return;
	*reg(CR) = 0;
	*reg(IMSC) = 0;
	*reg(ICR) = 0x7ff;
	*reg(IBRD) = 13;
	*reg(FBRD) = 1;
	*reg(LCR_H) = LCR_8N1 | (habits.console == FIFO ? LCR_FEN : 0);
	*reg(CR) = CR_ON;
	*reg(IMSC) = rx_interrupts();
	gic_enable_line(board.uart_irq);
}

/* With FIFOs as many as they hold, without one for each interrupt. */
static void pump(void)
{
	while (tx.put != tx.got && !(*reg(FR) & FR_TXFF)) {
		*reg(DR) = (uint8_t)ring_get(&tx);
		uart_counts.sent++;
		if (habits.console == NO_FIFO)
			return;
	}
}

static void take(void)
{
	ring_put(&rx, (char)*reg(DR));
	uart_counts.received++;
}

static void receive(void)
{
	uart_counts.rx_interrupts++;
	if (habits.console == NO_FIFO) {
		*reg(ICR) = INT_RX;
		take();
	} else {
		while (!ring_full(&rx) && !(*reg(FR) & FR_RXFE))
			take();
	}
	if (ring_full(&rx))
		*reg(IMSC) &= ~rx_interrupts();
}

void uart_interrupt(void)
{
	uint32_t mis = *reg(MIS);

	uart_counts.interrupts++;
	if (mis & rx_interrupts())
		receive();
	if (!(mis & INT_TX))
		return;
	uart_counts.tx_interrupts++;
	*reg(ICR) = INT_TX;
	if (tx.put == tx.got) {
		*reg(IMSC) &= ~INT_TX;
		sending = false;
	}
	pump();
}

static void put_polled(char c)
{
	while (*reg(FR) & FR_TXFF)
		;
	*reg(DR) = (uint8_t)c;
}

void uart_put_now(const char *text)
{
	while (*text != '\0')
		put_polled(*text++);
}

void uart_putc(char c)
{
	if (habits.console == POLLED) {
		put_polled(c);
		uart_counts.sent++;
		return;
	}
	while (ring_full(&tx))
		wfi();
	irqs_off();
	ring_put(&tx, c);
	if (!sending) {
		sending = true;
		pump();
		*reg(IMSC) |= INT_TX;
	}
	irqs_on();
}

void uart_flush(void)
{
	while (sending)
		wfi();
}

static bool try_getc(char *c)
{
	if (habits.console == POLLED) {
		if (*reg(FR) & FR_RXFE)
			return false;
		*c = (char)*reg(DR);
		uart_counts.received++;
		return true;
	}
	if (rx.put == rx.got)
		return false;
	*c = ring_get(&rx);
	*reg(IMSC) |= rx_interrupts();
	return true;
}

char uart_getc(void)
{
	char c;

	for (;;) {
		irqs_off();
		if (try_getc(&c))
			break;
		wfi();
		irqs_on();
	}
	irqs_on();
	return c;
}
