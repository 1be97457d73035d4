// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/boot.h"
#include "boot.h"
#include "boot_arch.h"

#define MIB (1ull << 20)
#define RWX ((uint32_t)(ABI_MEM_READ | ABI_MEM_WRITE | ABI_MEM_EXEC))

/* Where the next bytes go in the region, as an offset. It may run past the end, to say by how much. */
struct packing {
	const struct config *cell;
	const struct abi_mem *region;
	const struct images *in;
	struct images *out;
	struct abi_boot_segment *segment;
	uint64_t head;		/* bytes of the loader with its table */
	uint64_t table;		/* offset of the latter */
	uint64_t at;
	char *problem;
};

__asm__(".section .rodata\n"
	"	.balign	8\n"
	"	.globl	boot_loader, boot_loader_end\n"
	"boot_loader:\n"
	"	.incbin	\"" BOOT_LOADER "\"\n"
	"boot_loader_end:\n"
	"	.previous\n");

extern const char boot_loader_end[];

size_t boot_loader_size(void)
{
	return (size_t)(boot_loader_end - boot_loader);
}

const struct abi_mem *boot_region(const struct config *cell)
{
	for (uint32_t i = 0; i < cell->cell->mem_count; i++)
		if (cell->mem[i].flags & ABI_MEM_BOOT)
			return &cell->mem[i];
	return NULL;
}

bool mem_is_ram(const struct abi_mem *m)
{
	return (m->flags & (RWX | ABI_MEM_IO | ABI_MEM_COMM | ABI_MEM_SHARED | ABI_MEM_BOOT)) == RWX;
}

const struct abi_mem *ram_largest(const struct config *cell)
{
	const struct abi_mem *best = NULL;

	for (uint32_t i = 0; i < cell->cell->mem_count; i++)
		if (mem_is_ram(&cell->mem[i]) && (!best || cell->mem[i].size > best->size))
			best = &cell->mem[i];
	return best;
}

const struct abi_mem *mem_holding(const struct config *cell, struct span s)
{
	for (uint32_t i = 0; span_valid(s) && i < cell->cell->mem_count; i++)
		if (span_within(s, mem_guest_span(&cell->mem[i])))
			return &cell->mem[i];
	return NULL;
}

bool mem_is_fixed(const struct abi_mem *m)
{
	return (m->flags & ABI_MEM_LOADABLE) && !(m->flags & ABI_MEM_WRITE);
}

/* Can the loader fill it? */
static bool is_writable(const struct abi_mem *m)
{
	return (m->flags & ABI_MEM_WRITE) && !(m->flags & (ABI_MEM_IO | ABI_MEM_COMM | ABI_MEM_SHARED));
}

bool images_boot_alone(const struct images *in, const struct config *cell)
{
	for (uint32_t i = 0; i < in->count; i++)
		if (mem_holding(cell, image_span(&in->image[i])) != boot_region(cell))
			return false;
	return true;
}

bool images_clash(const struct images *in, struct clash *clash)
{
	for (uint32_t i = 0; i < in->count; i++) {
		for (uint32_t k = i + 1; k < in->count; k++) {
			uint64_t a = in->image[i].address, b = in->image[k].address;

			if (!in->name[i] || !in->name[k] || !span_overlaps(image_span(&in->image[i]), image_span(&in->image[k])))
				continue;
			*clash = (struct clash){ i, k, a > b ? a : b };
			return true;
		}
	}
	return false;
}

bool images_leave(const struct images *in, struct span s)
{
	for (uint32_t i = 0; i < in->count; i++)
		if (span_overlaps(image_span(&in->image[i]), s))
			return false;
	return true;
}

void images_add(struct images *to, const char *name, const void *data, uint64_t size, uint64_t address, uint64_t memory)
{
	to->name[to->count] = name;
	to->image[to->count++] = (struct abi_drv_image){ (uintptr_t)data, size, address, memory };
}

static const char *name_of(const struct images *in, uint32_t i)
{
	return in->name[i] ? in->name[i] : "string";
}

static bool is_fixed(const struct packing *p, uint32_t i)
{
	const struct abi_mem *m = mem_holding(p->cell, image_span(&p->in->image[i]));

	return m && mem_is_fixed(m);
}

/* The loader has to get there. */
static bool check_reach(const struct packing *p, uint32_t i)
{
	const struct abi_drv_image *image = &p->in->image[i];

	if (image->address < boot_arch_end && image->memory <= boot_arch_end - image->address)
		return true;
	return problem_say(p->problem, "%s: %llu bytes at 0x%llx reach beyond 0x%llx, which no loader does here",
		      name_of(p->in, i), (unsigned long long)image->memory, (unsigned long long)image->address,
		      (unsigned long long)(boot_arch_end - 1));
}

static bool check_place(const struct packing *p, uint32_t i)
{
	const struct abi_drv_image *image = &p->in->image[i];
	const struct abi_mem *m = mem_holding(p->cell, image_span(image)), *ram = ram_largest(p->cell);

	if (m && (mem_is_fixed(m) || is_writable(m)))
		return check_reach(p, i);
	return problem_say(p->problem, "%s: %llu bytes at 0x%llx are not all in one region of the cell's RAM; it has \"%s\" at 0x%llx, 0x%llx bytes",
		      name_of(p->in, i), (unsigned long long)image->memory, (unsigned long long)image->address,
		      ram ? ram->name : "none", ram ? (unsigned long long)ram->virt : 0,
		      ram ? (unsigned long long)ram->size : 0);
}

