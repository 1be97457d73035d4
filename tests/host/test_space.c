// SPDX-License-Identifier: GPL-2.0-only
/* What CPUs can reach, with translation caches that forget nothing by themselves. */
#include "board.h"

#include <pthread.h>
#include <time.h>

#include "core/cell.h"
#include "core/cpu.h"
#include "core/guest.h"

static bool reaches(const struct space *space, unsigned cpu, uint64_t at)
{
	struct translation t;

	return board_walk(space, cpu, at, &t) == OK;
}

static void walk_all(const struct space *space, uint64_t start, uint64_t size)
{
	for (unsigned cpu = 0; cpu < HOST_CPUS; cpu++)
		for (uint64_t at = start; at < start + size; at += 8 * PAGE_SIZE)
			(void)reaches(space, cpu, at);
}

static void nowhere(const struct space *space, uint64_t start, uint64_t size)
{
	for (unsigned cpu = 0; cpu < HOST_CPUS; cpu++)
		for (uint64_t at = start; at < start + size; at += 8 * PAGE_SIZE)
			if (reaches(space, cpu, at))
				fail_msg("CPU %u still reaches %#llx", cpu, (unsigned long long)at);
}

/* Root CPUs have used what the cell gets; when create is over none of them can any more. */
static void root_forgets(void **state)
{
	struct cell_text text = board_text("one", 3, BOARD_CELLS + 0x3000);
	struct space *root = &board.sys.root->space;
	struct cell *cell;

	(void)state;
	board_offline(3);
	walk_all(root, BOARD_CELLS, 0x1000000);
	assert_true(reaches(root, 1, BOARD_CELLS + 0x3000));
	assert_int_equal(board_call(0, ABI_HC_CELL_CREATE, BOARD_CONFIG, board_put(&text)), 1);
	nowhere(root, BOARD_CELLS + 0x3000, 0x400000);
	assert_true(reaches(root, 1, BOARD_CELLS + 0x2000));
	assert_true(reaches(root, 1, BOARD_CELLS + 0x403000));
	cell = cell_find(&board.sys, 1);
	assert_int_equal(board_poll(ABI_HC_CELL_GET_STATE, 1, 0), ABI_CELL_SHUT_DOWN);
	assert_int_equal(board_poll(ABI_HC_CELL_SET_LOADABLE, 1, 0), 0);
	walk_all(root, BOARD_CELLS, 0x800000);
	assert_true(reaches(root, 2, BOARD_CELLS + 0x3000));
	assert_int_equal(board_call(0, ABI_HC_CELL_START, 1, 0), 0);
	nowhere(root, BOARD_CELLS + 0x3000, 0x400000);
	assert_int_equal(board_poll(ABI_HC_CELL_SHUTDOWN, 1, 0), 0);
	assert_int_equal(board_poll(ABI_HC_CELL_SET_LOADABLE, cell->id, 0), 0);
	walk_all(root, BOARD_CELLS, 0x800000);
	assert_int_equal(board_call(0, ABI_HC_CELL_DESTROY, 1, 0), -ABI_EAGAIN);
	nowhere(root, BOARD_CELLS + 0x3000, 0x400000);
	assert_int_equal(board_poll(ABI_HC_CELL_DESTROY, 1, 0), 0);
	assert_true(reaches(root, 1, BOARD_CELLS + 0x3000));
}

