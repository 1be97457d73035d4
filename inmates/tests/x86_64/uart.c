/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A 16550 of the cell's own, driven by its interrupt alone, in both directions: what comes
 * goes back with small and capital letters exchanged, one character an interrupt. `line` (35, global
 * system interrupt 3) is its interrupt's number, `base` (0x2f8) its first port. With `poll` it has
 * none and is asked all the time. With `wfi` it sleeps in between. An EOT (4) is answered with how many interrupts there were, which says what the
 * others cost.
 */
#include "inmate.h"

#define RBR_THR 0
#define IER 1
#define IER_RX 0x1u
#define IER_TX 0x2u
#define IIR 2
#define IIR_NONE 0x1u
#define IIR_WHY 0xfu
#define IIR_TX 0x2u
#define IIR_RX 0x4u
#define IIR_TIMEOUT 0xcu
#define FCR 2
#define LCR 3
#define LCR_8N1 0x3u
#define MCR 4
#define MCR_ON 0xbu		/* DTR, RTS, OUT2: the interrupt's gate */
#define LSR 5
#define LSR_DR 0x1u

#define QUEUE 4096u		/* a power of two */
#define EOT 4

struct uart {
	uint16_t base;
	uint32_t interrupts, received;
	bool sending;
	uint32_t head, tail;
	char queue[QUEUE];
};

static struct uart uart;

static uint8_t reg_read(const struct uart *u, uint16_t reg)
{
	return port_read8((uint16_t)(u->base + reg));
}

static void reg_write(const struct uart *u, uint16_t reg, unsigned int value)
{
	port_write8((uint16_t)(u->base + reg), (uint8_t)value);
}

static void send_next(struct uart *u)
{
	u->sending = u->tail != u->head;
	if (u->sending)
		reg_write(u, RBR_THR, (uint8_t)u->queue[u->tail++ % QUEUE]);
}

static void queue(struct uart *u, char c)
{
	u->queue[u->head++ % QUEUE] = c;
	if (!u->sending)
		send_next(u);
}

static void queue_number(struct uart *u, uint32_t number)
{
	if (number >= 10)
		queue_number(u, number / 10);
	queue(u, (char)('0' + number % 10));
}

static void queue_text(struct uart *u, const char *text)
{
	while (*text)
		queue(u, *text++);
}

static char exchanged(char c)
{
	bool small = c >= 'a' && c <= 'z', capital = c >= 'A' && c <= 'Z';

	return (char)(small || capital ? c ^ 0x20 : c);
}

static void receive(struct uart *u)
{
	char c = (char)reg_read(u, RBR_THR);

	u->received++;
	if (c != EOT) {
		queue(u, exchanged(c));
		return;
	}
	queue_text(u, "\nuart: received=");
	queue_number(u, u->received);
	queue_text(u, " interrupts=");
	queue_number(u, u->interrupts);
	queue_text(u, "\n");
}

/* An edge: nothing more comes while anything is left. */
static void uart_interrupt(void *context, uint64_t entered)
{
	struct uart *u = context;
	uint8_t why;

	(void)entered;
	u->interrupts++;
	while (!((why = reg_read(u, IIR)) & IIR_NONE)) {
		if ((why & IIR_WHY) == IIR_RX || (why & IIR_WHY) == IIR_TIMEOUT)
			receive(u);
		else if ((why & IIR_WHY) == IIR_TX)
			send_next(u);
		else
			(void)reg_read(u, LSR);
	}
}

void inmate_main(void)
{
	unsigned int line = (unsigned int)cmdline_get_int("line", IRQ_SHARED_FIRST + 3);
	struct uart *u = &uart;
	bool sleep = cmdline_get_bool("wfi", false), poll = cmdline_get_bool("poll", false);

	u->base = (uint16_t)cmdline_get_int("base", 0x2f8);
	irq_init();
	reg_write(u, IER, 0);
	reg_write(u, LCR, LCR_8N1);
	/* Without FIFOs each character is an interrupt */
	reg_write(u, FCR, 0);
	reg_write(u, MCR, MCR_ON);
	while (reg_read(u, LSR) & LSR_DR)
		(void)reg_read(u, RBR_THR);
	if (!poll && !irq_enable(line, uart_interrupt, u)) {
		printk("uart: line %u is none of this cell's\n", line);
		inmate_stop(ABI_CELL_FAILED);
	}
	reg_write(u, IER, IER_RX | IER_TX);
	queue_text(u, "uart: ready\n");
	while (poll)
		uart_interrupt(u, 0);
	for (;;) {
		irq_mask();
		if (sleep)
			irq_wait();
		irq_unmask();
	}
}
