/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The configuration space of a function that a cell has (PCI Local Bus 3.0, 6; PCI Express Base, 7).
 * The cell reads it as it is but for addresses, and changes what is the function's own: which of
 * its address decoders are on, its power state, its interrupts. Where it decodes stays as the
 * firmware or Linux set it up, and a message it sends means one of the cell's CPUs.
 *
 * BARs: what the cell writes is kept, and read back with the bits that the function has: their
 * size is found so. Messages: what it writes is kept, or checked where it lies (MSI-X); in the
 * function is the same with a physical destination, or the message is off.
 */
#ifndef X86_PURE_PCI_H
#define X86_PURE_PCI_H

#include "base/addr.h"
#include "base/err.h"

#define PCI_BARS 6u
/* Bytes of a function's space: conventional, and with ECAM */
#define PCI_SPACE 0x100u
#define PCI_SPACE_EXTENDED 0x1000u

/* How a function is reached, and its cell's CPUs; context: the function's. Sizes 1, 2, 4; naturally aligned. */
struct pci_bus {
	uint32_t (*read)(void *context, uint16_t bdf, unsigned offset, unsigned size);
	void (*write)(void *context, uint16_t bdf, unsigned offset, unsigned size, uint32_t value);
	/* Device memory, host-physical. */
	uint32_t (*load)(void *context, uint64_t at);
	void (*store)(void *context, uint64_t at, uint32_t value);
	/* The cell's CPU that a message's destination means, by its physical id; false: none. */
	bool (*target)(void *context, uint32_t destination, bool logical, uint32_t *id);
};

struct pci_function {
	const struct pci_bus *bus;
	void *context;
	uint16_t bdf;
	/* where its capabilities are; 0: it has none */
	uint8_t power, msi, msix, express;
	bool resets;			/* express: it can be reset by itself */
	bool cleaned;			/* MSI-X table: no entry of an earlier owner's is in it */
	uint32_t bar[PCI_BARS];		/* as they were when it was found */
	uint32_t bar_bits[PCI_BARS];	/* what can be changed of them */
	uint32_t bar_seen[PCI_BARS];	/* what the cell wrote */
	struct span table;		/* MSI-X: host-physical; size 0: none that can be used */
	uint64_t message_address;	/* MSI: what the cell wrote */
	uint16_t message_data;
	uint16_t message_control;
};

/*
 * Looks at it, changes nothing. `context` is what the bus is called with. ERR_NOT_FOUND: nobody answers; ERR_UNSUPPORTED: a bridge;
 * ERR_INVALID: its list of capabilities has no end or leads out of where they are. What is in *f then counts
 * for nothing.
 */
MUST_CHECK err_t pci_find(const struct pci_bus *bus, void *context, uint16_t bdf, struct pci_function *f);

/* Sends nothing, answers at no address. */
void pci_quiesce(const struct pci_function *f);
/* What its owner wrote is not what the next one, or the same one when it starts anew, reads. */
void pci_forget(struct pci_function *f);
/* For a new owner: quiet, sizes what can be changed of the BARs, forgets. */
void pci_take(struct pci_function *f);
/* Begins a reset where it has one; then nothing is to be read or written for PCI_RESET_MS. */
bool pci_reset(const struct pci_function *f);
#define PCI_RESET_MS 100u
/* Back to the root cell: quiet, and its BARs as they were found. */
void pci_give_back(const struct pci_function *f);

/* Does the access lie in the space, in one doubleword, naturally aligned? The rest is nobody's. */
bool pci_access_is_plain(unsigned offset, unsigned size);

uint32_t pci_read(const struct pci_function *f, unsigned offset, unsigned size);
/* False: a message the cell may not have was asked for; it is off. */
bool pci_write(struct pci_function *f, unsigned offset, unsigned size, uint32_t value);

/* One doubleword of the table at host-physical `at` within f->table. False as above: the entry is masked. */
uint32_t pci_table_read(struct pci_function *f, uint64_t at);
bool pci_table_write(struct pci_function *f, uint64_t at, uint32_t value);

#endif
