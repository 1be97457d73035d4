/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A PL011 of the cell's own, driven by its interrupt alone, in both directions: what comes
 * goes back with small and capital letters exchanged, one character an interrupt. `line` (40) is
 * its interrupt's number, `base` (0x9040000) where it is. With `wfi` it sleeps in between. An
 * EOT (4) is answered with how many interrupts there were, which says what the others cost.
 */
#include "inmate.h"
#include "arm64/sysreg.h"

/* DDI0183, 3.2 */
#define UARTDR 0x00
#define UARTFR 0x18
#define UARTFR_RXFE 0x10u
#define UARTFR_TXFF 0x20u
#define UARTLCR_H 0x2c
#define UARTLCR_H_WLEN_8 0x60u
#define UARTCR 0x30
#define UARTCR_ON 0x301u	/* UARTEN, TXE, RXE */
#define UARTIMSC 0x38
#define UARTMIS 0x40
#define UARTICR 0x44
#define UART_INT_RX 0x10u
#define UART_INT_TX 0x20u

#define QUEUE 4096u		/* a power of two */
#define EOT 4

struct uart {
	uint64_t base;
	uint32_t interrupts, received;
	bool sending;
	uint32_t head, tail;
	char queue[QUEUE];
};

static struct uart uart;

static void send_next(struct uart *u)
{
	u->sending = u->tail != u->head;
	if (u->sending)
		mmio_write32(u->base + UARTDR, (uint8_t)u->queue[u->tail++ % QUEUE]);
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
	char c = (char)mmio_read32(u->base + UARTDR);

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

static void uart_interrupt(void *context, uint64_t entered)
{
	struct uart *u = context;
	uint32_t why = mmio_read32(u->base + UARTMIS);

	(void)entered;
	u->interrupts++;
	if (why & UART_INT_TX) {
		mmio_write32(u->base + UARTICR, UART_INT_TX);
		send_next(u);
	}
	if (why & UART_INT_RX)
		receive(u);
	dsb_sy();
}

void inmate_main(void)
{
	struct uart *u = &uart;
	bool sleep = cmdline_get_bool("wfi", false);

	u->base = cmdline_get_int("base", 0x9040000);
	irq_init();
	mmio_write32(u->base + UARTCR, 0);
	mmio_write32(u->base + UARTICR, UINT32_MAX);
	/* Without FIFOs each character is an interrupt */
	mmio_write32(u->base + UARTLCR_H, UARTLCR_H_WLEN_8);
	mmio_write32(u->base + UARTCR, UARTCR_ON);
	mmio_write32(u->base + UARTIMSC, UART_INT_RX | UART_INT_TX);
	irq_enable((unsigned int)cmdline_get_int("line", 40), uart_interrupt, u);
	queue_text(u, "uart: ready\n");
	for (;;) {
		irq_mask();
		if (sleep)
			irq_wait();
		irq_unmask();
		isb();
	}
}
