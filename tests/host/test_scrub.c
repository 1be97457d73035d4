// SPDX-License-Identifier: GPL-2.0-only
/* Memory is zero when it changes hands: all of it, nothing else, and before anyone can look. */
#include "board.h"

#include "arch/cpu.h"
#include "core/cell.h"
#include "core/cpu.h"
#include "core/scrub.h"

#define OF_CELL 0xce
#define OF_ROOT 0x5a
#define NOBODYS 0xaa

/* The pages of the cell's private regions that are looked at, wherever it stands. */
static struct {
	const struct cell_text *text;
	unsigned looks;
	unsigned seen_by_root;
	unsigned seen_by_cell;
} watch;

static bool holds(hpa_t at, uint8_t byte)
{
	return memchr(host_ram(hpa(align_down(at.v, PAGE_SIZE))), byte, PAGE_SIZE) != NULL;
}

/* One page through the eyes of a root CPU and of the cell's. */
static void look_at(const struct abi_mem *mem, uint64_t offset)
{
	const struct cell *cell = board.sys.root->next;
	struct translation t;

	if (board_walk(&board.sys.root->space, 0, mem->phys + offset, &t) == OK) {
		watch.seen_by_root++;
		if (holds(t.to, OF_CELL))
			host_complain("the root cell sees the cell's past at %#llx", (unsigned long long)t.to.v);
	}
	if (cell != NULL && board_walk(&cell->space, 3, mem->virt + offset, &t) == OK) {
		watch.seen_by_cell++;
		if (holds(t.to, OF_ROOT))
			host_complain("the cell sees the root cell's past at %#llx", (unsigned long long)t.to.v);
	}
}

static void look(void *arg)
{
	(void)arg;
	watch.looks++;
	for (uint32_t i = 0; i < watch.text->cell.mem_count; i++) {
		const struct abi_mem *mem = &watch.text->mem[i];

		if (mem->flags & (ABI_MEM_IO | ABI_MEM_COMM | ABI_MEM_SHARED))
			continue;
		look_at(mem, 0);
		look_at(mem, align_down(mem->size / 2, PAGE_SIZE));
		look_at(mem, mem->size - PAGE_SIZE);
	}
}

/* With borders of 2 MiB in all kinds of places. */
static struct cell_text ragged_text(void)
{
	struct cell_text text = board_text("ragged", 3, BOARD_CELLS);

	text.cell.mem_count = 0;
	board_add_mem(&text, BOARD_CELLS + 0x1ff000, 0, 0x3000, RWX | ABI_MEM_LOADABLE);
	board_add_mem(&text, BOARD_CELLS + 0x345000, 0x10000000, 0x4bb000, RWX);
	board_add_mem(&text, BOARD_CELLS + 0x800000, 0x20000000, 0x200000, RW | ABI_MEM_LOADABLE);
	board_add_mem(&text, BOARD_CELLS + 0xbff000, 0x30000000, 0x1000, ABI_MEM_READ);
	board_add_mem(&text, 0, BOARD_COMM, PAGE_SIZE, RW | ABI_MEM_COMM);
	board_add_mem(&text, BOARD_CELLS + 0x1000000, 0x50000000, 0x2000, RW | ABI_MEM_SHARED);
	return text;
}

#define RAGGED_CHUNKS (2u + 3u + 1u + 1u)
#define RAGGED_LOADABLE_CHUNKS (2u + 1u)

static bool is_private(const struct cell_text *text, uint64_t at, uint32_t flags)
{
	for (uint32_t i = 0; i < text->cell.mem_count; i++) {
		const struct abi_mem *mem = &text->mem[i];

		if (!(mem->flags & (ABI_MEM_COMM | ABI_MEM_SHARED)) && (mem->flags & flags) == flags &&
		    span_has(mem_host_span(mem), at))
			return true;
	}
	return false;
}

/* Zero where the text says so, `rest` everywhere else in the memory for cells. */
static void check_zeroed(const struct cell_text *text, uint32_t flags, uint8_t rest)
{
	for (uint64_t at = BOARD_CELLS; at < BOARD_CELLS_END; at += PAGE_SIZE)
		if (!board_filled(at, PAGE_SIZE, is_private(text, at, flags) ? 0 : rest))
			fail_msg("the page at %#llx", (unsigned long long)at);
}

