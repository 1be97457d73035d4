// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mediated GIC against a fake one. The fake knows for every bit of a frame which
 * line's state it is; beside it runs a model that applies only what a cell may do. After
 * each access to each offset in each size, both must be in the same state: so no bit of a
 * foreign line, of SGI 15 or of the frame's own control ever moved.
 */
#include "test.h"

#include "arch/arm64/pure/gic.h"
#include "arch/arm64/pure/gicpass.h"

enum state { GROUP, ENABLE, PEND, ACTIVE, PRIORITY, CONFIG, MODIFIER, NSAC, TARGETS, STATES };

enum effect {
	EFFECT_SET,	/* a 1 sets */
	EFFECT_CLEAR,	/* a 1 clears */
	EFFECT_STORE,
	EFFECT_FIXED	/* the cell may change nothing; the hardware would store */
};

/* IHI0069H 12.8 and 12.10, written out; the second copy of what the code has in its tables */
static const struct bank {
	uint32_t first, last;
	unsigned bits;
	enum state state;
	enum effect effect;
	unsigned sizes;
} banks[] = {
	{ 0x080, 0x0ff, 1, GROUP, EFFECT_FIXED, 4 },
	{ 0x100, 0x17f, 1, ENABLE, EFFECT_SET, 4 },
	{ 0x180, 0x1ff, 1, ENABLE, EFFECT_CLEAR, 4 },
	{ 0x200, 0x27f, 1, PEND, EFFECT_SET, 4 },
	{ 0x280, 0x2ff, 1, PEND, EFFECT_CLEAR, 4 },
	{ 0x300, 0x37f, 1, ACTIVE, EFFECT_SET, 4 },
	{ 0x380, 0x3ff, 1, ACTIVE, EFFECT_CLEAR, 4 },
	{ 0x400, 0x7ff, 8, PRIORITY, EFFECT_STORE, 1 | 4 },
	{ 0x800, 0xbff, 8, TARGETS, EFFECT_FIXED, 15 },
	{ 0xc00, 0xcff, 2, CONFIG, EFFECT_STORE, 4 },
	{ 0xd00, 0xd7f, 1, MODIFIER, EFFECT_FIXED, 15 },
	{ 0xe00, 0xeff, 2, NSAC, EFFECT_FIXED, 15 },
};

#define LINES 1024
#define ROUTES 0x6000u
#define ROUTES_END 0x8000u

struct lines {
	uint8_t state[STATES][LINES];
	uint64_t route[LINES];
};

struct fake {
	bool distributor;
	uint32_t frame;			/* where the lines' registers start */
	struct lines lines;
	uint64_t other;			/* all registers that are not of lines read as this */
	unsigned reads, writes;		/* on the bus */
	unsigned other_writes;
	uint32_t other_offset;
	uint64_t other_value;
	unsigned other_size;
};

static const struct bank *bank_of(uint64_t offset)
{
	for (size_t i = 0; i < sizeof(banks) / sizeof(banks[0]); i++)
		if (offset >= banks[i].first && offset <= banks[i].last)
			return &banks[i];
	return NULL;
}

static bool in_routes(const struct fake *f, uint64_t offset)
{
	return f->distributor && offset >= ROUTES && offset < ROUTES_END;
}

static uint64_t all_ones(unsigned size)
{
	return size == 8 ? ~0ull : (1ull << 8 * size) - 1;
}

/* Bit `bit` of an access at `offset` of a bank: the line it is of, and the bit of its state. */
static unsigned line_at(const struct bank *b, uint64_t offset, unsigned bit, unsigned *in_state)
{
	unsigned position = (unsigned)(offset - b->first) * 8 + bit;

	*in_state = position % b->bits;
	return position / b->bits;
}

static void apply_bit(uint8_t *state, unsigned bit, bool one, enum effect effect)
{
	uint8_t mask = (uint8_t)(1u << bit);

	if (effect == EFFECT_SET ? one : effect == EFFECT_STORE && one)
		*state |= mask;
	else if (effect == EFFECT_CLEAR ? one : effect == EFFECT_STORE)
		*state &= (uint8_t)~mask;
}

static uint64_t fake_read(void *context, uint32_t offset, unsigned size)
{
	struct fake *f = context;
	const struct bank *b = offset >= f->frame ? bank_of(offset - f->frame) : NULL;
	uint64_t value = 0;

	assert_true((size == 1 || size == 4 || size == 8) && offset % size == 0);
	f->reads++;
	if (in_routes(f, offset))
		return f->lines.route[(offset - ROUTES) / 8] >> 8 * (offset % 8) & all_ones(size);
	if (!b)
		return f->other & all_ones(size);
	for (unsigned bit = 0; bit < 8 * size; bit++) {
		unsigned in_state, line = line_at(b, offset - f->frame, bit, &in_state);

		value |= (uint64_t)(f->lines.state[b->state][line] >> in_state & 1) << bit;
	}
	return value;
}

static void fake_write(void *context, uint32_t offset, unsigned size, uint64_t value)
{
	struct fake *f = context;
	const struct bank *b = offset >= f->frame ? bank_of(offset - f->frame) : NULL;

	assert_true((size == 1 || size == 4 || size == 8) && offset % size == 0);
	assert_true((value & ~all_ones(size)) == 0);
	f->writes++;
	if (in_routes(f, offset)) {
		assert_int_equal(size, 8);	/* never half a route */
		f->lines.route[(offset - ROUTES) / 8] = value;
		return;
	}
	if (!b) {
		f->other_writes++;
		f->other_offset = offset;
		f->other_value = value;
		f->other_size = size;
		return;
	}
	for (unsigned bit = 0; bit < 8 * size; bit++) {
		unsigned in_state, line = line_at(b, offset - f->frame, bit, &in_state);

		apply_bit(&f->lines.state[b->state][line], in_state, value >> bit & 1,
			  b->effect == EFFECT_FIXED ? EFFECT_STORE : b->effect);
	}
}

