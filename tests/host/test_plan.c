// SPDX-License-Identifier: GPL-2.0-only
/* A cell comes, or does not come at all; and whatever comes goes again without a trace. */
#include "board.h"

#include "core/cell.h"
#include "core/cpu.h"
#include "core/plan.h"

#define UNIT 0x11000ull			/* of random regions: no block, and no part of one */

static void **taken;
static uint32_t taken_count;

/* Leaves `left` pages of the pool free, in pieces. */
static void starve(uint32_t left, uint64_t *seed)
{
	struct pool *pool = &board.sys.pool;

	taken = calloc(pool->pages, sizeof(*taken));
	taken_count = 0;
	while (pool_take(pool, 1, 1, &taken[taken_count]) == OK)
		taken_count++;
	for (; left > 0; left--) {
		uint32_t i = *seed == 0 ? taken_count - 1 : test_below(seed, taken_count);

		pool_give(pool, taken[i], 1);
		taken[i] = taken[--taken_count];
	}
}

static void feed(void)
{
	while (taken_count > 0)
		pool_give(&board.sys.pool, taken[--taken_count], 1);
	free(taken);
	taken = NULL;
}

/* With every number of pages that is too few. Returns how many that were. */
static unsigned fail_at_every_page(const struct cell_text *text, uint64_t seed)
{
	uint64_t size = board_put(text);
	uint32_t left = 0;
	long result;

	do {
		uint64_t before;
		uint32_t used = board.sys.pool.used;

		starve(left, &seed);
		before = board_digest();
		result = board_call(0, ABI_HC_CELL_CREATE, BOARD_CONFIG, size);
		if (result < 0) {
			assert_int_equal(result, -ABI_ENOMEM);
			assert_non_null(strstr(board_error(), "memory is used up"));
			assert_true(board_digest() == before);
			assert_string_equal(host_complaint(), "");
			left++;
		}
		feed();
		if (result < 0)
			assert_int_equal(board.sys.pool.used, used);
	} while (result < 0);
	assert_int_equal(board_poll(ABI_HC_CELL_GET_STATE, (uint64_t)result, 0), ABI_CELL_SHUT_DOWN);
	board_destroy((unsigned)result);
	return left;
}

/* The blocks of the root cell are split at both ends, and the cell's own tables are many. */
static struct cell_text needy_text(void)
{
	struct cell_text text = board_text("needy", 3, BOARD_CELLS + 0x5000);

	text.mem[0].size = 0x3000;
	text.mem[1].phys = BOARD_CELLS + 0x3ff000;
	text.mem[1].size = 0x402000;
	board_add_mem(&text, BOARD_CELLS + 0x1234000, 0x7000000000, 0x1000, RW);
	board_add_mem(&text, BOARD_UART + 0x3000, BOARD_UART, 0x1000, RW | ABI_MEM_IO);
	board_add_mem(&text, BOARD_CELLS + 0x1500000, 0x1500000, 0x5000, RW | ABI_MEM_SHARED);
	return text;
}

static void without_memory(void **state)
{
	struct cell_text text = needy_text();
	uint64_t before, seed;

	(void)state;
	board_offline(3);
	board_offline(2);
	before = board_digest();
	/* cell, configuration, 2 roots of 2, communication page, architecture, tables */
	assert_true(fail_at_every_page(&text, 0) > 15);
	for (seed = 1; seed < 6; seed++)
		fail_at_every_page(&text, seed);
	assert_true(board_digest() == before);
}

/* The same beside another cell, in the same blocks, that is open for loading. */
static void without_memory_beside_another(void **state)
{
	struct cell_text text = needy_text();
	struct cell_text other = board_text("other", 2, BOARD_CELLS + 0x8000);
	uint64_t before;

	(void)state;
	other.mem[0].size = 0x2000;
	other.mem[1].phys = BOARD_CELLS + 0xa000;
	other.mem[1].size = 0x1000;
	board_offline(3);
	board_offline(2);
	before = board_digest();
	board_create(&other);
	assert_int_equal(board_poll(ABI_HC_CELL_SET_LOADABLE, 1, 0), 0);
	fail_at_every_page(&text, 0);
	fail_at_every_page(&text, 7);
	board_destroy(1);
	assert_true(board_digest() == before);
}

