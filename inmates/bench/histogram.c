/* SPDX-License-Identifier: GPL-2.0-only */
#include "inmate.h"
#include "histogram.h"

/* What the hypervisor's log takes in one piece, its mark and the newline aside. */
#define LINE_SIZE 140u

struct line {
	char text[LINE_SIZE + 1];
	unsigned int length;
};

static unsigned int bucket_of(uint64_t value)
{
	unsigned int shift;

	if (value < 512)
		return (unsigned int)value;
	shift = 55u - (unsigned int)__builtin_clzll(value);
	return 256u * shift + (unsigned int)(value >> shift);
}

static uint64_t bucket_lower(unsigned int bucket)
{
	unsigned int shift;

	if (bucket < 512)
		return bucket;
	shift = (bucket - 256u) / 256u;
	return (uint64_t)(bucket - 256u * shift) << shift;
}

void histogram_clear(struct histogram *h)
{
	memset(h, 0, sizeof(*h));
	h->min = UINT64_MAX;
}

/* Where the value stands or would have to. */
static uint32_t find(const struct histogram *h, uint64_t value)
{
	uint32_t low = 0, high = h->used;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (h->value[middle] < value)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void make_coarse(struct histogram *h)
{
	for (uint32_t i = 0; i < h->used; i++)
		h->bucket[bucket_of(h->value[i])] += h->count[i];
	h->coarse = true;
}

static void add_exact(struct histogram *h, uint64_t value)
{
	uint32_t at = find(h, value);

	if (at < h->used && h->value[at] == value) {
		h->count[at]++;
		return;
	}
	if (h->used == HISTOGRAM_EXACT) {
		make_coarse(h);
		h->bucket[bucket_of(value)]++;
		return;
	}
	memmove(&h->value[at + 1], &h->value[at], (h->used - at) * sizeof(h->value[0]));
	memmove(&h->count[at + 1], &h->count[at], (h->used - at) * sizeof(h->count[0]));
	h->value[at] = value;
	h->count[at] = 1;
	h->used++;
}

void histogram_add(struct histogram *h, uint64_t value)
{
	h->samples++;
	if (value < h->min)
		h->min = value;
	if (value > h->max)
		h->max = value;
	if (h->coarse)
		h->bucket[bucket_of(value)]++;
	else
		add_exact(h, value);
}

static void line_put(struct line *l, const char *text, size_t size)
{
	memcpy(l->text + l->length, text, size);
	l->length += (unsigned int)size;
	l->text[l->length] = '\0';
}

static void line_flush(struct line *l)
{
	if (l->length)
		printk("bench: values%s\n", l->text);
	l->length = 0;
}

/* Decimal digits end at `end`; where they begin is returned. */
static char *digits(char *end, uint64_t value)
{
	do {
		*--end = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	return end;
}

static void line_pair(struct line *l, uint64_t value, uint64_t count)
{
	char text[2 * 20 + 2], *end = text + sizeof(text), *at;

	at = digits(end, count);
	*--at = ':';
	at = digits(at, value);
	*--at = ' ';
	/* "bench: values" stands before them */
	if (l->length + (size_t)(end - at) + 13 > LINE_SIZE)
		line_flush(l);
	line_put(l, at, (size_t)(end - at));
}

void histogram_print(const struct histogram *h)
{
	struct line line;

	/* Not initialised as a whole: gcc clears it in pieces that want 16-byte alignment. */
	line.length = 0;
	if (h->coarse) {
		for (unsigned int i = 0; i < HISTOGRAM_BUCKETS; i++)
			if (h->bucket[i])
				line_pair(&line, bucket_lower(i), h->bucket[i]);
	} else {
		for (uint32_t i = 0; i < h->used; i++)
			line_pair(&line, h->value[i], h->count[i]);
	}
	line_flush(&line);
}