/* A stopped cell's CPUs reach nothing, whichever way it was stopped. */
static void the_cell_is_cut_off(void **state)
{
	struct cell_text text = board_text("one", 3, BOARD_CELLS);
	static void (*const stops[])(struct cpu *self, void *arg) = {
		board_exit_fail, board_exit_power_off,
	};
	struct cell *cell = board_create(&text);

	(void)state;
	/* before its start it has nothing */
	nowhere(&cell->space, 0, 0x100000);
	for (unsigned i = 0; i <= ARRAY_SIZE(stops); i++) {
		assert_int_equal(board_poll(ABI_HC_CELL_SET_LOADABLE, 1, 0), 0);
		assert_int_equal(board_call(0, ABI_HC_CELL_START, 1, 0), 0);
		host_settle();
		walk_all(&cell->space, 0, 0x100000);
		walk_all(&cell->space, 0x40000000, 0x300000);
		assert_true(reaches(&cell->space, 3, 0x40000000));
		assert_true(reaches(&cell->space, 3, BOARD_COMM));
		if (i < ARRAY_SIZE(stops))
			board_exit(3, stops[i], NULL);
		else
			assert_int_equal(board_call(0, ABI_HC_CELL_SHUTDOWN, 1, 0), -ABI_EAGAIN);
		assert_int_equal(host_tlb_holds(1), 0);
		nowhere(&cell->space, 0, 0x100000);
		nowhere(&cell->space, 0x40000000, 0x300000);
		nowhere(&cell->space, BOARD_COMM, PAGE_SIZE);
		host_settle();
	}
}

/* The next cell has the same tag, other memory, and none of the old translations. */
static void a_tag_is_used_again(void **state)
{
	struct cell_text text = board_text("one", 3, BOARD_CELLS);
	struct cell_text next = board_text("next", 2, BOARD_CELLS + 0x800000);
	struct translation t;
	struct cell *cell = board_create_running(&text);

	(void)state;
	walk_all(&cell->space, 0, 0x100000);
	assert_true(host_tlb_holds(1) > 0);
	board_destroy(1);
	assert_int_equal(host_tlb_holds(1), 0);
	cell = board_create_running(&next);
	assert_int_equal(cell->id, 1);
	for (unsigned cpu = 0; cpu < HOST_CPUS; cpu++) {
		assert_ok(board_walk(&cell->space, cpu, 0, &t));
		assert_int_equal(t.to.v, BOARD_CELLS + 0x800000);
	}
}

/* What speculation found for a cell that is shut down is gone when it starts. */
static void start_forgets_what_was_cached_meanwhile(void **state)
{
	struct cell_text text = board_text("one", 3, BOARD_CELLS);
	struct cell *cell = board_create(&text);
	struct translation t;

	(void)state;
	/* as if walkers had found the unpublished tables, which must not be relied on either way */
	assert_ok(host_walk(&cell->space.paging, 3, 0, &t));
	assert_true(host_tlb_holds(1) > 0);
	assert_int_equal(board_call(0, ABI_HC_CELL_START, 1, 0), 0);
	assert_int_equal(host_tlb_holds(1), 0);
}

static void exactly_the_configured_regions(void **state)
{
	struct cell_text text = board_text("one", 3, BOARD_CELLS);
	struct cell *cell;
	struct translation t;

	(void)state;
	board_add_mem(&text, BOARD_UART, 0x50000000, 0x1000, RW | ABI_MEM_IO);
	board_add_mem(&text, BOARD_CELLS + 0x800000, 0x60000000, 0x2000, ABI_MEM_READ);
	cell = board_create_running(&text);
	for (uint32_t i = 0; i < text.cell.mem_count; i++) {
		const struct abi_mem *m = &text.mem[i];
		uint32_t device = m->flags & ABI_MEM_IO ? MAP_DEVICE : 0;

		assert_ok(board_walk(&cell->space, 3, m->virt, &t));
		assert_int_equal(t.flags, (m->flags & RWX) | device);
		if (!(m->flags & ABI_MEM_COMM))
			assert_int_equal(t.to.v, m->phys);
		assert_ok(board_walk(&cell->space, 3, m->virt + m->size - 1, &t));
		assert_false(reaches(&cell->space, 3, m->virt + m->size));
		assert_false(m->virt != 0 && reaches(&cell->space, 3, m->virt - 1));
	}
	assert_ok(board_walk(&cell->space, 3, BOARD_COMM, &t));
	assert_ptr_equal(pool_virt(&board.sys.pool, t.to), cell->comm);
	assert_false(reaches(&cell->space, 3, BOARD_RAM + 0x1000000));
	assert_false(reaches(&cell->space, 3, BOARD_POOL));
}

