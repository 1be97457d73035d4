// SPDX-License-Identifier: GPL-2.0-only
/* errors, text and memory primitives, against the C library's where it has them. */
#include "test.h"
#include "abi/hypercall.h"
#include "base/addr.h"
#include "base/bits.h"
#include "base/crc.h"
#include "base/fmt.h"
#include "base/str.h"

/* base/str.c as the host build renames it */
void *own_memcpy(void *restrict to, const void *restrict from, size_t size);
void *own_memmove(void *to, const void *from, size_t size);
void *own_memset(void *to, int byte, size_t size);
int own_memcmp(const void *a, const void *b, size_t size);

#define AREA 400u

static void err_to_abi_knows_every_error(void **state)
{
	static const struct {
		err_t e;
		long number;
	} rows[] = {
		{ OK, 0 },
		{ ERR_INVALID, -ABI_EINVAL },
		{ ERR_SHORT, -ABI_EINVAL },
		{ ERR_RANGE, -ABI_EINVAL },
		{ ERR_OVERLAP, -ABI_EBUSY },
		{ ERR_NO_MEMORY, -ABI_ENOMEM },
		{ ERR_BUSY, -ABI_EBUSY },
		{ ERR_AGAIN, -ABI_EAGAIN },
		{ ERR_EXISTS, -ABI_EEXIST },
		{ ERR_NOT_FOUND, -ABI_ENOENT },
		{ ERR_DENIED, -ABI_EPERM },
		{ ERR_TOO_LARGE, -ABI_E2BIG },
		{ ERR_UNSUPPORTED, -ABI_ENODEV },
		{ ERR_FAULT, -ABI_EFAULT },
	};

	(void)state;
	assert_int_equal(ARRAY_SIZE(rows), ERR_COUNT);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(rows[i].e, i);
		assert_int_equal(err_to_abi(rows[i].e), rows[i].number);
	}
	assert_int_equal(err_to_abi(ERR_COUNT), -ABI_EIO);
	assert_int_equal(err_to_abi((err_t)1000), -ABI_EIO);
}

static void why_set_hands_the_error_back_and_cuts(void **state)
{
	struct why why;
	char longer[400];

	(void)state;
	memset(&why, 'x', sizeof(why));
	assert_int_equal(why_set(&why, ERR_RANGE, "cpus: no CPU %u", 7u), ERR_RANGE);
	assert_string_equal(why.text, "cpus: no CPU 7");
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(why_set(&why, ERR_BUSY, "%s", longer), ERR_BUSY);
	assert_int_equal(strlen(why.text), sizeof(why.text) - 1);
}

/* fmt and snprintf must agree on what both understand, at every buffer size. */
#define SAME(...)                                                                  \
	do {                                                                       \
		char wanted_[256], got_[256];                                      \
		size_t length_ = (size_t)snprintf(wanted_, sizeof(wanted_), __VA_ARGS__); \
		for (size_t size_ = 1; size_ <= length_ + 2; size_++) {            \
			size_t shown_ = length_ < size_ ? length_ : size_ - 1;     \
			memset(got_, '~', sizeof(got_));                           \
			assert_int_equal(fmt(got_, size_, __VA_ARGS__), shown_);   \
			assert_memory_equal(got_, wanted_, shown_);                \
			assert_int_equal(got_[shown_], '\0');                      \
			assert_int_equal(got_[size_], '~');                        \
		}                                                                  \
	} while (0)

static void fmt_agrees_on_integers(void **state)
{
	static const long long values[] = {
		0, 1, -1, 9, 10, -10, 255, 4096, 123456789, INT32_MAX, INT32_MIN, UINT32_MAX,
		INT64_MAX, INT64_MIN,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		unsigned long long u = (unsigned long long)values[i];

		SAME("[%u][%x]", (unsigned)u, (unsigned)u);
		SAME("[%lu][%lx]", (unsigned long)u, (unsigned long)u);
		SAME("[%llu][%llx]", u, u);
		SAME("[%zu][%zx]", (size_t)u, (size_t)u);
		SAME("[%12u][%012u]", (unsigned)u, (unsigned)u);
		SAME("[%3llu][%03llu]", u, u);
		SAME("[%20llx][%020llx]", u, u);
	}
}