static void exactly_what_is_the_cells(void **state)
{
	struct cell_text text = ragged_text();
	struct cell *cell;

	(void)state;
	board_fill(BOARD_CELLS, BOARD_CELLS_END - BOARD_CELLS, NOBODYS);
	board_offline(3);
	assert_int_equal(board_call(0, ABI_HC_CELL_CREATE, BOARD_CONFIG, board_put(&text)), 1);
	cell = cell_find(&board.sys, 1);
	assert_int_equal(cell->scrub.total, RAGGED_CHUNKS);
	assert_int_equal(board_poll(ABI_HC_CELL_GET_STATE, 1, 0), ABI_CELL_SHUT_DOWN);
	assert_int_equal(cell->scrub.done, RAGGED_CHUNKS);
	check_zeroed(&text, 0, NOBODYS);
	board_fill(BOARD_CELLS, BOARD_CELLS_END - BOARD_CELLS, NOBODYS);
	assert_int_equal(board_poll(ABI_HC_CELL_SET_LOADABLE, 1, 0), 0);
	assert_int_equal(cell->scrub.done, RAGGED_LOADABLE_CHUNKS);
	check_zeroed(&text, ABI_MEM_LOADABLE, NOBODYS);
	board_fill(BOARD_CELLS, BOARD_CELLS_END - BOARD_CELLS, NOBODYS);
	assert_int_equal(board_poll(ABI_HC_CELL_DESTROY, 1, 0), 0);
	check_zeroed(&text, 0, NOBODYS);
}

static void fill_private(const struct cell_text *text, uint8_t byte)
{
	for (uint32_t i = 0; i < text->cell.mem_count; i++)
		if (!(text->mem[i].flags & (ABI_MEM_COMM | ABI_MEM_SHARED)))
			board_fill(text->mem[i].phys, text->mem[i].size, byte);
}

/* A whole life with an eye on both sides at every store to a table and every flush. */
static void nobody_sees_the_past(void **state)
{
	struct cell_text text = ragged_text();

	(void)state;
	watch.text = &text;
	watch.looks = watch.seen_by_root = watch.seen_by_cell = 0;
	board_offline(3);
	fill_private(&text, OF_ROOT);
	host_on_step(look, NULL);
	board_create_running(&text);
	look(NULL);
	check_zeroed(&text, 0, 0);
	assert_true(watch.seen_by_root > 0 && watch.seen_by_cell > 0);
	fill_private(&text, OF_CELL);
	board_exit(3, board_exit_fail, NULL);
	look(NULL);
	watch.seen_by_root = watch.seen_by_cell = 0;
	assert_int_equal(board_poll(ABI_HC_CELL_SET_LOADABLE, 1, 0), 0);
	look(NULL);
	assert_true(watch.seen_by_root > 0);
	assert_int_equal(watch.seen_by_cell, 0);
	assert_int_equal(board_call(0, ABI_HC_CELL_START, 1, 0), 0);
	host_settle();
	fill_private(&text, OF_CELL);
	watch.seen_by_root = 0;
	assert_int_equal(board_poll(ABI_HC_CELL_SHUTDOWN, 1, 0), 0);
	look(NULL);
	assert_int_equal(watch.seen_by_root, 0);
	assert_int_equal(board_poll(ABI_HC_CELL_DESTROY, 1, 0), 0);
	look(NULL);
	assert_true(watch.seen_by_root > 0);
	assert_string_equal(host_complaint(), "");
	host_on_step(NULL, NULL);
}

/* The eye would see it: the same with memory that was not zeroed. */
static void the_eye_sees(void **state)
{
	struct cell_text text = ragged_text();

	(void)state;
	watch.text = &text;
	board_create_running(&text);
	board_fill(BOARD_CELLS + 0x1ff000, 1, OF_ROOT);
	look(NULL);
	assert_non_null(strstr(host_complaint(), "the cell sees the root cell's past"));
	board_destroy(1);
	host_reset();
	board_fill(BOARD_CELLS + 0x345000, 1, OF_CELL);
	look(NULL);
	assert_non_null(strstr(host_complaint(), "the root cell sees the cell's past"));
	host_reset();
}

