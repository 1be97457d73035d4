/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Did the CPU come clean? Compares what its registers held as the program was entered with
 * what a CPU fresh from reset shows (APM 2, 14.1.3): nothing of the owner before.
 */
#include "inmate.h"
#include "exception.h"
#include "x86_64/apic.h"
#include "x86_64/asm.h"
#include "x86_64/snapshot.h"

#define ALL UINT64_MAX
#define RDX 2

struct expected {
	const char *name;
	uint64_t mask;
	uint64_t value;
	uint32_t at;
};

/* Nothing before this program's beginning changes these. One that is refused leaks nothing. */
static const struct expected msrs[] = {
	{ "STAR", ALL, 0, 0xc0000081 },
	{ "LSTAR", ALL, 0, 0xc0000082 },
	{ "CSTAR", ALL, 0, 0xc0000083 },
	{ "SFMASK", ALL, 0, 0xc0000084 },
	{ "FS_BASE", ALL, 0, 0xc0000100 },
	{ "KERNEL_GS_BASE", ALL, 0, 0xc0000102 },
	{ "TSC_AUX", ALL, 0, 0xc0000103 },
	{ "SYSENTER_CS", ALL, 0, 0x174 },
	{ "SYSENTER_ESP", ALL, 0, 0x175 },
	{ "SYSENTER_EIP", ALL, 0, 0x176 },
	{ "PAT", ALL, 0x0007040600070406, 0x277 },
	{ "DEBUGCTL", ALL, 0, 0x1d9 },
	{ "TSC_ADJUST", ALL, 0, 0x3b },
	{ "XSS", ALL, 0, 0xda0 },
	{ "U_CET", ALL, 0, 0x6a0 },
	{ "S_CET", ALL, 0, 0x6a2 },
	{ "PL0_SSP", ALL, 0, 0x6a4 },
	{ "PL3_SSP", ALL, 0, 0x6a7 },
	{ "DR0_ADDR_MASK", ALL, 0, 0xc0011027 },
	{ "DR1_ADDR_MASK", ALL, 0, 0xc0011019 },
	{ "PERF_CTL0", ALL, 0, 0xc0010200 },
	{ "PERF_CTR0", ALL, 0, 0xc0010201 },
};

static const struct expected apic_registers[] = {
	{ "TPR", ALL, 0, APIC_TPR },
	{ "SVR", ALL, 0xff, APIC_SVR },
	{ "LVT timer", ALL, APIC_LVT_MASKED, APIC_LVT_TIMER },
	{ "LVT thermal", ALL, APIC_LVT_MASKED, APIC_LVT_THERMAL },
	{ "LVT performance counter", ALL, APIC_LVT_MASKED, APIC_LVT_PERF },
	{ "LVT LINT0", ALL & ~0x4000ull, APIC_LVT_MASKED, APIC_LVT_LINT0 },
	{ "LVT LINT1", ALL & ~0x4000ull, APIC_LVT_MASKED, APIC_LVT_LINT1 },
	{ "LVT error", ALL, APIC_LVT_MASKED, APIC_LVT_ERROR },
	{ "timer's initial count", ALL, 0, APIC_TIMER_INITIAL },
	{ "timer's divisor", ALL, 0, APIC_TIMER_DIVIDE },
	{ "ICR", 0xff, 0, APIC_ICR },
	{ "ESR", ALL, 0, APIC_ESR },
};

/* 1 if the register was not as expected. */
static unsigned int check(const struct expected *want, uint64_t value)
{
	if ((value & want->mask) == want->value)
		return 0;
	printk("regs: %s was 0x%lx\n", want->name, value);
	return 1;
}

static unsigned int check_named(const char *name, uint64_t value, uint64_t mask, uint64_t wanted)
{
	return check(&(struct expected){ name, mask, wanted, 0 }, value);
}

static unsigned int regs_general(const struct snapshot *s)
{
	static const char *const names[] = {
		"RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI", "R8", "R9", "R10", "R11", "R12", "R13", "R14", "R15",
	};
	unsigned int bad = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
		/* After reset it holds which CPU this is */
		if (i == RDX && s->gpr[i] == cpuid(1, 0).eax)
			continue;
		bad += check_named(names[i], s->gpr[i], ALL, 0);
	}
	return bad;
}

