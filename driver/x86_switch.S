/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The code that is in Linux's tables and in the hypervisor's at the same address: from the one
 * to the other and back (abi/image.h). All of it lies in one page.
 */
#include <linux/linkage.h>
#include <asm/ibt.h>
#include <asm/nospec-branch.h>
#include <asm/segment.h>
#include <asm/unwind_hints.h>

#define SWITCH_SIZE 256

	.macro	save_linux
	pushfq
	push	%rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%ds, %eax
	push	%rax
	mov	%es, %eax
	push	%rax
	.endm

	.text
	.balign	SWITCH_SIZE
/* long switch_enter(unsigned int cpu, u64 cr3, u64 entry); EFER.SVME is on, interrupts are off */
SYM_CODE_START(switch_enter)
	UNWIND_HINT_FUNC
	ENDBR
	save_linux
	mov	%rdx, %rax
	mov	%rsi, %r8
	mov	%rsp, %rsi
	mov	%cr3, %rdx
	lea	resume(%rip), %rcx
	clgi
	mov	%r8, %cr3
	ANNOTATE_RETPOLINE_SAFE
	jmp	*%rax
SYM_CODE_END(switch_enter)

/* long switch_leave(unsigned long number): the hypercall that may end on bare metal */
SYM_FUNC_START(switch_leave)
	ENDBR
	save_linux
	mov	%rdi, %rax
	vmmcall
	/* still a guest, or behind `resume` it is as if this were it */
	mov	%rsp, %rsi
	xor	%r8d, %r8d
resume:
	ENDBR
	test	%r8, %r8
	jz	1f
	mov	%rdx, %cr3
	mov	%rsi, %rsp
	UNWIND_HINT_SAVE
	mov	$__KERNEL_DS, %ecx
	mov	%ecx, %ss
	pushq	$__KERNEL_CS
	lea	2f(%rip), %rcx
	push	%rcx
	lretq
2:	UNWIND_HINT_RESTORE
	stgi
1:	mov	%rsi, %rsp
	/* as Linux had them, down to what the descriptors say */
	pop	%rcx
	mov	%ecx, %es
	pop	%rcx
	mov	%ecx, %ds
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	popfq
	RET
SYM_FUNC_END(switch_leave)
	/* the assembler refuses to go back: more than what it is aligned to does not fit */
	.org	switch_enter + SWITCH_SIZE, 0xcc
