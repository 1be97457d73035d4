// SPDX-License-Identifier: GPL-2.0-only
#include "guest.h"

/* Where QEMU leaves a tree for a program that is no kernel: at the start of RAM */
#define TREE_WITHOUT_KERNEL 0x40000000

struct cpu_state cpu_state[CPUS];
char stacks[CPUS][STACK_SIZE] __attribute__((aligned(16)));

unsigned this_cpu(void)
{
	return (unsigned)sys_read(tpidr_el1);
}

void exception(uint64_t kind, uint64_t esr, uint64_t elr, uint64_t far)
{
	const uint64_t values[] = { kind, esr, elr, far };
	char text[20];
	unsigned n, digit;

	uart_put_now("\r\nexception: kind, ESR, ELR, FAR");
	for (n = 0; n < 4; n++) {
		for (digit = 0; digit < 16; digit++)
			text[digit] = "0123456789abcdef"[values[n] >> (60 - 4 * digit) & 15];
		text[16] = '\0';
		uart_put_now(" ");
		uart_put_now(text);
	}
	uart_put_now("\r\n");
}

void secondary(unsigned cpu)
{
	gic_cpu_init();
	timer_start();
	cpu_state[cpu].up = 1;
	while (!cpu_state[cpu].leaves) {
		irqs_on();
		wfi();
	}
	irqs_off();
	(void)psci(PSCI_CPU_OFF, 0, 0, 0);
}

/* Those there are: it ends at the first that PSCI does not know. */
static void start_others(void)
{
	unsigned n;

	for (n = 1; n < board.cpus; n++) {
		if (psci(PSCI_CPU_ON, board.affinity[n], (uintptr_t)secondary_start, n) != 0)
			break;
		while (!cpu_state[n].up)
			;
	}
	board.cpus = n;
}

void primary(uintptr_t tree)
{
	unsigned lines;

	board.conduit = habits.conduit;
	board.cpus = habits.cpus;
	lives_begin();
	if (habits.from_tree && !board_read_tree(tree) && !board_read_tree(TREE_WITHOUT_KERNEL))
		uart_put_now("no tree\r\n");
	lines = gic_init();
	gic_cpu_init();
	uart_init();
	timer_start();
	irqs_on();
	start_others();
	print("%s: ready, life %u, cpus %u, %s, uart %u, lines %u\n", habits.name, lives_count(), board.cpus,
	      board.conduit == HVC ? "hvc" : "smc", board.uart_irq, lines);
	lives_go_on();
	shell();
}
