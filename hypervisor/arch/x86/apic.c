// SPDX-License-Identifier: GPL-2.0-only
/*
 * The local APIC of each CPU, in the mode its guest has it: page or MSRs. What is done here
 * for guests follows pure/apic.h.
 *
 * The hypervisor itself sends NMIs with it, whatever the guest has done to it: one that is
 * disabled by software (SVR) still sends and takes them (SDM 3, 11.4.7.2), and no guest
 * can disable it by APIC_BASE.
 */
#include "arch/cpu.h"
#include "asm.h"
#include "pure/icr.h"
#include "x86.h"

#define CPUID1_ECX_X2APIC BIT(21)
#define APIC_BASE_ADDRESS BITS(51, 12)
#define APIC_BASE_BSP BIT(8)
#define APIC_BASE_MODE (APIC_BASE_X2APIC | APIC_BASE_ENABLE)
#define SVR_RESET 0xffu
#define ICR_STATUS BIT(12)
/* TIMER_DIVIDE: by 1 */
#define DIVIDE_1 0xbu
#define IRR_WORDS 8u
/* VERSION_MAX_LVT, with CMCI among them */
#define MAX_LVT_CMCI 6u
/* More than there are vectors. A cell that goes on sending finds its CPU disabled, or drained again */
#define DRAIN_MAX 1024u

static uint32_t read_as(bool x2apic, uint32_t offset)
{
	if (x2apic)
		return (uint32_t)rdmsr(MSR_X2APIC + offset / 16);
	return *(volatile uint32_t *)(APIC_PAGE + offset);
}

static void write_as(bool x2apic, uint32_t offset, uint32_t value)
{
	if (x2apic)
		wrmsr(MSR_X2APIC + offset / 16, value);
	else
		*(volatile uint32_t *)(APIC_PAGE + offset) = value;
}

static uint32_t apic_read(const struct cpu *self, uint32_t offset)
{
	return read_as(self->arch->apic.x2apic, offset);
}

static void apic_write(const struct cpu *self, uint32_t offset, uint32_t value)
{
	write_as(self->arch->apic.x2apic, offset, value);
}

static bool is_x2apic(uint64_t base)
{
	return (base & APIC_BASE_MODE) == APIC_BASE_MODE;
}

uint32_t apic_id(void)
{
	bool x2apic = is_x2apic(rdmsr(MSR_APIC_BASE));
	uint32_t id = read_as(x2apic, APIC_ID);

	return x2apic ? id : id >> 24;
}

err_t apic_check(struct cpu *self, struct why *why)
{
	struct apic_cpu *apic = &self->arch->apic;
	uint64_t base = rdmsr(MSR_APIC_BASE);

	if ((base & APIC_BASE_ADDRESS) != APIC_PAGE || !(base & APIC_BASE_ENABLE))
		return why_set(why, ERR_UNSUPPORTED,
			       "CPU %u: its local APIC is not at 0x%llx or disabled (APIC_BASE 0x%llx): leave it as the firmware has it, without nolapic",
			       self->id, APIC_PAGE, (unsigned long long)base);
	apic->x2apic = is_x2apic(base);
	apic->id = apic_id();
	if (apic->id != self->hwid)
		return why_set(why, ERR_INVALID,
			       "CPU %u: its local APIC has id 0x%x, CPUID says 0x%llx: write the one it has into machine.toml",
			       self->id, apic->id, (unsigned long long)self->hwid);
	return OK;
}

void apic_activate(struct cpu *self)
{
	struct apic_cpu *apic = &self->arch->apic;

	apic->destination_format = DFR_FLAT;
	if (apic->x2apic)
		return;
	apic->logical_id = apic_read(self, APIC_LDR);
	apic->destination_format = apic_read(self, APIC_DFR);
	apic->icr_high = apic_read(self, APIC_ICR_HIGH);
}

/* --- sending --- */

static void wait_sent(void)
{
	while (read_as(false, APIC_ICR) & ICR_STATUS)
		cpu_relax();
}

void apic_send(uint32_t id, uint32_t low)
{
	const struct apic_cpu *apic = &this_cpu()->arch->apic;

	/* what it is sent for was written before: every way here passes a locked instruction */
	if (apic->x2apic) {
		wrmsr(MSR_X2APIC_ICR, (uint64_t)id << 32 | low);
		return;
	}
	wait_sent();
	write_as(false, APIC_ICR_HIGH, id << 24);
	write_as(false, APIC_ICR, low);
	wait_sent();
	/* the guest reads it */
	write_as(false, APIC_ICR_HIGH, apic->icr_high);
}

/* --- a new owner --- */

