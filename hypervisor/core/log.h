/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the hypervisor says: the first of the rings the root cell reads (abi/image.h). Any CPU may
 * call; lines of different CPUs do not mix.
 */
#ifndef CORE_LOG_H
#define CORE_LOG_H

#include "base/why.h"
#include "core/console.h"

struct log {
	struct console own;
	struct abi_log *area;	/* NULL: not begun */
	struct lock lock;	/* of the UART; innermost */
	/* The machine's UART, or NULL. Called under the lock. */
	void (*uart)(const char *text, size_t size);
	bool verbose;		/* everything goes to the UART too, not only what is fatal */
};

/* `memory`: LOG_AREA_SIZE bytes, mapped for good, for the log and the LOG_CONSOLES consoles of cells. */
void log_init(struct log *log, struct console *consoles, void *memory);

/* One message; bring your own newline. Cut at 255 characters. */
void log_print(struct log *log, const char *format, ...) PRINTF_LIKE(2, 3);

/* A line a cell wrote, for who reads the UART: "[name] text". */
void log_cell_line(struct log *log, const char *name, const char *text);

/* Why the last management call failed; empty for success. Caller holds the system lock. */
void log_set_error(struct log *log, const struct why *why);

/* Our own end: to the ring and the UART without waiting for a lock. */
void log_fatal(struct log *log, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