/* One GIC, real and as it should be, with a cell on it. */
struct world {
	struct fake fake;
	struct lines should;
	struct gicd_view gicd;
	struct gicr_view gicr;
	uint16_t physical[LINES];	/* identity, or as renumber() has it */
	uint64_t affinities[3];
	uint64_t seed;
};

static struct gic_bus bus_of(struct world *w)
{
	return (struct gic_bus){ &w->fake, fake_read, fake_write };
}

static void world_init(struct world *w, bool distributor, bool root)
{
	memset(w, 0, sizeof(*w));
	w->seed = 0x123456789abcdef;
	w->fake.distributor = distributor;
	w->fake.frame = distributor ? 0 : 0x10000;
	w->fake.other = ~0ull;
	for (unsigned s = 0; s < STATES; s++)
		for (unsigned line = 0; line < LINES; line++)
			w->fake.lines.state[s][line] =
				(uint8_t)(test_random(&w->seed) & (s == PRIORITY || s == TARGETS ? 0xff :
								s == CONFIG || s == NSAC ? 3 : 1));
	for (unsigned line = 0; line < LINES; line++)
		w->fake.lines.route[line] = test_random(&w->seed) & 0xff00ffffff;
	w->should = w->fake.lines;
	/* scattered, with both ends, and with the bits that mean nothing set */
	for (unsigned i = 0; i < GIC_LINE_WORDS; i++)
		w->gicd.lines[i] = test_random(&w->seed);
	w->gicd.lines[0] |= 0x1ffffffff;
	w->gicd.lines[15] |= 0xf8ull << 56;
	w->affinities[0] = 0x0000000102;
	w->affinities[1] = 0x0000000103;
	w->affinities[2] = 0x0700000000;
	w->gicd.affinities = w->affinities;
	w->gicd.affinity_count = 3;
	w->gicd.root = root;
	w->gicr.root = root;
	w->gicr.own = true;
	for (unsigned line = 0; line < LINES; line++)
		w->physical[line] = (uint16_t)line;
}

/* The cell's lines are elsewhere in the machine, in another order, and no two the same. */
static void renumber(struct world *w)
{
	for (unsigned line = 32; line < 1020; line++)
		w->physical[line] = (uint16_t)(32 + (line - 32) * 383 % 988);
	w->gicd.physical = w->physical;
}

static bool owns(const struct world *w, uint64_t line)
{
	if (!w->fake.distributor)
		return w->gicr.own && line < 32 && line != 15 && !(w->gicr.hidden >> line & 1);
	return line >= 32 && line < 1020 && (w->gicd.lines[line / 64] >> line % 64 & 1);
}

static err_t access_do(struct world *w, struct mmio_access *access)
{
	struct gic_bus bus = bus_of(w);

	return w->fake.distributor ? gicd_access(&w->gicd, &bus, access) :
				     gicr_access(&w->gicr, &bus, access);
}

static err_t write_at(struct world *w, uint64_t offset, uint8_t size, uint64_t value)
{
	struct mmio_access access = { gpa(offset), value, size, true };

	return access_do(w, &access);
}

static err_t read_at(struct world *w, uint64_t offset, uint8_t size, uint64_t *value)
{
	struct mmio_access access = { gpa(offset), 0xa5a5a5a5a5a5a5a5, size, false };
	err_t e = access_do(w, &access);

	*value = access.value;
	return e;
}

static uint64_t route_should(const struct world *w, uint64_t route)
{
	for (unsigned i = 0; i < 3; i++)
		if (!(route >> 31 & 1) && (route & 0xff00ffffff) == w->affinities[i])
			return w->affinities[i];
	return w->affinities[0];
}

/* What a write that is accepted may do; false where it can do nothing to a line. */
static bool should_write(struct world *w, uint64_t offset, unsigned size, uint64_t value)
{
	const struct bank *b = offset >= w->fake.frame ? bank_of(offset - w->fake.frame) : NULL;

	if (in_routes(&w->fake, offset)) {
		uint64_t *route = &w->should.route[w->physical[(offset - ROUTES) / 8]];
		uint64_t covered = all_ones(size) << 8 * (offset % 8);

		if (owns(w, (offset - ROUTES) / 8))
			*route = route_should(w, (*route & ~covered) |
						 (value << 8 * (offset % 8) & covered));
		return true;
	}
	if (!b || b->effect == EFFECT_FIXED)
		return false;
	for (unsigned bit = 0; bit < 8 * size; bit++) {
		unsigned in_state, line = line_at(b, offset - w->fake.frame, bit, &in_state);
		uint8_t *state = &w->should.state[b->state][w->physical[line]];

		if (!owns(w, line) || (b->state == CONFIG && line < 16))
			continue;
		apply_bit(state, in_state, value >> bit & 1, b->effect);
		if (b->state == PRIORITY && in_state == 7 && *state < 0x10)
			*state = 0x10;
	}
	return true;
}

/* What a read of lines' registers must show; false where the offset is none of them. */
static bool should_read(const struct world *w, uint64_t offset, unsigned size, uint64_t *value)
{
	const struct bank *b = offset >= w->fake.frame ? bank_of(offset - w->fake.frame) : NULL;

	*value = 0;
	if (in_routes(&w->fake, offset)) {
		if (owns(w, (offset - ROUTES) / 8))
			*value = w->should.route[w->physical[(offset - ROUTES) / 8]] >> 8 * (offset % 8) &
				 all_ones(size);
		return true;
	}
	for (unsigned bit = 0; b && bit < 8 * size; bit++) {
		unsigned in_state, line = line_at(b, offset - w->fake.frame, bit, &in_state);
		uint64_t one = b->state == GROUP && !w->gicd.two_states;

		if (b->effect != EFFECT_FIXED)
			one = w->should.state[b->state][w->physical[line]] >> in_state & 1;
		if (owns(w, line))
			*value |= one << bit;
	}
	return b;
}

