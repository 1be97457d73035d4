// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts between CPUs. What a guest writes to the ICR is sent to those of its own cell's CPUs
 * that it means, one by one by their physical ids. INIT and SIPI are core's: a CPU that is sent
 * an INIT leaves its guest and waits, one that is sent a SIPI is started.
 */
#include "pure/icr.h"
#include "x86.h"

/* An instruction address of a SIPI: vector << 12, in real mode. */
#define STARTUP_SHIFT 12
/* What tells arch_vcpu_start() that it is one */
#define STARTUP 1

/* The cell's CPU of that id, mostly at the first look. */
static const struct cpu *find(const struct cpu *self, uint32_t id)
{
	const struct system *sys = self->sys;
	const struct cpu *cpu;

	if (id < sys->cpu_count) {
		cpu = sys->cpus[id];
		if (cpu->hwid == id)
			return __atomic_load_n(&cpu->cell, __ATOMIC_RELAXED) == self->cell ? cpu : NULL;
	}
	return cpu_find(self->cell, id);
}

static void send_nmi(struct cpu *self, struct cpu *target)
{
	if (target == self)
		machine.virt->inject_nmi(self);
	else if (cpu_tell(self->cell, target, &target->arch->guest_nmi))
		kick(target);
}

static void send_init(const struct cell *cell, struct cpu *target)
{
	/* one that is parked waits for a SIPI already */
	if (cpu_recall(cell, target, &target->arch->init))
		kick(target);
}

/*
 * Until the target has left its guest. It does as soon as the NMI comes, unless it waits here
 * itself: so whoever waits here looks at what it was sent itself.
 */
static void wait_init(struct cpu *self, struct cpu *target)
{
	while (cpu_get_state(target) == CPU_IN_GUEST && __atomic_load_n(&target->arch->init, __ATOMIC_ACQUIRE)) {
		halt_if_dead();
		cpu_check_stop(self);
		if (__atomic_load_n(&self->arch->init, __ATOMIC_ACQUIRE))
			cpu_park(self, CPU_PARKED);
		__asm__ volatile("pause");
	}
}

static void send_startup(const struct cell *cell, struct cpu *target, uint64_t vector)
{
	err_t e = cpu_start(cell, target, &(struct vcpu_start){ gpa(vector << STARTUP_SHIFT), STARTUP, false });

	/* one that runs, or was sent one already, ignores it (SDM 3, 9.4.4.1) */
	(void)e;
}

static void send(struct cpu *self, struct cpu *target, enum icr_kind kind, uint64_t icr)
{
	switch (kind) {
	case ICR_KIND_FIXED:
	case ICR_KIND_LOWEST:
		apic_send((uint32_t)target->hwid, ICR_FIXED((uint32_t)(icr & ICR_VECTOR)));
		break;
	case ICR_KIND_NMI:
		send_nmi(self, target);
		break;
	case ICR_KIND_INIT:
		send_init(self->cell, target);
		break;
	case ICR_KIND_STARTUP:
		send_startup(self->cell, target, icr & ICR_VECTOR);
		break;
	case ICR_KIND_NOTHING:
	case ICR_KIND_REFUSED:
		break;
	}
}

/* To all that are meant; nobody waits before all were told. */
static void send_all(struct cpu *self, enum icr_kind kind, uint64_t icr)
{
	struct cpu *cpu;

	for_each_cell_cpu(cpu, self->cell) {
		if (!icr_is_meant(icr, &self->arch->apic, &cpu->arch->apic))
			continue;
		send(self, cpu, kind, icr);
		if (kind == ICR_KIND_LOWEST)
			return;
	}
	if (kind != ICR_KIND_INIT)
		return;
	for_each_cell_cpu(cpu, self->cell)
		if (icr_is_meant(icr, &self->arch->apic, &cpu->arch->apic))
			wait_init(self, cpu);
}

static enum outcome refuse(struct cpu *self, uint64_t icr)
{
	if (!cell_is_root(self->cell))
		return OUT_GP;
	cell_refused(self, "an IPI by ICR", icr);
	return OUT_NEXT;
}

static __attribute__((noinline)) enum outcome send_other(struct cpu *self, uint64_t icr)
{
	enum icr_kind kind = icr_kind(icr);

	if (kind == ICR_KIND_REFUSED)
		return refuse(self, icr);
	if (kind != ICR_KIND_NOTHING)
		send_all(self, kind, icr);
	return OUT_NEXT;
}

enum outcome ipi_send(struct cpu *self, uint64_t icr)
{
	uint32_t destination = (uint32_t)(icr >> 32);
	const struct cpu *target;

	if (!icr_is_plain(icr) || destination >= 0xff)
		return send_other(self, icr);
	target = find(self, destination);
	if (target != NULL)
		apic_send(destination, (uint32_t)icr | (uint32_t)ICR_ASSERT);
	return OUT_NEXT;
}
