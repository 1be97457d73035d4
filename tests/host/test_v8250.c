// SPDX-License-Identifier: GPL-2.0-only
/* The 8250 of cells that have none, as drivers use it. */
#include "test.h"

#include "arch/x86/pure/v8250.h"

static struct v8250 uart;

static unsigned type(const char *text)
{
	return v8250_receive(&uart, (const uint8_t *)text, (unsigned)strlen(text));
}

static void after_a_reset(void **state)
{
	static const uint8_t registers[V8250_PORTS] = { 0, 0, 0x01, 0, 0, 0x60, 0xb0, 0 };

	(void)state;
	memset(&uart, 0xff, sizeof(uart));
	v8250_reset(&uart);
	for (unsigned i = 0; i < V8250_PORTS; i++)
		assert_int_equal(v8250_read(&uart, i), registers[i]);
}

/* Linux's 8250_port.c autoconfig(): is there a 16550A? */
static void how_linux_finds_it(void **state)
{
	(void)state;
	v8250_reset(&uart);
	v8250_write(&uart, 1, 0);
	assert_int_equal(v8250_read(&uart, 1) & 0xf, 0);
	v8250_write(&uart, 1, 0xff);
	assert_int_equal(v8250_read(&uart, 1), 0xf);
	v8250_write(&uart, 1, 0);
	v8250_write(&uart, 4, 0x10 | 0x0a);
	assert_int_equal(v8250_read(&uart, 6) & 0xf0, 0x90);
	v8250_write(&uart, 4, 0);
	v8250_write(&uart, 2, 1);
	assert_int_equal(v8250_read(&uart, 2) >> 6, 3);
	v8250_write(&uart, 2, 0);
	assert_int_equal(v8250_read(&uart, 2) >> 6, 0);
	v8250_write(&uart, 7, 0x5a);
	assert_int_equal(v8250_read(&uart, 7), 0x5a);
}

static void the_divisor_is_behind_the_data(void **state)
{
	(void)state;
	v8250_reset(&uart);
	v8250_write(&uart, 3, 0x83);
	assert_false(v8250_write(&uart, 0, 0x34));
	v8250_write(&uart, 1, 0x12);
	assert_int_equal(v8250_read(&uart, 0), 0x34);
	assert_int_equal(v8250_read(&uart, 1), 0x12);
	v8250_write(&uart, 3, 0x03);
	assert_int_equal(v8250_read(&uart, 1), 0);
	assert_true(v8250_write(&uart, 0, 'x'));
}

static void it_says_why_it_would_interrupt(void **state)
{
	(void)state;
	v8250_reset(&uart);
	assert_true(v8250_write(&uart, 0, 'x'));
	assert_int_equal(v8250_read(&uart, 2), 1);
	v8250_write(&uart, 1, 2);
	assert_int_equal(v8250_read(&uart, 2), 2);
	assert_int_equal(v8250_read(&uart, 2), 1);
	/* asked again: it is empty still */
	v8250_write(&uart, 1, 0);
	v8250_write(&uart, 1, 3);
	assert_int_equal(type("ab"), 2);
	assert_int_equal(v8250_read(&uart, 2), 4);
	assert_int_equal(v8250_read(&uart, 5), 0x61);
	assert_int_equal(v8250_read(&uart, 0), 'a');
	assert_int_equal(v8250_read(&uart, 2), 4);
	assert_int_equal(v8250_read(&uart, 0), 'b');
	assert_int_equal(v8250_read(&uart, 5), 0x60);
	assert_int_equal(v8250_read(&uart, 2), 2);
	assert_int_equal(v8250_read(&uart, 2), 1);
	assert_int_equal(v8250_read(&uart, 0), 0);
}

static void it_takes_what_it_has_room_for(void **state)
{
	(void)state;
	v8250_reset(&uart);
	for (unsigned i = 0; i < V8250_FIFO; i++)
		assert_int_equal(type("z"), 1);
	assert_int_equal(type("no"), 0);
	v8250_read(&uart, 0);
	assert_int_equal(type("no"), 1);
	/* FCR forgets all of it */
	v8250_write(&uart, 2, 3);
	assert_int_equal(v8250_read(&uart, 5), 0x60);
}

static void a_loop_ends_here(void **state)
{
	(void)state;
	v8250_reset(&uart);
	v8250_write(&uart, 4, 0x10);
	assert_false(v8250_write(&uart, 0, 'l'));
	assert_int_equal(v8250_read(&uart, 0), 'l');
	for (uint8_t mcr = 0; mcr < 16; mcr++) {
		v8250_write(&uart, 4, 0x10 | mcr);
		/* DTR, RTS, OUT1, OUT2 as DSR, CTS, RI, DCD */
		assert_int_equal(v8250_read(&uart, 6), (mcr & 1) * 0x20 + (mcr >> 1 & 1) * 0x10 + (mcr >> 2 & 1) * 0x40 +
						       (mcr >> 3 & 1) * 0x80);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(after_a_reset),
		cmocka_unit_test(how_linux_finds_it),
		cmocka_unit_test(the_divisor_is_behind_the_data),
		cmocka_unit_test(it_says_why_it_would_interrupt),
		cmocka_unit_test(it_takes_what_it_has_room_for),
		cmocka_unit_test(a_loop_ends_here),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
