/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Entered at each start and each reset of a cell, on its first CPU, in real mode with caches off, with
 * nothing but this region as it was: puts the segments of the table behind it (abi/boot.h) into their
 * places and jumps there. Linked for 0, where CS begins: its own address, a multiple of 64 KiB, is added
 * to the words at `fix_*` when it is loaded. It cannot write where it runs, and has no stack.
 */
#include "abi/boot.h"
#include "abi/power.h"

#define SEGMENT_CODE 0x10		/* as boot.rst wants them */
#define SEGMENT_DATA 0x18
#define GDT_LIMIT 0x1f
#define CR0_PE_ET 0x11			/* CD and NW clear: caches on */
#define CR0_PG 0x80000000
#define CR4_PAE 0x20
#define MSR_EFER 0xc0000080
#define EFER_LME 0x100
#define MULTIBOOT_MAGIC 0x2badb002	/* Multiboot 0.6.96, 3.2 */

	.set	fix_gdt32, ABI_BOOT_FIX_FIRST
	.set	fix_flat, fix_gdt32 + ABI_BOOT_FIX_STEP
	.set	fix_gdt64, fix_flat + ABI_BOOT_FIX_STEP
	.set	fix_flat64, fix_gdt64 + ABI_BOOT_FIX_STEP

/* EBX the loader's address, EDX segments left, EBP the next one */
	.text
	.code16
	.global	_start
_start:
	jmp	real

	/* LGDT's operands and far pointers, each with a word of `fix_*` */
	.org	ABI_BOOT_FIX_FIRST - 4
	.word	0, GDT_LIMIT
	.long	gdt32 - _start
	.long	0
	.long	flat - _start
	.word	SEGMENT_CODE, GDT_LIMIT
	.long	gdt64 - _start
	.long	0
	.long	flat64 - _start
	.word	SEGMENT_CODE

	/* Of both, "accessed" is set: the CPU need not write it */
	.balign	8
gdt32:
	.quad	0, 0
	.quad	0x00cf9b000000ffff
	.quad	0x00cf93000000ffff
gdt64:
	.quad	0, 0
	.quad	0x00af9b000000ffff
	.quad	0x00cf93000000ffff

real:
	cli
	cld
	movl	%cs:fix_gdt32, %ebx
	subl	$(gdt32 - _start), %ebx
	lgdtl	%cs:(fix_gdt32 - 2)
	movl	$CR0_PE_ET, %eax
	movl	%eax, %cr0
	ljmpl	*%cs:fix_flat

	.code32
	.macro	segments
	movl	$SEGMENT_DATA, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	%eax, %fs
	movl	%eax, %gs
	.endm

flat:
	segments
	cmpl	$(ABI_BOOT_MAGIC & 0xffffffff), (table - _start)(%ebx)
	jne	off
	cmpl	$(ABI_BOOT_MAGIC >> 32), (table - _start + 4)(%ebx)
	jne	off
	cmpl	$ABI_BOOT_VERSION, (table - _start + 8)(%ebx)
	jne	off
	movl	(table - _start + ABI_BOOT_COUNT)(%ebx), %edx
	leal	(table - _start + ABI_BOOT_SEGMENTS)(%ebx), %ebp
next:
	decl	%edx
	js	enter
	/* all of it is below 4 GiB: the upper halves are 0 */
	leal	(table - _start)(%ebx), %esi
	addl	0(%ebp), %esi
	movl	8(%ebp), %edi
	movl	16(%ebp), %ecx
	shrl	$2, %ecx
	rep movsl
	movl	16(%ebp), %ecx
	andl	$3, %ecx
	rep movsb
	xorl	%eax, %eax
	movl	24(%ebp), %ecx
	subl	16(%ebp), %ecx
	shrl	$2, %ecx
	rep stosl
	movl	24(%ebp), %ecx
	subl	16(%ebp), %ecx
	andl	$3, %ecx
	rep stosb
	addl	$32, %ebp
	jmp	next

enter:
	movl	(table - _start + ABI_BOOT_MODE)(%ebx), %eax
	movl	(table - _start + ABI_BOOT_ARGUMENT)(%ebx), %esi
	movl	(table - _start + ABI_BOOT_ENTRY)(%ebx), %ecx
	xorl	%edx, %edx
	xorl	%edi, %edi
	xorl	%ebp, %ebp
	xorl	%esp, %esp
	cmpl	$ABI_BOOT_LINUX, %eax
	je	as_linux
	cmpl	$ABI_BOOT_MULTIBOOT, %eax
	je	as_multiboot
	cmpl	$ABI_BOOT_LONG, %eax
	je	as_long

	/* Whoever wrote the table speaks of another loader. */
off:
	movb	$ABI_POWER_OFF, %al
	outb	%al, $ABI_POWER_PORT
1:	hlt
	jmp	1b

	/* A register holds the entry: there is no stack to return by, nor memory to jump through. */
as_linux:
	xorl	%eax, %eax
	xorl	%ebx, %ebx
	jmp	*%ecx

as_multiboot:
	movl	$MULTIBOOT_MAGIC, %eax
	movl	%esi, %ebx
	xorl	%esi, %esi
	jmp	*%ecx

as_long:
	movl	%ecx, %edi
	movl	%cr4, %eax
	orl	$CR4_PAE, %eax
	movl	%eax, %cr4
	movl	(table - _start + ABI_BOOT_TABLES)(%ebx), %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	rdmsr
	orl	$EFER_LME, %eax
	wrmsr
	lgdtl	(fix_gdt64 - 2)(%ebx)
	movl	$(CR0_PG | CR0_PE_ET), %eax
	movl	%eax, %cr0
	ljmpl	*fix_flat64(%ebx)

	.code64
flat64:
	movl	%edi, %eax		/* clears the upper half, of which nothing is known */
	movl	%esi, %esi
	xorl	%ebx, %ebx
	xorl	%ecx, %ecx
	xorl	%edx, %edx
	xorl	%edi, %edi
	xorl	%ebp, %ebp
	xorl	%esp, %esp
	xorl	%r8d, %r8d
	xorl	%r9d, %r9d
	xorl	%r10d, %r10d
	xorl	%r11d, %r11d
	xorl	%r12d, %r12d
	xorl	%r13d, %r13d
	xorl	%r14d, %r14d
	xorl	%r15d, %r15d
	jmp	*%rax

	.balign	ABI_BOOT_ALIGN
table:
