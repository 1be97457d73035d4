// SPDX-License-Identifier: GPL-2.0-only
/* I/O ports that are not the guest's directly. */
#include "base/fmt.h"
#include "core/budget.h"
#include "core/cell.h"
#include "asm.h"
#include "x86.h"

#define PORTS 0x10000u

/* Mechanism #1 (PCI Local Bus 3.0, 3.2.2.3): 4 bytes of address, 4 of data */
#define PCI_ADDRESS 0xcf8
#define PCI_DATA 0xcfc
#define PCI_END 0xd00

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

static uint64_t distance(struct span s, uint64_t port)
{
	if (span_has(s, port))
		return 0;
	return port < s.start ? s.start - port : port - span_last(s);
}

static void describe_nearest(const struct config *config, uint16_t port, char *text, size_t size)
{
	const struct abi_pio *best = NULL;
	uint32_t i;

	text[0] = '\0';
	for (i = 0; i < config->cell->pio_count; i++)
		if (best == NULL || distance(pio_span(&config->pio[i]), port) < distance(pio_span(best), port))
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
	log_print(&self->sys->log, "%s \"%s\": CPU %u: %s port 0x%x at PC 0x%llx%s\n",
		  root ? "refused to root cell" : "FAILED cell", self->cell->config.cell->name, self->id, what, port,
		  (unsigned long long)arch_guest_pc(), nearest);
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
	if (access->write && access->size == 1)
		out8(access->port, (uint8_t)access->value);
	else if (access->write)
		out16(access->port, (uint16_t)access->value);
	else
		access->value = access->size == 1 ? in8(access->port) : in16(access->port);
	return OUT_NEXT;
}

enum outcome exit_pio(struct cpu *self, struct pio_access *access)
{
	uint32_t end = (uint32_t)access->port + access->size;

	exit_counted(self, ABI_STAT_X86_PIO, access->port);
	if (access->port < PCI_ADDRESS || end > PCI_END)
		return refuse(self, access);
	if (access->port < PCI_DATA && access->size != 4)
		return end > PCI_DATA ? refuse(self, access) : chipset(self, access);
	if (access->port != PCI_ADDRESS && access->port < PCI_DATA)
		return refuse(self, access);
	pci_pio(self, access);
	return OUT_NEXT;
}

enum outcome exit_pio_string(struct cpu *self, uint16_t port)
{
	exit_counted(self, ABI_STAT_X86_PIO, port);
	report(self, port, "string instruction on");
	if (!cell_is_root(self->cell))
		cell_fail(self);
	return OUT_GP;
}
