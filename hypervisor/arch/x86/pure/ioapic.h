/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An IOAPIC shared by cells. Each sees all of its registers, with its own pins in them and
 * the others masked. A redirection entry reads as its owner wrote it; in the hardware is what of it the owner
 * may have: nothing (masked) unless it means one of the owner's CPUs.
 */
#ifndef X86_PURE_IOAPIC_H
#define X86_PURE_IOAPIC_H

#include "abi/config.h"
#include "arch/x86/pure/apic.h"
#include "base/err.h"
#include "core/mmio.h"

#define IOAPIC_PINS 240u
/* Global system interrupts, as many as all IOAPICs have at most */
#define IOAPIC_LINES 1024u

/* Offsets in the page */
#define IOAPIC_SELECT 0x00
#define IOAPIC_WINDOW 0x10
#define IOAPIC_EOI_PORT 0x40

/* Registers behind the window */
#define IOAPIC_VERSION 0x01
#define IOAPIC_ENTRY 0x10

#define VERSION_MAX_ENTRY BITS(23, 16)

#define ENTRY_VECTOR BITS(7, 0)
#define ENTRY_MODE BITS(10, 8)
#define ENTRY_LOGICAL BIT(11)
#define ENTRY_STATUS BIT(12)
#define ENTRY_REMOTE_IRR BIT(14)
#define ENTRY_LEVEL BIT(15)
#define ENTRY_MASKED BIT(16)
/* VT-d's: an index into Linux's table of interrupts follows instead of a destination */
#define ENTRY_REMAPPABLE BIT(48)
#define ENTRY_DESTINATION BITS(63, 56)

/* One IOAPIC, and what is known of it; changed under one lock. */
struct ioapic {
	const struct ioapic_ops *ops;
	void *registers;		/* NULL: there is none */
	uint32_t first;			/* global system interrupt of pin 0 */
	uint32_t count;
	uint8_t index[CONFIG_MAX_CELLS];	/* what each cell wrote to IOAPIC_SELECT, by cell id */
	uint64_t wanted[IOAPIC_PINS];	/* what the owner wrote */
};

/* Who accesses. */
struct ioapic_guest {
	void *context;
	unsigned cell;			/* id; 0: the root cell */
	/* what became of it: an entry of this line was left masked that is not to be */
	bool refused;
	uint32_t line;
	uint64_t entry;
};

struct ioapic_ops {
	/* Its registers by number. */
	uint32_t (*read)(void *registers, uint8_t number);
	void (*write)(void *registers, uint8_t number, uint32_t value);
	/* The context is the guest's. */
	bool (*owns)(void *context, uint32_t line);
	/* The first CPU of the cell's that a destination means. False: there is none. */
	bool (*find)(void *context, uint32_t destination, bool logical, uint32_t *id);
};

/* access->address is the offset in the page. ERR_INVALID: no such access; nothing was done. */
MUST_CHECK err_t ioapic_access(struct ioapic *ioapic, struct ioapic_guest *guest, struct mmio_access *access);

/* Its owner has other CPUs now: what of the pin it may have is found out anew. */
void ioapic_review(struct ioapic *ioapic, struct ioapic_guest *guest, uint32_t pin);

/* The pin is masked, and nothing is in service on it; its owner finds it so. */
void ioapic_silence(struct ioapic *ioapic, uint32_t pin);

/* What its owner may have of an entry, the destination a physical id; or false. */
bool ioapic_permit(const struct ioapic_ops *ops, const struct ioapic_guest *guest, uint64_t entry, uint64_t *out);

/* Is it an index into somebody's table of interrupts instead of an interrupt? */
bool ioapic_is_remapped(uint64_t entry);

/* The entry as it is in the hardware. */
uint64_t ioapic_read_entry(const struct ioapic *ioapic, uint32_t pin);

#endif
