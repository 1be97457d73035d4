/* SPDX-License-Identifier: GPL-2.0-only */
/* MMU and caches as the linker's `mmu_on` says, FPU on, at EL1 wherever it began. */
#define SCTLR_RESET 0x30d00800
#define SCTLR_ON (SCTLR_RESET | 0x1005)		/* I, C, M */
#define MAIR 0xff00				/* 0 Device-nGnRnE, 1 Normal write-back */
#define TCR (25 | 0x3500 | 1 << 23 | 2 << 32)	/* 39 bits, 4K pages, write-back, inner shareable, no TTBR1, 40 bits out */
#define DEVICE_BLOCK 0x60000000000401		/* XN, AF */
#define NORMAL_BLOCK 0x40000705			/* AF, inner shareable, attributes 1 */
#define SPSR_EL1H 0x3c5
#define STACK_SHIFT 12

	/* On at EL2: what EL1 needs from there, and down. Destroys x9. */
	.macro	down_to_el1
	mrs	x9, CurrentEL
	cmp	x9, #8
	b.ne	1f
	mov	x9, #(1 << 31)
	msr	hcr_el2, x9
	mov	x9, #3
	msr	cnthctl_el2, x9
	msr	cntvoff_el2, xzr
	mov	x9, #0x33ff
	msr	cptr_el2, x9
	mov	x9, #0xf
	msr	S3_4_C12_C9_5, x9	/* ICC_SRE_EL2 */
	mrs	x9, mpidr_el1
	msr	vmpidr_el2, x9
	mov	x9, #SPSR_EL1H
	msr	spsr_el2, x9
	adr	x9, 1f
	msr	elr_el2, x9
	eret
1:
	.endm

	/* Destroys x9. */
	.macro	set_up
	ldr	x9, =SCTLR_RESET
	msr	sctlr_el1, x9
	mov	x9, #(3 << 20)
	msr	cpacr_el1, x9
	ldr	x9, =vectors
	msr	vbar_el1, x9
	ldr	x9, =mmu_on
	cbz	x9, 2f
	mov	x9, #MAIR
	msr	mair_el1, x9
	ldr	x9, =TCR
	msr	tcr_el1, x9
	ldr	x9, =tables
	msr	ttbr0_el1, x9
	isb
	tlbi	vmalle1
	ic	iallu
	dsb	sy
	isb
	ldr	x9, =SCTLR_ON
	msr	sctlr_el1, x9
2:	isb
	.endm

	.section .text.start, "ax"
	.global	_start
_start:
	mrs	x1, mpidr_el1
	and	x1, x1, #0xff
	cbnz	x1, park
	mov	x19, x0
	down_to_el1
	ldr	x1, =bss_start
	ldr	x2, =bss_zero_end
zero:	cmp	x1, x2
	b.hs	1f
	str	xzr, [x1], #8
	b	zero
1:	set_up
	msr	tpidr_el1, xzr
	ldr	x1, =(stacks + (1 << STACK_SHIFT))
	mov	sp, x1
	mov	x0, x19
	bl	primary
park:	wfe
	b	park

	/* x0: its number */
	.global	secondary_start
secondary_start:
	down_to_el1
	set_up
	msr	tpidr_el1, x0
	ldr	x1, =(stacks + (1 << STACK_SHIFT))
	add	x1, x1, x0, lsl #STACK_SHIFT
	mov	sp, x1
	bl	secondary
	b	park

	.macro	vector kind
	.balign	128
	sub	sp, sp, #192
	stp	x0, x1, [sp]
	mov	x0, #\kind
	b	saved
	.endm

	.balign	2048
vectors:
	vector	0
	vector	1
	vector	2
	vector	3
	vector	4
	vector	5
	vector	6
	vector	7
	vector	8
	vector	9
	vector	10
	vector	11
	vector	12
	vector	13
	vector	14
	vector	15
	.balign	128

	/* All that C does not keep: the interrupt's functions use no FPU. */
saved:	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x30, [sp, #144]
	mrs	x1, elr_el1
	mrs	x2, spsr_el1
	stp	x1, x2, [sp, #160]
	cmp	x0, #5
	b.ne	bad
	bl	interrupt
	ldp	x1, x2, [sp, #160]
	msr	elr_el1, x1
	msr	spsr_el1, x2
	ldp	x2, x3, [sp, #16]
	ldp	x4, x5, [sp, #32]
	ldp	x6, x7, [sp, #48]
	ldp	x8, x9, [sp, #64]
	ldp	x10, x11, [sp, #80]
	ldp	x12, x13, [sp, #96]
	ldp	x14, x15, [sp, #112]
	ldp	x16, x17, [sp, #128]
	ldp	x18, x30, [sp, #144]
	ldp	x0, x1, [sp], #192
	eret
bad:	mov	x2, x1
	mrs	x1, esr_el1
	mrs	x3, far_el1
	bl	exception
	b	park

	.data
	.balign	4096
tables:	.quad	DEVICE_BLOCK, NORMAL_BLOCK
	.fill	510, 8, 0
