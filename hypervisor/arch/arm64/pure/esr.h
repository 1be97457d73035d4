/* SPDX-License-Identifier: GPL-2.0-only */
/* Why EL2 was entered synchronously: ESR_EL2 taken apart (DDI0487 D24.2.40), nothing else. */
#ifndef ARM64_PURE_ESR_H
#define ARM64_PURE_ESR_H

#include "base/addr.h"
#include "base/bits.h"

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

/* ESR_EL2 */
#define ESR_EC BITS(31, 26)
#define ESR_IL BIT(25)
#define ESR_EC_DATA_ABORT 0x24ull	/* from a lower level */
/* ISS of an HVC or SMC */
#define ESR_IMMEDIATE BITS(15, 0)
/* ISS of a data abort */
#define ESR_ISS_ISV BIT(24)
#define ESR_ISS_SAS BITS(23, 22)
#define ESR_ISS_SSE BIT(21)
#define ESR_ISS_SRT BITS(20, 16)
#define ESR_ISS_SF BIT(15)
#define ESR_ISS_CM BIT(8)
#define ESR_ISS_S1PTW BIT(7)
#define ESR_ISS_WNR BIT(6)
#define ESR_ISS_FSC BITS(5, 0)
#define HPFAR_FIPA BITS(43, 4)

/*
 * Is it a data abort of a load or store of 32 bits at an address stage 2 does not map, with
 * everything there is to know in the registers? esr_decode() says the same of it.
 */
static inline bool esr_is_plain_word(uint64_t esr)
{
	const uint64_t level = 3, word = 2;

	/* EC, IL, ISV, SAS, SSE, and not CM, not S1PTW, translation fault of any level */
	return (esr & (ESR_EC | ESR_IL | ESR_ISS_ISV | ESR_ISS_SAS | ESR_ISS_SSE | ESR_ISS_CM | ESR_ISS_S1PTW |
		       (ESR_ISS_FSC & ~level))) ==
	       (FIELD_PUT(ESR_EC, ESR_EC_DATA_ABORT) | ESR_IL | ESR_ISS_ISV | FIELD_PUT(ESR_ISS_SAS, word) | 0x04);
}

/* Bytes of the instruction. */
static inline unsigned esr_length(uint64_t esr)
{
	return esr & ESR_IL ? 4 : 2;
}

/* Where a plain word is, guest-physical. */
static inline gpa_t esr_plain_address(uint64_t far, uint64_t hpfar)
{
	/* FIPA is bits 47:12 of the address, and what is above it is zero where addresses have no more */
	return gpa((hpfar << (PAGE_SHIFT - FIELD_SHIFT(HPFAR_FIPA)) & ~PAGE_MASK) | (far & PAGE_MASK));
}

/* Fills in what the kind has; all else of *x stays as it was (clearing it would cost more than decoding). */
void esr_decode(uint64_t esr, uint64_t far, uint64_t hpfar, struct exit *x);

#endif
