// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>

#include "guest.h"

static void put_text(const char *text)
{
	while (*text != '\0')
		uart_putc(*text++);
}

static void put_number(unsigned value, unsigned base)
{
	char digits[12];
	unsigned n = sizeof(digits) - 1;

	digits[n] = '\0';
	do
		digits[--n] = "0123456789abcdef"[value % base];
	while ((value /= base) != 0);
	put_text(&digits[n]);
}

void print(const char *format, ...)
{
	va_list list;

	va_start(list, format);
	for (; *format != '\0'; format++) {
		if (*format == '\n')
			uart_putc('\r');
		if (*format != '%') {
			uart_putc(*format);
			continue;
		}
		format++;
		if (*format == 's')
			put_text(va_arg(list, const char *));
		else
			put_number(va_arg(list, unsigned), *format == 'x' ? 16 : 10);
	}
	va_end(list);
}

unsigned number(const char *text)
{
	unsigned value = 0;

	for (; *text >= '0' && *text <= '9'; text++)
		value = value * 10 + (unsigned)(*text - '0');
	return value;
}
