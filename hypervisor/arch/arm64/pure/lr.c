// SPDX-License-Identifier: GPL-2.0-only
#include "arch/arm64/pure/lr.h"

static void put(struct lr_set *set, unsigned n, uint64_t lr)
{
	set->lr[n] = lr;
	set->changed |= 1u << n;
}

/*
 * What waits and is in a register too: never two hold the same interrupt. A linked one cannot be
 * pending and active (IHI0069H 12.4, ICH_LR<n>_EL2.State). It came again, so the guest has made it
 * inactive, on another CPU: what is in the register is over.
 */
static void merge(struct lr_set *set, const struct lr_lines *lines)
{
	unsigned n;

	for (n = 0; n < set->count; n++) {
		uint64_t lr = set->lr[n];

		if (!(lr & LR_STATE) || !bit_test(set->waiting, lr_intid(lr)))
			continue;
		bit_clear(set->waiting, lr_intid(lr));
		if (lr & LR_HW)
			put(set, n, lines->entry(lines->context, lr_intid(lr)));
		else if (!(lr & LR_PENDING))
			put(set, n, lr | LR_PENDING);
	}
}

static uint64_t priority_of(uint64_t lr)
{
	return FIELD_GET(LR_PRIORITY, lr);
}

/* Of those that wait; 0 if none does. */
static uint64_t most_urgent(const struct lr_set *set, const struct lr_lines *lines)
{
	uint64_t best = 0;
	unsigned word;

	for (word = 0; word < LR_WAITING_WORDS; word++) {
		uint64_t left;

		for (left = set->waiting[word]; left != 0; left &= left - 1) {
			unsigned intid = word * 64 + (unsigned)__builtin_ctzll(left);
			uint64_t entry = lines->entry(lines->context, intid);

			if (best == 0 || priority_of(entry) < priority_of(best))
				best = entry;
		}
	}
	return best;
}

/* An empty register, or the one whose interrupt can wait the longest and is less urgent; or `count`. */
static unsigned room_for(const struct lr_set *set, uint64_t entry)
{
	unsigned found = set->count;
	uint64_t least = priority_of(entry);
	unsigned n;

	for (n = 0; n < set->count; n++) {
		if (!(set->lr[n] & LR_STATE))
			return n;
		if (lr_only_pending(set->lr[n]) && priority_of(set->lr[n]) > least) {
			least = priority_of(set->lr[n]);
			found = n;
		}
	}
	return found;
}

bool lr_arrange(struct lr_set *set, const struct lr_lines *lines)
{
	merge(set, lines);
	for (;;) {
		uint64_t entry = most_urgent(set, lines);
		unsigned n;

		if (entry == 0)
			return false;
		n = room_for(set, entry);
		if (n == set->count)
			return true;
		if (set->lr[n] & LR_STATE)
			bit_set(set->waiting, lr_intid(set->lr[n]));
		bit_clear(set->waiting, lr_intid(entry));
		put(set, n, entry);
	}
}

bool lr_has_pending(const struct lr_set *set)
{
	unsigned n;

	for (n = 0; n < set->count; n++)
		if (lr_only_pending(set->lr[n]))
			return true;
	return false;
}

/* Is it still as it was handed on: switched on, and, if it is linked, active? */
static bool holds(const struct lr_lines *lines, unsigned intid, bool enabled_only)
{
	unsigned state = lines->state(lines->context, intid);

	return ((state & LR_LINE_ENABLED) || !enabled_only) &&
	       ((state & LR_LINE_ACTIVE) || intid < LR_SGI_END);
}

static void review_register(struct lr_set *set, unsigned n, const struct lr_lines *lines)
{
	uint64_t lr = set->lr[n];
	unsigned intid = lr_intid(lr);

	if (!(lr & LR_STATE) || holds(lines, intid, (lr & LR_PENDING) != 0))
		return;
	/* an SGI the guest is at work on stays so; a linked one that is active was made inactive */
	put(set, n, lr & LR_HW ? 0 : lr & ~LR_PENDING);
	if (lr & LR_PENDING)
		lines->give_back(lines->context, intid);
}

void lr_review(struct lr_set *set, const struct lr_lines *lines)
{
	unsigned n, word;

	for (n = 0; n < set->count; n++)
		review_register(set, n, lines);
	for (word = 0; word < LR_WAITING_WORDS; word++) {
		uint64_t left;

		for (left = set->waiting[word]; left != 0; left &= left - 1) {
			unsigned intid = word * 64 + (unsigned)__builtin_ctzll(left);

			if (holds(lines, intid, true))
				continue;
			bit_clear(set->waiting, intid);
			lines->give_back(lines->context, intid);
		}
	}
}
