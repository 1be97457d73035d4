// SPDX-License-Identifier: GPL-2.0-only
/* Who may call what, with which numbers; and the end of it all. */
#include "board.h"

#include "core/cell.h"
#include "core/cpu.h"
#include "core/hypercall.h"

#define OUT_OF_TABLE (ABI_HC_CONSOLE_INPUT + 1ull)

static const uint64_t bad_ids[] = { 0, 2, 63, UINT16_MAX, UINT16_MAX + 2, 1ull << 32 | 1, UINT64_MAX };

static void unchanged(unsigned cpu, uint64_t number, uint64_t a, uint64_t b, long wanted)
{
	uint64_t before = board_digest();
	long result = board_call(cpu, number, a, b);

	if (result != wanted)
		fail_msg("CPU %u: call %#llx(%#llx, %#llx): %ld, not %ld", cpu, (unsigned long long)number,
			 (unsigned long long)a, (unsigned long long)b, result, wanted);
	assert_true(board_digest() == before);
}

static void numbers_that_are_none(void **state)
{
	static const uint64_t numbers[] = {
		OUT_OF_TABLE, OUT_OF_TABLE + 1, 1000, 1ull << 32, 1ull << 32 | ABI_HC_INFO, 1ull << 63, UINT64_MAX,
	};
	struct cell_text text = board_text("one", 3, BOARD_CELLS);

	(void)state;
	board_create_running(&text);
	for (unsigned i = 0; i < ARRAY_SIZE(numbers); i++) {
		unchanged(0, numbers[i], 0, 0, -ABI_ENOSYS);
		unchanged(3, numbers[i], 0, 0, -ABI_ENOSYS);
	}
}

static void cells_manage_nothing(void **state)
{
	static const uint64_t numbers[] = {
		ABI_HC_DISABLE, ABI_HC_CELL_CREATE, ABI_HC_CELL_START, ABI_HC_CELL_SET_LOADABLE,
		ABI_HC_CELL_DESTROY, ABI_HC_CELL_GET_STATE, ABI_HC_CELL_SHUTDOWN, ABI_HC_CONSOLE_INPUT,
	};
	struct cell_text text = board_text("one", 3, BOARD_CELLS);
	struct cell_text other = board_text("other", 2, BOARD_CELLS + 0x800000);

	(void)state;
	board_create_running(&text);
	board_create(&other);
	for (unsigned i = 0; i < ARRAY_SIZE(numbers); i++) {
		for (unsigned k = 0; k < ARRAY_SIZE(bad_ids); k++)
			unchanged(3, numbers[i], bad_ids[k], 0, -ABI_EPERM);
		unchanged(3, numbers[i], 1, 0, -ABI_EPERM);
		unchanged(3, numbers[i], BOARD_CONFIG, board_put(&other), -ABI_EPERM);
	}
}

static void names_of_no_cell(void **state)
{
	static const uint64_t numbers[] = {
		ABI_HC_CELL_START, ABI_HC_CELL_SET_LOADABLE, ABI_HC_CELL_DESTROY, ABI_HC_CELL_SHUTDOWN,
	};
	struct cell_text text = board_text("one", 3, BOARD_CELLS);

	(void)state;
	board_create(&text);
	for (unsigned i = 0; i < ARRAY_SIZE(numbers); i++)
		for (unsigned k = 0; k < ARRAY_SIZE(bad_ids); k++) {
			unchanged(0, numbers[i], bad_ids[k], 0, -ABI_ENOENT);
			assert_non_null(strstr(board_error(), "there is no cell with id"));
		}
	/* the root cell has a state, and it is not managed */
	unchanged(0, ABI_HC_CELL_GET_STATE, 0, 0, ABI_CELL_RUNNING);
	for (unsigned k = 1; k < ARRAY_SIZE(bad_ids); k++)
		unchanged(1, ABI_HC_CELL_GET_STATE, bad_ids[k], 0, -ABI_ENOENT);
}