static void refuse(uint64_t at, uint64_t size, long wanted, const char *words)
{
	uint64_t before = board_digest();
	long result = board_call(0, ABI_HC_CELL_CREATE, at, size);

	if (result != wanted || !strstr(board_error(), words))
		fail_msg("create(%#llx, %llu): %ld \"%s\", not %ld \"%s\"", (unsigned long long)at,
			 (unsigned long long)size, result, board_error(), wanted, words);
	assert_true(board_digest() == before);
}

static void from_the_wrong_place(void **state)
{
	struct cell_text text = board_text("one", 3, BOARD_CELLS);
	struct cell_text other = board_text("two", 2, BOARD_CELLS + 0x800000);
	uint64_t size = board_put(&text);

	(void)state;
	board_offline(3);
	refuse(BOARD_CONFIG, 0, -ABI_EINVAL, "size");
	refuse(BOARD_CONFIG, sizeof(struct abi_header) - 1, -ABI_EINVAL, "size");
	refuse(BOARD_CONFIG, size - 1, -ABI_EINVAL, "");
	refuse(BOARD_CONFIG, size + 1, -ABI_EINVAL, "");
	refuse(BOARD_CONFIG, ABI_CONFIG_MAX_SIZE + 1, -ABI_E2BIG, "at most 65536");
	refuse(BOARD_CONFIG, UINT64_MAX, -ABI_E2BIG, "at most 65536");
	refuse(BOARD_RAM - 16, size, -ABI_EFAULT, "not in the root cell's memory");
	refuse(BOARD_CELLS_END - 16, size, -ABI_EFAULT, "not in the root cell's memory");
	refuse(BOARD_POOL, size, -ABI_EFAULT, "not in the root cell's memory");
	refuse(BOARD_UART, size, -ABI_EFAULT, "not in the root cell's memory");
	refuse(UINT64_MAX - 15, size, -ABI_EFAULT, "not in the root cell's memory");
	board_create(&other);
	refuse(BOARD_CELLS + 0x800000, size, -ABI_EFAULT, "not in the root cell's memory");
	refuse(BOARD_CONFIG, board_put(&other), -ABI_EEXIST, "two");
	text = board_text("two", 3, BOARD_CELLS);
	refuse(BOARD_CONFIG, board_put(&text), -ABI_EEXIST, "two");
	text = board_text("one", 3, BOARD_CELLS + 0x7ff000);
	refuse(BOARD_CONFIG, board_put(&text), -ABI_EBUSY, "overlaps");
	text = board_text("one", 2, BOARD_CELLS);
	refuse(BOARD_CONFIG, board_put(&text), -ABI_EBUSY, "CPU 2");
}

static void with_any_bit_flipped(void **state)
{
	struct cell_text text = board_text("one", 3, BOARD_CELLS);
	uint64_t size = board_put(&text);
	uint64_t before;

	(void)state;
	board_offline(3);
	before = board_digest();
	for (uint64_t i = 0; i < size; i++) {
		uint8_t *byte = host_ram(hpa(BOARD_CONFIG + i));

		*byte ^= (uint8_t)(1u << i % 8);
		assert_true(board_call(0, ABI_HC_CELL_CREATE, BOARD_CONFIG, size) < 0);
		assert_true(board_error()[0] != '\0');
		assert_true(board_digest() == before);
		*byte ^= (uint8_t)(1u << i % 8);
	}
	assert_int_equal(board_call(0, ABI_HC_CELL_CREATE, BOARD_CONFIG, size), 1);
	assert_string_equal(board_error(), "");
}

