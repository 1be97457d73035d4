// SPDX-License-Identifier: GPL-2.0-only
#include "base/fmt.h"

#define WIDTH_MAX 9999u		/* beyond, widths saturate */

static_assert(sizeof(long) == 8 && sizeof(long long) == 8 && sizeof(size_t) == 8, "one wide size");

struct out {
	char *at;
	char *end;		/* of the buffer, without the byte for the NUL */
};

/* One conversion, taken apart. */
struct spec {
	unsigned width;
	bool zero;
	bool wide;
	char conversion;
};

static void put(struct out *out, char c)
{
	if (out->at < out->end)
		*out->at++ = c;
}

static void put_text(struct out *out, const struct spec *spec, const char *text, size_t count)
{
	for (; count < spec->width && out->at < out->end; count++)
		put(out, spec->zero ? '0' : ' ');
	while (*text != '\0')
		put(out, *text++);
}

static void put_number(struct out *out, const struct spec *spec, uint64_t value)
{
	unsigned base = spec->conversion == 'x' ? 16 : 10;
	char text[21];		/* 2^64 - 1 in decimal, and a NUL */
	char *first = text + sizeof(text) - 1;

	*first = '\0';
	do {
		*--first = "0123456789abcdef"[value % base];
		value /= base;
	} while (value != 0);
	put_text(out, spec, first, (size_t)(text + sizeof(text) - 1 - first));
}

static void put_string(struct out *out, const struct spec *spec, const char *text)
{
	size_t count = 0;

	if (text == NULL)
		text = "(null)";
	while (text[count] != '\0')
		count++;
	put_text(out, spec, text, count);
}

/* `at` is behind the percent sign. Behind the conversion, or NULL if it is none we know. */
static const char *read_spec(const char *at, struct spec *spec)
{
	*spec = (struct spec){ .zero = *at == '0' };
	for (; *at >= '0' && *at <= '9'; at++)
		if (spec->width < WIDTH_MAX)
			spec->width = spec->width * 10 + (unsigned)(*at - '0');
	for (; *at == 'l' || *at == 'z'; at++)
		spec->wide = true;
	spec->conversion = *at;
	if (*at == 'u' || *at == 'x')
		return at + 1;
	return (*at == 's' || *at == 'c') && !spec->wide ? at + 1 : NULL;
}

/* One conversion and its argument. The list is handed on by address, whatever type it has. */
struct args {
	va_list list;
};

static void convert(struct out *out, const struct spec *spec, struct args *args)
{
	char c[2] = { 0 };

	switch (spec->conversion) {
	case 's':
		put_string(out, spec, va_arg(args->list, const char *));
		break;
	case 'c':
		c[0] = (char)va_arg(args->list, int);
		put_text(out, spec, c, 1);
		break;
	default:
		put_number(out, spec, spec->wide ? va_arg(args->list, uint64_t) : va_arg(args->list, unsigned));
		break;
	}
}

size_t fmt_args(char *buffer, size_t size, const char *format, va_list list)
{
	struct out out;
	struct spec spec;
	struct args args;

	if (size == 0)
		return 0;
	out = (struct out){ buffer, buffer + size - 1 };
	va_copy(args.list, list);
	while (*format != '\0') {
		char c = *format++;
		const char *next = c == '%' ? read_spec(format, &spec) : NULL;

		if (next != NULL) {
			convert(&out, &spec, &args);
			format = next;
			continue;
		}
		if (c == '%' && *format == '%')
			format++;
		put(&out, c);
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
