/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From untrusted bytes to a description that can be read without further checks.
 * Pure: reads its arguments, writes its results, knows no machine. Also linked by
 * the command and the fuzzers.
 */
#ifndef CONFIG_PARSE_H
#define CONFIG_PARSE_H

#include "abi/config.h"
#include "base/addr.h"
#include "base/why.h"

/* What an architecture's files may say; a program has the code for those it names only. */
struct platform;
extern const struct platform platform_arm64, platform_x86_64;

/* Points into the bytes it was parsed from; valid as long as they are. */
struct config {
	const struct abi_header *header;
	const struct abi_system *system;	/* NULL in a cell file */
	const uint64_t *hwid;			/* system->cpu_count of them; NULL in a cell file */
	const struct abi_cell *cell;		/* the cell; in a system file, the root cell */
	const struct abi_mem *mem;		/* cell->mem_count */
	const struct abi_irq *irq;		/* cell->irq_count */
	const struct abi_pio *pio;		/* cell->pio_count; only where there are I/O ports */
	const struct abi_pci *pci;		/* cell->pci_count; in cell files only */
	const struct platform *platform;
};

/*
 * `bytes` must be 8-byte aligned and must not change while parsed or used.
 * Checks everything one file can show by itself: magic, version, arch, kind, size,
 * counts against size, reserved fields 0, names terminated and printable, flags known
 * and in sense-making combinations, spans valid and page-aligned, a system's CPU ids
 * distinct, no overlap of guest addresses, of the cell's numbers for its lines or of its ports
 * within the cell, at most one communication region and one page long, a UART that is not in the way, a contract on exits that
 * means something, nothing the architecture does not have, and at last the checksum. On error
 * *out is untouched and `why` names the field, e.g. `memory[2] "ram": size 0x1001 is no multiple
 * of 4096`.
 * ERR_SHORT: truncated; ERR_UNSUPPORTED: another version or architecture;
 * ERR_OVERLAP; ERR_INVALID: everything else.
 */
MUST_CHECK err_t config_parse_for(const void *bytes, size_t size, const struct platform *platform,
				  uint8_t kind, struct config *out, struct why *why);

/* The same for any architecture, by its ABI_ARCH_* number. */
MUST_CHECK err_t config_parse(const void *bytes, size_t size, uint8_t arch, uint8_t kind,
			      struct config *out, struct why *why);

static inline struct span mem_guest_span(const struct abi_mem *m)
{
	return (struct span){ m->virt, m->size };
}

static inline struct span mem_host_span(const struct abi_mem *m)
{
	return (struct span){ m->phys, m->size };
}

#endif
