/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "state.h"
#include "arm64/cpu.h"
#include "arm64/exception.h"
#include "arm64/sysreg.h"

#define HYPERCALL_UNKNOWN 0xff
#define MPIDR_AFFINITY 0xff00ffffffull

/* SMCCC 1.0 lets a call change x4 to x17 as well. */
#define SMCCC_CALL(instruction) \
	register uint64_t x0 __asm__("x0") = function; \
	register uint64_t x1 __asm__("x1") = a1; \
	register uint64_t x2 __asm__("x2") = a2; \
	register uint64_t x3 __asm__("x3") = a3; \
	__asm__ volatile(instruction \
			 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) \
			 :: "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", \
			    "x14", "x15", "x16", "x17", "memory"); \
	return x0

uint64_t smccc_hvc(uint64_t function, uint64_t a1, uint64_t a2, uint64_t a3)
{
	SMCCC_CALL("hvc #0");
}

uint64_t smccc_smc(uint64_t function, uint64_t a1, uint64_t a2, uint64_t a3)
{
	SMCCC_CALL("smc #0");
}

int64_t hypercall(uint64_t number, uint64_t argument1, uint64_t argument2)
{
	register uint64_t x0 __asm__("x0") = number;
	register uint64_t x1 __asm__("x1") = argument1;
	register uint64_t x2 __asm__("x2") = argument2;

	__asm__ volatile("hvc %3"
			 : "+r"(x0), "+r"(x1), "+r"(x2)
			 : "i"(ABI_HVC_IMMEDIATE) : "x3", "memory");
	return (int64_t)x0;
}

bool hypervisor_present(void)
{
	struct exception_catch c;
	int64_t result;

	/* Firmware answers what it does not know with -1, a CPU without any is undefined here. */
	exception_catch(&c);
	result = hypercall(HYPERCALL_UNKNOWN, 0, 0);
	exception_release();
	return !c.count && result == -ABI_ENOSYS;
}

int64_t psci_call(uint32_t function, uint64_t a1, uint64_t a2, uint64_t a3)
{
	char conduit[4];

	if (cmdline_get_str("psci", conduit, sizeof(conduit)) && strcmp(conduit, "smc") == 0)
		return (int64_t)smccc_smc(function, a1, a2, a3);
	return (int64_t)smccc_hvc(function, a1, a2, a3);
}

uint64_t cpu_affinity(void)
{
	return sysreg_read(mpidr_el1) & MPIDR_AFFINITY;
}

int64_t cpu_start(uint64_t affinity, void (*entry)(void *argument), void *argument,
		  void *stack, size_t size)
{
	uint64_t top = (uint64_t)(uintptr_t)stack + size - sizeof(struct cpu_boot);
	struct cpu_boot *boot = (struct cpu_boot *)(uintptr_t)top;

	*boot = (struct cpu_boot){ top, entry, argument, inmate.mmu_on };
	/* It is read before that CPU's caches are on. */
	for (uint64_t at = top; at < top + sizeof(*boot); at += 16)
		__asm__ volatile("dc cvac, %0" :: "r"(at) : "memory");
	dsb_sy();
	return psci_call(PSCI_CPU_ON, affinity, (uint64_t)(uintptr_t)cpu_secondary_entry, top);
}

void cpu_secondary(struct cpu_boot *boot)
{
	if (boot->mmu)
		mmu_enable_cpu();
	boot->entry(boot->argument);
	cpu_off();
}

void cpu_off(void)
{
	__asm__ volatile("msr daifset, #0xf" ::: "memory");
	psci_call(PSCI_CPU_OFF, 0, 0, 0);
	for (;;)
		irq_wait();
}
