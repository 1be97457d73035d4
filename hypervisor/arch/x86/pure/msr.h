/* SPDX-License-Identifier: GPL-2.0-only */
/* Which model-specific registers a guest has, and how. */
#ifndef X86_PURE_MSR_H
#define X86_PURE_MSR_H

#include "base/types.h"

enum msr_policy {
	MSR_DENIED,		/* #GP, as where there is none */
	MSR_DIRECT,		/* no exit; what the CPU does not have is its #GP */
	MSR_READ_DIRECT,	/* ... reads; a write is #GP */
	MSR_READ_DROP,		/* ... reads; a write is done and changes nothing */
	MSR_READ_CHECK,		/* ... reads; writes are the handlers' */
	MSR_ZERO,		/* reads 0; a write is done and changes nothing */
	MSR_CHECK,		/* both are the handlers' */
};

/* The policy for `msr`, and the last register from there on that has it without a gap: *last >= msr. */
enum msr_policy msr_policy(uint32_t msr, bool root, uint32_t *last);

/* The registers that a bitmap of the virtualization extension covers; of all others every access exits. */
struct msr_window {
	uint32_t first, last;
};
#define MSR_WINDOWS 3
extern const struct msr_window msr_windows[MSR_WINDOWS];

/* XSS: the states a cell may have saved with its own. Processor trace is none: it writes to host-physical memory. */
#define MSR_XSS_CELL 0x1800ull

/* SYSCFG: what the root cell may change, the MTRRs' part. The rest is encryption of memory, the hypervisor's too. */
#define MSR_SYSCFG_ROOT 0x7c0000ull

/* Scalable machine check banks (AMD's PPR, MCA): outside the bitmaps, so the hypervisor executes it for the root cell. */
#define MSR_SMCA_FIRST 0xc0002000u
#define MSR_SMCA_LAST 0xc00023ffu

#endif
