/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "state.h"

/* ARM PL011 TRM DDI0183, 3.3 */
#define PL011_DR 0x00
#define PL011_FR 0x18
#define PL011_FR_TXFF 0x20u
#define PL011_CR 0x30
#define PL011_CR_UARTEN 0x001u
#define PL011_CR_TXE 0x100u

#define UART8250_DLL 0
#define UART8250_DLM 1
#define UART8250_LCR 3
#define UART8250_LCR_8N1 0x03
#define UART8250_LCR_DLAB 0x80
#define UART8250_LSR 5
#define UART8250_LSR_THRE 0x20

static void pl011_putc(const struct abi_console *con, uint8_t c)
{
	if (!inmate.uart_ready) {
		uint32_t cr = mmio_read32(con->address + PL011_CR);
		uint32_t on = PL011_CR_UARTEN | PL011_CR_TXE;

		if ((cr & on) != on)
			mmio_write32(con->address + PL011_CR, cr | on);
		inmate.uart_ready = true;
	}
	while (mmio_read32(con->address + PL011_FR) & PL011_FR_TXFF)
		;
	mmio_write32(con->address + PL011_DR, c);
}

static uint8_t uart8250_read(const struct abi_console *con, unsigned int reg)
{
	if (!(con->flags & ABI_CONSOLE_MMIO))
		return port_read8((uint16_t)(con->address + reg));
	if (con->flags & ABI_CONSOLE_STRIDE_4)
		return (uint8_t)mmio_read32(con->address + reg * 4);
	return mmio_read8(con->address + reg);
}

static void uart8250_write(const struct abi_console *con, unsigned int reg, uint8_t value)
{
	if (!(con->flags & ABI_CONSOLE_MMIO))
		port_write8((uint16_t)(con->address + reg), value);
	else if (con->flags & ABI_CONSOLE_STRIDE_4)
		mmio_write32(con->address + reg * 4, value);
	else
		mmio_write8(con->address + reg, value);
}

static void uart8250_putc(const struct abi_console *con, uint8_t c)
{
	/* Divider 0: whoever had the port before has set its speed. */
	if (!inmate.uart_ready && con->divider) {
		uart8250_write(con, UART8250_LCR, UART8250_LCR_DLAB);
		uart8250_write(con, UART8250_DLL, (uint8_t)con->divider);
		uart8250_write(con, UART8250_DLM, (uint8_t)(con->divider >> 8));
		uart8250_write(con, UART8250_LCR, UART8250_LCR_8N1);
	}
	inmate.uart_ready = true;
	while (!(uart8250_read(con, UART8250_LSR) & UART8250_LSR_THRE))
		;
	uart8250_write(con, 0, c);
}

static void uart_putc(const struct abi_console *con, uint8_t c)
{
	if (con->type == ABI_CONSOLE_PL011)
		pl011_putc(con, c);
	else
		uart8250_putc(con, c);
}

static bool console_is_uart(const struct abi_console *con)
{
	if (!(con->flags & ABI_CONSOLE_MMIO))
		return ARCH_HAS_PORTS && con->type == ABI_CONSOLE_8250;
	return con->type == ABI_CONSOLE_PL011 || con->type == ABI_CONSOLE_8250;
}

void console_putc(char c)
{
	const struct abi_comm *comm = comm_page();

	if (comm->flags & ABI_COMM_FLAG_PUTC_CONSOLE) {
		hypercall(ABI_HC_PUTC, (uint8_t)c, 0);
	} else if (console_is_uart(&comm->console)) {
		if (c == '\n')
			uart_putc(&comm->console, '\r');
		uart_putc(&comm->console, (uint8_t)c);
	} else if (comm->flags & ABI_COMM_FLAG_PUTC) {
		hypercall(ABI_HC_PUTC, (uint8_t)c, 0);
	}
}

void console_puts(const char *text)
{
	while (*text)
		console_putc(*text++);
}
