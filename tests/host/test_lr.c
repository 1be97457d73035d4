// SPDX-License-Identifier: GPL-2.0-only
/*
 * List registers (pure/lr.h) against a model: a distributor, a CPU's virtual interface with few
 * list registers, and a guest that takes, ends, masks and deactivates. What it must see is
 * what a GIC without list registers would show it.
 */
#include "test.h"

#include "arch/arm64/pure/lr.h"

#define LINES 64u		/* INTIDs; the first 16 are SGIs */
#define VIRTUAL 100u		/* what an INTID from 32 on is called by the cell, over its number */

struct line {
	bool enabled, pending, active;	/* in the distributor */
	bool due;			/* raised, and the guest has not begun with it */
	uint8_t priority;
};

struct model {
	struct line line[LINES];
	struct lr_set set;
	uint64_t waiting[LR_WAITING_WORDS];
	bool wait, npie;		/* ICH_HCR_EL2 as of the last arranging */
	bool all_begun;			/* ... and the guest was at work on every register */
	unsigned running[LINES];	/* what the guest is at work on, the innermost last */
	unsigned depth;
	unsigned taken, maintenance;
	uint64_t seed;
};

static uint32_t virtual_of(unsigned intid)
{
	return intid < 32 ? intid : intid + VIRTUAL;
}

static uint64_t entry_of(void *context, unsigned intid)
{
	const struct model *m = context;
	uint64_t entry = LR_PENDING | LR_GROUP1 | FIELD_PUT(LR_PRIORITY, m->line[intid].priority) | virtual_of(intid);

	return intid < LR_SGI_END ? entry : entry | LR_HW | FIELD_PUT(LR_PINTID, intid);
}

static unsigned state_of(void *context, unsigned intid)
{
	const struct line *line = &((struct model *)context)->line[intid];

	return (line->enabled ? LR_LINE_ENABLED : 0) | (line->active ? LR_LINE_ACTIVE : 0);
}

static void give_back(void *context, unsigned intid)
{
	struct line *line = &((struct model *)context)->line[intid];

	line->pending = true;
	line->active = false;
}

static struct lr_lines lines_of(struct model *m)
{
	return (struct lr_lines){ m, entry_of, state_of, give_back };
}

static void init(struct model *m, unsigned count, uint64_t seed)
{
	*m = (struct model){ .set = { .count = count }, .seed = seed };
	m->set.waiting = m->waiting;
	for (unsigned i = 0; i < LINES; i++) {
		m->line[i].enabled = true;
		m->line[i].priority = (uint8_t)(16 * (1 + test_below(&m->seed, 15)));
	}
}

static unsigned in_use(const struct model *m)
{
	unsigned used = 0;

	for (unsigned n = 0; n < m->set.count; n++)
		used += (m->set.lr[n] & LR_STATE) != 0;
	return used;
}

/* The architecture's rules for list registers, and ours. */
static void check_registers(const struct model *m)
{
	for (unsigned n = 0; n < m->set.count; n++) {
		uint64_t lr = m->set.lr[n];

		if (!(lr & LR_STATE))
			continue;
		assert_true((lr & LR_STATE) != LR_STATE || !(lr & LR_HW));
		assert_int_equal(FIELD_GET(LR_VINTID, lr), virtual_of(lr_intid(lr)));
		for (unsigned k = n + 1; k < m->set.count; k++)
			assert_true(!(m->set.lr[k] & LR_STATE) || lr_intid(m->set.lr[k]) != lr_intid(lr));
		for (unsigned i = 0; i < LINES; i++)
			if (lr_only_pending(lr) && bit_test(m->waiting, i))
				assert_true(FIELD_GET(LR_PRIORITY, lr) <= m->line[i].priority);
	}
}

static bool maintenance_pending(const struct model *m)
{
	return m->wait && (in_use(m) <= 1 || (m->npie && !lr_has_pending(&m->set)));
}

static void arrange(struct model *m)
{
	const struct lr_lines lines = lines_of(m);

	m->wait = lr_arrange(&m->set, &lines);
	m->npie = m->wait && lr_has_pending(&m->set);
	m->all_begun = m->wait;
	for (unsigned n = 0; n < m->set.count; n++)
		m->all_begun &= (m->set.lr[n] & LR_ACTIVE) != 0;
	check_registers(m);
	/* else the guest would get no further */
	assert_false(maintenance_pending(m));
}

/* What comes to EL2 before the guest's next instruction. */
static void take_all(struct model *m)
{
	for (unsigned i = 0; i < LINES; i++) {
		struct line *line = &m->line[i];

		if (!line->enabled || !line->pending || line->active)
			continue;
		line->pending = false;
		line->active = i >= LR_SGI_END;
		bit_set(m->waiting, i);
		arrange(m);
	}
	if (maintenance_pending(m)) {
		m->maintenance++;
		arrange(m);
	}
}

static void raise_line(struct model *m, unsigned intid)
{
	m->line[intid].pending = true;
	m->line[intid].due = true;
	take_all(m);
}

