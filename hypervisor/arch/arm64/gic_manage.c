// SPDX-License-Identifier: GPL-2.0-only
/*
 * How the hypervisor has its CPUs back from guests, and wakes those that sleep in it. SGI 15
 * is its own either way:
 *
 *   GICD_CTLR.DS = 1  no EL3 has Group 0: the SGI is Group 0, always enabled, of the highest
 *                     priority, and an FIQ at EL2 (HCR_EL2.FMO) whatever EL1 masks.
 *   GICD_CTLR.DS = 0  Group 0 is the firmware's: the SGI is a Group 1 one like the guest's,
 *                     and none that takes its interrupts itself may ever see it. It is
 *                     disabled while such a guest runs, and enabled while the CPU sleeps at
 *                     EL2. A guest is had back by the revoked second stage: its next fetch
 *                     is an abort. A guest whose interrupts come to EL2 gets it as an IRQ there.
 *
 * An interrupt that is routed to EL1 is no wake-up event for a WFI at EL2 (DDI0487 D1.6.2):
 * HCR_EL2.IMO is 1 for as long as one sleeps.
 */
#include "arch/cpu.h"
#include "arm64.h"
#include "sysreg.h"

#define INTID_NONE 1020u

/* Masked, not pending, of the highest priority; as it was is kept. */
static void take_sgi(struct cpu *self)
{
	uint8_t *sgi = self->arch->gicr + GICR_SGI_FRAME;
	struct bare *bare = &self->arch->bare;

	bare->gicr_group0 = frame_read(sgi, GICD_IGROUPR);
	bare->gicr_enabled = frame_read(sgi, GICD_ISENABLER);
	bare->gicr_priority = (uint8_t)gic_bus_read(sgi, GICD_IPRIORITYR + GIC_SGI_MANAGEMENT, 1);
	frame_write(sgi, GICD_ICENABLER, MANAGEMENT_BIT);
	gicr_wait_for_writes(self->arch->gicr);
	gic_bus_write(sgi, GICD_IPRIORITYR + GIC_SGI_MANAGEMENT, 1, GIC_PRIORITY_MANAGEMENT);
}

static void release_sgi(struct cpu *self)
{
	uint8_t *sgi = self->arch->gicr + GICR_SGI_FRAME;

	frame_write(sgi, GICD_ICENABLER, MANAGEMENT_BIT);
	gicr_wait_for_writes(self->arch->gicr);
	gic_ack_management();
	frame_write(sgi, GICD_ICPENDR, MANAGEMENT_BIT);
	gic_bus_write(sgi, GICD_IPRIORITYR + GIC_SGI_MANAGEMENT, 1, self->arch->bare.gicr_priority);
}

static void restore_enable(struct cpu *self)
{
	frame_write(self->arch->gicr + GICR_SGI_FRAME, GICD_ISENABLER,
		    self->arch->bare.gicr_enabled & MANAGEMENT_BIT);
}

/* HCR_EL2 as it was, for restoring. */
static uint64_t route_to_el2(void)
{
	uint64_t hcr = sysreg_read(hcr_el2);

	sysreg_write(hcr_el2, hcr | HCR_IMO);
	return hcr;
}

/* --- DS = 1 --- */

static err_t check_one_state(struct cpu *self, struct why *why)
{
	(void)self;
	(void)why;
	return OK;
}

static void take_one_state(struct cpu *self)
{
	uint8_t *sgi = self->arch->gicr + GICR_SGI_FRAME;

	self->arch->bare.icc_igrpen0 = sysreg_read(ICC_IGRPEN0_EL1);
	take_sgi(self);
	frame_write(sgi, GICD_IGROUPR, self->arch->bare.gicr_group0 & ~MANAGEMENT_BIT);
	frame_write(sgi, GICD_ISENABLER, MANAGEMENT_BIT);
	lock_take(&machine.gicd_lock);
	/* the first CPU's: the others read what it has set; never 0, affinity routing is on */
	if (machine.gicd_ctlr_bare == 0)
		machine.gicd_ctlr_bare = frame_read(machine.gicd, GICD_CTLR) & ~GICD_CTLR_RWP;
	frame_write(machine.gicd, GICD_CTLR, machine.gicd_ctlr_bare | GICD_CTLR_ENABLE_GRP0);
	lock_drop(&machine.gicd_lock);
}

static void release_one_state(struct cpu *self)
{
	uint8_t *sgi = self->arch->gicr + GICR_SGI_FRAME;

	release_sgi(self);
	frame_write(sgi, GICD_IGROUPR,
		    frame_read(sgi, GICD_IGROUPR) | (self->arch->bare.gicr_group0 & MANAGEMENT_BIT));
	restore_enable(self);
	sysreg_write(ICC_IGRPEN0_EL1, self->arch->bare.icc_igrpen0);
}

