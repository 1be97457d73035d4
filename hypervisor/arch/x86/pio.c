// SPDX-License-Identifier: GPL-2.0-only
/* I/O ports that are not the guest's directly. */
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

uint32_t port_in(uint16_t port, unsigned size)
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

void port_out(uint16_t port, unsigned size, uint32_t value)
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

void pio_cell_init(struct cell *cell)
{
	const struct config *config = &cell->config;
	uint32_t i, port;

	if (cell_is_root(cell)) {
		for (port = 0; port < PORTS; port++)
			machine.virt->cell_port(cell, (uint16_t)port, port < PCI_ADDRESS || port >= PCI_END);
		return;
	}
	for (i = 0; i < config->cell->pio_count; i++)
		for (port = 0; port < config->pio[i].count; port++)
			machine.virt->cell_port(cell, (uint16_t)(config->pio[i].first + port), true);
}

void pio_give(const struct cell *cell, bool to_root)
{
	const struct config *config = &cell->config;
	uint32_t i, port;

	for (i = 0; i < config->cell->pio_count; i++)
		for (port = 0; port < config->pio[i].count; port++)
			machine.virt->cell_port(cell->sys->root, (uint16_t)(config->pio[i].first + port), to_root);
}

static void describe_nearest(const struct config *config, uint16_t port, char *text, size_t size)
{
	const struct abi_pio *best = NULL;
	uint32_t i;

	text[0] = '\0';
	for (i = 0; i < config->cell->pio_count; i++)
		if (best == NULL || fault_distance(pio_span(&config->pio[i]), port) < fault_distance(pio_span(best), port))
			best = &config->pio[i];
	if (best != NULL)
		fmt(text, size, "; nearest of its ports are 0x%x..0x%x", best->first, best->first + best->count - 1);
}

static void report(const struct cpu *self, uint16_t port, const char *what)
{
	bool root = cell_is_root(self->cell);
	char nearest[64] = "";

	if (root && !cell_may_tell(self->cell))
		return;
	if (!root)
		describe_nearest(&self->cell->config, port, nearest, sizeof(nearest));
	fault_say(self, true, "%s port 0x%x at PC 0x%llx%s", what, port, (unsigned long long)arch_guest_pc(), nearest);
}

static enum outcome refuse(struct cpu *self, struct pio_access *access)
{
	report(self, access->port, access->write ? "write to" : "read of");
	if (!cell_is_root(self->cell))
		cell_fail(self);
	access->value = UINT32_MAX;
	return OUT_NEXT;
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

enum outcome exit_pio(struct cpu *self, struct pio_access *access)
{
	uint32_t end = (uint32_t)access->port + access->size;
	bool data = access->port >= PCI_DATA && end <= PCI_END;

	exit_counted(self, ABI_STAT_X86_PIO, access->port);
	if (data || (access->port == PCI_ADDRESS && access->size == 4)) {
		pci_pio(self, access);
		return OUT_NEXT;
	}
	if (access->port >= PCI_ADDRESS && end <= PCI_DATA && access->size != 4)
		return chipset(self, access);
	return vuart_access(self, access) ? OUT_NEXT : refuse(self, access);
}

enum outcome exit_pio_string(struct cpu *self, uint16_t port)
{
	exit_counted(self, ABI_STAT_X86_PIO, port);
	report(self, port, "string instruction on");
	if (!cell_is_root(self->cell))
		cell_fail(self);
	return OUT_GP;
}
