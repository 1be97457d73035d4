// SPDX-License-Identifier: GPL-2.0-only
/* A cell's UART that is none of the machine's: eight ports that lead here. */
#include "arch/cpu.h"
#include "core/cell.h"
#include "x86.h"

static struct v8250 *uart_of(struct cell *cell)
{
	return CONFIG_SERVE_CELL_UART && cell->config.cell->uart.type != ABI_CONSOLE_NONE ? &cell->arch->uart : NULL;
}

bool vuart_access(struct cpu *self, struct pio_access *access)
{
	struct cell *cell = self->cell;
	struct v8250 *uart = uart_of(cell);
	uint64_t reg = access->port - cell->config.cell->uart.address;
	bool sent = false;

	/* its registers are bytes */
	if (uart == NULL || access->size != 1 || reg >= V8250_PORTS)
		return false;
	lock_take(&cell->uart_lock);
	if (access->write)
		sent = v8250_write(uart, (unsigned)reg, (uint8_t)access->value);
	else
		access->value = v8250_read(uart, (unsigned)reg);
	lock_drop(&cell->uart_lock);
	if (sent)
		cell_putc(cell, (char)access->value);
	return true;
}

void vuart_reset(struct cell *cell)
{
	if (uart_of(cell) == NULL)
		return;
	lock_take(&cell->uart_lock);
	v8250_reset(uart_of(cell));
	lock_drop(&cell->uart_lock);
}

long arch_uart_input(struct cell *cell, const uint8_t *bytes, unsigned count)
{
	struct v8250 *uart = uart_of(cell);
	long taken;

	if (uart == NULL)
		return -1;
	lock_take(&cell->uart_lock);
	taken = v8250_receive(uart, bytes, count);
	lock_drop(&cell->uart_lock);
	return taken;
}
