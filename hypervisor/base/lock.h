/* SPDX-License-Identifier: GPL-2.0-only */
/* A fair spinlock (tickets). Held for short, bounded work only; never while waiting for another CPU's guest. */
#ifndef BASE_LOCK_H
#define BASE_LOCK_H

#include "base/types.h"

struct lock {
	uint32_t next;
	uint32_t serving;
};

static inline void lock_take(struct lock *lock)
{
	uint32_t ticket = __atomic_fetch_add(&lock->next, 1, __ATOMIC_RELAXED);

	/* pairs with the release in lock_drop() */
	while (__atomic_load_n(&lock->serving, __ATOMIC_ACQUIRE) != ticket)
		;
}

/* Takes it if nobody has it or waits for it. */
static inline MUST_CHECK bool lock_try(struct lock *lock)
{
	uint32_t ticket = __atomic_load_n(&lock->serving, __ATOMIC_RELAXED);

	/* pairs with the release in lock_drop(): a free lock has next == serving */
	return __atomic_compare_exchange_n(&lock->next, &ticket, ticket + 1, false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static inline void lock_drop(struct lock *lock)
{
	/* only the holder writes serving; pairs with the acquires above */
	__atomic_store_n(&lock->serving, lock->serving + 1, __ATOMIC_RELEASE);
}

#endif
