// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>

#include "base/fmt.h"
#include "core/log.h"
#include "core/log_area.h"

#define LINE_SIZE (ABI_LINE_MAX + 1)

void log_init(struct log *log, struct console *consoles, void *memory)
{
	static const char nobody[sizeof(log->own.ring->name)];
	struct abi_log *area = memory;
	uint8_t *at = (uint8_t *)memory + LOG_OWN_SIZE;
	unsigned i;

	*log = (struct log){ .area = area };
	area->rings = 1 + LOG_CONSOLES;
	area->first_size = LOG_OWN_SIZE;
	area->other_size = LOG_CONSOLE_SIZE;
	area->error[0] = '\0';
	console_init(&log->own, area + 1, LOG_OWN_SIZE - sizeof(*area));
	console_give(&log->own, 0, nobody);
	for (i = 0; i < LOG_CONSOLES; i++, at += LOG_CONSOLE_SIZE)
		console_init(&consoles[i], at, LOG_CONSOLE_SIZE);
	area->magic = ABI_LOG_MAGIC;
}

static void to_uart(struct log *log, const char *text, size_t size)
{
	if (!log->verbose || log->uart == NULL)
		return;
	lock_take(&log->lock);
	log->uart(text, size);
	lock_drop(&log->lock);
}

void log_print(struct log *log, const char *format, ...)
{
	char line[LINE_SIZE];
	va_list args;
	size_t size;

	va_start(args, format);
	size = fmt_args(line, sizeof(line), format, args);
	va_end(args);
	console_write(&log->own, line, size);
	to_uart(log, line, size);
}

void log_cell_line(struct log *log, const char *name, const char *text)
{
	char line[LINE_SIZE];

	to_uart(log, line, fmt(line, sizeof(line), "[%s] %s\n", name, text));
}

void log_set_error(struct log *log, const struct why *why)
{
	/* the text alone: what lies behind it on the stack is not for the root cell */
	fmt(log->area->error, sizeof(log->area->error), "%s", why->text);
}

void log_fatal(struct log *log, const char *format, ...)
{
	char line[LINE_SIZE];
	va_list args;
	size_t size;

	if (log->area == NULL)
		return;
	va_start(args, format);
	size = fmt_args(line, sizeof(line), format, args);
	va_end(args);
	console_write_unlocked(&log->own, line, size);
	if (log->uart != NULL)
		log->uart(line, size);
}
