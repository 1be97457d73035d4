/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who has to be interrupted so that nobody uses old translations, and who not. A CPU that is in
 * the hypervisor flushes before it enters its guest again; one that is in its guest is
 * interrupted, and waited for until it has left it once. So nobody waits for a CPU that waits.
 *
 *   CPU                                 whoever changed tables
 *   flush_enter(): runs becomes odd     tables written
 *   wanted? then flush                  flush_want(): wanted = true, runs read
 *   guest ...                           odd: NMI, and flush_done() until it has changed
 *   flush_exit(): runs becomes even
 */
#ifndef X86_PURE_FLUSH_H
#define X86_PURE_FLUSH_H

#include "base/types.h"

struct flush_cpu {
	uint32_t runs;		/* atomic; odd while in the guest */
	bool wanted;		/* atomic */
};

/* Just before the guest is entered, NMIs held back. True: flush first. */
static inline bool flush_enter(struct flush_cpu *cpu)
{
	/* pairs with the one in flush_want(): either it sees us in the guest or we see what it wants */
	__atomic_fetch_add(&cpu->runs, 1, __ATOMIC_SEQ_CST);
	if (!__atomic_load_n(&cpu->wanted, __ATOMIC_SEQ_CST))
		return false;
	__atomic_store_n(&cpu->wanted, false, __ATOMIC_SEQ_CST);
	return true;
}

/* First thing behind the guest. */
static inline void flush_exit(struct flush_cpu *cpu)
{
	__atomic_fetch_add(&cpu->runs, 1, __ATOMIC_SEQ_CST);
}

/* Any CPU, with the tables written. True: it is in its guest; kick it, and wait for flush_done(cpu, *run). */
static inline bool flush_want(struct flush_cpu *cpu, uint32_t *run)
{
	__atomic_store_n(&cpu->wanted, true, __ATOMIC_SEQ_CST);
	*run = __atomic_load_n(&cpu->runs, __ATOMIC_SEQ_CST);
	return (*run & 1) != 0;
}

static inline bool flush_done(const struct flush_cpu *cpu, uint32_t run)
{
	return __atomic_load_n(&cpu->runs, __ATOMIC_ACQUIRE) != run;
}

#endif
