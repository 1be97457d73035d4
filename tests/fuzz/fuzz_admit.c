// SPDX-License-Identifier: GPL-2.0-only
/*
 * A system and cells that join it one after the other: whoever is admitted, nothing is
 * ever owned twice. The input is three files of the golden ones' sizes.
 */
#include <string.h>
#include "mutate.h"
#include "base/bits.h"

#define CELLS 2u

struct input {
	struct system_file system;
	struct cell_file cells[CELLS];
};

/* Separately for the sanitizer to see who reads beyond. */
struct parties {
	struct config system;
	struct config cells[CELLS];
	const struct config *inside[CELLS];
	unsigned count;
};

static bool apart(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a > b + (b_size - 1) || b > a + (a_size - 1);
}

static void require_apart(const struct abi_mem *m, uint64_t start, uint64_t size)
{
	REQUIRE(apart(m->phys, m->size, start, size));
}

/* Memory of the hypervisor and of the machine's interrupt controller is nobody's. */
static void require_protected(const struct parties *p, const struct config *c)
{
	const struct abi_span *hypervisor = &p->system.system->hypervisor;

	for (uint32_t i = 0; i < c->cell->mem_count; i++) {
		const struct abi_mem *m = &c->mem[i];

		for (unsigned s = 0; s < golden_limits.mediated_count; s++)
			REQUIRE(apart(m->virt, m->size, golden_limits.mediated[s].start,
				      golden_limits.mediated[s].size));
		if (m->flags & ABI_MEM_COMM)
			continue;
		require_apart(m, hypervisor->start, hypervisor->size);
		for (unsigned s = 0; s < golden_limits.mediated_count; s++)
			require_apart(m, golden_limits.mediated[s].start,
				      golden_limits.mediated[s].size);
	}
}

static void require_disjoint(const struct config *a, const struct config *b)
{
	for (unsigned w = 0; w < ABI_CPU_SET_WORDS; w++)
		REQUIRE((a->cell->cpus[w] & b->cell->cpus[w]) == 0);
	for (uint32_t i = 0; i < a->cell->mem_count; i++)
		for (uint32_t j = 0; j < b->cell->mem_count; j++) {
			const struct abi_mem *m = &a->mem[i], *o = &b->mem[j];

			if ((m->flags | o->flags) & ABI_MEM_COMM || m->flags & o->flags & ABI_MEM_SHARED)
				continue;
			require_apart(m, o->phys, o->size);
		}
	for (uint32_t i = 0; i < a->cell->irq_count; i++)
		for (uint32_t j = 0; j < b->cell->irq_count; j++)
			REQUIRE(apart(a->irq[i].first, a->irq[i].count, b->irq[j].first,
				      b->irq[j].count));
	REQUIRE(strcmp(a->cell->name, b->cell->name) != 0);
}

static void join(struct parties *p, const struct cell_file *file)
{
	struct config *c = &p->cells[p->count];
	struct why why;

	if (config_parse(file, sizeof(*file), ABI_ARCH_ARM64, ABI_KIND_CELL, c, &why) != OK)
		return;
	if (admit_cell(c, &p->system, p->inside, p->count, &golden_limits, &why) != OK) {
		REQUIRE(memchr(why.text, '\0', sizeof(why.text)));
		return;
	}
	require_protected(p, c);
	for (unsigned i = 0; i < p->count; i++)
		require_disjoint(c, p->inside[i]);
	for (uint32_t i = 0; i < c->cell->irq_count; i++)
		REQUIRE(c->irq[i].virt >= golden_limits.irq_first &&
			c->irq[i].virt + (c->irq[i].count - 1) < golden_limits.irq_end);
	p->inside[p->count++] = c;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct parties p = { .count = 0 };
	struct input in;
	struct why why;

	if (size != sizeof(in))
		return 0;
	memcpy(&in, data, sizeof(in));
	if (config_parse(&in.system, sizeof(in.system), ABI_ARCH_ARM64, ABI_KIND_SYSTEM, &p.system,
			 &why) != OK)
		return 0;
	if (admit_system(&p.system, &golden_limits, &why) != OK)
		return 0;
	require_protected(&p, &p.system);
	for (unsigned i = 0; i < CELLS; i++)
		join(&p, &in.cells[i]);
	return 0;
}

static void start_over(struct input *in)
{
	in->system = golden_system();
	in->cells[0] = golden_cell();
	in->cells[1] = golden_cell();
	strcpy(in->cells[1].cell.name, "compute");
	in->cells[1].cell.cpus[0] = 0x4;
	in->cells[1].mem[CODE].phys = 0xb8000000;
	in->cells[1].mem[SERIAL].phys = 0x09030000;
	in->cells[1].cell.flags |= ABI_CELL_INJECTED;
	in->cells[1].irq[0].first = 41;
	in->cells[1].irq[1].first = in->cells[1].irq[1].virt = 500;
}

/* One cell asks for what the other has: a field of its own becomes the other's. */
static void covet(struct input *in, uint64_t *state)
{
	unsigned taker = (unsigned)(mutate_random(state) % CELLS);
	size_t width = mutate_random(state) % 2 ? 4 : 8;
	size_t at = mutate_random(state) % (sizeof(in->cells[0]) / width) * width;

	memcpy((uint8_t *)&in->cells[taker] + at, (uint8_t *)&in->cells[(taker + 1) % CELLS] + at,
	       width);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
	uint64_t state = seed + 1ull;
	struct input in;

	if (max < sizeof(in))
		return LLVMFuzzerMutate(data, size, max);
	if (size != sizeof(in) || mutate_random(&state) % 8 == 0)
		start_over(&in);
	else
		memcpy(&in, data, sizeof(in));
	if (mutate_random(&state) % 4 == 0)
		covet(&in, &state);
	else if (mutate_random(&state) % 4 == 0)
		mutate_file((uint8_t *)&in.system, sizeof(in.system), &state);
	else
		mutate_file((uint8_t *)&in.cells[mutate_random(&state) % CELLS],
			    sizeof(in.cells[0]), &state);
	mutate_seal((uint8_t *)&in.system, sizeof(in.system));
	for (unsigned i = 0; i < CELLS; i++)
		mutate_seal((uint8_t *)&in.cells[i], sizeof(in.cells[i]));
	memcpy(data, &in, sizeof(in));
	return sizeof(in);
}
