/* SPDX-License-Identifier: GPL-2.0-only */
/* An ELF file that is entered in 64-bit mode: says what its boot parameters say (Linux's zero-page.rst). */
	.text
	.code64
	.global	_start
_start:
	movl	$stack, %esp
	movq	%rsi, %rbp
	movl	$name, %esi
	call	say
	/* E820's entries, the end of the first, and what ACPI's root pointer begins with */
	movzbl	0x1e8(%rbp), %ebx
	call	say_number
	movl	0x2d8(%rbp), %ebx
	call	say_number
	movq	0x70(%rbp), %rax
	movl	(%rax), %ebx
	call	say_number
	call	say_lives
	movl	0x228(%rbp), %esi
	call	say
	movl	$end_of_line, %esi
	call	say
	jmp	finish

	.section .rodata
name:
	.asciz	"long: "
	.text

#include "say.inc"