static void an_empty_pool(void **state)
{
	struct pool *pool = &board.sys.pool;
	struct space space;
	void *page;
	uint32_t used;

	(void)state;
	/* roots are two pages each: none fits, then one of the two */
	for (unsigned free_pairs = 0; free_pairs < 2; free_pairs++) {
		void *pair = NULL;

		if (free_pairs)
			assert_ok(pool_take(pool, 2, 2, &pair));
		while (pool_take(pool, 2, 2, &page) == OK)
			;
		if (pair)
			pool_give(pool, pair, 2);
		used = pool->used;
		assert_err(space_init(&space, &board.sys.stage2, pool, 5, true), ERR_NO_MEMORY);
		assert_int_equal(pool->used, used);
		if (!pair)
			pool_give(pool, page, 2);
	}
	assert_ok(space_init(&space, &board.sys.stage2, pool, 5, false));
	assert_ptr_equal(space.live, space.paging.root);
	space_free(&space);
	assert_int_equal(pool->used, used);
}

static void try_read(uint64_t from, size_t size, err_t wanted)
{
	uint8_t *to = malloc(size + 1);

	to[size] = 0x99;
	assert_err(guest_read(&board.cpus[0], gpa(from), to, size), wanted);
	if (wanted == OK && size != 0)
		assert_memory_equal(to, host_ram(hpa(from)), size);
	assert_int_equal(to[size], 0x99);
	free(to);
}

static void reading_the_guest(void **state)
{
	struct cell_text text = board_text("one", 3, BOARD_CELLS + 0x10000);

	(void)state;
	for (uint64_t i = 0; i < 3 * PAGE_SIZE; i++) {
		*host_ram(hpa(BOARD_RAM + i)) = (uint8_t)(i * 7 + i / 256);
		*host_ram(hpa(BOARD_CELLS - 3 * PAGE_SIZE + i)) = (uint8_t)(i * 5 + i / 256);
	}
	try_read(BOARD_RAM, 0, OK);
	try_read(0, 0, OK);
	try_read(BOARD_RAM, 1, OK);
	try_read(BOARD_RAM + PAGE_SIZE - 1, 1, OK);
	try_read(BOARD_RAM + PAGE_SIZE - 1, 2, OK);
	try_read(BOARD_RAM + 1, 2 * PAGE_SIZE + 17, OK);
	try_read(BOARD_RAM - 1, 1, ERR_FAULT);
	try_read(BOARD_RAM - 1, 2, ERR_FAULT);
	/* from one region into the next, across a block's border */
	try_read(BOARD_CELLS - 5, 10, OK);
	try_read(BOARD_CELLS_END - 1, 1, OK);
	try_read(BOARD_CELLS_END - 1, 2, ERR_FAULT);
	try_read(BOARD_CELLS_END, 1, ERR_FAULT);
	try_read(BOARD_UART, 4, ERR_FAULT);
	try_read(UINT64_MAX, 1, ERR_FAULT);
	try_read(UINT64_MAX, 2, ERR_FAULT);
	try_read((1ull << 40) - 1, 2, ERR_FAULT);
	board_create(&text);
	try_read(BOARD_CELLS + 0x10000 - 4, 4, OK);
	try_read(BOARD_CELLS + 0x10000 - 4, 5, ERR_FAULT);
	try_read(BOARD_CELLS + 0x410000, 16, OK);
}

/* A cell's CPU reads through the cell's tables, not the root cell's. */
static void reading_a_cell(void **state)
{
	struct cell_text text = board_text("one", 3, BOARD_CELLS);
	uint32_t word = 0;

	(void)state;
	board_create_running(&text);
	memcpy(host_ram(hpa(BOARD_CELLS + 0xffffe)), "abcd", 4);
	memcpy(host_ram(hpa(BOARD_CELLS + 0x100000)), "CD", 2);
	assert_ok(guest_read(&board.cpus[3], gpa(0xffffc), &word, 4));
	assert_memory_equal((uint8_t *)&word + 2, "ab", 2);
	assert_err(guest_read(&board.cpus[3], gpa(0xffffe), &word, 4), ERR_FAULT);
	assert_ok(guest_read(&board.cpus[3], gpa(0x40000000), &word, 2));
	assert_memory_equal(&word, "CD", 2);
	assert_err(guest_read(&board.cpus[3], gpa(BOARD_RAM + 0x1000000), &word, 4), ERR_FAULT);
	assert_err(guest_read(&board.cpus[0], gpa(BOARD_CELLS), &word, 4), ERR_FAULT);
}