static void with_a_cpu_online(void **state)
{
	struct cell_text text = board_text("one", 3, BOARD_CELLS);

	(void)state;
	text.cell.cpus[0] = 0xe;
	board_offline(1);
	board_offline(2);
	refuse(BOARD_CONFIG, board_put(&text), -ABI_EBUSY, "CPU 3 is online");
	assert_ptr_equal(board.cpus[1].cell, board.sys.root);
	assert_int_equal(board_online(1), OK);
	assert_int_equal(host_cpu_at(1), HOST_IN_GUEST);
	text.cell.cpus[0] = 0xf;
	refuse(BOARD_CONFIG, board_put(&text), -ABI_EPERM, "left without one");
	/* one on its way online is not to be had either */
	assert_ok(cpu_start(board.sys.root, &board.cpus[2], &(struct vcpu_start){ .entry = gpa(BOARD_RAM) }));
	text.cell.cpus[0] = 0x4;
	refuse(BOARD_CONFIG, board_put(&text), -ABI_EBUSY, "CPU 2 is online");
	host_settle();
	assert_int_equal(host_cpu_at(2), HOST_IN_GUEST);
}

/* The root cell writes another configuration while the first is looked at, at every moment it can. */
static void copied_once(void **state)
{
	bool paused = true;
	bool seen[2] = { false, false };

	(void)state;
	board_offline(3);
	for (unsigned n = 1; paused; n++) {
		struct cell_text first = board_text("first", 3, BOARD_CELLS);
		struct cell_text second = board_text("second", 3, BOARD_CELLS + 0x801000);
		const long *result;
		struct cell *cell;
		bool is_second;

		result = board_call_begin(0, ABI_HC_CELL_CREATE, BOARD_CONFIG, board_put(&first));
		host_cpu_pause_in(0, n);
		host_cpu_run(0);
		paused = host_cpu_at(0) == HOST_PAUSED;
		assert_int_equal(board_put(&second), sizeof(first) - 5 * 64 - 3 * 16);
		host_settle();
		assert_int_equal(*result, 1);
		cell = cell_find(&board.sys, 1);
		is_second = strcmp(cell->config.cell->name, "second") == 0;
		assert_int_equal(cell->config.mem[0].phys, is_second ? BOARD_CELLS + 0x801000 : BOARD_CELLS);
		seen[is_second] = true;
		host_cpu_pause_in(0, 0);
		assert_int_equal(board_poll(ABI_HC_CELL_GET_STATE, 1, 0), ABI_CELL_SHUT_DOWN);
		board_destroy(1);
	}
	assert_true(seen[0] && seen[1]);
}

static void ids_are_used_again(void **state)
{
	struct cell_text text[3];

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		char name[2] = { (char)('a' + i), '\0' };

		text[i] = board_text(name, i + 1, BOARD_CELLS + i * 0x800000);
		assert_int_equal(board_create(&text[i])->id, i + 1);
	}
	assert_int_equal(board.sys.cell_count, 4);
	board_destroy(2);
	board_destroy(1);
	assert_int_equal(board_create(&text[1])->id, 1);
	assert_int_equal(board_create(&text[0])->id, 2);
	assert_int_equal(board.sys.cell_count, 4);
	assert_ptr_equal(cell_find(&board.sys, 3)->next, cell_find(&board.sys, 1));
	assert_null(cell_find(&board.sys, 0));
}

/* Who may see each page of the reserved memory: the model of the random test. */
struct owner {
	unsigned cell;			/* 0: the root cell */
	bool loadable;
};
static struct owner owners[(BOARD_CELLS_END - BOARD_CELLS) / UNIT];

static void check_owners(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(owners); i++) {
		uint64_t at = BOARD_CELLS + i * UNIT;
		struct cell *cell = cell_find(&board.sys, owners[i].cell);
		struct translation t;
		bool root = space_walk(&board.sys.root->space, gpa(at), &t) == OK;
		bool last = space_walk(&board.sys.root->space, gpa(at + UNIT - PAGE_SIZE), &t) == OK;
		bool wanted = owners[i].cell == 0 ||
			      (owners[i].loadable && cell->state == CELL_LOADABLE);

		if (root != wanted || last != wanted)
			fail_msg("%#llx of cell %u is %sthe root cell's", (unsigned long long)at,
				 owners[i].cell, root ? "" : "not ");
	}
}

