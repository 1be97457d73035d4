// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "arch/cpu.h"
#include "arch/host/machine.h"
#include "base/bug.h"
#include "base/crc.h"

#define WINDOW_SIZE 0x200000ull

static struct host_ram *ram(void)
{
	return &host_machine()->ram;
}

static size_t page_of(hpa_t at)
{
	return (size_t)((at.v - ram()->span.start) >> PAGE_SHIFT);
}

static void *zeroed(uint64_t count, size_t size)
{
	void *memory = calloc((size_t)count, size);

	if (memory == NULL)
		abort();
	return memory;
}

void host_ram_begin(struct span span, struct span hypervisor)
{
	uint64_t pages = span.size >> PAGE_SHIFT;

	*ram() = (struct host_ram){ .span = span, .hypervisor = hypervisor };
	/* page-aligned; untouched pages cost nothing */
	ram()->memory = zeroed(span.size + PAGE_SIZE, 1);
	ram()->bytes = ram()->memory + (-(uintptr_t)ram()->memory & PAGE_MASK);
	ram()->dirty = zeroed(pages, 1);
	ram()->cleaned = zeroed(pages, sizeof(uint32_t));
}

void host_ram_end(void)
{
	for (unsigned i = 0; i < HOST_CPUS; i++) {
		struct host_window *w = &host_machine()->window[i];

		if (w->bytes != NULL)
			host_complain("CPU %u left its window open", i);
		free(w->bytes);
		free(w->before);
		*w = (struct host_window){ 0 };
	}
	free(ram()->memory);
	free(ram()->dirty);
	free(ram()->cleaned);
	*ram() = (struct host_ram){ 0 };
}

uint8_t *host_ram(hpa_t at)
{
	BUG_ON(!span_has(ram()->span, at.v));
	return ram()->bytes + (at.v - ram()->span.start);
}

static void to_ram(const struct host_window *w, uint64_t offset, uint64_t size)
{
	memcpy(host_ram(hpa(w->at.v + offset)), w->bytes + offset, (size_t)size);
	memcpy(w->before + offset, w->bytes + offset, (size_t)size);
}

void *arch_window_open(struct cpu *self, hpa_t at, uint64_t size)
{
	struct host_window *w = &host_machine()->window[self->id];
	struct span span = { at.v, size };

	host_enter(self, "window");
	arch_window_close(self);
	if (!span_valid(span) || !span_within(span, ram()->span))
		BUG("a window on what is no memory");
	if (span_overlaps(span, ram()->hypervisor))
		host_complain("a window on the hypervisor's own memory at %#llx", (unsigned long long)at.v);
	if (align_down(at.v, WINDOW_SIZE) != align_down(span_last(span), WINDOW_SIZE))
		host_complain("a window at %#llx across a 2 MiB boundary", (unsigned long long)at.v);
	*w = (struct host_window){ .at = at, .size = size };
	w->bytes = malloc((size_t)size);
	w->before = malloc((size_t)size);
	if (w->bytes == NULL || w->before == NULL)
		abort();
	memcpy(w->bytes, host_ram(at), (size_t)size);
	memcpy(w->before, w->bytes, (size_t)size);
	return w->bytes;
}

void arch_window_close(struct cpu *self)
{
	struct host_window *w = &host_machine()->window[self->id];
	uint64_t offset = 0;

	if (w->bytes == NULL)
		return;
	while (offset < w->size) {
		uint64_t part = PAGE_SIZE - ((w->at.v + offset) & PAGE_MASK);

		if (part > w->size - offset)
			part = w->size - offset;
		if (memcmp(w->bytes + offset, w->before + offset, (size_t)part) != 0) {
			to_ram(w, offset, part);
			ram()->dirty[page_of(hpa(w->at.v + offset))] = 1;
		}
		offset += part;
	}
	free(w->bytes);
	free(w->before);
	*w = (struct host_window){ 0 };
}

static bool clean_one_window(const struct host_window *w, const uint8_t *at, uint64_t size)
{
	uint64_t from = (uintptr_t)at - (uintptr_t)w->bytes;

	if (w->bytes == NULL || !span_within((struct span){ (uintptr_t)at, size },
					     (struct span){ (uintptr_t)w->bytes, w->size }))
		return false;
	to_ram(w, from, size);
	for (uint64_t offset = from; offset < from + size; offset += PAGE_SIZE)
		ram()->dirty[page_of(hpa(w->at.v + offset))] = 0;
	return true;
}

/* A CPU cleans through its own window only. */
static bool clean_window(const uint8_t *at, uint64_t size)
{
	const struct host_thread *t = host_this_thread();

	if (t != NULL)
		return clean_one_window(&host_machine()->window[t->cpu->id], at, size);
	for (unsigned i = 0; i < HOST_CPUS; i++)
		if (clean_one_window(&host_machine()->window[i], at, size))
			return true;
	return false;
}

static uint32_t *checksum_of(const void *page)
{
	uint64_t offset = (uintptr_t)page - (uintptr_t)ram()->bytes;

	if ((uintptr_t)page < (uintptr_t)ram()->bytes || offset >= ram()->span.size ||
	    (offset & PAGE_MASK) != 0)
		return NULL;
	return &ram()->cleaned[offset >> PAGE_SHIFT];
}

void arch_memory_clean(const void *at, uint64_t size)
{
	uint32_t *checksum;

	host_enter(NULL, "clean");
	if (clean_window(at, size))
		return;
	checksum = checksum_of(at);
	if (checksum == NULL || size > PAGE_SIZE)
		host_complain("cleaned what is neither a window nor a page of the hypervisor's");
	else if (size == PAGE_SIZE)
		*checksum = crc32(0, at, PAGE_SIZE);
}

void host_ram_guest_wrote(const void *page)
{
	uint32_t *checksum = checksum_of(page);

	BUG_ON(checksum == NULL);
	*checksum = crc32(0, page, PAGE_SIZE);
}

void host_ram_check_cleaned(struct span span)
{
	for (uint64_t at = span.start; at - span.start < span.size; at += PAGE_SIZE)
		if (ram()->dirty[page_of(hpa(at))])
			host_complain("the page at %#llx was written and not cleaned", (unsigned long long)at);
}

void host_ram_check_page_cleaned(const void *page)
{
	const uint32_t *checksum = checksum_of(page);

	if (checksum == NULL || *checksum != crc32(0, page, PAGE_SIZE))
		host_complain("a page of the hypervisor's is shown to a guest and was not cleaned");
}