static void mask_from(const struct cpu *self, uint32_t offset, uint32_t end)
{
	for (; offset < end; offset += 16) {
		if (self->arch->apic.x2apic)
			(void)guest_wrmsr(MSR_X2APIC + offset / 16, LVT_MASKED);
		else
			apic_write(self, offset, (uint32_t)LVT_MASKED);
	}
}

/*
 * All there are, as the version register says: one there is not is an error in ESR, which
 * QEMU never forgets, and Linux takes it for that of the INIT it sends.
 */
static void mask_lvts(const struct cpu *self)
{
	const uint32_t version = apic_read(self, APIC_VERSION);
	uint32_t end = APIC_EXT_LVT;

	if (FIELD_GET(VERSION_MAX_LVT, version) >= MAX_LVT_CMCI)
		mask_from(self, APIC_LVT_CMCI, APIC_LVT_CMCI + 16);
	mask_from(self, APIC_LVT_TIMER, APIC_LVT_ERROR + 16);
	if (version & VERSION_EXT_SPACE)
		end += 16 * (uint32_t)FIELD_GET(EXT_FEATURE_LVTS, apic_read(self, APIC_EXT_FEATURE));
	mask_from(self, APIC_EXT_LVT, end < APIC_EXT_LVT_END ? end : APIC_EXT_LVT_END);
}

static bool any(const struct cpu *self, uint32_t words)
{
	uint32_t found = 0;
	unsigned i;

	for (i = 0; i < IRR_WORDS; i++)
		found |= apic_read(self, words + i * 16);
	return found != 0;
}

static __attribute__((noinline)) void end_all(const struct cpu *self)
{
	while (any(self, APIC_ISR))
		apic_write(self, APIC_EOI, 0);
}

static __attribute__((noinline)) void load_idt(const struct gate *idt)
{
	const struct table_register idtr = { sizeof(machine.idt) - 1, (uint64_t)idt };

	__asm__ volatile("lidt %0" : : "m"(idtr) : "memory");
}

/*
 * What is requested can only be taken: no write clears IRR. So it is, by gates that do
 * nothing, and ended. Vector 18 is an interrupt here: a machine check in that moment resets the
 * machine (CR4.MCE off), instead of being lost.
 */
static void drain(struct cpu *self)
{
	const uint64_t nmis = percpu_of_cpu(self)->nmis, cr4 = read_cr4();
	unsigned tries = 0;

	end_all(self);
	write_cr4(cr4 & ~CR4_MCE);
	load_idt(machine.drain);
	while (any(self, APIC_IRR) && tries++ < DRAIN_MAX) {
		machine.virt->open();
		end_all(self);
	}
	load_idt(machine.idt);
	write_cr4(cr4);
	/* what they came for is still to be looked at */
	if (percpu_of_cpu(self)->nmis != nmis)
		kick(self);
}

/*
 * Through disabled, the only way down (SDM 3, 11.12.5). An NMI that comes while it is so is lost:
 * none of ours is on its way, and one to itself stands in for those that were not sent.
 */
static void set_mode(struct cpu *self, bool x2apic)
{
	/* the upper half is 0: apic_check() */
	uint32_t base = (uint32_t)(rdmsr(MSR_APIC_BASE) & ~APIC_BASE_MODE);

	if (self->arch->apic.x2apic == x2apic)
		return;
	kick_hold(self);
	if (!x2apic)
		wrmsr(MSR_APIC_BASE, base);
	wrmsr(MSR_APIC_BASE, base | APIC_BASE_ENABLE);
	if (x2apic)
		wrmsr(MSR_APIC_BASE, base | APIC_BASE_MODE);
	__atomic_store_n(&self->arch->apic.x2apic, x2apic, __ATOMIC_RELAXED);
	apic_send(self->arch->apic.id, ICR_NMI_LOW);
}

void apic_quiesce(struct cpu *self)
{
	struct apic_cpu *apic = &self->arch->apic;

	apic_write(self, APIC_TIMER_INITIAL, 0);
	mask_lvts(self);
	apic_write(self, APIC_TPR, 0);
	/* disabled it would hold back what is requested (SDM 3, 11.4.7.2) */
	apic_write(self, APIC_SVR, SVR_RESET | (uint32_t)SVR_ENABLE);
	drain(self);
	/* CPU 0 is Linux's always: what it has is what the machine's other CPUs begin with */
	set_mode(self, percpu_of(0)->arch.apic.x2apic);
	apic_write(self, APIC_SVR, SVR_RESET);
	apic_write(self, APIC_TIMER_DIVIDE, 0);
	apic_write(self, APIC_ESR, 0);
	/* to nobody: what the last one was is not for whoever comes next */
	apic_send(0, ICR_NMI_LOW | (uint32_t)ICR_LOGICAL);
	if (!apic->x2apic) {
		apic_write(self, APIC_LDR, 0);
		apic_write(self, APIC_DFR, DFR_FLAT);
		apic_write(self, APIC_ICR_HIGH, 0);
	}
	apic->icr_high = 0;
	__atomic_store_n(&apic->logical_id, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&apic->destination_format, DFR_FLAT, __ATOMIC_RELAXED);
	/* the first CPU that comes here has a millisecond for all */
	if (__atomic_load_n(&machine.apic_khz, __ATOMIC_RELAXED) == 0)
		__atomic_store_n(&machine.apic_khz, apic_measure(self), __ATOMIC_RELAXED);
}

