/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The image's head, and the way from Linux's hyp stub (MMU off, physical addresses) to
 * C (boot_cpu) and back. Every CPU comes through here at once.
 */
#include "core/log_area.h"
#include "layout.h"
#include "version.h"

	.section .header, "a"
	.globl image_header
image_header:
	.ascii	"JHIMAGE1"
	.word	1 /* ABI_ARCH_ARM64 */
	.word	CONFIG_MAX_CPUS
	.quad	_image_size
	.quad	_memory_size
	.quad	_entry_offset
	.quad	_log_offset
	.quad	LOG_AREA_SIZE
	.quad	CONFIG_POOL_MIN_KB * 1024
	.quad	0, 0, 0
1:	.asciz	JAILHOUSE_VERSION
	.space	64 - (. - 1b)
header_start:
	.quad	0
header_size:
	.quad	0
	.space	40

	.section .boot_tables, "aw", %nobits
	.balign	4096
boot_l0:
	.space	4096
boot_l1:
	.space	4096
boot_l1_identity:
	.space	4096
boot_l2_identity:
	.space	4096
boot_l2:
	.space	4096

/* block, AF, inner shareable, AttrIndx 0, AP[1] RES1 at EL2 */
#define BLOCK_ATTRS 0x741
#define TABLE_ATTRS 0x3
#define BOOT_MAIR 0x04ff
#define SCTLR_EL2_BOOT 0x30c5183d

	.macro	phys, reg, symbol
	adrp	\reg, \symbol
	add	\reg, \reg, :lo12:\symbol
	.endm

/*
 * x0: Linux's CPU number. ELR_EL2 and SPSR_EL2 lead back to Linux; x18..x30 are its.
 * Every CPU writes the same boot tables, so it matters to none which was first.
 */
	.section .idmap, "ax"
	.globl	_entry
