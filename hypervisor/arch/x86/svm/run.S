/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Into the guest and out of it, for ever; what is in between is svm_exit(). GIF is 0 in here:
 * nothing comes between the two halves of any of this. RAX, RSP and RIP are the VMCB's, and the
 * hypervisor's are what they were at VMRUN (APM 2, 15.5.1): RSP at the guest's registers, RAX the VMCB.
 */
#include "arch/x86/layout.h"
#include "run.h"

#define REG(n) (n * 8)(%rsp)
/* struct percpu's page of the VMCB lies behind the guest's registers */
#define VMCB(offset) (REGS_SIZE + 4096 + offset)(%rsp)

	.text
/* svm_run(regs, vmcb): `vmcb` is host-physical */
	.globl	svm_run
	.hidden	svm_run
svm_run:
	mov	%rdi, %rsp
	mov	%rsi, %rbx
1:	mov	REG(0), %rcx
	mov	REG(4), %rdx
	mov	%rcx, VMCB(SVM_VMCB_RAX)
	mov	%rdx, VMCB(SVM_VMCB_RSP)
	mov	%rbx, %rax
	mov	REG(1), %rcx
	mov	REG(2), %rdx
	mov	REG(3), %rbx
	mov	REG(5), %rbp
	mov	REG(6), %rsi
	mov	REG(7), %rdi
	mov	REG(8), %r8
	mov	REG(9), %r9
	mov	REG(10), %r10
	mov	REG(11), %r11
	mov	REG(12), %r12
	mov	REG(13), %r13
	mov	REG(14), %r14
	mov	REG(15), %r15
	vmload
	vmrun
	vmsave
	mov	%rcx, REG(1)
	mov	%rdx, REG(2)
	mov	%rbx, REG(3)
	mov	%rbp, REG(5)
	mov	%rsi, REG(6)
	mov	%rdi, REG(7)
	mov	%r8, REG(8)
	mov	%r9, REG(9)
	mov	%r10, REG(10)
	mov	%r11, REG(11)
	mov	%r12, REG(12)
	mov	%r13, REG(13)
	mov	%r14, REG(14)
	mov	%r15, REG(15)
	mov	%rax, %rbx
	add	$SVM_HOST, %rax
	vmload
	mov	VMCB(SVM_VMCB_RAX), %rcx
	mov	VMCB(SVM_VMCB_RSP), %rdx
	mov	%rcx, REG(0)
	mov	%rdx, REG(4)
	mov	%rsp, %rdi
	call	svm_exit
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