/* Several CPUs take chunks; one that is late is waited for. */
static void by_all_its_cpus(void **state)
{
	struct cell_text text = ragged_text();
	struct cell *cell;

	(void)state;
	text.cell.cpus[0] = 0xe;
	board_fill(BOARD_CELLS, BOARD_CELLS_END - BOARD_CELLS, NOBODYS);
	for (unsigned cpu = 1; cpu < BOARD_CPUS; cpu++)
		board_offline(cpu);
	assert_int_equal(board_call(0, ABI_HC_CELL_CREATE, BOARD_CONFIG, board_put(&text)), 1);
	cell = cell_find(&board.sys, 1);
	/* each has claimed a chunk and opens its window */
	for (unsigned cpu = 1; cpu < BOARD_CPUS; cpu++) {
		host_cpu_pause_in(cpu, 1);
		host_cpu_run(cpu);
		assert_int_equal(host_cpu_at(cpu), HOST_PAUSED);
	}
	assert_int_equal(cell->scrub.next, 3);
	assert_int_equal(cell->scrub.done, 0);
	host_cpu_run(1);
	assert_int_equal(host_cpu_at(1), HOST_WAITING);
	assert_int_equal(cell->scrub.done, RAGGED_CHUNKS - 2);
	assert_int_equal(board_call(0, ABI_HC_CELL_GET_STATE, 1, 0), -ABI_EAGAIN);
	assert_int_equal(board_call(0, ABI_HC_CELL_START, 1, 0), -ABI_EBUSY);
	host_cpu_run(3);
	assert_int_equal(board_call(0, ABI_HC_CELL_GET_STATE, 1, 0), -ABI_EAGAIN);
	host_cpu_run(2);
	assert_int_equal(board_call(0, ABI_HC_CELL_GET_STATE, 1, 0), ABI_CELL_SHUT_DOWN);
	check_zeroed(&text, 0, NOBODYS);
}

/* A root CPU that waits for work of its own has nothing to zero. */
static void only_by_its_own(void **state)
{
	struct cell_text text = ragged_text();

	(void)state;
	board_offline(2);
	board_offline(3);
	assert_int_equal(board_call(0, ABI_HC_CELL_CREATE, BOARD_CONFIG, board_put(&text)), 1);
	host_cpu_run(2);
	assert_int_equal(host_cpu_at(2), HOST_WAITING);
	assert_int_equal(cell_find(&board.sys, 1)->scrub.next, 0);
}

/* No RAM of its own but what is too little to matter: finished at once, in every direction. */
static void nothing_to_zero(void **state)
{
	struct cell_text text = board_text("io", 3, BOARD_CELLS);

	(void)state;
	text.cell.mem_count = 0;
	board_add_mem(&text, BOARD_CELLS, 0, 0x2000, RWX | ABI_MEM_SHARED);
	board_add_mem(&text, BOARD_UART, BOARD_UART, 0x1000, RW | ABI_MEM_IO);
	board_fill(BOARD_CELLS, 0x2000, NOBODYS);
	board_create_running(&text);
	assert_int_equal(board_poll(ABI_HC_CELL_SHUTDOWN, 1, 0), 0);
	assert_int_equal(board_poll(ABI_HC_CELL_SET_LOADABLE, 1, 0), 0);
	assert_int_equal(board_poll(ABI_HC_CELL_DESTROY, 1, 0), 0);
	assert_true(board_filled(BOARD_CELLS, 0x2000, NOBODYS));
}

/*
 * CPU 3 is held up as it looks for work. Meanwhile the others end what is zeroed, and the
 * next begins: it must see the one or the other, never half of each.
 */
