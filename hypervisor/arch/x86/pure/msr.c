// SPDX-License-Identifier: GPL-2.0-only
#include "arch/x86/pure/msr.h"
#include "base/types.h"

/* APM 2 15.11 */
const struct msr_window msr_windows[MSR_WINDOWS] = {
	{ 0x0, 0x1fff },
	{ 0xc0000000, 0xc0001fff },
	{ 0xc0010000, 0xc0011fff },
};

struct range {
	uint32_t first, last;
	uint8_t root, cell;		/* enum msr_policy */
};

/*
 * In the order of their numbers. What stands in none is the root cell's directly, if a bitmap
 * covers it, and denied to cells: a register that nobody has thought about is no cell's.
 *
 * A cell has directly what is its CPU's alone and is cleaned when that changes hands
 * (msr_reset()). It reads what Linux reads on its way up to learn about the machine, and its
 * writes there are dropped, so that stock kernels find what they expect. The root
 * cell has all that does not reach the hypervisor or a CPU of another cell.
 */
static const struct range ranges[] = {
	{ 0x10, 0x10, MSR_CHECK, MSR_CHECK },		/* TSC: only what the guest sees moves */
	{ 0x17, 0x17, MSR_DIRECT, MSR_READ_DROP },	/* PLATFORM_ID */
	{ 0x1b, 0x1b, MSR_CHECK, MSR_CHECK },		/* APIC_BASE */
	{ 0x3b, 0x3b, MSR_CHECK, MSR_CHECK },		/* TSC_ADJUST */
	{ 0x48, 0x49, MSR_DIRECT, MSR_DIRECT },		/* SPEC_CTRL, PRED_CMD */
	/* Microcode for all that shares the core, by an address the guest names */
	{ 0x79, 0x79, MSR_ZERO, MSR_ZERO },		/* BIOS_UPDT_TRIG */
	{ 0x8b, 0x8b, MSR_DIRECT, MSR_READ_DROP },	/* PATCH_LEVEL, BIOS_SIGN_ID */
	{ 0x9b, 0x9b, MSR_DENIED, MSR_DENIED },		/* SMM_MONITOR_CTL */
	{ 0xe1, 0xe1, MSR_DIRECT, MSR_DIRECT },		/* UMWAIT_CONTROL */
	{ 0xe7, 0xe8, MSR_DIRECT, MSR_DIRECT },		/* MPERF, APERF */
	{ 0xfe, 0xfe, MSR_DIRECT, MSR_READ_DROP },	/* MTRRcap */
	{ 0x10a, 0x10a, MSR_DIRECT, MSR_READ_DIRECT },	/* ARCH_CAPABILITIES */
	{ 0x10b, 0x10b, MSR_DIRECT, MSR_DIRECT },	/* FLUSH_CMD */
	{ 0x122, 0x123, MSR_DIRECT, MSR_READ_DROP },	/* TSX_CTRL, MCU_OPT_CTRL */
	{ 0x174, 0x176, MSR_DIRECT, MSR_DIRECT },	/* SYSENTER_CS, _ESP, _EIP */
	/* Machine checks are the root cell's to look after: a cell has no bank */
	{ 0x179, 0x17b, MSR_DIRECT, MSR_ZERO },		/* MCG_CAP, _STATUS, _CTL */
	{ 0x198, 0x19c, MSR_DIRECT, MSR_READ_DROP },	/* PERF_STATUS to THERM_STATUS */
	{ 0x1a0, 0x1a0, MSR_DIRECT, MSR_READ_DROP },	/* MISC_ENABLE */
	{ 0x1b0, 0x1b0, MSR_DIRECT, MSR_READ_DROP },	/* ENERGY_PERF_BIAS */
	{ 0x1c4, 0x1c5, MSR_DIRECT, MSR_DIRECT },	/* XFD, XFD_ERR */
	/* It would record the hypervisor's branches too */
	{ 0x1d9, 0x1d9, MSR_DIRECT, MSR_ZERO },		/* DEBUGCTL */
	{ 0x1db, 0x1de, MSR_DIRECT, MSR_ZERO },		/* LASTBRANCH*, LASTINT* */
	/* What type memory has is a property of the machine */
	{ 0x200, 0x20f, MSR_DIRECT, MSR_READ_DROP },	/* MTRRphys* */
	{ 0x250, 0x250, MSR_DIRECT, MSR_READ_DROP },	/* MTRRfix64K_00000 */
	{ 0x258, 0x259, MSR_DIRECT, MSR_READ_DROP },	/* MTRRfix16K_* */
	{ 0x268, 0x26f, MSR_DIRECT, MSR_READ_DROP },	/* MTRRfix4K_* */
	{ 0x277, 0x277, MSR_CHECK, MSR_CHECK },		/* PAT: the extension has the guest's own */
	{ 0x2ff, 0x2ff, MSR_DIRECT, MSR_READ_DROP },	/* MTRRdefType */
	{ 0x400, 0x47f, MSR_DIRECT, MSR_ZERO },		/* MC*_CTL, _STATUS, _ADDR, _MISC */
	{ 0x480, 0x493, MSR_DENIED, MSR_DENIED },	/* VMX_* */
	{ 0x6a0, 0x6a0, MSR_DIRECT, MSR_DIRECT },	/* U_CET */
	{ 0x6a2, 0x6a2, MSR_DIRECT, MSR_DIRECT },	/* S_CET */
	{ 0x6a4, 0x6a8, MSR_DIRECT, MSR_DIRECT },	/* PL0_SSP to PL3_SSP, ISST_ADDR */
	/* In the machine's time, whatever TSC says in the guest */
	{ 0x6e0, 0x6e0, MSR_DIRECT, MSR_DIRECT },	/* TSC_DEADLINE */
	/*
	 * x2APIC; what a page without registers does in the other mode, the CPU does itself. The holes are
	 * nobody's: #GP, but QEMU notes an error in ESR too, never forgets it, and Linux, as the CPU's
	 * next owner, takes it for one of the INIT it sends.
	 */
	{ 0x802, 0x803, MSR_DIRECT, MSR_DIRECT },	/* ID, VERSION */
	{ 0x808, 0x80b, MSR_DIRECT, MSR_DIRECT },	/* TPR, APR, PPR, EOI */
	{ 0x80d, 0x80d, MSR_DIRECT, MSR_DIRECT },	/* LDR */
	{ 0x80f, 0x828, MSR_DIRECT, MSR_DIRECT },	/* SVR, ISR, TMR, IRR, ESR */
	{ 0x82f, 0x82f, MSR_DIRECT, MSR_ZERO },		/* LVT CMCI, of the machine checks */
	{ 0x830, 0x830, MSR_READ_CHECK, MSR_READ_CHECK }, /* ICR */
	{ 0x832, 0x837, MSR_DIRECT, MSR_READ_CHECK },	/* LVT timer, thermal, performance, LINT0, LINT1, error */
	{ 0x838, 0x839, MSR_DIRECT, MSR_DIRECT },	/* the timer's initial and current count */
	{ 0x83e, 0x83f, MSR_DIRECT, MSR_DIRECT },	/* its divide configuration; SELF_IPI */
	/* APM 2 16.3.6: more LVTs, with SMI among their delivery modes */
	{ 0x840, 0x8ff, MSR_DIRECT, MSR_ZERO },		/* extended APIC registers */
	{ 0xda0, 0xda0, MSR_DIRECT, MSR_READ_CHECK },	/* XSS */
	{ 0xc0000080, 0xc0000080, MSR_CHECK, MSR_CHECK }, /* EFER */
	{ 0xc0000081, 0xc0000084, MSR_DIRECT, MSR_DIRECT }, /* STAR, LSTAR, CSTAR, SFMASK */
	{ 0xc00000e7, 0xc00000e9, MSR_DIRECT, MSR_READ_DIRECT }, /* MPERF_RO, APERF_RO, IRPERF */
	{ 0xc0000100, 0xc0000103, MSR_DIRECT, MSR_DIRECT }, /* FS_BASE, GS_BASE, KERNEL_GS_BASE, TSC_AUX */
	{ 0xc0000104, 0xc0000104, MSR_DENIED, MSR_DENIED }, /* TSC_RATIO */
	{ 0xc0000300, 0xc0000303, MSR_DIRECT, MSR_DIRECT }, /* PERF_CNTR_GLOBAL_* */
	{ MSR_SMCA_FIRST, MSR_SMCA_LAST, MSR_CHECK, MSR_DENIED },
	{ 0xc0010000, 0xc0010007, MSR_DIRECT, MSR_DIRECT }, /* PERF_CTL*, PERF_CTR* */
	{ 0xc0010010, 0xc0010010, MSR_READ_CHECK, MSR_READ_DROP }, /* SYSCFG */
	{ 0xc0010015, 0xc0010015, MSR_DIRECT, MSR_READ_DROP }, /* HWCR */
	/* Where memory, and where configuration space, begins and ends: what the tables rest on */
	{ 0xc0010016, 0xc001001a, MSR_READ_DROP, MSR_READ_DROP }, /* IORR*, TOP_MEM */
	{ 0xc001001d, 0xc001001d, MSR_READ_DROP, MSR_READ_DROP }, /* TOP_MEM2 */
	{ 0xc001001f, 0xc001001f, MSR_DIRECT, MSR_ZERO }, /* NB_CFG */
	{ 0xc0010020, 0xc0010020, MSR_ZERO, MSR_ZERO },	/* PATCH_LOADER */
	{ 0xc0010044, 0xc001004a, MSR_DIRECT, MSR_ZERO }, /* MC*_CTL_MASK */
	{ 0xc0010055, 0xc0010055, MSR_DIRECT, MSR_ZERO }, /* INT_PENDING */
	{ 0xc0010058, 0xc0010058, MSR_READ_DROP, MSR_ZERO }, /* MMIO_CFG_BASE */
	{ 0xc0010061, 0xc001006b, MSR_DIRECT, MSR_READ_DROP }, /* PSTATE_* */
	/* SMM's memory is the firmware's; locked on every machine that is set up well */
	{ 0xc0010111, 0xc0010113, MSR_READ_DROP, MSR_ZERO }, /* SMM_BASE, TSEG_ADDR, TSEG_MASK */
	{ 0xc0010114, 0xc0010119, MSR_DENIED, MSR_DENIED }, /* VM_CR, IGNNE, SMM_CTL, VM_HSAVE_PA, SVM_KEY, SMM_KEY */
	{ 0xc001011b, 0xc001011e, MSR_DENIED, MSR_DENIED }, /* AVIC_DOORBELL, VMPAGE_FLUSH */
	{ 0xc0010130, 0xc001013f, MSR_DENIED, MSR_DENIED }, /* GHCB, SEV_STATUS, RMP_*, SECURE_AVIC_CTL */
	{ 0xc0010140, 0xc0010141, MSR_DIRECT, MSR_READ_DROP }, /* OSVW_ID_LENGTH, OSVW_STATUS */
	{ 0xc0010200, 0xc001020b, MSR_DIRECT, MSR_DIRECT }, /* PERF_CTL*, PERF_CTR* of the core */
	{ 0xc0010280, 0xc0010280, MSR_DIRECT, MSR_READ_DIRECT }, /* PERF_TSC */
	{ 0xc0011019, 0xc001101b, MSR_DIRECT, MSR_DIRECT }, /* DR1_ADDR_MASK to DR3_ADDR_MASK */
	{ 0xc0011020, 0xc0011026, MSR_DIRECT, MSR_READ_DROP }, /* LS_CFG, IC_CFG, DC_CFG and the like */
	{ 0xc0011027, 0xc0011027, MSR_DIRECT, MSR_DIRECT }, /* DR0_ADDR_MASK */
	{ 0xc0011028, 0xc001102f, MSR_DIRECT, MSR_READ_DROP }, /* DE_CFG, BU_CFG2 and the like */
};

/* Outside the table, from `msr` to the end of the window it is in or to the next one. */
static enum msr_policy policy_of_rest(uint32_t msr, bool root, uint32_t *last)
{
	const struct msr_window *w = msr_windows, *end = w + ARRAY_SIZE(msr_windows);

	for (*last = UINT32_MAX; w < end; w++) {
		if (msr < w->first) {
			*last = w->first - 1;
			break;
		}
		if (msr <= w->last) {
			*last = w->last;
			return root ? MSR_DIRECT : MSR_DENIED;
		}
	}
	return MSR_DENIED;
}

enum msr_policy msr_policy(uint32_t msr, bool root, uint32_t *last)
{
	const struct range *r = ranges, *end = r + ARRAY_SIZE(ranges);
	enum msr_policy policy;

	while (r < end && r->last < msr)
		r++;
	if (r < end && r->first <= msr) {
		*last = r->last;
		return (enum msr_policy)(root ? r->root : r->cell);
	}
	policy = policy_of_rest(msr, root, last);
	if (r < end && r->first <= *last)
		*last = r->first - 1;
	return policy;
}
