/* SPDX-License-Identifier: GPL-2.0-only */
/* One line a second, until the cell is asked to shut down. */
#include "inmate.h"

#define POLLS_PER_SECOND 20

void inmate_main(void)
{
	uint64_t poll, next;

	irq_init();
	poll = timer_frequency() / POLLS_PER_SECOND;
	next = timer_now();
	for (unsigned int count = 1;; count++) {
		printk("hello: %u from CPU 0x%lx\n", count, cpu_affinity());
		for (unsigned int i = 0; i < POLLS_PER_SECOND; i++) {
			next += poll;
			timer_sleep_until(next);
			comm_poll();
		}
	}
}