static void fmt_agrees_on_text(void **state)
{
	(void)state;
	SAME("plain");
	SAME("%s|%10s|%2s", "text", "text", "text");
	SAME("%c%3c%%", 'a', 'b');
	SAME("100%%");
}

/* The format at run time, as the compiler would refuse these. */
static size_t fmt_unchecked(char *buffer, size_t size, const char *format, ...)
{
	va_list args;
	size_t n;

	va_start(args, format);
	n = fmt_args(buffer, size, format, args);
	va_end(args);
	return n;
}

static void fmt_copies_what_it_does_not_know(void **state)
{
	static const char *const unknown[] = {
		"%", "a%", "%q", "%5", "%-", "%.3u", "%l", "%lc", "%ls", "%hu", "%f", "%*u", "% u",
		"%+u", "%n", "%5%", "%zs", "%p", "%.2c", "%d", "%-5u", "%#x", "%X",
	};
	char got[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++) {
		assert_int_equal(fmt_unchecked(got, sizeof(got), unknown[i]), strlen(unknown[i]));
		assert_string_equal(got, unknown[i]);
	}
	/* An unknown one takes no argument */
	fmt_unchecked(got, sizeof(got), "%q %u", 5u);
	assert_string_equal(got, "%q 5");
}

static void fmt_survives_extremes(void **state)
{
	char got[8] = "~~~~~~~";

	(void)state;
	assert_int_equal(fmt_unchecked(NULL, 0, "%u", 5u), 0);
	assert_int_equal(fmt_unchecked(got, 4, "%999999999999u", 5u), 3);
	assert_string_equal(got, "   ");
	assert_int_equal(got[4], '~');
	assert_int_equal(fmt_unchecked(got, sizeof(got), "%s", (char *)NULL), 6);
	assert_string_equal(got, "(null)");
}

/* Every pair of alignments and every length over the word loops' thresholds. */
static void memory_moves_at_every_alignment(void **state)
{
	uint8_t from[AREA], got[AREA], wanted[AREA];

	(void)state;
	for (size_t i = 0; i < AREA; i++)
		from[i] = (uint8_t)(i * 7 + 1);
	for (size_t a = 0; a < 9; a++)
		for (size_t b = 0; b < 9; b++)
			for (size_t n = 0; n < 150; n++) {
				memset(got, 0xee, AREA);
				memset(wanted, 0xee, AREA);
				assert_ptr_equal(own_memcpy(got + a, from + b, n), got + a);
				memcpy(wanted + a, from + b, n);
				assert_memory_equal(got, wanted, AREA);
				assert_int_equal(own_memcmp(got + a, from + b, n), 0);
			}
}

static void memory_moves_over_itself(void **state)
{
	uint8_t got[AREA], wanted[AREA];

	(void)state;
	for (size_t to = 100; to < 110; to++)
		for (size_t from = 20; from < 190; from++)
			for (size_t n = 0; n < 180; n += n < 10 ? 1 : 13) {
				for (size_t i = 0; i < AREA; i++)
					got[i] = wanted[i] = (uint8_t)(i * 11 + 5);
				assert_ptr_equal(own_memmove(got + to, got + from, n), got + to);
				memmove(wanted + to, wanted + from, n);
				assert_memory_equal(got, wanted, AREA);
			}
}

static void memory_is_set_to_the_byte(void **state)
{
	static const int bytes[] = { 0, 1, 0x80, 0xff, -1, 0x1234 };
	uint8_t got[AREA], wanted[AREA];

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(bytes); k++)
		for (size_t a = 0; a < 9; a++)
			for (size_t n = 0; n < 150; n++) {
				memset(got, 0xee, AREA);
				memset(wanted, 0xee, AREA);
				assert_ptr_equal(own_memset(got + a, bytes[k], n), got + a);
				memset(wanted + a, bytes[k], n);
				assert_memory_equal(got, wanted, AREA);
			}
}

static void memory_compares_as_unsigned_bytes(void **state)
{
	(void)state;
	assert_int_equal(own_memcmp("a", "b", 0), 0);
	assert_true(own_memcmp("aaa", "aab", 3) < 0);
	assert_true(own_memcmp("\xff", "\x01", 1) > 0);
	assert_int_equal(own_memcmp("aax", "aay", 2), 0);
}