static unsigned running_priority(const struct model *m)
{
	return m->depth ? m->line[m->running[m->depth - 1]].priority : 0xff;
}

/* Nothing that is due and would come on a GIC of the usual kind is more urgent than `priority`. */
static void check_most_urgent(const struct model *m, unsigned priority)
{
	for (unsigned i = 0; i < LINES; i++) {
		bool at_work = false;

		for (unsigned k = 0; k < m->depth; k++)
			at_work |= m->running[k] == i;
		if (m->line[i].due && m->line[i].enabled && !at_work && m->line[i].priority < priority)
			fail_msg("%u of priority 0x%x is passed over for 0x%x", i, m->line[i].priority, priority);
	}
}

/* The guest acknowledges; false: there is nothing for it. */
static bool guest_takes(struct model *m)
{
	unsigned best = LR_MAX;
	uint64_t least = running_priority(m);

	for (unsigned n = 0; n < m->set.count; n++) {
		if (lr_only_pending(m->set.lr[n]) && FIELD_GET(LR_PRIORITY, m->set.lr[n]) < least) {
			least = FIELD_GET(LR_PRIORITY, m->set.lr[n]);
			best = n;
		}
	}
	/* with all registers begun with a more urgent one has to wait for the next that ends */
	if (!m->all_begun)
		check_most_urgent(m, (unsigned)least);
	if (best == LR_MAX)
		return false;
	m->set.lr[best] = (m->set.lr[best] & ~LR_PENDING) | LR_ACTIVE;
	m->running[m->depth] = lr_intid(m->set.lr[best]);
	assert_true(m->line[m->running[m->depth]].due);
	assert_true(m->line[m->running[m->depth]].enabled);
	/* an edge that came since EL2 acknowledged the first is pending in the distributor: it is a second one */
	m->line[m->running[m->depth]].due = m->line[m->running[m->depth]].pending;
	m->depth++;
	m->taken++;
	take_all(m);
	return true;
}

static void guest_ends(struct model *m)
{
	unsigned intid = m->running[--m->depth];

	for (unsigned n = 0; n < m->set.count; n++) {
		uint64_t lr = m->set.lr[n];

		if (!(lr & LR_ACTIVE) || lr_intid(lr) != intid)
			continue;
		if (lr & LR_HW)
			m->line[intid].active = false;
		m->set.lr[n] = lr & LR_PENDING ? lr & ~LR_ACTIVE : 0;
	}
	take_all(m);
}

static void review(struct model *m)
{
	const struct lr_lines lines = lines_of(m);

	lr_review(&m->set, &lines);
	arrange(m);
	take_all(m);
}

static void drain(struct model *m)
{
	for (unsigned i = 0; i < LINES; i++)
		m->line[i].enabled = true;
	review(m);
	while (guest_takes(m) || m->depth)
		if (m->depth && !guest_takes(m))
			guest_ends(m);
	assert_int_equal(in_use(m), 0);
	for (unsigned i = 0; i < LINES; i++) {
		assert_false(m->line[i].due);
		assert_false(m->line[i].active);
		assert_false(bit_test(m->waiting, i));
	}
}

static void random_step(struct model *m)
{
	unsigned intid = test_below(&m->seed, LINES);

	switch (test_below(&m->seed, 10)) {
	case 0:
	case 1:
	case 2:
	case 3:
		raise_line(m, intid);
		break;
	case 4:
	case 5:
	case 6:
		(void)guest_takes(m);
		break;
	case 7:
		if (m->depth)
			guest_ends(m);
		break;
	case 8:
		m->line[intid].enabled = !m->line[intid].enabled;
		review(m);
		break;
	default:
		/* GICR_ICACTIVER0, GICD_ICACTIVER: an SGI is not active there */
		m->line[intid].active = false;
		review(m);
		break;
	}
}

static void test_whatever_comes(void **state)
{
	struct model m;
	unsigned taken = 0, maintenance = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 400; seed++) {
		init(&m, 2 + (unsigned)(seed % 5), seed);
		for (unsigned i = 0; i < 400; i++)
			random_step(&m);
		drain(&m);
		taken += m.taken;
		maintenance += m.maintenance;
	}
	/* it was worth the name */
	assert_true(taken > 400 * 30);
	assert_true(maintenance > 400);
}

static void test_each_once(void **state)
{
	struct model m;

	(void)state;
	init(&m, 4, 7);
	for (unsigned i = 0; i < LINES; i++)
		raise_line(&m, LINES - 1 - i);
	assert_int_equal(in_use(&m), 4);
	drain(&m);
	assert_int_equal(m.taken, LINES);
}

static void test_swapped_out(void **state)
{
	struct model m;

	(void)state;
	init(&m, 2, 1);
	m.line[40].priority = 0x80;
	m.line[41].priority = 0xa0;
	m.line[42].priority = 0x40;
	raise_line(&m, 40);
	raise_line(&m, 41);
	assert_false(m.wait);
	raise_line(&m, 42);
	assert_true(m.wait);
	assert_true(bit_test(m.waiting, 41));
	/* still active in the distributor: it cannot be taken a second time */
	assert_true(m.line[41].active);
	/* one the guest has begun with stays, however urgent the other is */
	assert_true(guest_takes(&m));
	assert_int_equal(m.running[0], 42);
	m.line[43].priority = 0x10;
	raise_line(&m, 43);
	assert_true(bit_test(m.waiting, 40) && bit_test(m.waiting, 41));
	assert_true(guest_takes(&m));
	assert_int_equal(m.running[1], 43);
	drain(&m);
	assert_int_equal(m.taken, 4);
}