/* The sizes a register has; a hole takes every one. */
static unsigned gicd_sizes(uint64_t offset)
{
	if (offset < 0xc || (offset >= 0xffd0 && offset < 0x10000))
		return 4;
	if (offset / 4 == 0x40 / 4 || offset / 4 == 0x48 / 4)
		return 2 | 4;
	if (offset >= ROUTES + 8 * 32 && offset < ROUTES + 8 * 1020)
		return 4 | 8;
	return bank_of(offset) ? bank_of(offset)->sizes : 15;
}

static unsigned gicr_sizes(uint64_t offset)
{
	if (offset < 0x8 || (offset >= 0x14 && offset < 0x18) || (offset >= 0xc0 && offset < 0xc4) ||
	    (offset >= 0xffd0 && offset < 0x10000))
		return 4;
	if ((offset >= 0x8 && offset < 0x10) || (offset >= 0x40 && offset < 0x50) ||
	    (offset >= 0x70 && offset < 0x80) || (offset >= 0xa0 && offset < 0xa8) ||
	    (offset >= 0xb0 && offset < 0xb8))
		return 4 | 8;
	return offset >= 0x10000 && bank_of(offset - 0x10000) ?
		       bank_of(offset - 0x10000)->sizes : 15;
}

static bool allowed(const struct world *w, uint64_t offset, unsigned size)
{
	unsigned sizes = w->fake.distributor ? gicd_sizes(offset) : gicr_sizes(offset);

	return (size == 1 || size == 2 || size == 4 || size == 8) && offset % size == 0 &&
	       (sizes & size);
}

static void check_write(struct world *w, uint64_t offset, uint8_t size, uint64_t value)
{
	bool valid = allowed(w, offset, size);
	unsigned writes = w->fake.writes, reads = w->fake.reads;
	bool changes = valid && should_write(w, offset, size, value & all_ones(size));

	assert_int_equal(write_at(w, offset, size, value & all_ones(size)),
			 valid ? OK : ERR_INVALID);
	if (!valid)
		assert_true(w->fake.writes == writes && w->fake.reads == reads);
	if ((changes || w->fake.writes != writes) &&
	    memcmp(&w->should, &w->fake.lines, sizeof(w->should)))
		fail_msg("write of %u bytes at %#lx: not the state it should be", size,
			 (unsigned long)offset);
}

static void check_read(struct world *w, uint64_t offset, uint8_t size)
{
	bool valid = allowed(w, offset, size);
	unsigned reads = w->fake.reads, writes = w->fake.writes;
	uint64_t value, should;

	assert_int_equal(read_at(w, offset, size, &value), valid ? OK : ERR_INVALID);
	assert_int_equal(w->fake.writes, writes);
	if (!valid)
		assert_int_equal(w->fake.reads, reads);
	else if (should_read(w, offset, size, &should) && value != should)
		fail_msg("read of %u bytes at %#lx: %#lx, not %#lx", size, (unsigned long)offset,
			 (unsigned long)value, (unsigned long)should);
}

/*
 * Every offset, aligned or not, in every size, reads, ones and zeros and noise. The frame's own
 * registers have tests of their own; here it only counts what was written to them.
 */
static void check_frame(struct world *w, uint64_t first, uint64_t end)
{
	static const uint8_t sizes[] = { 1, 2, 4, 8, 0, 3, 16 };

	for (uint64_t offset = first; offset < end; offset++)
		for (unsigned i = 0; i < sizeof(sizes); i++) {
			uint8_t size = sizes[i];

			if (size == 0 || size == 3 || size == 16) {
				assert_int_equal(write_at(w, offset, size, 0), ERR_INVALID);
				continue;
			}
			check_write(w, offset, size, offset & 8 ? 0 : ~0ull);
			check_read(w, offset, size);
			check_write(w, offset, size, test_random(&w->seed));
			check_write(w, offset, size, offset & 8 ? ~0ull : 0);
			check_read(w, offset, size);
		}
}

static void test_gicd_whole_frame(void **state)
{
	static struct world w;

	(void)state;
	for (unsigned root = 0; root < 2; root++) {
		world_init(&w, true, root);
		check_frame(&w, 0, 0x1000);
		/* a cell's message registers are reserved; the root's take owned INTIDs only */
		assert_true(root || w.fake.other_writes == 0);
		w.fake.other_writes = 0;
		check_frame(&w, 0x1000, 0x10100);
		assert_int_equal(w.fake.other_writes, 0);
	}
}

/* The same with numbers of the cell's own: no bit of a line that is not its moves, wherever that is. */
static void test_gicd_renumbered(void **state)
{
	static struct world w;

	(void)state;
	world_init(&w, true, false);
	renumber(&w);
	assert_int_not_equal(w.physical[33], 33);
	check_frame(&w, 0, 0x1000);
	check_frame(&w, 0x6000, 0x8000);
	assert_int_equal(w.fake.other_writes, 0);
	/* one line, by hand: 40 is the machine's 32 + 8 * 383 % 988 = 132 */
	world_init(&w, true, true);
	renumber(&w);
	w.gicd.lines[0] |= 1ull << 40;
	assert_int_equal(w.physical[40], 132);
	w.fake.lines.state[PEND][132] = 0;
	assert_int_equal(write_at(&w, 0x204, 4, 1u << 8), OK);
	assert_int_equal(w.fake.lines.state[PEND][132], 1);
	assert_int_equal(write_at(&w, 0x400 + 40, 1, 0xb0), OK);
	assert_int_equal(w.fake.lines.state[PRIORITY][132], 0xb0);
	/* a message names the cell's number too */
	assert_int_equal(write_at(&w, 0x40, 4, 40), OK);
	assert_int_equal(w.fake.other_writes, 1);
	assert_true(w.fake.other_value == 132);
}

