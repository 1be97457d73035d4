/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What CPUID promises a cell, and whether it can be had: the hypervisor says who it is, and
 * what is its own (SVM, VMX, SMM's monitor, SEV) is not shown.
 */
#include "inmate.h"
#include "exception.h"
#include "x86_64/apic.h"
#include "x86_64/asm.h"

#define CPUID_1_ECX_VMX (1u << 5)
#define CPUID_1_ECX_SMX (1u << 6)
#define CPUID_1_ECX_MONITOR (1u << 3)
#define CPUID_1_ECX_XSAVE (1u << 26)
#define CPUID_1_ECX_OSXSAVE (1u << 27)
#define CPUID_1_ECX_RDRAND (1u << 30)
#define CPUID_1_EDX_APIC (1u << 9)
#define CPUID_80000001_ECX_SVM (1u << 2)
#define CPUID_80000001_EDX_RDTSCP (1u << 27)
#define CPUID_7_EBX_SGX (1u << 2)
#define CR4_OSXSAVE (1ull << 18)

static unsigned int wrong;

static void expect(bool right, const char *what, uint32_t found)
{
	if (right)
		return;
	printk("features: %s: 0x%x\n", what, found);
	wrong++;
}

static void use_rdtscp(void *argument)
{
	uint32_t low, high, aux;

	(void)argument;
	__asm__ volatile("rdtscp" : "=a"(low), "=d"(high), "=c"(aux));
}

static void use_rdrand(void *argument)
{
	uint64_t number;

	(void)argument;
	__asm__ volatile("rdrand %0" : "=r"(number) :: "cc");
}

static void use_xgetbv(void *argument)
{
	uint32_t low, high;

	(void)argument;
	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
}

static void use_monitor(void *argument)
{
	__asm__ volatile("monitor" :: "a"(argument), "c"(0), "d"(0));
}

static void use_x2apic(void *argument)
{
	(void)argument;
	rdmsr(MSR_X2APIC + APIC_ID / 16);
}

static void use(bool shown, const char *name, void (*what)(void *argument))
{
	struct exception_catch c;

	if (!shown)
		return;
	exception_call(&c, what, &c);
	if (!c.count)
		return;
	printk("features: %s is shown and is not there: ", name);
	exception_print(&c);
	printk("\n");
	wrong++;
}

static void check_signature(void)
{
	struct cpuid c = cpuid(0x40000000, 0);

	expect(cpuid(1, 0).ecx & CPUID_1_ECX_HYPERVISOR, "no hypervisor is shown", cpuid(1, 0).ecx);
	expect(c.eax == 0x40000001, "highest leaf of the hypervisor's", c.eax);
	expect(memcmp(&c.ebx, "Jailhouse\0\0\0", 12) == 0, "signature", c.ebx);
}

static void check_hidden(void)
{
	struct cpuid one = cpuid(1, 0), svm = cpuid(0x8000000a, 0), sev = cpuid(0x8000001f, 0);

	expect(!(one.ecx & (CPUID_1_ECX_VMX | CPUID_1_ECX_SMX)), "VMX or SMX", one.ecx);
	expect(!(cpuid(0x80000001, 0).ecx & CPUID_80000001_ECX_SVM), "SVM", cpuid(0x80000001, 0).ecx);
	expect(!(svm.eax | svm.ebx | svm.ecx | svm.edx), "SVM's leaf", svm.eax | svm.ebx | svm.ecx | svm.edx);
	expect(!(sev.eax | sev.ebx | sev.ecx | sev.edx), "SEV's leaf", sev.eax | sev.ebx | sev.ecx | sev.edx);
	expect(!(cpuid(7, 0).ebx & CPUID_7_EBX_SGX), "SGX", cpuid(7, 0).ebx);
}

/* What depends on the guest's own registers, and on which CPU it is. */
static void check_own(void)
{
	uint32_t osxsave = cpuid(1, 0).ecx & CPUID_1_ECX_OSXSAVE, size = cpuid(0xd, 0).ebx;

	expect(osxsave && size >= XSAVE_SIZE, "XSAVE's area", size);
	write_cr4(read_cr4() & ~CR4_OSXSAVE);
	osxsave = cpuid(1, 0).ecx & CPUID_1_ECX_OSXSAVE;
	write_cr4(read_cr4() | CR4_OSXSAVE);
	expect(!osxsave, "OSXSAVE, switched off", osxsave);
	expect(cpuid(1, 0).ebx >> 24 == (cpu_affinity() & 0xff), "APIC id", cpuid(1, 0).ebx);
	expect(cpuid(1, 0).edx & CPUID_1_EDX_APIC, "no APIC is shown", cpuid(1, 0).edx);
}

void inmate_main(void)
{
	struct cpuid one = cpuid(1, 0);

	check_signature();
	check_hidden();
	check_own();
	use(cpuid(0x80000001, 0).edx & CPUID_80000001_EDX_RDTSCP, "rdtscp", use_rdtscp);
	use(one.ecx & CPUID_1_ECX_RDRAND, "rdrand", use_rdrand);
	use(one.ecx & CPUID_1_ECX_XSAVE, "xgetbv", use_xgetbv);
	use(one.ecx & CPUID_1_ECX_MONITOR, "monitor", use_monitor);
	use(apic_x2apic(), "x2apic", use_x2apic);
	if (wrong)
		printk("features: %u wrong\n", wrong);
	else
		printk("features: done\n");
	inmate_serve();
}
