// SPDX-License-Identifier: GPL-2.0-only
/* What else a system does with its machine now and then. */
#include "guest.h"

#define GICD_ISPENDR 0x200
#define GICD_IPRIORITYR 0x400
#define GICD_IROUTER 0x6000
#define PIDR2 0xffe8
#define ICC_RPR_EL1 S3_0_C12_C11_3
#define ICC_HPPIR1_EL1 S3_0_C12_C12_2
#define ICC_IAR1_EL1 S3_0_C12_C12_0
#define PSCI_CPU_ON_32 0x84000003u
#define PSCI_AFFINITY_INFO 0xc4000004u
#define AFFINITY_OFF 1

static uint32_t word(uintptr_t at)
{
	return *(volatile uint32_t *)at;
}

/* The architecture's versions, the console's line by its bytes and halves, pended by hand if it is in use, and nothing else. */
void probe(const char *words)
{
	unsigned line = board.uart_irq, before = uart_counts.interrupts;
	unsigned running = (unsigned)sys_read(ICC_RPR_EL1), pending, got;

	(void)words;
	/* what was said before is out */
	uart_flush();
	timer_wait(1);
	before = uart_counts.interrupts;
	if (habits.console != POLLED) {
		*(volatile uint32_t *)(board.gicd + GICD_ISPENDR + line / 32 * 4) = 1u << line % 32;
		timer_wait(2);
	}
	got = uart_counts.interrupts - before;
	irqs_off();
	pending = (unsigned)sys_read(ICC_HPPIR1_EL1);
	irqs_on();
	print("probe %u %u priority %x route %x pended %u rpr %x hppir %x\n", word(board.gicd + PIDR2) >> 4 & 15,
	      word(board.gicr + PIDR2) >> 4 & 15, *(volatile uint8_t *)(board.gicd + GICD_IPRIORITYR + line),
	      word(board.gicd + GICD_IROUTER + 8 * line), got, running, pending);
}

static void start(unsigned cpu)
{
	uint32_t function = cpu & 1 ? PSCI_CPU_ON_32 : PSCI_CPU_ON;

	cpu_state[cpu].up = 0;
	cpu_state[cpu].leaves = 0;
	dsb();
	(void)psci(function, board.affinity[cpu], (uintptr_t)secondary_start, cpu);
	while (!cpu_state[cpu].up)
		;
}

/* All others off and on again. */
void cycle(const char *words)
{
	unsigned n, count = 0;

	(void)words;
	for (n = 1; n < board.cpus; n++) {
		int64_t already = psci(PSCI_CPU_ON, board.affinity[n], (uintptr_t)secondary_start, n);

		cpu_state[n].leaves = 1;
		gic_send(SGI_LEAVE, n);
		while (psci(PSCI_AFFINITY_INFO, board.affinity[n], 0, 0) != AFFINITY_OFF)
			;
		start(n);
		count += already == PSCI_ALREADY_ON;
	}
	print("cycle %u, none %x\n", count, (unsigned)psci(PSCI_CPU_ON, 0x77, (uintptr_t)secondary_start, 0));
}
