/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "state.h"
#include "x86_64/apic.h"
#include "x86_64/asm.h"
#include "x86_64/cpu.h"
#include "x86_64/exception.h"

#define START_NS 10000000000ull
#define CPUID_HYPERVISOR 0x40000000u
#define VENDOR_AMD_EBX 0x68747541u	/* "Auth" */

struct cpu_local image_local;

struct cpu_boot *volatile cpu_starting;

static struct {
	bool known, amd;
} vendor;

void cpu_begin(void)
{
	exception_init();
	apic_choose_mode();
	cpu_set_deadline(UINT64_MAX);
}

bool hypercall_is_vmmcall(void)
{
	if (!vendor.known) {
		vendor.amd = cpuid(0, 0).ebx == VENDOR_AMD_EBX;
		vendor.known = true;
	}
	return vendor.amd;
}

/* APM 3, VMMCALL; SDM 3, VMCALL: each maker has its own. */
int64_t hypercall(uint64_t number, uint64_t argument1, uint64_t argument2)
{
	if (hypercall_is_vmmcall())
		__asm__ volatile("vmmcall" : "+a"(number) : "D"(argument1), "S"(argument2) : "memory");
	else
		__asm__ volatile("vmcall" : "+a"(number) : "D"(argument1), "S"(argument2) : "memory");
	return (int64_t)number;
}

bool hypervisor_present(void)
{
	struct cpuid c;

	if (!(cpuid(1, 0).ecx & CPUID_1_ECX_HYPERVISOR))
		return false;
	c = cpuid(CPUID_HYPERVISOR, 0);
	return memcmp(&c.ebx, "Jailhouse\0\0\0", 12) == 0;
}

/* CPUID would be an exit. */
uint64_t cpu_affinity(void)
{
	return apic_x2apic() ? apic_read(APIC_ID) : apic_read(APIC_ID) >> 24;
}

void cpu_send(uint64_t affinity, uint32_t low)
{
	apic_send((uint32_t)affinity, ICR_ASSERT | low);
}

int64_t cpu_start(uint64_t affinity, void (*entry)(void *argument), void *argument,
		  void *stack, size_t size)
{
	uint64_t top = (uint64_t)(uintptr_t)stack + size - sizeof(struct cpu_boot), until;
	struct cpu_boot *boot = (struct cpu_boot *)(uintptr_t)top;

	/* From here on it writes nothing any more: cpu_starting is this CPU's */
	cpu_send(affinity, ICR_INIT);
	*boot = (struct cpu_boot){ .entry = entry, .argument = argument };
	cpu_starting = boot;
	cpu_send(affinity, ICR_SIPI | SECONDARY_VECTOR);
	until = timer_now() + timer_ns_to_ticks(START_NS);
	while (cpu_starting)
		if (timer_now() > until)
			return -ABI_EIO;
	return 0;
}

void cpu_secondary(struct cpu_boot *boot)
{
	cpu_begin();
	cpu_starting = NULL;
	boot->entry(boot->argument);
	cpu_off();
}

/* HLT with interrupts masked: until an INIT comes, or the hypervisor has it back. */
void cpu_off(void)
{
	for (;;)
		__asm__ volatile("cli\n\thlt" ::: "memory");
}
