/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Hypercalls. arm64: `hvc #0x4a48`, number and result in x0, arguments in x1, x2,
 * x3 clobbered. x86: `vmcall`/`vmmcall`, number and result in RAX, arguments in
 * RDI, RSI. A negative result is an ABI_E*; on a management call that failed,
 * abi_log.error holds the reason in words.
 *
 * 0 to 8 are Jailhouse's; 9 and 10 are ours.
 */
#ifndef ABI_HYPERCALL_H
#define ABI_HYPERCALL_H

#define ABI_HVC_IMMEDIATE 0x4a48

/* Root cell only */
#define ABI_HC_DISABLE 0		/* on every online CPU; returns to bare metal with 0; arm64: x4..x17 undefined; x86: abi/image.h's way back */
#define ABI_HC_CELL_CREATE 1		/* (config gpa, size in bytes) -> id; then poll GET_STATE */
#define ABI_HC_CELL_START 2		/* (id) */
#define ABI_HC_CELL_SET_LOADABLE 3	/* (id) not running: zero, open to root; ABI_EAGAIN: call again */
#define ABI_HC_CELL_DESTROY 4		/* (id) zero, give back; ABI_EAGAIN: call again */
/* Every cell */
#define ABI_HC_INFO 5			/* (ABI_INFO_*) */
#define ABI_HC_CELL_GET_STATE 6		/* (id) -> ABI_CELL_*; ABI_EAGAIN while memory changes hands; root cell only */
#define ABI_HC_CPU_INFO 7		/* (CPU number, ABI_CPU_INFO_*) */
#define ABI_HC_PUTC 8			/* (character) where the configuration permits it */
/* Root cell only */
#define ABI_HC_CELL_SHUTDOWN 9		/* (id) stop; memory stays the cell's */
/* (id | count << 32, 1 to 8 bytes, the first lowest) -> how many its UART took; ABI_ENODEV: it has none, ABI_EBUSY: it does not run */
#define ABI_HC_CONSOLE_INPUT 10

#define ABI_INFO_POOL_SIZE 0		/* pages */
#define ABI_INFO_POOL_USED 1
#define ABI_INFO_REMAP_SIZE 2
#define ABI_INFO_REMAP_USED 3
#define ABI_INFO_CELLS 4		/* with the root cell */

#define ABI_CPU_INFO_STATE 0
#define ABI_CPU_INFO_STAT 1000		/* + ABI_STAT_* */

#define ABI_CPU_RUNNING 0
#define ABI_CPU_FAILED 2

#define ABI_CELL_RUNNING 0
#define ABI_CELL_RUNNING_LOCKED 1
#define ABI_CELL_SHUT_DOWN 2
#define ABI_CELL_FAILED 3
#define ABI_CELL_FAILED_COMM_REV 4

/*
 * Exit counters. The first four are every architecture's, in Jailhouse's order. Each exit has
 * exactly one reason; TOTAL is the sum of them. OVER_BUDGET is none: it counts those of
 * them that the cell's configuration does not permit.
 */
#define ABI_STAT_TOTAL 0
#define ABI_STAT_MMIO 1
#define ABI_STAT_MANAGEMENT 2
#define ABI_STAT_HYPERCALL 3
#define ABI_STAT_ARCH 4

#define ABI_STAT_ARM64_SGI 4		/* ICC_SGI*R writes, checked and replayed */
#define ABI_STAT_ARM64_PSCI 5
#define ABI_STAT_ARM64_SMCCC 6		/* other SMC and HVC calls */
#define ABI_STAT_ARM64_SYSREG 7		/* other trapped system registers */
#define ABI_STAT_ARM64_WFI 8
#define ABI_STAT_ARM64_FAULT 9		/* stage-2 faults that were no MMIO: retried or fatal */
#define ABI_STAT_ARM64_IRQ 10		/* interrupts taken and handed on (injected cells) */
#define ABI_STAT_ARM64_MAINTENANCE 11	/* ... that had to wait for a free list register */
#define ABI_STAT_ARM64_OTHER 12		/* exceptions that fail a cell: SError, illegal instruction classes */

/* 4 to 11 in Jailhouse's order */
#define ABI_STAT_X86_PIO 4		/* I/O ports that are mediated */
#define ABI_STAT_X86_XAPIC 5		/* writes to the local APIC's page */
#define ABI_STAT_X86_CR 6		/* not used: control registers are the guest's */
#define ABI_STAT_X86_CPUID 7
#define ABI_STAT_X86_XSETBV 8		/* not used: XCR0 is the guest's */
#define ABI_STAT_X86_EXCEPTION 9	/* instructions no guest has, triple faults */
#define ABI_STAT_X86_MSR 10		/* mediated MSRs but the next */
#define ABI_STAT_X86_ICR 11		/* x2APIC's interrupt command register */
#define ABI_STAT_X86_NMI 12		/* the guest's own, handed on */
#define ABI_STAT_X86_FAULT 13		/* nested page faults that were no MMIO: retried or fatal */
#define ABI_STAT_X86_OTHER 14

#define ABI_STAT_OVER_BUDGET 15
#define ABI_STAT_COUNT 16

/* Linux's errno numbers, as the hypervisor returns them (negated) */
#define ABI_EPERM 1
#define ABI_ENOENT 2
#define ABI_EIO 5
#define ABI_E2BIG 7
#define ABI_EAGAIN 11
#define ABI_ENOMEM 12
#define ABI_EFAULT 14
#define ABI_EBUSY 16
#define ABI_EEXIST 17
#define ABI_ENODEV 19
#define ABI_EINVAL 22
#define ABI_ENOSYS 38

#endif
