// SPDX-License-Identifier: GPL-2.0-only
/* Model-specific registers: what comes here, and what of them changes hands clean. */
#include "pure/msr.h"
#include "asm.h"
#include "x86.h"

#define MSR_XSS 0xda0

static void set_window(struct cell *cell, const struct msr_window *w)
{
	uint32_t msr, last;

	for (msr = w->first; msr <= w->last; msr = last + 1) {
		enum msr_policy policy = msr_policy(msr, cell_is_root(cell), &last);

		if (policy == MSR_DENIED || policy == MSR_ZERO || policy == MSR_CHECK)
			continue;
		for (; msr <= last; msr++)
			machine.virt->cell_msr(cell, msr, policy == MSR_DIRECT);
	}
}

void msr_cell_init(struct cell *cell)
{
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(msr_windows); i++)
		set_window(cell, &msr_windows[i]);
}

static bool has_tsc_adjust(void)
{
	return (cpuid_get(CPUID_EBX(7)) & BIT(1)) != 0;
}

static bool is_smca(uint32_t msr)
{
	return msr >= MSR_SMCA_FIRST && msr <= MSR_SMCA_LAST;
}

static bool is_apic(uint32_t msr)
{
	return msr == MSR_APIC_BASE || (msr >= MSR_X2APIC && msr <= MSR_X2APIC + 0xff);
}

/* Moves what RDTSC says in the guest; the machine's TSC is everybody's. */
static void move_tsc(struct cpu *self, uint64_t offset)
{
	self->arch->tsc_offset = offset;
	machine.virt->tsc_offset(self, offset);
}

/* The machine's, of one of the two registers that a guest moves its time with; false: it is neither. */
static bool read_tsc(uint32_t msr, uint64_t *value)
{
	if (msr == MSR_TSC)
		*value = rdtsc();
	else if (msr == MSR_TSC_ADJUST && has_tsc_adjust())
		*value = rdmsr(msr);
	else
		return false;
	return true;
}

static enum outcome read_checked(struct cpu *self, uint32_t msr, uint64_t *value)
{
	if (msr == MSR_APIC_BASE)
		*value = apic_base(self);
	else if (read_tsc(msr, value))
		*value += self->arch->tsc_offset;
	else if (!is_smca(msr) || !guest_rdmsr(msr, value))
		return OUT_GP;
	return OUT_NEXT;
}

enum outcome exit_rdmsr(struct cpu *self, uint32_t msr, uint64_t *value)
{
	uint32_t last;

	*value = 0;
	switch (msr_policy(msr, cell_is_root(self->cell), &last)) {
	case MSR_CHECK:
		return read_checked(self, msr, value);
	case MSR_ZERO:
		return OUT_NEXT;
	case MSR_DENIED:
	/* what is direct does not come here */
	case MSR_DIRECT:
	case MSR_READ_DIRECT:
	case MSR_READ_DROP:
	case MSR_READ_CHECK:
		break;
	}
	/* what stock kernels touch is served: who comes here wants to know why it did not work */
	cell_refused(self, "read of MSR", msr);
	return OUT_GP;
}

static enum outcome write_checked(struct cpu *self, uint32_t msr, uint64_t value)
{
	uint64_t machines;

	if (is_apic(msr))
		return apic_wrmsr(self, msr, value);
	if (read_tsc(msr, &machines)) {
		move_tsc(self, value - machines);
		return OUT_NEXT;
	}
	if (msr == MSR_SYSCFG)
		value = (rdmsr(msr) & ~MSR_SYSCFG_ROOT) | (value & MSR_SYSCFG_ROOT);
	else if (!is_smca(msr) && (msr != MSR_XSS || value & ~MSR_XSS_CELL))
		return OUT_GP;
	return guest_wrmsr(msr, value) ? OUT_NEXT : OUT_GP;
}

enum outcome exit_wrmsr(struct cpu *self, uint32_t msr, uint64_t value)
{
	uint32_t last;

	if (msr == MSR_X2APIC_ICR)
		return apic_wrmsr(self, msr, value);
	switch (msr_policy(msr, cell_is_root(self->cell), &last)) {
	case MSR_CHECK:
	case MSR_READ_CHECK:
		return write_checked(self, msr, value);
	case MSR_ZERO:
	case MSR_READ_DROP:
		return OUT_NEXT;
	case MSR_DENIED:
	case MSR_READ_DIRECT:
	case MSR_DIRECT:
		break;
	}
	cell_refused(self, "write of MSR", msr);
	return OUT_GP;
}

/* Registers a CPU has if that bit of that CPUID answer is set, and which a new owner finds 0. */
struct leftover {
	uint32_t what;			/* cpuid_get()'s */
	uint8_t bit;
	uint8_t count;
	uint32_t first;
};

