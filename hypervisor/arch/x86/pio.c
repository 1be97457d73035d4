// SPDX-License-Identifier: GPL-2.0-only
/* I/O ports that are not the guest's directly. */
#include "abi/power.h"
#include "base/fmt.h"
#include "core/budget.h"
#include "core/cell.h"
#include "core/fault.h"
#include "asm.h"
#include "x86.h"

#define PORTS 0x10000u

/* Mechanism #1 (PCI Local Bus 3.0, 3.2.2.3): 4 bytes of address, 4 of data */
#define PCI_ADDRESS 0xcf8
#define PCI_DATA 0xcfc
#define PCI_END 0xd00

__attribute__((noinline)) uint32_t port_in(uint16_t port, unsigned size)
{
	uint32_t value = 0;

	if (size == 1)
		__asm__ volatile("inb %1, %b0" : "+a"(value) : "Nd"(port));
	else if (size == 2)
		__asm__ volatile("inw %1, %w0" : "+a"(value) : "Nd"(port));
	else
		__asm__ volatile("inl %1, %0" : "+a"(value) : "Nd"(port));
	return value;
}

__attribute__((noinline)) void port_out(uint16_t port, unsigned size, uint32_t value)
{
	if (size == 1)
		__asm__ volatile("outb %b0, %1" : : "a"(value), "Nd"(port));
	else if (size == 2)
		__asm__ volatile("outw %w0, %1" : : "a"(value), "Nd"(port));
	else
		__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static struct span pio_span(const struct abi_pio *pio)
{
	return (struct span){ pio->first, pio->count };
}

/* Those in the cell's configuration. */
static void set_ports(struct cell *of, const struct config *config, bool direct)
{
	const struct abi_pio *pio = config->pio, *end = pio + config->cell->pio_count;

	for (; pio < end; pio++)
		machine.virt->cell_ports(of, pio->first, pio->count, direct);
}

void pio_cell_init(struct cell *cell)
{
	if (!cell_is_root(cell)) {
		set_ports(cell, &cell->config, true);
		return;
	}
	machine.virt->cell_ports(cell, 0, PCI_ADDRESS, true);
	machine.virt->cell_ports(cell, PCI_END, PORTS - PCI_END, true);
}

void pio_give(const struct cell *cell, bool to_root)
{
	set_ports(cell->sys->root, &cell->config, to_root);
}

static void describe_nearest(const struct config *config, uint16_t port, char *text, size_t size)
{
	const struct abi_pio *best = NULL, *pio;

	text[0] = '\0';
	for (pio = config->pio; pio < config->pio + config->cell->pio_count; pio++)
		if (best == NULL || fault_distance(pio_span(pio), port) < fault_distance(pio_span(best), port))
			best = pio;
	if (best != NULL)
		fmt(text, size, "; nearest of its ports are 0x%x..0x%x", best->first, best->first + best->count - 1);
}

static _Noreturn void violation(struct cpu *self, const char *what, uint16_t port)
{
	char nearest[64];

	describe_nearest(&self->cell->config, port, nearest, sizeof(nearest));
	fault_say(self, true, "%s 0x%x at PC 0x%llx%s", what, port, (unsigned long long)arch_guest_pc(), nearest);
	cell_fail(self);
}

/* The end of a cell for which what it does not have is not merely absent. */
static enum outcome refuse(struct cpu *self, struct pio_access *access)
{
	const char *what = access->string ? "string instruction on port" : access->write ? "write to port" : "read of port";

	if (!cell_is_root(self->cell) && !(self->cell->config.cell->flags & ABI_CELL_ABSENT_PORTS))
		violation(self, what, access->port);
	cell_refused(self, what, access->port);
	access->value = UINT32_MAX;
	return access->string ? OUT_GP : OUT_NEXT;
}

/* Beside the mechanism's address register lie others, of the chipset: a reset register among them. */
static enum outcome chipset(struct cpu *self, struct pio_access *access)
{
	if (!cell_is_root(self->cell))
		return refuse(self, access);
	if (access->write)
		port_out(access->port, access->size, access->value);
	else
		access->value = port_in(access->port, access->size);
	return OUT_NEXT;
}

/* A cell that was not given the port by its configuration: then it would not come here. */
static enum outcome power(struct cpu *self, struct pio_access *access)
{
	if (access->write && access->value == ABI_POWER_OFF)
		cell_power_off(self);
	if (access->write && access->value == ABI_POWER_RESET)
		cell_reset(self);
	access->value = 0;
	return OUT_NEXT;
}

enum outcome exit_pio(struct cpu *self, struct pio_access *access)
{
	uint32_t end = (uint32_t)access->port + access->size;
	bool data = access->port >= PCI_DATA && end <= PCI_END;

	exit_counted(self, ABI_STAT_X86_PIO, access->port);
	if (access->string)
		return refuse(self, access);
	if (access->port == ABI_POWER_PORT && access->size == 1 && !cell_is_root(self->cell))
		return power(self, access);
	if (data || (access->port == PCI_ADDRESS && access->size == 4)) {
		pci_pio(self, access);
		return OUT_NEXT;
	}
	if (access->port >= PCI_ADDRESS && end <= PCI_DATA && access->size != 4)
		return chipset(self, access);
	return vuart_access(self, access) ? OUT_NEXT : refuse(self, access);
}
