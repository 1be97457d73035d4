// SPDX-License-Identifier: GPL-2.0-only
#include "arch/cpu.h"
#include "base/bug.h"
#include "base/fmt.h"
#include "core/budget.h"
#include "core/cell.h"

static bool unlimited(const struct cell *cell)
{
	return cell_is_root(cell) || cell->config.cell->exits == ABI_EXITS_ANY;
}

/* Of a counter that may wrap between the two. */
static bool is_before(uint64_t now, uint64_t then)
{
	return (int64_t)(now - then) < 0;
}

void budget_start(struct cpu *self)
{
	const struct abi_cell *config = self->cell->config.cell;
	struct budget *budget = &self->budget;

	*budget = (struct budget){ .left = INT64_MAX };
	if (unlimited(self->cell))
		return;
	/* no second has begun: the first exit is judged, and begins one */
	budget->left = 0;
	budget->settled = arch_now() + arch_ticks_per_second() * config->settle_ms / 1000;
	budget->second_ends = budget->settled;
}

/* Is an exit more permitted? `left` is then what is left behind it. */
static bool permitted(struct cpu *self)
{
	struct budget *budget = &self->budget;
	uint64_t now = arch_now();

	budget->left = 0;
	/*
	 * Pairs with the release in cpu_stop(): whoever finds its memory revoked was told to
	 * stop before. Others did that, and this exit is the CPU's last.
	 */
	if (__atomic_load_n(&self->stop, __ATOMIC_ACQUIRE))
		return true;
	if (is_before(now, budget->settled))
		return true;
	if (self->cell->config.cell->exits == 0 || is_before(now, budget->second_ends))
		return false;
	budget->left = (int64_t)self->cell->config.cell->exits - 1;
	budget->second_ends = now + arch_ticks_per_second();
	return true;
}

static void report(const struct cpu *self, unsigned reason, uint64_t detail)
{
	const struct abi_cell *config = self->cell->config.cell;
	char contract[32] = "none", what[32] = "";

	if (config->exits != 0)
		fmt(contract, sizeof(contract), "%u a second", config->exits);
	if (detail != 0)
		fmt(what, sizeof(what), " 0x%llx", (unsigned long long)detail);
	log_print(&self->sys->log,
		  "%s \"%s\": CPU %u: exit beyond its contract (%s after %u ms): %s%s at PC 0x%llx\n",
		  config->flags & ABI_CELL_FAIL_ON_VIOLATION ? "FAILED cell" : "cell", config->name, self->id,
		  contract, config->settle_ms, exit_name(reason), what, (unsigned long long)arch_guest_pc());
}

void budget_judge(struct cpu *self, unsigned reason, uint64_t detail)
{
	if (unlimited(self->cell)) {
		self->budget.left = INT64_MAX;
		return;
	}
	if (permitted(self))
		return;
	self->stats[ABI_STAT_OVER_BUDGET]++;
	if (!self->budget.reported)
		report(self, reason, detail);
	self->budget.reported = true;
	if (self->cell->config.cell->flags & ABI_CELL_FAIL_ON_VIOLATION)
		cell_fail(self);
}

__attribute__((noinline)) void exit_counted(struct cpu *self, unsigned reason, uint64_t detail)
{
	exit_count(self, reason, detail);
}

const char *exit_name(unsigned reason)
{
	static const char *const names[ABI_STAT_ARCH] = {
		[ABI_STAT_TOTAL] = "total",
		[ABI_STAT_MMIO] = "mmio",
		[ABI_STAT_MANAGEMENT] = "management",
		[ABI_STAT_HYPERCALL] = "hypercall",
	};
	const char *name = reason < ABI_STAT_ARCH ? names[reason] : arch_exit_name(reason);

	BUG_ON(name == NULL);
	return name;
}
