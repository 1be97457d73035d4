// SPDX-License-Identifier: GPL-2.0-only
/* Any bytes at all: config_parse reads nothing beyond them, and believes only what is so. */
#include <stdlib.h>
#include <string.h>
#include "mutate.h"

#define MAX_FILE 4096u

static void require_name(const char *name, size_t size)
{
	REQUIRE(memchr(name, '\0', size));
	for (; *name; name++)
		REQUIRE(*name >= 0x20 && *name < 0x7f);
}

static void require_records(const struct config *c)
{
	for (uint32_t i = 0; i < c->cell->mem_count; i++) {
		const struct abi_mem *m = &c->mem[i];

		require_name(m->name, sizeof(m->name));
		REQUIRE(m->size != 0 && (m->size | m->phys | m->virt) % PAGE_SIZE == 0);
		REQUIRE(m->phys + (m->size - 1) >= m->phys && m->virt + (m->size - 1) >= m->virt);
		REQUIRE(!(m->flags & ABI_MEM_COMM) || (m->size == PAGE_SIZE && m->phys == 0));
		REQUIRE(!c->system || m->phys == m->virt);
		for (uint32_t j = 0; j < i; j++)
			REQUIRE(m->virt > c->mem[j].virt + (c->mem[j].size - 1) ||
				c->mem[j].virt > m->virt + (m->size - 1));
	}
}

static bool disjoint(uint32_t a, uint32_t a_count, uint32_t b, uint32_t b_count)
{
	return a > b + (b_count - 1) || b > a + (a_count - 1);
}

static void require_lines(const struct config *c)
{
	for (uint32_t i = 0; i < c->cell->irq_count; i++) {
		const struct abi_irq *irq = &c->irq[i];

		REQUIRE(irq->count != 0 && irq->reserved == 0);
		REQUIRE(irq->first + (irq->count - 1) >= irq->first);
		REQUIRE(irq->virt + (irq->count - 1) >= irq->virt);
		REQUIRE(irq->virt == irq->first || (c->cell->flags & ABI_CELL_INJECTED));
		for (uint32_t j = 0; j < i; j++) {
			REQUIRE(disjoint(irq->first, irq->count, c->irq[j].first, c->irq[j].count));
			REQUIRE(disjoint(irq->virt, irq->count, c->irq[j].virt, c->irq[j].count));
		}
	}
}

/* A contract that can be kept, and none for the root cell. */
static void require_contract(const struct abi_cell *cell, bool system)
{
	const uint32_t either = ABI_CELL_INJECTED | ABI_CELL_TRUSTED_WFI;

	REQUIRE(cell->flags < 0x20 && (cell->flags & either) != either);
	REQUIRE(cell->settle_ms <= ABI_SETTLE_MAX_MS);
	if (cell->exits == ABI_EXITS_ANY)
		REQUIRE(cell->settle_ms == 0 && !(cell->flags & ABI_CELL_FAIL_ON_VIOLATION));
	if (system)
		REQUIRE(cell->exits == ABI_EXITS_ANY && cell->flags < ABI_CELL_INJECTED);
}

/* What was accepted, looked at once more. */
static void require_good(const struct config *c, const uint8_t *bytes, size_t size)
{
	const uint8_t *end = (const uint8_t *)(c->irq + c->cell->irq_count);

	REQUIRE((const uint8_t *)c->header == bytes && end == bytes + size);
	REQUIRE((const uint8_t *)(c->mem + c->cell->mem_count) == (const uint8_t *)c->irq);
	REQUIRE(c->header->size == size && size <= ABI_CONFIG_MAX_SIZE);
	require_name(c->cell->name, sizeof(c->cell->name));
	REQUIRE(c->cell->name[0] != '\0');
	REQUIRE((c->system != NULL) == (c->header->kind == ABI_KIND_SYSTEM));
	if (c->system) {
		REQUIRE(c->system->hypervisor.size >= 0x400000);
		REQUIRE(c->system->cpu_count >= 1 && c->system->cpu_count <= 256);
		REQUIRE((const uint8_t *)(c->hwid + c->system->cpu_count) == (const uint8_t *)c->cell);
	}
	require_records(c);
	require_lines(c);
	require_contract(c->cell, c->system != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Ends where the allocation ends */
	uint8_t *bytes = malloc(size ? size : 1);
	uint8_t kind = size > 11 && data[11] == ABI_KIND_SYSTEM ? ABI_KIND_SYSTEM : ABI_KIND_CELL;
	struct config out = { 0 };
	struct why why;
	err_t e;

	memcpy(bytes, data, size);
	memset(&why, 'x', sizeof(why));
	e = config_parse(bytes, size, ABI_ARCH_ARM64, kind, &out, &why);
	if (e == OK) {
		require_good(&out, bytes, size);
		bytes[size / 2] ^= 1;
		REQUIRE(config_parse(bytes, size, ABI_ARCH_ARM64, kind, &out, &why) != OK);
	} else {
		REQUIRE(out.header == NULL);
	}
	REQUIRE(memchr(why.text, '\0', sizeof(why.text)) || e == OK);
	free(bytes);
	return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
	uint64_t state = seed + 1ull;

	if (max > MAX_FILE)
		max = MAX_FILE;
	if ((size < sizeof(struct abi_header) || mutate_random(&state) % 8 == 0) &&
	    max >= sizeof(struct system_file)) {
		struct system_file s = golden_system();
		struct cell_file c = golden_cell();

		size = mutate_random(&state) % 2 ? sizeof(s) : sizeof(c);
		memcpy(data, size == sizeof(s) ? (void *)&s : (void *)&c, size);
	}
	if (size > max)
		size = max;
	if (mutate_random(&state) % 4 == 0)
		size = LLVMFuzzerMutate(data, size, max);
	else
		mutate_file(data, size, &state);
	if (size >= sizeof(struct abi_header) && mutate_random(&state) % 16 != 0)
		mutate_seal(data, size);
	return size;
}
