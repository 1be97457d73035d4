// SPDX-License-Identifier: GPL-2.0-only
#ifdef __KERNEL__
#include <linux/kernel.h>
#include <linux/string.h>
#else
#include <stdio.h>
#include <string.h>
#define scnprintf snprintf	/* what is printed here fits */
#endif

#include "merge.h"

#define TRIES 8

/* A line found in a ring. */
struct line {
	const struct abi_ring *ring;
	struct merge_at *at;	/* whose line it is ... */
	struct merge_at is;	/* ... and which */
	uint64_t time, start, end;
	uint64_t lost;		/* lines before it that are gone */
};

/* Each pairs with the hypervisor's release of what it counts */
static uint64_t load(const volatile uint64_t *count)
{
	return __atomic_load_n(count, __ATOMIC_ACQUIRE);
}

static uint32_t load_epoch(const struct abi_ring *ring)
{
	return __atomic_load_n(&ring->epoch, __ATOMIC_ACQUIRE);
}

static const char *text_of(const struct abi_ring *ring)
{
	return (const char *)(ring->marks + ring->mark_count);
}

static bool ring_fits(const struct abi_ring *ring, size_t size)
{
	return size > sizeof(*ring) && ring->mark_count > 1 && ring->text_size > 0 &&
	       ring->mark_count <= (size - sizeof(*ring)) / sizeof(struct abi_mark) &&
	       ring->text_size <= size - sizeof(*ring) - ring->mark_count * sizeof(struct abi_mark);
}

bool rings_init(struct rings *rings, const void *area, size_t size)
{
	const struct abi_log *log = area;
	const char *at = (const char *)(log + 1);
	size_t left = size, part;
	unsigned int i;

	memset(rings, 0, sizeof(*rings));
	if (size < sizeof(*log) || log->magic != ABI_LOG_MAGIC || log->rings < 1 || log->rings > MERGE_RINGS_MAX ||
	    log->first_size < sizeof(*log))
		return false;
	for (i = 0; i < log->rings; i++) {
		part = i == 0 ? log->first_size : log->other_size;
		if (part > left || part % 8)
			return false;
		left -= part;
		part -= i == 0 ? sizeof(*log) : 0;
		rings->ring[i] = (const struct abi_ring *)at;
		if (!ring_fits(rings->ring[i], part))
			return false;
		at += part;
	}
	rings->log = log;
	rings->count = log->rings;
	return true;
}

int rings_find(const struct rings *rings, uint32_t cell)
{
	unsigned int i;

	for (i = 0; i < rings->count; i++)
		if (rings->ring[i]->cell == cell)
			return (int)i;
	return -1;
}

/* Is what was copied from `start` on still what was written there? */
static bool still_there(const struct abi_ring *ring, uint32_t epoch, uint64_t start)
{
	/* pairs with the hypervisor's release: the copy before these are read again */
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return ring->epoch == epoch && ring->head - start <= ring->text_size;
}

/* The mark of line n; false: it is being overwritten. */
static bool get_mark(const struct abi_ring *ring, uint64_t n, struct abi_mark *mark)
{
	*mark = ring->marks[n % ring->mark_count];
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return ring->lines - n < ring->mark_count;
}

/* The next line of a ring that this reader has not had and that is whole still. */
static bool find_line(const struct abi_ring *ring, struct merge_at *at, struct line *found)
{
	uint32_t epoch = load_epoch(ring);
	struct abi_mark before = { 0, 0 }, mark;
	uint64_t lines = load(&ring->lines), from = epoch == at->epoch ? at->line : 0, line = from;

	if (epoch & 1 || lines == from)
		return false;
	/* a mark is written before it is counted, and the start of a line is the mark before it */
	if (lines - line > ring->mark_count - 2)
		line = lines - (ring->mark_count - 2);
	for (; line < lines; line++) {
		if (line > 0 && !get_mark(ring, line - 1, &before))
			continue;
		if (get_mark(ring, line, &mark) && mark.end - before.end <= ABI_LINE_MAX + 1 &&
		    still_there(ring, epoch, before.end))
			break;
	}
	if (line == lines)
		return false;
	*found = (struct line){ ring, at, { epoch, line }, mark.time, before.end, mark.end, line - from };
	return true;
}

/* The line that ended first of those that are the next of each ring. */
static bool find_first(struct merge *merge, const struct rings *rings, struct line *first)
{
	struct line line;
	bool any = false;
	unsigned int i;

	for (i = 0; i < rings->count; i++) {
		if (!find_line(rings->ring[i], &merge->at[i], &line))
			continue;
		if (!any || line.time < first->time)
			*first = line;
		any = true;
	}
	return any;
}

