// SPDX-License-Identifier: GPL-2.0-only
#include "base/bug.h"
#include "base/str.h"
#include "core/cell.h"
#include "core/cpu.h"
#include "core/plan.h"
#include "core/scrub.h"

struct cell *cell_find(struct system *sys, unsigned id)
{
	struct cell *cell;

	for (cell = sys->root->next; cell != NULL; cell = cell->next)
		if (cell->id == id)
			return cell;
	return NULL;
}

static const char *name_of(const struct cell *cell)
{
	return cell->config.cell->name;
}

static enum cell_state get_state(struct cell *cell)
{
	enum cell_state state;

	lock_take(&cell->lock);
	state = cell->state;
	lock_drop(&cell->lock);
	return state;
}

static void set_state(struct cell *cell, enum cell_state state)
{
	lock_take(&cell->lock);
	cell->state = state;
	lock_drop(&cell->lock);
}

err_t cell_create(struct cpu *self, gpa_t config, uint64_t size, unsigned *id, struct why *why)
{
	struct plan plan;

	TRY(plan_build(&plan, self, config, size, why));
	plan_commit(&plan);
	*id = plan.cell->id;
	log_print(&self->sys->log, "cell \"%s\" created with id %u\n", name_of(plan.cell), *id);
	return OK;
}

static void comm_reset(struct cell *cell)
{
	const struct abi_cell *config = cell->config.cell;
	struct abi_comm *comm = cell->comm;

	if (comm == NULL)
		return;
	memset(comm, 0, PAGE_SIZE);
	memcpy(comm->signature, ABI_COMM_MAGIC, sizeof(comm->signature));
	comm->revision = ABI_COMM_REVISION;
	if (config->flags & ABI_CELL_PUTC)
		comm->flags |= ABI_COMM_FLAG_PUTC;
	if (config->flags & ABI_CELL_PUTC_CONSOLE)
		comm->flags |= ABI_COMM_FLAG_PUTC_CONSOLE;
	comm->console = config->console;
	arch_cell_comm(cell, comm);
	/* the guest may read it with its caches off */
	arch_memory_clean(comm, PAGE_SIZE);
}

/* The line it ended, for who reads the UART. */
static void echo_line(struct cell *cell)
{
	char line[ABI_LINE_MAX + 1];

	if (!cell->sys->log.verbose)
		return;
	line[console_last_line(cell->console, line)] = '\0';
	log_cell_line(&cell->sys->log, name_of(cell), line);
}

void cell_putc(struct cell *cell, char c)
{
	if (console_put(cell->console, c))
		echo_line(cell);
}

/* The cell's last words, though it did not end the line. */
static void end_line(struct cell *cell)
{
	if (console_end_line(cell->console))
		echo_line(cell);
}

/* Runs the cell from its entry. Caller holds cell.lock; every CPU is parked. */
static void run_from_entry(struct cell *cell)
{
	struct cpu *cpu;
	err_t e;

	end_line(cell);
	comm_reset(cell);
	space_publish(&cell->space);
	cell->reset_by = NULL;
	for_each_cell_cpu(cpu, cell) {
		lock_take(&cpu->lock);
		cpu->state = CPU_PARKED;
		__atomic_store_n(&cpu->stop, false, __ATOMIC_RELAXED);
		lock_drop(&cpu->lock);
	}
	arch_cell_lines_reset(cell);
	e = cpu_start(cell, cell_cpu_from(cell, 0),
		      &(struct vcpu_start){ gpa(cell->config.cell->entry), 0, cell->ran });
	BUG_ON(e != OK);
	cell->ran = true;
}

/*
 * Every CPU but `except` is told to stop, and has nothing left to run on. In this order: a CPU
 * that finds its memory gone must know why, and one that is woken must find no memory to
 * go on with. Caller holds cell.lock.
 */
static void stop_cpus(struct cell *cell, const struct cpu *except)
{
	struct cpu *cpu;

	for_each_cell_cpu(cpu, cell)
		if (cpu != except)
			cpu_stop(cpu);
	space_revoke(&cell->space);
	(void)arch_cell_quiesce(cell);
	for_each_cell_cpu(cpu, cell)
		if (cpu != except)
			arch_cpu_kick_out(cpu);
}

static bool all_parked(struct cell *cell, const struct cpu *except)
{
	struct cpu *cpu;

	for_each_cell_cpu(cpu, cell) {
		enum cpu_state state = cpu_get_state(cpu);

		if (cpu != except && state != CPU_PARKED && state != CPU_FAILED)
			return false;
	}
	return true;
}

