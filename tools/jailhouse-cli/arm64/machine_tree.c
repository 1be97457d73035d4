// SPDX-License-Identifier: GPL-2.0-only
#include <libfdt.h>
#include <limits.h>
#include <string.h>

#include "machine_tree.h"

bool machine_tree_good(const void *fdt, size_t size)
{
	return size <= INT_MAX && !fdt_check_full(fdt, size);
}

static bool has_compatible(const void *fdt, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (fdt_node_offset_by_compatible(fdt, -1, names[i]) >= 0)
			return true;
	return false;
}

unsigned machine_tree_gic(const void *fdt)
{
	static const char *const v3[] = { "arm,gic-v3" };
	/* Documentation/devicetree/bindings/interrupt-controller/arm,gic.yaml, of cores with EL2 in 64 bits */
	static const char *const v2[] = { "arm,gic-400", "arm,gic-v2", "arm,cortex-a15-gic", "arm,cortex-a9-gic", "arm,cortex-a7-gic" };

	if (has_compatible(fdt, v3, sizeof(v3) / sizeof(v3[0])))
		return 3;
	return has_compatible(fdt, v2, sizeof(v2) / sizeof(v2[0])) ? 2 : 0;
}

/* A property that is one string. */
static const char *text_of(const void *fdt, int node, const char *name)
{
	int size;
	const char *value = fdt_getprop(fdt, node, name, &size);

	return value && size > 0 && !value[size - 1] ? value : NULL;
}

const char *machine_tree_psci(const void *fdt)
{
	static const char *const psci[] = { "arm,psci-1.0", "arm,psci-0.2", "arm,psci" };
	const char *method;

	for (size_t i = 0; i < sizeof(psci) / sizeof(psci[0]); i++) {
		int node = fdt_node_offset_by_compatible(fdt, -1, psci[i]);

		method = node < 0 ? NULL : text_of(fdt, node, "method");
		if (method)
			return method;
	}
	/* what ACPI describes has a tree with /chosen only */
	return fdt_path_offset(fdt, "/cpus") >= 0 ? NULL : "";
}

static uint64_t cells(const fdt32_t **at, int count)
{
	uint64_t value = 0;

	while (count--)
		value = value << 32 | fdt32_to_cpu(*(*at)++);
	return value;
}

static uint64_t add(uint64_t a, uint64_t b)
{
	return b > UINT64_MAX - a ? UINT64_MAX : a + b;
}

/* The sizes in `reg`, as far as a number holds them. */
static uint64_t sizes_of(const void *fdt, int parent, int node)
{
	int address_cells = fdt_address_cells(fdt, parent), size_cells = fdt_size_cells(fdt, parent), bytes;
	const fdt32_t *at = fdt_getprop(fdt, node, "reg", &bytes);
	uint64_t sum = 0;

	if (!at || address_cells < 1 || address_cells > 2 || size_cells < 1 || size_cells > 2)
		return 0;
	for (int left = bytes / 4; left >= address_cells + size_cells; left -= address_cells + size_cells) {
		uint64_t size;

		cells(&at, address_cells);
		size = cells(&at, size_cells);
		sum = add(sum, size);
	}
	return sum;
}

uint64_t machine_tree_ram(const void *fdt)
{
	uint64_t sum = 0;
	int node;

	fdt_for_each_subnode(node, fdt, 0) {
		const char *type = text_of(fdt, node, "device_type");

		if (type && !strcmp(type, "memory"))
			sum = add(sum, sizes_of(fdt, 0, node));
	}
	return sum;
}

uint64_t machine_tree_reserved(const void *fdt, unsigned *count)
{
	int parent = fdt_path_offset(fdt, "/reserved-memory"), node;
	uint64_t sum = 0;

	*count = 0;
	if (parent < 0)
		return 0;
	fdt_for_each_subnode(node, fdt, parent) {
		uint64_t size = fdt_getprop(fdt, node, "no-map", NULL) ? sizes_of(fdt, parent, node) : 0;

		*count += size != 0;
		sum = add(sum, size);
	}
	return sum;
}