/* On CPU `cpu`, of one to five runs of units that are nobody's. */
static struct cell_text random_text(unsigned cpu, uint64_t *seed, bool *fits)
{
	char name[8];
	struct cell_text text;
	unsigned regions = 1 + test_below(seed, 5);

	snprintf(name, sizeof(name), "cpu%u", cpu);
	text = board_text(name, cpu, BOARD_CELLS);
	text.cell.mem_count = 0;
	for (unsigned r = 0; r < regions; r++) {
		unsigned first = test_below(seed, ARRAY_SIZE(owners) - 40);
		unsigned count = 1 + test_below(seed, 40);
		unsigned i = first;
		uint32_t flags = RWX | (test_below(seed, 2) ? ABI_MEM_LOADABLE : 0);

		while (i < first + count && owners[i].cell == 0)
			owners[i++] = (struct owner){ 99, (flags & ABI_MEM_LOADABLE) != 0 };
		if (i > first)
			board_add_mem(&text, BOARD_CELLS + first * UNIT, r * 0x10000000ull, (i - first) * UNIT,
				      flags);
	}
	text.cell.entry = text.mem[0].virt;
	*fits = text.cell.mem_count > 0;
	return text;
}

static void own(unsigned from, unsigned to)
{
	for (unsigned i = 0; i < ARRAY_SIZE(owners); i++)
		if (owners[i].cell == from)
			owners[i].cell = to;
}

static bool create_at_random(unsigned cpu, uint64_t *seed)
{
	bool fits;
	struct cell_text text = random_text(cpu, seed, &fits);

	if (fits)
		own(99, board_create(&text)->id);
	else
		own(99, 0);
	return fits;
}

static void live_at_random(struct cell *cell, uint64_t *seed)
{
	unsigned cpu = cell_cpu_from(cell, 0)->id;

	switch (test_below(seed, 5)) {
	case 0:
		assert_int_equal(board_poll(ABI_HC_CELL_SHUTDOWN, cell->id, 0), 0);
		assert_int_equal(board_poll(ABI_HC_CELL_SET_LOADABLE, cell->id, 0), 0);
		break;
	case 1:
		if (host_cpu_at(cpu) != HOST_IN_GUEST)
			board_poll(ABI_HC_CELL_START, cell->id, 0);
		host_settle();
		break;
	case 2:
		if (host_cpu_at(cpu) == HOST_IN_GUEST)
			board_exit(cpu, test_below(seed, 2) ? board_exit_fail : board_exit_power_off, NULL);
		break;
	default:
		board_destroy(cell->id);
		own(cell->id, 0);
		break;
	}
}

static void two_hundred_at_random(void **state)
{
	uint64_t seed = 20;
	uint64_t before;
	unsigned created = 0;

	(void)state;
	for (unsigned cpu = 1; cpu < BOARD_CPUS; cpu++)
		board_offline(cpu);
	before = board_digest();
	memset(owners, 0, sizeof(owners));
	while (created < 200) {
		unsigned cpu = 1 + test_below(&seed, BOARD_CPUS - 1);
		struct cell *cell = board.cpus[cpu].cell;

		if (cell_is_root(cell))
			created += create_at_random(cpu, &seed);
		else
			live_at_random(cell, &seed);
		check_owners();
		assert_string_equal(host_complaint(), "");
	}
	while (board.sys.root->next != NULL)
		board_destroy(board.sys.root->next->id);
	assert_true(board_digest() == before);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, board_begin, board_end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(without_memory),
		TEST(without_memory_beside_another),
		TEST(from_the_wrong_place),
		TEST(with_any_bit_flipped),
		TEST(with_a_cpu_online),
		TEST(copied_once),
		TEST(ids_are_used_again),
		TEST(two_hundred_at_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
