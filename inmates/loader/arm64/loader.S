/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Entered at each start and each reset of a cell, on its first CPU, with MMU and caches off and
 * nothing but this region as it was: puts the segments of the table behind it (abi/boot.h) into
 * their places and jumps there. Runs at any address, uses no memory of its own.
 *
 * The program that ran before a reset had its caches on. What they still hold of the places is
 * written back first, lest it be written over the new bytes later; and dropped again behind, lest
 * the next program, once its caches are on, read what was fetched meanwhile (DDI0487 B2.8.1).
 */
#include "abi/boot.h"

#define PSCI_SYSTEM_OFF 0x84000008

/* x20 the table, x21 bytes of a cache line, x22 segments left, x23 the next one */
	.text
	.global	_start
_start:
	adr	x20, table
	ldr	x0, [x20]
	ldr	x1, =ABI_BOOT_MAGIC
	cmp	x0, x1
	b.ne	off
	ldp	w0, w22, [x20, #(ABI_BOOT_COUNT - 4)]
	cmp	w0, #ABI_BOOT_VERSION
	b.ne	off
	ldr	w0, [x20, #ABI_BOOT_MODE]
	cmp	w0, #ABI_BOOT_ARM64
	b.ne	off
	mrs	x0, ctr_el0
	ubfx	x0, x0, #16, #4		/* DminLine, log2 of words */
	mov	x21, #4
	lsl	x21, x21, x0
	add	x23, x20, #ABI_BOOT_SEGMENTS
next:
	cbz	w22, enter
	sub	w22, w22, #1
	ldp	x0, x1, [x23], #16
	ldp	x2, x3, [x23], #16
	add	x0, x0, x20
	bl	evict
	mov	x8, x1
	add	x9, x1, x2
	add	x10, x1, x3

	/* from x0 to x8 until x9: in blocks where there are whole ones */
copy:
	cmp	x8, x9
	b.hs	zero
	sub	x4, x9, x8
	cmp	x4, #64
	b.lo	1f
	tst	x8, #63
	b.ne	1f
	ldp	x4, x5, [x0]
	ldp	x6, x7, [x0, #16]
	ldp	x11, x12, [x0, #32]
	ldp	x13, x14, [x0, #48]
	add	x0, x0, #64
	stp	x4, x5, [x8]
	stp	x6, x7, [x8, #16]
	stp	x11, x12, [x8, #32]
	stp	x13, x14, [x8, #48]
	add	x8, x8, #64
	b	copy
1:	ldrb	w4, [x0], #1
	strb	w4, [x8], #1
	b	copy

	/* from x8 until x10 */
zero:
	cmp	x8, x10
	b.hs	2f
	sub	x4, x10, x8
	cmp	x4, #64
	b.lo	1f
	tst	x8, #63
	b.ne	1f
	stp	xzr, xzr, [x8]
	stp	xzr, xzr, [x8, #16]
	stp	xzr, xzr, [x8, #32]
	stp	xzr, xzr, [x8, #48]
	add	x8, x8, #64
	b	zero
1:	strb	wzr, [x8], #1
	b	zero
2:	dsb	sy
	bl	evict
	b	next

enter:
	ldp	x4, x0, [x20, #ABI_BOOT_ENTRY]
	mov	x1, xzr
	mov	x2, xzr
	mov	x3, xzr
	ic	ialluis
	dsb	sy
	isb
	br	x4

	/* Whoever wrote the table speaks of another loader. */
off:
	ldr	w0, =PSCI_SYSTEM_OFF
	hvc	#0
	b	.

	/* Writes the caches' lines of x1 to x1 + x3 back and drops them, down to where all see the same. */
evict:
	add	x5, x1, x3
	sub	x6, x21, #1
	bic	x7, x1, x6
1:	dc	civac, x7
	add	x7, x7, x21
	cmp	x7, x5
	b.lo	1b
	dsb	sy
	ret

	.ltorg
	.balign	ABI_BOOT_ALIGN
table:
