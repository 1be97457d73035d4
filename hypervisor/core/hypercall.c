// SPDX-License-Identifier: GPL-2.0-only
#include "base/str.h"
#include "core/budget.h"
#include "core/cell.h"
#include "core/cpu.h"
#include "core/hypercall.h"

/* The many small calls do not pay for the frame that the text of `why` takes. */
#define NOT_INLINE __attribute__((noinline))

struct call {
	struct cpu *self;
	uint64_t a;
	uint64_t b;
	long result;		/* where the call gives one on success */
	struct why why;
};

/* Names a cell for a management call; the root cell is not to be managed. */
static struct cell *named_cell(struct call *c)
{
	struct cell *cell = c->a > UINT16_MAX ? NULL : cell_find(c->self->sys, (unsigned)c->a);

	if (cell == NULL)
		(void)why_set(&c->why, ERR_NOT_FOUND, "there is no cell with id %llu", (unsigned long long)c->a);
	return cell;
}

static err_t create(struct call *c)
{
	unsigned id = 0;

	if (c->self->sys->leaving)
		return why_set(&c->why, ERR_BUSY, "the hypervisor is being disabled");
	TRY(cell_create(c->self, gpa(c->a), c->b, &id, &c->why));
	c->result = (long)id;
	return OK;
}

static err_t get_state(struct call *c)
{
	struct cell *cell;
	uint32_t state = ABI_CELL_RUNNING;

	if (c->a != 0) {
		cell = named_cell(c);
		if (cell == NULL)
			return ERR_NOT_FOUND;
		TRY(cell_get_state(cell, &state));
	}
	c->result = (long)state;
	return OK;
}

static err_t info(struct call *c)
{
	const struct system *sys = c->self->sys;

	switch (c->a) {
	case ABI_INFO_POOL_SIZE:
		c->result = (long)sys->pool.pages;
		return OK;
	case ABI_INFO_POOL_USED:
		c->result = (long)sys->pool.used;
		return OK;
	case ABI_INFO_REMAP_SIZE:
	case ABI_INFO_REMAP_USED:
		c->result = 0;
		return OK;
	case ABI_INFO_CELLS:
		c->result = (long)sys->cell_count;
		return OK;
	default:
		return ERR_INVALID;
	}
}

/* A counter as others see it; TOTAL is the sum of all reasons. */
static uint64_t read_stat(const struct cpu *cpu, uint64_t stat)
{
	uint64_t sum = 0;
	unsigned i;

	if (stat != ABI_STAT_TOTAL)
		return cpu->stats[stat];
	for (i = ABI_STAT_TOTAL + 1; i < ABI_STAT_OVER_BUDGET; i++)
		sum += cpu->stats[i];
	return sum;
}

static err_t cpu_info(struct call *c)
{
	struct system *sys = c->self->sys;
	struct cpu *cpu;

	if (c->a >= sys->cpu_count)
		return ERR_INVALID;
	cpu = sys->cpus[c->a];
	if (cpu->cell != c->self->cell && !cell_is_root(c->self->cell))
		return ERR_DENIED;
	if (c->b == ABI_CPU_INFO_STATE) {
		c->result = cpu_get_state(cpu) == CPU_FAILED ? ABI_CPU_FAILED : ABI_CPU_RUNNING;
		return OK;
	}
	if (c->b < ABI_CPU_INFO_STAT || c->b - ABI_CPU_INFO_STAT >= STAT_COUNT)
		return ERR_INVALID;
	c->result = (long)(read_stat(cpu, c->b - ABI_CPU_INFO_STAT) & INT64_MAX);
	return OK;
}

static err_t putc(struct call *c)
{
	if (!(c->self->cell->config.cell->flags & ABI_CELL_PUTC))
		return ERR_DENIED;
	cell_putc(c->self->cell, (char)c->a);
	return OK;
}

/* What is typed: its UART takes what it has room for. */
static err_t console_input(struct call *c)
{
	uint64_t count = c->a >> 32;
	uint8_t bytes[sizeof(c->b)];
	struct cell *cell;
	uint32_t state;

	c->a &= UINT32_MAX;
	cell = named_cell(c);
	if (cell == NULL)
		return ERR_NOT_FOUND;
	if (count < 1 || count > sizeof(bytes))
		return ERR_INVALID;
	TRY(cell_get_state(cell, &state));
	if (state > ABI_CELL_RUNNING_LOCKED)
		return ERR_BUSY;
	memcpy(bytes, &c->b, sizeof(bytes));
	c->result = arch_uart_input(cell, bytes, (unsigned)count);
	return c->result < 0 ? ERR_UNSUPPORTED : OK;
}

