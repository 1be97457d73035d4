// SPDX-License-Identifier: GPL-2.0-only
/*
 * Injected cells: HCR_EL2.IMO = 1, so that physical interrupts come to EL2 and all of the
 * guest's interface is the virtual one. An interrupt is acknowledged, its priority dropped
 * (EOImode = 1: nothing the guest does or leaves undone masks another), and handed on in a
 * list register linked to it: the guest's EOI or DIR deactivates both. One exit each.
 *
 * An edge that comes between the acknowledge here and the guest's own is a second interrupt; a
 * level that falls between them is handed on all the same, and its driver finds nothing to do.
 *
 * Only this CPU writes its list registers, at EL2, where its guest does not run: nothing here
 * is locked. An interrupt that comes meanwhile stays pending and is an exit of its own.
 */
#include "arm64.h"
#include "base/bug.h"
#include "core/budget.h"
#include "core/cpu.h"
#include "sysreg.h"

/* 1020..1023 say that there is none; above them are extended SPIs and LPIs (IHI0069H 2.2) */
#define INTID_SPECIAL_LAST 1023u


#define LIST_REGISTERS(X) \
	X(0, ICH_LR0_EL2) X(1, S3_4_C12_C12_1) X(2, S3_4_C12_C12_2) X(3, S3_4_C12_C12_3) \
	X(4, S3_4_C12_C12_4) X(5, S3_4_C12_C12_5) X(6, S3_4_C12_C12_6) X(7, S3_4_C12_C12_7)

#define WRITE_CASE(n, reg) case n: sysreg_write(reg, value); return;
#define READ_CASE(n, reg) case n: return sysreg_read(reg);

static void write_lr(unsigned n, uint64_t value)
{
	switch (n) {
	LIST_REGISTERS(WRITE_CASE)
	}
}

static uint64_t read_lr(unsigned n)
{
	switch (n) {
	LIST_REGISTERS(READ_CASE)
	}
	return 0;
}

/* Where an INTID's registers are: SGIs and PPIs are the CPU's own. */
static uint8_t *frame_of(const struct cpu *self, unsigned intid)
{
	return intid < GIC_SPI_FIRST ? self->arch->gicr + GICR_SGI_FRAME : machine.gicd;
}

static bool line_bit(const struct cpu *self, uint32_t bank, unsigned intid)
{
	return frame_read(frame_of(self, intid), bank + intid / 32 * 4) >> intid % 32 & 1;
}

static void set_line_bit(const struct cpu *self, uint32_t bank, unsigned intid)
{
	frame_write(frame_of(self, intid), bank + intid / 32 * 4, 1u << intid % 32);
}

static uint64_t linked_entry(unsigned intid, unsigned number, uint64_t priority)
{
	return LR_PENDING | LR_HW | LR_GROUP1 | FIELD_PUT(LR_PRIORITY, priority) |
	       FIELD_PUT(LR_PINTID, intid) | number;
}

static uint64_t entry_of(void *context, unsigned intid)
{
	const struct cpu *self = context;
	uint64_t priority = gic_bus_read(frame_of(self, intid), GICD_IPRIORITYR + intid, 1);

	if (intid < LR_SGI_END)
		return LR_PENDING | LR_GROUP1 | FIELD_PUT(LR_PRIORITY, priority) | intid;
	return linked_entry(intid, self->arch->lr.numbers[intid], priority);
}

static unsigned state_of(void *context, unsigned intid)
{
	const struct cpu *self = context;

	return (line_bit(self, GICD_ISENABLER, intid) ? LR_LINE_ENABLED : 0) |
	       (line_bit(self, GICD_ISACTIVER, intid) ? LR_LINE_ACTIVE : 0);
}

/*
 * A level that is still asserted is pending by itself. One that is not was pended by ISPENDR,
 * or has fallen since: an interrupt too many is better than one too few.
 */
static void give_back(void *context, unsigned intid)
{
	const struct cpu *self = context;

	set_line_bit(self, GICD_ICACTIVER, intid);
	if (!line_bit(self, GICD_ISPENDR, intid))
		set_line_bit(self, GICD_ISPENDR, intid);
}

static void load(struct cpu *self, struct lr_set *set)
{
	unsigned n;

	set->count = self->arch->lr.count;
	set->changed = 0;
	set->waiting = self->arch->lr.waiting;
	for (n = 0; n < set->count; n++)
		set->lr[n] = read_lr(n);
}

static void store(const struct lr_set *set)
{
	uint32_t left;

	for (left = set->changed; left != 0; left &= left - 1) {
		unsigned n = (unsigned)__builtin_ctz(left);

		write_lr(n, set->lr[n]);
	}
}

