// SPDX-License-Identifier: GPL-2.0-only
/* The ring as its reader finds it, and the cells' lines in it. */
#include "board.h"

#include "core/cell.h"
#include "core/cpu.h"

#define RING_TEXT 64u

static struct {
	_Alignas(8) uint8_t memory[sizeof(struct abi_log) + RING_TEXT];
	uint8_t behind[64];
	char uart[1024];
	size_t uart_size;
} small;

static const struct abi_log *ring(void)
{
	return (const struct abi_log *)(const void *)small.memory;
}

static struct log make_log(void)
{
	struct log log;

	memset(&small, 0xee, sizeof(small));
	small.uart_size = 0;
	log_init(&log, small.memory, sizeof(small.memory));
	return log;
}

static void uart(const char *text, size_t size)
{
	memcpy(small.uart + small.uart_size, text, size);
	small.uart_size += size;
	small.uart[small.uart_size] = '\0';
}

/* What the ring holds of the last bytes, in order. */
static const char *last(size_t count)
{
	static char text[RING_TEXT + 1];

	for (size_t i = 0; i < count; i++)
		text[i] = ring()->text[(ring()->head - count + i) % ring()->text_size];
	text[count] = '\0';
	return text;
}

static void an_empty_log(void **state)
{
	struct log log = make_log();

	(void)state;
	assert_int_equal(ring()->magic, ABI_LOG_MAGIC);
	assert_int_equal(ring()->text_size, RING_TEXT);
	assert_int_equal(ring()->head, 0);
	assert_string_equal(ring()->error, "");
	assert_false(log.verbose);
	assert_null(log.uart);
}

static void around_and_around(void **state)
{
	struct log log = make_log();
	char reference[4096];
	size_t size = 0;

	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		log_print(&log, "line %u of text\n", i * i);
		size += (size_t)snprintf(reference + size, sizeof(reference) - size, "line %u of text\n", i * i);
		assert_int_equal(ring()->head, size);
		if (size >= RING_TEXT)
			assert_string_equal(last(RING_TEXT), reference + size - RING_TEXT);
	}
	for (unsigned i = 0; i < sizeof(small.behind); i++)
		assert_int_equal(small.behind[i], 0xee);
}

/* A line longer than the whole ring leaves its end there. */
static void longer_than_the_ring(void **state)
{
	struct log log = make_log();
	char text[151];

	(void)state;
	for (unsigned i = 0; i < 150; i++)
		text[i] = (char)('a' + i % 26);
	text[150] = '\0';
	log_print(&log, "%s", text);
	assert_int_equal(ring()->head, 150);
	assert_string_equal(last(RING_TEXT), text + 150 - RING_TEXT);
}

static void cut_at_255(void **state)
{
	struct log log = make_log();
	char text[400];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_print(&log, "%s", text);
	assert_int_equal(ring()->head, 255);
	log_fatal(&log, "%s", text);
	assert_int_equal(ring()->head, 510);
	log_cell_line(&log, "cell", text);
	assert_int_equal(ring()->head, 765);
}

static void to_the_uart(void **state)
{
	struct log log = make_log();

	(void)state;
	log.uart = uart;
	log_print(&log, "quiet\n");
	assert_int_equal(small.uart_size, 0);
	log_fatal(&log, "fatal %u\n", 1u);
	assert_string_equal(small.uart, "fatal 1\n");
	log.verbose = true;
	log_print(&log, "loud\n");
	log_cell_line(&log, "cell", "line");
	assert_string_equal(small.uart, "fatal 1\nloud\n[cell] line\n");
	log.uart = NULL;
	log_print(&log, "no uart\n");
	assert_string_equal(last(8), "no uart\n");
}

/* Our own end does not wait for a lock, and comes before there is a ring too. */
static void the_end_waits_for_nobody(void **state)
{
	struct log log = make_log();
	struct log none = { .ring = NULL };

	(void)state;
	lock_take(&log.lock);
	log_fatal(&log, "the end\n");
	assert_string_equal(last(8), "the end\n");
	lock_drop(&log.lock);
	log_fatal(&none, "nowhere\n");
}

static void the_reason(void **state)
{
	struct log log = make_log();
	struct why why = { "" };

	(void)state;
	(void)why_set(&why, ERR_BUSY, "because of %s", "this");
	log_set_error(&log, &why);
	assert_string_equal(ring()->error, "because of this");
	assert_int_equal(ring()->head, 0);
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
	assert_string_equal(board_log(), "[one] [2J\tab\n");
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
	char line[CELL_LINE_SIZE + 10];
	const char *text;

	(void)state;
	for (unsigned i = 0; i < CELL_LINE_SIZE; i++)
		cell_putc(cell, 'a');
	assert_string_equal(board_log(), "");
	cell_putc(cell, 'b');
	snprintf(line, sizeof(line), "[one] %0*u\n", (int)CELL_LINE_SIZE, 0u);
	memset(line + 6, 'a', CELL_LINE_SIZE);
	assert_string_equal(board_log(), line);
	for (unsigned i = 0; i < 100000; i++)
		cell_putc(cell, 'c');
	text = board_log();
	assert_non_null(strstr(text, "\n[one] cccc"));
	assert_true(cell->line_size <= CELL_LINE_SIZE);
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
		cmocka_unit_test(around_and_around),
		cmocka_unit_test(longer_than_the_ring),
		cmocka_unit_test(cut_at_255),
		cmocka_unit_test(to_the_uart),
		cmocka_unit_test(the_end_waits_for_nobody),
		cmocka_unit_test(the_reason),
		TEST(whole_lines),
		TEST(a_flood),
		TEST(the_last_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
