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
#define SGI1R_GROUP (SGI1R_AFF3 | SGI1R_RS | SGI1R_AFF2 | SGI1R_AFF1)

#define MPIDR_AFF3 BITS(39, 32)
#define MPIDR_AFF2 BITS(23, 16)
#define MPIDR_AFF1 BITS(15, 8)
#define MPIDR_AFF0_RANGE BITS(7, 4)
#define MPIDR_AFF0_TARGET BITS(3, 0)

uint64_t gic_sgir_of(uint64_t affinity)
{
	return FIELD_PUT(SGI1R_AFF3, FIELD_GET(MPIDR_AFF3, affinity)) |
	       FIELD_PUT(SGI1R_AFF2, FIELD_GET(MPIDR_AFF2, affinity)) |
	       FIELD_PUT(SGI1R_AFF1, FIELD_GET(MPIDR_AFF1, affinity)) |
	       FIELD_PUT(SGI1R_RS, FIELD_GET(MPIDR_AFF0_RANGE, affinity)) |
	       BIT(FIELD_GET(MPIDR_AFF0_TARGET, affinity));
}

uint64_t gic_sgi_row(unsigned row, const uint64_t *affinities, unsigned count)
{
	uint64_t word = 0;

	for (unsigned i = 0; i < count; i++) {
		uint64_t own = gic_sgir_of(affinities[i]);

		if (affinities[i] != GIC_NO_CPU && gic_sgi_row_of(affinities[i]) == row &&
		    (word == 0 || ((own ^ word) & SGI1R_GROUP) == 0))
			word |= own;
	}
	return word;
}

void gic_sgi_filter(uint64_t written, const struct gicd_view *view, uint64_t self,
		    void (*send)(void *context, uint64_t icc_sgi1r), void *context)
{
	bool all = (written & SGI1R_IRM) != 0;
	unsigned n = 0;

	if (FIELD_GET(SGI1R_INTID, written) == GIC_SGI_MANAGEMENT)
		return;
	for (unsigned i = 0; i < view->affinity_count; i++) {
		uint64_t affinity = view->affinities[i], seen, to;

		if (affinity == GIC_NO_CPU)
			continue;
		seen = view->counted ? gic_counted(n++) : affinity;
		/* most are not meant, and most of them told by this */
		if (all ? affinity == self : !(written >> FIELD_GET(MPIDR_AFF0_TARGET, seen) & 1))
			continue;
		to = gic_sgir_of(affinity);
		if (all || (((seen == affinity ? to : gic_sgir_of(seen)) ^ written) & SGI1R_GROUP) == 0)
			send(context, (written & SGI1R_INTID) | to);
	}
}
