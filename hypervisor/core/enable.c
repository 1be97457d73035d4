// SPDX-License-Identifier: GPL-2.0-only
#include "arch/cpu.h"
#include "core/enable.h"

/* How long CPUs take to come, and how long the work then takes at the very most. */
#define GATHERING_S 5
#define WORKING_S 60
/* What the image's first tables reach. */
#define MEMORY_MAX 0x40000000u

static enum phase phase_now(const struct enable *e)
{
	return __atomic_load_n(&e->meeting->phase, __ATOMIC_ACQUIRE);
}

static bool advance(const struct enable *e, enum phase from, enum phase to)
{
	uint32_t expected = from;

	return __atomic_compare_exchange_n(&e->meeting->phase, &expected, to, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_ACQUIRE);
}

/* The first reason is kept. */
static void fail(const struct enable *e, err_t error, const struct why *why)
{
	struct meeting *meeting = e->meeting;

	lock_take(&meeting->lock);
	/* nobody may have come as far as to build anything */
	if (e->sys->log.area == NULL)
		log_init(&e->sys->log, e->sys->consoles, enable_log(e));
	if (meeting->error == OK) {
		meeting->error = error;
		meeting->why = *why;
	}
	lock_drop(&meeting->lock);
	/* the words first: whoever sees FAILED passes them on */
	__atomic_store_n(&meeting->phase, FAILED, __ATOMIC_RELEASE);
}

/* Until the phase is no longer `phase`. A CPU that never comes makes all others go back. */
static enum phase wait_while(const struct enable *e, enum phase phase)
{
	uint64_t start = arch_now();
	unsigned seconds = phase == GATHERING ? GATHERING_S : WORKING_S;
	uint64_t limit = seconds * arch_ticks_per_second();
	struct why why;

	while (phase_now(e) == phase) {
		if (arch_now() - start > limit)
			fail(e, why_set(&why, ERR_BUSY, "phase %u: %u of %u CPUs came and %u passed within %u s", phase,
					__atomic_load_n(&e->meeting->arrived, __ATOMIC_RELAXED),
					e->image->online_cpus,
					__atomic_load_n(&e->meeting->checked, __ATOMIC_RELAXED), seconds), &why);
	}
	return phase_now(e);
}

static void init_cpus(const struct enable *e)
{
	struct system *sys = e->sys;
	unsigned i;

	sys->cpu_count = sys->config.system->cpu_count;
	for (i = 0; i < sys->cpu_count; i++) {
		struct cpu *cpu = e->cpu(i);

		cpu->sys = sys;
		cpu->id = i;
		cpu->hwid = sys->config.hwid[i];
		cpu->cell = sys->root;
		cpu->state = CPU_IN_GUEST;
		sys->cpus[i] = cpu;
	}
}

static err_t read_config(const struct enable *e, struct why *why)
{
	const struct abi_image *image = e->image;
	struct system *sys = e->sys;

	TRY(e->format(why));
	TRY(config_parse_for(e->memory + image->config_offset, image->config_size, e->platform,
			     ABI_KIND_SYSTEM, &sys->config, why));
	e->limits();
	TRY(admit_system(&sys->config, &sys->limits, why));
	if (sys->config.system->hypervisor.start != image->start ||
	    sys->config.system->hypervisor.size != image->size)
		return why_set(why, ERR_INVALID, "hypervisor: the driver put it elsewhere than configured");
	return OK;
}

/* Guest-physical is host-physical in the root cell. */
static err_t build_root(const struct enable *e, struct why *why)
{
	const struct abi_image *image = e->image;
	struct system *sys = e->sys;
	const struct config *config = &sys->config;
	struct cell *root;
	void *page;
	unsigned i;

	TRY(pool_take(&sys->pool, 1, 1, &page));
	root = page;
	root->sys = sys;
	root->config = *config;
	root->state = CELL_RUNNING;
	sys->root = root;
	sys->cell_count = 1;
	TRY(space_init(&root->space, &sys->stage2, &sys->pool, 0, false));
	for (i = 0; i < config->cell->mem_count; i++)
		TRY(space_map_region(&root->space, &config->mem[i]));
	/* the one thing of the hypervisor's that Linux may read */
	TRY(space_map(&root->space, &(struct mapping){ image->start + image->log_offset,
						       hpa(image->start + image->log_offset),
						       image->log_size, MAP_READ }));
	init_cpus(e);
	return arch_cell_init(root, why);
}

static err_t build_system(const struct enable *e, struct why *why)
{
	const struct abi_image *image = e->image;
	struct system *sys = e->sys;
	uint64_t pool = align_up(image->config_offset + image->config_size, PAGE_SIZE);
	err_t error;

	if (image->size < pool + image->min_pool || image->size > MEMORY_MAX)
		return why_set(why, ERR_NO_MEMORY, "hypervisor: %llu KiB of memory are %s",
			       (unsigned long long)image->size >> 10,
			       image->size > MEMORY_MAX ? "more than 1 GiB" : "too little for this build");
	TRY(read_config(e, why));
	TRY(pool_init(&sys->pool, e->memory + pool, hpa(image->start + pool), image->size - pool));
	error = build_root(e, why);
	if (error == OK)
		error = e->build(why);
	if (error == ERR_NO_MEMORY && why->text[0] == '\0')
		return why_set(why, error, "hypervisor: its memory is too small for this machine");
	return error;
}

