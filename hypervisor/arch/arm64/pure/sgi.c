// SPDX-License-Identifier: GPL-2.0-only
#include "arch/arm64/pure/gic.h"

#include "base/bits.h"

/* IHI0069H 12.2, ICC_SGI1R_EL1 */
#define SGI1R_AFF3 BITS(55, 48)
#define SGI1R_RS BITS(47, 44)
#define SGI1R_IRM BIT(40)
#define SGI1R_AFF2 BITS(39, 32)
#define SGI1R_INTID BITS(27, 24)
#define SGI1R_AFF1 BITS(23, 16)
#define SGI1R_TARGETS BITS(15, 0)
#define SGI1R_GROUP (SGI1R_AFF3 | SGI1R_RS | SGI1R_AFF2 | SGI1R_AFF1)

#define MPIDR_AFF3 BITS(39, 32)
#define MPIDR_AFF2 BITS(23, 16)
#define MPIDR_AFF1 BITS(15, 8)
#define MPIDR_AFF0_RANGE BITS(7, 4)
#define MPIDR_AFF0_TARGET BITS(3, 0)

/* The 16 CPUs one write can name that `affinity` is among: SGI1R_GROUP's fields. */
static uint64_t group_of(uint64_t affinity)
{
	return FIELD_PUT(SGI1R_AFF3, FIELD_GET(MPIDR_AFF3, affinity)) |
	       FIELD_PUT(SGI1R_AFF2, FIELD_GET(MPIDR_AFF2, affinity)) |
	       FIELD_PUT(SGI1R_AFF1, FIELD_GET(MPIDR_AFF1, affinity)) |
	       FIELD_PUT(SGI1R_RS, FIELD_GET(MPIDR_AFF0_RANGE, affinity));
}

static uint64_t target_of(uint64_t affinity)
{
	return BIT(FIELD_GET(MPIDR_AFF0_TARGET, affinity));
}

/* The CPUs of the list that are in the group, as a target list. */
static uint64_t targets_in(uint64_t group, const uint64_t *affinities, unsigned count)
{
	uint64_t targets = 0;

	for (unsigned i = 0; i < count; i++)
		if (affinities[i] != GIC_NO_CPU && group_of(affinities[i]) == group)
			targets |= target_of(affinities[i]);
	return targets;
}

uint64_t gic_sgi_row(unsigned row, const uint64_t *affinities, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (affinities[i] != GIC_NO_CPU && gic_sgi_row_of(affinities[i]) == row)
			return group_of(affinities[i]) |
			       targets_in(group_of(affinities[i]), affinities + i, count - i);
	return 0;
}

void gic_sgi_filter(uint64_t written, const struct gicd_view *view, uint64_t self,
		    void (*send)(void *context, uint64_t icc_sgi1r), void *context)
{
	unsigned n = 0;

	if (FIELD_GET(SGI1R_INTID, written) == GIC_SGI_MANAGEMENT)
		return;
	for (unsigned i = 0; i < view->affinity_count; i++) {
		uint64_t affinity = view->affinities[i], seen;
		bool named;

		if (affinity == GIC_NO_CPU)
			continue;
		seen = view->counted ? gic_counted(n++) : affinity;
		named = group_of(seen) == (written & SGI1R_GROUP) && (target_of(seen) & written);
		if (written & SGI1R_IRM ? affinity != self : named)
			send(context, (written & SGI1R_INTID) | group_of(affinity) | target_of(affinity));
	}
}
