/* SPDX-License-Identifier: GPL-2.0-only */
/* A fair spinlock (tickets). Held for short, bounded work only; never while waiting for another CPU's guest. */
#ifndef BASE_LOCK_H
#define BASE_LOCK_H

#include "base/types.h"

struct lock {
	uint32_t next;
	uint32_t serving;
};

void lock_take(struct lock *lock);
void lock_drop(struct lock *lock);

#endif