void apic_reset(struct cpu *self)
{
	/* again: somebody may have sent something meanwhile */
	apic_quiesce(self);
}

uint32_t apic_measure(struct cpu *self)
{
	const uint64_t khz = arch_ticks_per_second() / 1000;
	uint64_t start, passed;
	uint32_t count;

	apic_write(self, APIC_TIMER_DIVIDE, DIVIDE_1);
	apic_write(self, APIC_TIMER_INITIAL, UINT32_MAX);
	start = arch_now();
	do {
		cpu_relax();
		passed = arch_now() - start;
	} while (passed < khz);
	count = UINT32_MAX - apic_read(self, APIC_TIMER_CURRENT);
	apic_write(self, APIC_TIMER_INITIAL, 0);
	apic_write(self, APIC_TIMER_DIVIDE, 0);
	return (uint32_t)(count * khz / passed);
}

/* --- what guests write --- */

/* ERR_INVALID: no such access. */
static err_t write_page(struct cpu *self, uint32_t offset, uint32_t value)
{
	struct apic_cpu *apic = &self->arch->apic;
	bool root = cell_is_root(self->cell);

	switch (apic_write_rule(offset, root)) {
	case APIC_WRITE_ROOT:
	case APIC_WRITE_DROP:
		return OK;
	case APIC_WRITE_ICR:
		return ipi_send(self, (uint64_t)(apic->icr_high >> 24) << 32 | value) == OUT_NEXT ? OK : ERR_INVALID;
	case APIC_WRITE_ICR_HIGH:
		apic->icr_high = value;
		break;
	case APIC_WRITE_LVT:
		value = apic_lvt(value);
		break;
	case APIC_WRITE_LDR:
		__atomic_store_n(&apic->logical_id, value, __ATOMIC_RELAXED);
		if (!root)
			return OK;
		break;
	case APIC_WRITE_DFR:
		/* SDM 3, figure 11-14: the other bits are all ones */
		__atomic_store_n(&apic->destination_format, value, __ATOMIC_RELAXED);
		if (!root)
			return OK;
		break;
	case APIC_WRITE_PASS:
		break;
	}
	apic_write(self, offset, value);
	return OK;
}

err_t apic_mmio(struct cpu *self, struct mmio_access *access)
{
	uint32_t offset = (uint32_t)access->address.v;

	/* SDM 3, 11.4.1: 32 bits at multiples of 16; in x2APIC mode there is nothing */
	if (self->arch->apic.x2apic || access->size != 4 || offset % 16 != 0)
		return ERR_INVALID;
	if (access->write)
		return write_page(self, offset, (uint32_t)access->value);
	access->value = apic_read(self, offset);
	return OK;
}

uint64_t apic_base(const struct cpu *self)
{
	uint32_t base = (uint32_t)(rdmsr(MSR_APIC_BASE) & ~APIC_BASE_BSP);

	return self == cell_cpu_from(self->cell, 0) ? base | APIC_BASE_BSP : base;
}

/*
 * xAPIC to x2APIC; or disabled, which is the way from x2APIC to xAPIC: that is where it is at once, and what
 * the guest writes there next is no change.
 */
static enum outcome write_base(struct cpu *self, uint64_t value)
{
	uint64_t base = apic_base(self), wanted = self->arch->apic.x2apic ? base & ~APIC_BASE_MODE : base | APIC_BASE_X2APIC;

	if (value == base)
		return OUT_NEXT;
	if (value != wanted || !(cpuid_get(CPUID_ECX(1)) & CPUID1_ECX_X2APIC))
		return OUT_GP;
	set_mode(self, !self->arch->apic.x2apic);
	return OUT_NEXT;
}

enum outcome apic_wrmsr(struct cpu *self, uint32_t msr, uint64_t value)
{
	if (msr == MSR_APIC_BASE)
		return write_base(self, value);
	if (!self->arch->apic.x2apic || value & (msr == MSR_X2APIC_ICR ? ICR_RESERVED : BITS(63, 32)))
		return OUT_GP;
	if (msr == MSR_X2APIC_ICR)
		return ipi_send(self, value);
	/* an LVT entry; what bits it has the CPU says */
	return guest_wrmsr(msr, apic_lvt((uint32_t)value)) ? OUT_NEXT : OUT_GP;
}