static void open_one_state(struct cpu *self)
{
	(void)self;
	sysreg_write(ICC_BPR0_EL1, 0);
	sysreg_write(ICC_IGRPEN0_EL1, 1);
}

static void start_one_state(struct cpu *self)
{
	(void)self;
}

static void quiesce_one_state(struct cpu *self)
{
	(void)self;
	sysreg_write(ICC_AP0R0_EL1, 0);
}

static void kick_one_state(const struct cpu *target)
{
	/* what the target is to see is written before */
	dsb(ish);
	sysreg_write(ICC_SGI0R_EL1, FIELD_PUT(SGIR_INTID, GIC_SGI_MANAGEMENT) | gic_sgir_of(target->hwid));
	isb();
}

static void acknowledge_one_state(void)
{
	uint64_t intid = sysreg_read(ICC_IAR0_EL1);

	dsb(sy);
	if (intid < INTID_NONE) {
		sysreg_write(ICC_EOIR0_EL1, intid);
		/* an injected cell's CPU */
		if (sysreg_read(ICC_CTLR_EL1) & ICC_CTLR_EOIMODE)
			sysreg_write(ICC_DIR_EL1, intid);
		isb();
	}
	halt_if_dead();
}

/* A made-up active priority of the guest's would mask the FIQ: here it sleeps with none. */
static void sleep_one_state(struct cpu *self, uint64_t pmr)
{
	uint64_t active = sysreg_read(ICC_AP1R0_EL1);
	uint64_t hcr = route_to_el2();

	(void)self;
	(void)pmr;
	sysreg_write(ICC_AP1R0_EL1, 0);
	isb();
	dsb(sy);
	wfi();
	acknowledge_one_state();
	sysreg_write(ICC_AP1R0_EL1, active);
	sysreg_write(hcr_el2, hcr);
	isb();
}

static const struct gic_management one_state = {
	.words = "one security state: management by a Group 0 interrupt",
	.check = check_one_state,
	.take = take_one_state,
	.release = release_one_state,
	.open = open_one_state,
	.start = start_one_state,
	.quiesce = quiesce_one_state,
	.kick = kick_one_state,
	.kick_out = kick_one_state,
	.sleep = sleep_one_state,
	.acknowledge = acknowledge_one_state,
	.pmr_min = GIC_PRIORITY_CELL_MIN,
};

/* --- DS = 0 --- */

/* A Secure interrupt's bits are RAZ/WI here (IHI0069H 4.6). */
static err_t check_two_states(struct cpu *self, struct why *why)
{
	uint8_t *sgi = self->arch->gicr + GICR_SGI_FRAME;
	uint32_t before = frame_read(sgi, GICD_ISENABLER) & MANAGEMENT_BIT;
	uint32_t now;

	frame_write(sgi, GICD_ISENABLER, MANAGEMENT_BIT);
	now = frame_read(sgi, GICD_ISENABLER) & MANAGEMENT_BIT;
	if (before == 0) {
		frame_write(sgi, GICD_ICENABLER, MANAGEMENT_BIT);
		gicr_wait_for_writes(self->arch->gicr);
	}
	if (now == 0)
		return why_set(why, ERR_UNSUPPORTED,
			       "GIC: SGI 15 of CPU %u is the firmware's (Secure): configure it as Non-secure Group 1 there",
			       self->id);
	return OK;
}

/*
 * Masked again, and what was pending is gone: nobody acknowledges it, IAR1 might return one of
 * the guest's. A kick that came before the clear has nothing left to say: what it was sent
 * for was written before it, and is read after the clear is done (pairs with the dsb in
 * kick_two_states). One that comes after stays pending for the next sleep.
 */
static void disarm(const struct cpu *self)
{
	uint8_t *sgi = self->arch->gicr + GICR_SGI_FRAME;

	frame_write(sgi, GICD_ICENABLER, MANAGEMENT_BIT);
	gicr_wait_for_writes(self->arch->gicr);
	frame_write(sgi, GICD_ICPENDR, MANAGEMENT_BIT);
	(void)frame_read(sgi, GICD_ICPENDR);
	dsb(sy);
}

static void arm(const struct cpu *target)
{
	uint8_t *sgi = target->arch->gicr + GICR_SGI_FRAME;

	frame_write(sgi, GICD_ISENABLER, MANAGEMENT_BIT);
	/* it is there before anything that follows */
	(void)frame_read(sgi, GICD_ISENABLER);
	dsb(sy);
}

static void take_two_states(struct cpu *self)
{
	take_sgi(self);
	disarm(self);
}

static void release_two_states(struct cpu *self)
{
	release_sgi(self);
	restore_enable(self);
}

static void open_two_states(struct cpu *self)
{
	(void)self;
}

