/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "state.h"
#include "x86_64/apic.h"
#include "x86_64/asm.h"
#include "x86_64/cpu.h"

#define DIVIDE_BY_1 0xbu	/* SDM 3, 10.5.4 */

static struct {
	bool tsc_deadline;
	uint64_t ratio;		/* of the APIC timer's counts to ticks, times 2^32, rounded up */
} timer;

uint64_t timer_frequency(void)
{
	return comm_page()->arch.x86.tsc_khz * 1000ull;
}

uint64_t timer_now(void)
{
	/* The counter may be read ahead of earlier instructions (APM 3, RDTSC). */
	__asm__ volatile("lfence" ::: "memory");
	return rdtsc();
}

void timer_init(void)
{
	const struct abi_comm_x86 *x86 = &comm_page()->arch.x86;

	timer.tsc_deadline = cpuid(1, 0).ecx & CPUID_1_ECX_TSC_DEADLINE;
	timer.ratio = (((uint64_t)x86->apic_khz << 32) + x86->tsc_khz - 1) / x86->tsc_khz;
	apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
	timer_disarm();
}

uint32_t timer_mode(void)
{
	return timer.tsc_deadline ? APIC_LVT_TSC_DEADLINE : 0;
}

/* Rounded up. Too far away for 32 bits, it fires early: timer_due() goes on from there. */
static uint32_t counts(uint64_t ticks)
{
	unsigned __int128 count = ((unsigned __int128)ticks * timer.ratio + UINT32_MAX) >> 32;

	return count < UINT32_MAX ? (uint32_t)count : UINT32_MAX;
}

void timer_arm(uint64_t at)
{
	uint64_t now;

	cpu_set_deadline(at);
	if (timer.tsc_deadline) {
		wrmsr(MSR_TSC_DEADLINE, at ? at : 1);
		return;
	}
	now = timer_now();
	/* 0 would stop it */
	apic_write(APIC_TIMER_INITIAL, at > now ? counts(at - now) : 1);
}

void timer_disarm(void)
{
	cpu_set_deadline(UINT64_MAX);
	if (timer.tsc_deadline)
		wrmsr(MSR_TSC_DEADLINE, 0);
	else
		apic_write(APIC_TIMER_INITIAL, 0);
}

/* The two clocks' frequencies are known to a kHz: a little early is possible. */
bool timer_due(void)
{
	uint64_t deadline = cpu_deadline();

	if (timer_now() >= deadline)
		return true;
	if (deadline != UINT64_MAX)
		timer_arm(deadline);
	return false;
}

/* With another vector, whose interrupt nobody handles. Others' are taken, if they may be. */
void timer_sleep_until(uint64_t at)
{
	uint64_t flags;

	if (!inmate.irq_ready) {
		while (timer_now() < at)
			;
		return;
	}
	__asm__ volatile("pushfq\n\tpopq %0\n\tcli" : "=r"(flags) :: "memory");
	apic_write(APIC_LVT_TIMER, timer_mode() | (VECTOR_LINES + LINE_WAKE));
	while (timer_now() < at) {
		timer_arm(at);
		irq_wait();
	}
	timer_disarm();
	apic_write(APIC_LVT_TIMER, timer_mode() | (VECTOR_LINES + IRQ_TIMER));
	__asm__ volatile("pushq %0\n\tpopfq" :: "r"(flags) : "memory", "cc");
}
