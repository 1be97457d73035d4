/* SPDX-License-Identifier: GPL-2.0-only */
/* The virtual machine control block (APM 2, appendix B), and what its fields hold (appendix C, 15). */
#ifndef SVM_VMCB_H
#define SVM_VMCB_H

#include "base/bits.h"
#include "arch/x86/virt.h"

/* intercept_exceptions: bit n is vector n */
#define VECTOR_DB 1u
#define VECTOR_NMI 2u
#define VECTOR_BP 3u
#define VECTOR_OF 4u
#define VECTOR_UD 6u
#define VECTOR_GP 13u
#define VECTOR_AC 17u

/* intercept_misc1 */
#define INTERCEPT_NMI BIT(1)
#define INTERCEPT_INIT BIT(3)
#define INTERCEPT_CPUID BIT(18)
#define INTERCEPT_IRET BIT(20)
#define INTERCEPT_INVD BIT(22)
#define INTERCEPT_HLT BIT(24)
#define INTERCEPT_INVLPGA BIT(26)
#define INTERCEPT_IOIO_PROT BIT(27)
#define INTERCEPT_MSR_PROT BIT(28)
#define INTERCEPT_SHUTDOWN BIT(31)

/* intercept_misc2 */
#define INTERCEPT_VMRUN BIT(0)
#define INTERCEPT_VMMCALL BIT(1)
#define INTERCEPT_VMLOAD BIT(2)
#define INTERCEPT_VMSAVE BIT(3)
#define INTERCEPT_STGI BIT(4)
#define INTERCEPT_CLGI BIT(5)
#define INTERCEPT_SKINIT BIT(6)
#define INTERCEPT_WBINVD BIT(9)

/* tlb_control (15.16.1) */
#define TLB_FLUSH_ALL 1
#define TLB_FLUSH_GUEST 3

#define INTERRUPT_SHADOW BIT(0)
#define NP_ENABLE BIT(0)
/* INVLPGB and TLBSYNC, which are #UD otherwise */
#define NP_INVLPGB BIT(7)

/* EVENTINJ and EXITINTINFO (15.20, 15.7.2) */
#define EVENT_VECTOR BITS(7, 0)
#define EVENT_TYPE BITS(10, 8)
#define EVENT_EV BIT(11)
#define EVENT_V BIT(31)
#define EVENT_TYPE_NMI 2u
#define EVENT_TYPE_EXCEPTION 3u
#define EVENT_TYPE_SOFTWARE 4u
/* An exception to inject; the error code of those that have one is 0. */
#define EXCEPTION(vector) (EVENT_V | FIELD_PUT(EVENT_TYPE, EVENT_TYPE_EXCEPTION) | (vector))
#define EXCEPTION_CODE_0(vector) (EXCEPTION(vector) | EVENT_EV)

/* EXITCODE (appendix C) */
#define VMEXIT_EXCP 0x40
#define VMEXIT_NMI 0x61
#define VMEXIT_INIT 0x63
#define VMEXIT_CPUID 0x72
#define VMEXIT_IRET 0x74
#define VMEXIT_INVD 0x76
#define VMEXIT_HLT 0x78
#define VMEXIT_INVLPGA 0x7a
#define VMEXIT_IOIO 0x7b
#define VMEXIT_MSR 0x7c
#define VMEXIT_SHUTDOWN 0x7f
#define VMEXIT_VMRUN 0x80
#define VMEXIT_VMMCALL 0x81
#define VMEXIT_VMLOAD 0x82
#define VMEXIT_VMSAVE 0x83
#define VMEXIT_STGI 0x84
#define VMEXIT_CLGI 0x85
#define VMEXIT_SKINIT 0x86
#define VMEXIT_WBINVD 0x89
#define VMEXIT_NPF 0x400
#define VMEXIT_INVALID (~0ull)

/* EXITINFO1 of VMEXIT_MSR: a write */
#define MSR_WRITE 1

/* EXITINFO1 of VMEXIT_IOIO (15.10.2) */
#define IOIO_IN BIT(0)
#define IOIO_STR BIT(2)
#define IOIO_SIZE BITS(6, 4)	/* bytes */
#define IOIO_PORT BITS(31, 16)

