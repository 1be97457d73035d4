// SPDX-License-Identifier: GPL-2.0-only
#include "arch/cpu.h"
#include "base/str.h"
#include "core/console.h"

/* A ring has room for one line's mark in so many bytes, a quarter of it: most lines are longer than the rest. */
#define BYTES_PER_MARK 64u

static char *text_of(struct abi_ring *ring)
{
	return (char *)(ring->marks + ring->mark_count);
}

void console_init(struct console *console, void *memory, size_t size)
{
	struct abi_ring *ring = memory;

	*console = (struct console){ .ring = ring };
	memset(ring, 0, sizeof(*ring));
	ring->mark_count = (uint32_t)(size / BYTES_PER_MARK);
	ring->text_size = (uint32_t)(size - sizeof(*ring) - ring->mark_count * sizeof(struct abi_mark));
	ring->cell = ABI_RING_UNUSED;
}

void console_give(struct console *console, uint32_t cell, const char *name)
{
	struct abi_ring *ring = console->ring;

	lock_take(&console->lock);
	console->column = 0;
	/* pairs with the reader's acquire: it sees an odd epoch, or nothing of what follows */
	__atomic_store_n(&ring->epoch, ring->epoch + 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	ring->head = 0;
	ring->lines = 0;
	memcpy(ring->name, name, sizeof(ring->name));
	ring->cell = cell;
	__atomic_store_n(&ring->epoch, ring->epoch + 1, __ATOMIC_RELEASE);
	lock_drop(&console->lock);
}

void console_release(struct console *console)
{
	console->ring->cell = ABI_RING_UNUSED;
}

static void end_line(struct console *console)
{
	struct abi_ring *ring = console->ring;
	uint64_t lines = ring->lines;

	ring->marks[lines % ring->mark_count] = (struct abi_mark){ ring->head, arch_now() };
	console->column = 0;
	/* pairs with the reader's acquire: the mark before the count */
	__atomic_store_n(&ring->lines, lines + 1, __ATOMIC_RELEASE);
}

static bool put(struct console *console, char c)
{
	struct abi_ring *ring = console->ring;
	uint64_t head = ring->head;

	text_of(ring)[head % ring->text_size] = c;
	/* pairs with the reader's acquire: text before head */
	__atomic_store_n(&ring->head, head + 1, __ATOMIC_RELEASE);
	if (c != '\n' && ++console->column < ABI_LINE_MAX)
		return false;
	end_line(console);
	return true;
}

bool console_put(struct console *console, char c)
{
	bool ended;

	lock_take(&console->lock);
	ended = put(console, c);
	lock_drop(&console->lock);
	return ended;
}

void console_write_unlocked(struct console *console, const char *text, size_t size)
{
	while (size-- != 0)
		(void)put(console, *text++);
}

void console_write(struct console *console, const char *text, size_t size)
{
	lock_take(&console->lock);
	console_write_unlocked(console, text, size);
	lock_drop(&console->lock);
}

bool console_end_line(struct console *console)
{
	bool ended;

	lock_take(&console->lock);
	ended = console->column != 0 && put(console, '\n');
	lock_drop(&console->lock);
	return ended;
}

unsigned console_last_line(struct console *console, char line[ABI_LINE_MAX])
{
	struct abi_ring *ring = console->ring;
	uint64_t start = 0, end;
	unsigned size = 0;

	lock_take(&console->lock);
	end = ring->marks[(ring->lines - 1) % ring->mark_count].end;
	if (ring->lines > 1)
		start = ring->marks[(ring->lines - 2) % ring->mark_count].end;
	for (; start < end; start++) {
		char c = text_of(ring)[start % ring->text_size];

		/* char is signed on some architectures; bytes above 0x7f are other languages' letters */
		if (((uint8_t)c >= ' ' && c != 0x7f) || c == '\t')
			line[size++] = c;
	}
	lock_drop(&console->lock);
	return size;
}