static void late_between_two(void **state)
{
	struct cell_text text = ragged_text();
	struct cell *cell;

	(void)state;
	board_offline(3);
	assert_int_equal(board_call(0, ABI_HC_CELL_CREATE, BOARD_CONFIG, board_put(&text)), 1);
	cell = cell_find(&board.sys, 1);
	board_fill(BOARD_CELLS, BOARD_CELLS_END - BOARD_CELLS, NOBODYS);
	lock_take(&cell->scrub.lock);
	/* one chunk is left when it looks */
	cell->scrub.next = RAGGED_CHUNKS - 1;
	cell->scrub.done = RAGGED_CHUNKS - 1;
	host_cpu_go(3);
	assert_false(host_cpu_stopped(3, 20));
	/* not any more: of what may be loaded all is left, of the rest nothing */
	cell->scrub.wanted = ABI_MEM_LOADABLE;
	cell->scrub.total = RAGGED_LOADABLE_CHUNKS;
	cell->scrub.next = 0;
	cell->scrub.done = 0;
	lock_drop(&cell->scrub.lock);
	host_settle();
	assert_int_equal(cell->scrub.next, RAGGED_LOADABLE_CHUNKS);
	assert_int_equal(cell->scrub.done, RAGGED_LOADABLE_CHUNKS);
	check_zeroed(&text, ABI_MEM_LOADABLE, NOBODYS);
}

/* A whole one ends, its cell with it, and the CPU that was late is another cell's by then. */
static void late_for_a_cell_that_is_gone(void **state)
{
	struct cell_text old = ragged_text();
	struct cell_text new = board_text("new", 3, BOARD_CELLS + 0x1800000);

	(void)state;
	old.cell.cpus[0] = 0xc;
	board_create(&old);
	assert_int_equal(board_call(0, ABI_HC_CELL_DESTROY, 1, 0), -ABI_EAGAIN);
	/* CPU 2 does it all; CPU 3 has not looked yet */
	host_cpu_run(2);
	assert_int_equal(host_cpu_at(3), HOST_WAITING);
	assert_int_equal(board_call(0, ABI_HC_CELL_DESTROY, 1, 0), 0);
	board_fill(BOARD_CELLS, BOARD_CELLS_END - BOARD_CELLS, NOBODYS);
	assert_int_equal(board_call(0, ABI_HC_CELL_CREATE, BOARD_CONFIG, board_put(&new)), 1);
	host_settle();
	assert_int_equal(board_poll(ABI_HC_CELL_GET_STATE, 1, 0), ABI_CELL_SHUT_DOWN);
	check_zeroed(&new, 0, NOBODYS);
}

/* What a guest with its caches on leaves behind in the first and last page of each region. */
static void dirty_private(const struct cell_text *text, uint8_t byte)
{
	struct cpu *self = &board.cpus[3];

	for (uint32_t i = 0; i < text->cell.mem_count; i++) {
		const struct abi_mem *mem = &text->mem[i];
		const uint64_t pages[] = { mem->phys, mem->phys + mem->size - PAGE_SIZE };

		if (mem->flags & (ABI_MEM_COMM | ABI_MEM_SHARED))
			continue;
		for (unsigned n = 0; n < ARRAY_SIZE(pages); n++) {
			memset(arch_window_open(self, hpa(pages[n]), PAGE_SIZE), byte, PAGE_SIZE);
			arch_window_close(self);
		}
	}
}

static bool is_clean(uint64_t page)
{
	bool clean;

	assert_string_equal(host_complaint(), "");
	host_ram_check_cleaned((struct span){ page, PAGE_SIZE });
	clean = host_complaint()[0] == '\0';
	if (!clean)
		host_reset();
	return clean;
}

/* In memory, and as the guest left it. */
static void check_clean(const struct cell_text *text, uint8_t byte)
{
	for (uint32_t i = 0; i < text->cell.mem_count; i++) {
		const struct abi_mem *mem = &text->mem[i];

		if (mem->flags & (ABI_MEM_COMM | ABI_MEM_SHARED))
			continue;
		assert_true(is_clean(mem->phys) && is_clean(mem->phys + mem->size - PAGE_SIZE));
		assert_true(board_filled(mem->phys, PAGE_SIZE, byte));
		assert_true(board_filled(mem->phys + mem->size - PAGE_SIZE, PAGE_SIZE, byte));
	}
}

