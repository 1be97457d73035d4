// SPDX-License-Identifier: GPL-2.0-only
#include "board.h"

#include "arch/cpu.h"
#include "core/cell.h"
#include "core/cpu.h"
#include "core/hypercall.h"
#include "merge.h"

struct board board;
static struct merge log_seen;

static void make_file(void)
{
	board.file = golden_system();
	board.file.system.hypervisor = (struct abi_span){ BOARD_CELLS_END, BOARD_END - BOARD_CELLS_END };
	board.file.mem[LINUX].size = BOARD_CELLS - BOARD_RAM;
	board.file.mem[RAM].phys = BOARD_CELLS;
	board.file.mem[RAM].virt = BOARD_CELLS;
	board.file.mem[RAM].size = BOARD_CELLS_END - BOARD_CELLS;
	golden_seal(&board.file, sizeof(board.file));
}

static void make_root(struct system *sys)
{
	void *page;
	struct cell *root;

	assert_ok(pool_take(&sys->pool, 1, 1, &page));
	root = page;
	root->sys = sys;
	root->config = sys->config;
	root->state = CELL_RUNNING;
	sys->root = root;
	sys->cell_count = 1;
	assert_ok(space_init(&root->space, &sys->stage2, &sys->pool, 0, false));
	for (uint32_t i = 0; i < root->config.cell->mem_count; i++)
		assert_ok(space_map_region(&root->space, &root->config.mem[i]));
}

static void make_cpus(struct system *sys)
{
	sys->cpu_count = sys->config.system->cpu_count;
	for (unsigned i = 0; i < sys->cpu_count; i++) {
		board.cpus[i] = (struct cpu){ .sys = sys, .id = i, .hwid = sys->config.hwid[i],
					      .cell = sys->root, .state = CPU_IN_GUEST };
		sys->cpus[i] = &board.cpus[i];
	}
}

int board_begin(void **state)
{
	struct system *sys = &board.sys;
	struct why why = { "" };

	(void)state;
	host_reset();
	memset(&board, 0, sizeof(board));
	memset(&log_seen, 0, sizeof(log_seen));
	host_ram_begin((struct span){ BOARD_RAM, BOARD_END - BOARD_RAM },
		       (struct span){ BOARD_CELLS_END, BOARD_END - BOARD_CELLS_END });
	log_init(&sys->log, sys->consoles, board.log);
	make_file();
	sys->stage2 = host_format_wide;
	sys->limits = golden_limits;
	if (config_parse(&board.file, sizeof(board.file), ABI_ARCH_ARM64, ABI_KIND_SYSTEM, &sys->config,
			 &why) != OK || admit_system(&sys->config, &sys->limits, &why) != OK)
		fail_msg("%s", why.text);
	assert_ok(pool_init(&sys->pool, host_ram(hpa(BOARD_POOL)), hpa(BOARD_POOL), BOARD_END - BOARD_POOL));
	make_root(sys);
	make_cpus(sys);
	assert_ok(arch_cell_init(sys->root, &(struct why){ 0 }));
	host_cpus_begin(sys);
	return 0;
}

int board_end(void **state)
{
	(void)state;
	host_on_step(NULL, NULL);
	host_cpus_end();
	host_ram_end();
	if (host_complaint()[0] != '\0') {
		print_error("%s\n", host_complaint());
		return -1;
	}
	return 0;
}

struct cell_text board_text(const char *name, unsigned cpu, uint64_t phys)
{
	struct cell_file golden = golden_cell();
	struct cell_text text = { .header = golden.header, .cell = golden.cell };

	memset(text.cell.name, 0, sizeof(text.cell.name));
	snprintf(text.cell.name, sizeof(text.cell.name), "%s", name);
	text.cell.flags = ABI_CELL_PUTC;
	text.cell.cpus[0] = 1ull << cpu;
	text.cell.mem_count = 0;
	text.cell.irq_count = 1;
	text.irq[0] = (struct abi_irq){ 40 + cpu * 4, 4, 40 + cpu * 4, 0 };
	board_add_mem(&text, phys, 0, 0x100000, RWX | ABI_MEM_LOADABLE);
	board_add_mem(&text, phys + 0x100000, 0x40000000, 0x300000, RW);
	board_add_mem(&text, 0, BOARD_COMM, PAGE_SIZE, RW | ABI_MEM_COMM);
	return text;
}

void board_add_mem(struct cell_text *text, uint64_t phys, uint64_t virt, uint64_t size, uint32_t flags)
{
	struct abi_mem *m = &text->mem[text->cell.mem_count];

	*m = (struct abi_mem){ .phys = phys, .virt = virt, .size = size, .flags = flags };
	snprintf(m->name, sizeof(m->name), "region %u", text->cell.mem_count);
	text->cell.mem_count++;
}