static void test_gicd_two_states(void **state)
{
	static struct world w;
	uint64_t value;

	(void)state;
	world_init(&w, true, true);
	w.gicd.two_states = true;
	check_frame(&w, 0, 0x1000);
	w.fake.other = 0;
	assert_int_equal(write_at(&w, 0, 4, 0xffffffff), OK);
	assert_int_equal(read_at(&w, 0, 4, &value), OK);
	assert_true(value == 0x13);			/* ARE_NS, EnableGrp1A, EnableGrp1 */
	assert_int_equal(read_at(&w, 0x84, 4, &value), OK);
	assert_true(value == 0);
	w.fake.other = ~0ull;
	assert_int_equal(read_at(&w, 4, 4, &value), OK);
	assert_true(value == 0x07fbfeff);		/* SecurityExtn */
	assert_int_equal(read_at(&w, 0, 4, &value), OK);
	assert_true(value == 0x80000013);
}

/* What is said in advance of an access is what happens: the same value, and the same on the bus. */
static void check_pass(struct world *w, uint64_t offset, const struct gic_pass *pass, bool write)
{
	uint64_t seen, raw = fake_read(&w->fake, (uint32_t)offset, 4);

	assert_int_equal(read_at(w, offset, 4, &seen), OK);
	assert_true(seen == ((raw & pass->mask) | pass->fixed));
	if (!write)
		return;
	w->should = w->fake.lines;
	assert_true(should_write(w, offset, 4, 0xffffffff));
	fake_write(&w->fake, (uint32_t)offset, 4, 0xffffffff & pass->mask);
	assert_memory_equal(&w->should, &w->fake.lines, sizeof(w->should));
}

static void test_what_passes(void **state)
{
	static struct world w;
	struct gic_pass pass;
	unsigned passed[3] = { 0 };

	(void)state;
	for (unsigned kind = 0; kind < 4; kind++) {
		world_init(&w, true, kind & 1);
		w.gicd.two_states = kind & 2;
		for (uint64_t offset = 0; offset < 0x10004; offset++)
			if (gicd_read_passes(&w.gicd, offset, &pass)) {
				check_pass(&w, offset, &pass, false);
				passed[0]++;
			}
		renumber(&w);
		for (uint64_t offset = 0; offset < 0x10004; offset++)
			passed[1] += gicd_read_passes(&w.gicd, offset, &pass);
		world_init(&w, false, kind & 1);
		w.gicr.hidden = kind & 2 ? 1u << 25 : 0;
		for (uint64_t offset = 0; offset < 0x40004; offset++)
			if (gicr_passes(&w.gicr, offset, &pass)) {
				check_pass(&w, offset, &pass, true);
				passed[2]++;
			}
		assert_false(gicr_passes(&w.gicr, 0ull - 0x10100, &pass));
	}
	/* TYPER, and of six banks all words but the first and the last; then TYPER; then six words */
	assert_int_equal(passed[0], 4 * (1 + 6 * 30));
	assert_int_equal(passed[1], 4);
	assert_int_equal(passed[2], 4 * 6);
}

/* The rest is holes: nothing reaches the bus at all. */
static void test_gicd_holes(void **state)
{
	static struct world w;
	uint64_t value;

	(void)state;
	world_init(&w, true, true);
	for (uint64_t offset = 0x1000; offset < 0xffd0; offset += 4) {
		if (offset >= ROUTES && offset < ROUTES_END)
			continue;
		assert_int_equal(write_at(&w, offset, 4, 0xffffffff), OK);
		assert_int_equal(read_at(&w, offset, 4, &value), OK);
		assert_true(value == 0);
	}
	assert_int_equal(read_at(&w, ~7ull, 8, &value), OK);
	assert_true(value == 0);
	assert_int_equal(read_at(&w, 1ull << 32, 4, &value), OK);
	assert_true(value == 0);
	assert_int_equal(w.fake.reads + w.fake.writes, 0);
}

static uint64_t read_ok(struct world *w, uint64_t offset, uint8_t size)
{
	uint64_t value;

	assert_int_equal(read_at(w, offset, size, &value), OK);
	return value;
}

static void write_ok(struct world *w, uint64_t offset, uint8_t size, uint64_t value)
{
	assert_int_equal(write_at(w, offset, size, value), OK);
}

static void test_gicd_control(void **state)
{
	static struct world w;

	(void)state;
	world_init(&w, true, false);
	write_ok(&w, 0, 4, 0xffffffff);
	assert_int_equal(w.fake.writes, 0);
	assert_int_equal(w.gicd.ctlr, 3);
	assert_true(read_ok(&w, 0, 4) == 0x80000053);
	w.fake.other = 0;
	write_ok(&w, 0, 4, 2);
	assert_true(read_ok(&w, 0, 4) == 0x52);
	write_ok(&w, 0, 4, 0);
	assert_true(read_ok(&w, 0, 4) == 0x50);
	assert_int_equal(w.fake.writes, 0);
}

static void test_gicd_identity(void **state)
{
	static struct world w;

	(void)state;
	world_init(&w, true, false);
	/* ESPI and its range, DVIS, LPIS, MBIS, num_LPIs gone, IDbits 9 */
	assert_true(read_ok(&w, 4, 4) == 0x074802ff);
	assert_true(read_ok(&w, 8, 4) == 0xffffffff);
	assert_true(read_ok(&w, 0xc, 4) == 0);
	assert_true(read_ok(&w, 0x10, 4) == 0);
	for (uint64_t offset = 0xffd0; offset <= 0xfffc; offset += 4)
		assert_true(read_ok(&w, offset, 4) == 0xffffffff);
	world_init(&w, true, true);
	assert_true(read_ok(&w, 4, 4) == 0x07fbfaff);
	write_ok(&w, 4, 4, 0);
	write_ok(&w, 8, 4, 0);
	write_ok(&w, 0xffe8, 4, 0);
	assert_int_equal(w.fake.writes, 0);
}

