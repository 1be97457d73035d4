// SPDX-License-Identifier: GPL-2.0-only
#include "arch/x86/pure/pci.h"
#include "base/bits.h"

/* Header type 0 */
#define PCI_VENDOR 0x00u
#define PCI_COMMAND 0x04u
#define PCI_STATUS 0x06u
#define PCI_CACHE_LINE 0x0cu	/* ... and latency timer */
#define PCI_HEADER_TYPE 0x0eu
#define PCI_BAR 0x10u
#define PCI_ROM 0x30u
#define ROM_ENABLE 0x1u
#define PCI_CAPABILITIES 0x34u
#define PCI_INTERRUPT_LINE 0x3cu
#define PCI_HEADER_END 0x40u

#define COMMAND_DECODE 0x3u
#define COMMAND_MEMORY 0x2u
#define COMMAND_MASTER 0x4u
#define COMMAND_NO_INTX 0x400u
/* What a cell changes; INTx stays off: its line may be shared, and is not the cell's to raise */
#define COMMAND_CELL (COMMAND_DECODE | COMMAND_MASTER)
#define STATUS_CAPABILITIES 0x10u
#define HEADER_LAYOUT 0x7fu

#define BAR_IO 0x1u
#define BAR_TYPE 0x6u
#define BAR_64 0x4u
#define BAR_MEMORY_FLAGS 0xfu
#define BAR_IO_FLAGS 0x3u

#define CAPABILITY_POWER 0x01u
#define CAPABILITY_MSI 0x05u
#define CAPABILITY_EXPRESS 0x10u
#define CAPABILITY_MSIX 0x11u
/* As many as there is room for */
#define CAPABILITIES_MAX ((PCI_SPACE - PCI_HEADER_END) / 4)

#define POWER_STATUS 4u
#define POWER_STATE 0x3u
#define POWER_EVENT 0x8000u	/* cleared by a 1 */

#define EXPRESS_CAPABILITIES 4u
#define EXPRESS_CAN_RESET (1u << 28)
#define EXPRESS_CONTROL 8u
#define EXPRESS_RESET 0x8000u

#define MSI_CONTROL 2u
#define MSI_ADDRESS 4u
#define MSI_ADDRESS_HIGH 8u
#define MSI_ENABLE 0x1u
#define MSI_COUNT 0x70u		/* log2 of how many are enabled */
#define MSI_64 0x80u
#define MSI_MASKABLE 0x100u

#define MSIX_CONTROL 2u
#define MSIX_TABLE 4u
#define MSIX_ENABLE 0x8000u
#define MSIX_MASK_ALL 0x4000u
#define MSIX_SIZE 0x7ffu
#define MSIX_BIR 0x7u

#define ENTRY_SIZE 16u
#define ENTRY_ADDRESS 0u
#define ENTRY_ADDRESS_HIGH 4u
#define ENTRY_DATA 8u
#define ENTRY_CONTROL 12u
#define ENTRY_MASKED 1u

/* SDM 3, 11.11: messages */
#define MESSAGE_BASE 0xfee00000u
#define MESSAGE_PLAIN 0xfff00000u
#define MESSAGE_ID BITS(19, 12)
#define MESSAGE_REST 0x00000ff0u	/* reserved; remappable format, or more bits of the id */
#define MESSAGE_LOGICAL 0x4u
#define MESSAGE_VECTOR 0xffu
#define MESSAGE_MODE BITS(10, 8)
#define MODE_LOWEST 1u
#define VECTOR_MIN 16u
#define ID_BROADCAST 0xffu

static uint32_t read_at(const struct pci_function *f, unsigned offset, unsigned size)
{
	return f->bus->read(f->context, f->bdf, offset, size);
}

static void write_at(const struct pci_function *f, unsigned offset, unsigned size,
		     uint32_t value)
{
	f->bus->write(f->context, f->bdf, offset, size, value);
}

