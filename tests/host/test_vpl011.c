// SPDX-License-Identifier: GPL-2.0-only
/* The PL011 of cells that have none, as drivers use it. */
#include "test.h"

#include "arch/arm64/pure/vpl011.h"

static struct vpl011 uart;

static bool access(uint64_t offset, unsigned size, bool write, uint64_t *value)
{
	struct mmio_access a = { gpa(offset), *value, (uint8_t)size, write };
	bool sent;

	assert_ok(vpl011_access(&uart, &a, &sent));
	*value = a.value;
	return sent;
}

static uint32_t get(uint64_t offset)
{
	uint64_t value = UINT64_MAX;

	assert_false(access(offset, 4, false, &value));
	assert_int_equal(value >> 32, 0);
	return (uint32_t)value;
}

static bool set(uint64_t offset, uint32_t value)
{
	uint64_t v = value;

	return access(offset, 4, true, &v);
}

static unsigned type(const char *text)
{
	return vpl011_receive(&uart, (const uint8_t *)text, (unsigned)strlen(text));
}

static void after_a_reset(void **state)
{
	(void)state;
	memset(&uart, 0xff, sizeof(uart));
	vpl011_reset(&uart);
	assert_int_equal(get(0x18), 0x90);
	assert_int_equal(get(0x30), 0x300);
	assert_int_equal(get(0x34), 0x12);
	for (unsigned offset = 0x38; offset <= 0x40; offset += 4)
		assert_int_equal(get(offset), 0);
	assert_false(vpl011_interrupts(&uart));
}

/* The AMBA bus of Linux reads the identity backwards from the end of the page. */
static void what_it_is(void **state)
{
	static const uint32_t id[] = { 0x11, 0x10, 0x14, 0, 0x0d, 0xf0, 0x05, 0xb1 };

	(void)state;
	vpl011_reset(&uart);
	for (unsigned i = 0; i < 8; i++) {
		assert_int_equal(get(0xfe0 + 4 * i), id[i]);
		set(0xfe0 + 4 * i, 0xff);
		assert_int_equal(get(0xfe0 + 4 * i), id[i]);
	}
}

static void a_byte_is_sent_at_once(void **state)
{
	(void)state;
	vpl011_reset(&uart);
	/* before anything was set up, too: that is how programs for emulators begin */
	assert_true(set(0, 'x'));
	assert_int_equal(get(0x18), 0x90);
	/* and its interrupt is there for who asks */
	assert_int_equal(get(0x3c), 0x20);
	assert_false(vpl011_interrupts(&uart));
	assert_false(set(0x38, 0x20));
	assert_true(vpl011_interrupts(&uart));
	assert_int_equal(get(0x40), 0x20);
	set(0x44, 0x20);
	assert_false(vpl011_interrupts(&uart));
	assert_true(set(0, 'y'));
	assert_true(vpl011_interrupts(&uart));
}

static void bytes_are_received_in_order(void **state)
{
	(void)state;
	vpl011_reset(&uart);
	set(0x38, 0x50);
	assert_int_equal(type("abc"), 3);
	assert_true(vpl011_interrupts(&uart));
	assert_int_equal(get(0x18), 0x80);
	assert_int_equal(get(0), 'a');
	assert_int_equal(get(0x3c), 0x50);
	/* cleared behind a byte that was read: the next byte's is there. Cleared again: it comes with one more only */
	set(0x44, 0x7ff);
	assert_true(vpl011_interrupts(&uart));
	set(0x44, 0x7ff);
	assert_false(vpl011_interrupts(&uart));
	assert_int_equal(type("d"), 1);
	assert_true(vpl011_interrupts(&uart));
	assert_int_equal(get(0), 'b');
	assert_int_equal(get(0), 'c');
	assert_true(vpl011_interrupts(&uart));
	assert_int_equal(get(0), 'd');
	assert_false(vpl011_interrupts(&uart));
	assert_int_equal(get(0x18), 0x90);
	assert_int_equal(get(0), 0);
}

/* Drivers of a UART without FIFOs read one byte for each interrupt, and clear the interrupt before or after that. */
static void each_byte_has_its_interrupt(void **state)
{
	unsigned n;

	(void)state;
	for (unsigned clear_first = 0; clear_first < 2; clear_first++) {
		vpl011_reset(&uart);
		set(0x38, 0x10);
		assert_int_equal(type("abcdef"), 6);
		for (n = 0; vpl011_interrupts(&uart); n++) {
			if (clear_first)
				set(0x44, 0x10);
			assert_int_equal(get(0), "abcdef"[n]);
			if (!clear_first) {
				set(0x44, 0x20);
				set(0x44, 0x10);
			}
		}
		assert_int_equal(n, 6);
	}
	/* one that reads later is not interrupted without end until then */
	assert_int_equal(type("abc"), 3);
	set(0x44, 0x10);
	assert_false(vpl011_interrupts(&uart));
	assert_int_equal(get(0), 'a');
	set(0x44, 0x10);
	set(0x44, 0x10);
	assert_false(vpl011_interrupts(&uart));
}

static void it_takes_what_it_has_room_for(void **state)
{
	char text[VPL011_FIFO + 11];

	(void)state;
	vpl011_reset(&uart);
	for (unsigned round = 0; round < 200; round++) {
		unsigned had = uart.count, n = 1 + round % (VPL011_FIFO + 10);

		memset(text, 'a' + (int)(round % 26), n);
		text[n] = '\0';
		assert_int_equal(type(text), n < VPL011_FIFO - had ? n : VPL011_FIFO - had);
		assert_int_equal(get(0x18) >> 6 & 1, uart.count == VPL011_FIFO);
		for (unsigned i = 0; i < 1 + round % 37; i++)
			get(0);
	}
	while (!(get(0x18) & 0x10))
		get(0);
	/* the receiver is off */
	set(0x30, 0x101);
	assert_int_equal(type("a"), 0);
	assert_int_equal(get(0x3c) & 0x50, 0);
}

/* Every offset, size and direction: nothing outside of it is touched, nothing is sent but by UARTDR. */
static void every_access(void **state)
{
	(void)state;
	for (uint64_t offset = 0; offset < 0x1000; offset++) {
		for (unsigned size = 1; size <= 8; size *= 2) {
			for (unsigned write = 0; write < 2; write++) {
				struct mmio_access a = { gpa(offset), 0x1234567890abcdef, (uint8_t)size, write };
				bool sent = true;
				err_t e;

				vpl011_reset(&uart);
				(void)type("q");
				e = vpl011_access(&uart, &a, &sent);
				assert_int_equal(e, size > 4 || offset % size ? ERR_INVALID : OK);
				assert_int_equal(sent, e == OK && write && offset == 0);
				if (e == OK && !write)
					assert_true(a.value <= 0x7ff);
				assert_true(uart.count <= VPL011_FIFO && uart.first < VPL011_FIFO);
			}
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(after_a_reset),
		cmocka_unit_test(what_it_is),
		cmocka_unit_test(a_byte_is_sent_at_once),
		cmocka_unit_test(bytes_are_received_in_order),
		cmocka_unit_test(each_byte_has_its_interrupt),
		cmocka_unit_test(it_takes_what_it_has_room_for),
		cmocka_unit_test(every_access),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
