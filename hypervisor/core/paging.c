// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every operation but the lookup is one pass, or a few, over the entries that meet a
 * range, from the root down:
 *
 *     cut    splits a block that an edge lies in         needs pages, cannot lose anything
 *     map    breaks what differs, flushes, fills in      needs pages where tables lack
 *     unmap  takes leaves away, flushes                  cannot fail
 *     merge  replaces uniform tables by blocks           cannot fail, gives pages
 *
 * Break-before-make (DDI0487 D8.16): a walker may hold a valid entry for as long as it
 * likes, and two different ones for one address are undefined. So a valid entry is
 * first made invalid, then flushed, and only then made anew. An invalid entry is never
 * held, so filling it in needs no flush.
 */
#include "base/bug.h"
#include "core/paging.h"

/* One entry and the input addresses it spans. */
struct slot {
	uint64_t *entry;
	unsigned level;
	struct span span;
};

struct pass {
	struct paging *p;
	struct span range;		/* entries that meet it are visited */
	const struct mapping *m;	/* map only */
	bool broken;			/* entries were made invalid: flush */
	err_t (*visit)(struct pass *pass, const struct slot *s);
};

struct table {
	uint64_t *entry;
	unsigned level;
	uint64_t base;			/* input address of entry 0 */
};

static bool is_present(const struct paging *p, const struct slot *s)
{
	return p->format->present(*s->entry);
}

static bool is_table(const struct paging *p, const struct slot *s)
{
	return is_present(p, s) && p->format->is_table(s->level, *s->entry);
}

static bool is_leaf(const struct paging *p, const struct slot *s)
{
	return is_present(p, s) && !p->format->is_table(s->level, *s->entry);
}

/* The table that an entry which is_table() points at. */
static uint64_t *table_of(const struct paging *p, unsigned level, uint64_t entry)
{
	return pool_virt(p->pool, p->format->address(level, entry));
}

static struct slot slot_of(const struct paging *p, struct table t, uint64_t index)
{
	unsigned shift = p->format->level[t.level].shift;

	return (struct slot){
		.entry = &t.entry[index],
		.level = t.level,
		.span = { t.base + (index << shift), 1ull << shift },
	};
}

/*
 * Visits the entries of `t` that meet the range, and then the tables they point at
 * after the visit. Recursion is as deep as there are levels, PAGING_MAX_LEVELS at most.
 */
static err_t run_table(struct pass *pass, struct table t)
{
	const struct paging_level *level = &pass->p->format->level[t.level];
	uint64_t start = pass->range.start;
	uint64_t i = start > t.base ? (start - t.base) >> level->shift : 0;

	for (; i < level->entries; i++) {
		struct slot s = slot_of(pass->p, t, i);

		if (s.span.start > span_last(pass->range))
			break;
		TRY(pass->visit(pass, &s));
		if (is_table(pass->p, &s)) {
			uint64_t *below = table_of(pass->p, s.level, *s.entry);

			TRY(run_table(pass, (struct table){ below, s.level + 1, s.span.start }));
		}
	}
	return OK;
}

static err_t run(struct pass *pass)
{
	return run_table(pass, (struct table){ pass->p->root, 0, 0 });
}

static bool in_reach(const struct paging *p, struct span range)
{
	return span_valid(range) && span_last(range) < p->format->end;
}

/* Makes an entry that walkers may hold another one. */
static void replace(const struct paging *p, const struct slot *s, uint64_t value)
{
	p->format->write(s->entry, 0);
	p->flush(p, s->span);
	p->format->write(s->entry, value);
}

/* Fills a table nobody walks yet: plain stores, and write() for the last, which orders them all. */
static void fill_leaves(const struct paging *p, uint64_t *table, unsigned level,
			struct translation t)
{
	const struct paging_level *l = &p->format->level[level];
	unsigned last = l->entries - 1u;