/* What every call that the state does not permit says. */
static err_t refuse(const struct cell *cell, enum cell_state state, struct why *why)
{
	static const char *const texts[CELL_STATE_COUNT] = {
		[CELL_PREPARING] = "its memory is being zeroed: try again in a moment",
		[CELL_OPENING] = "its memory is being zeroed: try again in a moment",
		[CELL_CLOSING] = "it is being destroyed",
		[CELL_RUNNING] = "it is running: shut it down first",
		[CELL_FAILED] = "it failed: load its images again, then start it",
	};

	BUG_ON(texts[state] == NULL);
	return why_set(why, ERR_BUSY, "cell \"%s\": %s", name_of(cell), texts[state]);
}

/* A new cell whose memory is zero by now is one that is shut down. */
static enum cell_state settle(struct cell *cell)
{
	enum cell_state state = get_state(cell);

	if (state == CELL_PREPARING && scrub_finished(cell)) {
		state = CELL_SHUT_DOWN;
		set_state(cell, state);
	}
	return state;
}

static void map_loadable(struct cell *cell, bool into_root)
{
	struct system *sys = cell->sys;
	unsigned i;

	for (i = 0; i < cell->config.cell->mem_count; i++) {
		const struct abi_mem *mem = &cell->config.mem[i];

		if (!(mem->flags & ABI_MEM_LOADABLE))
			continue;
		if (into_root)
			plan_root_map(sys, mem, false);
		else
			space_unmap(&sys->root->space, mem_host_span(mem));
	}
}

err_t cell_start(struct cell *cell, struct why *why)
{
	enum cell_state state = settle(cell);

	if (state == CELL_RUNNING)
		return why_set(why, ERR_BUSY, "cell \"%s\" is running already", name_of(cell));
	if (state != CELL_LOADABLE && state != CELL_SHUT_DOWN)
		return refuse(cell, state, why);
	if (!all_parked(cell, NULL))
		return ERR_AGAIN;
	if (state == CELL_LOADABLE)
		map_loadable(cell, false);
	lock_take(&cell->lock);
	cell->state = CELL_RUNNING;
	run_from_entry(cell);
	lock_drop(&cell->lock);
	log_print(&cell->sys->log, "cell \"%s\" started\n", name_of(cell));
	return OK;
}

err_t cell_shutdown(struct cell *cell, struct why *why)
{
	enum cell_state state = settle(cell);

	if (state == CELL_SHUT_DOWN || state == CELL_LOADABLE)
		return all_parked(cell, NULL) ? OK : ERR_AGAIN;
	if (state != CELL_RUNNING && state != CELL_FAILED)
		return refuse(cell, state, why);
	lock_take(&cell->lock);
	stop_cpus(cell, NULL);
	lock_drop(&cell->lock);
	if (!all_parked(cell, NULL))
		return ERR_AGAIN;
	set_state(cell, CELL_SHUT_DOWN);
	end_line(cell);
	log_print(&cell->sys->log, "cell \"%s\" shut down\n", name_of(cell));
	return OK;
}

/* From a state at rest: the CPUs begin to zero what the new state hands over. */
static err_t begin_scrub(struct cell *cell, enum cell_state state, uint32_t wanted)
{
	if (!all_parked(cell, NULL))
		return ERR_AGAIN;
	set_state(cell, state);
	scrub_begin(cell, wanted);
	return ERR_AGAIN;
}

/* A running cell says itself how it is, in words it has; anything else is running. */
static uint32_t running_state(const struct cell *cell)
{
	uint32_t said;

	if (cell->comm == NULL)
		return ABI_CELL_RUNNING;
	/* a guest with its caches off wrote past ours */
	arch_memory_clean(cell->comm, sizeof(*cell->comm));
	said = cell->comm->cell_state;
	return said <= ABI_CELL_FAILED_COMM_REV ? said : ABI_CELL_RUNNING;
}

/* A cell that said it has ended, but still has CPUs in it: they are stopped, and it is at rest. */
static err_t stop_if_ended(struct cell *cell, enum cell_state *state, struct why *why)
{
	if (*state != CELL_RUNNING || running_state(cell) <= ABI_CELL_RUNNING_LOCKED)
		return OK;
	TRY(cell_shutdown(cell, why));
	*state = CELL_SHUT_DOWN;
	return OK;
}

