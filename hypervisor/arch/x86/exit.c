// SPDX-License-Identifier: GPL-2.0-only
/* Time, and the exits that are the same for every extension and need no model of anything. */
#include "abi/image.h"
#include "arch/cpu.h"
#include "asm.h"
#include "core/budget.h"
#include "core/cell.h"
#include "core/fault.h"
#include "core/hypercall.h"
#include "x86.h"

extern struct abi_image image_header;

uint64_t arch_now(void)
{
	return rdtsc();
}

uint64_t arch_ticks_per_second(void)
{
	/* Linux, which would not have come this far without, has measured it */
	return image_header.tsc_khz != 0 ? image_header.tsc_khz * 1000ull : 1;
}

uint64_t arch_guest_pc(void)
{
	struct guest_mode mode;

	machine.virt->mode(this_cpu(), &mode);
	/* in 64-bit mode the base of CS does not count */
	return mode.efer & EFER_LMA && mode.cs.attributes & BIT(9) ? mode.rip : mode.cs.base + mode.rip;
}

const char *arch_exit_name(unsigned reason)
{
	static const char *const names[ABI_STAT_COUNT] = {
		[ABI_STAT_X86_PIO] = "pio",
		[ABI_STAT_X86_XAPIC] = "xapic",
		[ABI_STAT_X86_CR] = "cr",
		[ABI_STAT_X86_CPUID] = "cpuid",
		[ABI_STAT_X86_XSETBV] = "xsetbv",
		[ABI_STAT_X86_EXCEPTION] = "exception",
		[ABI_STAT_X86_MSR] = "msr",
		[ABI_STAT_X86_ICR] = "icr",
		[ABI_STAT_X86_NMI] = "nmi",
		[ABI_STAT_X86_FAULT] = "fault",
		[ABI_STAT_X86_OTHER] = "other",
	};

	return names[reason];
}

enum outcome exit_hypercall(struct cpu *self, struct regs *regs, unsigned cpl, bool wide)
{
	uint64_t mask = wide ? UINT64_MAX : UINT32_MAX;

	if (cpl != 0)
		return exit_forbidden(self, "a hypercall");
	regs->r[RAX] = (uint64_t)hypercall(self, regs->r[RAX] & mask, regs->r[RDI] & mask, regs->r[RSI] & mask);
	return OUT_NEXT;
}

static void end(struct cpu *self, const char *what)
{
	fault_say(self, true, "%s at PC 0x%llx", what, (unsigned long long)arch_guest_pc());
	if (!cell_is_root(self->cell))
		cell_fail(self);
}

enum outcome exit_forbidden(struct cpu *self, const char *what)
{
	struct guest_mode mode;

	exit_counted(self, ABI_STAT_X86_EXCEPTION, 0);
	machine.virt->mode(self, &mode);
	if (mode.cpl != 0)
		return OUT_UD;
	end(self, what);
	return OUT_UD;
}

/* Linux has asked for a reset by it, or comes to its end so: the machine goes the same way, without gates. */
static _Noreturn void reset_machine(void)
{
	static const struct table_register none;

	__asm__ volatile("lidt %0; ud2" : : "m"(none));
	halt();
}

void exit_shutdown(struct cpu *self)
{
	exit_counted(self, ABI_STAT_X86_EXCEPTION, 0);
	end(self, "triple fault");
	reset_machine();
}
