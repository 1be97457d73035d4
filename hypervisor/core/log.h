/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the hypervisor and the cells say: a ring of text the root cell reads
 * (abi/image.h). Any CPU may call; lines of different CPUs do not mix.
 */
#ifndef CORE_LOG_H
#define CORE_LOG_H

#include "abi/image.h"
#include "base/lock.h"
#include "base/why.h"

struct log {
	struct lock lock;
	struct abi_log *ring;
	/* The machine's UART, or NULL. Called under the lock. */
	void (*uart)(const char *text, size_t size);
	bool verbose;		/* everything goes to the UART too, not only what is fatal */
};

/* `memory`: log_size bytes, mapped for good. */
void log_init(struct log *log, void *memory, size_t size);

/* One message; bring your own newline. Cut at 255 characters. */
void log_print(struct log *log, const char *format, ...) PRINTF_LIKE(2, 3);

/* A line a cell wrote: "[name] text". */
void log_cell_line(struct log *log, const char *name, const char *text);

/* Why the last management call failed; empty for success. Caller holds the system lock. */
void log_set_error(struct log *log, const struct why *why);

/* Our own end: to the ring and the UART without waiting for the lock. */
void log_fatal(struct log *log, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