/* Two of a kind: the one that is not looked after would be nobody's. */
static err_t note_capability(struct pci_function *f, uint32_t capability, unsigned at)
{
	static const struct {
		uint8_t capability, place;
	} known[] = {
		{ CAPABILITY_POWER, offsetof(struct pci_function, power) },
		{ CAPABILITY_MSI, offsetof(struct pci_function, msi) },
		{ CAPABILITY_MSIX, offsetof(struct pci_function, msix) },
		{ CAPABILITY_EXPRESS, offsetof(struct pci_function, express) },
	};
	uint8_t *place;
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(known); i++) {
		place = (uint8_t *)f + known[i].place;
		if (known[i].capability != capability)
			continue;
		if (*place != 0)
			return ERR_INVALID;
		*place = (uint8_t)at;
	}
	return OK;
}

static err_t find_capabilities(struct pci_function *f)
{
	unsigned at, count;

	if (!(read_at(f, PCI_STATUS, 2) & STATUS_CAPABILITIES))
		return OK;
	at = read_at(f, PCI_CAPABILITIES, 1) & ~3u;
	for (count = 0; at != 0; count++) {
		if (at < PCI_HEADER_END || count == CAPABILITIES_MAX)
			return ERR_INVALID;
		TRY(note_capability(f, read_at(f, at, 1), at));
		at = read_at(f, at + 1, 1) & ~3u;
	}
	return OK;
}

/* Whole doublewords. */
static unsigned msi_size(const struct pci_function *f)
{
	uint32_t control = read_at(f, f->msi + MSI_CONTROL, 2);

	return 12u + (control & MSI_64 ? 4u : 0u) + (control & MSI_MASKABLE ? 8u : 0u);
}

/* Takes a capability's doublewords of the space; false: they lie beyond it, or were taken. */
static bool take(uint64_t *taken, unsigned at, unsigned size)
{
	uint64_t words;

	if (at == 0)
		return true;
	if (at + size > PCI_SPACE)
		return false;
	words = BITS(size / 4 - 1, 0) << at / 4;
	if (*taken & words)
		return false;
	*taken |= words;
	return true;
}

/* Each lies within the space, and in no other: what is checked in one would be let through in the other. */
static bool capabilities_are_apart(const struct pci_function *f)
{
	uint64_t taken = 0;

	static_assert(PCI_SPACE / 4 == 64, "a bit each");
	return take(&taken, f->power, 8) && (f->msi == 0 || take(&taken, f->msi, msi_size(f))) &&
	       take(&taken, f->msix, 12) && take(&taken, f->express, 12);
}

static bool bar_is_64(const struct pci_function *f, unsigned n)
{
	return (f->bar[n] & (BAR_IO | BAR_TYPE)) == BAR_64;
}

/* Where a memory BAR begins; 0: it is none, or was given no address. */
static uint64_t bar_address(const struct pci_function *f, unsigned n)
{
	uint64_t address;

	if (n >= PCI_BARS || (f->bar[n] & BAR_IO))
		return 0;
	address = f->bar[n] & ~BAR_MEMORY_FLAGS;
	if (bar_is_64(f, n))
		address |= n + 1 < PCI_BARS ? (uint64_t)f->bar[n + 1] << 32 : 0;
	return address;
}

static void find_table(struct pci_function *f)
{
	uint32_t where = read_at(f, f->msix + MSIX_TABLE, 4);
	uint64_t bar = bar_address(f, where & MSIX_BIR);
	uint64_t size = ((read_at(f, f->msix + MSIX_CONTROL, 2) & MSIX_SIZE) + 1) * ENTRY_SIZE;

	if (bar != 0 && bar <= UINT64_MAX - UINT32_MAX - size)
		f->table = (struct span){ bar + (where & ~MSIX_BIR), size };
}

err_t pci_find(const struct pci_bus *bus, void *context, uint16_t bdf, struct pci_function *f)
{
	uint32_t vendor;
	unsigned i;

	*f = (struct pci_function){ .bus = bus, .context = context, .bdf = bdf };
	vendor = read_at(f, PCI_VENDOR, 2);
	if (vendor == 0xffff || vendor == 0)
		return ERR_NOT_FOUND;
	if ((read_at(f, PCI_HEADER_TYPE, 1) & HEADER_LAYOUT) != 0)
		return ERR_UNSUPPORTED;
	TRY(find_capabilities(f));
	if (!capabilities_are_apart(f))
		return ERR_INVALID;
	for (i = 0; i < PCI_BARS; i++)
		f->bar[i] = f->bar_seen[i] = read_at(f, PCI_BAR + 4 * i, 4);
	if (f->msix)
		find_table(f);
	if (f->express)
		f->resets = (read_at(f, f->express + EXPRESS_CAPABILITIES, 4) & EXPRESS_CAN_RESET) != 0;
	return OK;
}