static void test_gicd_messages(void **state)
{
	static struct world w;

	(void)state;
	for (unsigned root = 0; root < 2; root++) {
		world_init(&w, true, root);
		for (uint32_t value = 0; value < 0x4000; value++) {
			bool sent = root && owns(&w, value & 0x1fff);
			uint8_t size = value & 1 ? 4 : 2;

			w.fake.other_writes = 0;
			write_ok(&w, value & 2 ? 0x48 : 0x40, size, value);
			assert_int_equal(w.fake.other_writes, sent);
			if (!sent)
				continue;
			assert_int_equal(w.fake.other_offset, value & 2 ? 0x48 : 0x40);
			assert_int_equal(w.fake.other_size, 4);
			assert_true(w.fake.other_value == (value & 0x1fff));
		}
		w.fake.other_writes = 0;
		write_ok(&w, 0x42, 2, 32);
		write_ok(&w, 0x50, 4, 32);
		assert_int_equal(w.fake.other_writes, 0);
		assert_true(read_ok(&w, 0x40, 4) == 0);
	}
}

static void test_priorities_are_clamped(void **state)
{
	static struct world w;

	(void)state;
	world_init(&w, true, false);
	w.gicd.lines[0] |= 0xffull << 32;
	for (unsigned priority = 0; priority < 256; priority++) {
		unsigned should = priority < GIC_PRIORITY_CELL_MIN ? GIC_PRIORITY_CELL_MIN : priority;

		write_ok(&w, 0x421, 1, priority);
		assert_int_equal(w.fake.lines.state[PRIORITY][33], should);
		assert_int_equal(read_ok(&w, 0x421, 1), should);
		write_ok(&w, 0x424, 4, priority << 16 | 0x20a0ff);
		assert_int_equal(w.fake.lines.state[PRIORITY][36], 0xff);
		assert_true(w.fake.lines.state[PRIORITY][38] >= GIC_PRIORITY_CELL_MIN);
		assert_int_equal(w.fake.lines.state[PRIORITY][39], 0x10);
	}
}

static void test_routes(void **state)
{
	static struct world w;
	const uint64_t at = ROUTES + 8 * 40;

	(void)state;
	world_init(&w, true, true);
	w.gicd.lines[0] |= 1ull << 40;
	write_ok(&w, at, 8, 0x0700000000);
	assert_true(w.fake.lines.route[40] == 0x0700000000);
	write_ok(&w, at, 8, 0x103);
	assert_true(w.fake.lines.route[40] == 0x103);
	write_ok(&w, at, 8, 0x104);			/* no CPU of the cell */
	assert_true(w.fake.lines.route[40] == 0x102);
	write_ok(&w, at, 8, 0x80000103);		/* any CPU of the machine */
	assert_true(w.fake.lines.route[40] == 0x102);
	write_ok(&w, at, 4, 0x103);
	assert_true(w.fake.lines.route[40] == 0x103);
	write_ok(&w, at + 4, 4, 7);			/* 7.0.1.3: no CPU of the cell */
	assert_true(w.fake.lines.route[40] == 0x102);
	assert_true(read_ok(&w, at, 4) == 0x102);
	/* undefined bits of the register do not decide */
	write_ok(&w, at, 8, 0xffffff0040000103);
	assert_true(w.fake.lines.route[40] == 0x103);
	w.gicd.lines[0] &= ~(1ull << 40);
	write_ok(&w, at, 8, 0x102);
	assert_true(w.fake.lines.route[40] == 0x103);
	assert_true(read_ok(&w, at, 8) == 0);
}

/* The cell calls its CPUs 0 and 1; between and behind them are others'. */
static void test_routes_counted(void **state)
{
	static struct world w;
	const uint64_t at = ROUTES + 8 * 40;

	(void)state;
	world_init(&w, true, false);
	w.gicd.lines[0] |= 1ull << 40;
	w.gicd.counted = true;
	w.affinities[1] = GIC_NO_CPU;
	write_ok(&w, at, 8, 1);
	assert_true(w.fake.lines.route[40] == 0x0700000000);
	assert_true(read_ok(&w, at, 8) == 1);
	assert_true(read_ok(&w, at, 4) == 1);
	assert_true(read_ok(&w, at + 4, 4) == 0);
	write_ok(&w, at + 4, 4, 0);
	assert_true(w.fake.lines.route[40] == 0x0700000000);
	write_ok(&w, at, 4, 0);
	assert_true(w.fake.lines.route[40] == 0x102);
	assert_true(read_ok(&w, at, 8) == 0);
	/* no number of the cell's, though one of the machine's; a third CPU; any CPU: the first takes it */
	for (unsigned i = 0; i < 4; i++) {
		static const uint64_t others[] = { 0x102, 0x0700000000, 2, 0x80000001 };

		write_ok(&w, at, 8, 1);
		write_ok(&w, at, 8, others[i]);
		assert_true(w.fake.lines.route[40] == 0x102);
	}
	write_ok(&w, at, 8, 1);
	write_ok(&w, at + 4, 4, 7);
	assert_true(w.fake.lines.route[40] == 0x102);
}

