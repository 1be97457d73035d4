// SPDX-License-Identifier: GPL-2.0-only
/* The contract on exits: what is permitted when, what the log says of more, and who never has to answer. */
#include "board.h"

#include "core/budget.h"
#include "core/cell.h"
#include "core/cpu.h"

#define SECOND HOST_TICKS_PER_SECOND

struct exits {
	unsigned reason;
	uint64_t detail;
	unsigned count;
};

static void cause(struct cpu *self, void *arg)
{
	const struct exits *e = arg;

	for (unsigned i = 0; i < e->count; i++)
		exit_count(self, e->reason, e->detail);
}

/* So many exits of the CPU's guest at one moment; returns how many of them were over the budget. */
static unsigned exits_on(unsigned cpu, uint64_t now, unsigned count)
{
	struct exits e = { ABI_STAT_MMIO, 0x8000004, count };
	uint64_t before = board.cpus[cpu].stats[ABI_STAT_OVER_BUDGET];

	host_set_now(now);
	board_exit(cpu, cause, &e);
	return (unsigned)(board.cpus[cpu].stats[ABI_STAT_OVER_BUDGET] - before);
}

static unsigned exits_at(uint64_t now, unsigned count)
{
	return exits_on(3, now, count);
}

/* A running cell "one" on CPUs 2 and 3, both started at time `now`. */
static struct cell *run(uint32_t exits, uint32_t settle_ms, uint32_t flags, uint64_t now)
{
	struct cell_text text = board_text("one", 3, BOARD_CELLS);
	struct cell *cell;

	text.cell.cpus[0] = 0xc;
	text.cell.exits = exits;
	text.cell.settle_ms = settle_ms;
	text.cell.flags |= flags;
	host_set_now(now);
	cell = board_create_running(&text);
	assert_ok(cpu_start(cell, &board.cpus[3], &(struct vcpu_start){ .entry = gpa(0) }));
	host_settle();
	assert_int_equal(host_cpu_at(3), HOST_IN_GUEST);
	board_log();
	return cell;
}

/* How many reports the log has had since it was last read. */
static void expect_lines(unsigned wanted)
{
	const char *text = board_log();
	unsigned lines = 0;

	for (const char *at = text; (at = strstr(at, "beyond its contract")) != NULL; at++)
		lines++;
	if (lines != wanted)
		fail_msg("%u lines where %u are wanted: %s", lines, wanted, text);
}

static void none_is_none(void **state)
{
	(void)state;
	run(0, 0, 0, 1000);
	assert_int_equal(exits_at(1000, 1), 1);
	assert_int_equal(exits_at(1000, 4), 4);
	/* what is owed does not add up either */
	assert_int_equal(board.cpus[3].budget.left, 0);
	/* no second brings anything */
	assert_int_equal(exits_at(1000 + SECOND, 2), 2);
	assert_int_equal(exits_at(1000 + 900 * SECOND, 1), 1);
	assert_int_equal(board.cpus[3].stats[ABI_STAT_MMIO], 8);
	expect_lines(1);
}

static void any_is_any(void **state)
{
	(void)state;
	run(ABI_EXITS_ANY, 0, 0, 0);
	assert_int_equal(exits_at(0, 100000), 0);
	assert_int_equal(board.cpus[3].stats[ABI_STAT_MMIO], 100000);
	/* after more than can be counted it is permitted still */
	board.cpus[3].budget.left = 0;
	assert_int_equal(exits_at(0, 10), 0);
	assert_true(board.cpus[3].budget.left > INT64_MAX - 20);
	assert_string_equal(board_log(), "");
}

static void as_many_as_are_permitted(void **state)
{
	(void)state;
	run(5, 0, 0, 1000);
	assert_int_equal(exits_at(1000, 5), 0);
	expect_lines(0);
	assert_int_equal(exits_at(1000, 1), 1);
	assert_int_equal(exits_at(1000 + SECOND / 2, 3), 3);
	expect_lines(1);
	assert_int_equal(board.cpus[3].stats[ABI_STAT_MMIO], 9);
}