static uint32_t merge(uint32_t old, uint32_t value, uint32_t mask)
{
	return (old & ~mask) | (value & mask);
}

/* Those bits of a register that are in `mask`. */
static void modify(const struct pci_function *f, unsigned offset, unsigned size,
		   uint32_t mask, uint32_t value)
{
	write_at(f, offset, size, merge(read_at(f, offset, size), value, mask));
}

void pci_quiesce(const struct pci_function *f)
{
	/* the command register alone: 1s written to the status behind it would clear it */
	modify(f, PCI_COMMAND, 2, COMMAND_CELL | COMMAND_NO_INTX, COMMAND_NO_INTX);
	modify(f, PCI_ROM, 4, ROM_ENABLE, 0);
	if (f->msi)
		modify(f, f->msi + MSI_CONTROL, 2, MSI_ENABLE, 0);
	if (f->msix)
		modify(f, f->msix + MSIX_CONTROL, 2, MSIX_ENABLE, 0);
}

static void restore_bars(const struct pci_function *f)
{
	unsigned i;

	for (i = 0; i < PCI_BARS; i++)
		write_at(f, PCI_BAR + 4 * i, 4, f->bar[i]);
}

static void size_bars(struct pci_function *f)
{
	bool upper = false;
	unsigned i;

	for (i = 0; i < PCI_BARS; i++) {
		uint32_t flags = upper ? 0 : f->bar[i] & BAR_IO ? BAR_IO_FLAGS : BAR_MEMORY_FLAGS;

		write_at(f, PCI_BAR + 4 * i, 4, UINT32_MAX);
		f->bar_bits[i] = read_at(f, PCI_BAR + 4 * i, 4) & ~flags;
		upper = !upper && bar_is_64(f, i);
	}
	restore_bars(f);
}

void pci_forget(struct pci_function *f)
{
	unsigned i;

	for (i = 0; i < PCI_BARS; i++)
		f->bar_seen[i] = f->bar[i];
	f->message_address = 0;
	f->message_data = 0;
	f->message_control = 0;
	f->cleaned = false;
}

void pci_take(struct pci_function *f)
{
	pci_quiesce(f);
	size_bars(f);
	pci_forget(f);
}

bool pci_reset(const struct pci_function *f)
{
	if (!f->resets)
		return false;
	modify(f, f->express + EXPRESS_CONTROL, 2, EXPRESS_RESET, EXPRESS_RESET);
	return true;
}

void pci_give_back(const struct pci_function *f)
{
	pci_quiesce(f);
	restore_bars(f);
}

bool pci_access_is_plain(unsigned offset, unsigned size)
{
	return (size == 1 || size == 2 || size == 4) && offset % size == 0 && offset < PCI_SPACE_EXTENDED;
}

static unsigned msi_data_offset(const struct pci_function *f)
{
	return read_at(f, f->msi + MSI_CONTROL, 2) & MSI_64 ? 12 : 8;
}

/* One doubleword as the cell sees it. */
static uint32_t view(const struct pci_function *f, unsigned at)
{
	uint32_t value = read_at(f, at, 4);

	if (at >= PCI_BAR && at < PCI_BAR + 4 * PCI_BARS)
		return f->bar_seen[(at - PCI_BAR) / 4];
	if (at == PCI_ROM)
		return 0;
	if (!f->msi || at < f->msi)
		return value;
	if (at == f->msi)
		return (value & ~((MSI_ENABLE | MSI_COUNT) << 16)) | (uint32_t)f->message_control << 16;
	if (at == f->msi + MSI_ADDRESS)
		return (uint32_t)f->message_address;
	if (at == f->msi + msi_data_offset(f))
		return (value & 0xffff0000u) | f->message_data;
	if (at == f->msi + MSI_ADDRESS_HIGH)
		return (uint32_t)(f->message_address >> 32);
	return value;
}

uint32_t pci_read(const struct pci_function *f, unsigned offset, unsigned size)
{
	return (view(f, offset & ~3u) >> 8 * (offset & 3)) & (uint32_t)BITS(8 * size - 1, 0);
}

