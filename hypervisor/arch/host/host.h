/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The machine that tests run on: the architecture's contract kept by a model that is
 * as unkind as hardware may be. Its CPUs keep every translation, and every table they
 * walked through, until a flush covers the whole of it.
 *
 * What the model finds wrong it writes down once, as a sentence: host_complaint().
 */
#ifndef ARCH_HOST_HOST_H
#define ARCH_HOST_HOST_H

#include <setjmp.h>
#include "core/paging.h"

#define HOST_CPUS 4

/* Forgets all caches, complaints, counts and the step function. */
void host_reset(void);

/* The first thing found wrong since host_reset(), or "". */
const char *host_complaint(void);
/* Says what is wrong; only the first is kept. Any CPU. */
void host_complain(const char *format, ...) PRINTF_LIKE(1, 2);

/* Flushes since host_reset(), by range or whole. */
unsigned host_flushes(void);

/*
 * `step` runs before every store of an entry and before and after every flush: the
 * moments in which other CPUs may walk. It may call host_walk*, and change nothing.
 */
void host_on_step(void (*step)(void *arg), void *arg);

/*
 * What CPU `cpu` finds for `from`: from its caches as far as they reach, else from the
 * tables, filling the caches. ERR_NOT_FOUND: it faults. The tables are those of space
 * p->tag or, for the second, the hypervisor's own.
 */
MUST_CHECK err_t host_walk(const struct paging *p, unsigned cpu, uint64_t from,
			   struct translation *out);
MUST_CHECK err_t host_walk_hypervisor(const struct paging *p, unsigned cpu, uint64_t from,
				      struct translation *out);

/* How many entries of space `tag` all CPUs together still hold. */
unsigned host_tlb_holds(uint16_t tag);

/*
 * paging_format.write of the host, for its own formats and for others'. Takes bit 0 for
 * "present". Complains when an entry walkers may hold gets another valid value.
 */
void host_write(uint64_t *entry, uint64_t value);

/* struct paging.flush by p->tag, and by the hypervisor's own. */
void host_flush_space(const struct paging *p, struct span range);
void host_flush_hypervisor(const struct paging *p, struct span range);

/* 3 levels of 4 entries: 64 pages, blocks of 1, 4 and 16. */
extern const struct paging_format host_format_small;
/* 3 levels, the root two tables as one: 1 TiB, blocks of 4 KiB, 2 MiB, 1 GiB. */
extern const struct paging_format host_format_wide;

/*
 * bug() comes back here instead of ending the program. Returns where to setjmp; disarm
 * returns what bug() said since, or NULL.
 */
jmp_buf *host_bug_arm(void);
const char *host_bug_disarm(void);

/* In a cmocka test: `statement` must run into a BUG. */
#define EXPECT_BUG(statement)                                  \
	do {                                                   \
		if (setjmp(*host_bug_arm()) == 0) {            \
			statement;                             \
		}                                              \
		if (!host_bug_disarm())                        \
			fail_msg("no BUG in: %s", #statement); \
	} while (0)

#endif
