// SPDX-License-Identifier: GPL-2.0-only
#include "base/bug.h"
#include "base/str.h"
#include "core/cpu.h"
#include "core/guest.h"
#include "core/plan.h"
#include "core/scrub.h"

static uint32_t pages(uint64_t size)
{
	return (uint32_t)(align_up(size, PAGE_SIZE) >> PAGE_SHIFT);
}

bool mem_is_private(const struct abi_mem *mem)
{
	return (mem->flags & (ABI_MEM_SHARED | ABI_MEM_COMM)) == 0;
}

/* The root cell's region a private one was carved from; admit_cell() saw to it that there is one. */
static const struct abi_mem *root_region(const struct system *sys, const struct abi_mem *mem)
{
	const struct config *config = &sys->config;
	unsigned i;

	for (i = 0; i < config->cell->mem_count; i++)
		if (span_within(mem_host_span(mem), mem_host_span(&config->mem[i])))
			return &config->mem[i];
	BUG("a cell's region is none of the root cell's");
}

/*
 * What of the root cell's region around `mem` is none of the cells' there are. Tables are
 * merged no further: what is cut for another cell must stay so, also while its loadable
 * memory is mapped in the root cell and looks like the rest.
 */
static struct span merge_range(const struct system *sys, const struct abi_mem *mem)
{
	struct span range = mem_host_span(root_region(sys, mem));
	uint64_t end = range.start + range.size;
	const struct cell *cell;
	unsigned i;

	for (cell = sys->root->next; cell != NULL; cell = cell->next) {
		for (i = 0; i < cell->config.cell->mem_count; i++) {
			const struct abi_mem *other = &cell->config.mem[i];

			if (!mem_is_private(other))
				continue;
			if (other->phys < mem->phys && other->phys + other->size > range.start)
				range.start = other->phys + other->size;
			if (other->phys > mem->phys && other->phys < end)
				end = other->phys;
		}
	}
	return (struct span){ range.start, end - range.start };
}

static err_t free_id(const struct system *sys, unsigned *out, struct why *why)
{
	const struct cell *cell;
	uint64_t used = 0;

	static_assert(CONFIG_MAX_CELLS <= 64, "one word of ids");
	for (cell = sys->root; cell != NULL; cell = cell->next)
		used |= BIT(cell->id);
	*out = (unsigned)__builtin_ctzll(~used);
	if (~used == 0 || *out >= CONFIG_MAX_CELLS)
		return why_set(why, ERR_NO_MEMORY,
			       "there are %u cells already: destroy one, or build with a larger MAX_CELLS",
			       CONFIG_MAX_CELLS);
	return OK;
}

static err_t no_memory(struct why *why, err_t e)
{
	if (e == ERR_NO_MEMORY && why->text[0] == '\0')
		return why_set(why, e, "the hypervisor's memory is used up: give it more in the system's text");
	return e;
}

static err_t copy_config(struct cell *cell, struct cpu *self, gpa_t from, uint64_t size,
			 struct why *why)
{
	struct system *sys = self->sys;
	void *copy;

	if (size > ABI_CONFIG_MAX_SIZE)
		return why_set(why, ERR_TOO_LARGE, "size: a configuration has at most %u bytes",
			       ABI_CONFIG_MAX_SIZE);
	if (size < sizeof(struct abi_header))
		return why_set(why, ERR_SHORT, "size: %u bytes are no configuration", (unsigned)size);
	TRY(no_memory(why, pool_take(&sys->pool, pages(size), 1, &copy)));
	cell->config_copy = copy;
	cell->config_pages = pages(size);
	if (guest_read(self, from, copy, size) != OK)
		return why_set(why, ERR_FAULT, "configuration: not in the root cell's memory");
	return config_parse_for(copy, size, sys->config.platform, ABI_KIND_CELL, &cell->config, why);
}

static err_t admit(const struct cell *cell, struct why *why)
{
	const struct system *sys = cell->sys;
	const struct config *others[CONFIG_MAX_CELLS];
	const struct cell *other;
	unsigned count = 0;

	for (other = sys->root->next; other != NULL; other = other->next)
		others[count++] = &other->config;
	return admit_cell(&cell->config, &sys->config, others, count, &sys->limits, why);
}

