/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The two table formats: what cells' memory is translated with (AMD's nested tables), and the
 * hypervisor's own. Both are those of 64-bit mode with 4 levels, EFER.NXE on (APM 2, 5.3).
 *
 * A leaf can always be read: one without MAP_READ is a BUG, and so is an address of more than 52 bits.
 */
#ifndef X86_PURE_FORMAT_H
#define X86_PURE_FORMAT_H

#include "arch/paging.h"
#include "base/err.h"

/*
 * Guest-physical addresses as wide as physical ones, which are `phys_bits` (CPUID 8000_0008
 * EAX[7:0]), 48 at most. ERR_UNSUPPORTED: not a width there is; nothing written.
 */
MUST_CHECK err_t npt_format(unsigned phys_bits, struct paging_format *out);

/*
 * The low 48 bits of canonical addresses. Nothing is writable and executable, and no device
 * executable: a BUG. Not global: a new CR3 is a new view.
 */
extern const struct paging_format host_paging;

#endif
