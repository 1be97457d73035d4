/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "exception.h"

#define VECTORS 80		/* VECTOR_END */
/* Exceptions for which the CPU pushes a code: 8, 10 to 14, 17, 21, 29, 30 (APM 2, 8.2) */
#define HAS_CODE 0x60227d00

	.section .text.vector_stubs, "ax"
	.balign	16
	.global	vector_stubs
vector_stubs:
	.set	n, 0
	.rept	VECTORS
	.balign	16
	.if	n >= EXCEPTIONS
	pushq	$0
	.elseif	!(HAS_CODE >> n & 1)
	pushq	$0
	.endif
	pushq	$n
	jmp	exception_entry
	.set	n, n + 1
	.endr

/* The counter is read as early as registers are free for it: it is what latency is measured by. */
exception_entry:
	pushq	%rax
	pushq	%rdx
	rdtsc
	shlq	$32, %rdx
	orq	%rdx, %rax
	pushq	%rcx
	pushq	%rbx
	pushq	%rsi
	pushq	%rdi
	pushq	%rbp
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	pushq	%rax
	movq	%rsp, %rbx
	subq	$XSAVE_SIZE, %rsp
	andq	$-64, %rsp
	xorl	%eax, %eax
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7
	movq	%rax, XSAVE_HEADER + 8 * \n(%rsp)
	.endr
	movl	$7, %eax
	xorl	%edx, %edx
	xsave64	(%rsp)
	movq	%rbx, %rdi
	cld
	call	exception_handle
	movl	$7, %eax
	xorl	%edx, %edx
	xrstor64 (%rsp)
	leaq	8(%rbx), %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rbp
	popq	%rdi
	popq	%rsi
	popq	%rbx
	popq	%rcx
	popq	%rdx
	popq	%rax
	addq	$16, %rsp
	iretq

	.global	vector_spurious
vector_spurious:
	iretq

/* RDI: struct exception_catch, RSI: what to call, RDX: its argument */
	.section .text.exception_guarded, "ax"
	.global	exception_guarded
exception_guarded:
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	pushfq
	movq	%rsp, CATCH_RSP(%rdi)
	movq	%rdx, %rdi
	call	*%rsi
	.global	exception_unwind
exception_unwind:
	popfq
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	ret
