/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The communication page: one page, read and written by the cell and by the
 * hypervisor. Jailhouse's layout, revision 2. Inmates look for it at 0x80000000
 * (arm64) or 0x100000 (x86) unless their configuration says otherwise.
 */
#ifndef ABI_COMM_H
#define ABI_COMM_H

#include "config.h"

#define ABI_COMM_MAGIC "JHCOMM"
#define ABI_COMM_REVISION 2

#define ABI_COMM_FLAG_PUTC 0x1		/* debug-console hypercall permitted */
#define ABI_COMM_FLAG_PUTC_CONSOLE 0x2	/* ... and it is the console */

#define ABI_MSG_NONE 0
#define ABI_MSG_SHUTDOWN_REQUEST 1
#define ABI_MSG_RECONFIG_COMPLETED 2

#define ABI_REPLY_NONE 0
#define ABI_REPLY_UNKNOWN 1
#define ABI_REPLY_DENIED 2
#define ABI_REPLY_APPROVED 3
#define ABI_REPLY_RECEIVED 4

struct abi_comm_arm64 {
	uint8_t gic_version;
	uint8_t pad[7];
	uint64_t gicd_base;
	uint64_t gicc_base;
	uint64_t gicr_base;
	uint32_t vpci_irq_base;
	uint32_t pad2;
};

struct abi_comm_x86 {
	uint16_t pm_timer_address;
	uint16_t num_cpus;
	uint32_t tsc_khz;
	uint32_t apic_khz;
};

struct abi_comm {
	char signature[6];
	uint16_t revision;
	volatile uint32_t cell_state;		/* ABI_CELL_* */
	volatile uint32_t msg_to_cell;
	volatile uint32_t reply_from_cell;
	uint32_t flags;
	struct abi_console console;
	uint64_t pci_mmconfig_base;
	union {
		struct abi_comm_arm64 arm64;
		struct abi_comm_x86 x86;
	} arch;
};

_Static_assert(offsetof(struct abi_comm, revision) == 6, "comm page revision 2");
_Static_assert(offsetof(struct abi_comm, flags) == 20, "comm page revision 2");
_Static_assert(offsetof(struct abi_comm, console) == 24, "comm page revision 2");
_Static_assert(offsetof(struct abi_comm, pci_mmconfig_base) == 56, "comm page revision 2");
_Static_assert(offsetof(struct abi_comm, arch) == 64, "comm page revision 2");
_Static_assert(offsetof(struct abi_comm_arm64, gicd_base) == 8, "comm page revision 2");
_Static_assert(offsetof(struct abi_comm_arm64, vpci_irq_base) == 32, "comm page revision 2");

#endif
