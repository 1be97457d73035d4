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
/* The first CPU's, each time it is started again */
static struct {
	unsigned char stack[4096];
	struct cpu_boot boot;
} again __attribute__((aligned(16)));

/* Started again, it has nothing to say any more. */
static void halt_again(void *argument)
{
	(void)argument;
}

static void hammer(void *first)
{
	while (comm_page()->cell_state != ABI_CELL_SHUT_DOWN)
		;
	for (;;) {
		cpu_send((uint64_t)(uintptr_t)first, ICR_INIT);
		again.boot = (struct cpu_boot){ .entry = halt_again };
		cpu_starting = &again.boot;
		cpu_send((uint64_t)(uintptr_t)first, ICR_SIPI | SECONDARY_VECTOR);
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
	result = cpu_start(second, hammer, (void *)(uintptr_t)first, stack, sizeof(stack));
	if (result) {
		printk("poweroff: no second CPU: 0x%lx does not start\n", second);
		inmate_stop(ABI_CELL_FAILED);
	}
	inmate_stop(ABI_CELL_SHUT_DOWN);
}
