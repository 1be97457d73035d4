/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest's write to ICC_SGI1R_EL1, the one exit an IPI costs: replayed here if it names CPUs
 * of the guest's cell and nothing else, else left to C (traps.c).
 *
 * Without a barrier. The guest's stores are visible to the CPUs of its cell once its own DSB
 * before the write is complete, and it is: the exit came after it. The exception entry and
 * the ERET are context synchronisation events (DDI0487 D1.3, D1.4), so that the replay lies
 * between what stands before and behind the write. CPU.stop is not looked at: the memory of a
 * guest that is to stop is revoked, and its next instruction is an abort.
 */
#include "exit_asm.h"
#include "layout.h"

#define ICC_SGI1R_EL1 S3_0_C12_C11_5
/* INTID, the one field of the written value that the cell's word says nothing of */
#define SGI1R_INTID_SHIFT 24
#define SGI1R_INTID 0x0f000000
#define SGI1R_TARGETS 0xffff
#define SGI1R_AFF1_SHIFT 16
#define GIC_SGI_ROWS_SHIFT 4
#define GIC_SGI_MANAGEMENT 15
#define NZCV_Z 4

	.section .text.exit_sgi, "ax"
/* x0..x3 are saved, x1 is ESR_EL2, sp at struct regs, behind which is struct percpu */
	.globl	exit_sgi
exit_sgi:
	and	x2, x1, #ESR_RT
	adr	x3, 1f
	add	x3, x3, x2, lsr #2
	br	x3
	/* two instructions for each register */
1:	mov	x1, x0
	b	2f
	.irp	n, 1, 2, 3
	ldr	x1, [sp, #8 * \n]
	b	2f
	.endr
	.irp	n, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
	mov	x1, x\n
	b	2f
	.endr
	mov	x1, xzr
2:	ldr	x2, [sp, #REGS_SIZE + PERCPU_SGI_TARGETS]
	ubfx	x3, x1, #SGI1R_AFF1_SHIFT, #GIC_SGI_ROWS_SHIFT
	ldr	x2, [x2, x3, lsl #3]
	/* in the target list a bit too many matters, in all the rest (IRM and RES0 too) any difference */
	and	x3, x1, #~SGI1R_INTID
	eor	x2, x2, x3
	orr	x3, x3, #~SGI1R_TARGETS
	tst	x2, x3
	ubfx	x3, x1, #SGI1R_INTID_SHIFT, #4
	ccmp	x3, #GIC_SGI_MANAGEMENT, #NZCV_Z, eq
	b.eq	exit_saving_all
	/* exit_count(self, ABI_STAT_ARM64_SGI, ...) unless it would come to a judgement */
	ldr	x2, [sp, #REGS_SIZE + PERCPU_BUDGET_LEFT]
	subs	x2, x2, #1
	b.mi	exit_saving_all
	ldr	x3, [sp, #REGS_SIZE + PERCPU_STAT_SGI]
	add	x3, x3, #1
	str	x2, [sp, #REGS_SIZE + PERCPU_BUDGET_LEFT]
	str	x3, [sp, #REGS_SIZE + PERCPU_STAT_SGI]
	msr	ICC_SGI1R_EL1, x1
	skip_instruction
	ldp	x2, x3, [sp, #16 * 1]
	ldp	x0, x1, [sp], #REGS_SIZE
	eret
	/* Nothing behind it is run speculatively */
	dsb	nsh
	isb
