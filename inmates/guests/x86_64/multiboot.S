/* SPDX-License-Identifier: GPL-2.0-only */
/* A Multiboot image (0.6.96), an ELF file of 32 bits: says how it was entered and what it was told. */
#define MAGIC 0x1badb002
#define FLAGS 3

	.text
	.code32
	.global	_start
_start:
	jmp	1f
	.balign	4
	.long	MAGIC, FLAGS, -(MAGIC + FLAGS)
1:	movl	$stack, %esp
	movl	%ebx, %ebp
	movl	%eax, %edi
	movl	$name, %esi
	call	say
	movl	%edi, %ebx
	call	say_number
	/* KiB from 1 MiB on, bytes of the memory map */
	movl	8(%ebp), %ebx
	call	say_number
	movl	44(%ebp), %ebx
	call	say_number
	call	say_lives
	movl	16(%ebp), %esi
	call	say
	movl	$end_of_line, %esi
	call	say
	jmp	finish

	.section .rodata
name:
	.asciz	"multiboot: "
	.text

#include "say.inc"