/* EXITINFO1 of VMEXIT_NPF (15.25.6) */
#define NPF_RW BIT(1)
#define NPF_ID BIT(4)
#define NPF_WALK BIT(33)	/* by the guest's page tables */

struct vmcb_control {
	uint32_t intercept_cr;
	uint32_t intercept_dr;
	uint32_t intercept_exceptions;
	uint32_t intercept_misc1;
	uint32_t intercept_misc2;
	uint32_t intercept_misc3;
	uint8_t reserved1[0x40 - 0x18];
	uint64_t iopm_base_pa;
	uint64_t msrpm_base_pa;
	uint64_t tsc_offset;
	uint32_t asid;
	uint8_t tlb_control;
	uint8_t reserved2[3];
	uint64_t v_intr;
	uint64_t interrupt_shadow;
	uint64_t exitcode;
	uint64_t exitinfo1;
	uint64_t exitinfo2;
	uint64_t exitintinfo;
	uint64_t np_enable;
	uint8_t reserved3[0xa8 - 0x98];
	uint64_t eventinj;
	uint64_t n_cr3;
	uint64_t lbr_virt;
	uint64_t clean;
	uint64_t nrip;
	uint8_t bytes_fetched;
	uint8_t instruction[15];
	uint8_t reserved4[0x400 - 0xe0];
};
static_assert(offsetof(struct vmcb_control, iopm_base_pa) == 0x40, "APM 2, B");
static_assert(offsetof(struct vmcb_control, asid) == 0x58, "APM 2, B");
static_assert(offsetof(struct vmcb_control, interrupt_shadow) == 0x68, "APM 2, B");
static_assert(offsetof(struct vmcb_control, exitintinfo) == 0x88, "APM 2, B");
static_assert(offsetof(struct vmcb_control, eventinj) == 0xa8, "APM 2, B");
static_assert(offsetof(struct vmcb_control, clean) == 0xc0, "APM 2, B");
static_assert(offsetof(struct vmcb_control, instruction) == 0xd1, "APM 2, B");
static_assert(sizeof(struct vmcb_control) == 0x400, "APM 2, B");

struct vmcb_save {
	union {
		struct {
			struct segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
		};
		struct segment segments[10];
	};
	uint8_t reserved1[0xcb - 0xa0];
	uint8_t cpl;
	uint32_t reserved2;
	uint64_t efer;
	uint8_t reserved3[0x148 - 0xd8];
	uint64_t cr4, cr3, cr0;
	uint64_t dr7, dr6;
	uint64_t rflags, rip;
	uint8_t reserved4[0x1d8 - 0x180];
	uint64_t rsp;
	uint64_t s_cet, ssp, isst_addr;
	uint64_t rax;
	uint64_t star, lstar, cstar, sfmask, kernel_gs_base;
	uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
	uint64_t cr2;
	uint8_t reserved5[0x268 - 0x248];
	uint64_t g_pat;
	uint64_t dbgctl, br_from, br_to, lastexcpfrom, lastexcpto;
	uint8_t reserved6[0x2e0 - 0x298];
	uint64_t spec_ctrl;
	uint8_t reserved7[0xc00 - 0x2e8];
};
static_assert(sizeof(struct segment) == 16, "APM 2, B");
static_assert(offsetof(struct vmcb_save, tr) == 0x90, "APM 2, B");
static_assert(offsetof(struct vmcb_save, efer) == 0xd0, "APM 2, B");
static_assert(offsetof(struct vmcb_save, rip) == 0x178, "APM 2, B");
static_assert(offsetof(struct vmcb_save, rax) == 0x1f8, "APM 2, B");
static_assert(offsetof(struct vmcb_save, cr2) == 0x240, "APM 2, B");
static_assert(offsetof(struct vmcb_save, g_pat) == 0x268, "APM 2, B");
static_assert(offsetof(struct vmcb_save, spec_ctrl) == 0x2e0, "APM 2, B");

struct vmcb {
	struct vmcb_control control;
	struct vmcb_save save;
};
static_assert(sizeof(struct vmcb) == 4096, "APM 2, 15.5");

#endif