	for (unsigned i = 0; i <= last; i++) {
		hpa_t to = hpa(t.to.v + ((uint64_t)i << l->shift));
		uint64_t entry = p->format->leaf(level, to, t.flags);

		if (i < last)
			table[i] = entry;
		else
			p->format->write(&table[i], entry);
	}
}

/* A block becomes a table that translates the same. */
static err_t split(struct paging *p, const struct slot *s)
{
	const struct paging_format *f = p->format;
	struct translation t = {
		.to = f->address(s->level, *s->entry), .flags = f->flags(*s->entry),
	};
	void *table;

	BUG_ON(s->level + 1 >= f->levels || !f->level[s->level + 1].leaf);
	TRY(pool_take(p->pool, 1, 1, &table));
	fill_leaves(p, table, s->level + 1, t);
	replace(p, s, f->table(pool_phys(p->pool, table)));
	return OK;
}

/* An invalid entry becomes an empty table. */
static err_t grow(struct paging *p, const struct slot *s)
{
	const struct paging_format *f = p->format;
	void *page;
	uint64_t *table;

	BUG_ON(s->level + 1 >= f->levels);
	TRY(pool_take(p->pool, 1, 1, &page));
	table = page;
	/* write() orders all earlier stores, so no walker finds what the page held before */
	f->write(&table[0], 0);
	f->write(s->entry, f->table(pool_phys(p->pool, page)));
	return OK;
}

/* Gives the tables below `table` back; walkers must have forgotten them. */
static void give_below(struct paging *p, const uint64_t *table, unsigned level)
{
	const struct paging_format *f = p->format;

	for (unsigned i = 0; i < f->level[level].entries; i++) {
		uint64_t *below;

		if (!f->present(table[i]) || !f->is_table(level, table[i]))
			continue;
		below = table_of(p, level, table[i]);
		give_below(p, below, level + 1);
		pool_give(p->pool, below, 1);
	}
}

err_t paging_init(struct paging *p)
{
	void *root;

	TRY(pool_take(p->pool, p->format->root_pages, p->format->root_pages, &root));
	p->root = root;
	return OK;
}

void paging_free(struct paging *p)
{
	give_below(p, p->root, 0);
	pool_give(p->pool, p->root, p->format->root_pages);
	p->root = NULL;
}

/* Does the leaf translate as the mapping wants it, where they meet? */
static bool agrees(const struct paging *p, const struct slot *s, const struct mapping *m)
{
	/* differences may be negative; they wrap the same on both sides */
	return p->format->address(s->level, *s->entry).v - s->span.start == m->to.v - m->from &&
	       p->format->flags(*s->entry) == m->flags;
}

static err_t break_visit(struct pass *pass, const struct slot *s)
{
	if (!is_leaf(pass->p, s) || agrees(pass->p, s, pass->m))
		return OK;
	if (!span_within(s->span, pass->range))
		return split(pass->p, s);
	pass->p->format->write(s->entry, 0);
	pass->broken = true;
	return OK;
}

static err_t fill_visit(struct pass *pass, const struct slot *s)
{
	const struct paging_format *f = pass->p->format;
	const struct mapping *m = pass->m;
	uint64_t to = m->to.v + (s->span.start - m->from);

	if (is_present(pass->p, s))
		return OK;
	if (!f->level[s->level].leaf || !span_within(s->span, pass->range) ||
	    (to & (s->span.size - 1)) != 0)
		return grow(pass->p, s);
	f->write(s->entry, f->leaf(s->level, hpa(to), m->flags));
	return OK;
}

err_t paging_map(struct paging *p, const struct mapping *m)
{
	struct pass pass = {
		.p = p, .range = { m->from, m->size }, .m = m, .visit = break_visit,
	};
	err_t e;

	BUG_ON(((m->from | m->to.v | m->size) & PAGE_MASK) != 0);
	if (!in_reach(p, pass.range))
		return ERR_RANGE;

	e = run(&pass);
	if (pass.broken)
		p->flush(p, pass.range);
	TRY(e);

	pass.visit = fill_visit;
	return run(&pass);
}

