// SPDX-License-Identifier: GPL-2.0-only
/* The architecture's part of a cell: what of the machine besides memory and CPUs is its own. */
#include "arch/cpu.h"
#include "core/cell.h"
#include "core/fault.h"
#include "x86.h"

/* Lines on the log about what a cell was refused, until it ends. */
#define REFUSALS_TOLD 16u

bool cell_may_tell(const struct cell *cell)
{
	return __atomic_fetch_add(&cell->arch->refusals, 1, __ATOMIC_RELAXED) < REFUSALS_TOLD;
}

void cell_refused(struct cpu *self, const char *what, uint64_t number)
{
	if (cell_may_tell(self->cell))
		fault_say(self, false, "%s 0x%llx at PC 0x%llx", what, (unsigned long long)number,
			  (unsigned long long)arch_guest_pc());
}

static void own_configured_lines(struct cell *cell)
{
	const struct config *config = &cell->config;
	uint32_t i, n;

	for (i = 0; i < config->cell->irq_count; i++)
		for (n = 0; n < config->irq[i].count; n++)
			bit_set(cell->arch->lines, config->irq[i].first + n);
}

/* What can fail, in the order in which release() finds it. */
static err_t build(struct cell *cell, struct why *why)
{
	const struct mapping apic = { APIC_PAGE, hpa(APIC_PAGE), PAGE_SIZE, MAP_READ | MAP_DEVICE };

	cell->arch->remapped = !cell_is_root(cell) && ioapic_remapped();
	if (cell->arch->remapped && cell->config.cell->irq_count != 0)
		return why_set(why, ERR_UNSUPPORTED,
			       "interrupts: Linux remaps them, where lines go is its tables' to say: boot it with intremap=off, or give the cell none");
	TRY(machine.virt->cell_init(cell));
	/* of the page in xAPIC mode: reads are the hardware's, writes come to apic_mmio() */
	TRY(space_map(&cell->space, &apic));
	return pci_cell_init(cell, why);
}

err_t arch_cell_init(struct cell *cell, struct why *why)
{
	void *page;
	err_t e;

	static_assert(sizeof(struct arch_cell) <= PAGE_SIZE, "one page");
	TRY(pool_take(&cell->sys->pool, 1, 1, &page));
	cell->arch = page;
	e = build(cell, why);
	if (e != OK) {
		arch_cell_exit(cell);
		return e;
	}
	if (cell_is_root(cell))
		own_configured_lines(cell);
	msr_cell_init(cell);
	pio_cell_init(cell);
	return OK;
}

void arch_cell_exit(struct cell *cell)
{
	pci_cell_exit(cell);
	if (cell->arch->virt != NULL)
		machine.virt->cell_exit(cell);
	pool_give(&cell->sys->pool, cell->arch, 1);
	cell->arch = NULL;
}

void arch_cell_comm(const struct cell *cell, struct abi_comm *comm)
{
	const struct abi_platform_x86_64 *platform = &cell->sys->config.system->platform.x86_64;
	struct abi_comm_x86 *x86 = &comm->arch.x86;
	struct cpu *cpu;

	comm->pci_mmconfig_base = platform->mmconfig.size != 0 ? platform->mmconfig.start : 0;
	x86->pm_timer_address = platform->pm_timer;
	x86->num_cpus = 0;
	for_each_cell_cpu(cpu, cell)
		x86->num_cpus++;
	x86->tsc_khz = (uint32_t)(arch_ticks_per_second() / 1000);
	x86->apic_khz = machine.apic_khz;
}

void arch_cell_cpu_moved(struct cell *from, const struct cpu *cpu)
{
	(void)from;
	(void)cpu;
	ioapic_cpu_moved();
}

void arch_cell_lines_move(struct cell *from, struct cell *to, struct abi_irq lines)
{
	ioapic_lines_move(from, to, lines);
}

void arch_cell_lines_reset(struct cell *cell)
{
	ioapic_lines_reset(cell);
	pci_cell_reset(cell);
	vuart_reset(cell);
}

void arch_cell_attach(struct cell *cell)
{
	pio_give(cell, false);
	pci_cell_attach(cell);
}

bool arch_cell_quiesce(struct cell *cell)
{
	return pci_cell_quiesce(cell);
}

void arch_cell_detach(struct cell *cell)
{
	pci_cell_detach(cell);
	pio_give(cell, true);
}
