/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a former owner's interrupts end (apic.c): they are in service then, and done with there. */
	.text
	.globl	drain_gate
	.hidden	drain_gate
drain_gate:
	iretq