static unsigned int regs_early(const struct snapshot *s, const struct snapshot_early *e)
{
	static const char *const segments[] = { "DS", "ES", "SS", "FS", "GS" };
	unsigned int bad = 0;

	/* CD and NW: the caches may be on or off */
	bad += check_named("CR0", e->cr0, ALL & ~0x60000000ull, 0x10);
	bad += check_named("CR4", e->cr4, ALL, 0);
	bad += check_named("EFER", e->efer, ALL, 0);
	bad += check_named("CR2", s->cr2, ALL, 0);
	bad += check_named("CR3", s->cr3, ALL, 0);
	bad += check_named("XCR0", s->xcr0, ALL, 1);
	for (unsigned int i = 0; i < ARRAY_SIZE(segments); i++)
		bad += check_named(segments[i], e->segment[i], ALL, 0);
	bad += check_named("GDTR.base", e->gdtr.base[0] | (uint32_t)e->gdtr.base[1] << 16, ALL, 0);
	bad += check_named("IDTR.base", e->idtr.base[0] | (uint32_t)e->idtr.base[1] << 16, ALL, 0);
	return bad;
}

static unsigned int regs_debug(void)
{
	unsigned int bad = 0;

	bad += check_named("DR0", read_dr0(), ALL, 0);
	bad += check_named("DR1", read_dr1(), ALL, 0);
	bad += check_named("DR2", read_dr2(), ALL, 0);
	bad += check_named("DR3", read_dr3(), ALL, 0);
	bad += check_named("DR6", read_dr6(), ALL, 0xffff0ff0);
	bad += check_named("DR7", read_dr7(), ALL, 0x400);
	return bad;
}

/* `present` says what of it was other than after reset; XMM's part may be written nevertheless. */
static unsigned int regs_vector(const struct snapshot *s)
{
	unsigned int bad = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(s->xsave.xmm); i++) {
		if (!(s->xsave.xmm[i][0] | s->xsave.xmm[i][1]))
			continue;
		printk("regs: XMM%u was 0x%016lx%016lx\n", i, s->xsave.xmm[i][1], s->xsave.xmm[i][0]);
		bad++;
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(s->xsave.ymm_high); i++) {
		if (!(s->xsave.ymm_high[i][0] | s->xsave.ymm_high[i][1]))
			continue;
		printk("regs: YMM%u's upper half was 0x%016lx%016lx\n", i, s->xsave.ymm_high[i][1],
		       s->xsave.ymm_high[i][0]);
		bad++;
	}
	/* FCW, FSW; ST0 to ST7 are 10 bytes of 16 each; MXCSR */
	for (unsigned int i = 32; i < ARRAY_SIZE(s->xsave.x87); i++)
		bad += check_named("x87's stack", s->xsave.x87[i], ALL, 0);
	return bad;
}

static void do_rdmsr(void *argument)
{
	uint64_t *value = argument;

	*value = rdmsr((uint32_t)*value);
}

static unsigned int regs_msr(void)
{
	unsigned int bad = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(msrs); i++) {
		struct exception_catch c;
		uint64_t value = msrs[i].at;

		exception_call(&c, do_rdmsr, &value);
		if (!c.count)
			bad += check(&msrs[i], value);
	}
	return bad;
}

static unsigned int regs_apic(void)
{
	unsigned int bad = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(apic_registers); i++)
		bad += check(&apic_registers[i], apic_read(apic_registers[i].at));
	for (unsigned int i = 0; i < 0x80; i += 0x10) {
		bad += check_named("ISR", apic_read(APIC_ISR + i), ALL, 0);
		bad += check_named("IRR", apic_read(APIC_IRR + i), ALL, 0);
	}
	return bad;
}

void inmate_main(void)
{
	const struct snapshot *s = &image_snapshot;
	unsigned int bad = regs_debug() + regs_msr() + regs_apic();

	bad += regs_general(s) + regs_early(s, &image_early) + regs_vector(s);
	if (bad)
		printk("regs: %u not clean\n", bad);
	else
		printk("regs: clean\n");
	inmate_serve();
}