/* What lies in the boot region itself may not be where the loader and its table are. */
static bool check_head(const struct packing *p, uint32_t i)
{
	struct span head = { p->region->virt, p->head };

	if (!is_fixed(p, i) || !span_overlaps(head, image_span(&p->in->image[i])))
		return true;
	return problem_say(p->problem, "%s: at 0x%llx is what starts the other images, 0x%llx bytes from 0x%llx: load it elsewhere",
		      name_of(p->in, i), (unsigned long long)p->in->image[i].address, (unsigned long long)p->head,
		      (unsigned long long)p->region->virt);
}

static bool check_entry(const struct packing *p, uint64_t entry)
{
	const struct abi_mem *m = mem_holding(p->cell, (struct span){ entry, 4 });
	bool within = false;

	for (uint32_t i = 0; i < p->in->count; i++)
		within = within || span_has(image_span(&p->in->image[i]), entry);
	if (!within)
		return problem_say(p->problem, "entry 0x%llx is in none of the images: give another with --entry",
			      (unsigned long long)entry);
	if (!m || !(m->flags & ABI_MEM_EXEC))
		return problem_say(p->problem, "entry 0x%llx is not in memory that the cell may execute: access = \"rwx\" in its text",
			      (unsigned long long)entry);
	return true;
}

/* As far from a multiple of ABI_BOOT_ALIGN as the image's place is. */
static uint64_t congruent(uint64_t at, uint64_t base, uint64_t address)
{
	return at + ((address - (base + at)) & (ABI_BOOT_ALIGN - 1));
}

/* Leaves out what was loaded into the region itself. */
static uint64_t free_from(const struct packing *p, const struct abi_drv_image *image)
{
	uint64_t at = congruent(p->at, p->region->virt, image->address);

	for (uint32_t i = 0; i < p->in->count; i++) {
		struct span other = image_span(&p->in->image[i]);

		if (!is_fixed(p, i) || !span_overlaps((struct span){ p->region->virt + at, image->size }, other))
			continue;
		at = congruent(other.start + other.size - p->region->virt, p->region->virt, image->address);
		i = UINT32_MAX;
	}
	return at;
}

static void add(struct images *out, struct abi_drv_image image, const char *name)
{
	out->name[out->count] = name;
	out->image[out->count++] = image;
}

static void pack_one(struct packing *p, uint32_t i)
{
	const struct abi_drv_image *image = &p->in->image[i];
	struct abi_boot_segment segment = { .to = image->address, .size = image->size, .memory = image->memory };

	if (is_fixed(p, i)) {
		add(p->out, *image, p->in->name[i]);
		return;
	}
	if (image->size) {
		uint64_t at = free_from(p, image);

		segment.from = at - p->table;
		p->at = at + image->size;
		add(p->out, (struct abi_drv_image){ image->data, image->size, p->region->virt + at, image->size },
		    p->in->name[i]);
	}
	*p->segment++ = segment;
}

static bool check_room(const struct packing *p)
{
	if (p->at <= p->region->size)
		return true;
	return problem_say(p->problem, "the images do not fit into \"%s\": %llu bytes are missing: size = \"%lluM\" in the cell's text",
		      p->region->name, (unsigned long long)(p->at - p->region->size),
		      (unsigned long long)(align_up(p->at, MIB) / MIB));
}

static uint32_t segment_count(const struct packing *p)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < p->in->count; i++)
		count += !is_fixed(p, i);
	return count;
}

static bool check_all(const struct packing *p, const struct boot *boot)
{
	if (p->in->count >= ABI_DRV_MAX_IMAGES)
		return problem_say(p->problem, "%u images and segments are too many, there may be %d", p->in->count,
			      ABI_DRV_MAX_IMAGES - 1);
	for (uint32_t i = 0; i < p->in->count; i++)
		if (!check_place(p, i) || !check_head(p, i))
			return false;
	return check_entry(p, boot->start.entry);
}

static void *make_head(const struct boot *boot, const struct packing *p, uint32_t segments)
{
	const struct boot_start *start = &boot->start;
	struct abi_boot table = { ABI_BOOT_MAGIC, ABI_BOOT_VERSION, segments, start->entry, start->argument, start->mode, 0,
				  start->tables };
	char *head = calloc(1, p->head);

	if (!head)
		return NULL;
	memcpy(head, boot->loader, boot->loader_size);
	boot_arch_move(head, p->region->virt);
	memcpy(head + p->table, &table, sizeof(table));
	return head;
}

bool boot_pack(const struct config *cell, const struct boot *boot, const struct images *in, struct images *out,
	       void **head, char problem[PROBLEM_SIZE])
{
	struct packing p = { .cell = cell, .region = boot_region(cell), .in = in, .out = out,
			     .table = boot->loader_size, .problem = problem };
	uint32_t segments = segment_count(&p);

	problem[0] = '\0';
	*head = NULL;
	p.at = p.head = p.table + sizeof(struct abi_boot) + segments * sizeof(*p.segment);
	if (!check_all(&p, boot))
		return false;
	*head = make_head(boot, &p, segments);
	if (!*head)
		return false;
	p.segment = (void *)((char *)*head + p.table + sizeof(struct abi_boot));
	out->count = 0;
	add(out, (struct abi_drv_image){ (uintptr_t)*head, p.head, p.region->virt, p.head }, "loader");
	for (uint32_t i = 0; i < in->count; i++)
		pack_one(&p, i);
	if (check_room(&p))
		return true;
	free(*head);
	*head = NULL;
	return false;
}

uint64_t boot_size(const struct boot *boot, const struct images *in)
{
	/* what is read where it lies has pages of its own */
	uint64_t size = boot->loader_size + sizeof(struct abi_boot) + PAGE_SIZE;

	for (uint32_t i = 0; i < in->count; i++)
		size += sizeof(struct abi_boot_segment) + in->image[i].size + ABI_BOOT_ALIGN;
	return align_up(size, MIB) / MIB;
}
