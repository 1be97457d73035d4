/* SPDX-License-Identifier: GPL-2.0-only */
/* What CPUID says in a guest. */
#ifndef X86_PURE_CPUID_H
#define X86_PURE_CPUID_H

#include "base/types.h"

#define CPUID_HYPERVISOR 0x40000000u

struct cpuid_answer {
	uint32_t eax, ebx, ecx, edx;
};

/* Does the answer depend on the guest's CR4? */
bool cpuid_wants_cr4(uint32_t leaf);

/* Makes of the hardware's answer, given with the hypervisor's CR4, the guest's. */
void cpuid_filter(uint32_t leaf, uint32_t subleaf, bool root, uint64_t cr4, struct cpuid_answer *a);

#endif