/*
 * Those that still wait are seen to when at most one register is in use, or none is pending
 * any more though some are active. Neither holds as this returns: then the maintenance
 * interrupt is not pending, and the guest gets on.
 */
static void arrange(struct cpu *self, struct lr_set *set, const struct lr_lines *lines)
{
	bool wait = lr_arrange(set, lines);

	store(set);
	self->arch->lr.any_waits = wait;
	sysreg_write(ICH_HCR_EL2, ICH_HCR_EN | (wait ? ICH_HCR_UIE : 0) |
				  (wait && lr_has_pending(set) ? ICH_HCR_NPIE : 0));
	isb();
}

static struct lr_lines lines_of(struct cpu *self)
{
	return (struct lr_lines){ self, entry_of, state_of, give_back };
}

static void refill(struct cpu *self)
{
	const struct lr_lines lines = lines_of(self);
	struct lr_set set;

	load(self, &set);
	arrange(self, &set, &lines);
}

static void wait_in_line(struct cpu *self, unsigned intid)
{
	bit_set(self->arch->lr.waiting, intid);
	refill(self);
}

static void drop_and_deactivate(unsigned intid)
{
	sysreg_write(ICC_EOIR1_EL1, intid);
	sysreg_write(ICC_DIR_EL1, intid);
}

/* An interrupt that is none of the guest's lines'. */
static void other_irq(struct cpu *self, unsigned intid)
{
	if (intid == GIC_SGI_MANAGEMENT) {
		drop_and_deactivate(intid);
		isb();
		exit_count_management(self);
		gic_ack_management();
		cpu_check_stop(self);
	} else if (intid < LR_SGI_END) {
		/* not linked: from now on it can come again */
		drop_and_deactivate(intid);
		wait_in_line(self, intid);
		exit_count(self, ABI_STAT_ARM64_IRQ, intid);
	} else if (intid == self->sys->config.system->platform.arm64.maintenance_irq) {
		/* its line is level-sensitive, and low again before it is deactivated */
		refill(self);
		drop_and_deactivate(intid);
		exit_count(self, ABI_STAT_ARM64_MAINTENANCE, intid);
	} else {
		/* gone before it was acknowledged, or no line of the cell's; what is left active masks nothing */
		if (intid < GIC_SPI_END)
			drop_and_deactivate(intid);
		else if (intid > INTID_SPECIAL_LAST)
			sysreg_write(ICC_EOIR1_EL1, intid);
		exit_count(self, ABI_STAT_ARM64_IRQ, intid);
	}
}

/* Already in a register: made inactive by the guest from another CPU (merge() in pure/lr.c). */
static __attribute__((noinline)) bool is_held(const struct cpu *self, unsigned intid)
{
	unsigned n;

	for (n = 0; n < self->arch->lr.count; n++) {
		uint64_t entry = read_lr(n);

		if ((entry & LR_STATE) && lr_intid(entry) == intid)
			return true;
	}
	return false;
}

void exit_irq(struct cpu *self)
{
	struct lr_cpu *lr = &self->arch->lr;
	unsigned intid = (unsigned)sysreg_read(ICC_IAR1_EL1);
	unsigned number = intid < GIC_SPI_END ? lr->numbers[intid] : 0;
	uint64_t entry, empty;

	if (number == 0) {
		other_irq(self, intid);
		return;
	}
	isb();
	/*
	 * Nothing else is active: the running priority is this interrupt's, as far as it makes a
	 * group priority (with the smallest BPR1 all of it, on GICs without sub-priorities).
	 */
	entry = linked_entry(intid, number, sysreg_read(ICC_RPR_EL1) << lr->priority_shift);
	sysreg_write(ICC_EOIR1_EL1, intid);
	empty = sysreg_read(ICH_ELRSR_EL2) & (BIT(LR_MAX) - 1);
	if (lr->any_waits || empty == 0 || (empty != lr->all && is_held(self, intid)))
		wait_in_line(self, intid);
	else if (empty & 1)
		sysreg_write(ICH_LR0_EL2, entry);
	else
		write_lr((unsigned)__builtin_ctzll(empty), entry);
	exit_count(self, ABI_STAT_ARM64_IRQ, intid);
}

bool lr_in_use(const struct cpu *self)
{
	uint64_t all = self->arch->lr.all;

	return self->arch->lr.any_waits || (sysreg_read(ICH_ELRSR_EL2) & all) != all;
}

/* An SGI the guest sends to its own CPU: one that is switched off is pending in the redistributor until it is not. */
static void sgi_to_self(struct cpu *self, unsigned intid)
{
	if (!line_bit(self, GICD_ISENABLER, intid))
		set_line_bit(self, GICD_ISPENDR, intid);
	else if (!lr_in_use(self))
		write_lr(0, entry_of(self, intid));
	else
		wait_in_line(self, intid);
}

