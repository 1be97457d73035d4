/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * x14 to x18 are the interrupt's while it is waited for: nothing is saved before the counter
 * is read, and nothing after. x17 says where the wait goes on. The vector is a branch, as vectors are;
 * the counter is read by the first instruction behind it.
 */
	.macro	others first, count
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	.if	\n >= \first && \n < \first + \count
	.balign	128
	b	vectors + 128 * \n
	.endif
	.endr
	.endm

	.section .text.bench_vectors, "ax"
	.balign	2048
	.global	bench_vectors
bench_vectors:
	others	0, 5
	.balign	128
	/* IRQ from the current EL with SP_ELx (DDI0487 D1.4.1.4) */
	b	interrupt
	others	6, 10

interrupt:
	mrs	x18, cntvct_el0
	mrs	x16, icc_iar1_el1
	msr	elr_el1, x17
	mrs	x15, spsr_el1
	orr	x15, x15, #0x80		/* PSTATE.I */
	msr	spsr_el1, x15
	eret

	.section .text.bench_wait, "ax"
	.macro	wait_begin
	adr	x17, 2f
	msr	daifclr, #2		/* DAIF.I */
	.endm

	.macro	wait_end
2:	mov	x0, x18
	mov	x1, x16
	ret
	.endm

	.global	wait_spinning
wait_spinning:
	wait_begin
1:	b	1b
	wait_end

	.global	wait_counting
wait_counting:
	mov	x14, xzr
	wait_begin
1:	add	x14, x14, #1
	b	1b
2:	str	x14, [x0]
	mov	x0, x18
	mov	x1, x16
	ret

	.global	wait_sleeping
/* Masked, as whoever looks for work before it sleeps must be. */
wait_sleeping:
	adr	x17, 2f
1:	wfi
	msr	daifclr, #2
	msr	daifset, #2
	b	1b
	wait_end

	.global	wait_yielding
wait_yielding:
	wait_begin
1:	yield
	b	1b
	wait_end

	.global	wait_sgi
wait_sgi:
	wait_begin
	isb
	mrs	x9, cntvct_el0
	msr	icc_sgi1r_el1, x0
	isb
1:	b	1b
2:	str	x9, [x1]
	mov	x0, x18
	mov	x1, x16
	ret

	.global	wait_store
wait_store:
	wait_begin
	isb
	mrs	x9, cntvct_el0
	str	w1, [x0]
1:	b	1b
2:	str	x9, [x2]
	mov	x0, x18
	mov	x1, x16
	ret
