/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Entry of the first CPU at the image's first byte, and of those it starts at the page of
 * SECONDARY_VECTOR; both in real mode, as after INIT. From there straight to 64-bit mode.
 */
#include "cpu.h"
#include "snapshot.h"

#define MSR_EFER 0xc0000080
#define MSR_GS_BASE 0xc0000101
#define EFER_LME_NXE 0x900
#define CR0_LONG 0x80000033		/* PG, NE, ET, MP, PE: caches on */
#define CR4_LONG 0x40620		/* OSXSAVE, OSXMMEXCPT, OSFXSR, PAE */
#define XCR0_ALL 7			/* x87, SSE, AVX */
#define MXCSR_RESET 0x1f80

	/* CR0.PE and PG at once; then CS, and with it 64-bit mode (APM 2, 14.6) */
	.macro	long_mode to
	xorl	%eax, %eax
	movw	%ax, %ds
	lgdtl	gdt_pointer
	movl	$CR4_LONG, %eax
	movl	%eax, %cr4
	movl	$image_tables, %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	rdmsr
	orl	$EFER_LME_NXE, %eax
	wrmsr
	movl	$CR0_LONG, %eax
	movl	%eax, %cr0
	ljmpl	$SEGMENT_CODE, $\to
	.endm

	.section .start, "awx"
	.code16
	.global	_start
_start:
	movl	%eax, %cs:image_early + EARLY_GPR
	movl	%ecx, %cs:image_early + EARLY_GPR + 4
	movl	%edx, %cs:image_early + EARLY_GPR + 8
	movw	%ds, %cs:image_early + EARLY_SEGMENTS
	movw	%es, %cs:image_early + EARLY_SEGMENTS + 2
	movw	%ss, %cs:image_early + EARLY_SEGMENTS + 4
	movw	%fs, %cs:image_early + EARLY_SEGMENTS + 6
	movw	%gs, %cs:image_early + EARLY_SEGMENTS + 8
	sgdtl	%cs:image_early + EARLY_GDTR
	sidtl	%cs:image_early + EARLY_IDTR
	movl	%cr0, %eax
	movl	%eax, %cs:image_early + EARLY_CR0
	movl	%cr4, %eax
	movl	%eax, %cs:image_early + EARLY_CR4
	movl	$MSR_EFER, %ecx
	rdmsr
	movl	%eax, %cs:image_early + EARLY_EFER
	movl	%cr3, %eax
	/* The one who knows it is in the way of the one who needs it */
	movl	%eax, %cs:early_cr3
	long_mode start64

	.balign	8
	.global	image_early
image_early:
	.zero	EARLY_SIZE
early_cr3:
	.long	0

	.balign	8
gdt:
	.quad	0
	.quad	0x00af9b000000ffff	/* SEGMENT_CODE */
	.quad	0x00cf93000000ffff	/* SEGMENT_DATA */
	.quad	0x00cff3000000ffff	/* SEGMENT_USER_DATA */
	.quad	0x00affb000000ffff	/* SEGMENT_USER_CODE */
gdt_end:
gdt_pointer:
	.word	gdt_end - gdt - 1
	.quad	gdt

	.section .secondary, "ax"
	.global	cpu_secondary_entry
cpu_secondary_entry:
	long_mode secondary64

	.code64
	.section .text.start64, "ax"
	.macro	segments
	movl	$SEGMENT_DATA, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	xorl	%eax, %eax
	movl	%eax, %fs
	movl	%eax, %gs
	.endm

	/* GS leads to struct cpu_local at \at */
	.macro	local at
	movl	$MSR_GS_BASE, %ecx
	movl	\at, %eax
	xorl	%edx, %edx
	wrmsr
	.endm

	.macro	enable_avx
	xorl	%ecx, %ecx
	movl	$XCR0_ALL, %eax
	xorl	%edx, %edx
	xsetbv
	.endm

start64:
	movq	%rax, image_snapshot + 8 * 0
	movq	%rcx, image_snapshot + 8 * 1
	movq	%rdx, image_snapshot + 8 * 2
	movq	%rbx, image_snapshot + 8 * 3
	movq	%rsp, image_snapshot + 8 * 4
	movq	%rbp, image_snapshot + 8 * 5
	movq	%rsi, image_snapshot + 8 * 6
	movq	%rdi, image_snapshot + 8 * 7
	movq	%r8, image_snapshot + 8 * 8
	movq	%r9, image_snapshot + 8 * 9
	movq	%r10, image_snapshot + 8 * 10
	movq	%r11, image_snapshot + 8 * 11
	movq	%r12, image_snapshot + 8 * 12
	movq	%r13, image_snapshot + 8 * 13
	movq	%r14, image_snapshot + 8 * 14
	movq	%r15, image_snapshot + 8 * 15
	movl	image_early + EARLY_GPR, %eax
	movl	%eax, image_snapshot + 8 * 0
	movl	image_early + EARLY_GPR + 4, %eax
	movl	%eax, image_snapshot + 8 * 1
	movl	image_early + EARLY_GPR + 8, %eax
	movl	%eax, image_snapshot + 8 * 2
	movq	%cr2, %rax
	movq	%rax, image_snapshot + SNAPSHOT_CR2
	movl	early_cr3, %eax
	movq	%rax, image_snapshot + SNAPSHOT_CR3
	xorl	%ecx, %ecx
	xgetbv
	movl	%eax, image_snapshot + SNAPSHOT_XCR0
	movl	%edx, image_snapshot + SNAPSHOT_XCR0 + 4
	enable_avx
	movl	$XCR0_ALL, %eax
	xorl	%edx, %edx
	xsave64	image_snapshot + SNAPSHOT_XSAVE

	segments
	movl	$image_stack, %esp
	xorl	%eax, %eax
	movl	$image_bss, %edi
	movl	$image_bss_end, %ecx
	subl	%edi, %ecx
	rep stosb
	local	$image_local
	fninit
	call	cpu_begin
	call	inmate_main
	movl	$2, %edi		/* ABI_CELL_SHUT_DOWN */
	call	inmate_stop

/* Entered by a SIPI; struct cpu_boot is where cpu_starting says. */
secondary64:
	segments
	enable_avx
	fninit
	movl	cpu_starting, %esp
	local	%esp
	movq	%rsp, %rdi
	call	cpu_secondary

/*
 * The first 512 GiB have a table, the first 4 of them are mapped, for every privilege level;
 * the rest by mmu_map_*(). What is set there stays right when the cell starts anew.
 */
	.section .kept, "aw", @progbits
	.balign	4096
	.global	image_tables
image_tables:
	.quad	image_directory + 7
	.zero	511 * 8
image_directory:
	.quad	0x00000087, 0x40000087, 0x80000087, 0xc0000087
	.zero	508 * 8

	.balign	64
	.global	image_snapshot
image_snapshot:
	.zero	SNAPSHOT_SIZE
