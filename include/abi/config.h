/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Binary configuration, version 4: what `jailhouse config build` writes and the
 * hypervisor reads. Little-endian; every record is naturally aligned and has no
 * hidden padding, so the structures are the wire format.
 *
 *   system file:  abi_header | abi_system | cpu_count x uint64_t | root cell section
 *   cell file:    abi_header | cell section
 *   cell section: abi_cell | mem_count x abi_mem | irq_count x abi_irq |
 *                 pio_count x abi_pio | pci_count x abi_pci
 *
 * The last record ends the file: trailing bytes are an error.
 */
#ifndef ABI_CONFIG_H
#define ABI_CONFIG_H

#ifdef __KERNEL__
#include <linux/stddef.h>
#include <linux/types.h>
#else
#include <stddef.h>
#include <stdint.h>
#endif

#define ABI_CONFIG_MAGIC "JHCONFIG"
#define ABI_CONFIG_VERSION 4
#define ABI_CONFIG_MAX_SIZE (64u * 1024)

#define ABI_ARCH_ARM64 1
#define ABI_ARCH_X86_64 2

#define ABI_KIND_SYSTEM 1
#define ABI_KIND_CELL 2

struct abi_header {
	char magic[8];
	uint16_t version;
	uint8_t arch;
	uint8_t kind;
	uint32_t size;		/* of the whole file, bytes */
	uint32_t crc;		/* CRC-32 (IEEE 802.3) of the whole file with this field 0 */
	uint32_t reserved[3];	/* 0 */
};

#define ABI_CONSOLE_NONE 0
#define ABI_CONSOLE_8250 2
#define ABI_CONSOLE_PL011 3

#define ABI_CONSOLE_MMIO 0x1
#define ABI_CONSOLE_STRIDE_4 0x2

/* Same layout as the console record of the communication page. */
struct abi_console {
	uint64_t address;
	uint32_t size;
	uint16_t type;
	uint16_t flags;
	uint32_t divider;
	uint32_t gate_nr;
	uint64_t clock_reg;
};

#define ABI_MEM_READ 0x001
#define ABI_MEM_WRITE 0x002
#define ABI_MEM_EXEC 0x004
#define ABI_MEM_IO 0x010	/* device memory: registers, never zeroed */
#define ABI_MEM_COMM 0x020	/* the cell's communication page; phys is 0 */
#define ABI_MEM_LOADABLE 0x040	/* the root cell may fill it while the cell is loadable */
#define ABI_MEM_SHARED 0x080	/* stays mapped in the root cell, never zeroed */
#define ABI_MEM_RESERVED 0x100	/* root cell's file only: kept from Linux, cells are carved from it */
#define ABI_MEM_BOOT 0x200	/* the command puts a loader there, and what that is to put into other memory at each start */

struct abi_mem {
	uint64_t phys;		/* host-physical; page multiple */
	uint64_t virt;		/* guest-physical; page multiple */
	uint64_t size;		/* bytes; page multiple, not 0 */
	uint32_t flags;
	uint32_t reserved;	/* 0 */
	char name[32];		/* NUL-padded, at least one NUL */
};

/*
 * Interrupt lines: on arm64 GIC INTIDs of SPIs (32..1019), on x86 global system interrupts
 * (IOAPIC pins). Per-CPU interrupts go with the CPU.
 */
struct abi_irq {
	uint32_t first;		/* the machine's number */
	uint32_t count;		/* not 0 */
	uint32_t virt;		/* the cell's number of the first; another than the machine's only if INJECTED */
	uint32_t reserved;	/* 0 */
};

/* I/O ports; x86 only. */
struct abi_pio {
	uint32_t first;
	uint32_t count;		/* not 0; first + count <= 0x10000 */
};

/*
 * A PCI function that leaves the root cell; in cell files only, x86 only. Its BARs are regions of
 * memory (IO) and ports of the cell's, each on its own.
 */
struct abi_pci {
	uint16_t segment;	/* 0 */
	uint16_t bdf;		/* bus << 8 | device << 3 | function */
	uint32_t flags;		/* 0 */
};

#define ABI_CELL_PUTC 0x1		/* the debug-console hypercall is permitted */
#define ABI_CELL_PUTC_CONSOLE 0x2	/* ... and is the cell's console */
#define ABI_CELL_INJECTED 0x4		/* arm64: the hypervisor takes its interrupts and hands them on: an exit each */
#define ABI_CELL_TRUSTED_WFI 0x8	/* arm64: direct interrupts only: it may sleep without an exit, and can keep its CPUs */
#define ABI_CELL_FAIL_ON_VIOLATION 0x10	/* more exits than `exits` fail it; else they are logged */
#define ABI_CELL_ABSENT_PORTS 0x40	/* x86: ports that are not its own are as on a machine with nothing there; else they fail it */

