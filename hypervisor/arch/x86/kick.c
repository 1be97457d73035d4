// SPDX-License-Identifier: GPL-2.0-only
/*
 * How a CPU is had back, wherever it is: by an NMI, which no guest can mask. At most one of ours
 * is on its way to a CPU at a time:
 *
 *   who wants something          the CPU
 *   flag = true                  NMI gate: kicked = false
 *   kicked: false -> true?       IRET, which serializes (APM 2, 7.6.4)
 *   then an NMI                  flags read
 *
 * So either the CPU sees the flag, or kicked was false again and it is sent one more.
 */
#include "arch/cpu.h"
#include "asm.h"
#include "core/budget.h"
#include "pure/icr.h"
#include "x86.h"

/* Longer than an INIT needs to arrive */
#define INIT_DELAY_US 1000

/* arch_cpu.power */
enum power {
	POWER_ON,
	POWER_HALTED,	/* halted on bare metal, but in our memory */
	POWER_INIT,	/* somebody sends it an INIT */
	POWER_OFF,	/* it waits for a SIPI */
};

void kick(const struct cpu *target)
{
	struct percpu *percpu = percpu_of_cpu(target);

	if (!__atomic_exchange_n(&percpu->kicked, 1, __ATOMIC_SEQ_CST))
		apic_send((uint32_t)target->hwid, ICR_NMI_LOW);
}

void kick_hold(struct cpu *self)
{
	while (__atomic_exchange_n(&percpu_of_cpu(self)->kicked, 1, __ATOMIC_SEQ_CST)) {
		halt_if_dead();
		machine.virt->wait(self);
	}
}

/*
 * Of two NMIs that come together the CPU keeps one. If both are there before it leaves the
 * guest, and one was ours, then the other is lost, as any that comes while one waits.
 */
void exit_nmi(struct cpu *self, bool kicked)
{
	struct arch_cpu *arch = self->arch;

	/* stays until the CPU is parked: who sent it waits for that */
	if (__atomic_load_n(&arch->init, __ATOMIC_ACQUIRE)) {
		exit_count_management(self);
		cpu_park(self, CPU_PARKED);
	}
	if (__atomic_exchange_n(&arch->guest_nmi, false, __ATOMIC_ACQUIRE) || !kicked) {
		exit_counted(self, ABI_STAT_X86_NMI, 0);
		machine.virt->inject_nmi(self);
	} else {
		exit_count_management(self);
	}
	halt_if_dead();
}

void arch_cpu_kick(const struct cpu *target)
{
	kick(target);
}

void arch_cpu_kick_out(const struct cpu *target)
{
	kick(target);
}

void arch_cpu_wait(struct cpu *self)
{
	machine.virt->wait(self);
}

/* In HLT with interrupts masked; an NMI finds the gate, and the CPU halts again. */
_Noreturn void arch_cpu_power_off(struct cpu *self)
{
	apic_reset(self);
	machine.virt->off(self);
	__atomic_store_n(&self->arch->power, POWER_HALTED, __ATOMIC_RELEASE);
	for (;;)
		__asm__ volatile("hlt");
}

static void delay_us(uint64_t us)
{
	uint64_t start = arch_now(), ticks = arch_ticks_per_second() / 1000000 * us;

	while (arch_now() - start < ticks)
		cpu_relax();
}

/* There is no firmware to ask: whoever comes first has it wait for a SIPI, out of our memory. */
bool arch_cpu_is_off(const struct cpu *cpu)
{
	uint32_t *power = &cpu->arch->power, halted = POWER_HALTED;

	/* pairs with the release in arch_cpu_power_off() */
	if (__atomic_compare_exchange_n(power, &halted, POWER_INIT, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		apic_send((uint32_t)cpu->hwid, ICR_INIT_LOW);
		delay_us(INIT_DELAY_US);
		__atomic_store_n(power, POWER_OFF, __ATOMIC_RELEASE);
	}
	return __atomic_load_n(power, __ATOMIC_ACQUIRE) == POWER_OFF;
}

_Noreturn void arch_cpu_leave(struct cpu *self)
{
	machine.virt->leave(self, 0);
}
