/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the first CPU's registers held as the program was entered: taken by the start code
 * before it uses any of them. Only FAR_EL1 is lost: it keeps x0 until there is an address.
 */
#ifndef INMATE_ARM64_SNAPSHOT_H
#define INMATE_ARM64_SNAPSHOT_H

/* System registers that the start code changes, and those that it may not leak. */
#define SNAPSHOT_SYSREGS(X) \
	X(sp_el0) X(tpidr_el0) X(tpidrro_el0) X(tpidr_el1) X(vbar_el1) X(ttbr0_el1) \
	X(ttbr1_el1) X(tcr_el1) X(mair_el1) X(sctlr_el1) X(cpacr_el1) X(contextidr_el1) \
	X(cntkctl_el1) X(cntv_ctl_el0) X(elr_el1) X(spsr_el1) X(esr_el1) X(daif)
/* Readable once CPACR_EL1 lets them. */
#define SNAPSHOT_FP_SYSREGS(X) X(fpcr) X(fpsr)

#define SNAPSHOT_SYSREG_COUNT 20
#define SNAPSHOT_SP 248
#define SNAPSHOT_SYSREG 256
#define SNAPSHOT_Q (SNAPSHOT_SYSREG + 8 * SNAPSHOT_SYSREG_COUNT)
#define SNAPSHOT_SVE (SNAPSHOT_Q + 512)
#define SNAPSHOT_Z (SNAPSHOT_SVE + 16)
#define SNAPSHOT_P (SNAPSHOT_Z + 256)

#ifndef __ASSEMBLER__
#include <stddef.h>
#include <stdint.h>

struct snapshot {
	uint64_t x[31];
	uint64_t sp;				/* SP_EL1 */
	uint64_t sysregs[SNAPSHOT_SYSREG_COUNT];
	uint64_t q[32][2];
	uint64_t sve;				/* bytes in a Z register; 0 without SVE */
	uint64_t pad;
	uint64_t z[32];				/* all Z registers ORed into one */
	uint8_t p[16][32];
};

_Static_assert(offsetof(struct snapshot, sp) == SNAPSHOT_SP, "start.S");
_Static_assert(offsetof(struct snapshot, sysregs) == SNAPSHOT_SYSREG, "start.S");
_Static_assert(offsetof(struct snapshot, q) == SNAPSHOT_Q, "start.S");
_Static_assert(offsetof(struct snapshot, sve) == SNAPSHOT_SVE, "start.S");
_Static_assert(offsetof(struct snapshot, z) == SNAPSHOT_Z, "start.S");
_Static_assert(offsetof(struct snapshot, p) == SNAPSHOT_P, "start.S");

extern const struct snapshot image_snapshot;
#endif

#endif
