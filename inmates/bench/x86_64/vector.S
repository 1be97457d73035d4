/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * RAX, RDX, R8, R10 and R11 are the interrupt's while it is waited for: nothing is saved before the
 * counter is read, and nothing after. R10 says where the wait goes on, R11 with which stack. The
 * counter is read by the gate's first instruction. Gates mask, and nothing returns by IRET.
 */
#define LINES 48		/* VECTOR_END - VECTOR_LINES */

	.section .text.bench_vectors, "ax"
	.balign	16
	.global	bench_vectors
bench_vectors:
	.set	n, 0
	.rept	LINES
	.balign	16
	rdtsc
	movl	$n, %r8d
	jmp	interrupt
	.set	n, n + 1
	.endr

interrupt:
	movq	%r11, %rsp
	jmp	*%r10

	.section .text.bench_wait, "ax"
	.macro	wait_begin
	movq	%rsp, %r11
	movl	$2f, %r10d
	.endm

/* RAX: the counter, RDX: the line */
	.macro	wait_end
	shlq	$32, %rdx
	orq	%rdx, %rax
	movl	%r8d, %edx
	ret
	.endm

	.global	wait_spinning
wait_spinning:
	wait_begin
	sti
1:	jmp	1b
2:	wait_end

	.global	wait_counting
wait_counting:
	wait_begin
	xorl	%ecx, %ecx
	sti
1:	incq	%rcx
	jmp	1b
2:	movq	%rcx, (%rdi)
	wait_end

	.global	wait_sleeping
/* Masked, as whoever looks for work before it sleeps must be. */
wait_sleeping:
	wait_begin
1:	sti
	hlt
	jmp	1b
2:	wait_end

	.global	wait_yielding
wait_yielding:
	wait_begin
	sti
1:	pause
	jmp	1b
2:	wait_end

/*
 * RDI: what to send, RSI: where the counter of before goes. RCX is needed to send, so R9 and RDI keep
 * that counter.
 */
	.macro	send msr
	wait_begin
	movl	$\msr, %ecx
	movl	%edi, %r8d
	shrq	$32, %rdi
	sti
	lfence
	rdtsc
	movl	%eax, %r9d
	movl	%r8d, %eax
	xchgl	%edx, %edi
	wrmsr
1:	jmp	1b
2:	shlq	$32, %rdi
	orq	%rdi, %r9
	movq	%r9, (%rsi)
	wait_end
	.endm

	.global	wait_sgi
/* To itself, which has a register of its own that knows no destinations */
wait_sgi:
	movzbl	%dil, %edi
	send	0x83f			/* SELF_IPI */

	.global	wait_icr
wait_icr:
	send	0x830			/* ICR */

	.global	wait_store
/* RDI: the port, ESI: the byte, RDX: where the counter of before goes */
wait_store:
	wait_begin
	movq	%rdx, %rcx
	sti
	lfence
	rdtsc
	movl	%eax, %r9d
	movl	%edx, %r8d
	movl	%esi, %eax
	movl	%edi, %edx
	movl	%r8d, %esi
	outb	%al, %dx
1:	jmp	1b
2:	shlq	$32, %rsi
	orq	%rsi, %r9
	movq	%r9, (%rcx)
	wait_end