/* Root CPUs that Linux had powered off go back to the firmware powered off. */
static void release_parked(struct system *sys)
{
	unsigned i;

	for (i = 0; i < sys->cpu_count; i++) {
		struct cpu *cpu = sys->cpus[i];

		if (cpu_get_state(cpu) != CPU_PARKED)
			continue;
		__atomic_store_n(&cpu->leave, true, __ATOMIC_RELEASE);
		arch_cpu_kick(cpu);
	}
	sys->leaving = true;
}

static bool all_released(const struct system *sys)
{
	unsigned i;

	for (i = 0; i < sys->cpu_count; i++)
		if (__atomic_load_n(&sys->cpus[i]->leave, __ATOMIC_RELAXED) && !arch_cpu_is_off(sys->cpus[i]))
			return false;
	return true;
}

/*
 * Every online CPU of the root cell calls; each leaves on its own, because the root cell's
 * translation is the identity. The first to come decides for all.
 */
static err_t disable(struct call *c)
{
	struct system *sys = c->self->sys;

	if (!sys->leaving && sys->root->next != NULL)
		return why_set(&c->why, ERR_BUSY, "cell \"%s\" still exists: destroy it first",
			       sys->root->next->config.cell->name);
	if (!sys->leaving)
		release_parked(sys);
	lock_drop(&sys->lock);
	/* The memory is Linux's as soon as the last CPU is out */
	while (!all_released(sys))
		;
	arch_cpu_leave(c->self);
}

enum scope {
	ANY_CELL,		/* touches nothing that changes */
	ROOT_ASKS,		/* the root cell's, under the system lock */
	ROOT_MANAGES,		/* ... and the reason of a failure is for the log */
};

static const struct {
	err_t (*call)(struct call *c);
	err_t (*manage)(struct cell *cell, struct why *why);	/* instead, with the cell that `a` names */
	enum scope scope;
} calls[] = {
	[ABI_HC_DISABLE] = { disable, NULL, ROOT_MANAGES },
	[ABI_HC_CELL_CREATE] = { create, NULL, ROOT_MANAGES },
	[ABI_HC_CELL_START] = { NULL, cell_start, ROOT_MANAGES },
	[ABI_HC_CELL_SET_LOADABLE] = { NULL, cell_set_loadable, ROOT_MANAGES },
	[ABI_HC_CELL_DESTROY] = { NULL, cell_destroy, ROOT_MANAGES },
	[ABI_HC_INFO] = { info, NULL, ANY_CELL },
	[ABI_HC_CELL_GET_STATE] = { get_state, NULL, ROOT_ASKS },
	[ABI_HC_CPU_INFO] = { cpu_info, NULL, ANY_CELL },
	[ABI_HC_PUTC] = { putc, NULL, ANY_CELL },
	[ABI_HC_CELL_SHUTDOWN] = { NULL, cell_shutdown, ROOT_MANAGES },
	[ABI_HC_CONSOLE_INPUT] = { console_input, NULL, ROOT_ASKS },
};

static err_t manage(struct call *c, uint64_t number)
{
	struct cell *cell;

	if (calls[number].call != NULL)
		return calls[number].call(c);
	cell = named_cell(c);
	return cell == NULL ? ERR_NOT_FOUND : calls[number].manage(cell, &c->why);
}

static err_t call_locked(struct call *c, uint64_t number)
{
	struct system *sys = c->self->sys;
	err_t e;

	lock_take(&sys->lock);
	e = manage(c, number);
	if (calls[number].scope == ROOT_MANAGES)
		log_set_error(&sys->log, &c->why);
	lock_drop(&sys->lock);
	return e;
}

static NOT_INLINE long call_known(struct cpu *self, uint64_t number, uint64_t a, uint64_t b)
{
	struct call c;
	err_t e;

	/* member by member: to clear all of the text takes longer than most calls */
	c.self = self;
	c.a = a;
	c.b = b;
	c.result = 0;
	c.why.text[0] = '\0';
	if (calls[number].scope == ANY_CELL)
		e = calls[number].call(&c);
	else if (!cell_is_root(self->cell))
		e = ERR_DENIED;
	else
		e = call_locked(&c, number);
	return e == OK ? c.result : err_to_abi(e);
}

long hypercall(struct cpu *self, uint64_t number, uint64_t a, uint64_t b)
{
	exit_count(self, ABI_STAT_HYPERCALL, number);
	return number < ARRAY_SIZE(calls) ? call_known(self, number, a, b) : -ABI_ENOSYS;
}