uint64_t board_put(const struct cell_text *text)
{
	size_t mem = text->cell.mem_count * sizeof(text->mem[0]);
	size_t irq = text->cell.irq_count * sizeof(text->irq[0]);
	size_t head = sizeof(text->header) + sizeof(text->cell);
	size_t size = head + mem + irq;
	uint8_t *to = host_ram(hpa(BOARD_CONFIG));

	memcpy(to, text, head);
	memcpy(to + head, text->mem, mem);
	memcpy(to + head + mem, text->irq, irq);
	((struct abi_header *)(void *)to)->size = (uint32_t)size;
	golden_seal(to, size);
	return size;
}

struct call {
	uint64_t number;
	uint64_t a;
	uint64_t b;
	long result;
};

static void exit_call(struct cpu *self, void *arg)
{
	struct call *c = arg;

	c->result = hypercall(self, c->number, c->a, c->b);
}

void board_exit(unsigned cpu, void (*what)(struct cpu *self, void *arg), void *arg)
{
	host_cpu_exit(cpu, what, arg);
	host_cpu_run(cpu);
}

const long *board_call_begin(unsigned cpu, uint64_t number, uint64_t a, uint64_t b)
{
	static struct call calls[BOARD_CPUS];

	calls[cpu] = (struct call){ number, a, b, 0 };
	host_cpu_exit(cpu, exit_call, &calls[cpu]);
	return &calls[cpu].result;
}

long board_call(unsigned cpu, uint64_t number, uint64_t a, uint64_t b)
{
	const long *result = board_call_begin(cpu, number, a, b);

	host_cpu_run(cpu);
	return *result;
}

long board_poll(uint64_t number, uint64_t a, uint64_t b)
{
	for (unsigned i = 0; i < 1000; i++) {
		long result = board_call(0, number, a, b);

		if (result != -ABI_EAGAIN)
			return result;
		host_settle();
	}
	fail_msg("call %u never ends: %s", (unsigned)number, host_complaint());
	return -ABI_EAGAIN;
}

const char *board_error(void)
{
	return ((struct abi_log *)(void *)board.log)->error;
}

void board_exit_fail(struct cpu *self, void *arg)
{
	(void)arg;
	cell_fail(self);
}

void board_exit_power_off(struct cpu *self, void *arg)
{
	(void)arg;
	cell_power_off(self);
}

void board_exit_reset(struct cpu *self, void *arg)
{
	(void)arg;
	cell_reset(self);
}

void board_exit_cpu_off(struct cpu *self, void *arg)
{
	(void)arg;
	cpu_park(self, CPU_PARKED);
}

void board_offline(unsigned cpu)
{
	board_exit(cpu, board_exit_cpu_off, NULL);
	assert_int_equal(host_cpu_at(cpu), HOST_WAITING);
}

struct online {
	unsigned cpu;
	err_t e;
};

static void exit_online(struct cpu *self, void *arg)
{
	struct online *o = arg;
	struct cpu *cpu = cpu_find(self->cell, self->sys->cpus[o->cpu]->hwid);

	o->e = cpu == NULL ? ERR_NOT_FOUND : cpu_start(cpu->cell, cpu, &(struct vcpu_start){ gpa(BOARD_RAM), 7, false });
}

long board_online(unsigned cpu)
{
	struct online o = { cpu, OK };

	board_exit(0, exit_online, &o);
	host_settle();
	return o.e;
}

struct cell *board_create(const struct cell_text *text)
{
	struct cell *cell;
	long id;

	for (unsigned i = 0; i < BOARD_CPUS; i++)
		if (bit_test(text->cell.cpus, i) && host_cpu_at(i) == HOST_IN_GUEST)
			board_offline(i);
	id = board_call(0, ABI_HC_CELL_CREATE, BOARD_CONFIG, board_put(text));
	if (id < 0)
		fail_msg("create \"%s\": %ld %s", text->cell.name, id, board_error());
	assert_int_equal(board_poll(ABI_HC_CELL_GET_STATE, (uint64_t)id, 0), ABI_CELL_SHUT_DOWN);
	cell = cell_find(&board.sys, (unsigned)id);
	assert_non_null(cell);
	return cell;
}

struct cell *board_create_running(const struct cell_text *text)
{
	struct cell *cell = board_create(text);

	assert_int_equal(board_call(0, ABI_HC_CELL_START, cell->id, 0), 0);
	host_settle();
	assert_int_equal(host_cpu_at(cell_cpu_from(cell, 0)->id), HOST_IN_GUEST);
	return cell;
}

