// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>

#include "base/fmt.h"
#include "core/fault.h"

#define TEXT_SIZE 224

void fault_say(const struct cpu *self, bool fails, const char *format, ...)
{
	char text[TEXT_SIZE];
	va_list args;

	va_start(args, format);
	fmt_args(text, sizeof(text), format, args);
	va_end(args);
	log_print(&self->sys->log, "%s \"%s\": CPU %u: %s\n",
		  cell_is_root(self->cell) ? "refused to root cell" : fails ? "FAILED cell" : "refused to cell",
		  self->cell->config.cell->name, self->id, text);
}

static const struct mmio_region *find_region(const struct mmio_region *region, unsigned count, gpa_t address)
{
	for (; count > 0; region++, count--)
		if (span_has(region->span, address.v))
			return region;
	return NULL;
}

const struct mmio_region *fault_region(const struct cell *cell, gpa_t address)
{
	const struct mmio_region *own = find_region(cell->mmio, cell->mmio_count, address);

	return own ? own : find_region(cell->sys->mmio, cell->sys->mmio_count, address);
}

bool fault_is_stale(struct cpu *self, const struct violation *v)
{
	struct translation t;

	return v->address_known && space_walk(&self->cell->space, v->address, &t) == OK &&
	       (t.flags & v->access) == v->access;
}

__attribute__((noinline)) uint64_t fault_distance(struct span span, uint64_t address)
{
	if (span_has(span, address))
		return 0;
	return address < span.start ? span.start - address : address - span_last(span);
}

static const struct abi_mem *nearest(const struct config *config, gpa_t address)
{
	const struct abi_mem *best = NULL;
	unsigned i;

	for (i = 0; i < config->cell->mem_count; i++)
		if (best == NULL || fault_distance(mem_guest_span(&config->mem[i]), address.v) <
					    fault_distance(mem_guest_span(best), address.v))
			best = &config->mem[i];
	return best;
}

static const char *access_name(uint32_t access)
{
	return access & MAP_EXEC ? "execute" : access & MAP_WRITE ? "write" : "read";
}

static void describe_nearest(const struct config *config, gpa_t address, char *text, size_t size)
{
	const struct abi_mem *mem = nearest(config, address);

	text[0] = '\0';
	if (mem == NULL)
		return;
	fmt(text, size, "; nearest is \"%s\" 0x%llx..0x%llx %c%c%c", mem->name,
	    (unsigned long long)mem->virt, (unsigned long long)span_last(mem_guest_span(mem)),
	    mem->flags & ABI_MEM_READ ? 'r' : '-', mem->flags & ABI_MEM_WRITE ? 'w' : '-',
	    mem->flags & ABI_MEM_EXEC ? 'x' : '-');
}

void fault_report(struct cpu *self, const struct violation *v, const char *what)
{
	const struct config *config = &self->cell->config;
	char region[96];

	describe_nearest(config, v->address, region, sizeof(region));
	fault_say(self, true, "%s: %s of 0x%llx at PC 0x%llx%s", what, access_name(v->access),
		  (unsigned long long)v->address.v, (unsigned long long)v->pc,
		  v->address_known ? region : "");
}
