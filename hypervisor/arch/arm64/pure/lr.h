/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The list registers of one CPU, in which an injected cell finds its interrupts (IHI0069H
 * 11.2, 12.4), and those that wait for a free one. Pure: it works on copies of the registers.
 *
 *   acknowledged at EL2 --> waiting --arrange--> list register --> the guest acknowledges,
 *                              ^                      |            deactivates: empty
 *                              +---- swapped out, ----+
 *                              |     given back       |
 *                              +---> distributor <----+
 *
 * An interrupt is named by the machine's INTID. SPIs and PPIs are linked to the machine's own
 * (HW): active there from the acknowledge on, until the guest deactivates them. SGIs are not.
 */
#ifndef ARM64_PURE_LR_H
#define ARM64_PURE_LR_H

#include "base/bits.h"

#define LR_ACTIVE BIT(63)
#define LR_PENDING BIT(62)
#define LR_STATE (LR_ACTIVE | LR_PENDING)
#define LR_HW BIT(61)
#define LR_GROUP1 BIT(60)
#define LR_PRIORITY BITS(55, 48)
#define LR_PINTID BITS(44, 32)
#define LR_VINTID BITS(31, 0)

/* used, where there are more: what waits is looked after anyway */
#define LR_MAX 8u
#define LR_SGI_END 16u
#define LR_WAITING_WORDS 16u

struct lr_set {
	uint64_t lr[LR_MAX];	/* ICH_LR<n>_EL2; state 0: empty */
	unsigned count;		/* in use, at least 2 */
	uint32_t changed;	/* bit n: lr[n] has another value than the register */
	uint64_t *waiting;	/* LR_WAITING_WORDS; bit n: INTID n */
};

#define LR_LINE_ENABLED 1u
#define LR_LINE_ACTIVE 2u

/* What is asked of the machine's GIC. */
struct lr_lines {
	void *context;
	/* The list register with which that interrupt is handed on: pending, of its priority as it is now. */
	uint64_t (*entry)(void *context, unsigned intid);
	/* LR_LINE_* */
	unsigned (*state)(void *context, unsigned intid);
	/* It is the distributor's again: pending there, no longer active. */
	void (*give_back)(void *context, unsigned intid);
};

static inline unsigned lr_intid(uint64_t lr)
{
	return (unsigned)(lr & LR_HW ? FIELD_GET(LR_PINTID, lr) : FIELD_GET(LR_VINTID, lr));
}

/* Has the guest not begun with it? */
static inline bool lr_only_pending(uint64_t lr)
{
	return (lr & LR_STATE) == LR_PENDING;
}

/*
 * As many of those that wait as there is room for: most urgent first, in an empty register
 * or that of a less urgent one the guest has not begun with, which waits then. An SGI that the
 * guest is at work on becomes pending besides. True: some wait for a register, and none is empty.
 */
bool lr_arrange(struct lr_set *set, const struct lr_lines *lines);

/* Is one of them pending, as ICH_MISR_EL2.NP means it: not active besides? */
bool lr_has_pending(const struct lr_set *set);

/*
 * After the guest wrote to its lines: what it has switched off since, or made inactive itself,
 * leaves its register and waits no longer.
 */
void lr_review(struct lr_set *set, const struct lr_lines *lines);

#endif