/* To up to 16 CPUs of the cell, maybe this one. */
static void send_sgi(void *context, uint64_t icc_sgi1r)
{
	struct cpu *self = context;
	uint64_t own = gic_sgir_of(self->hwid);
	uint64_t to_self = icc_sgi1r & own & SGIR_TARGETS;

	if (((icc_sgi1r ^ own) & (SGIR_AFF3 | SGIR_RS | SGIR_AFF2 | SGIR_AFF1)) == 0 && to_self != 0) {
		sgi_to_self(self, (unsigned)FIELD_GET(SGIR_INTID, icc_sgi1r));
		icc_sgi1r &= ~to_self;
	}
	if ((icc_sgi1r & SGIR_TARGETS) == 0)
		return;
	/* the guest's barrier before it was for its own domain */
	dsb(ish);
	sysreg_write(ICC_SGI1R_EL1, icc_sgi1r);
}

void lr_guest_sgi(struct cpu *self, uint64_t icc_sgi1r)
{
	gic_sgi_filter(icc_sgi1r, &self->cell->arch->gicd, self->hwid, send_sgi, self);
}

/*
 * What another CPU of the cell has in its list registers is not looked at: a line the guest
 * switches off there may still arrive once, as one that was acknowledged just before.
 */
void lr_revalidate(struct cpu *self)
{
	const struct lr_lines lines = lines_of(self);
	struct lr_set set;

	if (!lr_in_use(self))
		return;
	load(self, &set);
	lr_review(&set, &lines);
	arrange(self, &set, &lines);
}

void lr_clear_interface(void)
{
	unsigned bits = (unsigned)FIELD_GET(ICH_VTR_PREBITS, sysreg_read(ICH_VTR_EL2)) + 1;

	sysreg_write(ICH_AP0R0_EL2, 0);
	sysreg_write(ICH_AP1R0_EL2, 0);
	if (bits >= 6) {
		sysreg_write(ICH_AP0R1_EL2, 0);
		sysreg_write(ICH_AP1R1_EL2, 0);
	}
	if (bits >= 7) {
		sysreg_write(ICH_AP0R2_EL2, 0);
		sysreg_write(ICH_AP0R3_EL2, 0);
		sysreg_write(ICH_AP1R2_EL2, 0);
		sysreg_write(ICH_AP1R3_EL2, 0);
	}
	sysreg_write(ICH_VMCR_EL2, 0);
}

/* The rest of the interface is as for every guest. */
void lr_start(struct cpu *self)
{
	const struct abi_platform_arm64 *platform = &self->sys->config.system->platform.arm64;
	unsigned count = (unsigned)FIELD_GET(ICH_VTR_LISTREGS, sysreg_read(ICH_VTR_EL2)) + 1;
	unsigned n;

	self->arch->lr = (struct lr_cpu){
		.numbers = self->cell->arch->numbers->virtual,
		.priority_shift = (uint8_t)machine.priority_shift,
		.count = (uint8_t)(count < LR_MAX ? count : LR_MAX),
	};
	self->arch->lr.all = (uint8_t)(BIT(self->arch->lr.count) - 1);
	for (n = 0; n < self->arch->lr.count; n++)
		write_lr(n, 0);
	sysreg_write(ICC_CTLR_EL1, sysreg_read(ICC_CTLR_EL1) | ICC_CTLR_EOIMODE);
	sysreg_write(ICC_IGRPEN1_EL1, 1);
	sysreg_write(ICH_HCR_EL2, ICH_HCR_EN);
	isb();
	self->arch->gicr_view.hidden = 1u << platform->maintenance_irq;
	set_line_bit(self, GICD_ISENABLER, platform->maintenance_irq);
}

/*
 * With ICH_HCR_EL2 at 0 the maintenance interrupt's level is low; its line is masked with all
 * the others by the caller. An SPI that stayed active would never come again, whoever has it next;
 * one the guest has not begun with may be routed to another of its CPUs, when this one goes alone.
 */
void lr_quiesce(struct cpu *self)
{
	struct lr_cpu *lr = &self->arch->lr;
	unsigned n, intid;

	sysreg_write(ICH_HCR_EL2, 0);
	for (n = 0; n < lr->count; n++) {
		uint64_t entry = read_lr(n);

		if (lr_only_pending(entry))
			give_back(self, lr_intid(entry));
		else if ((entry & LR_STATE) && (entry & LR_HW))
			set_line_bit(self, GICD_ICACTIVER, lr_intid(entry));
		write_lr(n, 0);
	}
	for (intid = 0; lr->any_waits && intid < GIC_SPI_END; intid++) {
		if (bit_test(lr->waiting, intid))
			give_back(self, intid);
		bit_clear(lr->waiting, intid);
	}
	lr->any_waits = false;
	isb();
}
