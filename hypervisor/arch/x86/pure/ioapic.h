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
#define IOAPIC_ID 0x00
#define IOAPIC_VERSION 0x01
#define IOAPIC_ARBITRATION 0x02
#define IOAPIC_ENTRY 0x10

#define VERSION_MAX_ENTRY BITS(23, 16)
#define VERSION_NUMBER BITS(7, 0)
/* from this version on there is IOAPIC_EOI_PORT */
#define VERSION_WITH_EOI 0x20

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
	uint8_t *registers;		/* NULL: there is none */
	uint32_t first;			/* global system interrupt of pin 0 */
	uint32_t count;
	uint8_t index[CONFIG_MAX_CELLS];	/* what each cell wrote to IOAPIC_SELECT, by cell id */
	uint64_t wanted[IOAPIC_PINS];	/* what the owner wrote */
};

/* Its registers by number. */
struct ioapic_bus {
	void *context;
	uint32_t (*read)(void *context, uint8_t number);
	void (*write)(void *context, uint8_t number, uint32_t value);
};

/* Who accesses. */
struct ioapic_guest {
	void *context;
	unsigned cell;			/* id; 0: the root cell */
	bool (*owns)(void *context, uint32_t line);
	/* The first CPU of the cell's that a destination means. False: there is none. */
	bool (*find)(void *context, uint32_t destination, bool logical, uint32_t *id);
	/* An entry was left masked that is not to be. */
	void (*refused)(void *context, uint32_t line, uint64_t entry);
};

/* access->address is the offset in the page. ERR_INVALID: no such access; nothing was done. */
MUST_CHECK err_t ioapic_access(struct ioapic *ioapic, const struct ioapic_bus *bus,
			       const struct ioapic_guest *guest, struct mmio_access *access);

/* The pin is masked, and nothing is in service on it; its owner finds it so. */
void ioapic_silence(struct ioapic *ioapic, const struct ioapic_bus *bus, uint32_t pin);

/* What its owner may have of an entry, the destination a physical id; or false. */
bool ioapic_permit(const struct ioapic_guest *guest, uint64_t entry, uint64_t *out);

/* The entry as it is in the hardware. */
uint64_t ioapic_read_entry(const struct ioapic_bus *bus, uint32_t pin);

#endif
