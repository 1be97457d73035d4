// SPDX-License-Identifier: GPL-2.0-only
/*
 * The translation caches of the model's CPUs, and the table walker that fills them.
 * As DDI0487 D8.16 allows: leaves and tables alike are kept, without end, and are good
 * for all addresses they span; invalid entries are never kept.
 */
#include "arch/host/machine.h"
#include "arch/tlb.h"
#include "base/bits.h"
#include "base/bug.h"

#define PRESENT 1ull

/* Whose translations are meant. */
struct regime {
	uint16_t tag;
	bool hypervisor;
};

static bool same_regime(const struct host_cached *c, struct regime r)
{
	return c->hypervisor == r.hypervisor && (r.hypervisor || c->tag == r.tag);
}

static struct translation translate(const struct host_cached *c, uint64_t from)
{
	return (struct translation){
		.to = hpa(c->format->address(c->level, c->value).v + (from - c->span.start)),
		.flags = c->format->flags(c->value),
		.size = c->span.size,
	};
}

static bool is_taken(const struct pool *pool, const uint64_t *table)
{
	return bit_test(pool->bitmap,
			(unsigned)((pool_phys(pool, table).v - pool->phys.v) >> PAGE_SHIFT));
}

/* A held table's page must stay a table page until nobody holds it. */
static void check_table(const struct host_cached *c, unsigned cpu)
{
	if (c->table && !is_taken(c->pool, c->table))
		host_complain("cpu %u holds the table for %#llx whose page was given back before a flush",
			      cpu, (unsigned long long)c->span.start);
}

/* The held leaf for `from`, else the deepest held table, else NULL. */
static const struct host_cached *lookup(const struct host_cpu *cpu, struct regime r, uint64_t from)
{
	const struct host_cached *best = NULL;

	for (unsigned i = 0; i < cpu->count; i++) {
		const struct host_cached *c = &cpu->cached[i];

		if (!same_regime(c, r) || !span_has(c->span, from))
			continue;
		if (!c->table)
			return c;
		if (!best || c->level > best->level)
			best = c;
	}
	return best;
}

/* Two different leaves for one address: what hardware makes of them is undefined. */
static void check_conflict(const struct host_cpu *cpu, const struct host_cached *new)
{
	struct regime r = { new->tag, new->hypervisor };

	for (unsigned i = 0; i < cpu->count; i++) {
		const struct host_cached *c = &cpu->cached[i];

		if (!c->table && same_regime(c, r) && span_overlaps(c->span, new->span))
			host_complain("%#llx: a second translation is held beside an older one",
				      (unsigned long long)new->span.start);
	}
}

static void hold(struct host_cpu *cpu, const struct host_cached *new)
{
	if (!new->table)
		check_conflict(cpu, new);
	if (cpu->count < HOST_CACHED) {
		cpu->cached[cpu->count++] = *new;
		return;
	}
	cpu->cached[cpu->oldest] = *new;
	cpu->oldest = (cpu->oldest + 1) % HOST_CACHED;
}

/* Reads the entry for `from` in `table`. False: invalid. */
static bool fetch(const struct paging *p, struct regime r, const uint64_t *table, unsigned level,
		  uint64_t from, struct host_cached *out)
{
	const struct paging_format *f = p->format;
	unsigned shift = f->level[level].shift;
	/* the root may be more than one table long, the others are a power of two */
	uint64_t index = level == 0 ? from >> shift
				    : (from >> shift) & (f->level[level].entries - 1u);
	uint64_t value = table[index];

	if (!f->present(value))
		return false;
	*out = (struct host_cached){
		.span = { align_down(from, 1ull << shift), 1ull << shift },
		.format = f, .entry = &table[index], .value = value, .pool = p->pool,
		.level = level, .tag = r.tag, .hypervisor = r.hypervisor,
	};
	if (f->is_table(level, value))
		out->table = pool_virt(p->pool, f->address(level, value));
	return true;
}

static err_t walk(const struct paging *p, struct regime r, unsigned number, uint64_t from,
		  struct translation *out)
{
	struct host_cpu *cpu = &host_machine()->cpu[number];
	const struct host_cached *held = lookup(cpu, r, from);
	const uint64_t *table = p->root;
	struct host_cached c;
	unsigned level = 0;

