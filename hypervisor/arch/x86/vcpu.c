// SPDX-License-Identifier: GPL-2.0-only
/* A CPU changes hands: every register an owner could have left something in (APM 2, 14.1.3: state after INIT). */
#include "arch/cpu.h"
#include "asm.h"
#include "base/str.h"
#include "x86.h"

#define CPUID1_ECX_XSAVE BIT(26)
#define CPUID_XSTATE 0xd
#define XCR0_RESET 1

/* SSE and AVX as they begin (APM 2, 11.5.2): the head and the legacy area of an XSAVE image in which nothing is valid */
#define XSAVE_SIZE 576
static const struct {
	uint16_t fcw;
	uint8_t zero1[22];
	uint32_t mxcsr;
	uint8_t zero2[XSAVE_SIZE - 28];
} __attribute__((aligned(64))) init_image = { .fcw = 0x37f, .mxcsr = 0x1f80 };
static_assert(sizeof(init_image) == XSAVE_SIZE, "APM 2, 11.5.2");

static void write_xcr0(uint64_t value)
{
	__asm__ volatile("xsetbv" : : "c"(0), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

static void clean_fpu(void)
{
	/* what XRSTOR leaves of the last instruction's and operand's addresses */
	__asm__ volatile("fninit");
	if (cpuid_get(CPUID_ECX(1)) & CPUID1_ECX_XSAVE) {
		struct cpuid c = cpuid(CPUID_XSTATE, 0);

		write_xcr0((uint64_t)c.edx << 32 | c.eax);
		__asm__ volatile("xrstor64 %0" : : "m"(init_image), "a"(c.eax), "d"(c.edx));
		write_xcr0(XCR0_RESET);
	} else {
		__asm__ volatile("fxrstor64 %0" : : "m"(init_image));
	}
}

/* DR6 and DR7 are part of what virt->reset sets. */
static void clean_debug(void)
{
	__asm__ volatile("mov %0, %%db0; mov %0, %%db1; mov %0, %%db2; mov %0, %%db3" : : "r"(0ull));
}

void arch_vcpu_quiesce(struct cpu *self)
{
	apic_quiesce(self);
}

/* At an address of the cell's configuration, or by a SIPI whose vector is the number of a page (APM 2, 14.1.3, 16.5). */
static void reset(struct cpu *self, const struct vcpu_start *start)
{
	uint64_t entry = start->entry.v, base = start->argument != 0 ? entry : align_down(entry, 0x10000);

	machine.virt->reset(self, base, (uint16_t)(entry - base));
}

_Noreturn void arch_vcpu_start(struct cpu *self, const struct vcpu_start *start)
{
	struct regs *regs = regs_of(self);

	clean_fpu();
	clean_debug();
	msr_reset(self);
	apic_reset(self);
	reset(self, start);
	memset(regs, 0, sizeof(*regs));
	/* family, model and stepping */
	regs->r[RDX] = cpuid_get(CPUID_EAX(1));
	machine.virt->enter(self);
}

_Noreturn void arch_cpu_restart(struct cpu *self, void (*run)(struct cpu *self))
{
	/* for the guest that it has left: nobody tells it anything before it is in one again */
	__atomic_store_n(&self->arch->init, false, __ATOMIC_SEQ_CST);
	__atomic_store_n(&self->arch->guest_nmi, false, __ATOMIC_SEQ_CST);
	/* below the registers, which the next guest is given while it runs */
	restart_on_stack(regs_of(self), run, self);
}
