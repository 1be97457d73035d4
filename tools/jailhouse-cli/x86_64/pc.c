// SPDX-License-Identifier: GPL-2.0-only
#include "boot_arch.h"
#include "pc.h"

/* What of the first MiB firmware, option ROMs and VGA's window take on any PC */
#define BIOS_START 0xa0000
#define BIOS_END 0x100000

/*
 * A file says which lines a cell has, not of which device each is. Where there is one only, it is the
 * console's.
 */
static uint32_t only_line(const struct config *cell)
{
	return cell->cell->irq_count == 1 && cell->irq[0].count == 1 ? cell->irq[0].first : PC_POLLED;
}

unsigned pc_uarts(const struct config *cell, struct pc_uart uarts[PC_UARTS])
{
	const struct abi_console *console = &cell->cell->console;
	const struct abi_uart *own = &cell->cell->uart;
	bool is_own = own->type && console->address == own->address;
	unsigned count = 0;

	if (console->type == ABI_CONSOLE_8250 && !(console->flags & ABI_CONSOLE_MMIO) && !is_own)
		uarts[count++] = (struct pc_uart){ (uint16_t)console->address, only_line(cell) };
	if (own->type)
		uarts[count++] = (struct pc_uart){ (uint16_t)own->address, PC_POLLED };
	return count;
}

bool pc_next_cpu(const struct config *cell, const struct config *system, uint32_t *n, uint32_t *apic_id)
{
	for (; *n < system->system->cpu_count; ++*n) {
		if (!(cell->cell->cpus[*n / 64] >> *n % 64 & 1))
			continue;
		*apic_id = (uint32_t)system->hwid[*n];
		++*n;
		return true;
	}
	return false;
}

struct list {
	struct pc_range *range;
	unsigned count;
	bool full;
};

static void insert(struct list *l, uint64_t start, uint64_t end, enum pc_kind kind)
{
	unsigned at = l->count;

	if (start >= end)
		return;
	if (at == PC_RANGES) {
		l->full = true;
		return;
	}
	for (; at && l->range[at - 1].start > start; at--)
		l->range[at] = l->range[at - 1];
	l->range[at] = (struct pc_range){ start, end - start, kind };
	l->count++;
}

static uint64_t lesser(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t greater(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void insert_ram(struct list *l, struct span s)
{
	uint64_t end = s.start + s.size;

	insert(l, s.start, lesser(end, BIOS_START), PC_RAM);
	insert(l, greater(s.start, BIOS_START), lesser(end, BIOS_END), PC_RESERVED);
	insert(l, greater(s.start, BIOS_END), end, PC_RAM);
}

bool pc_ranges(const struct config *cell, struct pc_range ranges[PC_RANGES], unsigned *count)
{
	struct list l = { .range = ranges };

	for (uint32_t i = 0; i < cell->cell->mem_count; i++) {
		const struct abi_mem *m = &cell->mem[i];
		struct span s = mem_guest_span(m);

		if (mem_is_ram(m))
			insert_ram(&l, s);
		else if (!(m->flags & ABI_MEM_IO))
			insert(&l, s.start, s.start + s.size, PC_RESERVED);
	}
	*count = l.count;
	return !l.full;
}

/* Behind the first image that is in the way, or where it was. */
static uint64_t step_over(const struct images *in, struct span s)
{
	for (uint32_t i = 0; i < in->count; i++) {
		struct span taken = image_span(&in->image[i]);

		if (span_overlaps(taken, s))
			return align_up(taken.start + taken.size, PAGE_SIZE);
	}
	return s.start;
}

bool pc_place(const struct abi_mem *region, const struct images *in, uint64_t from, uint64_t size, uint64_t *address)
{
	struct span all = mem_guest_span(region);
	uint64_t at = greater(from, all.start), next;

	for (;; at = next) {
		struct span s = { at, size };

		if (!span_valid(s) || !span_within(s, all) || at > boot_arch_end - size)
			return false;
		next = step_over(in, s);
		if (next == at)
			break;
		/* an image whose end is no address; whoever packs them says so */
		if (next < at)
			return false;
	}
	*address = at;
	return true;
}