static err_t cut_visit(struct pass *pass, const struct slot *s)
{
	if (is_leaf(pass->p, s) && s->span.start < pass->range.start)
		return split(pass->p, s);
	return OK;
}

static err_t cut_at(struct paging *p, uint64_t edge)
{
	struct pass pass = { .p = p, .range = { edge, PAGE_SIZE }, .visit = cut_visit };

	if (edge == p->format->end)
		return OK;
	return run(&pass);
}

err_t paging_cut(struct paging *p, struct span range)
{
	BUG_ON(!span_aligned(range, PAGE_SIZE));
	if (!in_reach(p, range))
		return ERR_RANGE;
	TRY(cut_at(p, range.start));
	return cut_at(p, range.start + range.size);
}

static err_t unmap_visit(struct pass *pass, const struct slot *s)
{
	if (!is_leaf(pass->p, s))
		return OK;
	BUG_ON(!span_within(s->span, pass->range));
	pass->p->format->write(s->entry, 0);
	pass->broken = true;
	return OK;
}

void paging_unmap(struct paging *p, struct span range)
{
	struct pass pass = { .p = p, .range = range, .visit = unmap_visit };

	BUG_ON(!span_aligned(range, PAGE_SIZE) || !in_reach(p, range));
	BUG_ON(run(&pass) != OK);
	if (pass.broken)
		p->flush(p, range);
}

/* Do all leaves below `table` together translate as one leaf to `to` would? */
static bool uniform(const struct paging *p, const uint64_t *table, unsigned level,
		    struct translation want)
{
	const struct paging_format *f = p->format;

	for (unsigned i = 0; i < f->level[level].entries; i++) {
		struct translation here = want;
		uint64_t entry = table[i];

		here.to.v += (uint64_t)i << f->level[level].shift;
		if (!f->present(entry))
			return false;
		if (f->is_table(level, entry)) {
			if (!uniform(p, table_of(p, level, entry), level + 1, here))
				return false;
		} else if (f->address(level, entry).v != here.to.v || f->flags(entry) != here.flags) {
			return false;
		}
	}
	return true;
}

/* Looks through all the levels below at once, so that one flush does for them. */
static err_t merge_visit(struct pass *pass, const struct slot *s)
{
	struct paging *p = pass->p;
	struct translation t;
	uint64_t *table;

	if (!is_table(p, s) || !p->format->level[s->level].leaf || !span_within(s->span, pass->range))
		return OK;
	if (paging_walk(p, s->span.start, &t) != OK || (t.to.v & (s->span.size - 1)) != 0)
		return OK;
	table = table_of(p, s->level, *s->entry);
	if (!uniform(p, table, s->level + 1, t))
		return OK;

	/* after the flush in there no walker is on its way through the tables */
	replace(p, s, p->format->leaf(s->level, t.to, t.flags));
	give_below(p, table, s->level + 1);
	pool_give(p->pool, table, 1);
	return OK;
}

void paging_merge(struct paging *p, struct span range)
{
	struct pass pass = { .p = p, .range = range, .visit = merge_visit };

	BUG_ON(!in_reach(p, range));
	BUG_ON(run(&pass) != OK);
}

err_t paging_walk(const struct paging *p, uint64_t from, struct translation *out)
{
	const struct paging_format *f = p->format;
	struct table t = { p->root, 0, 0 };

	if (from >= f->end)
		return ERR_NOT_FOUND;
	for (;;) {
		struct slot s = slot_of(p, t, (from - t.base) >> f->level[t.level].shift);

		if (!is_present(p, &s))
			return ERR_NOT_FOUND;
		if (is_leaf(p, &s)) {
			*out = (struct translation){
				.to = hpa(f->address(s.level, *s.entry).v + (from - s.span.start)),
				.flags = f->flags(*s.entry),
				.size = s.span.size,
			};
			return OK;
		}
		t = (struct table){ table_of(p, s.level, *s.entry), s.level + 1, s.span.start };
	}
}
