// SPDX-License-Identifier: GPL-2.0-only
#include "base/str.h"
#include "core/cpu.h"
#include "core/scrub.h"

/* What a window holds: chunks do not cross its boundaries in host-physical memory */
#define CHUNK_SHIFT 21
#define CHUNK_SIZE (1ull << CHUNK_SHIFT)

static bool scrubbed(const struct abi_mem *mem, uint32_t wanted)
{
	return (mem->flags & (ABI_MEM_IO | ABI_MEM_SHARED | ABI_MEM_COMM)) == 0 &&
	       (mem->flags & wanted) == wanted;
}

static uint32_t region_chunks(const struct abi_mem *mem)
{
	uint64_t last = span_last(mem_host_span(mem));

	return (uint32_t)((last >> CHUNK_SHIFT) - (mem->phys >> CHUNK_SHIFT) + 1);
}

/* The n-th chunk of all regions that are scrubbed, in host-physical addresses. */
static struct span find_chunk(const struct config *config, uint32_t wanted, uint32_t n)
{
	const struct abi_mem *mem = config->mem;
	uint64_t start, end;

	for (;; mem++) {
		if (!scrubbed(mem, wanted))
			continue;
		if (n < region_chunks(mem))
			break;
		n -= region_chunks(mem);
	}
	start = align_down(mem->phys, CHUNK_SIZE) + (uint64_t)n * CHUNK_SIZE;
	end = start + CHUNK_SIZE;
	if (start < mem->phys)
		start = mem->phys;
	if (end > mem->phys + mem->size)
		end = mem->phys + mem->size;
	return (struct span){ start, end - start };
}

static uint32_t count_chunks(const struct config *config, uint32_t wanted)
{
	uint32_t total = 0;
	unsigned i;

	for (i = 0; i < config->cell->mem_count; i++)
		if (scrubbed(&config->mem[i], wanted))
			total += region_chunks(&config->mem[i]);
	return total;
}

void scrub_begin(struct cell *cell, uint32_t wanted)
{
	struct scrub *scrub = &cell->scrub;
	struct cpu *cpu;

	lock_take(&scrub->lock);
	scrub->wanted = wanted;
	scrub->total = count_chunks(&cell->config, wanted);
	scrub->next = 0;
	scrub->done = 0;
	lock_drop(&scrub->lock);
	for_each_cell_cpu(cpu, cell)
		arch_cpu_kick(cpu);
}

bool scrub_finished(struct cell *cell)
{
	struct scrub *scrub = &cell->scrub;
	bool finished;

	lock_take(&scrub->lock);
	/* pairs with the release in scrub_step(): all of it is written */
	finished = __atomic_load_n(&scrub->done, __ATOMIC_ACQUIRE) == scrub->total;
	lock_drop(&scrub->lock);
	return finished;
}

static bool next_chunk(const struct cell *cell, struct scrub *scrub, struct span *chunk)
{
	bool some;

	lock_take(&scrub->lock);
	some = scrub->next < scrub->total;
	if (some)
		*chunk = find_chunk(&cell->config, scrub->wanted, scrub->next++);
	lock_drop(&scrub->lock);
	return some;
}

/*
 * Under the CPU's lock, because its owner changes under it: a CPU never looks at a cell
 * that may be gone. A chunk that was claimed keeps the cell alive until `done` counts it.
 */
static struct cell *claim(struct cpu *self, struct span *chunk)
{
	struct cell *cell;

	lock_take(&self->lock);
	cell = self->cell;
	if (!next_chunk(cell, &cell->scrub, chunk))
		cell = NULL;
	lock_drop(&self->lock);
	return cell;
}

bool scrub_step(struct cpu *self)
{
	struct span chunk;
	struct cell *cell = claim(self, &chunk);
	void *at;

	if (cell == NULL)
		return false;
	at = arch_window_open(self, hpa(chunk.start), chunk.size);
	memset(at, 0, chunk.size);
	arch_memory_clean(at, chunk.size);
	arch_window_close(self);
	__atomic_fetch_add(&cell->scrub.done, 1, __ATOMIC_RELEASE);
	return true;
}

void scrub_clean(struct cpu *self)
{
	const struct config *config = &self->cell->config;
	uint32_t i, total = count_chunks(config, 0);

	for (i = 0; i < total; i++) {
		struct span chunk = find_chunk(config, 0, i);

		arch_memory_clean(arch_window_open(self, hpa(chunk.start), chunk.size), chunk.size);
		arch_window_close(self);
		cpu_check_stop(self);
	}
}
