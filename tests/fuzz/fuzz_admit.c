// SPDX-License-Identifier: GPL-2.0-only
/*
 * A system and cells that join it one after the other: whoever is admitted, nothing is
 * ever owned twice. The input is three files of the golden ones' sizes, of either kind of machine.
 */
#include <string.h>
#include "mutate.h"
#include "base/bits.h"

#define CELLS 2u

struct input {
	struct system_file system;
	struct cell_file cells[CELLS];
};

struct pc_input {
	struct pc_system_file system;
	struct pc_cell_file cells[CELLS];
};

/* How an input of one kind is cut up. */
static const struct kind {
	uint8_t arch;
	size_t size, system_size, cell_size;
	const struct admit_limits *limits;
} kinds[] = {
	{ ABI_ARCH_ARM64, sizeof(struct input), sizeof(struct system_file), sizeof(struct cell_file),
	  &golden_limits },
	{ ABI_ARCH_X86_64, sizeof(struct pc_input), sizeof(struct pc_system_file),
	  sizeof(struct pc_cell_file), &golden_pc_limits },
};
static_assert(sizeof(struct input) != sizeof(struct pc_input), "told apart by it");

struct parties {
	const struct kind *kind;
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

static bool sees_its_own_gic(const struct config *c)
{
	return !c->system && (c->cell->gicd != 0 || (c->cell->flags & ABI_CELL_CPUS_COUNTED));
}

/* Where such a cell sees the interrupt controller there is nothing else. */
static void require_gic(const struct parties *p, const struct config *c)
{
	const struct abi_platform_arm64 *machine = &p->system.system->platform.arm64;
	uint64_t gicd = c->cell->gicd ? c->cell->gicd : machine->gicd.start;
	uint64_t gicr = c->cell->gicr ? c->cell->gicr : machine->gicr.start;
	uint64_t size = machine->gicr.size;

	if (c->cell->flags & ABI_CELL_CPUS_COUNTED)
		size = 0x20000ull * (unsigned)__builtin_popcountll(c->cell->cpus[0]);
	REQUIRE(apart(gicd, machine->gicd.size, gicr, size));
	REQUIRE(gicd + (machine->gicd.size - 1) < p->kind->limits->guest_end);
	REQUIRE(gicr + (size - 1) < p->kind->limits->guest_end);
	for (uint32_t i = 0; i < c->cell->mem_count; i++) {
		REQUIRE(apart(c->mem[i].virt, c->mem[i].size, gicd, machine->gicd.size));
		REQUIRE(apart(c->mem[i].virt, c->mem[i].size, gicr, size));
	}
	if (c->cell->uart.type != ABI_CONSOLE_NONE) {
		REQUIRE(apart(c->cell->uart.address, PAGE_SIZE, gicd, machine->gicd.size));
		REQUIRE(apart(c->cell->uart.address, PAGE_SIZE, gicr, size));
	}
}

/* Memory of the hypervisor and what is mediated is nobody's. */
static void require_protected(const struct parties *p, const struct config *c)
{
	const struct abi_span *hypervisor = &p->system.system->hypervisor;
	const struct admit_limits *limits = p->kind->limits;

	for (uint32_t i = 0; i < c->cell->pio_count; i++)
		REQUIRE(c->pio[i].first >= 0xd00 || c->pio[i].first + c->pio[i].count <= 0xcf8);
	for (uint32_t i = 0; i < c->cell->mem_count; i++) {
		const struct abi_mem *m = &c->mem[i];

		for (unsigned s = 0; s < limits->mediated_count; s++)
			REQUIRE(sees_its_own_gic(c) ||
				apart(m->virt, m->size, limits->mediated[s].start,
				      limits->mediated[s].size));
		if (m->flags & ABI_MEM_COMM)
			continue;
		require_apart(m, hypervisor->start, hypervisor->size);
		for (unsigned s = 0; s < limits->mediated_count; s++)
			require_apart(m, limits->mediated[s].start,
				      limits->mediated[s].size);
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
	for (uint32_t i = 0; i < a->cell->pio_count; i++)
		for (uint32_t j = 0; j < b->cell->pio_count; j++)
			REQUIRE(apart(a->pio[i].first, a->pio[i].count, b->pio[j].first,
				      b->pio[j].count));
	for (uint32_t i = 0; i < a->cell->pci_count; i++)
		for (uint32_t j = 0; j < b->cell->pci_count; j++)
			REQUIRE(a->pci[i].bdf != b->pci[j].bdf);
	REQUIRE(strcmp(a->cell->name, b->cell->name) != 0);
}

static void join(struct parties *p, const uint8_t *file)
{
	const struct admit_limits *limits = p->kind->limits;
	struct config *c = &p->cells[p->count];
	struct why why;

	if (config_parse(file, p->kind->cell_size, p->kind->arch, ABI_KIND_CELL, c, &why) != OK)
		return;
	if (admit_cell(c, &p->system, p->inside, p->count, limits, &why) != OK) {
		REQUIRE(memchr(why.text, '\0', sizeof(why.text)));
		return;
	}
	require_protected(p, c);
	if (sees_its_own_gic(c))
		require_gic(p, c);
	REQUIRE(!limits->cpu0_stays || (c->cell->cpus[0] & 1) == 0);
	for (unsigned i = 0; i < p->count; i++)
		require_disjoint(c, p->inside[i]);
	for (uint32_t i = 0; i < c->cell->irq_count; i++)
		REQUIRE(c->irq[i].virt >= limits->irq_first &&
			c->irq[i].virt + (c->irq[i].count - 1) < limits->irq_end);
	p->inside[p->count++] = c;
}

static const struct kind *kind_of(size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].size == size)
			return &kinds[i];
	return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct parties p = { .kind = kind_of(size) };
	union {
		struct input in;
		struct pc_input pc;
	} u;
	struct why why;

