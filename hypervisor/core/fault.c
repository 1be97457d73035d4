// SPDX-License-Identifier: GPL-2.0-only
#include "base/fmt.h"
#include "core/fault.h"

const struct mmio_region *fault_region(const struct system *sys, gpa_t address)
{
	const struct mmio_region *region = sys->mmio, *end = region + sys->mmio_count;

	for (; region < end; region++)
		if (span_has(region->span, address.v))
			return region;
	return NULL;
}

bool fault_is_stale(struct cpu *self, const struct violation *v)
{
	struct translation t;

	return v->address_known && space_walk(&self->cell->space, v->address, &t) == OK &&
	       (t.flags & v->access) == v->access;
}

/* How far `address` is from the region; 0 inside. */
static uint64_t distance(const struct abi_mem *mem, uint64_t address)
{
	struct span span = mem_guest_span(mem);

	if (span_has(span, address))
		return 0;
	return address < span.start ? span.start - address : address - span_last(span);
}

static const struct abi_mem *nearest(const struct config *config, gpa_t address)
{
	const struct abi_mem *best = NULL;
	unsigned i;

	for (i = 0; i < config->cell->mem_count; i++)
		if (best == NULL || distance(&config->mem[i], address.v) < distance(best, address.v))
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
	log_print(&self->sys->log, "%s \"%s\": CPU %u: %s: %s of 0x%llx at PC 0x%llx%s\n",
		  cell_is_root(self->cell) ? "refused to root cell" : "FAILED cell", config->cell->name,
		  self->id, what, access_name(v->access), (unsigned long long)v->address.v,
		  (unsigned long long)v->pc, v->address_known ? region : "");
}
