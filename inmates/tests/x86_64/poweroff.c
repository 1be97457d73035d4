/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A cell that ends while a CPU of it goes on. With two CPUs the first says that the cell is
 * shut down and halts, and the second, which this program starts, resets it and starts it
 * again all the time; `second` is its APIC id (the first's and 1). With `words` the cell only says
 * on its communication page that it is shut down, and spins.
 */
#include "inmate.h"
#include "x86_64/apic.h"
#include "x86_64/cpu.h"

static unsigned char stack[4096] __attribute__((aligned(16)));

/* The SIPI leads to this program's first byte. */
static void hammer(void *first)
{
	while (comm_page()->cell_state != ABI_CELL_SHUT_DOWN)
		;
	for (;;) {
		cpu_send((uint64_t)(uintptr_t)first, ICR_INIT);
		cpu_send((uint64_t)(uintptr_t)first, ICR_SIPI);
	}
}

void inmate_main(void)
{
	uint64_t first = cpu_affinity(), second = cmdline_get_int("second", first + 1);
	int64_t result;

	if (cmdline_get_bool("words", false)) {
		printk("poweroff: says so\n");
		comm_set_state(ABI_CELL_SHUT_DOWN);
		for (;;)
			__asm__ volatile("" ::: "memory");
	}
	/* Started again, it has nothing to say any more */
	if (comm_page()->cell_state == ABI_CELL_SHUT_DOWN)
		cpu_off();
	result = cpu_start(second, hammer, (void *)(uintptr_t)first, stack, sizeof(stack));
	if (result) {
		printk("poweroff: no second CPU: 0x%lx does not start\n", second);
		inmate_stop(ABI_CELL_FAILED);
	}
	inmate_stop(ABI_CELL_SHUT_DOWN);
}
