// SPDX-License-Identifier: GPL-2.0-only
#include "base/fmt.h"

#define NUMBER_MAX 9999u	/* widths and precisions beyond saturate */

struct out {
	char *at;
	size_t left;		/* without the byte for the NUL */
};

/* One conversion, taken apart. */
struct spec {
	const char *end;	/* behind its last character */
	unsigned width;
	unsigned precision;
	bool has_precision;
	bool left;
	bool zero;
	bool alternate;
	char length;		/* '\0', 'l', 'L' for ll, 'z' */
	char conversion;
};

/* A va_list that may be handed on by address whatever type it has. */
struct args {
	va_list list;
};

static void put(struct out *out, char c)
{
	if (out->left == 0)
		return;
	*out->at++ = c;
	out->left--;
}

static void put_many(struct out *out, char c, size_t count)
{
	for (; count > 0 && out->left > 0; count--)
		put(out, c);
}

static void put_text(struct out *out, const char *text, size_t count)
{
	for (; count > 0; count--)
		put(out, *text++);
}

static unsigned read_number(const char **at)
{
	unsigned n = 0;

	for (; **at >= '0' && **at <= '9'; ++*at)
		if (n < NUMBER_MAX)
			n = n * 10 + (unsigned)(**at - '0');
	return n < NUMBER_MAX ? n : NUMBER_MAX;
}

static const char *read_flags(const char *at, struct spec *spec)
{
	for (;; at++) {
		if (*at == '-')
			spec->left = true;
		else if (*at == '0')
			spec->zero = true;
		else if (*at == '#')
			spec->alternate = true;
		else
			return at;
	}
}

static const char *read_length(const char *at, struct spec *spec)
{
	if (at[0] == 'l' && at[1] == 'l') {
		spec->length = 'L';
		return at + 2;
	}
	if (at[0] == 'l' || at[0] == 'z') {
		spec->length = at[0];
		return at + 1;
	}
	return at;
}

/* `at` is behind the percent sign. Is it a conversion we know? */
static bool read_spec(const char *at, struct spec *spec)
{
	*spec = (struct spec){ 0 };
	at = read_flags(at, spec);
	spec->width = read_number(&at);
	if (*at == '.') {
		at++;
		spec->has_precision = true;
		spec->precision = read_number(&at);
	}
	at = read_length(at, spec);
	spec->conversion = *at;
	spec->end = at + 1;
	switch (*at) {
	case 's':
		return spec->length == '\0';
	case 'c':
	case 'p':
		return spec->length == '\0' && !spec->has_precision;
	case 'd':
	case 'i':
	case 'u':
	case 'x':
	case 'X':
		return !spec->has_precision;
	default:
		return false;
	}
}

static long long take_signed(struct args *args, char length)
{
	switch (length) {
	case 'L':
		return va_arg(args->list, long long);
	case 'l':
		return va_arg(args->list, long);
	case 'z':
		return va_arg(args->list, ptrdiff_t);
	default:
		return va_arg(args->list, int);
	}
}

static unsigned long long take_unsigned(struct args *args, char length)
{
	switch (length) {
	case 'L':
		return va_arg(args->list, unsigned long long);
	case 'l':
		return va_arg(args->list, unsigned long);
	case 'z':
		return va_arg(args->list, size_t);
	default:
		return va_arg(args->list, unsigned int);
	}
}

static void put_padded(struct out *out, const struct spec *spec, const char *text, size_t count)
{
	size_t padding = spec->width > count ? spec->width - count : 0;

	if (!spec->left)
		put_many(out, ' ', padding);
	put_text(out, text, count);
	if (spec->left)
		put_many(out, ' ', padding);
}

static void put_number(struct out *out, const struct spec *spec, const char *prefix,
		       unsigned base, unsigned long long value)
{
	const char *digits = spec->conversion == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
	char text[20];		/* 2^64 - 1 in decimal */
	size_t count = 0, prefix_count = 0, length, padding;

	do {
		text[sizeof(text) - ++count] = digits[value % base];
		value /= base;
	} while (value != 0);
	while (prefix[prefix_count] != '\0')
		prefix_count++;
	length = prefix_count + count;
	padding = spec->width > length ? spec->width - length : 0;

	if (!spec->left && !spec->zero)
		put_many(out, ' ', padding);
	put_text(out, prefix, prefix_count);
	if (!spec->left && spec->zero)
		put_many(out, '0', padding);
	put_text(out, text + sizeof(text) - count, count);
	if (spec->left)
		put_many(out, ' ', padding);
}

static void put_signed(struct out *out, const struct spec *spec, long long value)
{
	if (value < 0)
		put_number(out, spec, "-", 10, 0 - (unsigned long long)value);
	else
		put_number(out, spec, "", 10, (unsigned long long)value);
}

static void put_hex(struct out *out, const struct spec *spec, unsigned long long value)
{
	const char *prefix = spec->conversion == 'X' ? "0X" : "0x";

	/* C11 7.21.6.1: no prefix for 0 */
	put_number(out, spec, spec->alternate && value != 0 ? prefix : "", 16, value);
}

static void put_string(struct out *out, const struct spec *spec, const char *text)
{
	size_t count = 0;

	if (!text)
		text = "(null)";
	while ((!spec->has_precision || count < spec->precision) && text[count] != '\0')
		count++;
	put_padded(out, spec, text, count);
}

static void convert(struct out *out, const struct spec *spec, struct args *args)
{
	char c;

	switch (spec->conversion) {
	case 'c':
		c = (char)va_arg(args->list, int);
		put_padded(out, spec, &c, 1);
		break;
	case 's':
		put_string(out, spec, va_arg(args->list, const char *));
		break;
	case 'd':
	case 'i':
		put_signed(out, spec, take_signed(args, spec->length));
		break;
	case 'u':
		put_number(out, spec, "", 10, take_unsigned(args, spec->length));
		break;
	case 'p':
		put_number(out, spec, "0x", 16, (uintptr_t)va_arg(args->list, void *));
		break;
	default:
		put_hex(out, spec, take_unsigned(args, spec->length));
		break;
	}
}

size_t fmt_args(char *buffer, size_t size, const char *format, va_list list)
{
	struct out out = { buffer, size - 1 };
	struct spec spec;
	struct args args;

	if (size == 0)
		return 0;
	va_copy(args.list, list);
	while (*format != '\0') {
		char c = *format++;

		if (c != '%') {
			put(&out, c);
		} else if (*format == '%') {
			put(&out, *format++);
		} else if (read_spec(format, &spec)) {
			convert(&out, &spec, &args);
			format = spec.end;
		} else {
			put(&out, c);
		}
	}
	va_end(args.list);
	*out.at = '\0';
	return (size_t)(out.at - buffer);
}

size_t fmt(char *buffer, size_t size, const char *format, ...)
{
	va_list args;
	size_t written;

	va_start(args, format);
	written = fmt_args(buffer, size, format, args);
	va_end(args);
	return written;
}