static err_t map_comm(struct cell *cell, const struct abi_mem *mem)
{
	void *page;

	TRY(pool_take(&cell->sys->pool, 1, 1, &page));
	cell->comm = page;
	return space_map(&cell->space, &(struct mapping){ mem->virt, pool_phys(&cell->sys->pool, page), PAGE_SIZE,
							  MAP_READ | MAP_WRITE });
}

static err_t map_regions(struct cell *cell)
{
	unsigned i;

	for (i = 0; i < cell->config.cell->mem_count; i++) {
		const struct abi_mem *mem = &cell->config.mem[i];

		TRY(mem->flags & ABI_MEM_COMM ? map_comm(cell, mem) : space_map_region(&cell->space, mem));
	}
	return OK;
}

static err_t cut_root(struct plan *plan)
{
	const struct config *config = &plan->cell->config;
	struct space *root = &plan->cell->sys->root->space;

	for (; plan->cut < config->cell->mem_count; plan->cut++) {
		const struct abi_mem *mem = &config->mem[plan->cut];

		if (mem_is_private(mem))
			TRY(space_cut(root, mem_host_span(mem)));
	}
	return OK;
}

/* Exits are counted from the day the CPU is its owner's. Caller holds cpu.lock; the CPU is parked. */
static void set_owner(struct cpu *cpu, struct cell *owner)
{
	memset(cpu->stats, 0, sizeof(cpu->stats));
	__atomic_store_n(&cpu->cell, owner, __ATOMIC_RELEASE);
}

/* A CPU the root cell has powered off becomes the cell's: from here on it cannot be started by its old owner. */
static err_t take_cpu(struct cell *cell, struct cpu *cpu, struct why *why)
{
	bool parked;

	lock_take(&cpu->lock);
	parked = cpu->state == CPU_PARKED;
	if (parked)
		set_owner(cpu, cell);
	lock_drop(&cpu->lock);
	if (!parked)
		return why_set(why, ERR_BUSY, "CPU %u is online in the root cell: take it offline first", cpu->id);
	return OK;
}

/* A parked or failed CPU, powered off as its new owner sees it. */
static void give_cpu(struct cpu *cpu, struct cell *to)
{
	lock_take(&cpu->lock);
	cpu->state = CPU_PARKED;
	__atomic_store_n(&cpu->stop, false, __ATOMIC_RELAXED);
	set_owner(cpu, to);
	lock_drop(&cpu->lock);
}

static err_t take_cpus(struct plan *plan, struct why *why)
{
	struct system *sys = plan->cell->sys;

	for (; plan->cpus < sys->cpu_count; plan->cpus++)
		if (cell_config_has_cpu(plan->cell, plan->cpus))
			TRY(take_cpu(plan->cell, sys->cpus[plan->cpus], why));
	return OK;
}

static err_t build(struct plan *plan, struct cpu *self, gpa_t config, uint64_t size, struct why *why)
{
	struct system *sys = self->sys;
	struct cell *cell;
	void *memory;

	static_assert(sizeof(struct cell) <= PAGE_SIZE, "a cell is one page");
	TRY(pool_take(&sys->pool, 1, 1, &memory));
	cell = memory;
	plan->cell = cell;
	cell->sys = sys;
	cell->state = CELL_PREPARING;
	TRY(copy_config(cell, self, config, size, why));
	TRY(admit(cell, why));
	TRY(free_id(sys, &cell->id, why));
	TRY(space_init(&cell->space, &sys->stage2, &sys->pool, (uint16_t)cell->id, true));
	TRY(map_regions(cell));
	TRY(arch_cell_init(cell, why));
	TRY(cut_root(plan));
	return take_cpus(plan, why);
}

err_t plan_build(struct plan *plan, struct cpu *self, gpa_t config, uint64_t size, struct why *why)
{
	err_t e;

	*plan = (struct plan){ 0 };
	e = build(plan, self, config, size, why);
	if (e != OK)
		plan_drop(plan);
	return no_memory(why, e);
}