static void test_numbers_of_cpus(void **state)
{
	uint64_t affinities[40];
	struct gicd_view view = { .affinities = affinities, .affinity_count = 40 };

	(void)state;
	for (unsigned i = 0; i < 40; i++)
		affinities[i] = i % 2 ? 0x100 * i : GIC_NO_CPU;
	assert_true(gic_affinity_of(&view, 0x300) == 0x300);
	assert_true(gic_affinity_of(&view, 0x200) == GIC_NO_CPU);
	assert_true(gic_affinity_of(&view, GIC_NO_CPU) == GIC_NO_CPU);
	view.counted = true;
	for (unsigned n = 0; n < 20; n++) {
		uint64_t seen = n < 16 ? n : 0x100 + n - 16;

		assert_true(gic_counted(n) == seen);
		assert_true(gic_affinity_of(&view, seen) == 0x100 * (2 * n + 1));
		assert_int_equal(gic_number_of(&view, 0x100 * (2 * n + 1)), n);
	}
	assert_true(gic_affinity_of(&view, 16) == GIC_NO_CPU);
	assert_true(gic_affinity_of(&view, 0x104) == GIC_NO_CPU);
	assert_true(gic_affinity_of(&view, 1ull << 31) == GIC_NO_CPU);
	assert_true(gic_affinity_of(&view, GIC_NO_CPU) == GIC_NO_CPU);
	assert_true(gic_counted(255) == 0xf0f);
}

static void test_gicr_whole_frame(void **state)
{
	static struct world w;

	(void)state;
	for (unsigned kind = 0; kind < 4; kind++) {
		world_init(&w, false, kind & 1);
		w.gicr.own = kind & 2;
		check_frame(&w, 0, 0x100);
		/* LPIs are the root's on its own CPUs; of the rest nothing reaches the hardware */
		assert_true(kind == 3 || w.fake.other_writes == 0);
		w.fake.other_writes = 0;
		check_frame(&w, 0x100, 0x20100);
		check_frame(&w, 0x30000, 0x30400);
		assert_int_equal(w.fake.other_writes, 0);
	}
}

/* A PPI that is the hypervisor's is nobody's, in every register. */
static void test_gicr_hidden(void **state)
{
	static struct world w;
	uint64_t value;

	(void)state;
	world_init(&w, false, false);
	w.gicr.hidden = 1u << 25;
	w.fake.lines.state[ENABLE][25] = w.should.state[ENABLE][25] = 1;
	check_frame(&w, 0x10000, 0x11000);
	assert_int_equal(w.fake.lines.state[ENABLE][25], 1);
	assert_int_equal(read_at(&w, 0x10100, 4, &value), OK);
	assert_true((value & (1u << 25 | 1u << 15)) == 0);
	assert_int_equal(read_at(&w, 0x10080, 4, &value), OK);
	assert_true(value == 0xfdff7fff);
}

static void test_gicr_sgi15(void **state)
{
	static struct world w;
	const uint64_t sgi = 0x10000;

	(void)state;
	world_init(&w, false, true);
	w.fake.lines.state[ENABLE][15] = 1;
	w.fake.lines.state[PRIORITY][15] = 0;
	w.fake.lines.state[GROUP][15] = 0;
	write_ok(&w, sgi + 0x180, 4, 0xffffffff);
	write_ok(&w, sgi + 0x080, 4, 0xffffffff);
	write_ok(&w, sgi + 0x40c, 4, 0xa0a0a0a0);
	write_ok(&w, sgi + 0x40f, 1, 0xa0);
	assert_int_equal(w.fake.lines.state[ENABLE][15], 1);
	assert_int_equal(w.fake.lines.state[ENABLE][14], 0);
	assert_int_equal(w.fake.lines.state[PRIORITY][15], 0);
	assert_int_equal(w.fake.lines.state[PRIORITY][14], 0xa0);
	assert_int_equal(w.fake.lines.state[GROUP][15], 0);
	assert_true(read_ok(&w, sgi + 0x100, 4) == 0);
	assert_true(read_ok(&w, sgi + 0x080, 4) == 0xffff7fff);
	assert_true(read_ok(&w, sgi + 0x40c, 4) == 0x00a0a0a0);
	write_ok(&w, sgi + 0x100, 4, 0xffffffff);
	assert_true(read_ok(&w, sgi + 0x100, 4) == 0xffff7fff);
}

static void test_gicr_type_and_identity(void **state)
{
	static struct world w;

	(void)state;
	for (unsigned own = 0; own < 2; own++) {
		world_init(&w, false, false);
		w.gicr.own = own;
		/* no LPIs, no DPGS, MPAM, vPEs, extended PPIs: Last, number and affinity */
		assert_true(read_ok(&w, 8, 8) == 0xffffffff00ffff10);
		assert_true(read_ok(&w, 8, 4) == 0x00ffff10);
		assert_true(read_ok(&w, 12, 4) == 0xffffffff);
		assert_true(read_ok(&w, 4, 4) == 0xffffffff);
		assert_true(read_ok(&w, 0xffe8, 4) == 0xffffffff);
		assert_true(read_ok(&w, 0xffec, 4) == (own ? 0xffffffff : 0));
		w.gicr.root = true;
		assert_true(read_ok(&w, 8, 8) == 0xffffffff07ffffff);
		assert_true(read_ok(&w, 0, 4) == (own ? 0xffffffff : 0));
	}
	world_init(&w, false, false);
	assert_true(read_ok(&w, 0, 4) == 0x80000008);	/* UWP, RWP */
	write_ok(&w, 0, 4, 0xffffffff);
	assert_int_equal(w.fake.writes, 0);
	w.gicr.root = true;
	write_ok(&w, 0, 4, 0xffffffff);
	assert_int_equal(w.fake.writes, 1);
	assert_true(w.fake.other_value == 0x07000001);	/* DPG bits, EnableLPIs */
}

/* Who the CPU is is the cell's to count; what it can do is the machine's. */
static void test_gicr_counted_type(void **state)
{
	static struct world w;

	(void)state;
	world_init(&w, false, false);
	w.gicr.counted = true;
	w.gicr.type = gicr_counted_type(17, false);
	assert_true(read_ok(&w, 8, 8) == 0x0000010100001100);
	assert_true(read_ok(&w, 8, 4) == 0x00001100);
	assert_true(read_ok(&w, 12, 4) == 0x00000101);
	w.gicr.type = gicr_counted_type(17, true);
	assert_true(read_ok(&w, 8, 8) == 0x0000010100001110);
	assert_true(read_ok(&w, 8, 4) == 0x00001110);
	assert_true(read_ok(&w, 12, 4) == 0x00000101);
	w.gicr.type = gicr_counted_type(0, true);
	assert_true(read_ok(&w, 8, 8) == 0x10);
	write_ok(&w, 8, 8, ~0ull);
	assert_int_equal(w.fake.writes, 0);
}

