// SPDX-License-Identifier: GPL-2.0-only
#include "arch/arm64/pure/vpl011.h"

#include "base/bits.h"

/* DDI0183G 3.2 */
#define UARTDR 0x000
#define UARTFR 0x018
#define UARTILPR 0x020
#define UARTIBRD 0x024
#define UARTFBRD 0x028
#define UARTLCR_H 0x02c
#define UARTCR 0x030
#define UARTIFLS 0x034
#define UARTIMSC 0x038
#define UARTRIS 0x03c
#define UARTMIS 0x040
#define UARTICR 0x044
#define UARTPERIPHID0 0xfe0
#define PAGE_END 0x1000

#define FR_RXFE BIT(4)
#define FR_RXFF BIT(6)
#define FR_TXFE BIT(7)

#define CR_RXE BIT(9)
#define CR_RESET 0x0300		/* TXE, RXE */
#define IFLS_RESET 0x12

#define INT_RX BIT(4)
#define INT_TX BIT(5)
#define INT_RT BIT(6)
#define INTERRUPTS BITS(10, 0)

/* UARTPeriphID0..3, UARTPCellID0..3: part 0x011, ARM, revision 1, the deepest FIFO a driver knows of it is 16 */
static const uint8_t identity[] = { 0x11, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };

void vpl011_reset(struct vpl011 *uart)
{
	*uart = (struct vpl011){ .cr = CR_RESET, .ifls = IFLS_RESET };
}

unsigned vpl011_receive(struct vpl011 *uart, const uint8_t *bytes, unsigned count)
{
	unsigned i;

	/* programs for emulated machines do not set UARTEN, which those do not ask for */
	if (!(uart->cr & CR_RXE))
		return 0;
	for (i = 0; i < count && uart->count < VPL011_FIFO; i++)
		uart->fifo[(uart->first + uart->count++) % VPL011_FIFO] = bytes[i];
	/* the line is idle at once, so the timeout comes with the byte, whatever the level UARTIFLS asks for */
	if (i != 0)
		uart->ris |= INT_RX | INT_RT;
	return i;
}

static uint64_t read_data(struct vpl011 *uart)
{
	uint8_t byte = uart->fifo[uart->first];

	if (uart->count == 0)
		return 0;
	uart->first = (uint8_t)((uart->first + 1) % VPL011_FIFO);
	uart->ris &= (uint16_t)~(INT_RX | INT_RT);
	uart->next = --uart->count != 0;
	if (uart->next)
		uart->ris |= INT_RX | INT_RT;
	return byte;
}

/*
 * Without FIFOs a byte comes when the one before was read, and has an interrupt of its own: drivers that read one
 * each time and clear the interrupt after that must not clear the next one's.
 */
static void clear(struct vpl011 *uart, uint64_t interrupts)
{
	if (uart->next && (interrupts & (INT_RX | INT_RT))) {
		interrupts &= ~(INT_RX | INT_RT);
		uart->next = false;
	}
	uart->ris &= (uint16_t)~interrupts;
}

static uint64_t read_flags(const struct vpl011 *uart)
{
	return FR_TXFE | (uart->count == 0 ? FR_RXFE : 0) | (uart->count == VPL011_FIFO ? FR_RXFF : 0);
}

static uint64_t read(struct vpl011 *uart, uint64_t offset)
{
	switch (offset) {
	case UARTDR:
		return read_data(uart);
	case UARTFR:
		return read_flags(uart);
	case UARTILPR:
		return uart->ilpr;
	case UARTIBRD:
		return uart->ibrd;
	case UARTFBRD:
		return uart->fbrd;
	case UARTLCR_H:
		return uart->lcr_h;
	case UARTCR:
		return uart->cr;
	case UARTIFLS:
		return uart->ifls;
	case UARTIMSC:
		return uart->imsc;
	case UARTRIS:
		return uart->ris;
	case UARTMIS:
		return uart->ris & uart->imsc;
	default:
		return offset >= UARTPERIPHID0 && offset < PAGE_END ? identity[(offset - UARTPERIPHID0) / 4] : 0;
	}
}

/* Was it a byte to send? */
static bool write(struct vpl011 *uart, uint64_t offset, uint64_t value)
{
	switch (offset) {
	case UARTDR:
		/* the FIFO has fallen below its level again: it is empty (3.4.2) */
		uart->ris |= INT_TX;
		return true;
	case UARTILPR:
		uart->ilpr = (uint8_t)value;
		break;
	case UARTIBRD:
		uart->ibrd = (uint16_t)value;
		break;
	case UARTFBRD:
		uart->fbrd = value & BITS(5, 0);
		break;
	case UARTLCR_H:
		uart->lcr_h = (uint8_t)value;
		break;
	case UARTCR:
		uart->cr = (uint16_t)value;
		break;
	case UARTIFLS:
		uart->ifls = value & BITS(5, 0);
		break;
	case UARTIMSC:
		uart->imsc = value & INTERRUPTS;
		break;
	case UARTICR:
		clear(uart, value);
		break;
	default:
		break;
	}
	return false;
}

err_t vpl011_access(struct vpl011 *uart, struct mmio_access *access, bool *sent)
{
	*sent = false;
	if (access->size > 4 || access->address.v % access->size != 0)
		return ERR_INVALID;
	/* registers are words; of all but the identity a byte or halfword access means the low part */
	if (access->write)
		*sent = access->address.v % 4 == 0 && write(uart, access->address.v, access->value);
	else
		access->value = access->address.v % 4 == 0 ? read(uart, access->address.v) : 0;
	return OK;
}
