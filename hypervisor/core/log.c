// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>

#include "base/fmt.h"
#include "core/log.h"

#define LINE_SIZE 256

void log_init(struct log *log, void *memory, size_t size)
{
	struct abi_log *ring = memory;

	*log = (struct log){ .ring = ring };
	ring->text_size = (uint32_t)(size - offsetof(struct abi_log, text));
	ring->head = 0;
	ring->error[0] = '\0';
	ring->magic = ABI_LOG_MAGIC;
}

static void ring_put(struct abi_log *ring, const char *text, size_t size)
{
	uint64_t head = ring->head;
	size_t i;

	for (i = 0; i < size; i++)
		ring->text[(head + i) % ring->text_size] = text[i];
	/* pairs with the reader's acquire: text before head */
	__atomic_store_n(&ring->head, head + size, __ATOMIC_RELEASE);
}

static void put(struct log *log, const char *text, size_t size)
{
	lock_take(&log->lock);
	ring_put(log->ring, text, size);
	if (log->verbose && log->uart != NULL)
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
	put(log, line, size);
}

void log_cell_line(struct log *log, const char *name, const char *text)
{
	char line[LINE_SIZE];

	put(log, line, fmt(line, sizeof(line), "[%s] %s\n", name, text));
}

void log_set_error(struct log *log, const struct why *why)
{
	/* the text alone: what lies behind it on the stack is not for the root cell */
	fmt(log->ring->error, sizeof(log->ring->error), "%s", why->text);
}

void log_fatal(struct log *log, const char *format, ...)
{
	char line[LINE_SIZE];
	va_list args;
	size_t size;

	if (log->ring == NULL)
		return;
	va_start(args, format);
	size = fmt_args(line, sizeof(line), format, args);
	va_end(args);
	ring_put(log->ring, line, size);
	if (log->uart != NULL)
		log->uart(line, size);
}