/* The words of an error stay until the next management call, and go with its success. */
static void the_reason_in_words(void **state)
{
	struct cell_text text = board_text("one", 3, BOARD_CELLS);

	(void)state;
	board_create(&text);
	unchanged(0, ABI_HC_CELL_START, 9, 0, -ABI_ENOENT);
	assert_string_equal(board_error(), "there is no cell with id 9");
	unchanged(0, ABI_HC_CELL_GET_STATE, 1, 0, ABI_CELL_SHUT_DOWN);
	unchanged(0, ABI_HC_INFO, ABI_INFO_CELLS, 0, 2);
	assert_string_equal(board_error(), "there is no cell with id 9");
	assert_int_equal(board_call(0, ABI_HC_CELL_START, 1, 0), 0);
	assert_string_equal(board_error(), "");
}

static void two_managers(void **state)
{
	struct cell_text text = board_text("one", 3, BOARD_CELLS);

	(void)state;
	board_create(&text);
	lock_take(&board.sys.lock);
	/* these need no lock; all others wait */
	assert_int_equal(board_call(0, ABI_HC_INFO, ABI_INFO_CELLS, 0), 2);
	assert_int_equal(board_call(0, ABI_HC_CPU_INFO, 3, ABI_CPU_INFO_STATE), ABI_CPU_RUNNING);
	lock_drop(&board.sys.lock);
	assert_int_equal(board_call(0, ABI_HC_CELL_START, 1, 0), 0);
}

static void info(void **state)
{
	struct cell_text text = board_text("one", 3, BOARD_CELLS);
	long before = board_call(0, ABI_HC_INFO, ABI_INFO_POOL_USED, 0);

	(void)state;
	assert_int_equal(before, board.sys.pool.used);
	board_create_running(&text);
	for (unsigned cpu = 0; cpu < BOARD_CPUS; cpu += 3) {
		unchanged(cpu, ABI_HC_INFO, ABI_INFO_POOL_SIZE, 0, (long)board.sys.pool.pages);
		unchanged(cpu, ABI_HC_INFO, ABI_INFO_POOL_USED, 0, (long)board.sys.pool.used);
		unchanged(cpu, ABI_HC_INFO, ABI_INFO_REMAP_SIZE, 0, 0);
		unchanged(cpu, ABI_HC_INFO, ABI_INFO_REMAP_USED, 0, 0);
		unchanged(cpu, ABI_HC_INFO, ABI_INFO_CELLS, 0, 2);
		unchanged(cpu, ABI_HC_INFO, 5, 0, -ABI_EINVAL);
		unchanged(cpu, ABI_HC_INFO, UINT64_MAX, 0, -ABI_EINVAL);
	}
	assert_true(board.sys.pool.used > before);
	board_destroy(1);
	unchanged(0, ABI_HC_INFO, ABI_INFO_POOL_USED, 0, before);
}

static void cpu_info(void **state)
{
	struct cell_text text = board_text("one", 3, BOARD_CELLS);

	(void)state;
	board_create_running(&text);
	board.cpus[3].stats[ABI_STAT_MMIO] = UINT64_MAX;
	board.cpus[3].stats[STAT_COUNT - 1] = 77;
	for (unsigned cpu = 0; cpu < BOARD_CPUS; cpu += 3) {
		unchanged(cpu, ABI_HC_CPU_INFO, 3, ABI_CPU_INFO_STATE, ABI_CPU_RUNNING);
		unchanged(cpu, ABI_HC_CPU_INFO, 3, ABI_CPU_INFO_STAT + ABI_STAT_MMIO, INT64_MAX);
		unchanged(cpu, ABI_HC_CPU_INFO, 3, ABI_CPU_INFO_STAT + STAT_COUNT - 1, 77);
		unchanged(cpu, ABI_HC_CPU_INFO, 3, ABI_CPU_INFO_STAT + STAT_COUNT, -ABI_EINVAL);
		unchanged(cpu, ABI_HC_CPU_INFO, 3, ABI_CPU_INFO_STAT - 1, -ABI_EINVAL);
		unchanged(cpu, ABI_HC_CPU_INFO, 3, 1, -ABI_EINVAL);
		unchanged(cpu, ABI_HC_CPU_INFO, 3, UINT64_MAX, -ABI_EINVAL);
		unchanged(cpu, ABI_HC_CPU_INFO, BOARD_CPUS, 0, -ABI_EINVAL);
		unchanged(cpu, ABI_HC_CPU_INFO, 1ull << 32 | 3, 0, -ABI_EINVAL);
		unchanged(cpu, ABI_HC_CPU_INFO, UINT64_MAX, 0, -ABI_EINVAL);
	}
	/* the total is of all reasons, and of nothing else */
	memset(board.cpus[3].stats, 0, sizeof(board.cpus[3].stats));
	for (unsigned stat = 0; stat < STAT_COUNT; stat++)
		board.cpus[3].stats[stat] = 1ull << 2 * stat;
	assert_int_equal(board_call(0, ABI_HC_CPU_INFO, 3, ABI_CPU_INFO_STAT + ABI_STAT_TOTAL), 0x15555554);
	unchanged(3, ABI_HC_CPU_INFO, 0, ABI_CPU_INFO_STATE, -ABI_EPERM);
	unchanged(3, ABI_HC_CPU_INFO, 2, ABI_CPU_INFO_STAT, -ABI_EPERM);
	assert_true(board_call(3, ABI_HC_CPU_INFO, 3, ABI_CPU_INFO_STAT + ABI_STAT_HYPERCALL) > 0);
	board_exit(3, board_exit_fail, NULL);
	unchanged(0, ABI_HC_CPU_INFO, 3, ABI_CPU_INFO_STATE, ABI_CPU_FAILED);
}