static void build(const struct enable *e)
{
	struct why why = { "" };
	err_t error;

	/* Words from before the log is there have no other place */
	log_init(&e->sys->log, e->sys->consoles, enable_log(e));
	error = build_system(e, &why);
	if (error != OK)
		fail(e, error, &why);
	else if (e->sys->cpu_count != e->image->online_cpus)
		fail(e, why_set(&why, ERR_INVALID, "cpus: %u are configured, %u are online",
				e->sys->cpu_count, e->image->online_cpus), &why);
	else
		advance(e, BUILDING, CHECKING);
}

static err_t check_cpu(const struct enable *e, unsigned number, uint64_t hwid, struct why *why)
{
	struct system *sys = e->sys;

	if (number >= sys->cpu_count)
		return why_set(why, ERR_INVALID, "cpus: CPU %u is not configured", number);
	if (sys->cpus[number]->hwid != hwid)
		return why_set(why, ERR_INVALID, "cpus: CPU %u is 0x%llx, configured as 0x%llx", number,
			       (unsigned long long)hwid, (unsigned long long)sys->cpus[number]->hwid);
	return e->check(sys->cpus[number], why);
}

static void check(const struct enable *e, unsigned number, uint64_t hwid)
{
	struct why why = { "" };
	err_t error = check_cpu(e, number, hwid, &why);

	if (error != OK)
		fail(e, error, &why);
	else if (__atomic_add_fetch(&e->meeting->checked, 1, __ATOMIC_ACQ_REL) == e->image->online_cpus)
		advance(e, CHECKING, GO);
}

enum phase enable_meet(const struct enable *e, unsigned number, uint64_t hwid)
{
	if (__atomic_add_fetch(&e->meeting->arrived, 1, __ATOMIC_ACQ_REL) == e->image->online_cpus &&
	    advance(e, GATHERING, BUILDING))
		build(e);
	wait_while(e, GATHERING);
	wait_while(e, BUILDING);
	if (phase_now(e) == CHECKING)
		check(e, number, hwid);
	return wait_while(e, CHECKING);
}

long enable_failed(const struct enable *e)
{
	log_set_error(&e->sys->log, &e->meeting->why);
	arch_memory_clean(enable_log(e), sizeof(struct abi_log));
	return err_to_abi(e->meeting->error);
}

err_t enable_map(const struct enable *e, const uint8_t *from, const uint8_t *to, uint32_t flags)
{
	if (from == to)
		return OK;
	return paging_map(e->tables, &(struct mapping){ (uint64_t)from,
							hpa(e->image->start + (uint64_t)(from - e->memory)),
							align_up((uint64_t)(to - from), PAGE_SIZE), flags });
}

err_t enable_map_identity(const struct enable *e, struct span span, uint32_t flags)
{
	return paging_map(e->tables, &(struct mapping){ span.start, hpa(span.start), span.size, flags });
}

/* The image's sections, which lie in this order. */
static const struct {
	const uint8_t *from, *to;
	uint32_t flags;
} sections[] = {
	{ _start, _text, MAP_READ },
	{ _text, _rodata, MAP_READ | MAP_EXEC },
	{ _rodata, _data, MAP_READ },
	{ _data, _percpu, MAP_READ | MAP_WRITE },
};

err_t enable_map_image(const struct enable *e)
{
	const struct abi_image *image = e->image;
	const uint8_t *log = enable_log(e), *config = e->memory + image->config_offset;
	const uint8_t *pool = e->sys->pool.virt;
	unsigned i;

	TRY(paging_init(e->tables));
	for (i = 0; i < ARRAY_SIZE(sections); i++)
		TRY(enable_map(e, sections[i].from, sections[i].to, sections[i].flags));
	TRY(enable_map(e, log, log + image->log_size, MAP_READ | MAP_WRITE));
	TRY(enable_map(e, config, pool, MAP_READ));
	return enable_map(e, pool, e->memory + image->size, MAP_READ | MAP_WRITE);
}

/* The entry for `address` in the table of that level; the tables above it are there. */
static uint64_t *entry_of(const struct paging *tables, uint64_t address, unsigned level)
{
	const struct paging_level *levels = tables->format->level;
	uint64_t *table = tables->root;
	unsigned i;

	for (i = 0;; i++) {
		uint64_t *entry = &table[(address >> levels[i].shift) & (levels[i].entries - 1u)];

		if (i == level)
			return entry;
		table = pool_virt(tables->pool, tables->format->address(i, *entry));
	}
}

err_t enable_map_window(const struct enable *e, uint64_t block, uint64_t page, uint64_t **block_entry,
			uint64_t **page_entry)
{
	struct paging *tables = e->tables;
	unsigned last = tables->format->levels - 1;

	/* makes the tables; the entry itself is emptied again */
	TRY(paging_map(tables, &(struct mapping){ page, hpa(0), PAGE_SIZE, MAP_READ }));
	*block_entry = entry_of(tables, block, last - 1);
	*page_entry = entry_of(tables, page, last);
	**page_entry = 0;
	return OK;
}
