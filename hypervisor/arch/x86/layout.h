/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the hypervisor lies in its own address space (48 bits, 4 KiB pages); also read by
 * the assembler and the linker script. Code and data are reached relative to RIP.
 *
 *   0 ..                  device registers at their host-physical addresses
 *   HV_BASE ..            the hypervisor memory, linear: image, configuration, pool
 *   WINDOW_BASE ..        4 MiB a CPU for what is being copied or zeroed
 *   upper half            the one page of the module's text that switches tables, where
 *                         Linux has it
 */
#ifndef X86_LAYOUT_H
#define X86_LAYOUT_H

#define HV_BASE 0x7e0000000000
#define WINDOW_BASE 0x7f0000000000
#define WINDOW_SIZE 0x400000

/* PML4; PDPT and PD for HV_BASE; PDPT, PD and PT for the switch page */
#define BOOT_TABLES 6

#define STACK_SIZE (CONFIG_STACK_SIZE_KB * 1024)
/* struct percpu: its first page, three for the virtualization extension, one for faults */
#define PERCPU_PAGES 5
/* guard page, stack, struct percpu */
#define PERCPU_SIZE (4096 + STACK_SIZE + PERCPU_PAGES * 4096)

#define REGS_SIZE 128

/* The hypervisor's own segments */
#define HOST_CS 0x08
#define HOST_DS 0x10
#define HOST_TR 0x18

/* Gates of exceptions, in bytes: a near call each */
#define FAULT_GATE_SIZE 5

/* What assembler reads and writes of struct percpu, by GS */
#define PERCPU_SELF 0
#define PERCPU_NMIS 8
#define PERCPU_KICKED 16

#endif
