// SPDX-License-Identifier: GPL-2.0-only
/* The machine's UART, shared with Linux: only what cannot be said otherwise goes there. */
#include "asm.h"
#include "x86.h"

#define THR 0
#define LSR 5
#define LSR_THRE BIT(5)
/* A UART that never drains must not hold the hypervisor up */
#define PATIENCE 100000

static void put(uint16_t uart, char c)
{
	unsigned patience = PATIENCE;

	while (!(in8((uint16_t)(uart + LSR)) & LSR_THRE) && --patience != 0)
		cpu_relax();
	out8((uint16_t)(uart + THR), (uint8_t)c);
}

void uart_write(const char *text, size_t size)
{
	for (; size != 0; size--, text++) {
		if (*text == '\n')
			put(machine.uart, '\r');
		put(machine.uart, *text);
	}
}

void uart_init(void)
{
	const struct abi_console *console = &machine.sys.config.system->console;

	if (console->type == ABI_CONSOLE_8250 && !(console->flags & ABI_CONSOLE_MMIO))
		machine.uart = (uint16_t)console->address;
}
