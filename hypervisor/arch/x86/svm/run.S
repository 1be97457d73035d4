/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Into the guest and out of it, for ever; what is in between is svm_exit(). GIF is 0 in here:
 * nothing comes between the two halves of any of this. RAX, RSP and RIP are the VMCB's, and the
 * hypervisor's are what they were at VMRUN (APM 2, 15.5.1): RSP behind the guest's registers, RAX the VMCB.
 */
#include "arch/x86/layout.h"
#include "run.h"

/* The VMCB, in struct percpu behind the registers; `n` of them are popped, or not pushed yet */
#define VMCB(n, offset) (REGS_SIZE - n * 8 + 4096 + offset)(%rsp)

	.text
/* svm_run(regs, vmcb): `vmcb` is host-physical */
	.globl	svm_run
	.hidden	svm_run
svm_run:
	mov	%rdi, %rsp
	mov	%rsi, %rax
1:	pop	VMCB(1, SVM_VMCB_RAX)
	pop	%rcx
	pop	%rdx
	pop	%rbx
	pop	VMCB(5, SVM_VMCB_RSP)
	pop	%rbp
	pop	%rsi
	pop	%rdi
	pop	%r8
	pop	%r9
	pop	%r10
	pop	%r11
	pop	%r12
	pop	%r13
	pop	%r14
	pop	%r15
	vmload
	vmrun
	vmsave
	push	%r15
	push	%r14
	push	%r13
	push	%r12
	push	%r11
	push	%r10
	push	%r9
	push	%r8
	push	%rdi
	push	%rsi
	push	%rbp
	push	VMCB(5, SVM_VMCB_RSP)
	push	%rbx
	push	%rdx
	push	%rcx
	push	VMCB(1, SVM_VMCB_RAX)
	mov	%rax, %rbx
	add	$SVM_HOST, %rax
	vmload
	mov	%rsp, %rdi
	call	svm_exit
	mov	%rbx, %rax
	jmp	1b

/*
 * svm_wait(): from the last look at what is pending, which STGI is, to HLT there is a window in which
 * an NMI would be served and then slept over: the gate moves who is in it to its end.
 */
	.globl	svm_wait, wait_window, wait_window_end
	.hidden	svm_wait, wait_window, wait_window_end
svm_wait:
	stgi
wait_window:
	hlt
wait_window_end:
	clgi
	ret

/* svm_open(): STI takes effect behind the first NOP, so one interrupt comes, and no more than are of higher priority. */
	.globl	svm_open
	.hidden	svm_open
svm_open:
	stgi
	sti
	nop
	nop
	cli
	clgi
	ret
