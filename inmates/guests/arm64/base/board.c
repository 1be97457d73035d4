// SPDX-License-Identifier: GPL-2.0-only
/* The machine as it is known to be, or as a device tree says (Devicetree Specification v0.4, 5). */
#include "guest.h"

#define FDT_MAGIC 0xd00dfeedu
#define FDT_BEGIN_NODE 1u
#define FDT_END_NODE 2u
#define FDT_PROP 3u
#define FDT_NOP 4u
#define DEPTH 8u
#define SPI_FIRST 32u

struct board board = {
	.gicd = 0x08000000, .gicr = 0x080a0000, .uart = 0x09000000, .uart_irq = 33,
	.cpus = CPUS, .affinity = { 0, 1, 2, 3 },
};

/* Properties of a node, which come before its children. */
struct node {
	const char *compatible, *type, *method;
	uintptr_t reg, interrupts;
};

struct walk {
	uintptr_t at, strings;
	unsigned depth, cells[DEPTH];	/* #address-cells of what is below */
	struct node node;
	unsigned cpus, found;
};

static uint32_t be32(uintptr_t at)
{
	return __builtin_bswap32(*(const volatile uint32_t *)at);
}

static uint64_t be_cells(uintptr_t at, unsigned cells)
{
	return cells == 2 ? (uint64_t)be32(at) << 32 | be32(at + 4) : be32(at);
}

static bool is(const char *text, const char *wanted)
{
	return text != NULL && same(text, wanted);
}

/* The node's properties are all known. */
static void use(struct walk *w)
{
	unsigned cells = w->depth > 1 ? w->cells[w->depth - 2] : 2;
	const struct node *n = &w->node;

	if (is(n->type, "cpu") && n->reg && w->cpus < CPUS)
		board.affinity[w->cpus++] = be_cells(n->reg, cells);
	if (n->method) {
		board.conduit = same(n->method, "smc") ? SMC : HVC;
		w->found |= 1;
	}
	if (is(n->compatible, "arm,gic-v3") && n->reg) {
		board.gicd = be_cells(n->reg, cells);
		/* behind address and size, which has as many cells there */
		board.gicr = be_cells(n->reg + 8 * cells, cells);
		w->found |= 2;
	}
	if (is(n->compatible, "arm,pl011") && n->reg && n->interrupts && !(w->found & 4)) {
		board.uart = be_cells(n->reg, cells);
		board.uart_irq = SPI_FIRST + be32(n->interrupts + 4);
		w->found |= 4;
	}
	w->node = (struct node){ 0 };
}

static void property(struct walk *w, const char *name, uintptr_t value)
{
	if (same(name, "compatible"))
		w->node.compatible = (const char *)value;
	else if (same(name, "device_type"))
		w->node.type = (const char *)value;
	else if (same(name, "method"))
		w->node.method = (const char *)value;
	else if (same(name, "reg"))
		w->node.reg = value;
	else if (same(name, "interrupts"))
		w->node.interrupts = value;
	else if (same(name, "#address-cells") && w->depth > 0)
		w->cells[w->depth - 1] = be32(value);
}

static uintptr_t behind_name(uintptr_t at)
{
	while (*(const volatile char *)at != '\0')
		at++;
	return (at + 4) & ~(uintptr_t)3;
}

/* False at the end. */
static bool step(struct walk *w)
{
	uint32_t token = be32(w->at);

	w->at += 4;
	if (token == FDT_BEGIN_NODE) {
		use(w);
		if (w->depth == DEPTH)
			return false;
		w->cells[w->depth++] = 2;
		w->at = behind_name(w->at);
	} else if (token == FDT_END_NODE) {
		use(w);
		w->depth--;
	} else if (token == FDT_PROP) {
		uint32_t size = be32(w->at);

		property(w, (const char *)(w->strings + be32(w->at + 4)), w->at + 8);
		w->at += 8 + ((size + 3) & ~3u);
	} else if (token != FDT_NOP) {
		return false;
	}
	return true;
}

bool board_read_tree(uintptr_t tree)
{
	struct walk w = { 0 };

	if (tree == 0 || be32(tree) != FDT_MAGIC)
		return false;
	w.at = tree + be32(tree + 8);
	w.strings = tree + be32(tree + 12);
	while (step(&w))
		;
	board.cpus = w.cpus;
	return w.cpus > 0 && w.found == 7;
}