void board_destroy(unsigned id)
{
	long result;

	if (cell_find(&board.sys, id)->state == CELL_RUNNING)
		assert_int_equal(board_poll(ABI_HC_CELL_SHUTDOWN, id, 0), 0);
	result = board_poll(ABI_HC_CELL_DESTROY, id, 0);
	if (result != 0)
		fail_msg("destroy: %ld %s", result, board_error());
}

static void mix(uint64_t *sum, uint64_t value)
{
	*sum = (*sum ^ value) * 0x100000001b3ull;
	*sum ^= *sum >> 29;
}

/* Page by page, so that the sizes of blocks do not count. */
static void mix_range(uint64_t *sum, const struct space *space, uint64_t from, uint64_t end)
{
	uint64_t at = from;

	while (at < end) {
		struct translation t;
		uint64_t next = at + PAGE_SIZE;

		if (paging_walk(&space->paging, at, &t) == OK)
			for (next = align_down(at, t.size) + t.size; at < next && at < end; at += PAGE_SIZE) {
				mix(sum, at);
				mix(sum, t.to.v | t.flags);
				t.to.v += PAGE_SIZE;
			}
		at = next;
	}
}

uint64_t board_space_digest(const struct space *space)
{
	uint64_t sum = 0xcbf29ce484222325ull;

	mix_range(&sum, space, 0, 0x2000000);
	mix_range(&sum, space, BOARD_UART - 0x10000, BOARD_UART + 0x60000);
	mix_range(&sum, space, BOARD_RAM - 0x10000, BOARD_END + 0x10000);
	mix_range(&sum, space, BOARD_COMM, BOARD_COMM + 0x10000);
	mix_range(&sum, space, 0xffffff0000, 0x10000000000);
	return sum;
}

static void mix_cell(uint64_t *sum, struct cell *cell)
{
	mix(sum, cell->id);
	mix(sum, (uint64_t)cell->state);
	mix(sum, (uintptr_t)cell->config_copy);
	mix(sum, board_space_digest(&cell->space));
	mix(sum, cell->scrub.wanted);
	mix(sum, cell->scrub.total);
	if (cell->console != NULL)
		mix(sum, cell->console->column);
	for (unsigned i = 0; i < BOARD_CPUS; i++)
		mix(sum, host_cell_has_cpu(cell, i));
	for (unsigned i = 0; i < 1024; i++)
		mix(sum, host_cell_has_line(cell, i));
}

static void check_locks(void)
{
	struct system *sys = &board.sys;

	assert_int_equal(sys->lock.next, sys->lock.serving);
	assert_int_equal(sys->log.lock.next, sys->log.lock.serving);
	assert_int_equal(sys->log.own.lock.next, sys->log.own.lock.serving);
	for (unsigned i = 0; i < LOG_CONSOLES; i++)
		assert_int_equal(sys->consoles[i].lock.next, sys->consoles[i].lock.serving);
	for (struct cell *c = sys->root; c != NULL; c = c->next) {
		assert_int_equal(c->lock.next, c->lock.serving);
		assert_int_equal(c->space.lock.next, c->space.lock.serving);
	}
	for (unsigned i = 0; i < BOARD_CPUS; i++)
		assert_int_equal(board.cpus[i].lock.next, board.cpus[i].lock.serving);
}

uint64_t board_digest(void)
{
	struct system *sys = &board.sys;
	uint64_t sum = 0xcbf29ce484222325ull;

	check_locks();
	mix(&sum, sys->pool.used);
	mix(&sum, sys->cell_count);
	mix(&sum, sys->leaving);
	for (struct cell *c = sys->root; c != NULL; c = c->next)
		mix_cell(&sum, c);
	for (unsigned i = 0; i < BOARD_CPUS; i++) {
		mix(&sum, board.cpus[i].cell->id);
		mix(&sum, (uint64_t)board.cpus[i].state);
		mix(&sum, board.cpus[i].stop);
		mix(&sum, board.cpus[i].leave);
	}
	return sum;
}

err_t board_walk(const struct space *space, unsigned cpu, uint64_t at, struct translation *out)
{
	struct paging live = space->paging;

	live.root = space->live;
	return host_walk(&live, cpu, at, out);
}

bool board_filled(uint64_t start, uint64_t size, uint8_t byte)
{
	const uint8_t *p = host_ram(hpa(start));

	return *p == byte && memcmp(p, p + 1, (size_t)size - 1) == 0;
}

void board_fill(uint64_t start, uint64_t size, uint8_t byte)
{
	memset(host_ram(hpa(start)), byte, (size_t)size);
}

const char *board_log(void)
{
	static char text[sizeof(board.log) + 1];
	struct rings rings;

	assert_true(rings_init(&rings, board.log, sizeof(board.log)));
	text[merge_read(&log_seen, &rings, text, sizeof(text) - 1)] = '\0';
	return text;
}
