// SPDX-License-Identifier: GPL-2.0-only
#include "arch/x86/pure/ioapic.h"

#define ENTRY_SILENT ((uint32_t)ENTRY_MASKED)
/* what the IOAPIC says of a pin, and ignores when written */
#define ENTRY_STATES (ENTRY_STATUS | ENTRY_REMOTE_IRR)
#define BROADCAST 0xffu
#define TYPES_CELL (BIT(MT_FIXED) | BIT(MT_LOWEST))
#define TYPES_ROOT (TYPES_CELL | BIT(MT_NMI) | BIT(MT_EXTINT))
/* 82093AA, 3.2.4: of the lower half all that is no reserved bit */
#define ENTRY_KNOWN BITS(16, 0)

static uint8_t low_of(uint32_t pin)
{
	return (uint8_t)(IOAPIC_ENTRY + 2 * pin);
}

static uint32_t read_low(const struct ioapic *ioapic, uint32_t pin)
{
	return ioapic->ops->read(ioapic->registers, low_of(pin));
}

static void write_low(const struct ioapic *ioapic, uint32_t pin, uint64_t entry)
{
	ioapic->ops->write(ioapic->registers, low_of(pin), (uint32_t)entry);
}

static void write_high(const struct ioapic *ioapic, uint32_t pin, uint64_t entry)
{
	ioapic->ops->write(ioapic->registers, low_of(pin) + 1, (uint32_t)(entry >> 32));
}

uint64_t ioapic_read_entry(const struct ioapic *ioapic, uint32_t pin)
{
	return (uint64_t)ioapic->ops->read(ioapic->registers, low_of(pin) + 1) << 32 | read_low(ioapic, pin);
}

/* At no moment it is unmasked with the one half of this and the other of what was there. */
static void write_entry(const struct ioapic *ioapic, uint32_t pin, uint64_t entry)
{
	const uint64_t now = ioapic_read_entry(ioapic, pin), differs = now ^ entry;
	const bool low = (differs & BITS(31, 0) & ~ENTRY_STATES) != 0, high = differs >> 32 != 0;

	if (low && high && !(now & ENTRY_MASKED))
		write_low(ioapic, pin, now | ENTRY_MASKED);
	if (high)
		write_high(ioapic, pin, entry);
	if (low || !high)
		write_low(ioapic, pin, entry);
}

/* An edge has no remote IRR: passing through one clears it, on all of them (as Linux does it). */
static void end_level(const struct ioapic *ioapic, uint32_t pin)
{
	uint64_t now = read_low(ioapic, pin);

	write_low(ioapic, pin, (now | ENTRY_MASKED) & ~ENTRY_LEVEL);
	write_low(ioapic, pin, now);
}

void ioapic_silence(struct ioapic *ioapic, uint32_t pin)
{
	/* an edge: that ends what a level had in service */
	write_entry(ioapic, pin, ENTRY_SILENT);
	ioapic->wanted[pin] = ENTRY_SILENT;
}

bool ioapic_is_remapped(uint64_t entry)
{
	if (entry & ENTRY_REMAPPABLE)
		return true;
	/* AMD's has no bit of its own: Linux puts the pin's number where the vector was, and no vector is so low */
	return !(entry & ENTRY_MASKED) && (BIT(FIELD_GET(ENTRY_MODE, entry)) & TYPES_CELL) &&
	       FIELD_GET(ENTRY_VECTOR, entry) < APIC_VECTOR_MIN;
}

bool ioapic_permit(const struct ioapic_ops *ops, const struct ioapic_guest *guest, uint64_t entry, uint64_t *out)
{
	const uint64_t type = FIELD_GET(ENTRY_MODE, entry);
	const uint32_t destination = (uint32_t)FIELD_GET(ENTRY_DESTINATION, entry);
	const bool logical = (entry & ENTRY_LOGICAL) != 0, root = guest->cell == 0;
	uint32_t id;

	/* what is reserved may be more bits of the destination on some: then it would be another CPU */
	*out = root ? entry : entry & (ENTRY_KNOWN | ENTRY_DESTINATION);
	if (entry & ENTRY_MASKED)
		return true;
	if (entry & ENTRY_REMAPPABLE)
		return root;
	/* the firmware's to route */
	if (root && type == MT_SMI)
		return true;
	/* an INIT would reset a CPU that is in the hypervisor, too */
	if (!(BIT(type) & (root ? TYPES_ROOT : TYPES_CELL)))
		return false;
	if (!root && FIELD_GET(ENTRY_VECTOR, entry) < APIC_VECTOR_MIN)
		return false;
	/* no cell has all there are */
	if ((!logical && destination == BROADCAST) || !ops->find(guest->context, destination, logical, &id))
		return false;
	/* the hardware does not know a cell's logical ids */
	if (!root && logical) {
		if (id >= BROADCAST)
			return false;
		*out = (entry & ENTRY_KNOWN & ~ENTRY_LOGICAL) | FIELD_PUT(ENTRY_DESTINATION, id);
	}
	return true;
}

