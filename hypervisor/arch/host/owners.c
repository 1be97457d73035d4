// SPDX-License-Identifier: GPL-2.0-only
/* The architecture's part of a cell: who owns which CPU and line, checked at every move. */
#include "arch/cpu.h"
#include "arch/host/machine.h"
#include "base/bug.h"
#include "base/str.h"
#include "core/cpu.h"

#define LINES 1024u

struct arch_cell {
	bool cpus[CONFIG_MAX_CPUS];
	bool lines[LINES];
	bool attached;
	bool busy;		/* its devices may be at work: it has started since they were quiesced */
	unsigned resets;	/* so often they cannot be given back */
	uint8_t input[8];	/* what was typed last */
};

const uint8_t *host_cell_input(const struct cell *cell)
{
	return cell->arch->input;
}

bool host_cell_has_cpu(const struct cell *cell, unsigned cpu)
{
	return cell->arch->cpus[cpu];
}

bool host_cell_is_busy(const struct cell *cell)
{
	return cell->arch->busy;
}

void host_cell_resets(struct cell *cell, unsigned times)
{
	cell->arch->resets = times;
}

bool host_cell_has_line(const struct cell *cell, unsigned line)
{
	return cell->arch->lines[line];
}

err_t arch_cell_init(struct cell *cell, struct why *why)
{
	void *page;

	(void)why;
	static_assert(sizeof(struct arch_cell) <= PAGE_SIZE, "one page");
	host_enter(NULL, "cell init");
	TRY(pool_take(&cell->sys->pool, 1, 1, &page));
	cell->arch = page;
	if (!cell_is_root(cell))
		return OK;
	for (unsigned i = 0; i < cell->sys->cpu_count; i++)
		cell->arch->cpus[i] = true;
	for (unsigned i = 0; i < cell->config.cell->irq_count; i++)
		for (unsigned n = 0; n < cell->config.irq[i].count; n++)
			cell->arch->lines[cell->config.irq[i].first + n] = true;
	return OK;
}

void arch_cell_exit(struct cell *cell)
{
	host_enter(NULL, "cell exit");
	for (unsigned i = 0; i < CONFIG_MAX_CPUS; i++)
		if (cell->arch->cpus[i])
			host_complain("cell %u ends and has CPU %u", cell->id, i);
	for (unsigned i = 0; i < LINES; i++)
		if (cell->arch->lines[i])
			host_complain("cell %u ends and has line %u", cell->id, i);
	if (cell->arch->attached)
		host_complain("cell %u ends and has what it was given", cell->id);
	pool_give(&cell->sys->pool, cell->arch, 1);
	cell->arch = NULL;
}

/* The model's UART has room for as much as one call can bring. */
long arch_uart_input(struct cell *cell, const uint8_t *bytes, unsigned count)
{
	host_enter(NULL, "uart input");
	if (cell->config.cell->uart.type == ABI_CONSOLE_NONE)
		return -1;
	memcpy(cell->arch->input, bytes, count);
	return count;
}

void arch_cell_comm(const struct cell *cell, struct abi_comm *comm)
{
	host_enter(NULL, "cell comm");
	comm->arch.arm64.gic_version = (uint8_t)cell->id;
}

void arch_cell_cpu_moved(struct cell *from, const struct cpu *cpu)
{
	host_enter(NULL, "cell cpu");
	if (!from->arch->cpus[cpu->id] || cpu->cell == from)
		host_complain("CPU %u did not move from cell %u", cpu->id, from->id);
	if (cpu->state == CPU_IN_GUEST || cpu->state == CPU_STARTING)
		host_complain("CPU %u moved and was not parked", cpu->id);
	from->arch->cpus[cpu->id] = false;
	cpu->cell->arch->cpus[cpu->id] = true;
}

void arch_cell_lines_move(struct cell *from, struct cell *to, struct abi_irq lines)
{
	host_enter(NULL, "cell lines");
	for (unsigned i = lines.first; i < lines.first + lines.count; i++) {
		if (!from->arch->lines[i] || to->arch->lines[i])
			host_complain("line %u did not move from cell %u to cell %u", i, from->id, to->id);
		from->arch->lines[i] = false;
		to->arch->lines[i] = true;
	}
}

void arch_cell_lines_reset(struct cell *cell)
{
	struct cpu *cpu;

	host_enter(NULL, "cell lines reset");
	if (!cell->arch->attached)
		host_complain("cell %u starts anew without what it was to be given", cell->id);
	cell->arch->busy = true;
	for_each_cell_cpu(cpu, cell)
		if (cpu->state == CPU_IN_GUEST)
			host_complain("cell %u starts anew and CPU %u is in it", cell->id, cpu->id);
	for (unsigned n = 0; n < cell->config.cell->irq_count; n++)
		for (unsigned i = 0; i < cell->config.irq[n].count; i++)
			if (!cell->arch->lines[cell->config.irq[n].first + i])
				host_complain("line %u is not cell %u's", cell->config.irq[n].first + i, cell->id);
}

/* All that the configuration names is the cell's, and nothing of it runs. */
static void check_whole(const struct cell *cell, const char *what)
{
	struct cpu *cpu;

	if (cell_is_root(cell))
		host_complain("the root cell is to %s", what);
	for (unsigned i = 0; i < cell->sys->cpu_count; i++)
		if (cell_config_has_cpu(cell, i) && !cell->arch->cpus[i])
			host_complain("cell %u is to %s and CPU %u is not its own", cell->id, what, i);
	for_each_cell_cpu(cpu, cell)
		if (cpu->state == CPU_IN_GUEST || cpu->state == CPU_STARTING)
			host_complain("cell %u is to %s and CPU %u is not parked", cell->id, what, cpu->id);
	for (unsigned n = 0; n < cell->config.cell->irq_count; n++)
		for (unsigned i = 0; i < cell->config.irq[n].count; i++)
			if (!cell->arch->lines[cell->config.irq[n].first + i])
				host_complain("cell %u is to %s without line %u", cell->id, what,
					      cell->config.irq[n].first + i);
}

void arch_cell_attach(struct cell *cell)
{
	host_enter(NULL, "cell attach");
	check_whole(cell, "attach");
	if (cell->arch->attached)
		host_complain("cell %u attaches twice", cell->id);
	cell->arch->attached = true;
}

void arch_cell_detach(struct cell *cell)
{
	host_enter(NULL, "cell detach");
	check_whole(cell, "detach");
	if (!cell->arch->attached)
		host_complain("cell %u detaches what it does not have", cell->id);
	if (cell->arch->busy)
		host_complain("cell %u detaches devices that are at work", cell->id);
	cell->arch->attached = false;
}

bool arch_cell_quiesce(struct cell *cell)
{
	host_enter(NULL, "cell quiesce");
	if (cell_is_root(cell))
		host_complain("the root cell's devices are to be quiet");
	cell->arch->busy = false;
	if (cell->arch->resets == 0)
		return true;
	cell->arch->resets--;
	return false;
}
