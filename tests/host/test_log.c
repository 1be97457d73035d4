// SPDX-License-Identifier: GPL-2.0-only
/* The ring as its reader finds it, and the cells' lines in it. */
#include "board.h"

#include "core/cell.h"
#include "core/cpu.h"
#include "merge.h"

static struct {
	struct log log;
	struct console consoles[LOG_CONSOLES];
	_Alignas(8) uint8_t memory[LOG_AREA_SIZE];
	uint8_t behind[64];
	char uart[1024];
	size_t uart_size;
} own;

static struct log *make_log(void)
{
	memset(&own, 0xee, sizeof(own));
	own.uart_size = 0;
	log_init(&own.log, own.consoles, own.memory);
	return &own.log;
}

static void uart(const char *text, size_t size)
{
	memcpy(own.uart + own.uart_size, text, size);
	own.uart_size += size;
	own.uart[own.uart_size] = '\0';
}

static const struct abi_log *area(void)
{
	return (const struct abi_log *)(const void *)own.memory;
}

/* All that a new reader gets. */
static const char *all(void)
{
	static char text[sizeof(own.memory) + 1];
	struct merge merge = { 0 };
	struct rings rings;

	assert_true(rings_init(&rings, own.memory, sizeof(own.memory)));
	text[merge_read(&merge, &rings, text, sizeof(text) - 1)] = '\0';
	return text;
}

static void an_empty_log(void **state)
{
	struct log *log = make_log();
	struct rings rings;

	(void)state;
	assert_true(rings_init(&rings, own.memory, sizeof(own.memory)));
	assert_int_equal(rings.count, 1 + LOG_CONSOLES);
	assert_string_equal(area()->error, "");
	assert_string_equal(all(), "");
	assert_false(log->verbose);
	assert_null(log->uart);
	for (unsigned i = 0; i < sizeof(own.behind); i++)
		assert_int_equal(own.behind[i], 0xee);
}

static void cut_at_255(void **state)
{
	struct log *log = make_log();
	char text[400];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_print(log, "%s", text);
	assert_int_equal(strlen(all()), 256);
	log_fatal(log, "%s", text);
	assert_int_equal(strlen(all()), 512);
}

static void to_the_uart(void **state)
{
	struct log *log = make_log();

	(void)state;
	log->uart = uart;
	log_print(log, "quiet\n");
	assert_int_equal(own.uart_size, 0);
	log_fatal(log, "fatal %u\n", 1u);
	assert_string_equal(own.uart, "fatal 1\n");
	log->verbose = true;
	log_print(log, "loud\n");
	log_cell_line(log, "cell", "line");
	assert_string_equal(own.uart, "fatal 1\nloud\n[cell] line\n");
	log->uart = NULL;
	log_print(log, "no uart\n");
	assert_string_equal(all(), "quiet\nfatal 1\nloud\nno uart\n");
}

/* Our own end does not wait for a lock, and comes before there is a ring too. */
static void the_end_waits_for_nobody(void **state)
{
	struct log *log = make_log();
	struct log none = { .area = NULL };

	(void)state;
	lock_take(&log->lock);
	lock_take(&log->own.lock);
	log_fatal(log, "the end\n");
	assert_string_equal(all(), "the end\n");
	lock_drop(&log->own.lock);
	lock_drop(&log->lock);
	log_fatal(&none, "nowhere\n");
}

static void the_reason(void **state)
{
	struct log *log = make_log();
	struct why why = { "" };

	(void)state;
	(void)why_set(&why, ERR_BUSY, "because of %s", "this");
	log_set_error(log, &why);
	assert_string_equal(area()->error, "because of this");
	assert_string_equal(all(), "");
}

static struct cell *talker(void)
{
	struct cell_text text = board_text("one", 3, BOARD_CELLS);
	struct cell *cell = board_create_running(&text);

	board_log();
	return cell;
}

static void say(struct cell *cell, const char *text)
{
	while (*text != '\0')
		cell_putc(cell, *text++);
}

static void whole_lines(void **state)
{
	struct cell *cell = talker();

	(void)state;
	say(cell, "hello");
	assert_string_equal(board_log(), "");
	log_print(&board.sys.log, "meanwhile\n");
	say(cell, ", world\nand");
	assert_string_equal(board_log(), "meanwhile\n[one] hello, world\n");
	say(cell, "\n\n\r\n");
	assert_string_equal(board_log(), "[one] and\n");
	/* a reader's terminal is not the cell's to command */
	say(cell, "\x1b[2J\ta\x01\x07" "b\r\n");
	assert_string_equal(board_log(), "[one] \tab\n");
	/* every architecture's char is the same here: other languages than English */
	say(cell, "gr\xc3\xbc\xc3\x9f\x65\n");
	assert_string_equal(board_log(), "[one] gr\xc3\xbc\xc3\x9f\x65\n");
	cell_putc(cell, '\0');
	cell_putc(cell, '\n');
	assert_string_equal(board_log(), "");
}