static void test_gicr_waker(void **state)
{
	static struct world w;

	(void)state;
	world_init(&w, false, false);
	assert_true(read_ok(&w, 0x14, 4) == 0);
	write_ok(&w, 0x14, 4, 0xffffffff);
	assert_true(read_ok(&w, 0x14, 4) == 6);
	write_ok(&w, 0x14, 4, 0);
	assert_true(read_ok(&w, 0x14, 4) == 0);
	w.gicr.own = false;
	write_ok(&w, 0x14, 4, 2);
	assert_int_equal(w.gicr.waker, 0);
	assert_int_equal(w.fake.reads + w.fake.writes, 0);
}

static void test_gicr_lpis(void **state)
{
	static const uint32_t offsets[] = { 0x40, 0x48, 0x70, 0x78, 0xa0, 0xb0 };
	static struct world w;

	(void)state;
	for (unsigned root = 0; root < 2; root++)
		for (unsigned i = 0; i < 6; i++) {
			world_init(&w, false, root);
			write_ok(&w, offsets[i], 8, 0x123456789abcdef0);
			assert_int_equal(w.fake.other_writes, root);
			assert_true(w.fake.other_value == (root ? 0x123456789abcdef0 : 0));
			write_ok(&w, offsets[i] + 4, 4, 0x12345678);
			assert_int_equal(w.fake.other_writes, 2 * root);
			assert_int_equal(w.fake.other_offset, root ? offsets[i] + 4 : 0);
			assert_true(read_ok(&w, offsets[i], 8) == (root ? ~0ull : 0));
			assert_true(read_ok(&w, 0xc0, 4) == (root ? 0xffffffff : 0));
		}
}

/* SGIs: a sent value is taken apart into the CPUs it reaches. */
#define CPUS 24

struct sgis {
	uint64_t affinities[CPUS];
	unsigned count;
	unsigned reached[CPUS];
	unsigned sends;
	unsigned intid;
};

static uint64_t affinity_named(uint64_t sgi1r, unsigned target)
{
	return (sgi1r >> 48 & 0xff) << 32 | (sgi1r >> 32 & 0xff) << 16 | (sgi1r >> 16 & 0xff) << 8 |
	       ((sgi1r >> 44 & 0xf) * 16 + target);
}

static void send(void *context, uint64_t sgi1r)
{
	struct sgis *s = context;

	s->sends++;
	assert_true(sgi1r & 0xffff);
	assert_true((sgi1r & ~0x00fff0ff0fffffffull) == 0);	/* IRM and the reserved bits */
	assert_int_equal(sgi1r >> 24 & 0xf, s->intid);
	assert_int_not_equal(s->intid, GIC_SGI_MANAGEMENT);
	for (unsigned target = 0; target < 16; target++) {
		unsigned found = 0;

		if (!(sgi1r >> target & 1))
			continue;
		for (unsigned i = 0; i < s->count; i++)
			if (affinity_named(sgi1r, target) == s->affinities[i]) {
				s->reached[i]++;
				found++;
			}
		assert_int_equal(found, 1);
	}
}

static bool listed(uint64_t written, uint64_t affinity)
{
	for (unsigned target = 0; target < 16; target++)
		if ((written >> target & 1) && affinity_named(written, target) == affinity)
			return true;
	return false;
}

/* Distinct affinities, few enough values that lists often hit them. */
static void sgis_init(struct sgis *s, uint64_t *seed)
{
	static const uint8_t parts[4] = { 0, 1, 0x80, 0xff };

	memset(s, 0, sizeof(*s));
	s->count = 1 + (unsigned)(test_random(seed) % CPUS);
	for (unsigned i = 0; i < s->count;) {
		uint64_t r = test_random(seed);
		uint64_t affinity = (uint64_t)parts[r & 3] << 32 | (uint64_t)parts[r >> 2 & 1] << 16 |
				    (uint64_t)parts[r >> 4 & 3] << 8 |
				    (r >> 6 & 3 ? r >> 8 & 0x1f : r >> 8 & 0xff);
		bool new = true;

		for (unsigned j = 0; j < i; j++)
			new = new && s->affinities[j] != affinity;
		if (new)
			s->affinities[i++] = affinity;
	}
}

/* A write that names the neighbourhood of one of the cell's CPUs, or all but the sender. */
static uint64_t sgi_written(const struct sgis *s, uint64_t *seed)
{
	uint64_t near = s->affinities[test_random(seed) % s->count];
	uint64_t noise = test_random(seed);

	if (noise % 8 == 0)
		return test_random(seed);
	return (near >> 32 & 0xff) << 48 | (near >> 16 & 0xff) << 32 | (near >> 8 & 0xff) << 16 |
	       (near >> 4 & 0xf) << 44 | (noise & 0xff0000000f00ffff) | (noise >> 20 & 1) << 40;
}

static void test_sgi_filter(void **state)
{
	struct gicd_view view = { .counted = false };
	uint64_t seed = 77;
	unsigned long delivered = 0;

	(void)state;
	for (unsigned round = 0; round < 200000; round++) {
		unsigned reached = 0;
		struct sgis s;
		uint64_t written, self;

		sgis_init(&s, &seed);
		written = sgi_written(&s, &seed);
		self = s.affinities[test_random(&seed) % s.count];
		s.intid = written >> 24 & 0xf;
		view.affinity_count = s.count;
		view.affinities = s.affinities;
		gic_sgi_filter(written, &view, self, send, &s);
		for (unsigned i = 0; i < s.count; i++) {
			bool to_all = written >> 40 & 1;
			bool due = s.intid != 15 && (to_all ? s.affinities[i] != self :
							      listed(written, s.affinities[i]));

			assert_int_equal(s.reached[i], due);
			reached += due;
		}
		assert_int_equal(s.sends, reached);
		delivered += reached;
	}
	assert_true(delivered > 200000);
}

