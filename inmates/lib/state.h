/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The library's own: its one object of state, and what its files share. Not for programs. */
#ifndef INMATE_STATE_H
#define INMATE_STATE_H

#include "inmate.h"

struct exception_catch;

struct irq_slot {
	irq_handler_t handler;
	void *context;
	unsigned int line;		/* shared lines: 0 is a free slot */
};

struct inmate_state {
	struct irq_slot private_lines[32];
	struct irq_slot shared_lines[IRQ_SHARED_MAX];
	struct exception_catch *catch;
	bool irq_ready;
	bool uart_ready;
	bool mmu_on;
	bool dying;			/* a second exception while the first is told: stay silent */
};

extern struct inmate_state inmate;

/* From the linker script. */
extern char image_first[], image_code_end[], image_last[], image_cmdline[], image_comm[];

#endif
