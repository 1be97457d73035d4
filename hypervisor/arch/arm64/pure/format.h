/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The two table formats of EL2, VMSAv8-64 with the 4 KiB granule: what cells' memory is
 * translated with (stage 2), and the hypervisor's own (EL2 stage 1). Pure: `write` of
 * the format is left NULL, and the caller fills it in.
 *
 * `parange` is ID_AA64MMFR0_EL1.PARange. More than 48 bits are served as 48: leaves lie
 * below FORMAT_OUTPUT_END, and to name a higher address is a BUG.
 */
#ifndef ARCH_ARM64_PURE_FORMAT_H
#define ARCH_ARM64_PURE_FORMAT_H

#include "arch/paging.h"
#include "base/bits.h"
#include "base/err.h"

#define FORMAT_OUTPUT_END BIT(48)

/* MAIR_EL2 (DDI0487 D24.2): attribute 0 normal write-back, 1 device-nGnRE. */
#define STAGE1_MAIR 0x04ffull

/*
 * Input addresses as wide as physical ones, 48 bits at most, and the VTCR_EL2 that goes
 * with the format (8-bit VMID). ERR_UNSUPPORTED: a reserved PARange; nothing written.
 */
MUST_CHECK err_t stage2_format(unsigned parange, struct paging_format *out, uint64_t *vtcr);

/* 48-bit input. A leaf is readable always; MAP_WRITE and MAP_EXEC together are a BUG. */
void stage1_format(struct paging_format *out);

/* TCR_EL2 for stage1_format (HCR_EL2.E2H = 0). */
uint64_t stage1_tcr(unsigned parange);

#endif