void ioapic_review(struct ioapic *ioapic, struct ioapic_guest *guest, uint32_t pin)
{
	uint64_t entry = ioapic->wanted[pin], permitted;

	if (!ioapic_permit(ioapic->ops, guest, entry, &permitted)) {
		guest->refused = true;
		guest->line = ioapic->first + pin;
		guest->entry = entry;
		/* nothing else of it is in the hardware: it may be in a format of its own */
		permitted = ENTRY_MASKED | (entry & ENTRY_LEVEL);
	}
	write_entry(ioapic, pin, permitted);
}

static bool owns_pin(const struct ioapic *ioapic, const struct ioapic_guest *guest, uint32_t pin)
{
	return pin < ioapic->count && ioapic->ops->owns(guest->context, ioapic->first + pin);
}

static uint32_t read_register(const struct ioapic *ioapic,
			      const struct ioapic_guest *guest, uint8_t number)
{
	uint32_t pin = (number - IOAPIC_ENTRY) / 2u;

	if (number < IOAPIC_ENTRY)
		return ioapic->ops->read(ioapic->registers, number);
	if (!owns_pin(ioapic, guest, pin))
		return number & 1 ? 0 : ENTRY_SILENT;
	if (number & 1)
		return (uint32_t)(ioapic->wanted[pin] >> 32);
	return (uint32_t)((ioapic->wanted[pin] & ~ENTRY_STATES) | (read_low(ioapic, pin) & ENTRY_STATES));
}

static void write_register(struct ioapic *ioapic, struct ioapic_guest *guest,
			   uint8_t number, uint32_t value)
{
	uint32_t pin = (number - IOAPIC_ENTRY) / 2u;
	uint64_t *entry;

	if (number < IOAPIC_ENTRY) {
		if (guest->cell == 0)
			ioapic->ops->write(ioapic->registers, number, value);
		return;
	}
	if (!owns_pin(ioapic, guest, pin))
		return;
	entry = &ioapic->wanted[pin];
	if (number & 1)
		*entry = (*entry & BITS(31, 0)) | (uint64_t)value << 32;
	else
		*entry = (*entry & BITS(63, 32)) | (value & ~ENTRY_STATES);
	ioapic_review(ioapic, guest, pin);
}

/* The register itself would end all interrupts of that vector, whose ever they are. */
static void write_eoi(const struct ioapic *ioapic, const struct ioapic_guest *guest,
		      uint32_t vector)
{
	uint32_t pin;

	for (pin = 0; pin < ioapic->count; pin++) {
		uint64_t entry = ioapic->wanted[pin];

		if (owns_pin(ioapic, guest, pin) && (entry & ENTRY_LEVEL) &&
		    FIELD_GET(ENTRY_VECTOR, entry) == (vector & 0xff))
			end_level(ioapic, pin);
	}
}

err_t ioapic_access(struct ioapic *ioapic, struct ioapic_guest *guest, struct mmio_access *access)
{
	uint8_t *select = &ioapic->index[guest->cell];
	uint32_t value = (uint32_t)access->value;
	bool write = access->write;

	/* the manuals know no other (82093AA, 3.1); narrower ones of IOREGSEL work on most */
	if (access->size == 4 ? access->address.v % 4 != 0 : access->size != 1 || access->address.v != IOAPIC_SELECT)
		return ERR_INVALID;
	switch (access->address.v) {
	case IOAPIC_SELECT:
		if (write)
			*select = (uint8_t)value;
		else
			access->value = *select;
		return OK;
	case IOAPIC_WINDOW:
		if (write)
			write_register(ioapic, guest, *select, value);
		else
			access->value = read_register(ioapic, guest, *select);
		return OK;
	case IOAPIC_EOI_PORT:
		if (write)
			write_eoi(ioapic, guest, value);
		else
			access->value = 0;
		return OK;
	default:
		/* reserved: nothing there */
		if (!write)
			access->value = 0;
		return OK;
	}
}
