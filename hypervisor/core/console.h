/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A console: the ring its text goes to (struct abi_ring in abi/image.h), which the root cell
 * reads. Nobody waits for a reader: what is not read in time is overwritten.
 */
#ifndef CORE_CONSOLE_H
#define CORE_CONSOLE_H

#include "abi/image.h"
#include "base/lock.h"

struct console {
	struct lock lock;
	struct abi_ring *ring;
	unsigned column;		/* of the line that has begun; guarded by lock, as what is in the ring */
};

/* `memory`: 8-byte aligned, a multiple of 8 bytes, at least 256, mapped for good. */
void console_init(struct console *console, void *memory, size_t size);

/* From now on it is the cell's, and empty. Caller holds the system lock. */
void console_give(struct console *console, uint32_t cell, const char *name);
/* The cell is gone. What it said can be read until the console is given to another. */
void console_release(struct console *console);

/* Bytes as they are. Any CPU. */
void console_write(struct console *console, const char *text, size_t size);
/* The same for who cannot wait for the lock: it is our own end. */
void console_write_unlocked(struct console *console, const char *text, size_t size);
/* One of them: did it end a line? */
bool console_put(struct console *console, char c);
/* Ends the line that has begun. False: none had. */
bool console_end_line(struct console *console);

/* The last line that ended, without its end, into `line`; its length. */
unsigned console_last_line(struct console *console, char line[ABI_LINE_MAX]);

#endif