static void the_border_of_a_second(void **state)
{
	(void)state;
	run(3, 0, 0, 0);
	assert_int_equal(exits_at(100, 3), 0);
	assert_int_equal(exits_at(100 + SECOND - 1, 1), 1);
	assert_int_equal(exits_at(100 + SECOND, 3), 0);
	assert_int_equal(exits_at(100 + SECOND, 1), 1);
	/* the next second begins with an exit, not where the last one ended */
	assert_int_equal(exits_at(200 + 2 * SECOND, 3), 0);
	assert_int_equal(exits_at(200 + 3 * SECOND - 1, 1), 1);
	assert_int_equal(exits_at(200 + 3 * SECOND, 1), 0);
}

/* What was left lasts, but is not added up: never as many as twice in a second. */
static void what_is_left_is_not_saved(void **state)
{
	(void)state;
	run(10, 0, 0, 0);
	assert_int_equal(exits_at(0, 1), 0);
	assert_int_equal(exits_at(1000 * SECOND, 19), 0);
	assert_int_equal(exits_at(1000 * SECOND, 1), 1);
}

static void one_less_than_any(void **state)
{
	(void)state;
	run(ABI_EXITS_ANY - 1, 0, 0, 0);
	assert_int_equal(exits_at(0, 10), 0);
	assert_true(board.cpus[3].budget.left == (int64_t)ABI_EXITS_ANY - 11);
	board.cpus[3].budget.left = 0;
	assert_int_equal(exits_at(1, 1), 1);
}

static void settling(void **state)
{
	uint64_t settled = 5000 + SECOND * 1500 / 1000;

	(void)state;
	run(0, 1500, 0, 5000);
	assert_int_equal(exits_at(5000, 1000), 0);
	assert_int_equal(exits_at(settled - 1, 1000), 0);
	expect_lines(0);
	assert_int_equal(exits_at(settled, 1), 1);
	assert_string_equal(board_log(),
			    "cell \"one\": CPU 3: exit beyond its contract (none after 1500 ms): "
			    "mmio 0x8000004 at PC 0x40001234\n");
}

static void a_budget_after_settling(void **state)
{
	uint64_t settled = SECOND * ABI_SETTLE_MAX_MS / 1000;

	(void)state;
	run(2, ABI_SETTLE_MAX_MS, 0, 0);
	assert_int_equal(exits_at(settled - 1, 50), 0);
	/* what happened before does not count */
	assert_int_equal(exits_at(settled, 2), 0);
	assert_int_equal(exits_at(settled, 1), 1);
	assert_non_null(strstr(board_log(), "(2 a second after 600000 ms)"));
}

static void a_counter_that_wraps(void **state)
{
	uint64_t start = UINT64_MAX - SECOND / 2;

	(void)state;
	run(2, 1000, 0, start);
	assert_int_equal(exits_at(start, 9), 0);
	assert_int_equal(exits_at(UINT64_MAX, 9), 0);
	assert_int_equal(exits_at(0, 9), 0);
	assert_int_equal(exits_at(start + SECOND - 1, 9), 0);
	assert_int_equal(exits_at(start + SECOND, 3), 1);
}

static void a_second_that_wraps(void **state)
{
	(void)state;
	run(2, 0, 0, UINT64_MAX - 10);
	assert_int_equal(exits_at(UINT64_MAX - 10, 3), 1);
	assert_int_equal(exits_at(UINT64_MAX, 1), 1);
	assert_int_equal(exits_at(0, 1), 1);
	assert_int_equal(exits_at(SECOND - 12, 1), 1);
	assert_int_equal(exits_at(SECOND - 11, 3), 1);
}

static void cpu_on(struct cpu *self, void *arg)
{
	*(err_t *)arg = cpu_start(self->cell, self->sys->cpus[3], &(struct vcpu_start){ .entry = gpa(0) });
}