/* What the guest of an injected cell is sent comes to EL2, the management interrupt with it. */
static void start_two_states(struct cpu *self)
{
	if (self->arch->injected)
		arm(self);
}

static void quiesce_two_states(struct cpu *self)
{
	disarm(self);
}

static void kick_two_states(const struct cpu *target)
{
	/* what the target is to see is written before; pairs with the dsb in disarm() */
	dsb(ish);
	sysreg_write(ICC_SGI1R_EL1, FIELD_PUT(SGIR_INTID, GIC_SGI_MANAGEMENT) | gic_sgir_of(target->hwid));
	isb();
}

/*
 * The target may sleep at EL1 in a WFI that is not trapped. The SGI wakes it, and would be an
 * interrupt of the guest's if it had anything left to run: its vectors are revoked like all
 * else. It parks then and disarms. The caller holds the cell's lock, so the CPU cannot
 * have parked and been started anew between the revoke and this write.
 */
static void kick_out_two_states(const struct cpu *target)
{
	arm(target);
	kick_two_states(target);
}

static void acknowledge_two_states(void)
{
	halt_if_dead();
}

void gic_swap_active(uint64_t active[AP1R_COUNT])
{
	unsigned bits = gic_priority_bits();
	uint64_t old[AP1R_COUNT] = { sysreg_read(ICC_AP1R0_EL1) };

	sysreg_write(ICC_AP1R0_EL1, active[0]);
	if (bits >= 6) {
		old[1] = sysreg_read(ICC_AP1R1_EL1);
		sysreg_write(ICC_AP1R1_EL1, active[1]);
	}
	if (bits >= 7) {
		old[2] = sysreg_read(ICC_AP1R2_EL1);
		old[3] = sysreg_read(ICC_AP1R3_EL1);
		sysreg_write(ICC_AP1R2_EL1, active[2]);
		sysreg_write(ICC_AP1R3_EL1, active[3]);
	}
	for (unsigned i = 0; i < AP1R_COUNT; i++)
		active[i] = old[i];
}

/* The SGI was pending before, or comes: either ends the WFI. */
static void sleep_two_states(struct cpu *self, uint64_t pmr)
{
	uint64_t active[AP1R_COUNT] = { 0 };
	uint64_t hcr = route_to_el2();
	uint64_t enabled = sysreg_read(ICC_IGRPEN1_EL1);
	uint64_t old_pmr = sysreg_read(ICC_PMR_EL1);

	/* with the guest's group switched off nothing of its own wakes it: the SGI alone passes */
	if (!(enabled & 1) || pmr < GIC_PRIORITY_CELL_MIN)
		pmr = GIC_PRIORITY_CELL_MIN;
	/* EL1 may have made them up */
	gic_swap_active(active);
	sysreg_write(ICC_PMR_EL1, gic_priority_in(pmr));
	sysreg_write(ICC_IGRPEN1_EL1, 1);
	isb();
	arm(self);
	wfi();
	disarm(self);
	start_two_states(self);
	sysreg_write(ICC_IGRPEN1_EL1, enabled);
	sysreg_write(ICC_PMR_EL1, old_pmr);
	gic_swap_active(active);
	sysreg_write(hcr_el2, hcr);
	isb();
	halt_if_dead();
}

static const struct gic_management two_states = {
	.words = "two security states: management by revoking stage 2 and an interrupt for who sleeps",
	.two_states = true,
	.check = check_two_states,
	.take = take_two_states,
	.release = release_two_states,
	.open = open_two_states,
	.start = start_two_states,
	.quiesce = quiesce_two_states,
	.kick = kick_two_states,
	.kick_out = kick_out_two_states,
	.sleep = sleep_two_states,
	.acknowledge = acknowledge_two_states,
	.pmr_min = 0,
};

/* --- either --- */

const struct gic_management *gic_management_for(uint32_t ctlr)
{
	return ctlr & GICD_CTLR_DS ? &one_state : &two_states;
}

void gic_ack_management(void)
{
	machine.gic->acknowledge();
}

void arch_cpu_kick(const struct cpu *target)
{
	machine.gic->kick(target);
}

void arch_cpu_kick_out(const struct cpu *target)
{
	machine.gic->kick_out(target);
}

void arch_cpu_wait(struct cpu *self)
{
	/* Group 1 is switched off here (gic_cpu_quiesce): kicks only */
	machine.gic->sleep(self, 0);
}

void guest_sleep(void)
{
	struct cpu *self = this_cpu();

	/* what is in its list registers already ends no WFI of EL2's; what it is at work on ends it early */
	if (self->arch->injected && lr_in_use(self))
		return;
	machine.gic->sleep(self, cell_is_root(self->cell) || self->arch->injected ? 0xff : self->arch->icc_pmr);
}