	if (!p.kind)
		return 0;
	memcpy(&u, data, size);
	if (config_parse(&u, p.kind->system_size, p.kind->arch, ABI_KIND_SYSTEM, &p.system, &why) != OK)
		return 0;
	if (admit_system(&p.system, p.kind->limits, &why) != OK)
		return 0;
	require_protected(&p, &p.system);
	for (unsigned i = 0; i < CELLS; i++)
		join(&p, (uint8_t *)&u + p.kind->system_size + i * p.kind->cell_size);
	return 0;
}

static struct input good_input(void)
{
	struct input in = { golden_system(), { golden_cell(), golden_cell() } };

	strcpy(in.cells[1].cell.name, "compute");
	in.cells[1].cell.cpus[0] = 0x4;
	in.cells[1].mem[CODE].phys = 0xb8000000;
	in.cells[1].mem[SERIAL].phys = 0x09030000;
	in.cells[1].cell.flags |= ABI_CELL_INJECTED;
	in.cells[1].irq[0].first = 41;
	in.cells[1].irq[1].first = in.cells[1].irq[1].virt = 500;
	return in;
}

static struct pc_input good_pc_input(void)
{
	struct pc_input in = { golden_pc_system(), { golden_pc_cell(), golden_pc_cell() } };

	strcpy(in.cells[1].cell.name, "compute");
	in.cells[1].cell.cpus[0] = 0x4;
	in.cells[1].mem[CODE].phys = 0x38000000;
	in.cells[1].mem[SERIAL].phys = 0xfebe0000;
	in.cells[1].irq[0].first = in.cells[1].irq[0].virt = 4;
	in.cells[1].irq[1].first = in.cells[1].irq[1].virt = 50;
	in.cells[1].pio[0].first = 0x3e8;
	in.cells[1].pio[1].first = 0xd000;
	in.cells[1].pci[0].bdf = 0x00f8;
	in.cells[1].pci[1].bdf = 0x0108;
	return in;
}

/* Good files of the kind. */
static void start_over(uint8_t *data, const struct kind *kind)
{
	struct input in = good_input();
	struct pc_input pc = good_pc_input();

	memcpy(data, kind == &kinds[0] ? (void *)&in : (void *)&pc, kind->size);
}

/* One cell asks for what the other has: a field of its own becomes the other's. */
static void covet(uint8_t *cells, size_t cell_size, uint64_t *state)
{
	uint64_t taker = mutate_random(state) % CELLS;
	size_t width = mutate_random(state) % 2 ? 4 : 8;
	size_t at = mutate_random(state) % (cell_size / width) * width;

	memcpy(cells + taker * cell_size + at, cells + (taker + 1) % CELLS * cell_size + at, width);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
	uint64_t state = seed + 1ull;
	const struct kind *kind = kind_of(size);
	uint8_t *cells;

	if (max < sizeof(struct pc_input))
		return LLVMFuzzerMutate(data, size, max);
	if (!kind || mutate_random(&state) % 8 == 0) {
		kind = &kinds[mutate_random(&state) % ARRAY_SIZE(kinds)];
		start_over(data, kind);
	}
	cells = data + kind->system_size;
	if (mutate_random(&state) % 4 == 0)
		covet(cells, kind->cell_size, &state);
	else if (mutate_random(&state) % 4 == 0)
		mutate_file(data, kind->system_size, &state);
	else
		mutate_file(cells + mutate_random(&state) % CELLS * kind->cell_size, kind->cell_size,
			    &state);
	mutate_seal(data, kind->system_size);
	for (unsigned i = 0; i < CELLS; i++)
		mutate_seal(cells + i * kind->cell_size, kind->cell_size);
	return kind->size;
}
