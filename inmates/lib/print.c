/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdarg.h>

#include "inmate.h"

struct spec {
	unsigned int width;
	bool zero;		/* pad with 0, not blanks */
	bool wide;		/* the argument has 64 bits */
	char kind;
};

/* Reads what follows a '%'; the text behind it is returned. */
static const char *spec_parse(const char *f, struct spec *s)
{
	*s = (struct spec){ 0 };
	if (*f == '0') {
		s->zero = true;
		f++;
	}
	while (*f >= '0' && *f <= '9')
		s->width = s->width * 10 + (unsigned int)(*f++ - '0');
	while (*f == 'l' || *f == 'z') {
		s->wide = true;
		f++;
	}
	s->kind = *f;
	return *f ? f + 1 : f;
}

static void pad(char c, unsigned int have, unsigned int width)
{
	while (have++ < width)
		console_putc(c);
}

static void print_number(const struct spec *s, bool negative, uint64_t value, unsigned int base)
{
	char digits[20];	/* 2^64 in decimal */
	unsigned int n = 0, sign = negative;

	do {
		digits[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);

	if (!s->zero)
		pad(' ', n + sign, s->width);
	if (negative)
		console_putc('-');
	if (s->zero)
		pad('0', n + sign, s->width);
	while (n)
		console_putc(digits[--n]);
}

static void print_signed(const struct spec *s, int64_t value)
{
	bool negative = value < 0;

	print_number(s, negative, negative ? 0 - (uint64_t)value : (uint64_t)value, 10);
}

static void print_string(const struct spec *s, const char *text)
{
	if (!text)
		text = "(null)";
	pad(' ', (unsigned int)strlen(text), s->width);
	console_puts(text);
}

/* A va_list inside a structure may be handed on by address on every ABI. */
struct arguments {
	va_list list;
};

static uint64_t next_unsigned(const struct spec *s, struct arguments *a)
{
	return s->wide ? va_arg(a->list, uint64_t) : va_arg(a->list, unsigned int);
}

static void print_argument(const struct spec *s, struct arguments *a)
{
	switch (s->kind) {
	case 'c':
		console_putc((char)va_arg(a->list, int));
		break;
	case 's':
		print_string(s, va_arg(a->list, const char *));
		break;
	case 'd':
	case 'i':
		print_signed(s, s->wide ? va_arg(a->list, int64_t) : va_arg(a->list, int));
		break;
	case 'u':
		print_number(s, false, next_unsigned(s, a), 10);
		break;
	case 'x':
		print_number(s, false, next_unsigned(s, a), 16);
		break;
	case 'p':
		console_puts("0x");
		print_number(s, false, (uint64_t)(uintptr_t)va_arg(a->list, void *), 16);
		break;
	default:
		console_putc('%');
		if (s->kind && s->kind != '%')
			console_putc(s->kind);
		break;
	}
}

void printk(const char *format, ...)
{
	struct arguments a;
	struct spec s;

	va_start(a.list, format);
	while (*format) {
		if (*format != '%') {
			console_putc(*format++);
			continue;
		}
		format = spec_parse(format + 1, &s);
		print_argument(&s, &a);
	}
	va_end(a.list);
}