static void putc_where_permitted(void **state)
{
	struct cell_text text = board_text("one", 3, BOARD_CELLS);
	struct cell_text mute = board_text("mute", 2, BOARD_CELLS + 0x800000);

	(void)state;
	mute.cell.flags = 0;
	board_create_running(&text);
	board_create_running(&mute);
	unchanged(2, ABI_HC_PUTC, 'x', 0, -ABI_EPERM);
	unchanged(0, ABI_HC_PUTC, 'x', 0, -ABI_EPERM);
	board_log();
	assert_int_equal(board_call(3, ABI_HC_PUTC, 'h', 0), 0);
	assert_int_equal(board_call(3, ABI_HC_PUTC, 0xffffffffffffff00ull | 'i', 0), 0);
	assert_string_equal(board_log(), "");
	assert_int_equal(board_call(3, ABI_HC_PUTC, '\n', 0), 0);
	assert_string_equal(board_log(), "[one] hi\n");
}

static uint64_t typed(uint64_t id, uint64_t count)
{
	return id | count << 32;
}

static void what_is_typed(void **state)
{
	struct cell_text text = board_text("one", 3, BOARD_CELLS), mute = board_text("mute", 2, BOARD_CELLS + 0x800000);
	struct cell *cell;

	(void)state;
	text.cell.uart = (struct abi_uart){ 0x50000000, ABI_CONSOLE_PL011, 0 };
	cell = board_create_running(&text);
	board_create_running(&mute);
	for (unsigned count = 1; count <= 8; count++)
		assert_int_equal(board_call(0, ABI_HC_CONSOLE_INPUT, typed(1, count), 0x3837363534333231), count);
	assert_memory_equal(host_cell_input(cell), "12345678", 8);
	unchanged(0, ABI_HC_CONSOLE_INPUT, typed(1, 0), 0, -ABI_EINVAL);
	unchanged(0, ABI_HC_CONSOLE_INPUT, typed(1, 9), 0, -ABI_EINVAL);
	unchanged(0, ABI_HC_CONSOLE_INPUT, typed(1, UINT32_MAX), 0, -ABI_EINVAL);
	unchanged(0, ABI_HC_CONSOLE_INPUT, typed(0, 1), 0, -ABI_ENOENT);
	unchanged(0, ABI_HC_CONSOLE_INPUT, typed(3, 1), 0, -ABI_ENOENT);
	unchanged(0, ABI_HC_CONSOLE_INPUT, typed(2, 1), 0, -ABI_ENODEV);
	assert_int_equal(board_poll(ABI_HC_CELL_SHUTDOWN, 1, 0), 0);
	unchanged(0, ABI_HC_CONSOLE_INPUT, typed(1, 1), 0, -ABI_EBUSY);
}

