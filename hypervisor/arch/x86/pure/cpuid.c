// SPDX-License-Identifier: GPL-2.0-only
#include "arch/x86/pure/cpuid.h"
#include "base/bits.h"

#define CR4_OSXSAVE BIT(18)
#define CR4_PKE BIT(22)

#define LEAF1_ECX_OSXSAVE (1u << 27)
#define LEAF1_ECX_HYPERVISOR (1u << 31)
#define LEAF7_ECX_OSPKE (1u << 4)

#define EVERY_SUBLEAF 0xffu

/* What is taken out of an answer. */
struct hidden {
	uint32_t leaf;
	uint8_t subleaf;
	bool root;			/* from the root cell too */
	uint32_t eax, ebx, ecx, edx;
};

#define ALL 0xffffffffu
#define BUT(bits) (~(uint32_t)(bits))

/*
 * In the order of the leaves. The root cell is told of all but virtualization and encrypted
 * memory: what those reach is the hypervisor's. A cell is told of nothing that belongs to more than
 * its own CPUs, or whose registers it does not have (pure/msr.c).
 */
static const struct hidden hidden[] = {
	/* VMX, SMX; then DTES64, DS-CPL, EIST, TM2, PDCM, DCA; DS, ACPI (clock modulation), TM */
	{ 0x1, EVERY_SUBLEAF, true, 0, 0, 0x60, 0 },
	{ 0x1, EVERY_SUBLEAF, false, 0, 0, 0x48194, 0x20600000 },
	/* Power and thermal management, but for ARAT and APERF/MPERF */
	{ 0x6, EVERY_SUBLEAF, false, BUT(0x4), ALL, BUT(0x1), ALL },
	/* SGX, RDT-M, RDT-A, PT; TME, SGX_LC; UINTR's like stay; PCONFIG, ARCH_LBR, CORE_CAPABILITIES */
	{ 0x7, 0, false, 0, 0x02009004, 0x40002000, 0x400c0000 },
	{ 0x9, EVERY_SUBLEAF, false, ALL, ALL, ALL, ALL },	/* DCA */
	{ 0xa, EVERY_SUBLEAF, false, ALL, ALL, ALL, ALL },	/* Intel's counters: some write to memory */
	{ 0xf, EVERY_SUBLEAF, false, ALL, ALL, ALL, ALL },	/* RDT-M */
	{ 0x10, EVERY_SUBLEAF, false, ALL, ALL, ALL, ALL },	/* RDT-A */
	{ 0x12, EVERY_SUBLEAF, false, ALL, ALL, ALL, ALL },	/* SGX */
	{ 0x14, EVERY_SUBLEAF, false, ALL, ALL, ALL, ALL },	/* PT */
	{ 0x1b, EVERY_SUBLEAF, false, ALL, ALL, ALL, ALL },	/* PCONFIG */
	{ 0x1c, EVERY_SUBLEAF, false, ALL, ALL, ALL, ALL },	/* ARCH_LBR */
	/* SVM, SKINIT; then IBS, WDT, LWP, PerfCtrExtNB, PerfCtrExtLLC */
	{ 0x80000001, EVERY_SUBLEAF, true, 0, 0, 0x1004, 0 },
	{ 0x80000001, EVERY_SUBLEAF, false, 0, 0, 0x1100a400, 0 },
	/* Machine checks; power management, but for TscInvariant and EffFreqRO */
	{ 0x80000007, EVERY_SUBLEAF, false, 0, ALL, ALL, BUT(0x500) },
	/* INVLPGB, MCOMMIT, INT_WBINVD, PPIN, VirtSsbd, CPPC; how much INVLPGB takes */
	{ 0x80000008, EVERY_SUBLEAF, false, 0, 0x0a801108, 0, 0xffff },
	{ 0x8000000a, EVERY_SUBLEAF, true, ALL, ALL, ALL, ALL },	/* SVM */
	{ 0x8000001b, EVERY_SUBLEAF, false, ALL, ALL, ALL, ALL },	/* IBS */
	{ 0x8000001c, EVERY_SUBLEAF, false, ALL, ALL, ALL, ALL },	/* LWP */
	{ 0x8000001f, EVERY_SUBLEAF, true, ALL, ALL, ALL, ALL },	/* SME, SEV */
	{ 0x80000020, EVERY_SUBLEAF, false, ALL, ALL, ALL, ALL },	/* PQoS */
	{ 0x80000022, EVERY_SUBLEAF, false, 0x6, 0xfff0, ALL, 0 },	/* LbrStack; the counters of what CPUs share */
	{ 0x80000023, EVERY_SUBLEAF, true, ALL, ALL, ALL, ALL },	/* MEM-HMK */
	{ 0x80000025, EVERY_SUBLEAF, true, ALL, ALL, ALL, ALL },	/* RMP */
};

static void hide(const struct hidden *h, struct cpuid_answer *a)
{
	a->eax &= ~h->eax;
	a->ebx &= ~h->ebx;
	a->ecx &= ~h->ecx;
	a->edx &= ~h->edx;
}

/* Jailhouse's signature, and no feature. */
static void say_hypervisor(uint32_t leaf, struct cpuid_answer *a)
{
	*a = (struct cpuid_answer){ 0 };
	if (leaf == CPUID_HYPERVISOR)
		*a = (struct cpuid_answer){ CPUID_HYPERVISOR + 1, 0x6c69614a, 0x73756f68, 0x00000065 };
}

static uint32_t with_bit(uint32_t value, uint32_t bit, bool set)
{
	return set ? value | bit : value & ~bit;
}

bool cpuid_wants_cr4(uint32_t leaf)
{
	return leaf == 1 || leaf == 7;
}

void cpuid_filter(uint32_t leaf, uint32_t subleaf, bool root, uint64_t cr4, struct cpuid_answer *a)
{
	const struct hidden *h = hidden, *end = h + ARRAY_SIZE(hidden);

	if ((leaf & 0xffffff00u) == CPUID_HYPERVISOR) {
		say_hypervisor(leaf, a);
		return;
	}
	for (; h < end && h->leaf <= leaf; h++)
		if (h->leaf == leaf && (h->root || !root) && (h->subleaf == EVERY_SUBLEAF || h->subleaf == subleaf))
			hide(h, a);
	if (leaf == 1) {
		a->ecx = with_bit(a->ecx, LEAF1_ECX_OSXSAVE, (cr4 & CR4_OSXSAVE) != 0);
		a->ecx |= LEAF1_ECX_HYPERVISOR;
	}
	if (leaf == 7 && subleaf == 0)
		a->ecx = with_bit(a->ecx, LEAF7_ECX_OSPKE, (cr4 & CR4_PKE) != 0);
}
