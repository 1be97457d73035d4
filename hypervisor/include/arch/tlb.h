/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Forgetting translations. Each returns when no CPU can use an old one any more; any
 * CPU may call, with any lock held. A CPU that runs a guest of that space may be interrupted for
 * it, once; one that is in the hypervisor is not waited for. Forgotten with them are the tables walkers went
 * through on their way: a table page may be given back after it.
 */
#ifndef ARCH_TLB_H
#define ARCH_TLB_H

#include "base/addr.h"

/* Second-stage translations of `tag` (VMID/ASID), for guest-physical addresses in `range`. */
void arch_tlb_flush_space(uint16_t tag, struct span range);
/* ... for all guest-physical addresses, and what first-stage entries derived from them. */
void arch_tlb_flush_space_all(uint16_t tag);
/* The hypervisor's own translations of `range`. */
void arch_tlb_flush_hypervisor(struct span range);

#endif
