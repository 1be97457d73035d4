/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Entry of the first CPU at the image's first byte, and of those it starts. */
#include "snapshot.h"

#define CPACR_FPEN (3 << 20)
#define CPACR_FPEN_ZEN (3 << 20 | 3 << 16)

	.arch	armv8.2-a+sve

	.macro	address reg, symbol
	adrp	\reg, \symbol
	add	\reg, \reg, :lo12:\symbol
	.endm

#define SAVE_SYSREG(name) mrs x1, name; str x1, [x0], #8;

	.section .start, "ax"
	.global	_start
_start:
	msr	far_el1, x0
	address	x0, image_snapshot
	stp	x1, x2, [x0, #8]
	stp	x3, x4, [x0, #24]
	stp	x5, x6, [x0, #40]
	stp	x7, x8, [x0, #56]
	stp	x9, x10, [x0, #72]
	stp	x11, x12, [x0, #88]
	stp	x13, x14, [x0, #104]
	stp	x15, x16, [x0, #120]
	stp	x17, x18, [x0, #136]
	stp	x19, x20, [x0, #152]
	stp	x21, x22, [x0, #168]
	stp	x23, x24, [x0, #184]
	stp	x25, x26, [x0, #200]
	stp	x27, x28, [x0, #216]
	stp	x29, x30, [x0, #232]
	mrs	x1, far_el1
	mov	x2, sp
	str	x1, [x0]
	str	x2, [x0, #SNAPSHOT_SP]
	add	x0, x0, #SNAPSHOT_SYSREG
	SNAPSHOT_SYSREGS(SAVE_SYSREG)
	mov	x1, #CPACR_FPEN
	msr	cpacr_el1, x1
	isb
	SNAPSHOT_FP_SYSREGS(SAVE_SYSREG)
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	str	q\n, [x0], #16
	.endr
	.irp	n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	str	q\n, [x0], #16
	.endr

	/* From here on an exception is told rather than lost. */
	bl	cpu_vectors
	address	x1, image_stack
	mov	sp, x1
	bl	snapshot_sve
	address	x0, image_bss
	address	x1, image_bss_end
1:	cmp	x0, x1
	b.hs	2f
	stp	xzr, xzr, [x0], #16
	b	1b
2:	msr	spsel, #1
	bl	inmate_main
	mov	w0, #2			/* ABI_CELL_SHUT_DOWN */
	b	inmate_stop

cpu_vectors:
	adr	x1, vectors
	msr	vbar_el1, x1
	isb
	ret

/*
 * x0: struct snapshot.sve. Writing a Q register clears the rest of its Z register, so
 * this comes before any C code, and after the Q registers were saved by stores alone.
 */
snapshot_sve:
	mrs	x1, id_aa64pfr0_el1
	ubfx	x1, x1, #32, #4
	cbz	x1, 1f
	mov	x1, #CPACR_FPEN_ZEN
	msr	cpacr_el1, x1
	isb
	mov	x1, #0xf
	msr	s3_0_c1_c2_0, x1	/* ZCR_EL1: the longest there is */
	isb
	rdvl	x1, #1
	str	x1, [x0]
	add	x2, x0, #(SNAPSHOT_P - SNAPSHOT_SVE)
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	str	p\n, [x2]
	add	x2, x2, #32
	.endr
	.irp	n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16
	orr	z0.d, z0.d, z\n\().d
	.endr
	.irp	n, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	orr	z0.d, z0.d, z\n\().d
	.endr
	add	x2, x0, #(SNAPSHOT_Z - SNAPSHOT_SVE)
	str	z0, [x2]
1:	ret

	.section .text.cpu_secondary_entry, "ax"
/* x0: struct cpu_boot. Entered by PSCI, as the first CPU was. */
	.global	cpu_secondary_entry
cpu_secondary_entry:
	mov	x1, #CPACR_FPEN
	msr	cpacr_el1, x1
	bl	cpu_vectors
	msr	spsel, #1
	ldr	x1, [x0]
	mov	sp, x1
	b	cpu_secondary

	.section .kept, "aw", %progbits
	.balign	16
	.global	image_snapshot
image_snapshot:
	.zero	SNAPSHOT_P + 512
