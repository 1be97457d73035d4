/* SPDX-License-Identifier: GPL-2.0-only */
/* Registers there are many of, set to zero or read by number. */

	.text
	.arch	armv8.2-a+sve

/* clean_fp(sve): writing V zeroes all of Z above it (DDI0487 B1.2.2) */
	.globl	clean_fp
clean_fp:
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	movi	v\n\().2d, #0
	.endr
	msr	fpcr, xzr
	msr	fpsr, xzr
	cbz	w0, 1f
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	pfalse	p\n\().b
	.endr
	wrffr	p0.b
1:	ret

/* clean_debug(last breakpoint, last watchpoint): from the last one down, 8 bytes each */
	.globl	clean_debug
clean_debug:
	adr	x2, 1f
	sub	x2, x2, w0, uxtw #3
	br	x2
	.irp	n, 15,14,13,12,11,10,9,8,7,6,5,4,3,2,1,0
	.ifeq	\n
1:
	.endif
	msr	dbgbcr\n\()_el1, xzr
	msr	dbgbvr\n\()_el1, xzr
	.endr
	adr	x2, 2f
	sub	x2, x2, w1, uxtw #3
	br	x2
	.irp	n, 15,14,13,12,11,10,9,8,7,6,5,4,3,2,1,0
	.ifeq	\n
2:
	.endif
	msr	dbgwcr\n\()_el1, xzr
	msr	dbgwvr\n\()_el1, xzr
	.endr
	ret

/* id_register(index): (CRm - 1) * 8 + op2 of op0 = 3, op1 = 0, CRn = 0 */
	.globl	id_register
id_register:
	adr	x1, 1f
	add	x1, x1, w0, uxtw #3
	br	x1
1:
	.irp	crm, 1,2,3,4,5,6,7
	.irp	op2, 0,1,2,3,4,5,6,7
	mrs	x0, s3_0_c0_c\crm\()_\op2
	ret
	.endr
	.endr

/* smc_forward(regs): x0..x7 out, x0..x3 back; x4..x17 are the firmware's to change */
	.globl	smc_forward
smc_forward:
	stp	x29, x30, [sp, #-32]!
	str	x0, [sp, #16]
	mov	x9, x0
	ldp	x0, x1, [x9]
	ldp	x2, x3, [x9, #16]
	ldp	x4, x5, [x9, #32]
	ldp	x6, x7, [x9, #48]
	smc	#0
	ldr	x9, [sp, #16]
	stp	x0, x1, [x9]
	stp	x2, x3, [x9, #16]
	ldp	x29, x30, [sp], #32
	ret
/* smc_call(function, a, b, c) */
	.globl	smc_call
smc_call:
	stp	x29, x30, [sp, #-16]!
	smc	#0
	ldp	x29, x30, [sp], #16
	ret
