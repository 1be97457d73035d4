/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the hypervisor lies in its own address space (48 bits, 4 KiB pages); also read by
 * the assembler and the linker script.
 *
 *   0 ..                  devices, and the one page that turns the MMU on and off, at their
 *                         host-physical addresses
 *   HV_BASE ..            the hypervisor memory, linear: image, configuration, pool
 *   WINDOW_BASE ..        4 MiB a CPU for what is being copied or zeroed
 */
#ifndef ARM64_LAYOUT_H
#define ARM64_LAYOUT_H

#define HV_BASE 0xff0000000000
#define WINDOW_BASE 0xff8000000000
#define WINDOW_SIZE 0x400000

#define STACK_SIZE (CONFIG_STACK_SIZE_KB * 1024)
/* guard page, stack, struct percpu */
#define PERCPU_SIZE (4096 + STACK_SIZE + 4096)

#define REGS_SIZE 256

/* What sgi.S and vectors.S read and write of struct percpu */
#define PERCPU_BUDGET_LEFT 88
#define PERCPU_STAT_SGI 152
#define PERCPU_STAT_SYSREG 176
#define PERCPU_ID_REGISTERS 248
#define PERCPU_SGI_TARGETS 696

/* Those of op0 = 3, op1 = 0, CRn = 0, CRm = 1 to 7: (CRm - 1) * 8 + op2 */
#define ID_REGISTERS 56

#endif
