/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a cell asks of its surroundings, from one read of the counter to the next; nothing in between
 * that would not be there without the reads but the moves of their results.
 */
#include "bench.h"
#include "device.h"
#include "x86_64/cpu.h"

#define UNKNOWN_HYPERCALL 0xff
#define LINE_ICR 3u

static bool begin_hypercall(struct bench *b)
{
	if (!b->hypervisor)
		printk("bench: refused: workload=hypercall: there is no hypervisor to call\n");
	else if (!hypercall_is_vmmcall())
		printk("bench: refused: workload=hypercall: VMMCALL is measured, and this CPU has VMCALL\n");
	return b->hypervisor && hypercall_is_vmmcall();
}

static uint64_t sample_hypercall(struct bench *b)
{
	uint32_t before, after;

	(void)b;
	__asm__ volatile("rdtsc\n\tmovl %%eax, %0\n\tmovl %2, %%eax\n\tvmmcall\n\trdtsc"
			 : "=&r"(before), "=&a"(after) : "i"(UNKNOWN_HYPERCALL), "D"(0), "S"(0) : "rdx", "memory");
	return after - before;
}

static uint64_t sample_cpuid(struct bench *b)
{
	uint32_t before, after;

	(void)b;
	__asm__ volatile("rdtsc\n\tmovl %%eax, %0\n\tmovl $1, %%eax\n\tcpuid\n\trdtsc"
			 : "=&r"(before), "=&a"(after) :: "rbx", "rcx", "rdx", "memory");
	return after - before;
}

static uint64_t sample_msr(struct bench *b)
{
	uint32_t before, after;

	(void)b;
	__asm__ volatile("rdtsc\n\tmovl %%eax, %0\n\trdmsr\n\trdtsc"
			 : "=&r"(before), "=&a"(after) : "c"(MSR_APIC_BASE) : "rdx", "memory");
	return after - before;
}

static uint64_t sample_ioapic_read(struct bench *b)
{
	uint32_t before, after, value;

	(void)b;
	__asm__ volatile("rdtsc\n\tmovl %%eax, %0\n\tmovl (%3), %2\n\trdtsc"
			 : "=&r"(before), "=&a"(after), "=&r"(value) : "r"(IOAPIC_PAGE) : "rdx", "memory");
	return after - before;
}

/* What self-sgi does without an exit, by the register that can reach others. */
static bool begin_icr(struct bench *b)
{
	b->address = sgi_to(cpu_affinity(), LINE_ICR);
	return sgi_possible("icr");
}

static uint64_t sample_icr(struct bench *b)
{
	uint64_t before;
	struct taken t = wait_icr(b->address, &before);

	while (t.line != LINE_ICR) {
		b->spoilt = true;
		stray(b, t.line);
		t = wait_icr(b->address, &before);
	}
	end_of_interrupt(t.line);
	return t.entered - before;
}

const struct workload arch_workloads[] = {
	{ "device", begin_device, sample_device, end_device },
	{ "hypercall", begin_hypercall, sample_hypercall, NULL },
	{ "cpuid", NULL, sample_cpuid, NULL },
	{ "msr", NULL, sample_msr, NULL },
	{ "ioapic-read", NULL, sample_ioapic_read, NULL },
	{ "icr", begin_icr, sample_icr, NULL },
};
const size_t arch_workload_count = ARRAY_SIZE(arch_workloads);
