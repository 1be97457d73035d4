// SPDX-License-Identifier: GPL-2.0-only
/*
 * A cell's UART that is none of the machine's. Its interrupt is one of the cell's lines, with no wire: it
 * is made pending in the distributor, and so arrives as all of the cell's do, directly or injected.
 */
#include "arch/cpu.h"
#include "arm64.h"
#include "core/cell.h"

static struct vpl011 *uart_of(struct cell *cell)
{
	return CONFIG_SERVE_CELL_UART && cell->config.cell->uart.type != ABI_CONSOLE_NONE ? &cell->arch->uart : NULL;
}

/*
 * While its guest is at work on an interrupt, the line is active and pending, and comes again at its end
 * unless the cause goes away before, as with a wire. Caller holds cell.uart_lock.
 */
static void set_line(struct cell *cell)
{
	uint32_t irq = cell->config.cell->uart.irq;
	uint32_t bank = vpl011_interrupts(&cell->arch->uart) ? GICD_ISPENDR : GICD_ICPENDR;

	if (irq != 0)
		frame_write(machine.gicd, bank + irq / 32 * 4, 1u << irq % 32);
}

static err_t vuart_access(struct cpu *self, struct mmio_access *access)
{
	struct cell *cell = self->cell;
	struct vpl011 *uart = uart_of(cell);
	bool sent, interrupts;
	err_t e;

	lock_take(&cell->uart_lock);
	interrupts = vpl011_interrupts(uart);
	e = vpl011_access(uart, access, &sent);
	if (interrupts || vpl011_interrupts(uart))
		set_line(cell);
	lock_drop(&cell->uart_lock);
	if (sent)
		cell_putc(cell, (char)access->value);
	return e;
}

void vuart_init(struct cell *cell)
{
	if (uart_of(cell) != NULL)
		cell->mmio[cell->mmio_count++] =
			(struct mmio_region){ { cell->config.cell->uart.address, PAGE_SIZE }, vuart_access };
}

void vuart_reset(struct cell *cell)
{
	if (uart_of(cell) == NULL)
		return;
	lock_take(&cell->uart_lock);
	vpl011_reset(uart_of(cell));
	lock_drop(&cell->uart_lock);
}

long arch_uart_input(struct cell *cell, const uint8_t *bytes, unsigned count)
{
	struct vpl011 *uart = uart_of(cell);
	long taken;

	if (uart == NULL)
		return -1;
	lock_take(&cell->uart_lock);
	taken = vpl011_receive(uart, bytes, count);
	if (vpl011_interrupts(uart))
		set_line(cell);
	lock_drop(&cell->uart_lock);
	return taken;
}
