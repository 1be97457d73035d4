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

void scrub_begin(struct cell *cell, uint32_t wanted)
{
	struct scrub *scrub = &cell->scrub;
	uint32_t total = 0;
	struct cpu *cpu;
	unsigned i;

	for (i = 0; i < cell->config.cell->mem_count; i++)
		if (scrubbed(&cell->config.mem[i], wanted))
			total += region_chunks(&cell->config.mem[i]);
	scrub->wanted = wanted;
	scrub->done = 0;
	__atomic_store_n(&scrub->next, 0, __ATOMIC_RELEASE);
	/* pairs with the acquire in claim() */
	__atomic_store_n(&scrub->total, total, __ATOMIC_RELEASE);
	for_each_cell_cpu(cpu, cell)
		arch_cpu_kick(cpu);
}

bool scrub_finished(struct cell *cell)
{
	struct scrub *scrub = &cell->scrub;

	/* pairs with the release in scrub_step(): all of it is written */
	if (__atomic_load_n(&scrub->done, __ATOMIC_ACQUIRE) != scrub->total)
		return false;
	/* A CPU that looks late finds nothing to do */
	__atomic_store_n(&scrub->total, 0, __ATOMIC_RELEASE);
	return true;
}

/*
 * Under the CPU's lock, because its owner changes under it: a CPU never looks at a cell
 * that may be gone. A chunk that was claimed keeps the cell alive until `done` counts it.
 */
static struct cell *claim(struct cpu *self, struct span *chunk)
{
	struct cell *cell;
	struct scrub *scrub;
	uint32_t total, n;

	lock_take(&self->lock);
	cell = self->cell;
	scrub = &cell->scrub;
	total = __atomic_load_n(&scrub->total, __ATOMIC_ACQUIRE);
	if (__atomic_load_n(&scrub->next, __ATOMIC_ACQUIRE) < total) {
		n = __atomic_fetch_add(&scrub->next, 1, __ATOMIC_ACQ_REL);
		if (n < total) {
			*chunk = find_chunk(&cell->config, scrub->wanted, n);
			lock_drop(&self->lock);
			return cell;
		}
	}
	lock_drop(&self->lock);
	return NULL;
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