/* A CPU that is powered off and on settles anew, alone, and may be reported again. */
static void each_start_settles(void **state)
{
	err_t e = ERR_INVALID;

	(void)state;
	run(0, 1000, 0, 0);
	assert_int_equal(exits_at(SECOND, 2), 2);
	expect_lines(1);
	assert_int_equal(exits_on(2, SECOND, 2), 2);
	expect_lines(1);
	board_exit(3, board_exit_cpu_off, NULL);
	host_set_now(3 * SECOND);
	board_exit(2, cpu_on, &e);
	assert_ok(e);
	host_settle();
	assert_int_equal(exits_at(4 * SECOND - 1, 5), 0);
	assert_int_equal(exits_on(2, 4 * SECOND - 1, 1), 1);
	expect_lines(0);
	assert_int_equal(exits_at(4 * SECOND, 2), 2);
	expect_lines(1);
	assert_int_equal(exits_at(5 * SECOND, 2), 2);
	expect_lines(0);
}

static void a_reset_settles(void **state)
{
	(void)state;
	run(0, 1000, 0, 0);
	assert_int_equal(exits_on(2, SECOND, 1), 1);
	board_exit(3, board_exit_cpu_off, NULL);
	host_set_now(5 * SECOND);
	board_exit(2, board_exit_reset, NULL);
	host_settle();
	assert_int_equal(host_cpu_at(2), HOST_IN_GUEST);
	board_log();
	assert_int_equal(exits_on(2, 6 * SECOND - 1, 3), 0);
	assert_int_equal(exits_on(2, 6 * SECOND, 1), 1);
	expect_lines(1);
}

static void fails_if_the_text_says_so(void **state)
{
	struct exits e = { ABI_STAT_ARCH, 0, 1 };
	struct cell *cell = run(1, 0, ABI_CELL_FAIL_ON_VIOLATION, 0);

	(void)state;
	board_exit(3, cause, &e);
	assert_int_equal(cell->state, CELL_RUNNING);
	board_exit(3, cause, &e);
	assert_int_equal(cell->state, CELL_FAILED);
	assert_int_equal(board.cpus[3].state, CPU_FAILED);
	assert_int_equal(board.cpus[3].stats[ABI_STAT_OVER_BUDGET], 1);
	assert_string_equal(board_log(),
			    "FAILED cell \"one\": CPU 3: exit beyond its contract (1 a second after 0 ms): "
			    "model at PC 0x40001234\n");
	host_settle();
	assert_int_equal(board.cpus[2].state, CPU_PARKED);
	assert_int_equal(board_call(0, ABI_HC_CELL_GET_STATE, 1, 0), ABI_CELL_FAILED);
}

/* While it settles it does not fail either. */
static void fails_not_before_it_settled(void **state)
{
	struct cell *cell = run(0, 1, ABI_CELL_FAIL_ON_VIOLATION, 0);

	(void)state;
	assert_int_equal(exits_at(SECOND / 1000 - 1, 1), 0);
	assert_int_equal(cell->state, CELL_RUNNING);
	assert_int_equal(exits_at(SECOND / 1000, 1), 1);
	assert_int_equal(cell->state, CELL_FAILED);
}

static void the_root_cell_never(void **state)
{
	(void)state;
	/* from the start, and a CPU that comes back from a cell */
	run(0, 0, 0, 0);
	assert_int_equal(exits_on(0, 0, 1000), 0);
	assert_true(board.cpus[0].budget.left > INT64_MAX - 2000);
	board_destroy(1);
	assert_int_equal(board_online(3), OK);
	assert_int_equal(exits_at(0, 1000), 0);
	/* whatever its own text says */
	board.file.cell.exits = 0;
	board.file.cell.flags |= ABI_CELL_FAIL_ON_VIOLATION;
	board.cpus[0].budget.left = 0;
	assert_int_equal(exits_on(0, 0, 1000), 0);
	expect_lines(0);
}

