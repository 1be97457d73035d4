// SPDX-License-Identifier: GPL-2.0-only
/* The machine's IOAPICs, each shared by all cells as pure/ioapic.h says. */
#include "pure/ioapic.h"
#include "x86.h"

static volatile uint32_t *select(void *registers, uint8_t number)
{
	volatile uint32_t *at = registers;

	at[IOAPIC_SELECT / 4] = number;
	return &at[IOAPIC_WINDOW / 4];
}

static uint32_t bus_read(void *registers, uint8_t number)
{
	return *select(registers, number);
}

static void bus_write(void *registers, uint8_t number, uint32_t value)
{
	*select(registers, number) = value;
}

static bool owns(const struct cell *cell, uint32_t line)
{
	return line < IOAPIC_LINES && bit_test(cell->arch->lines, line);
}

static bool cell_owns(void *context, uint32_t line)
{
	return owns(context, line);
}

static bool cell_find_meant(void *context, uint32_t destination, bool logical, uint32_t *id)
{
	struct cpu *cpu;

	for_each_cell_cpu(cpu, (const struct cell *)context)
		if (apic_is_meant(&cpu->arch->apic, destination, logical, UINT32_MAX)) {
			*id = cpu->arch->apic.id;
			return true;
		}
	return false;
}

static void tell_refused(const struct cell *cell, const struct ioapic_guest *guest)
{
	if (guest->refused && cell_may_tell(cell))
		log_print(&cell->sys->log,
			  "\"%s\": interrupt line %u stays masked: 0x%llx means no CPU of its own, or is no interrupt a cell may have\n",
			  cell->config.cell->name, guest->line, (unsigned long long)guest->entry);
}

static const struct ioapic_ops ops = { bus_read, bus_write, cell_owns, cell_find_meant };

static err_t access_of(unsigned number, struct cpu *self, struct mmio_access *access)
{
	struct ioapic_guest guest = { .context = self->cell, .cell = self->cell->id };
	err_t e;

	lock_take(&machine.ioapic_lock);
	e = ioapic_access(&machine.ioapic[number], &guest, access);
	lock_drop(&machine.ioapic_lock);
	tell_refused(self->cell, &guest);
	return e;
}

static err_t access_0(struct cpu *self, struct mmio_access *access)
{
	return access_of(0, self, access);
}

static err_t access_1(struct cpu *self, struct mmio_access *access)
{
	return access_of(1, self, access);
}

static err_t access_2(struct cpu *self, struct mmio_access *access)
{
	return access_of(2, self, access);
}

static err_t access_3(struct cpu *self, struct mmio_access *access)
{
	return access_of(3, self, access);
}

err_t (*const ioapic_mmio[ABI_IOAPICS])(struct cpu *, struct mmio_access *) = { access_0, access_1, access_2,
										access_3 };

err_t ioapic_init(struct why *why)
{
	const struct abi_platform_x86_64 *platform = &machine.sys.config.system->platform.x86_64;
	unsigned i, pin, pins;

	for (i = 0; i < ABI_IOAPICS && platform->ioapic[i].address != 0; i++) {
		const struct abi_ioapic *given = &platform->ioapic[i];
		struct ioapic *ioapic = &machine.ioapic[i];

		ioapic->ops = &ops;
		ioapic->registers = (void *)given->address;
		ioapic->first = given->first;
		ioapic->count = given->count;
		pins = (unsigned)FIELD_GET(VERSION_MAX_ENTRY, bus_read(ioapic->registers, IOAPIC_VERSION)) + 1;
		if (pins != given->count || pins > IOAPIC_PINS)
			return why_set(why, ERR_INVALID,
				       "ioapics[%u]: %u pins, but the one at 0x%llx has %u: write that into machine.toml",
				       i, given->count, (unsigned long long)given->address, pins);
		for (pin = 0; pin < pins; pin++)
			ioapic->wanted[pin] = ioapic_read_entry(ioapic, pin);
	}
	return OK;
}

bool ioapic_remapped(void)
{
	bool remapped = percpu_of(0)->arch.apic.x2apic;
	const struct ioapic *ioapic;
	uint32_t pin;

	lock_take(&machine.ioapic_lock);
	for (ioapic = machine.ioapic; ioapic < machine.ioapic + ABI_IOAPICS; ioapic++)
		for (pin = 0; pin < ioapic->count; pin++)
			remapped |= ioapic_is_remapped(ioapic->wanted[pin]) &&
				    owns(machine.sys.root, ioapic->first + pin);
	lock_drop(&machine.ioapic_lock);
	return remapped;
}

void ioapic_cpu_moved(void)
{
	struct cell *root = machine.sys.root;
	struct ioapic_guest guest = { .context = root };
	struct ioapic *ioapic;
	uint32_t pin;

	lock_take(&machine.ioapic_lock);
	for (ioapic = machine.ioapic; ioapic < machine.ioapic + ABI_IOAPICS; ioapic++)
		for (pin = 0; pin < ioapic->count; pin++)
			if (owns(root, ioapic->first + pin))
				ioapic_review(ioapic, &guest, pin);
	lock_drop(&machine.ioapic_lock);
	tell_refused(root, &guest);
}

/* Caller holds ioapic_lock. */
static void silence(uint32_t line)
{
	struct ioapic *ioapic;

	for (ioapic = machine.ioapic; ioapic < machine.ioapic + ABI_IOAPICS; ioapic++)
		if (line - ioapic->first < ioapic->count)
			ioapic_silence(ioapic, line - ioapic->first);
}

void ioapic_lines_move(struct cell *from, struct cell *to, struct abi_irq lines)
{
	uint32_t line;

	lock_take(&machine.ioapic_lock);
	for (line = lines.first; line - lines.first < lines.count; line++) {
		silence(line);
		bit_clear(from->arch->lines, line);
		bit_set(to->arch->lines, line);
	}
	lock_drop(&machine.ioapic_lock);
}

void ioapic_lines_reset(struct cell *cell)
{
	uint32_t line;

	lock_take(&machine.ioapic_lock);
	for (line = 0; line < IOAPIC_LINES; line++)
		if (owns(cell, line))
			silence(line);
	lock_drop(&machine.ioapic_lock);
}