/*
 * arm64: it sees its CPUs as 0, 1, 2, ..., in the order of their numbers here: the n-th has affinity
 * n / 16 << 8 | n % 16 and the n-th redistributor, 128 KiB each, and there are no others
 */
#define ABI_CELL_CPUS_COUNTED 0x20

#define ABI_EXITS_ANY 0xffffffffu
#define ABI_SETTLE_MAX_MS 600000u

#define ABI_CPU_SET_WORDS 4		/* 256 CPUs */

/* A UART of the cell's that is none of the machine's: what is written to it goes to the cell's console. */
struct abi_uart {
	uint64_t address;		/* guest-physical, page multiple; x86: I/O port */
	uint32_t type;			/* ABI_CONSOLE_NONE, arm64: _PL011, x86: _8250 */
	uint32_t irq;			/* the machine's line of the cell's that it raises; 0: none */
};

struct abi_cell {
	char name[32];			/* NUL-padded, at least one NUL, not empty */
	uint32_t flags;
	uint32_t mem_count;
	uint32_t irq_count;
	uint32_t exits;			/* permitted per second on each of its CPUs; 0: none; ABI_EXITS_ANY */
	uint64_t entry;			/* guest-physical reset address */
	uint32_t settle_ms;		/* from a CPU's start until `exits` holds; 0 with ABI_EXITS_ANY */
	uint16_t pio_count;
	uint16_t pci_count;
	uint64_t cpus[ABI_CPU_SET_WORDS];	/* bit n: CPU n of the system file */
	struct abi_console console;	/* handed on in the communication page */
	struct abi_uart uart;
	/* arm64, in cell files: where the cell sees them, multiples of 64 KiB; 0, 0: where they are */
	uint64_t gicd;
	uint64_t gicr;
};

struct abi_span {
	uint64_t start;
	uint64_t size;
};

/* All zero for an architecture that does not read it. */
struct abi_platform_arm64 {
	struct abi_span gicd;
	struct abi_span gicr;		/* all redistributors, contiguous */
	uint32_t gic_version;		/* 3 */
	uint32_t maintenance_irq;	/* PPI INTID 16..31 */
	uint64_t reserved[7];		/* 0 */
};

#define ABI_IOAPICS 4

struct abi_ioapic {
	uint64_t address;		/* 0: none, then the rest is 0 too and none follows */
	uint32_t first;			/* global system interrupt of its pin 0 */
	uint32_t count;			/* pins, 1 to 240; first + count <= 256 */
};

struct abi_platform_x86_64 {
	struct abi_span mmconfig;	/* ECAM of segment 0 from bus 0; size 0: none, else a multiple of 1 MiB */
	struct abi_ioapic ioapic[ABI_IOAPICS];
	uint32_t apic_khz;		/* frequency of the local APICs' timers undivided; 0: to be measured */
	uint16_t pm_timer;		/* ACPI PM timer's port; 0: none */
	uint16_t reserved16;		/* 0 */
	uint64_t reserved;		/* 0 */
};

struct abi_system {
	struct abi_span hypervisor;	/* memory kept from Linux for the hypervisor */
	struct abi_console console;	/* early messages; type NONE for none */
	uint32_t cpu_count;
	uint32_t flags;			/* 0 */
	union {
		struct abi_platform_arm64 arm64;
		struct abi_platform_x86_64 x86_64;
	} platform;
	/* uint64_t hwid[cpu_count]: Linux's CPU n has MPIDR affinity / APIC id hwid[n] */
};

_Static_assert(sizeof(struct abi_header) == 32, "config v4");
_Static_assert(offsetof(struct abi_header, crc) == 16, "config v4");
_Static_assert(sizeof(struct abi_console) == 32, "config v4");
_Static_assert(sizeof(struct abi_mem) == 64, "config v4");
_Static_assert(sizeof(struct abi_irq) == 16, "config v4");
_Static_assert(sizeof(struct abi_pio) == 8, "config v4");
_Static_assert(sizeof(struct abi_pci) == 8, "config v4");
_Static_assert(sizeof(struct abi_ioapic) == 16, "config v4");
_Static_assert(sizeof(struct abi_uart) == 16, "config v4");
_Static_assert(sizeof(struct abi_cell) == 160, "config v4");
_Static_assert(offsetof(struct abi_cell, cpus) == 64, "config v4");
_Static_assert(sizeof(struct abi_platform_arm64) == 96, "config v4");
_Static_assert(sizeof(struct abi_platform_x86_64) == 96, "config v4");
_Static_assert(sizeof(struct abi_system) == 152, "config v4");

#endif