static const struct leftover leftovers[] = {
	{ CPUID_EDX(0x1), 5, 1, MSR_DEBUGCTL },	/* MSR: every CPU that can do this */
	{ CPUID_EDX(0x1), 14, 1, 0x17a },		/* MCA: MCG_STATUS, which a cell cannot clear itself */
	{ CPUID_EBX(0x7), 12, 1, 0xc8f },		/* PQM: PQR_ASSOC */
	{ CPUID_EBX(0x7), 15, 1, 0xc8f },		/* PQE: the same */
	{ CPUID_EBX(0x7), 25, 1, 0x570 },		/* PT: RTIT_CTL */
	{ CPUID_ECX(0x7), 5, 1, 0xe1 },		/* WAITPKG: UMWAIT_CONTROL */
	{ CPUID_ECX(0x7), 7, 1, 0x6a0 },		/* SHSTK: U_CET */
	{ CPUID_ECX(0x7), 7, 1, 0x6a2 },		/* ... S_CET */
	{ CPUID_ECX(0x7), 7, 5, 0x6a4 },		/* ... PL0_SSP to ISST_ADDR */
	{ CPUID_EDX(0x7), 19, 1, 0x14ce },		/* ARCH_LBR: LBR_CTL */
	{ CPUID_EDX(0x7), 20, 1, 0x6a0 },		/* IBT: U_CET */
	{ CPUID_EDX(0x7), 20, 1, 0x6a2 },		/* ... S_CET */
	{ CPUID_EDX(0x7), 26, 1, 0x48 },		/* SPEC_CTRL */
	{ CPUID_EAX(0xa), 1, 1, 0x38f },		/* version 2 or 3: PERF_GLOBAL_CTRL */
	{ CPUID_EAX(0xa), 2, 1, 0x38f },		/* version 4 or 5 */
	{ CPUID_EAX(0xd) + CPUID_SUBLEAF_1, 3, 1, MSR_XSS },		/* XSAVES */
	{ CPUID_EAX(0xd) + CPUID_SUBLEAF_1, 4, 2, 0x1c4 },		/* XFD, XFD_ERR */
	{ CPUID_ECX(0x80000001), 10, 1, 0xc0011030 },	/* IBS: IBS_FETCH_CTL */
	{ CPUID_ECX(0x80000001), 10, 1, 0xc0011033 },	/* ... IBS_OP_CTL */
	{ CPUID_ECX(0x80000001), 15, 2, 0xc0000105 },	/* LWP: LWP_CFG, LWP_CBADDR */
	{ CPUID_ECX(0x80000001), 23, 12, 0xc0010200 },	/* PerfCtrExtCore */
	{ CPUID_ECX(0x80000001), 26, 3, 0xc0011019 },	/* DataBreakpointExtension: DR1_ADDR_MASK to DR3_ADDR_MASK */
	{ CPUID_ECX(0x80000001), 26, 1, 0xc0011027 },	/* ... DR0_ADDR_MASK */
	{ CPUID_EDX(0x80000001), 27, 1, MSR_TSC_AUX },	/* RDTSCP */
	{ CPUID_EBX(0x80000008), 14, 1, 0x48 },		/* IBRS: SPEC_CTRL */
	{ CPUID_EBX(0x80000008), 15, 1, 0x48 },		/* STIBP: the same */
	{ CPUID_EBX(0x80000008), 24, 1, 0x48 },		/* SSBD: the same */
	{ CPUID_EAX(0x80000022), 0, 1, 0xc0000301 },		/* PerfMonV2: PERF_CNTR_GLOBAL_CTL */
	{ CPUID_EAX(0x80000022), 1, 1, 0xc000010f },		/* LbrStack: DBG_EXTN_CFG */
};

static bool cpu_has(const struct leftover *l)
{
	return cpuid_get(l->what) >> l->bit & 1;
}

/* The four counters every AMD CPU has, and no CPUID bit tells of (APM 2 13.2.1). */
static void reset_legacy_counters(void)
{
	uint32_t msr;

	if (!(cpuid_get(CPUID_ECX(0x80000001)) & BIT(2)))
		return;
	for (msr = 0xc0010000; msr <= 0xc0010007; msr++)
		wrmsr(msr, 0);
}

void msr_reset(struct cpu *self)
{
	const struct leftover *l = leftovers, *end = l + ARRAY_SIZE(leftovers);
	unsigned i;

	move_tsc(self, 0);
	for (; l < end; l++) {
		if (!cpu_has(l))
			continue;
		for (i = 0; i < l->count; i++)
			wrmsr(l->first + i, 0);
	}
	reset_legacy_counters();
}
