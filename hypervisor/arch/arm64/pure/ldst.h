/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Loads and stores of A64's general registers, taken apart from the instruction word:
 * for an access to a mediated register whose data abort came without a syndrome
 * (ESR_EL2.ISS.ISV = 0: write-back addressing, pairs; DDI0487 C4.1 "Loads and stores").
 */
#ifndef ARM64_PURE_LDST_H
#define ARM64_PURE_LDST_H

#include "base/err.h"

struct ldst {
	bool write;
	bool pair;		/* reg, then reg2 at address + size */
	uint8_t size;		/* bytes of one register's access: 1, 2, 4, 8 */
	bool sign_extend;
	bool wide;		/* loads: destination is 64 bits (matters with sign_extend) */
	uint8_t reg;		/* 31 is XZR */
	uint8_t reg2;
	uint8_t base;		/* 31 is SP */
	bool write_back;	/* base += offset once all of it is done */
	int64_t offset;		/* of the write-back; else 0 */
};

/*
 * LDR/STR (immediate pre-/post-index and unsigned offset, unscaled, unprivileged, register
 * offset), LDP/STP/LDNP/STNP/LDPSW, LDAR/STLR and their byte and half forms. Atomics,
 * exclusives, SIMD&FP, prefetches and literal loads: ERR_UNSUPPORTED. Encodings where
 * write-back and a transfer register are the same are CONSTRAINED UNPREDICTABLE: ERR_UNSUPPORTED too.
 */
MUST_CHECK err_t ldst_decode(uint32_t instruction, struct ldst *out);

#endif