_entry:
	cmp	x0, #CONFIG_MAX_CPUS
	b.hs	refuse
	phys	x1, _start
	phys	x2, boot_l0
	phys	x3, boot_l1
	phys	x4, boot_l1_identity
	phys	x5, boot_l2

	orr	x6, x3, #TABLE_ATTRS
	mov	x7, #(HV_BASE >> 39)
	str	x6, [x2, x7, lsl #3]
	orr	x6, x4, #TABLE_ATTRS
	lsr	x7, x1, #39
	str	x6, [x2, x7, lsl #3]
	orr	x6, x5, #TABLE_ATTRS
	str	x6, [x3]
	/* the first 2 MiB of the image, which is here, and nothing else */
	phys	x9, boot_l2_identity
	orr	x6, x9, #TABLE_ATTRS
	ubfx	x7, x1, #30, #9
	str	x6, [x4, x7, lsl #3]
	mov	x8, #BLOCK_ATTRS
	orr	x6, x1, x8
	ubfx	x7, x1, #21, #9
	str	x6, [x9, x7, lsl #3]

	phys	x6, header_size
	ldr	x6, [x6]
	add	x6, x1, x6
	orr	x7, x1, x8
	mov	x8, x5
1:	str	x7, [x8], #8
	add	x7, x7, #0x200000
	cmp	x7, x6
	b.lo	1b

	/* Nothing of the five pages may be in a cache from before they were written past it */
	dmb	sy
	mrs	x7, ctr_el0
	ubfx	x7, x7, #16, #4
	mov	x8, #4
	lsl	x8, x8, x7
	add	x7, x5, #4096
1:	dc	ivac, x2
	add	x2, x2, x8
	cmp	x2, x7
	b.lo	1b
	dsb	sy

	mrs	x9, sctlr_el2
	mrs	x10, tcr_el2
	mrs	x11, mair_el2
	mrs	x12, ttbr0_el2
	mov	x13, #(HV_BASE & 0xffffffff)
	movk	x13, #(HV_BASE >> 32), lsl #32
	sub	x13, x13, x1

	phys	x2, boot_l0
	mov	x3, #BOOT_MAIR
	/* RES1, 48 bits in, WB inner shareable walks, 4 KiB, and as many bits out as there are */
	mov	x4, #0x3510
	movk	x4, #0x8080, lsl #16
	mrs	x5, id_aa64mmfr0_el1
	and	x5, x5, #0xf
	mov	x6, #5
	cmp	x5, x6
	csel	x5, x5, x6, lo
	bfi	x4, x5, #16, #3
	msr	mair_el2, x3
	msr	tcr_el2, x4
	msr	ttbr0_el2, x2
	isb
	tlbi	alle2
	ic	iallu
	dsb	sy
	isb
	mov	x3, #(SCTLR_EL2_BOOT & 0xffff)
	movk	x3, #(SCTLR_EL2_BOOT >> 16), lsl #16
	msr	sctlr_el2, x3
	isb
	phys	x3, boot_virtual
	add	x3, x3, x13
	br	x3
refuse:
	mov	x0, #-22
	eret

/*
 * leave_to_bare(regs, bare, result): the registers are Linux's again but for x4..x17, the
 * MMU is off, and Linux goes on behind its hvc.
 */
	.text
	.globl	leave_to_bare
leave_to_bare:
	ldp	x9, x10, [x1]
	ldp	x11, x12, [x1, #16]
	ldr	x13, [x1, #32]
	adrp	x14, leave_physical
	add	x14, x14, :lo12:leave_physical
	sub	x14, x14, x13
	mov	x15, x0
	mov	x0, x2
	ldr	x18, [x15, #8 * 18]
	ldp	x1, x2, [x15, #8 * 1]
	ldr	x3, [x15, #8 * 3]
	ldp	x19, x20, [x15, #8 * 19]
	ldp	x21, x22, [x15, #8 * 21]
	ldp	x23, x24, [x15, #8 * 23]
	ldp	x25, x26, [x15, #8 * 25]
	ldp	x27, x28, [x15, #8 * 27]
	ldp	x29, x30, [x15, #8 * 29]
	br	x14

	.section .idmap, "ax"
leave_physical:
	msr	sctlr_el2, x9
	isb
	msr	tcr_el2, x10
	msr	mair_el2, x11
	msr	ttbr0_el2, x12
	isb
	tlbi	alle2
	dsb	sy
	isb
	eret

/*
 * switch_tables(ttbr0, sctlr, to_physical): other tables for the same addresses, with the
 * MMU off in between: blocks become pages, which needs a break (DDI0487 D8.16).
 */
switch_physical:
	mrs	x5, sctlr_el2
	bic	x5, x5, #1
	msr	sctlr_el2, x5
	isb
	msr	ttbr0_el2, x0
	isb
	tlbi	alle2
	dsb	sy
	isb
	msr	sctlr_el2, x1
	isb
	ret

	.text
	.globl	switch_tables
switch_tables:
	adrp	x4, switch_physical
	add	x4, x4, :lo12:switch_physical
	sub	x4, x4, x2
	dsb	sy
	br	x4

/* boot_cpu(number, regs, bare), on the CPU's own stack */
boot_virtual:
	adrp	x14, _percpu
	add	x14, x14, :lo12:_percpu
	add	x15, x0, #1
	mov	x16, #PERCPU_SIZE
	madd	x14, x15, x16, x14
	sub	x14, x14, #4096
	sub	sp, x14, #0
	sub	sp, sp, #REGS_SIZE
	stp	x18, x19, [sp, #8 * 18]
	stp	x20, x21, [sp, #8 * 20]
	stp	x22, x23, [sp, #8 * 22]
	stp	x24, x25, [sp, #8 * 24]
	stp	x26, x27, [sp, #8 * 26]
	stp	x28, x29, [sp, #8 * 28]
	str	x30, [sp, #8 * 30]
	mov	x1, sp
	sub	sp, sp, #48
	stp	x9, x10, [sp]
	stp	x11, x12, [sp, #16]
	str	x13, [sp, #32]
	mov	x2, sp
	mov	x29, xzr
	mov	x30, xzr
	bl	boot_cpu
	/* came back: the CPU is under the hypervisor, and Linux goes on as its guest */
	add	sp, sp, #48
	str	x0, [sp]
	mov	x0, sp
	b	enter_guest
