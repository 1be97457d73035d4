// SPDX-License-Identifier: GPL-2.0-only
#include "arch/x86/pure/v8250.h"

#include "base/bits.h"

/* PC16550D, table 2; with LCR.DLAB the first two are the divisor's */
#define DATA 0u
#define IER 1u
#define IIR 2u			/* written: FCR */
#define LCR 3u
#define MCR 4u
#define LSR 5u
#define MSR 6u
#define SCR 7u

#define IER_DATA 0x01u
#define IER_THRE 0x02u
#define IER_BITS 0x0fu
#define IIR_NONE 0x01u
#define IIR_THRE 0x02u
#define IIR_DATA 0x04u
#define IIR_FIFOS 0xc0u
#define FCR_ENABLE 0x01u
#define FCR_CLEAR_RECEIVER 0x02u
#define LCR_DLAB 0x80u
#define MCR_LOOP 0x10u
#define MCR_BITS 0x1fu
#define LSR_DATA 0x01u
#define LSR_THRE 0x20u
#define LSR_EMPTY 0x40u
/* CTS, DSR and DCD: somebody is there */
#define MSR_CONNECTED 0xb0u

void v8250_reset(struct v8250 *uart)
{
	*uart = (struct v8250){ .dll = 1 };
}

unsigned v8250_receive(struct v8250 *uart, const uint8_t *bytes, unsigned count)
{
	unsigned i;

	for (i = 0; i < count && uart->count < V8250_FIFO; i++)
		uart->fifo[(uart->first + uart->count++) % V8250_FIFO] = bytes[i];
	return i;
}

static uint8_t read_data(struct v8250 *uart)
{
	uint8_t byte = uart->fifo[uart->first];

	if (uart->count == 0)
		return 0;
	uart->first = (uint8_t)((uart->first + 1) % V8250_FIFO);
	uart->count--;
	return byte;
}

/* The most urgent cause, of which reading takes back that of the transmitter. */
static uint8_t read_cause(struct v8250 *uart)
{
	uint8_t fifos = uart->fcr & FCR_ENABLE ? IIR_FIFOS : 0;

	if (uart->ier & IER_DATA && uart->count != 0)
		return IIR_DATA | fifos;
	if (!(uart->ier & IER_THRE) || !uart->thre)
		return IIR_NONE | fifos;
	uart->thre = false;
	return IIR_THRE | fifos;
}

/* In a loop the modem's lines are what MCR says: DTR, RTS, OUT1, OUT2 as DSR, CTS, RI, DCD. */
static uint8_t read_modem(const struct v8250 *uart)
{
	unsigned out = uart->mcr;

	if (!(out & MCR_LOOP))
		return MSR_CONNECTED;
	return (uint8_t)((out & 1) << 5 | (out & 2) << 3 | (out & 0xc) << 4);
}

uint8_t v8250_read(struct v8250 *uart, unsigned reg)
{
	bool divisor = uart->lcr & LCR_DLAB;

	switch (reg) {
	case DATA:
		return divisor ? uart->dll : read_data(uart);
	case IER:
		return divisor ? uart->dlm : uart->ier;
	case IIR:
		return read_cause(uart);
	case LCR:
		return uart->lcr;
	case MCR:
		return uart->mcr;
	case LSR:
		return LSR_THRE | LSR_EMPTY | (uart->count != 0 ? LSR_DATA : 0);
	case MSR:
		return read_modem(uart);
	default:
		return uart->scr;
	}
}

/* In a loop it comes back. */
static bool send(struct v8250 *uart, uint8_t byte)
{
	uart->thre = true;
	if (!(uart->mcr & MCR_LOOP))
		return true;
	(void)v8250_receive(uart, &byte, 1);
	return false;
}

static void write_enables(struct v8250 *uart, uint8_t value)
{
	/* it is empty, and says so to who begins to ask */
	if (value & ~uart->ier & IER_THRE)
		uart->thre = true;
	uart->ier = value & IER_BITS;
}

bool v8250_write(struct v8250 *uart, unsigned reg, uint8_t value)
{
	bool divisor = uart->lcr & LCR_DLAB;

	if (reg == DATA && !divisor)
		return send(uart, value);
	if (reg == DATA)
		uart->dll = value;
	else if (reg == IER && divisor)
		uart->dlm = value;
	else if (reg == IER)
		write_enables(uart, value);
	else if (reg == IIR) {
		uart->fcr = value;
		if (value & FCR_CLEAR_RECEIVER)
			uart->count = 0;
	} else if (reg == LCR)
		uart->lcr = value;
	else if (reg == MCR)
		uart->mcr = value & MCR_BITS;
	else if (reg == SCR)
		uart->scr = value;
	return false;
}
