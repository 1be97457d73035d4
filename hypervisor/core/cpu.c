// SPDX-License-Identifier: GPL-2.0-only
#include "base/bug.h"
#include "core/budget.h"
#include "core/cpu.h"
#include "core/scrub.h"

struct cpu *cell_cpu_from(const struct cell *cell, unsigned n)
{
	const struct system *sys = cell->sys;

	for (; n < sys->cpu_count; n++)
		if (__atomic_load_n(&sys->cpus[n]->cell, __ATOMIC_RELAXED) == cell)
			return sys->cpus[n];
	return NULL;
}

struct cpu *cpu_find(struct cell *cell, uint64_t hwid)
{
	struct cpu *cpu;

	for_each_cell_cpu(cpu, cell)
		if (cpu->hwid == hwid)
			return cpu;
	return NULL;
}

enum cpu_state cpu_get_state(struct cpu *cpu)
{
	enum cpu_state state;

	lock_take(&cpu->lock);
	state = cpu->state;
	lock_drop(&cpu->lock);
	return state;
}

err_t cpu_start(const struct cell *cell, struct cpu *cpu, const struct vcpu_start *start)
{
	err_t e = OK;

	lock_take(&cpu->lock);
	if (cpu->cell != cell)
		e = ERR_NOT_FOUND;
	else if (cpu->state == CPU_STARTING)
		e = ERR_AGAIN;
	else if (cpu->state != CPU_PARKED)
		e = ERR_BUSY;
	if (e == OK) {
		cpu->start = *start;
		cpu->state = CPU_STARTING;
	}
	lock_drop(&cpu->lock);
	if (e == OK)
		arch_cpu_kick(cpu);
	return e;
}

static bool tell(const struct cell *cell, struct cpu *cpu, bool *flag, bool recall)
{
	bool in_guest;

	lock_take(&cpu->lock);
	in_guest = cpu->cell == cell && cpu->state == CPU_IN_GUEST;
	if (in_guest)
		__atomic_store_n(flag, true, __ATOMIC_SEQ_CST);
	else if (recall && cpu->cell == cell && cpu->state == CPU_STARTING)
		cpu->state = CPU_PARKED;
	lock_drop(&cpu->lock);
	return in_guest;
}

bool cpu_tell(const struct cell *cell, struct cpu *cpu, bool *flag)
{
	return tell(cell, cpu, flag, false);
}

bool cpu_recall(const struct cell *cell, struct cpu *cpu, bool *flag)
{
	return tell(cell, cpu, flag, true);
}

void cpu_stop(struct cpu *cpu)
{
	/* pairs with the acquires in cpu_check_stop() and permitted() */
	__atomic_store_n(&cpu->stop, true, __ATOMIC_RELEASE);
}

/* Was it told to start, and not to stop since? */
static bool take_start(struct cpu *self, struct vcpu_start *start)
{
	bool taken = false;

	lock_take(&self->lock);
	if (self->state == CPU_STARTING) {
		taken = !__atomic_load_n(&self->stop, __ATOMIC_ACQUIRE);
		self->state = taken ? CPU_IN_GUEST : CPU_PARKED;
		*start = self->start;
	}
	lock_drop(&self->lock);
	return taken;
}

_Noreturn void cpu_run(struct cpu *self)
{
	struct vcpu_start start;

	for (;;) {
		if (__atomic_load_n(&self->leave, __ATOMIC_ACQUIRE))
			arch_cpu_power_off(self);
		if (take_start(self, &start)) {
			if (start.clean)
				scrub_clean(self);
			budget_start(self);
			arch_vcpu_start(self, &start);
		}
		if (!scrub_step(self))
			arch_cpu_wait(self);
	}
}

_Noreturn void cpu_park(struct cpu *self, enum cpu_state state)
{
	arch_vcpu_quiesce(self);
	lock_take(&self->lock);
	BUG_ON(self->state != CPU_IN_GUEST);
	self->state = state;
	lock_drop(&self->lock);
	arch_cpu_restart(self, cpu_run);
}

void cpu_check_stop(struct cpu *self)
{
	/* pairs with the release in cpu_stop() */
	if (__atomic_load_n(&self->stop, __ATOMIC_ACQUIRE))
		cpu_park(self, CPU_PARKED);
}
