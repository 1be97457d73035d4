/* SPDX-License-Identifier: GPL-2.0-only */
/* From a guest to C and back. While the guest runs SP_EL2 is the top of the CPU's stack. */
#include "layout.h"

	.macro	save_regs
	sub	sp, sp, #REGS_SIZE
	stp	x0, x1, [sp, #16 * 0]
	stp	x2, x3, [sp, #16 * 1]
	stp	x4, x5, [sp, #16 * 2]
	stp	x6, x7, [sp, #16 * 3]
	stp	x8, x9, [sp, #16 * 4]
	stp	x10, x11, [sp, #16 * 5]
	stp	x12, x13, [sp, #16 * 6]
	stp	x14, x15, [sp, #16 * 7]
	stp	x16, x17, [sp, #16 * 8]
	stp	x18, x19, [sp, #16 * 9]
	stp	x20, x21, [sp, #16 * 10]
	stp	x22, x23, [sp, #16 * 11]
	stp	x24, x25, [sp, #16 * 12]
	stp	x26, x27, [sp, #16 * 13]
	stp	x28, x29, [sp, #16 * 14]
	str	x30, [sp, #16 * 15]
	.endm

	.macro	from_guest, handler
	.balign	128
	save_regs
	mov	x0, sp
	bl	\handler
	b	return_to_guest
	.endm

	/* The stack may be what is wrong: goes on at the end of the struct percpu's page. x17 and x18 are lost. */
	.macro	from_hypervisor, number
	.balign	128
	mov	x17, sp
	mrs	x18, tpidr_el2
	add	x18, x18, #4096
	mov	sp, x18
	save_regs
	mov	x0, sp
	mov	x1, #\number
	b	exit_hypervisor
	.endm

	.section .vectors, "ax"
	.balign	2048
	.globl	vectors
vectors:
	from_hypervisor 0
	from_hypervisor 1
	from_hypervisor 2
	from_hypervisor 3
	from_hypervisor 4
	from_hypervisor 5
	from_hypervisor 6
	from_hypervisor 7
	from_guest exit_sync
	from_hypervisor 9	/* IRQs are the guest's: HCR_EL2.IMO is 0 */
	from_guest exit_fiq
	from_guest exit_serror
	/* EL1 is AArch64 (HCR_EL2.RW): these are never taken */
	from_hypervisor 12
	from_hypervisor 13
	from_hypervisor 14
	from_hypervisor 15
	.balign	128

/* enter_guest(regs): regs lie at the top of this CPU's stack, REGS_SIZE below its end */
	.globl	enter_guest
enter_guest:
	mov	sp, x0
return_to_guest:
	ldp	x2, x3, [sp, #16 * 1]
	ldp	x4, x5, [sp, #16 * 2]
	ldp	x6, x7, [sp, #16 * 3]
	ldp	x8, x9, [sp, #16 * 4]
	ldp	x10, x11, [sp, #16 * 5]
	ldp	x12, x13, [sp, #16 * 6]
	ldp	x14, x15, [sp, #16 * 7]
	ldp	x16, x17, [sp, #16 * 8]
	ldp	x18, x19, [sp, #16 * 9]
	ldp	x20, x21, [sp, #16 * 10]
	ldp	x22, x23, [sp, #16 * 11]
	ldp	x24, x25, [sp, #16 * 12]
	ldp	x26, x27, [sp, #16 * 13]
	ldp	x28, x29, [sp, #16 * 14]
	ldr	x30, [sp, #16 * 15]
	ldp	x0, x1, [sp], #REGS_SIZE
	eret
	/* Nothing behind it is run speculatively */
	dsb	nsh
	isb

/* restart_on_stack(stack, run, self) */
	.globl	restart_on_stack
restart_on_stack:
	mov	sp, x0
	mov	x0, x2
	mov	x29, xzr
	mov	x30, xzr
	br	x1