static void test_equal_stays(void **state)
{
	struct model m;

	(void)state;
	init(&m, 2, 1);
	m.line[40].priority = m.line[41].priority = m.line[42].priority = 0x80;
	raise_line(&m, 41);
	raise_line(&m, 42);
	raise_line(&m, 40);
	assert_true(bit_test(m.waiting, 40));
}

static void test_sgi_merges(void **state)
{
	struct model m;

	(void)state;
	init(&m, 4, 1);
	raise_line(&m, 3);
	raise_line(&m, 3);
	assert_int_equal(in_use(&m), 1);
	assert_true(guest_takes(&m));
	raise_line(&m, 3);
	assert_int_equal(in_use(&m), 1);
	assert_int_equal(m.set.lr[0] & LR_STATE, LR_STATE);
	/* not while it is at work on it */
	assert_false(guest_takes(&m));
	guest_ends(&m);
	assert_true(guest_takes(&m));
	guest_ends(&m);
	assert_int_equal(m.taken, 2);
	assert_int_equal(in_use(&m), 0);
}

static void test_masked_in_register(void **state)
{
	static const unsigned intids[] = { 2, 20, 40 };
	struct model m;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(intids); i++) {
		init(&m, 4, 1);
		raise_line(&m, intids[i]);
		m.line[intids[i]].enabled = false;
		review(&m);
		assert_int_equal(in_use(&m), 0);
		assert_true(m.line[intids[i]].pending);
		assert_false(m.line[intids[i]].active);
		m.line[intids[i]].enabled = true;
		take_all(&m);
		assert_true(guest_takes(&m));
		/* one it is at work on is not touched by masking it */
		m.line[intids[i]].enabled = false;
		review(&m);
		assert_int_equal(in_use(&m), 1);
		guest_ends(&m);
		assert_int_equal(m.taken, 1);
		assert_false(m.line[intids[i]].active);
	}
}

static void test_masked_while_waiting(void **state)
{
	struct model m;

	(void)state;
	init(&m, 2, 1);
	for (unsigned i = 0; i < 4; i++)
		m.line[40 + i].priority = 0x80;
	for (unsigned i = 0; i < 4; i++)
		raise_line(&m, 40 + i);
	assert_true(bit_test(m.waiting, 43));
	m.line[43].enabled = false;
	review(&m);
	assert_false(bit_test(m.waiting, 43));
	assert_true(m.line[43].pending);
	assert_false(m.line[43].active);
	drain(&m);
	assert_int_equal(m.taken, 4);
}

static void test_deactivated_behind_it(void **state)
{
	struct model m;

	(void)state;
	init(&m, 4, 1);
	raise_line(&m, 40);
	m.line[40].active = false;
	review(&m);
	/* it comes back, and is still one */
	assert_int_equal(in_use(&m), 1);
	assert_true(m.line[40].active);
	assert_true(guest_takes(&m));
	m.line[40].active = false;
	review(&m);
	assert_int_equal(in_use(&m), 0);
	assert_false(m.line[40].pending);
	guest_ends(&m);
	assert_int_equal(m.taken, 1);
}

/* Made inactive from another CPU, behind whose write nothing here is reviewed, it comes again. */
static void test_deactivated_elsewhere(void **state)
{
	struct model m;

	(void)state;
	init(&m, 4, 1);
	raise_line(&m, 40);
	assert_true(guest_takes(&m));
	m.line[40].active = false;
	raise_line(&m, 40);
	assert_int_equal(in_use(&m), 1);
	assert_false(bit_test(m.waiting, 40));
	guest_ends(&m);
	assert_true(guest_takes(&m));
	guest_ends(&m);
	assert_int_equal(m.taken, 2);
	drain(&m);
}

static void test_changed_bits(void **state)
{
	struct model m;

	(void)state;
	init(&m, 4, 1);
	raise_line(&m, 40);
	assert_int_equal(m.set.changed, 1);
	m.set.changed = 0;
	raise_line(&m, 41);
	assert_int_equal(m.set.changed, 2);
	m.set.changed = 0;
	review(&m);
	assert_int_equal(m.set.changed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_once),
		cmocka_unit_test(test_swapped_out),
		cmocka_unit_test(test_equal_stays),
		cmocka_unit_test(test_sgi_merges),
		cmocka_unit_test(test_masked_in_register),
		cmocka_unit_test(test_masked_while_waiting),
		cmocka_unit_test(test_deactivated_behind_it),
		cmocka_unit_test(test_deactivated_elsewhere),
		cmocka_unit_test(test_changed_bits),
		cmocka_unit_test(test_whatever_comes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
