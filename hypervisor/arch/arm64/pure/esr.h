/* SPDX-License-Identifier: GPL-2.0-only */
/* Why EL2 was entered synchronously: ESR_EL2 taken apart (DDI0487 D24.2.40), nothing else. */
#ifndef ARM64_PURE_ESR_H
#define ARM64_PURE_ESR_H

#include "base/addr.h"

enum exit_kind {
	EXIT_OTHER,		/* anything not below: reported, fails the cell */
	EXIT_WFX,
	EXIT_HVC64,
	EXIT_SMC64,
	EXIT_SYSREG,		/* trapped MSR, MRS or system instruction, EC 0x18 */
	EXIT_INSN_ABORT,	/* from a lower level */
	EXIT_DATA_ABORT,	/* from a lower level */
	EXIT_KINDS
};

enum fault {
	FAULT_TRANSLATION,
	FAULT_ACCESS_FLAG,
	FAULT_PERMISSION,
	FAULT_ADDRESS_SIZE,
	FAULT_EXTERNAL,		/* synchronous external abort, on the access or a walk */
	FAULT_OTHER,
	FAULT_KINDS
};

struct exit_abort {
	enum fault fault;
	uint8_t level;		/* of the translation table, where the fault has one */
	bool address_known;	/* false: FnV for an external abort, nothing can be said of far */
	bool far_only;		/* HPFAR_EL2 is UNKNOWN (permission fault not on a walk, external abort): */
				/* `address` is certain only once AT S1E1R has translated far */
	gpa_t address;		/* HPFAR_EL2.FIPA with FAR_EL2's page offset; of a walk the page alone */
	uint64_t far;		/* guest-virtual */
	bool write;		/* WnR; false for a cache maintenance or walk read */
	bool fetch;
	bool walk;		/* S1PTW: the guest's own table walk touched `address` */
	bool cache_op;		/* CM */
	bool syndrome;		/* ISV: the fields below say which access it was */
	uint8_t size;		/* bytes: 1, 2, 4, 8 */
	bool sign_extend;	/* SSE */
	bool wide;		/* SF: the register is 64 bits */
	uint8_t reg;		/* SRT: 31 is XZR */
};

struct exit_sysreg {
	uint32_t id;		/* SYSREG_ID() */
	uint8_t reg;		/* 31 is XZR */
	bool read;
};

#define SYSREG_ID(op0, op1, crn, crm, op2) \
	((uint32_t)(op0) << 16 | (uint32_t)(op1) << 12 | (uint32_t)(crn) << 8 | \
	 (uint32_t)(crm) << 4 | (uint32_t)(op2))

struct exit {
	enum exit_kind kind;
	uint8_t ec;		/* ESR_EL2.EC as it stands */
	uint8_t length;		/* of the instruction: 4, or 2 where IL is 0 */
	uint16_t immediate;	/* HVC, SMC */
	bool wfe;		/* WFX: WFE or WFET rather than WFI or WFIT */
	bool timed;		/* WFX: WFIT or WFET */
	struct exit_sysreg sysreg;
	struct exit_abort abort;
};

/* Fills in what the kind has; all else of *x stays as it was (clearing it would cost more than decoding). */
void esr_decode(uint64_t esr, uint64_t far, uint64_t hpfar, struct exit *x);

#endif