static void disable_with_cells(void **state)
{
	struct cell_text text = board_text("one", 3, BOARD_CELLS);

	(void)state;
	board_create_running(&text);
	unchanged(0, ABI_HC_DISABLE, 0, 0, -ABI_EBUSY);
	assert_string_equal(board_error(), "cell \"one\" still exists: destroy it first");
	assert_int_equal(board_poll(ABI_HC_CELL_SHUTDOWN, 1, 0), 0);
	assert_int_equal(board_call(0, ABI_HC_CELL_DESTROY, 1, 0), -ABI_EAGAIN);
	unchanged(1, ABI_HC_DISABLE, 0, 0, -ABI_EBUSY);
	assert_int_equal(board_poll(ABI_HC_CELL_DESTROY, 1, 0), 0);
	board_call_begin(0, ABI_HC_DISABLE, 0, 0);
	host_cpu_go(0);
	host_settle();
	assert_int_equal(host_cpu_at(0), HOST_BARE);
	assert_int_equal(host_cpu_at(3), HOST_OFF);
}

/* All that are online call, those that are not go off first. */
static void disable(void **state)
{
	(void)state;
	board_offline(2);
	board_offline(3);
	board_call_begin(0, ABI_HC_DISABLE, 0, 0);
	board_call_begin(1, ABI_HC_DISABLE, 0, 0);
	host_cpu_go(0);
	/* CPU 2 and 3 still run the hypervisor's code in its memory */
	assert_false(host_cpu_stopped(0, 20));
	host_cpu_go(1);
	assert_false(host_cpu_stopped(1, 20));
	host_cpu_run(2);
	assert_int_equal(host_cpu_at(2), HOST_OFF);
	assert_false(host_cpu_stopped(0, 20));
	host_cpu_run(3);
	assert_true(host_cpu_stopped(0, 20000));
	assert_true(host_cpu_stopped(1, 20000));
	assert_int_equal(host_cpu_at(0), HOST_BARE);
	assert_int_equal(host_cpu_at(1), HOST_BARE);
	assert_int_equal(host_cpu_at(3), HOST_OFF);
	assert_int_equal(board.sys.lock.next, board.sys.lock.serving);
}

/* It waits for a management call, and is not refused because of one. */
static void disable_waits_its_turn(void **state)
{
	(void)state;
	lock_take(&board.sys.lock);
	board_call_begin(0, ABI_HC_DISABLE, 0, 0);
	host_cpu_go(0);
	assert_false(host_cpu_stopped(0, 20));
	lock_drop(&board.sys.lock);
	assert_true(host_cpu_stopped(0, 20000));
	assert_int_equal(host_cpu_at(0), HOST_BARE);
}

/* One CPU is back on bare metal: the others follow, and nothing is created on them. */
static void nothing_is_created_on_the_way_out(void **state)
{
	struct cell_text text = board_text("late", 3, BOARD_CELLS);

	(void)state;
	board_offline(3);
	board_call_begin(0, ABI_HC_DISABLE, 0, 0);
	host_cpu_go(0);
	host_settle();
	assert_int_equal(host_cpu_at(0), HOST_BARE);
	unchanged(1, ABI_HC_CELL_CREATE, BOARD_CONFIG, board_put(&text), -ABI_EBUSY);
	assert_non_null(strstr(board_error(), "disabled"));
	for (unsigned cpu = 1; cpu < 3; cpu++) {
		board_call_begin(cpu, ABI_HC_DISABLE, 0, 0);
		host_cpu_run(cpu);
		assert_int_equal(host_cpu_at(cpu), HOST_BARE);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, board_begin, board_end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(numbers_that_are_none),
		TEST(cells_manage_nothing),
		TEST(names_of_no_cell),
		TEST(the_reason_in_words),
		TEST(two_managers),
		TEST(info),
		TEST(cpu_info),
		TEST(putc_where_permitted),
		TEST(what_is_typed),
		TEST(disable_with_cells),
		TEST(disable),
		TEST(disable_waits_its_turn),
		TEST(nothing_is_created_on_the_way_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