	BUG_ON(number >= HOST_CPUS);
	if (from >= p->format->end)
		return ERR_NOT_FOUND;
	if (held) {
		check_table(held, number);
		if (!held->table) {
			*out = translate(held, from);
			return OK;
		}
		table = held->table;
		level = held->level + 1;
	}
	for (;; level++) {
		if (!fetch(p, r, table, level, from, &c))
			return ERR_NOT_FOUND;
		hold(cpu, &c);
		if (!c.table)
			break;
		table = c.table;
	}
	*out = translate(&c, from);
	return OK;
}

static err_t walk_locked(const struct paging *p, struct regime r, unsigned number, uint64_t from,
			 struct translation *out)
{
	err_t e;

	host_lock();
	e = walk(p, r, number, from, out);
	host_unlock();
	return e;
}

err_t host_walk(const struct paging *p, unsigned cpu, uint64_t from, struct translation *out)
{
	return walk_locked(p, (struct regime){ p->tag, false }, cpu, from, out);
}

err_t host_walk_hypervisor(const struct paging *p, unsigned cpu, uint64_t from,
			   struct translation *out)
{
	return walk_locked(p, (struct regime){ 0, true }, cpu, from, out);
}

unsigned host_tlb_holds(uint16_t tag)
{
	struct regime r = { tag, false };
	unsigned count = 0;

	host_lock();
	for (unsigned n = 0; n < HOST_CPUS; n++) {
		const struct host_cpu *cpu = &host_machine()->cpu[n];

		for (unsigned i = 0; i < cpu->count; i++)
			count += same_regime(&cpu->cached[i], r);
	}
	host_unlock();
	return count;
}

void host_write(uint64_t *entry, uint64_t value)
{
	uint64_t old;

	host_lock();
	old = *entry;
	host_step();
	/* no matter whether a CPU of the model holds it: one could, by speculation */
	if ((old & PRESENT) && (value & PRESENT) && old != value)
		host_complain("entry %#llx became %#llx without a break between",
			      (unsigned long long)old, (unsigned long long)value);
	for (unsigned n = 0; n < HOST_CPUS && (value & PRESENT); n++) {
		const struct host_cpu *cpu = &host_machine()->cpu[n];

		for (unsigned i = 0; i < cpu->count; i++) {
			const struct host_cached *c = &cpu->cached[i];

			if (c->entry == entry && c->value != value)
				host_complain("entry for %#llx made anew while cpu %u holds the old",
					      (unsigned long long)c->span.start, n);
		}
	}
	*entry = value;
	host_unlock();
}

/*
 * Drops what lies wholly in `range`. Hardware may drop more; but what it may keep, such
 * as the other pages of a block, the model keeps whole.
 */
static void flush(struct regime r, struct span range)
{
	struct host_machine *machine = host_machine();

	host_enter(NULL, "flush");
	host_lock();
	host_step();
	for (unsigned n = 0; n < HOST_CPUS; n++) {
		struct host_cpu *cpu = &machine->cpu[n];
		unsigned kept = 0;

		for (unsigned i = 0; i < cpu->count; i++) {
			struct host_cached c = cpu->cached[i];

			if (same_regime(&c, r) && span_within(c.span, range))
				check_table(&c, n);
			else
				cpu->cached[kept++] = c;
		}
		cpu->count = kept;
		cpu->oldest = 0;
	}
	machine->flushes++;
	host_step();
	host_unlock();
}

void arch_tlb_flush_space(uint16_t tag, struct span range)
{
	BUG_ON(!span_valid(range));
	flush((struct regime){ tag, false }, range);
}

void arch_tlb_flush_space_all(uint16_t tag)
{
	flush((struct regime){ tag, false }, (struct span){ 0, UINT64_MAX });
}

void arch_tlb_flush_hypervisor(struct span range)
{
	BUG_ON(!span_valid(range));
	flush((struct regime){ 0, true }, range);
}

void host_flush_space(const struct paging *p, struct span range)
{
	arch_tlb_flush_space(p->tag, range);
}

void host_flush_hypervisor(const struct paging *p, struct span range)
{
	(void)p;
	arch_tlb_flush_hypervisor(range);
}
