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

static void require_ports(const struct config *c)
{
	REQUIRE(c->header->arch == ABI_ARCH_X86_64 || (c->cell->pio_count | c->cell->pci_count) == 0);
	REQUIRE(!c->system || c->cell->pci_count == 0);
	for (uint32_t i = 0; i < c->cell->pio_count; i++) {
		REQUIRE(c->pio[i].count != 0 && c->pio[i].count <= 0x10000);
		REQUIRE(c->pio[i].first + c->pio[i].count <= 0x10000);
		for (uint32_t j = 0; j < i; j++)
			REQUIRE(disjoint(c->pio[i].first, c->pio[i].count, c->pio[j].first,
					 c->pio[j].count));
	}
	for (uint32_t i = 0; i < c->cell->pci_count; i++) {
		REQUIRE(c->pci[i].segment == 0 && c->pci[i].flags == 0);
		for (uint32_t j = 0; j < i; j++)
			REQUIRE(c->pci[i].bdf != c->pci[j].bdf);
	}
}

/* No interrupt and no page of registers is two IOAPICs'. */
static void require_pc(const struct abi_platform_x86_64 *p)
{
	unsigned count = 0;

	REQUIRE(p->mmconfig.size % 0x100000 == 0 && p->mmconfig.size <= 0x10000000);
	while (count < ABI_IOAPICS && p->ioapic[count].address != 0)
		count++;
	for (unsigned i = count; i < ABI_IOAPICS; i++)
		REQUIRE((p->ioapic[i].address | p->ioapic[i].first | p->ioapic[i].count) == 0);
	for (unsigned i = 0; i < count; i++) {
		REQUIRE(p->ioapic[i].count >= 1 && p->ioapic[i].count <= 240);
		REQUIRE(p->ioapic[i].first < 256 && p->ioapic[i].first + p->ioapic[i].count <= 256);
		for (unsigned j = 0; j < i; j++) {
			REQUIRE(p->ioapic[i].address / PAGE_SIZE != p->ioapic[j].address / PAGE_SIZE);
			REQUIRE(disjoint(p->ioapic[i].first, p->ioapic[i].count, p->ioapic[j].first,
					 p->ioapic[j].count));
		}
	}
}

/* A contract that can be kept, and none for the root cell. */
static void require_contract(const struct abi_cell *cell, uint8_t arch, bool system)
{
	const uint32_t either = ABI_CELL_INJECTED | ABI_CELL_TRUSTED_WFI;

	REQUIRE(arch == ABI_ARCH_ARM64 || (cell->flags & (either | ABI_CELL_CPUS_COUNTED)) == 0);
	REQUIRE(cell->flags < 0x80 && (cell->flags & either) != either);
	REQUIRE((cell->gicd == 0) == (cell->gicr == 0) && (cell->gicd | cell->gicr) % 0x10000 == 0);
	REQUIRE(cell->gicd == 0 || (arch == ABI_ARCH_ARM64 && !system));
	REQUIRE(arch == ABI_ARCH_X86_64 || (cell->flags & ABI_CELL_ABSENT_PORTS) == 0);
	REQUIRE(cell->settle_ms <= ABI_SETTLE_MAX_MS);
	if (cell->exits == ABI_EXITS_ANY)
		REQUIRE(cell->settle_ms == 0 && !(cell->flags & ABI_CELL_FAIL_ON_VIOLATION));
	REQUIRE(cell->uart.type == ABI_CONSOLE_NONE ? (cell->uart.address | cell->uart.irq) == 0 :
		cell->uart.type == (arch == ABI_ARCH_ARM64 ? ABI_CONSOLE_PL011 : ABI_CONSOLE_8250));
	if (system)
		REQUIRE(cell->uart.type == ABI_CONSOLE_NONE);
	if (system)
		REQUIRE(cell->exits == ABI_EXITS_ANY && cell->flags < ABI_CELL_INJECTED);
}

/* What was accepted, looked at once more. */
static void require_good(const struct config *c, const uint8_t *bytes, size_t size)
{
	const uint8_t *end = (const uint8_t *)(c->pci + c->cell->pci_count);

	REQUIRE((const uint8_t *)c->header == bytes && end == bytes + size);
	REQUIRE((const uint8_t *)(c->mem + c->cell->mem_count) == (const uint8_t *)c->irq);
	REQUIRE((const uint8_t *)(c->irq + c->cell->irq_count) == (const uint8_t *)c->pio);
	REQUIRE((const uint8_t *)(c->pio + c->cell->pio_count) == (const uint8_t *)c->pci);
	REQUIRE(c->header->size == size && size <= ABI_CONFIG_MAX_SIZE);
	require_name(c->cell->name, sizeof(c->cell->name));
	REQUIRE(c->cell->name[0] != '\0');
	REQUIRE((c->system != NULL) == (c->header->kind == ABI_KIND_SYSTEM));
	if (c->system) {
		REQUIRE(c->system->hypervisor.size >= 0x400000);
		REQUIRE(c->system->cpu_count >= 1 && c->system->cpu_count <= 256);
		REQUIRE((const uint8_t *)(c->hwid + c->system->cpu_count) == (const uint8_t *)c->cell);
		if (c->header->arch == ABI_ARCH_X86_64)
			require_pc(&c->system->platform.x86_64);
	}
	require_records(c);
	require_lines(c);
	require_ports(c);
	require_contract(c->cell, c->header->arch, c->system != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Ends where the allocation ends */
	uint8_t *bytes = malloc(size ? size : 1);
	uint8_t kind = size > 11 && data[11] == ABI_KIND_SYSTEM ? ABI_KIND_SYSTEM : ABI_KIND_CELL;
	uint8_t arch = size > 10 && data[10] == ABI_ARCH_X86_64 ? ABI_ARCH_X86_64 : ABI_ARCH_ARM64;
	struct config out = { 0 };
	struct why why;
	err_t e;

	memcpy(bytes, data, size);
	memset(&why, 'x', sizeof(why));
	e = config_parse(bytes, size, arch, kind, &out, &why);
	if (e == OK) {
		require_good(&out, bytes, size);
		bytes[size / 2] ^= 1;
		REQUIRE(config_parse(bytes, size, arch, kind, &out, &why) != OK);
	} else {
		REQUIRE(out.header == NULL);
	}
	REQUIRE(memchr(why.text, '\0', sizeof(why.text)) || e == OK);
	free(bytes);
	return 0;
}

/* Replaces the input by a good file of those there are; its size. */
static size_t start_over(uint8_t *data, size_t max, uint64_t *state)
{
	struct system_file s = golden_system();
	struct cell_file c = golden_cell();
	struct pc_system_file ps = golden_pc_system();
	struct pc_cell_file pc = golden_pc_cell();
	const struct {
		const void *bytes;
		size_t size;
	} files[] = { { &s, sizeof(s) }, { &c, sizeof(c) }, { &ps, sizeof(ps) }, { &pc, sizeof(pc) } };
	size_t i = mutate_random(state) % ARRAY_SIZE(files);

	if (files[i].size > max)
		return 0;
	memcpy(data, files[i].bytes, files[i].size);
	return files[i].size;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
	uint64_t state = seed + 1ull;

	if (max > MAX_FILE)
		max = MAX_FILE;
	if (size < sizeof(struct abi_header) || mutate_random(&state) % 8 == 0)
		size = start_over(data, max, &state);
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
