// SPDX-License-Identifier: GPL-2.0-only
/* The machine's IOAPICs, each shared by all cells as pure/ioapic.h says. */
#include "pure/ioapic.h"
#include "x86.h"

static uint32_t bus_read(void *context, uint8_t number)
{
	uint8_t *registers = context;

	*(volatile uint32_t *)(void *)(registers + IOAPIC_SELECT) = number;
	return *(volatile uint32_t *)(void *)(registers + IOAPIC_WINDOW);
}

static void bus_write(void *context, uint8_t number, uint32_t value)
{
	uint8_t *registers = context;

	*(volatile uint32_t *)(void *)(registers + IOAPIC_SELECT) = number;
	*(volatile uint32_t *)(void *)(registers + IOAPIC_WINDOW) = value;
}

static struct ioapic_bus bus_of(const struct ioapic *ioapic)
{
	return (struct ioapic_bus){ ioapic->registers, bus_read, bus_write };
}

static bool owns(const struct cell *cell, uint32_t line)
{
	return line < IOAPIC_LINES && bit_test(cell->arch->lines, line);
}

static bool cpu_owns(void *context, uint32_t line)
{
	const struct cpu *cpu = context;

	return owns(cpu->cell, line);
}

static bool cpu_find_meant(void *context, uint32_t destination, bool logical, uint32_t *id)
{
	const struct cpu *self = context;
	struct cpu *cpu;

	for_each_cell_cpu(cpu, self->cell)
		if (apic_is_meant(&cpu->arch->apic, destination, logical, UINT32_MAX)) {
			*id = cpu->arch->apic.id;
			return true;
		}
	return false;
}

static void cpu_refused(void *context, uint32_t line, uint64_t entry)
{
	const struct cpu *self = context;

	if (cell_may_tell(self->cell))
		log_print(&self->sys->log,
			  "\"%s\": CPU %u: interrupt line %u stays masked: 0x%llx means no CPU of its own, or is no interrupt a cell may have\n",
			  self->cell->config.cell->name, self->id, line, (unsigned long long)entry);
}

static err_t access_of(unsigned number, struct cpu *self, struct mmio_access *access)
{
	struct ioapic *ioapic = &machine.ioapic[number];
	const struct ioapic_bus bus = bus_of(ioapic);
	const struct ioapic_guest guest = { self, self->cell->id, cpu_owns, cpu_find_meant, cpu_refused };
	err_t e;

	lock_take(&machine.ioapic_lock);
	e = ioapic_access(ioapic, &bus, &guest, access);
	lock_drop(&machine.ioapic_lock);
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
		struct ioapic_bus bus;

		ioapic->registers = (uint8_t *)given->address;
		ioapic->first = given->first;
		ioapic->count = given->count;
		bus = bus_of(ioapic);
		pins = (unsigned)FIELD_GET(VERSION_MAX_ENTRY, bus_read(ioapic->registers, IOAPIC_VERSION)) + 1;
		if (pins != given->count || pins > IOAPIC_PINS)
			return why_set(why, ERR_INVALID,
				       "ioapics[%u]: %u pins, but the one at 0x%llx has %u: write that into machine.toml",
				       i, given->count, (unsigned long long)given->address, pins);
		for (pin = 0; pin < pins; pin++)
			ioapic->wanted[pin] = ioapic_read_entry(&bus, pin);
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
			remapped |= (ioapic->wanted[pin] & ENTRY_REMAPPABLE) != 0 &&
				    owns(machine.sys.root, ioapic->first + pin);
	lock_drop(&machine.ioapic_lock);
	return remapped;
}

/* Caller holds ioapic_lock. */
static void silence(uint32_t line)
{
	struct ioapic *ioapic;

	for (ioapic = machine.ioapic; ioapic < machine.ioapic + ABI_IOAPICS; ioapic++) {
		const struct ioapic_bus bus = bus_of(ioapic);

		if (line - ioapic->first < ioapic->count)
			ioapic_silence(ioapic, &bus, line - ioapic->first);
	}
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
