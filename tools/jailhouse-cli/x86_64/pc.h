/* SPDX-License-Identifier: GPL-2.0-only */
/* A cell as a PC: what its configuration says of it. Acts on nothing. */
#ifndef JAILHOUSE_CLI_PC_H
#define JAILHOUSE_CLI_PC_H

#include "boot.h"

#define PC_UARTS 2
/* A kernel may take as many (boot.rst, zero-page.rst) */
#define PC_RANGES 128

/* An 8250 at I/O ports */
struct pc_uart {
	uint16_t port;
	uint32_t irq;		/* global system interrupt; PC_POLLED: none */
};

#define PC_POLLED UINT32_MAX

/* The console first. How many there are. */
unsigned pc_uarts(const struct config *cell, struct pc_uart uarts[PC_UARTS]);

/* The local APIC's id of the cell's next CPU from `*n` on, in the order in which it counts them. False: no more. */
bool pc_next_cpu(const struct config *cell, const struct config *system, uint32_t *n, uint32_t *apic_id);

enum pc_kind { PC_RAM = 1, PC_RESERVED = 2 };	/* as E820 and Multiboot number them */

struct pc_range {
	uint64_t start, size;
	enum pc_kind kind;
};

/* All memory but that of devices, ascending. What looks like RAM where a PC has its BIOS is reserved. False: too many. */
bool pc_ranges(const struct config *cell, struct pc_range ranges[PC_RANGES], unsigned *count);

/* The first page from `from` on in the region, from where on `size` bytes are no image's. False: there is none. */
bool pc_place(const struct abi_mem *region, const struct images *in, uint64_t from, uint64_t size, uint64_t *address);

#endif