/* A message's address with the physical id of one of the cell's CPUs; 0: it means none of them. */
static uint32_t permit_address(const struct pci_function *f, uint64_t address)
{
	uint32_t id;

	if ((address & ~(uint64_t)UINT32_MAX) != 0 || (address & MESSAGE_PLAIN) != MESSAGE_BASE ||
	    (address & MESSAGE_REST) != 0)
		return 0;
	if (!f->bus->target(f->context, (uint32_t)FIELD_GET(MESSAGE_ID, address), (address & MESSAGE_LOGICAL) != 0, &id))
		return 0;
	return id < ID_BROADCAST ? MESSAGE_BASE | (uint32_t)FIELD_PUT(MESSAGE_ID, id) : 0;
}

/* Its data, of the first of `count` messages; 0: no interrupt a cell may have. */
static uint32_t permit_data(uint32_t data, unsigned count)
{
	uint32_t vector = data & MESSAGE_VECTOR & ~(count - 1);

	return FIELD_GET(MESSAGE_MODE, data) <= MODE_LOWEST && vector >= VECTOR_MIN ? vector : 0;
}

/* Puts into the function what the cell wrote, as far as it may. */
static bool update_msi(const struct pci_function *f)
{
	bool wanted = (f->message_control & MSI_ENABLE) != 0;
	unsigned count = 1u << FIELD_GET(MSI_COUNT, f->message_control);
	uint32_t address = permit_address(f, f->message_address);
	uint32_t data = count <= 32 ? permit_data(f->message_data, count) : 0;
	uint32_t control = read_at(f, f->msi + MSI_CONTROL, 2) & ~(MSI_ENABLE | MSI_COUNT);

	if (!wanted || address == 0 || data == 0) {
		write_at(f, f->msi + MSI_CONTROL, 2, control);
		return !wanted;
	}
	write_at(f, f->msi + MSI_ADDRESS, 4, address);
	if (control & MSI_64)
		write_at(f, f->msi + MSI_ADDRESS_HIGH, 4, 0);
	write_at(f, f->msi + msi_data_offset(f), 2, data);
	write_at(f, f->msi + MSI_CONTROL, 2, control | f->message_control);
	return true;
}

/* A doubleword of the capability, `mask` the bytes that are written. */
static bool write_msi(struct pci_function *f, unsigned offset, uint32_t value,
		      uint32_t mask)
{
	unsigned data = msi_data_offset(f);

	if (offset == 0) {
		f->message_control = (uint16_t)merge(f->message_control, value >> 16,
						     mask >> 16 & (MSI_ENABLE | MSI_COUNT));
	} else if (offset == MSI_ADDRESS) {
		f->message_address = (f->message_address & ~(uint64_t)UINT32_MAX) |
				     merge((uint32_t)f->message_address, value, mask & ~3u);
	} else if (offset == data) {
		f->message_data = (uint16_t)merge(f->message_data, value, mask & 0xffff);
	} else if (offset == MSI_ADDRESS_HIGH) {
		f->message_address = (f->message_address & UINT32_MAX) |
				     (uint64_t)merge((uint32_t)(f->message_address >> 32), value, mask) << 32;
	} else if (offset == data + 4) {
		/* which messages are masked, where there are such bits: msi_size() */
		modify(f, f->msi + offset, 4, mask, value);
		return true;
	} else {
		return true;
	}
	return update_msi(f);
}

static bool table_is_reachable(const struct pci_function *f)
{
	return f->table.size != 0 && (read_at(f, PCI_COMMAND, 2) & COMMAND_MEMORY);
}

/* Masks all entries, and forgets what an earlier owner had in them. */
static void clean_table(struct pci_function *f)
{
	uint64_t at, end = f->table.start + f->table.size;

	if (f->cleaned)
		return;
	for (at = f->table.start; at < end; at += ENTRY_SIZE) {
		f->bus->store(f->context, at + ENTRY_CONTROL, ENTRY_MASKED);
		f->bus->store(f->context, at + ENTRY_ADDRESS, 0);
		f->bus->store(f->context, at + ENTRY_ADDRESS_HIGH, 0);
		f->bus->store(f->context, at + ENTRY_DATA, 0);
	}
	f->cleaned = true;
}

