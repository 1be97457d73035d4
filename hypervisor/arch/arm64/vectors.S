/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a guest to C and back. While the guest runs SP_EL2 is the top of the CPU's stack, where
 * its struct percpu begins, and in that its struct cpu: the handlers' first argument. The second
 * is struct regs, right below; the third, where there is one, ESR_EL2.
 */
#include "exit_asm.h"
#include "layout.h"

/* ESR_EL2 */
#define ESR_EC_SHIFT 26
#define ESR_EC_ABORTS_BIT 31		/* 0x20 and above */
#define EC_CALLS (0x16 >> 1)		/* 0x16 HVC64, 0x17 SMC64 */
/* EC 0x18, IL, op0 3, op1 0, CRn 12, CRm 11, op2 5, written; Rt 0 */
#define ESR_SGI1R_HIGH 0x623a
#define ESR_SGI1R_LOW 0x3016
/* EC 0x18, IL, op0 3, op1 0, CRn 0, read; op2, Rt and CRm 0 */
#define ESR_ID_READ_HIGH 0x6230
#define ESR_ID_READ_LOW 0x0001
#define ESR_OP2 0xe0000
#define ESR_OP2_SHIFT 17
#define ESR_RT_AND_CRM 0x3fe
#define ESR_RT_SHIFT 5
#define ESR_CRM_SHIFT 1

	.macro	save_first
	sub	sp, sp, #REGS_SIZE
	stp	x0, x1, [sp, #16 * 0]
	stp	x2, x3, [sp, #16 * 1]
	.endm

	.macro	save_to_x17
	stp	x4, x5, [sp, #16 * 2]
	stp	x6, x7, [sp, #16 * 3]
	stp	x8, x9, [sp, #16 * 4]
	stp	x10, x11, [sp, #16 * 5]
	stp	x12, x13, [sp, #16 * 6]
	stp	x14, x15, [sp, #16 * 7]
	stp	x16, x17, [sp, #16 * 8]
	.endm

	.macro	save_rest
	save_to_x17
	stp	x18, x19, [sp, #16 * 9]
	stp	x20, x21, [sp, #16 * 10]
	stp	x22, x23, [sp, #16 * 11]
	stp	x24, x25, [sp, #16 * 12]
	stp	x26, x27, [sp, #16 * 13]
	stp	x28, x29, [sp, #16 * 14]
	str	x30, [sp, #16 * 15]
	.endm

	/* C keeps x19 to x29 (AAPCS64), so x19's place is free for x30 */
	.macro	save_what_c_changes
	save_to_x17
	stp	x18, x30, [sp, #16 * 9]
	.endm

	.macro	return_restoring_to_x17
	ldp	x2, x3, [sp, #16 * 1]
	ldp	x4, x5, [sp, #16 * 2]
	ldp	x6, x7, [sp, #16 * 3]
	ldp	x8, x9, [sp, #16 * 4]
	ldp	x10, x11, [sp, #16 * 5]
	ldp	x12, x13, [sp, #16 * 6]
	ldp	x14, x15, [sp, #16 * 7]
	ldp	x16, x17, [sp, #16 * 8]
	ldp	x0, x1, [sp], #REGS_SIZE
	eret
	/* Nothing behind it is run speculatively */
	dsb	nsh
	isb
	.endm

	/* For a handler that looks at none but x0 to x17, and never needs them again once it does not return */
	.macro	call_with_few, handler
	save_what_c_changes
	add	x0, sp, #REGS_SIZE
	mov	x1, sp
	bl	\handler
	b	return_from_few
	.endm

	.macro	from_guest, handler
	.balign	128
	save_first
	call_with_few \handler
	.endm

	/* The stack may be what is wrong: goes on at the end of the struct percpu's page. x17 and x18 are lost. */
	.macro	from_hypervisor, number
	.balign	128
	mov	x17, sp
	mrs	x18, tpidr_el2
	add	x18, x18, #4096
	mov	sp, x18
	save_first
	save_rest
	mov	x0, sp
	mov	x1, #\number
	b	exit_hypervisor
	.endm

	.macro	from_guest_synchronous
	.balign	128
	save_first
	mrs	x1, esr_el2
	tbnz	w1, #ESR_EC_ABORTS_BIT, exit_saving_all
	and	w2, w1, #~ESR_RT
	mov	w3, #ESR_SGI1R_LOW
	movk	w3, #ESR_SGI1R_HIGH, lsl #16
	cmp	w2, w3
	b.eq	exit_sgi
	lsr	w2, w1, #ESR_EC_SHIFT + 1
	cmp	w2, #EC_CALLS
	b.eq	exit_of_call
	and	w2, w1, #~ESR_OP2
	and	w2, w2, #~ESR_RT_AND_CRM
	mov	w3, #ESR_ID_READ_LOW
	movk	w3, #ESR_ID_READ_HIGH, lsl #16
	cmp	w2, w3
	b.eq	exit_id_read
	b	exit_saving_all
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
	from_guest_synchronous
	from_guest exit_irq		/* injected cells (HCR_EL2.IMO): others have IRQs to themselves */
	from_guest exit_fiq
	from_guest exit_serror
	/* EL1 is AArch64 (HCR_EL2.RW): these are never taken */
	from_hypervisor 12
	from_hypervisor 13
	from_hypervisor 14
	from_hypervisor 15
	.balign	128

/* x0 to x3 are saved in all of these */
exit_of_call:
	tbnz	w1, #ESR_EC_SHIFT, exit_of_smc
	/* ABI_HC_DISABLE leaves with all of the registers (arch_cpu_leave) */
	cbz	x0, exit_saving_all
	call_with_few exit_hvc
exit_of_smc:
	call_with_few exit_smc

/*
 * A cell asks for an ID register (HCR_EL2.TID3), x1 being ESR_EL2. A kernel may ask for each random number
 * whether there are instructions for it (ID_AA64ISAR0_EL1). As in sgi.S, CPU.stop is not looked at.
 */
exit_id_read:
	ubfx	x2, x1, #ESR_CRM_SHIFT, #4
	sub	x2, x2, #1
	cmp	x2, #ID_REGISTERS / 8
	b.hs	exit_saving_all
	/* exit_count(self, ABI_STAT_ARM64_SYSREG, ...) unless it would come to a judgement */
	ldr	x3, [sp, #REGS_SIZE + PERCPU_BUDGET_LEFT]
	subs	x3, x3, #1
	b.mi	exit_saving_all
	save_rest
	str	x3, [sp, #REGS_SIZE + PERCPU_BUDGET_LEFT]
	ldr	x3, [sp, #REGS_SIZE + PERCPU_STAT_SYSREG]
	add	x3, x3, #1
	str	x3, [sp, #REGS_SIZE + PERCPU_STAT_SYSREG]
	ubfx	x3, x1, #ESR_OP2_SHIFT, #3
	add	x2, x3, x2, lsl #3
	add	x3, sp, #REGS_SIZE + PERCPU_ID_REGISTERS
	ldr	x2, [x3, x2, lsl #3]
	/* XZR's place, behind the others, is not used */
	ubfx	x1, x1, #ESR_RT_SHIFT, #5
	str	x2, [sp, x1, lsl #3]
	skip_instruction
	b	return_to_guest

return_from_few:
	ldp	x18, x30, [sp, #16 * 9]
	return_restoring_to_x17

	.globl	exit_saving_all
exit_saving_all:
	save_rest
	add	x0, sp, #REGS_SIZE
	mov	x1, sp
	mrs	x2, esr_el2
	tbnz	w2, #ESR_EC_ABORTS_BIT, 1f
	bl	exit_sync
	b	return_to_guest
1:	bl	exit_abort
return_to_guest:
	ldp	x18, x19, [sp, #16 * 9]
	ldp	x20, x21, [sp, #16 * 10]
	ldp	x22, x23, [sp, #16 * 11]
	ldp	x24, x25, [sp, #16 * 12]
	ldp	x26, x27, [sp, #16 * 13]
	ldp	x28, x29, [sp, #16 * 14]
	ldr	x30, [sp, #16 * 15]
	return_restoring_to_x17

/* enter_guest(regs): regs lie at the top of this CPU's stack, REGS_SIZE below its end */
	.globl	enter_guest
enter_guest:
	mov	sp, x0
	b	return_to_guest

/* restart_on_stack(stack, run, self) */
	.globl	restart_on_stack
restart_on_stack:
	mov	sp, x0
	mov	x0, x2
	mov	x29, xzr
	mov	x30, xzr
	br	x1
