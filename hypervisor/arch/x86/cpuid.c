// SPDX-License-Identifier: GPL-2.0-only
#include "core/budget.h"
#include "pure/cpuid.h"
#include "asm.h"
#include "x86.h"

__attribute__((noinline)) uint32_t cpuid_get(uint32_t what)
{
	uint32_t leaf = what & 0x800000ff;
	struct cpuid c = cpuid(leaf & 0x80000000, 0);

	if (c.eax < leaf)
		return 0;
	c = cpuid(leaf, what >> 16 & 1);
	switch (what >> 8 & 3) {
	case 0:
		return c.eax;
	case 1:
		return c.ebx;
	case 2:
		return c.ecx;
	default:
		return c.edx;
	}
}

void exit_cpuid(struct cpu *self, struct regs *regs)
{
	uint32_t leaf = (uint32_t)regs->r[RAX], subleaf = (uint32_t)regs->r[RCX];
	struct guest_mode mode = { 0 };
	struct cpuid_answer a;
	struct cpuid c;

	exit_counted(self, ABI_STAT_X86_CPUID, leaf);
	c = cpuid(leaf, subleaf);
	a = (struct cpuid_answer){ c.eax, c.ebx, c.ecx, c.edx };
	if (cpuid_wants_cr4(leaf))
		machine.virt->mode(self, &mode);
	cpuid_filter(leaf, subleaf, cell_is_root(self->cell), mode.cr4, &a);
	regs->r[RAX] = a.eax;
	regs->r[RBX] = a.ebx;
	regs->r[RCX] = a.ecx;
	regs->r[RDX] = a.edx;
}
