// SPDX-License-Identifier: GPL-2.0-only
/* The hypervisor's own segments, gates and control registers, and Linux's, which it came with. */
#include "asm.h"
#include "x86.h"

/* Descriptors of 64-bit mode (APM 2, 4.8): present, long mode code; present, writable data */
#define DESCRIPTOR_CODE 0x00209b0000000000ull
#define DESCRIPTOR_DATA 0x0000930000000000ull
/* Available TSS: type and P */
#define DESCRIPTOR_TSS 0x89
/* Interrupt gate: type and P (APM 2, 4.8.4) */
#define GATE_INTERRUPT 0x00008e0000000000ull
#define GATE_IST(n) ((uint64_t)(n) << 32)

#define VECTOR_NMI 2u
#define FAULTS 32u
#define IST_FAULT 1u

#define HOST_CR0 (CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_PG)
#define HOST_CR4 (CR4_PAE | CR4_MCE | CR4_OSFXSR | CR4_OSXMMEXCPT)
#define HOST_EFER (EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE | EFER_SVME)
/* As after reset (APM 2, 7.8.1): WB, WT, UC-, UC, twice */
#define HOST_PAT 0x0007040600070406ull
/* As after reset: no breakpoint */
#define HOST_DR7 0x400
#define CPUID1_ECX_XSAVE BIT(26)

/* entry.S */
extern uint8_t fault_gates[], nmi_gate[];
/* apic_gate.S */
extern uint8_t drain_gate[];
void own_segments(void);

static void set_gate(struct gate *idt, unsigned vector, const uint8_t *handler, unsigned ist)
{
	uint64_t at = (uint64_t)handler;

	idt[vector] = (struct gate){
		.low = (at & 0xffff) | HOST_CS << 16 | GATE_IST(ist) | GATE_INTERRUPT | (at >> 16 & 0xffff) << 48,
		.high = at >> 32,
	};
}

void host_build_idt(void)
{
	unsigned i;

	for (i = 0; i < FAULTS; i++)
		set_gate(machine.idt, i, fault_gates + i * FAULT_GATE_SIZE, IST_FAULT);
	/* on the stack it interrupts, which is the CPU's own and whole */
	set_gate(machine.idt, VECTOR_NMI, nmi_gate, 0);
	for (i = 0; i < ARRAY_SIZE(machine.drain); i++)
		set_gate(machine.drain, i, i == VECTOR_NMI ? nmi_gate : drain_gate, 0);
}

static void build_gdt(struct percpu *percpu)
{
	struct arch_cpu *arch = &percpu->arch;
	uint64_t tss = (uint64_t)&arch->tss;

	arch->tss.ist[IST_FAULT - 1] = (uint64_t)(percpu->fault_stack + sizeof(percpu->fault_stack));
	arch->tss.iomap = sizeof(arch->tss);
	arch->gdt = (struct gdt){
		.code = DESCRIPTOR_CODE,
		.data = DESCRIPTOR_DATA,
		.tss = { .limit = sizeof(arch->tss) - 1, .base0 = (uint16_t)tss, .base1 = (uint8_t)(tss >> 16),
			 .type = DESCRIPTOR_TSS, .base2 = (uint8_t)(tss >> 24), .base3 = (uint32_t)(tss >> 32) },
	};
}

void host_own(struct cpu *self)
{
	struct percpu *percpu = percpu_of_cpu(self);
	struct arch_cpu *arch = self->arch;
	struct table_register gdtr = { sizeof(arch->gdt) - 1, (uint64_t)&arch->gdt };
	struct table_register idtr = { sizeof(machine.idt) - 1, (uint64_t)machine.idt };
	uint64_t xsave = cpuid_get(CPUID_ECX(1)) & CPUID1_ECX_XSAVE ? CR4_OSXSAVE : 0;

	percpu->self = percpu;
	build_gdt(percpu);
	/* NX must be known to the walker before the tables that use it */
	wrmsr(MSR_EFER, HOST_EFER);
	write_cr0(HOST_CR0);
	write_cr3(pool_phys(&self->sys->pool, machine.tables.root).v);
	/* forgets what was global, too */
	write_cr4(HOST_CR4 | xsave);
	__asm__ volatile("lgdt %0; lidt %1" : : "m"(gdtr), "m"(idtr) : "memory");
	own_segments();
	__asm__ volatile("lldt %w0; ltr %w1" : : "r"(0), "r"(HOST_TR) : "memory");
	wrmsr(MSR_GS_BASE, (uint64_t)percpu);
	wrmsr(MSR_PAT, HOST_PAT);
	write_dr7(HOST_DR7);
}

void host_give_back(const struct cpu *self)
{
	const struct came *came = &self->arch->came;

	wrmsr(MSR_PAT, came->pat);
	wrmsr(MSR_EFER, came->efer | EFER_SVME);
	write_cr0(came->cr0);
	write_cr4(came->cr4);
	__asm__ volatile("lgdt %0; lidt %1" : : "m"(came->gdtr), "m"(came->idtr) : "memory");
	write_dr6(came->dr6);
	write_dr7(came->dr7);
}
