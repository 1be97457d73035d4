// SPDX-License-Identifier: GPL-2.0-only
/* What the log says of an access that was not let through, and when there is nothing to say. */
#include "board.h"

#include "core/cell.h"
#include "core/cpu.h"
#include "core/fault.h"

static err_t no_access(struct cpu *cpu, struct mmio_access *access)
{
	(void)cpu;
	(void)access;
	return ERR_INVALID;
}

static void mediated_regions(void **state)
{
	struct system *sys = &board.sys;
	struct cell *cell = sys->root;

	(void)state;
	assert_null(fault_region(cell, gpa(0x08000000)));
	sys->mmio[0] = (struct mmio_region){ { 0x08000000, 0x10000 }, no_access };
	sys->mmio[1] = (struct mmio_region){ { 0x080a0000, 0xf60000 }, no_access };
	sys->mmio_count = 2;
	assert_null(fault_region(cell, gpa(0x07ffffff)));
	assert_ptr_equal(fault_region(cell, gpa(0x08000000)), &sys->mmio[0]);
	assert_ptr_equal(fault_region(cell, gpa(0x0800ffff)), &sys->mmio[0]);
	assert_null(fault_region(cell, gpa(0x08010000)));
	assert_ptr_equal(fault_region(cell, gpa(0x080a0000)), &sys->mmio[1]);
	assert_ptr_equal(fault_region(cell, gpa(0x08ffffff)), &sys->mmio[1]);
	assert_null(fault_region(cell, gpa(0x09000000)));
	assert_null(fault_region(cell, gpa(UINT64_MAX)));
}

/* What is one cell's alone, before what is everybody's. */
static void regions_of_one_cell(void **state)
{
	struct cell_text text = board_text("one", 3, BOARD_CELLS);
	struct system *sys = &board.sys;
	struct cell *cell = board_create(&text);

	(void)state;
	sys->mmio[0] = (struct mmio_region){ { 0x08000000, 0x10000 }, no_access };
	sys->mmio_count = 1;
	cell->mmio[0] = (struct mmio_region){ { 0x50000000, 0x10000 }, no_access };
	cell->mmio[1] = (struct mmio_region){ { 0x08008000, 0x1000 }, no_access };
	cell->mmio_count = 2;
	assert_ptr_equal(fault_region(cell, gpa(0x50000000)), &cell->mmio[0]);
	assert_null(fault_region(sys->root, gpa(0x50000000)));
	assert_ptr_equal(fault_region(cell, gpa(0x08000000)), &sys->mmio[0]);
	assert_ptr_equal(fault_region(cell, gpa(0x08008000)), &cell->mmio[1]);
	assert_ptr_equal(fault_region(sys->root, gpa(0x08008000)), &sys->mmio[0]);
	sys->mmio_count = cell->mmio_count = 0;
}

static bool stale(unsigned cpu, uint64_t address, bool known, uint32_t access)
{
	struct violation v = { .address = gpa(address), .address_known = known, .access = access };

	return fault_is_stale(&board.cpus[cpu], &v);
}

static void what_would_be_let_through_now(void **state)
{
	struct cell_text text = board_text("one", 3, BOARD_CELLS);

	(void)state;
	board_add_mem(&text, BOARD_CELLS + 0x800000, 0x60000000, 0x1000, ABI_MEM_READ);
	board_create_running(&text);
	assert_true(stale(0, BOARD_RAM, true, MAP_WRITE));
	assert_true(stale(0, BOARD_RAM, true, MAP_EXEC));
	assert_false(stale(0, BOARD_RAM, false, MAP_WRITE));
	assert_false(stale(0, BOARD_CELLS, true, MAP_READ));
	assert_true(stale(0, BOARD_UART, true, MAP_READ));
	assert_false(stale(0, BOARD_UART, true, MAP_EXEC));
	assert_true(stale(3, 0, true, MAP_EXEC));
	assert_true(stale(3, 0x60000fff, true, MAP_READ));
	assert_false(stale(3, 0x60000fff, true, MAP_WRITE));
	assert_false(stale(3, 0x60001000, true, MAP_READ));
	assert_false(stale(3, UINT64_MAX, true, MAP_READ));
}

static const char *report(unsigned cpu, uint64_t address, bool known, uint32_t access)
{
	struct violation v = { .address = gpa(address), .address_known = known, .pc = 0x1234,
			       .access = access };

	board_log();
	fault_report(&board.cpus[cpu], &v, "not its memory");
	return board_log();
}

static void in_words(void **state)
{
	struct cell_text text = board_text("one", 3, BOARD_CELLS);

	(void)state;
	board_create_running(&text);
	assert_string_equal(report(3, 0x100000, true, MAP_WRITE),
			    "FAILED cell \"one\": CPU 3: not its memory: write of 0x100000 at PC 0x1234; "
			    "nearest is \"region 0\" 0x0..0xfffff rwx\n");
	assert_string_equal(report(3, 0x3fffffff, true, MAP_READ),
			    "FAILED cell \"one\": CPU 3: not its memory: read of 0x3fffffff at PC 0x1234; "
			    "nearest is \"region 1\" 0x40000000..0x402fffff rw-\n");
	/* inside one, where the permission lacks */
	assert_string_equal(report(3, 0x40000010, true, MAP_EXEC),
			    "FAILED cell \"one\": CPU 3: not its memory: execute of 0x40000010 at PC 0x1234; "
			    "nearest is \"region 1\" 0x40000000..0x402fffff rw-\n");
	assert_non_null(strstr(report(3, 0x7fffffff, true, MAP_READ), "\"region 2\" 0x80000000..0x80000fff"));
	assert_non_null(strstr(report(3, UINT64_MAX, true, MAP_READ), "\"region 2\""));
	/* UNKNOWN addresses are compared with nothing */
	assert_null(strstr(report(3, 0x100000, false, MAP_READ), "nearest"));
	assert_string_equal(report(0, BOARD_CELLS, true, MAP_READ),
			    "refused to root cell \"root\": CPU 0: not its memory: read of 0x42000000 at PC "
			    "0x1234; nearest is \"ram for cells\" 0x42000000..0x43bfffff rwx\n");
}

/* The longest names and addresses there are still make one line with an end. */
static void the_longest_line(void **state)
{
	struct cell_text text = board_text("a name of thirty-one characters", 3, BOARD_CELLS);
	const char *line;

	(void)state;
	memset(text.mem[0].name, 'm', sizeof(text.mem[0].name) - 1);
	board_create_running(&text);
	line = report(3, 0x3000000, true, MAP_WRITE);
	assert_non_null(strstr(line, "mmmm"));
	assert_non_null(strstr(line, " rwx\n"));
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, board_begin, board_end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(mediated_regions),
		TEST(regions_of_one_cell),
		TEST(what_would_be_let_through_now),
		TEST(in_words),
		TEST(the_longest_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