static void strings(void **state)
{
	static const char three[3] = { 'a', 'b', 'c' };

	(void)state;
	assert_false(str_ends(three, 3));
	assert_false(str_ends("", 0));
	assert_true(str_ends("", 1));
	assert_true(str_ends("ab", 3));
	assert_false(str_ends("ab", 2));
	assert_true(str_equal("", ""));
	assert_true(str_equal("abc", "abc"));
	assert_false(str_equal("abc", "abd"));
	assert_false(str_equal("abc", "ab"));
	assert_false(str_equal("", "a"));
}

/* One bit at a time, straight from the polynomial. */
static uint32_t slow_crc(const uint8_t *bytes, size_t size)
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < size; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
	}
	return ~crc;
}

static void crc_is_ieee_and_chains(void **state)
{
	uint64_t seed = 1;
	uint8_t bytes[256];

	(void)state;
	assert_int_equal(crc32(0, "", 0), 0);
	assert_int_equal(crc32(0, "123456789", 9), 0xcbf43926);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)test_random(&seed);
	for (size_t cut = 0; cut <= sizeof(bytes); cut++) {
		uint32_t crc = crc32(0, bytes, cut);

		assert_int_equal(crc, slow_crc(bytes, cut));
		assert_int_equal(crc32(crc, bytes + cut, sizeof(bytes) - cut),
				 slow_crc(bytes, sizeof(bytes)));
	}
}

static void spans_at_the_end_of_addresses(void **state)
{
	struct span top = { UINT64_MAX - 0xfff, 0x1000 };
	struct span all = { 0, UINT64_MAX };
	struct span low = { 0, 0x1000 };

	(void)state;
	assert_true(span_valid(top));
	assert_false(span_valid((struct span){ UINT64_MAX - 0xfff, 0x1001 }));
	assert_false(span_valid((struct span){ 5, 0 }));
	assert_int_equal(span_last(top), UINT64_MAX);
	assert_true(span_has(top, UINT64_MAX));
	assert_false(span_has(top, UINT64_MAX - 0x1000));
	assert_true(span_overlaps(top, all));
	assert_false(span_overlaps(top, low));
	assert_true(span_within(low, all));
	assert_false(span_within(top, all));
	assert_false(span_within(all, low));
	assert_false(span_overlaps(low, (struct span){ 0x1000, 0x1000 }));
	assert_true(span_overlaps(low, (struct span){ 0xfff, 1 }));
	assert_true(span_aligned(top, PAGE_SIZE));
	assert_false(span_aligned((struct span){ 0x1000, 0x10 }, PAGE_SIZE));
}

static void bit_fields(void **state)
{
	uint64_t words[2] = { 0 };

	(void)state;
	assert_true(BITS(63, 0) == UINT64_MAX);
	assert_true(BITS(7, 4) == 0xf0);
	assert_true(BIT(63) == 0x8000000000000000);
	assert_int_equal(FIELD_GET(BITS(15, 8), 0x123456), 0x34);
	assert_int_equal(FIELD_PUT(BITS(15, 8), 0xfab), 0xab00);
	bit_set(words, 64);
	assert_int_equal(words[1], 1);
	assert_true(bit_test(words, 64));
	assert_false(bit_test(words, 0));
	bit_clear(words, 64);
	assert_int_equal(words[1], 0);
	assert_true(sign_extend(0x80, 1) == 0xffffffffffffff80);
	assert_true(sign_extend(0x7f, 1) == 0x7f);
	assert_true(sign_extend(0x80000000, 4) == 0xffffffff80000000);
	assert_true(sign_extend(0x8000000000000000, 8) == 0x8000000000000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(err_to_abi_knows_every_error),
		cmocka_unit_test(why_set_hands_the_error_back_and_cuts),
		cmocka_unit_test(fmt_agrees_on_integers),
		cmocka_unit_test(fmt_agrees_on_text),
		cmocka_unit_test(fmt_copies_what_it_does_not_know),
		cmocka_unit_test(fmt_survives_extremes),
		cmocka_unit_test(memory_moves_at_every_alignment),
		cmocka_unit_test(memory_moves_over_itself),
		cmocka_unit_test(memory_is_set_to_the_byte),
		cmocka_unit_test(memory_compares_as_unsigned_bytes),
		cmocka_unit_test(strings),
		cmocka_unit_test(crc_is_ieee_and_chains),
		cmocka_unit_test(spans_at_the_end_of_addresses),
		cmocka_unit_test(bit_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