static void management(struct cpu *self, void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < 10; i++)
		exit_count_management(self);
}

static void management_is_nobodys_fault(void **state)
{
	(void)state;
	run(0, 0, ABI_CELL_FAIL_ON_VIOLATION, 0);
	board_exit(3, management, NULL);
	assert_int_equal(board.cpus[3].stats[ABI_STAT_MANAGEMENT], 10);
	assert_int_equal(board.cpus[3].stats[ABI_STAT_OVER_BUDGET], 0);
	assert_int_equal(board.cpus[3].state, CPU_IN_GUEST);
	expect_lines(0);
}

/* Between the stop and the CPU's arrival: the abort that the revoked memory makes is not the cell's. */
static void what_a_stop_causes_is_not_the_cells(void **state)
{
	struct exits e = { ABI_STAT_ARCH, 0x1000, 3 };

	(void)state;
	run(0, 0, ABI_CELL_FAIL_ON_VIOLATION, 0);
	assert_int_equal(board_call(0, ABI_HC_CELL_SHUTDOWN, 1, 0), -ABI_EAGAIN);
	assert_int_equal(host_cpu_at(3), HOST_IN_GUEST);
	board_exit(3, cause, &e);
	assert_int_equal(board.cpus[3].stats[ABI_STAT_ARCH], 3);
	assert_int_equal(board.cpus[3].stats[ABI_STAT_OVER_BUDGET], 0);
	assert_int_equal(board_poll(ABI_HC_CELL_SHUTDOWN, 1, 0), 0);
	expect_lines(0);
	assert_int_equal(board_call(0, ABI_HC_CELL_GET_STATE, 1, 0), ABI_CELL_SHUT_DOWN);
}

static void the_longest_line(void **state)
{
	struct cell_text text = board_text("a name of thirty-one characters", 3, BOARD_CELLS);
	struct exits e = { ABI_STAT_MANAGEMENT, UINT64_MAX, 1 };
	const char *line;

	(void)state;
	text.cell.settle_ms = ABI_SETTLE_MAX_MS;
	text.cell.exits = ABI_EXITS_ANY - 1;
	text.cell.flags |= ABI_CELL_FAIL_ON_VIOLATION;
	board_create_running(&text);
	host_set_now(SECOND * 601);
	board_exit(3, cause, &e);
	board_log();
	board.cpus[3].budget.left = 0;
	board_exit(3, cause, &e);
	line = board_log();
	assert_non_null(strstr(line, "FAILED cell \"a name of thirty-one characters\": CPU 3: exit beyond its contract "
				     "(4294967294 a second after 600000 ms): management 0xffffffffffffffff at PC "
				     "0x40001234\n"));
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(exit_name(ABI_STAT_TOTAL), "total");
	assert_string_equal(exit_name(ABI_STAT_MMIO), "mmio");
	assert_string_equal(exit_name(ABI_STAT_MANAGEMENT), "management");
	assert_string_equal(exit_name(ABI_STAT_HYPERCALL), "hypercall");
	assert_string_equal(exit_name(ABI_STAT_ARCH), "model");
	EXPECT_BUG((void)exit_name(ABI_STAT_OVER_BUDGET));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, board_begin, board_end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(none_is_none),
		TEST(any_is_any),
		TEST(as_many_as_are_permitted),
		TEST(the_border_of_a_second),
		TEST(what_is_left_is_not_saved),
		TEST(one_less_than_any),
		TEST(settling),
		TEST(a_budget_after_settling),
		TEST(a_counter_that_wraps),
		TEST(a_second_that_wraps),
		TEST(each_start_settles),
		TEST(a_reset_settles),
		TEST(fails_if_the_text_says_so),
		TEST(fails_not_before_it_settled),
		TEST(the_root_cell_never),
		TEST(management_is_nobodys_fault),
		TEST(what_a_stop_causes_is_not_the_cells),
		TEST(the_longest_line),
		TEST(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