/* What a terminal shows of it: without control characters and sequences. Returns the size. */
static unsigned int plain(char *text, unsigned int size)
{
	enum { TEXT, ESCAPE, SEQUENCE } state = TEXT;
	unsigned int i, n = 0;

	for (i = 0; i < size; i++) {
		unsigned char c = (unsigned char)text[i];

		if (state == ESCAPE) {
			state = c == '[' ? SEQUENCE : TEXT;
		} else if (state == SEQUENCE) {
			/* ECMA-48 5.4: the final byte */
			if (c >= 0x40 && c <= 0x7e)
				state = TEXT;
		} else if (c == 0x1b) {
			state = ESCAPE;
		} else if ((c >= ' ' && c != 0x7f) || c == '\t') {
			text[n++] = (char)c;
		}
	}
	return n;
}

static void copy_text(const struct abi_ring *ring, uint64_t at, char *to, size_t size)
{
	uint32_t start = (uint32_t)(at % ring->text_size);
	size_t first = size < ring->text_size - start ? size : ring->text_size - start;

	memcpy(to, text_of(ring) + start, first);
	memcpy(to + first, text_of(ring), size - first);
}

/* "[name] ", or nothing for the hypervisor's. */
static unsigned int put_name(const struct abi_ring *ring, char *out)
{
	char name[sizeof(ring->name)];

	memcpy(name, ring->name, sizeof(name));
	name[sizeof(name) - 1] = 0;
	return name[0] ? (unsigned int)scnprintf(out, sizeof(name) + 4, "[%s] ", name) : 0;
}

/* Puts the line into merge->out, or what is to be said of those before it. False: it is gone by now. */
static bool put_line(struct merge *merge, const struct line *line)
{
	unsigned int head = put_name(line->ring, merge->out);
	unsigned int size = (unsigned int)(line->end - line->start);

	merge->out_at = merge->out_size = 0;
	if (line->lost) {
		*line->at = line->is;
		merge->out_size = head + (unsigned int)scnprintf(merge->out + head, 48, "(%llu lines lost)\n",
								 (unsigned long long)line->lost);
		return true;
	}
	copy_text(line->ring, line->start, merge->out + head, size);
	if (!still_there(line->ring, line->is.epoch, line->start))
		return false;
	*line->at = line->is;
	line->at->line++;
	size = plain(merge->out + head, size);
	/* the hypervisor's own are as it wrote them; of a cell empty ones say nothing */
	if (size == 0 && head != 0)
		return true;
	merge->out[head + size] = '\n';
	merge->out_size = head + size + 1;
	return true;
}

/* Is there anything in merge->out? */
static bool fill(struct merge *merge, const struct rings *rings)
{
	struct line first, again;
	unsigned int tries = 0;

	while (merge->out_at == merge->out_size && find_first(merge, rings, &first)) {
		/* a line that ended before may have come while the last rings were looked at */
		if (find_first(merge, rings, &again))
			first = again;
		if (!put_line(merge, &first) && ++tries == TRIES)
			return false;
	}
	return merge->out_at != merge->out_size;
}

size_t merge_read(struct merge *merge, const struct rings *rings, char *to, size_t size)
{
	size_t n = 0, part;

	while (n < size && fill(merge, rings)) {
		part = merge->out_size - merge->out_at;
		if (part > size - n)
			part = size - n;
		memcpy(to + n, merge->out + merge->out_at, part);
		merge->out_at += (unsigned int)part;
		n += part;
	}
	return n;
}

bool merge_ready(struct merge *merge, const struct rings *rings)
{
	return fill(merge, rings);
}

void tail_begin(struct tail *tail, const struct abi_ring *ring)
{
	uint64_t head = load(&ring->head);

	*tail = (struct tail){ load_epoch(ring), head > ring->text_size ? head - ring->text_size : 0, false };
}

bool tail_over(const struct tail *tail, const struct abi_ring *ring)
{
	return load_epoch(ring) != tail->epoch || (ring->cell == ABI_RING_UNUSED && load(&ring->head) == tail->at);
}

bool tail_ready(const struct tail *tail, const struct abi_ring *ring)
{
	return load(&ring->head) != tail->at || tail_over(tail, ring);
}

/* Skips what is overwritten; a note of it if the reader had been in time before. */
static size_t skip_lost(struct tail *tail, const struct abi_ring *ring, uint64_t head, char *to, size_t size)
{
	uint64_t lost;

	if (head - tail->at <= ring->text_size)
		return 0;
	/* half of it again: a writer that goes on does not overtake at once */
	lost = head - ring->text_size / 2 - tail->at;
	tail->at += lost;
	return tail->begun ? (size_t)scnprintf(to, size, "\r\n(%llu bytes lost)\r\n", (unsigned long long)lost) : 0;
}

size_t tail_read(struct tail *tail, const struct abi_ring *ring, char *to, size_t size)
{
	int tries;

	for (tries = 0; tries < TRIES; tries++) {
		uint64_t head = load(&ring->head);
		size_t note, n;

		if (load_epoch(ring) != tail->epoch)
			return 0;
		note = skip_lost(tail, ring, head, to, size);
		n = size - note < head - tail->at ? size - note : (size_t)(head - tail->at);
		copy_text(ring, tail->at, to + note, n);
		if (!still_there(ring, tail->epoch, tail->at))
			continue;
		tail->at += n;
		tail->begun = true;
		return note + n;
	}
	return 0;
}