static void a_flood(void **state)
{
	struct cell *cell = talker();
	char line[ABI_LINE_MAX + 10];
	const char *text;

	(void)state;
	for (unsigned i = 0; i < ABI_LINE_MAX - 1; i++)
		cell_putc(cell, 'a');
	assert_string_equal(board_log(), "");
	cell_putc(cell, 'a');
	snprintf(line, sizeof(line), "[one] %0*u\n", (int)ABI_LINE_MAX, 0u);
	memset(line + 6, 'a', ABI_LINE_MAX);
	assert_string_equal(board_log(), line);
	log_print(&board.sys.log, "not lost\n");
	for (unsigned i = 0; i < 100000; i++)
		cell_putc(cell, 'c');
	text = board_log();
	assert_non_null(strstr(text, "\n[one] cccc"));
	assert_memory_equal(text, "not lost\n[one] (3", 17);
	assert_non_null(strstr(text, " lines lost)\n"));
	assert_string_equal(board_log(), "");
}

/* What a terminal gets is all of it, as it was said. */
static void as_it_was_said(void **state)
{
	struct cell *cell = talker();
	struct rings rings;
	struct tail tail;
	char text[5000];
	size_t size;

	(void)state;
	assert_true(rings_init(&rings, board.log, sizeof(board.log)));
	tail_begin(&tail, rings.ring[rings_find(&rings, 1)]);
	assert_false(tail_ready(&tail, cell->console->ring));
	say(cell, "\x1b[2Jlogin: ");
	assert_true(tail_ready(&tail, cell->console->ring));
	size = tail_read(&tail, cell->console->ring, text, sizeof(text));
	assert_int_equal(size, 11);
	assert_memory_equal(text, "\x1b[2Jlogin: ", 11);
	for (unsigned i = 0; i < 10000; i++)
		cell_putc(cell, (char)('a' + i % 26));
	size = tail_read(&tail, cell->console->ring, text, sizeof(text));
	assert_memory_equal(text, "\r\n(", 3);
	assert_memory_equal(strchr(text, ' '), " bytes lost)\r\n", 14);
	assert_int_equal(text[size - 1], 'a' + 9999 % 26);
	/* a new reader begins with the oldest there is */
	tail_begin(&tail, cell->console->ring);
	assert_int_equal(tail_read(&tail, cell->console->ring, text, sizeof(text)), cell->console->ring->text_size);
	assert_false(tail_over(&tail, cell->console->ring));
	say(cell, "bye");
	board_destroy(1);
	assert_false(tail_over(&tail, rings.ring[1]));
	assert_int_equal(tail_read(&tail, rings.ring[1], text, sizeof(text)), 4);
	assert_memory_equal(text, "bye\n", 4);
	assert_true(tail_over(&tail, rings.ring[1]));
	assert_int_equal(rings_find(&rings, 1), -1);
}

/* Each new cell takes the ring that was given up longest ago, so that a reader has time. */
static void rings_go_round(void **state)
{
	struct cell_text text = board_text("x", 3, BOARD_CELLS);
	struct rings rings;

	(void)state;
	assert_true(rings_init(&rings, board.log, sizeof(board.log)));
	for (unsigned i = 0; i < 3 * LOG_CONSOLES; i++) {
		struct cell *cell;

		text.cell.name[0] = (char)('a' + i);
		cell = board_create(&text);
		assert_ptr_equal(cell->console->ring, rings.ring[1 + i % LOG_CONSOLES]);
		assert_int_equal(rings_find(&rings, cell->id), 1 + i % LOG_CONSOLES);
		say(cell, "!\n");
		board_destroy(cell->id);
		if (i == LOG_CONSOLES - 1)
			assert_non_null(strstr(board_log(), "[a] !\n"));
	}
	assert_non_null(strstr(board_log(), "[u] !\n"));
}

/* What was said last is not lost, and not mixed with what the cell says in its next life. */
static void the_last_words(void **state)
{
	static void (*const ends[])(struct cpu *self, void *arg) = { board_exit_fail, board_exit_power_off };
	struct cell *cell = talker();

	(void)state;
	say(cell, "at shutdown");
	assert_int_equal(board_poll(ABI_HC_CELL_SHUTDOWN, 1, 0), 0);
	assert_non_null(strstr(board_log(), "[one] at shutdown\n"));
	for (unsigned i = 0; i < ARRAY_SIZE(ends); i++) {
		assert_int_equal(board_poll(ABI_HC_CELL_SET_LOADABLE, 1, 0), 0);
		assert_int_equal(board_call(0, ABI_HC_CELL_START, 1, 0), 0);
		host_settle();
		board_log();
		say(cell, "last words");
		board_exit(3, ends[i], NULL);
		assert_non_null(strstr(board_log(), "[one] last words\n"));
	}
	assert_int_equal(board_call(0, ABI_HC_CELL_START, 1, 0), 0);
	host_settle();
	say(cell, "before");
	board_exit(3, board_exit_reset, NULL);
	host_settle();
	say(cell, "after\n");
	assert_non_null(strstr(board_log(), "[one] after\n"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, board_begin, board_end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_log),
		cmocka_unit_test(cut_at_255),
		cmocka_unit_test(to_the_uart),
		cmocka_unit_test(the_end_waits_for_nobody),
		cmocka_unit_test(the_reason),
		TEST(whole_lines),
		TEST(a_flood),
		TEST(as_it_was_said),
		TEST(rings_go_round),
		TEST(the_last_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
