// SPDX-License-Identifier: GPL-2.0-only
#include "base/lock.h"

/* Inlined in some sixty places they are a kilobyte */
#define NOT_INLINE __attribute__((noinline))

NOT_INLINE void lock_take(struct lock *lock)
{
	uint32_t ticket = __atomic_fetch_add(&lock->next, 1, __ATOMIC_RELAXED);

	/* pairs with the release in lock_drop() */
	while (__atomic_load_n(&lock->serving, __ATOMIC_ACQUIRE) != ticket)
		;
}

NOT_INLINE void lock_drop(struct lock *lock)
{
	/* only the holder writes serving; pairs with the acquire above */
	__atomic_store_n(&lock->serving, lock->serving + 1, __ATOMIC_RELEASE);
}
