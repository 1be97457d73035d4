/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A cell that ends while a CPU of it goes on. With two CPUs the first turns the cell off and
 * the second, which this program starts, tells it to start again all the time. With `words`
 * the cell only says on its communication page that it is shut down, and spins.
 */
#include "inmate.h"
#include "arm64/cpu.h"

static unsigned char stack[4096] __attribute__((aligned(16)));
static volatile uint32_t hammering;

static void hammer(void *first)
{
	for (;;) {
		smccc_hvc(PSCI_CPU_ON, (uint64_t)(uintptr_t)first, image_start(), 0);
		hammering = 1;
	}
}

void inmate_main(void)
{
	uint64_t first = cpu_affinity();
	int64_t result;

	if (cmdline_get_bool("words", false)) {
		printk("poweroff: says so\n");
		comm_set_state(ABI_CELL_SHUT_DOWN);
		for (;;)
			__asm__ volatile("" ::: "memory");
	}
	result = cpu_start(first + 1, hammer, (void *)(uintptr_t)first, stack, sizeof(stack));
	if (result != PSCI_SUCCESS) {
		printk("poweroff: no second CPU: CPU_ON of 0x%lx gave %ld\n", first + 1, result);
		inmate_stop(ABI_CELL_FAILED);
	}
	while (!hammering)
		;
	smccc_hvc(PSCI_SYSTEM_OFF, 0, 0, 0);
	printk("poweroff: SYSTEM_OFF returned\n");
	inmate_stop(ABI_CELL_FAILED);
}