err_t cell_set_loadable(struct cell *cell, struct why *why)
{
	enum cell_state state = settle(cell);

	TRY(stop_if_ended(cell, &state, why));
	if (state == CELL_LOADABLE)
		return OK;
	if (state == CELL_FAILED || state == CELL_SHUT_DOWN)
		return begin_scrub(cell, CELL_OPENING, ABI_MEM_LOADABLE);
	if (state != CELL_OPENING)
		return refuse(cell, state, why);
	if (!scrub_finished(cell))
		return ERR_AGAIN;
	map_loadable(cell, true);
	set_state(cell, CELL_LOADABLE);
	return OK;
}

err_t cell_destroy(struct cell *cell, struct why *why)
{
	enum cell_state state = settle(cell);

	TRY(stop_if_ended(cell, &state, why));
	if (state == CELL_LOADABLE)
		map_loadable(cell, false);
	if (state == CELL_LOADABLE || state == CELL_FAILED || state == CELL_SHUT_DOWN)
		return begin_scrub(cell, CELL_CLOSING, 0);
	if (state != CELL_CLOSING)
		return refuse(cell, state, why);
	if (!scrub_finished(cell) || !arch_cell_quiesce(cell))
		return ERR_AGAIN;
	log_print(&cell->sys->log, "cell \"%s\" destroyed\n", name_of(cell));
	plan_revert(cell);
	return OK;
}

err_t cell_get_state(struct cell *cell, uint32_t *state)
{
	switch (settle(cell)) {
	case CELL_PREPARING:
	case CELL_OPENING:
	case CELL_CLOSING:
		return ERR_AGAIN;
	case CELL_SHUT_DOWN:
	case CELL_LOADABLE:
		*state = ABI_CELL_SHUT_DOWN;
		return OK;
	case CELL_RUNNING:
		*state = running_state(cell);
		return OK;
	case CELL_FAILED:
		*state = ABI_CELL_FAILED;
		return OK;
	case CELL_STATE_COUNT:
		break;
	}
	BUG("no state");
}

/* The cell stops from inside; the first of its CPUs to say so decides how it is called. */
static _Noreturn void stop_from_inside(struct cpu *self, enum cell_state state, enum cpu_state cpu)
{
	struct cell *cell = self->cell;

	BUG_ON(cell_is_root(cell));
	lock_take(&cell->lock);
	if (cell->state == CELL_RUNNING)
		cell->state = state;
	/* this CPU too: a sibling could still power it on again */
	stop_cpus(cell, NULL);
	lock_drop(&cell->lock);
	end_line(cell);
	cpu_park(self, cpu);
}

_Noreturn void cell_fail(struct cpu *self)
{
	stop_from_inside(self, CELL_FAILED, CPU_FAILED);
}

_Noreturn void cell_power_off(struct cpu *self)
{
	log_print(&self->sys->log, "cell \"%s\" powered itself off\n", name_of(self->cell));
	stop_from_inside(self, CELL_SHUT_DOWN, CPU_PARKED);
}

/* One CPU resets; a second that wants to at the same time parks, and is reset with the rest. */
static bool claim_reset(struct cpu *self)
{
	struct cell *cell = self->cell;
	bool mine;

	lock_take(&cell->lock);
	mine = cell->state == CELL_RUNNING && cell->reset_by == NULL;
	if (mine) {
		cell->reset_by = self;
		stop_cpus(cell, self);
	}
	lock_drop(&cell->lock);
	return mine;
}

/* On an empty stack, with all others parked. */
static void finish_reset(struct cpu *self)
{
	struct cell *cell = self->cell;

	arch_vcpu_quiesce(self);
	lock_take(&cell->lock);
	cell->reset_by = NULL;
	/* the root cell may have shut it down meanwhile: then it stays so */
	if (__atomic_load_n(&self->stop, __ATOMIC_ACQUIRE) || cell->state != CELL_RUNNING) {
		lock_take(&self->lock);
		self->state = CPU_PARKED;
		lock_drop(&self->lock);
	} else {
		run_from_entry(cell);
	}
	lock_drop(&cell->lock);
	cpu_run(self);
}

_Noreturn void cell_reset(struct cpu *self)
{
	struct cell *cell = self->cell;

	BUG_ON(cell_is_root(cell));
	if (!claim_reset(self))
		cpu_park(self, CPU_PARKED);
	log_print(&cell->sys->log, "cell \"%s\" restarts itself\n", name_of(cell));
	while (!all_parked(cell, self))
		cpu_check_stop(self);
	arch_cpu_restart(self, finish_reset);
}