/* The model complains of a guest that begins over memory that is still in a cache. */
static void started_again_it_is_cleaned(void **state)
{
	struct cell_text text = ragged_text();
	struct vcpu_start last;

	(void)state;
	board_create_running(&text);
	host_cpu_starts(3, &last);
	assert_false(last.clean);
	dirty_private(&text, OF_CELL);
	assert_int_equal(board_poll(ABI_HC_CELL_SHUTDOWN, 1, 0), 0);
	assert_false(is_clean(text.mem[1].phys));
	assert_int_equal(board_call(0, ABI_HC_CELL_START, 1, 0), 0);
	host_settle();
	assert_int_equal(host_cpu_starts(3, &last), 2);
	check_clean(&text, OF_CELL);
	/* and when it starts itself again */
	dirty_private(&text, OF_ROOT);
	board_exit(3, board_exit_reset, NULL);
	host_settle();
	assert_int_equal(host_cpu_starts(3, &last), 3);
	check_clean(&text, OF_ROOT);
	/* and after loading, which zeroes a part only */
	dirty_private(&text, OF_CELL);
	board_exit(3, board_exit_fail, NULL);
	assert_int_equal(board_poll(ABI_HC_CELL_SET_LOADABLE, 1, 0), 0);
	assert_int_equal(board_call(0, ABI_HC_CELL_START, 1, 0), 0);
	host_settle();
	assert_int_equal(host_cpu_starts(3, &last), 4);
	assert_true(is_clean(text.mem[1].phys) && is_clean(text.mem[3].phys));
}

/* Each chunk is opened and cleaned: two calls; before which one the shutdown comes in between. */
static void shut_down_while_cleaned(void **state)
{
	struct cell_text text = ragged_text();
	uint64_t last_page = text.mem[3].phys;
	struct vcpu_start last;

	(void)state;
	board_create_running(&text);
	for (unsigned n = 1; n < 2 * RAGGED_CHUNKS - 1; n++) {
		unsigned starts = host_cpu_starts(3, &last);

		/* another byte each time: only what changes is dirty */
		dirty_private(&text, (uint8_t)(OF_CELL + n));
		assert_int_equal(board_poll(ABI_HC_CELL_SHUTDOWN, 1, 0), 0);
		assert_int_equal(board_call(0, ABI_HC_CELL_START, 1, 0), 0);
		host_cpu_pause_in(3, n);
		host_cpu_run(3);
		assert_int_equal(host_cpu_at(3), HOST_PAUSED);
		assert_int_equal(board_call(0, ABI_HC_CELL_SHUTDOWN, 1, 0), -ABI_EAGAIN);
		assert_int_equal(board_poll(ABI_HC_CELL_SHUTDOWN, 1, 0), 0);
		assert_int_equal(host_cpu_at(3), HOST_WAITING);
		assert_int_equal(board.cpus[3].state, CPU_PARKED);
		assert_int_equal(host_cpu_starts(3, &last), starts);
		/* it did not first go through all of it */
		assert_false(is_clean(last_page));
		assert_int_equal(board_call(0, ABI_HC_CELL_START, 1, 0), 0);
		host_settle();
		assert_int_equal(host_cpu_starts(3, &last), starts + 1);
		check_clean(&text, (uint8_t)(OF_CELL + n));
	}
}

/* The model notices a guest that would find what lies in a cache only. */
static void the_model_wants_it_cleaned(void **state)
{
	struct cpu *self = &board.cpus[3];
	struct span span = { BOARD_CELLS + PAGE_SIZE, 2 * PAGE_SIZE };
	uint8_t *at;

	(void)state;
	at = arch_window_open(self, hpa(span.start), span.size);
	at[PAGE_SIZE] = 1;
	arch_window_close(self);
	host_ram_check_cleaned((struct span){ span.start, PAGE_SIZE });
	assert_string_equal(host_complaint(), "");
	host_ram_check_cleaned(span);
	assert_non_null(strstr(host_complaint(), "was written and not cleaned"));
	host_reset();
	at = arch_window_open(self, hpa(span.start), span.size);
	memset(at, 0, span.size);
	arch_memory_clean(at, span.size);
	arch_window_close(self);
	host_ram_check_cleaned(span);
	assert_string_equal(host_complaint(), "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, board_begin, board_end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(exactly_what_is_the_cells),
		TEST(nobody_sees_the_past),
		TEST(the_eye_sees),
		TEST(by_all_its_cpus),
		TEST(only_by_its_own),
		TEST(nothing_to_zero),
		TEST(late_between_two),
		TEST(late_for_a_cell_that_is_gone),
		TEST(started_again_it_is_cleaned),
		TEST(shut_down_while_cleaned),
		TEST(the_model_wants_it_cleaned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