/* The cell names its CPUs by their numbers, and they are reached wherever they are. */
static void test_sgi_counted(void **state)
{
	struct gicd_view view = { .counted = true };
	uint64_t seed = 79;
	unsigned long delivered = 0;

	(void)state;
	for (unsigned round = 0; round < 100000; round++) {
		struct sgis s;
		unsigned number = 0;
		uint64_t written, self, holes;

		sgis_init(&s, &seed);
		self = s.affinities[test_random(&seed) % s.count];
		for (holes = test_random(&seed); holes != 0; holes >>= 8)
			if (s.affinities[holes % s.count] != self)
				s.affinities[holes % s.count] = GIC_NO_CPU;
		written = test_random(&seed);
		if (written % 8)
			written &= 0x000000000f01ffff | (written << 8 & 1ull << 40);
		s.intid = written >> 24 & 0xf;
		view.affinity_count = s.count;
		view.affinities = s.affinities;
		gic_sgi_filter(written, &view, self, send, &s);
		for (unsigned i = 0; i < s.count; i++) {
			bool to_all = written >> 40 & 1, due;

			if (s.affinities[i] == GIC_NO_CPU) {
				assert_int_equal(s.reached[i], 0);
				continue;
			}
			due = s.intid != 15 && (to_all ? s.affinities[i] != self :
							listed(written, number / 16 * 0x100 + number % 16));
			assert_int_equal(s.reached[i], due);
			delivered += due;
			number++;
		}
	}
	assert_true(delivered > 100000);
}

/* sgi.S sends what differs from the row in nothing but INTID and targets that are missing. */
static bool sent_as_written(uint64_t row, uint64_t written)
{
	uint64_t differs = row ^ (written & ~0x0f000000ull);

	return (differs & (written | ~0xffffull) & ~0x0f000000ull) == 0 && (written >> 24 & 15) != 15;
}

static void note(void *context, uint64_t sgi1r)
{
	uint64_t *sent = context;

	assert_true((*sent & sgi1r & 0xffff) == 0);
	*sent |= sgi1r;
}

/* What the row lets through is what the filter would have sent, with no CPU more or less. */
static void test_sgi_rows(void **state)
{
	struct gicd_view view = { .counted = false };
	uint64_t seed = 78;
	unsigned long through = 0, held = 0;

	(void)state;
	for (unsigned round = 0; round < 200000; round++) {
		struct sgis s;
		uint64_t written, row, sent = 0;

		sgis_init(&s, &seed);
		/* holes, as CPUs that are another cell's leave them */
		for (unsigned i = 0; i < s.count; i += 3)
			s.affinities[i] = i ? GIC_NO_CPU : s.affinities[i];
		written = sgi_written(&s, &seed) & (round & 1 ? ~0ull : 0x00ffff0fff0fffffull);
		if (round & 2)
			written &= ~(1ull << 40);
		row = gic_sgi_row((unsigned)(written >> 16 & 15), s.affinities, s.count);
		/* most lists name a CPU too many */
		if (round & 4)
			written &= row | ~0xffffull;
		if (!sent_as_written(row, written)) {
			held++;
			continue;
		}
		view.affinity_count = s.count;
		view.affinities = s.affinities;
		gic_sgi_filter(written, &view, s.affinities[0], note, &sent);
		assert_true(sent == (written & 0xffff ? written : 0));
		through += sent != 0;
	}
	assert_true(through > 1000);
	assert_true(held > 1000);
	assert_int_equal(gic_sgi_row_of(0x0700001234), 2);
}

/* All of a cluster's CPUs are in one word, none of another's, and a row without a CPU is empty. */
static void test_sgi_row_of_clusters(void **state)
{
	const uint64_t affinities[] = { 0x0, GIC_NO_CPU, 0x2, 0x101, 0x10100, 0x1f };

	(void)state;
	assert_true(gic_sgi_row(0, affinities, 6) == 0x5);
	assert_true(gic_sgi_row(1, affinities, 6) == 0x10002);
	assert_true(gic_sgi_row(0, affinities + 5, 1) == 0x100000008000);
	assert_true(gic_sgi_row(2, affinities, 6) == 0);
	assert_true(gic_sgi_row(0, affinities, 0) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gicd_whole_frame),
		cmocka_unit_test(test_gicd_renumbered),
		cmocka_unit_test(test_gicd_two_states),
		cmocka_unit_test(test_gicd_holes),
		cmocka_unit_test(test_gicd_control),
		cmocka_unit_test(test_gicd_identity),
		cmocka_unit_test(test_gicd_messages),
		cmocka_unit_test(test_priorities_are_clamped),
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_gicr_whole_frame),
		cmocka_unit_test(test_gicr_hidden),
		cmocka_unit_test(test_gicr_sgi15),
		cmocka_unit_test(test_gicr_counted_type),
		cmocka_unit_test(test_numbers_of_cpus),
		cmocka_unit_test(test_routes_counted),
		cmocka_unit_test(test_what_passes),
		cmocka_unit_test(test_gicr_type_and_identity),
		cmocka_unit_test(test_gicr_waker),
		cmocka_unit_test(test_gicr_lpis),
		cmocka_unit_test(test_sgi_filter),
		cmocka_unit_test(test_sgi_counted),
		cmocka_unit_test(test_sgi_rows),
		cmocka_unit_test(test_sgi_row_of_clusters),
	};

	return cmocka_run_group_tests_name("gic", tests, NULL, NULL);
}