#define SOON_NS 20000000
#define LATE_NS 10000000000

static _Thread_local bool stands;
static bool arrived, go_on;
static uint32_t (*real_flags)(uint64_t entry);

static void nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 100000 }, NULL);
}

/* A walk that has found its entry, and stops there. */
static uint32_t flags_in_a_walk(uint64_t entry)
{
	if (stands) {
		__atomic_store_n(&arrived, true, __ATOMIC_RELEASE);
		while (!__atomic_load_n(&go_on, __ATOMIC_ACQUIRE))
			nap();
	}
	return real_flags(entry);
}

struct user {
	struct space *space;
	bool stands, changes, done;
	pthread_t thread;
};

static void *use(void *arg)
{
	struct user *u = arg;
	struct translation t = { .flags = 0 };

	stands = u->stands;
	if (u->changes)
		space_merge(u->space, (struct span){ BOARD_CELLS, 0x200000 });
	else if (space_walk(u->space, gpa(BOARD_CELLS), &t) != OK || t.to.v != BOARD_CELLS)
		return NULL;
	__atomic_store_n(&u->done, true, __ATOMIC_RELEASE);
	return NULL;
}

static bool happens(const bool *what, uint64_t ns)
{
	for (; ns != 0 && !__atomic_load_n(what, __ATOMIC_ACQUIRE); ns -= 100000)
		nap();
	return __atomic_load_n(what, __ATOMIC_ACQUIRE);
}

/* Walks pass each other; a change waits for those under way, and those that come then wait for it. */
static void walks_do_not_wait_for_each_other(void **state)
{
	struct space *space = &board.sys.root->space;
	const struct paging_format *format = space->paging.format;
	struct paging_format stopping = *format;
	struct user slow = { .space = space, .stands = true }, quick = { .space = space },
		    change = { .space = space, .changes = true }, later = { .space = space };
	struct user *users[] = { &slow, &quick, &change, &later };
	bool passed, changing, early;

	(void)state;
	real_flags = format->flags;
	stopping.flags = flags_in_a_walk;
	space->paging.format = &stopping;
	assert_int_equal(pthread_create(&slow.thread, NULL, use, &slow), 0);
	assert_true(happens(&arrived, LATE_NS));
	assert_int_equal(pthread_create(&quick.thread, NULL, use, &quick), 0);
	passed = happens(&quick.done, LATE_NS);
	assert_int_equal(pthread_create(&change.thread, NULL, use, &change), 0);
	changing = happens(&space->changing, LATE_NS);
	assert_int_equal(pthread_create(&later.thread, NULL, use, &later), 0);
	early = happens(&later.done, SOON_NS) || happens(&change.done, SOON_NS);
	__atomic_store_n(&go_on, true, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < ARRAY_SIZE(users); i++)
		assert_int_equal(pthread_join(users[i]->thread, NULL), 0);
	space->paging.format = format;
	assert_true(passed);
	assert_true(changing);
	assert_false(early);
	for (unsigned i = 0; i < ARRAY_SIZE(users); i++)
		assert_true(users[i]->done);
	assert_int_equal(space->walkers, 0);
	assert_false(space->changing);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, board_begin, board_end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(root_forgets),
		TEST(the_cell_is_cut_off),
		TEST(a_tag_is_used_again),
		TEST(start_forgets_what_was_cached_meanwhile),
		TEST(exactly_the_configured_regions),
		TEST(an_empty_pool),
		TEST(reading_the_guest),
		TEST(reading_a_cell),
		TEST(walks_do_not_wait_for_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
