// SPDX-License-Identifier: GPL-2.0-only
/* The machine's UART, shared with Linux: only what cannot be said otherwise goes there. */
#include "arm64.h"
#include "sysreg.h"

#define UARTDR 0x00
#define UARTFR 0x18
#define UARTFR_TXFF BIT(5)
/* A UART that never drains must not hold the hypervisor up */
#define PATIENCE 1000000

static void put(volatile uint32_t *uart, char c)
{
	unsigned patience = PATIENCE;

	while ((uart[UARTFR / 4] & UARTFR_TXFF) && --patience != 0)
		;
	uart[UARTDR / 4] = (uint8_t)c;
}

void pl011_write(const char *text, size_t size)
{
	volatile uint32_t *uart = (volatile uint32_t *)machine.uart.start;

	for (; size != 0; size--, text++) {
		if (*text == '\n')
			put(uart, '\r');
		put(uart, *text);
	}
}

void pl011_init(void)
{
	const struct abi_console *console = &machine.sys.config.system->console;

	if (console->type != ABI_CONSOLE_PL011)
		return;
	machine.uart = (struct span){ align_down(console->address, PAGE_SIZE), PAGE_SIZE };
}
