/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The image's head, the way from the driver's page that switches tables to C (boot_cpu) and
 * back, and the gates of the hypervisor's own exceptions. Every CPU comes through here at once.
 */
#include "core/log_area.h"
#include "layout.h"
#include "version.h"

	.section .header, "a"
	.globl	image_header
	.hidden	image_header
image_header:
	.ascii	"JHIMAGE1"
	.long	2 /* ABI_ARCH_X86_64 */
	.long	CONFIG_MAX_CPUS
	.quad	_image_size
	.quad	_memory_size
	.quad	_entry_offset
	.quad	_log_offset
	.quad	LOG_AREA_SIZE
	.quad	CONFIG_POOL_MIN_KB * 1024
	.quad	HV_BASE
	.quad	_boot_offset
	.quad	BOOT_TABLES * 4096
1:	.asciz	JAILHOUSE_VERSION
	.space	64 - (. - 1b)
	.space	56

	.text
/* EDI: Linux's CPU number; RSI, RDX, RCX: struct came's first three. No stack yet. */
	.globl	_entry
_entry:
	endbr64
	cmp	$CONFIG_MAX_CPUS, %edi
	jae	refuse
	mov	%edi, %eax
	inc	%eax
	imul	$PERCPU_SIZE, %rax, %rax
	lea	_percpu - PERCPU_PAGES * 4096 - REGS_SIZE(%rip), %rsp
	add	%rax, %rsp
	push	%rcx
	push	%rdx
	push	%rsi
	mov	%rsp, %rsi
	push	$0
	cld
	xor	%ebp, %ebp
	call	boot_cpu
refuse:
	mov	$-22, %rax
	mov	$1, %r8d
	jmp	*%rcx

/* switch_back(came, result) */
	.globl	switch_back
	.hidden	switch_back
switch_back:
	mov	%rsi, %rax
	mov	(%rdi), %rsi
	mov	8(%rdi), %rdx
	mov	16(%rdi), %rcx
	mov	$1, %r8d
	jmp	*%rcx

/* restart_on_stack(stack, run, self) */
	.globl	restart_on_stack
	.hidden	restart_on_stack
restart_on_stack:
	mov	%rdi, %rsp
	mov	%rdx, %rdi
	push	$0
	jmp	*%rsi

/* own_segments(): CS, SS, DS, ES, and none in FS and GS */
	.globl	own_segments
	.hidden	own_segments
own_segments:
	mov	$HOST_DS, %eax
	mov	%eax, %ss
	mov	%eax, %ds
	mov	%eax, %es
	xor	%eax, %eax
	mov	%eax, %fs
	mov	%eax, %gs
	pop	%rax
	push	$HOST_CS
	push	%rax
	lretq

/*
 * An NMI while the hypervisor lets them in: counted and consumed. One that comes between a
 * wait's last look and its HLT is past the HLT when it returns. IRET is serialising: kicked is
 * 0 for all before this CPU looks at what it was kicked for.
 */
	.globl	nmi_gate
	.hidden	nmi_gate
nmi_gate:
	push	%rax
	incq	%gs:PERCPU_NMIS
	movb	$0, %gs:PERCPU_KICKED
	lea	wait_window(%rip), %rax
	cmp	%rax, 8(%rsp)
	jb	1f
	lea	wait_window_end(%rip), %rax
	cmp	%rax, 8(%rsp)
	jae	1f
	mov	%rax, 8(%rsp)
1:	pop	%rax
	iretq

/* guest_wrmsr(msr, value), guest_rdmsr(msr, value): what a guest asked for; false: the CPU does not take it, #GP */
	.globl	guest_wrmsr, guest_rdmsr
	.hidden	guest_wrmsr, guest_rdmsr
guest_wrmsr:
	mov	%edi, %ecx
	mov	%esi, %eax
	mov	%rsi, %rdx
	shr	$32, %rdx
msr_try:
	wrmsr
	mov	$1, %al
	ret
guest_rdmsr:
	mov	%edi, %ecx
	rdmsr
msr_try_end:
	mov	%eax, (%rsi)
	mov	%edx, 4(%rsi)
	mov	$1, %al
	ret
msr_failed:
	xor	%eax, %eax
	ret

/* Vectors 0 to 31, FAULT_GATE_SIZE bytes each; those that push an error code (APM 2, 8.2) */
#define FAULTS_WITH_CODE 0x60227d00

	.globl	fault_gates
	.hidden	fault_gates
fault_gates:
	.rept	32
	.byte	0xe8
	.long	fault - . - 4
	.endr
fault:
	pop	%rax
	lea	fault_gates + FAULT_GATE_SIZE(%rip), %rsi
	sub	%esi, %eax
	mov	$FAULT_GATE_SIZE, %cl
	div	%cl
	movzbl	%al, %edi
	mov	$FAULTS_WITH_CODE, %eax
	xor	%esi, %esi
	bt	%edi, %eax
	jnc	1f
	pop	%rsi
1:	mov	(%rsp), %rdx
	/* #GP of an instruction there is */
	cmp	$13, %edi
	jne	2f
	lea	msr_try(%rip), %rax
	cmp	%rax, %rdx
	jb	2f
	lea	msr_try_end(%rip), %rax
	cmp	%rax, %rdx
	jae	2f
	lea	msr_failed(%rip), %rax
	mov	%rax, (%rsp)
	iretq
2:	mov	24(%rsp), %rcx
	and	$-16, %rsp
	cld
	call	exit_hypervisor
