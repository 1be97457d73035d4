/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CORE_HYPERCALL_H
#define CORE_HYPERCALL_H

#include "core/system.h"

/* One of abi/hypercall.h's calls by the guest on this CPU. DISABLE does not return when it is granted. */
long hypercall(struct cpu *self, uint64_t number, uint64_t a, uint64_t b);

#endif