static void free_cell(struct cell *cell)
{
	struct pool *pool = &cell->sys->pool;

	if (cell->arch != NULL)
		arch_cell_exit(cell);
	if (cell->space.paging.root != NULL)
		space_free(&cell->space);
	if (cell->comm != NULL)
		pool_give(pool, cell->comm, 1);
	if (cell->config_copy != NULL)
		pool_give(pool, cell->config_copy, cell->config_pages);
	pool_give(pool, cell, 1);
}

void plan_drop(struct plan *plan)
{
	struct cell *cell = plan->cell;
	struct system *sys;
	unsigned i;

	if (cell == NULL)
		return;
	sys = cell->sys;
	for (i = 0; i < plan->cpus; i++)
		if (cell_config_has_cpu(cell, i))
			give_cpu(sys->cpus[i], sys->root);
	/* the one that ran out of pages may have been cut in part */
	for (i = 0; cell->config.cell != NULL && i <= plan->cut && i < cell->config.cell->mem_count; i++)
		if (mem_is_private(&cell->config.mem[i]) && cell->arch != NULL)
			space_merge(&sys->root->space, merge_range(sys, &cell->config.mem[i]));
	free_cell(cell);
	plan->cell = NULL;
}

static void link_cell(struct cell *cell)
{
	struct cell **link = &cell->sys->root;

	while (*link != NULL)
		link = &(*link)->next;
	*link = cell;
	cell->sys->cell_count++;
}

static void move_lines(struct cell *owner, struct cell *from, struct cell *to)
{
	unsigned i;

	for (i = 0; i < owner->config.cell->irq_count; i++)
		arch_cell_lines_move(from, to, owner->config.irq[i]);
}

/* The one that was given up longest ago: who is slow to read finds what a cell said after its end. */
static struct console *free_console(struct system *sys)
{
	struct console *console;

	do {
		console = &sys->consoles[sys->console_next];
		sys->console_next = (sys->console_next + 1) % LOG_CONSOLES;
	} while (console->ring->cell != ABI_RING_UNUSED);
	return console;
}

void plan_commit(struct plan *plan)
{
	struct cell *cell = plan->cell;
	struct system *sys = cell->sys;
	struct cpu *cpu;
	unsigned i;

	for (i = 0; i < cell->config.cell->mem_count; i++)
		if (mem_is_private(&cell->config.mem[i]))
			space_unmap(&sys->root->space, mem_host_span(&cell->config.mem[i]));
	for_each_cell_cpu(cpu, cell)
		arch_cell_cpu_moved(sys->root, cpu);
	move_lines(cell, sys->root, cell);
	arch_cell_attach(cell);
	link_cell(cell);
	cell->console = free_console(sys);
	console_give(cell->console, cell->id, cell->config.cell->name);
	scrub_begin(cell, 0);
}

void plan_root_map(struct system *sys, const struct abi_mem *mem, bool merge)
{
	const struct mapping m = { mem->phys, hpa(mem->phys), mem->size, space_flags(root_region(sys, mem)) };
	err_t e = space_map(&sys->root->space, &m);

	BUG_ON(e != OK);
	if (merge)
		space_merge(&sys->root->space, merge_range(sys, mem));
}

void plan_revert(struct cell *cell)
{
	struct system *sys = cell->sys;
	struct cell **link;
	struct cpu *cpu;
	unsigned i;

	console_release(cell->console);
	arch_cell_detach(cell);
	move_lines(cell, cell, sys->root);
	for_each_cell_cpu(cpu, cell) {
		give_cpu(cpu, sys->root);
		arch_cell_cpu_moved(cell, cpu);
	}
	for (link = &sys->root; *link != cell; link = &(*link)->next)
		;
	*link = cell->next;
	sys->cell_count--;
	for (i = 0; i < cell->config.cell->mem_count; i++)
		if (mem_is_private(&cell->config.mem[i]))
			plan_root_map(sys, &cell->config.mem[i], true);
	free_cell(cell);
}