static bool write_msix(struct pci_function *f, uint32_t value, uint32_t mask)
{
	uint32_t old = read_at(f, f->msix + MSIX_CONTROL, 2);
	uint32_t new = merge(old, value >> 16, mask >> 16 & (MSIX_ENABLE | MSIX_MASK_ALL));
	bool refused = (new & MSIX_ENABLE) && !(old & MSIX_ENABLE) && !table_is_reachable(f);

	if (refused)
		new &= ~MSIX_ENABLE;
	else if (new & MSIX_ENABLE)
		clean_table(f);
	write_at(f, f->msix + MSIX_CONTROL, 2, new);
	return !refused;
}

static void write_command(const struct pci_function *f, uint32_t value, uint32_t mask)
{
	uint32_t old = read_at(f, PCI_COMMAND, 2);
	uint32_t new = merge(old, value, mask & COMMAND_CELL) | COMMAND_NO_INTX;

	/* a reset, or a power state it came back from, made it forget them */
	if (new & ~old & COMMAND_DECODE)
		restore_bars(f);
	write_at(f, PCI_COMMAND, 2, new);
}

static void write_bar(struct pci_function *f, unsigned n, uint32_t value, uint32_t mask)
{
	f->bar_seen[n] = merge(f->bar_seen[n], value, mask & f->bar_bits[n]);
}

bool pci_write(struct pci_function *f, unsigned offset, unsigned size, uint32_t value)
{
	unsigned at = offset & ~3u, shift = 8 * (offset & 3);
	uint32_t mask = (uint32_t)BITS(8 * size - 1, 0) << shift;

	value <<= shift;
	if (at == PCI_COMMAND)
		write_command(f, value, mask);
	else if (at == PCI_CACHE_LINE)
		modify(f, at, 2, mask & 0xffff, value);
	else if (at >= PCI_BAR && at < PCI_BAR + 4 * PCI_BARS)
		write_bar(f, (at - PCI_BAR) / 4, value, mask);
	else if (at == PCI_INTERRUPT_LINE)
		modify(f, at, 1, mask & 0xff, value);
	else if (f->power && at == f->power + POWER_STATUS)
		modify(f, at, 2, (mask & POWER_STATE) | POWER_EVENT, value & POWER_STATE);
	else if (f->msix && at == f->msix)
		return write_msix(f, value, mask);
	else if (f->msi && at >= f->msi && at < f->msi + msi_size(f))
		return write_msi(f, at - f->msi, value, mask);
	return true;
}

uint32_t pci_table_read(struct pci_function *f, uint64_t at)
{
	if (table_is_reachable(f))
		clean_table(f);
	return f->bus->load(f->context, at);
}

/* Only what may be sent becomes unmasked. */
static bool entry_is_permitted(const struct pci_function *f, uint64_t entry)
{
	uint64_t address = (uint64_t)f->bus->load(f->context, entry + ENTRY_ADDRESS_HIGH) << 32 |
			   f->bus->load(f->context, entry + ENTRY_ADDRESS);

	return address != 0 && permit_address(f, address) == address &&
	       permit_data(f->bus->load(f->context, entry + ENTRY_DATA), 1) != 0;
}

bool pci_table_write(struct pci_function *f, uint64_t at, uint32_t value)
{
	unsigned field = (unsigned)(at - f->table.start) % ENTRY_SIZE;
	uint64_t entry = at - field;
	uint32_t permitted = 0;
	bool fine;

	if (!table_is_reachable(f))
		return true;
	clean_table(f);
	if (field == ENTRY_CONTROL) {
		fine = (value & ENTRY_MASKED) || entry_is_permitted(f, entry);
		f->bus->store(f->context, at, fine ? value & ENTRY_MASKED : ENTRY_MASKED);
		return fine;
	}
	if (field == ENTRY_ADDRESS)
		permitted = permit_address(f, value);
	else if (field == ENTRY_DATA)
		permitted = permit_data(value, 1);
	fine = permitted != 0 || (field == ENTRY_ADDRESS_HIGH && value == 0);
	if (!fine)
		f->bus->store(f->context, entry + ENTRY_CONTROL, ENTRY_MASKED);
	f->bus->store(f->context, at, permitted);
	return fine;
}
