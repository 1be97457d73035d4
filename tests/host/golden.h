/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Good configurations to start from. The structures are the files: the wire format has
 * no padding and neither have they.
 */
#ifndef GOLDEN_H
#define GOLDEN_H

#include "config/admit.h"

enum { LINUX, RAM, PCI, UART };		/* the root cell's memory */
enum { CODE, COMM, QUEUE, SERIAL };	/* the cell's */

struct system_file {
	struct abi_header header;
	struct abi_system system;
	uint64_t hwid[4];
	struct abi_cell cell;
	struct abi_mem mem[4];
	struct abi_irq irq[2];
};

struct cell_file {
	struct abi_header header;
	struct abi_cell cell;
	struct abi_mem mem[4];
	struct abi_irq irq[2];
};

static_assert(sizeof(struct system_file) == 32 + 152 + 4 * 8 + 160 + 4 * 64 + 2 * 16, "no padding");
static_assert(sizeof(struct cell_file) == 32 + 160 + 4 * 64 + 2 * 16, "no padding");

/* The same of an architecture with I/O ports and PCI functions. */
struct pc_system_file {
	struct abi_header header;
	struct abi_system system;
	uint64_t hwid[4];
	struct abi_cell cell;
	struct abi_mem mem[4];
	struct abi_irq irq[2];
	struct abi_pio pio[2];
};

struct pc_cell_file {
	struct abi_header header;
	struct abi_cell cell;
	struct abi_mem mem[4];
	struct abi_irq irq[2];
	struct abi_pio pio[2];
	struct abi_pci pci[2];
};

static_assert(sizeof(struct pc_system_file) == sizeof(struct system_file) + 2 * 8, "no padding");
static_assert(sizeof(struct pc_cell_file) == sizeof(struct cell_file) + 2 * 8 + 2 * 8, "no padding");

struct pc_system_file golden_pc_system(void);
struct pc_cell_file golden_pc_cell(void);
extern const struct admit_limits golden_pc_limits;
struct config golden_pc_system_config(const struct pc_system_file *file);
struct config golden_pc_cell_config(const struct pc_cell_file *file);

/* Both sealed and admissible together under golden_limits. */
struct system_file golden_system(void);
struct cell_file golden_cell(void);
extern const struct admit_limits golden_limits;

/* Puts the right checksum into a file of `size` bytes. */
void golden_seal(void *file, size_t size);

/* The descriptions of files as they stand, without parsing. */
struct config golden_system_config(const struct system_file *file);
struct config golden_cell_config(const struct cell_file *file);

#endif
