// SPDX-License-Identifier: GPL-2.0-only
#include "boot_place.h"

/* booting.rst 3: the initrd and the kernel lie in one window of 1 GiB's multiple; trees of old kernels, near it */
#define WINDOW (1ull << 30)

bool place_kernel(const struct config *cell, const struct kernel *kernel, uint64_t *address)
{
	const struct abi_mem *ram = ram_largest(cell);

	if (!ram || ram->virt > UINT64_MAX - KERNEL_ALIGN)
		return false;
	*address = align_up(ram->virt, KERNEL_ALIGN) + kernel->offset;
	return true;
}

/* The first address behind all images in the region, or its start. */
static uint64_t images_end(const struct images *in, struct span ram)
{
	uint64_t end = ram.start;

	for (uint32_t i = 0; i < in->count; i++) {
		struct span s = image_span(&in->image[i]);

		if (span_overlaps(s, ram) && s.start + s.size > end)
			end = s.start + s.size;
	}
	return end;
}

static bool is_free(const struct images *in, struct span s)
{
	for (uint32_t i = 0; i < in->count; i++)
		if (span_overlaps(image_span(&in->image[i]), s))
			return false;
	return true;
}

bool place_tree(const struct config *cell, const struct images *in, uint64_t size, uint64_t *address)
{
	const struct abi_mem *ram = ram_largest(cell);
	uint64_t candidates[3];

	if (!ram || size > ram->size)
		return false;
	candidates[0] = ram->virt;
	/* a kernel maps 2 MiB of it at once */
	candidates[1] = align_up(images_end(in, mem_guest_span(ram)), KERNEL_ALIGN);
	candidates[2] = align_down(ram->virt + ram->size - size, PAGE_SIZE);
	for (unsigned i = 0; i < ARRAY_SIZE(candidates); i++) {
		struct span s = { candidates[i], size };

		*address = s.start;
		if (span_valid(s) && span_within(s, mem_guest_span(ram)) && is_free(in, s))
			return true;
	}
	return false;
}

bool place_linux(const struct config *cell, struct linux_place *p)
{
	struct span ram = mem_guest_span(ram_largest(cell));
	uint64_t size = ram.size < WINDOW ? ram.size : WINDOW;
	/* aligned down twice */
	uint64_t wanted = p->initrd_size + p->tree_size + KERNEL_ALIGN + PAGE_SIZE;
	uint64_t used = p->kernel_end - ram.start;

	p->missing = used > size ? used - size + wanted : wanted > size - used ? wanted - (size - used) : 0;
	if (p->missing)
		return false;
	p->tree = align_down(ram.start + size - p->tree_size, KERNEL_ALIGN);
	p->initrd = align_down(p->tree - p->initrd_size, PAGE_SIZE);
	return true;
}

static uint64_t behind(struct span taken, struct span wanted)
{
	return span_overlaps(taken, wanted) ? align_up(taken.start + taken.size, KERNEL_ALIGN) : wanted.start;
}

/* Further up if something is there. */
static uint64_t step_over(const struct config *cell, const struct config *system, struct span wanted)
{
	const struct abi_platform_arm64 *machine = &system->system->platform.arm64;
	const struct abi_cell *c = cell->cell;

	for (uint32_t i = 0; i < c->mem_count; i++)
		wanted.start = behind(mem_guest_span(&cell->mem[i]), wanted);
	wanted.start = behind((struct span){ c->gicd ? c->gicd : machine->gicd.start, machine->gicd.size }, wanted);
	wanted.start = behind((struct span){ c->gicr ? c->gicr : machine->gicr.start, machine->gicr.size }, wanted);
	if (c->uart.type)
		wanted.start = behind((struct span){ c->uart.address, PAGE_SIZE }, wanted);
	return wanted.start;
}

uint64_t place_region(const struct config *cell, const struct config *system, uint64_t size)
{
	uint64_t at = 0, next;

	while ((next = step_over(cell, system, (struct span){ at, size })) > at)
		at = next;
	return at;
}
