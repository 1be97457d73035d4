// SPDX-License-Identifier: GPL-2.0-only
#include "arch/cpu.h"
#include "asm.h"
#include "base/bug.h"
#include "x86.h"

_Noreturn void halt(void)
{
	for (;;)
		__asm__ volatile("hlt");
}

void halt_if_dead(void)
{
	if (__atomic_load_n(&machine.dead, __ATOMIC_ACQUIRE))
		halt();
}

/* Nothing that shares our tables and locks goes on as if nothing had happened. */
static _Noreturn void stop_machine(void)
{
	unsigned i;

	/* a second one has nothing to add, and may have come from here */
	if (__atomic_exchange_n(&machine.dead, true, __ATOMIC_ACQ_REL))
		halt();
	/* before enable is through no CPU has a guest */
	if (__atomic_load_n(&machine.meeting.active, __ATOMIC_ACQUIRE) != machine.sys.cpu_count)
		halt();
	/* no guest can mask an NMI (APM 2, 15.13.2): whoever is in one comes, and stays */
	for (i = 0; i < machine.sys.cpu_count; i++)
		arch_cpu_kick_out(machine.sys.cpus[i]);
	halt();
}

/* By what CPUID says: it may be before this CPU has a struct percpu. */
static unsigned here(void)
{
	return cpuid(1, 0).ebx >> 24;
}

_Noreturn void bug(const char *file, unsigned line, const char *what)
{
	log_fatal(&machine.sys.log, "\njailhouse BUG: %s:%u: %s (APIC id 0x%x, called from 0x%llx)\n", file, line,
		  what, here(), (unsigned long long)__builtin_return_address(0));
	stop_machine();
}

_Noreturn void exit_hypervisor(unsigned vector, uint64_t code, uint64_t rip, uint64_t rsp)
{
	log_fatal(&machine.sys.log,
		  "\njailhouse BUG: exception in the hypervisor: vector %u, error code 0x%llx, RIP 0x%llx, RSP 0x%llx, CR2 0x%llx, APIC id 0x%x\n",
		  vector, (unsigned long long)code, (unsigned long long)rip, (unsigned long long)rsp,
		  (unsigned long long)read_cr2(), here());
	stop_machine();
}
