// SPDX-License-Identifier: GPL-2.0-only
/*
 * GICv3 where EL2 has Group 0 to itself (GICD_CTLR.DS = 1): the guest's interrupts are
 * Group 1 and reach EL1 without the hypervisor (HCR_EL2.IMO = 0); SGI 15 is Group 0, of
 * the highest priority, and arrives as an FIQ at EL2 (HCR_EL2.FMO = 1) whatever EL1 masks.
 *
 * With FMO = 1 EL1's PMR, CTLR, DIR and Group 0 registers are the virtual interface's, so
 * the physical ones are the hypervisor's: PMR open, EOImode 0 (IHI0069H 6.2, 12.2).
 */
#include "abi/comm.h"
#include "arch/cpu.h"
#include "arm64.h"
#include "base/bug.h"
#include "base/str.h"
#include "sysreg.h"

#define ICC_CTLR_PRIBITS BITS(10, 8)
#define GICR_STRIDE 0x20000u
#define GICR_STRIDE_VLPI 0x40000u
#define GICR_CTLR_ENABLE_LPIS 0x1u
#define GICR_CTLR_RWP 0x8u
#define MANAGEMENT_BIT (1u << GIC_SGI_MANAGEMENT)
#define INTID_NONE 1020u
/* what Linux gives every line when it starts, and not again */
#define PRIORITY_LINUX 0xa0u
#define PRIORITY_WORD 0x10101010u
static_assert(PRIORITY_WORD == GIC_PRIORITY_CELL_MIN * 0x01010101u, "what a cell starts with");

static uint32_t read32(const uint8_t *frame, uint32_t offset)
{
	return *(const volatile uint32_t *)(const void *)(frame + offset);
}

static void write32(uint8_t *frame, uint32_t offset, uint32_t value)
{
	*(volatile uint32_t *)(void *)(frame + offset) = value;
}

/* GICR_TYPER.Affinity_Value of an MPIDR. */
static uint32_t typer_affinity(uint64_t hwid)
{
	return (uint32_t)(hwid & 0xffffff) | (uint32_t)(hwid >> 32 << 24);
}

/* The redistributor of a CPU, or NULL. */
static uint8_t *find_redistributor(uint64_t hwid)
{
	const struct abi_span *gicr = &machine.sys.config.system->platform.arm64.gicr;
	uint8_t *base = (uint8_t *)gicr->start;
	uint64_t offset = 0;

	while (offset + GICR_STRIDE <= gicr->size) {
		uint64_t typer = gic_bus_read(base + offset, GICR_TYPER, 8);

		/* the same for all of them (IHI0069H 12.10) */
		machine.gicr_stride = typer & GICR_TYPER_VLPIS ? GICR_STRIDE_VLPI : GICR_STRIDE;

		if (typer >> 32 == typer_affinity(hwid))
			return base + offset;
		if (typer & GICR_TYPER_LAST)
			return NULL;
		offset += machine.gicr_stride;
	}
	return NULL;
}

err_t gic_cpu_check(struct cpu *self, struct why *why)
{
	machine.gicd = (uint8_t *)machine.sys.config.system->platform.arm64.gicd.start;
	if (FIELD_GET(PFR0_GIC, sysreg_read(id_aa64pfr0_el1)) == 0 || !(sysreg_read(ICC_SRE_EL2) & ICC_SRE_SRE))
		return why_set(why, ERR_UNSUPPORTED, "CPU %u has no GICv3 system registers at EL2", self->id);
	if (!(read32(machine.gicd, GICD_CTLR) & GICD_CTLR_DS))
		return why_set(why, ERR_UNSUPPORTED,
			       "GIC: GICD_CTLR.DS is 0: firmware at EL3 owns Group 0, which direct interrupts need");
	self->arch->gicr = find_redistributor(self->hwid);
	if (self->arch->gicr == NULL)
		return why_set(why, ERR_INVALID, "gicr: no redistributor for CPU %u (0x%llx): correct its address",
			       self->id, (unsigned long long)self->hwid);
	return OK;
}

static void wait_for_writes(uint8_t *gicr)
{
	while (read32(gicr, GICR_CTLR) & GICR_CTLR_RWP)
		;
}

/* The management interrupt: this CPU's SGI 15, Group 0, of the highest priority, enabled. */
static void enable_management(struct cpu *self)
{
	uint8_t *sgi = self->arch->gicr + GICR_SGI_FRAME;
	struct bare *bare = &self->arch->bare;

	bare->gicr_group0 = read32(sgi, GICD_IGROUPR);
	bare->gicr_enabled = read32(sgi, GICD_ISENABLER);
	bare->gicr_icfgr1 = read32(sgi, GICD_ICFGR + 4);
	bare->gicr_priority = (uint8_t)gic_bus_read(sgi, GICD_IPRIORITYR + GIC_SGI_MANAGEMENT, 1);
	write32(sgi, GICD_ICENABLER, MANAGEMENT_BIT);
	wait_for_writes(self->arch->gicr);
	write32(sgi, GICD_IGROUPR, bare->gicr_group0 & ~MANAGEMENT_BIT);
	gic_bus_write(sgi, GICD_IPRIORITYR + GIC_SGI_MANAGEMENT, 1, GIC_PRIORITY_MANAGEMENT);
	write32(sgi, GICD_ISENABLER, MANAGEMENT_BIT);
	lock_take(&machine.gicd_lock);
	machine.gicd_ctlr_bare = (machine.gicd_ctlr_bare | read32(machine.gicd, GICD_CTLR)) & ~GICD_CTLR_RWP;
	write32(machine.gicd, GICD_CTLR, machine.gicd_ctlr_bare | GICD_CTLR_ENABLE_GRP0);
	lock_drop(&machine.gicd_lock);
}

static void open_interface(void)
{
	sysreg_write(ICC_PMR_EL1, 0xff);
	sysreg_write(ICC_CTLR_EL1, sysreg_read(ICC_CTLR_EL1) & ~(ICC_CTLR_EOIMODE | ICC_CTLR_CBPR));
	sysreg_write(ICC_BPR0_EL1, 0);
	sysreg_write(ICC_IGRPEN0_EL1, 1);
	sysreg_write(ICH_HCR_EL2, 0);
	isb();
}

/* What Linux wrote to the registers that are virtual from now on, so that it reads it back. */
static uint64_t vmcr_of(const struct bare *bare)
{
	return FIELD_PUT(ICH_VMCR_VPMR, bare->icc_pmr) |
	       (bare->icc_ctlr & ICC_CTLR_EOIMODE ? ICH_VMCR_VEOIM : 0) |
	       (bare->icc_ctlr & ICC_CTLR_CBPR ? ICH_VMCR_VCBPR : 0);
}

void gic_cpu_activate(struct cpu *self)
{
	struct bare *bare = &self->arch->bare;
	uint8_t *sgi = self->arch->gicr + GICR_SGI_FRAME;

	bare->icc_sre = sysreg_read(ICC_SRE_EL2);
	bare->icc_ctlr = sysreg_read(ICC_CTLR_EL1);
	bare->icc_pmr = sysreg_read(ICC_PMR_EL1);
	bare->icc_igrpen0 = sysreg_read(ICC_IGRPEN0_EL1);
	bare->ich_hcr = sysreg_read(ICH_HCR_EL2);
	bare->ich_vmcr = sysreg_read(ICH_VMCR_EL2);
	sysreg_write(ICC_SRE_EL2, bare->icc_sre & ~ICC_SRE_ENABLE);
	isb();
	enable_management(self);
	open_interface();
	sysreg_write(ICH_VMCR_EL2, vmcr_of(bare));
	isb();
	/*
	 * The IPI that brought this CPU here has had its priority dropped and waits for a
	 * write to DIR, which is virtual from now on: deactivated here instead.
	 */
	if (bare->icc_ctlr & ICC_CTLR_EOIMODE)
		write32(sgi, GICD_ICACTIVER, ~MANAGEMENT_BIT);
	self->arch->gicr_ctlr = read32(self->arch->gicr, GICR_CTLR) & GICR_CTLR_ENABLE_LPIS;
}

void gic_cpu_leave(struct cpu *self)
{
	const struct bare *bare = &self->arch->bare;
	uint8_t *sgi = self->arch->gicr + GICR_SGI_FRAME;
	uint64_t vmcr = sysreg_read(ICH_VMCR_EL2);

	write32(sgi, GICD_ICENABLER, MANAGEMENT_BIT);
	wait_for_writes(self->arch->gicr);
	gic_ack_management();
	write32(sgi, GICD_ICPENDR, MANAGEMENT_BIT);
	gic_bus_write(sgi, GICD_IPRIORITYR + GIC_SGI_MANAGEMENT, 1, bare->gicr_priority);
	write32(sgi, GICD_IGROUPR, read32(sgi, GICD_IGROUPR) | (bare->gicr_group0 & MANAGEMENT_BIT));
	write32(sgi, GICD_ISENABLER, bare->gicr_enabled & MANAGEMENT_BIT);
	sysreg_write(ICC_IGRPEN0_EL1, bare->icc_igrpen0);
	/* as the guest last set them */
	sysreg_write(ICC_PMR_EL1, FIELD_GET(ICH_VMCR_VPMR, vmcr));
	sysreg_write(ICC_CTLR_EL1, (sysreg_read(ICC_CTLR_EL1) & ~(ICC_CTLR_EOIMODE | ICC_CTLR_CBPR)) |
					(vmcr & ICH_VMCR_VEOIM ? ICC_CTLR_EOIMODE : 0) |
					(vmcr & ICH_VMCR_VCBPR ? ICC_CTLR_CBPR : 0));
	sysreg_write(ICH_HCR_EL2, bare->ich_hcr);
	sysreg_write(ICH_VMCR_EL2, bare->ich_vmcr);
	sysreg_write(ICC_SRE_EL2, bare->icc_sre);
	isb();
}

/* Only when every CPU that waited for the management interrupt is off. */
void gic_restore(void)
{
	write32(machine.gicd, GICD_CTLR, machine.gicd_ctlr_bare);
}

static void clear_active_priorities(void)
{
	unsigned bits = (unsigned)FIELD_GET(ICC_CTLR_PRIBITS, sysreg_read(ICC_CTLR_EL1)) + 1;

	sysreg_write(ICC_AP0R0_EL1, 0);
	sysreg_write(ICC_AP1R0_EL1, 0);
	if (bits >= 6)
		sysreg_write(ICC_AP1R1_EL1, 0);
	if (bits >= 7) {
		sysreg_write(ICC_AP1R2_EL1, 0);
		sysreg_write(ICC_AP1R3_EL1, 0);
	}
	isb();
}

void gic_cpu_quiesce(struct cpu *self)
{
	uint8_t *sgi = self->arch->gicr + GICR_SGI_FRAME;

	sysreg_write(ICC_IGRPEN1_EL1, 0);
	write32(sgi, GICD_ICENABLER, ~MANAGEMENT_BIT);
	wait_for_writes(self->arch->gicr);
	clear_active_priorities();
}

/*
 * LPIs come through tables in the root cell's memory: a cell's CPU takes none. Linux does
 * not enable them again on a CPU that comes back, so that is done for it.
 */
static void set_lpis(struct cpu *self)
{
	uint8_t *gicr = self->arch->gicr;
	uint32_t ctlr = read32(gicr, GICR_CTLR);
	uint32_t wanted = cell_is_root(self->cell) ? self->arch->gicr_ctlr : 0;

	if ((ctlr & GICR_CTLR_ENABLE_LPIS) == wanted)
		return;
	if (!cell_is_root(self->cell))
		self->arch->gicr_ctlr = ctlr & GICR_CTLR_ENABLE_LPIS;
	write32(gicr, GICR_CTLR, (ctlr & ~GICR_CTLR_ENABLE_LPIS) | wanted);
	wait_for_writes(gicr);
}

void gic_cpu_reset(struct cpu *self)
{
	uint8_t *sgi = self->arch->gicr + GICR_SGI_FRAME;
	unsigned i;

	gic_cpu_quiesce(self);
	set_lpis(self);
	write32(sgi, GICD_ICPENDR, ~MANAGEMENT_BIT);
	write32(sgi, GICD_ICACTIVER, ~MANAGEMENT_BIT);
	write32(sgi, GICD_IGROUPR, ~MANAGEMENT_BIT);
	for (i = 0; i < GIC_SPI_FIRST; i += 4)
		write32(sgi, GICD_IPRIORITYR + i,
			i / 4 == GIC_SGI_MANAGEMENT / 4 ? PRIORITY_WORD & 0x00ffffff : PRIORITY_WORD);
	static_assert(GIC_SGI_MANAGEMENT % 4 == 3 && GIC_PRIORITY_MANAGEMENT == 0, "the byte left out");
	write32(sgi, GICD_ICFGR + 4, self->arch->bare.gicr_icfgr1);
	sysreg_write(ICC_BPR1_EL1, 0);
	open_interface();
	sysreg_write(ICH_VMCR_EL2, 0);
	/* a cell masks its interrupts with PMR as on the bare machine: its writes come here */
	sysreg_write(ICH_HCR_EL2, cell_is_root(self->cell) ? 0 : ICH_HCR_TC);
	self->arch->icc_ctlr = 0;
	gic_set_pmr(self, 0);
	isb();
	self->arch->gicr_view.waker = GICR_WAKER_PROCESSOR_SLEEP;
}

void gic_set_pmr(struct cpu *self, uint64_t pmr)
{
	self->arch->icc_pmr = (uint8_t)pmr;
	if (cell_is_root(self->cell))
		return;
	/* it masks all of the guest's priorities at the most, never the management interrupt's */
	sysreg_write(ICC_PMR_EL1, self->arch->icc_pmr > GIC_PRIORITY_CELL_MIN ? self->arch->icc_pmr
									 : GIC_PRIORITY_CELL_MIN);
	isb();
}

void gic_ack_management(void)
{
	uint64_t intid = sysreg_read(ICC_IAR0_EL1);

	dsb(sy);
	if (intid < INTID_NONE) {
		sysreg_write(ICC_EOIR0_EL1, intid);
		isb();
	}
	if (__atomic_load_n(&machine.dead, __ATOMIC_ACQUIRE))
		halt();
}

void arch_cpu_kick(const struct cpu *target)
{
	uint64_t hwid = target->hwid;
	uint64_t sgir = FIELD_PUT(SGIR_INTID, GIC_SGI_MANAGEMENT) |
			FIELD_PUT(SGIR_AFF3, hwid >> 32) | FIELD_PUT(SGIR_AFF2, (hwid >> 16) & 0xff) |
			FIELD_PUT(SGIR_AFF1, (hwid >> 8) & 0xff) | FIELD_PUT(SGIR_RS, (hwid >> 4) & 0xf) |
			BIT(hwid & 0xf);

	/* what the target is to see is written before */
	dsb(ish);
	sysreg_write(ICC_SGI0R_EL1, sgir);
	isb();
}

void arch_cpu_wait(struct cpu *self)
{
	(void)self;
	dsb(sy);
	wfi();
	gic_ack_management();
}

static void own_line(struct arch_cell *arch, unsigned intid, bool own)
{
	if (own)
		bit_set(arch->gicd.lines, intid);
	else
		bit_clear(arch->gicd.lines, intid);
}

err_t arch_cell_init(struct cell *cell)
{
	struct system *sys = cell->sys;
	struct arch_cell *arch;
	void *page;
	unsigned i;

	static_assert(sizeof(*arch) <= PAGE_SIZE, "one page");
	TRY(pool_take(&sys->pool, 1, 1, &page));
	arch = page;
	for (i = 0; i < sys->cpu_count; i++)
		arch->affinities[i] = cell_config_has_cpu(cell, i) ? sys->cpus[i]->hwid : GIC_NO_CPU;
	arch->gicd = (struct gicd_view){ .root = cell_is_root(cell), .affinities = arch->affinities,
					 .affinity_count = sys->cpu_count };
	if (cell_is_root(cell)) {
		arch->gicd.ctlr = GICD_CTLR_ENABLE_GRP1;
		for (i = 0; i < cell->config.cell->irq_count; i++)
			for (unsigned n = 0; n < cell->config.irq[i].count; n++)
				own_line(arch, cell->config.irq[i].first + n, true);
	}
	cell->arch = arch;
	return OK;
}

void arch_cell_exit(struct cell *cell)
{
	pool_give(&cell->sys->pool, cell->arch, 1);
	cell->arch = NULL;
}

void arch_cell_cpu_moved(struct cell *from, const struct cpu *cpu)
{
	/* single stores: other CPUs of the root cell send SGIs meanwhile */
	__atomic_store_n(&from->arch->affinities[cpu->id], GIC_NO_CPU, __ATOMIC_RELAXED);
	__atomic_store_n(&cpu->cell->arch->affinities[cpu->id], cpu->hwid, __ATOMIC_RELAXED);
}

/* Masked, level-sensitive, not pending, not active, to a CPU of its owner. Caller holds gicd_lock. */
static void silence_line(unsigned intid, uint64_t affinity, uint8_t priority)
{
	uint32_t config = GICD_ICFGR + intid / 16 * 4;
	uint32_t word = intid / 32 * 4;
	uint32_t bit = 1u << intid % 32;

	write32(machine.gicd, GICD_ICENABLER + word, bit);
	while (read32(machine.gicd, GICD_CTLR) & GICD_CTLR_RWP)
		;
	write32(machine.gicd, GICD_ICPENDR + word, bit);
	write32(machine.gicd, GICD_ICACTIVER + word, bit);
	write32(machine.gicd, config, read32(machine.gicd, config) & ~(3u << intid % 16 * 2));
	gic_bus_write(machine.gicd, GICD_IPRIORITYR + intid, 1, priority);
	gic_bus_write(machine.gicd, GICD_IROUTER + 8 * intid, 8, affinity);
}

void arch_cell_lines_move(struct cell *from, struct cell *to, struct abi_irq lines)
{
	uint8_t priority = cell_is_root(to) ? PRIORITY_LINUX : GIC_PRIORITY_CELL_MIN;
	uint64_t affinity = GIC_NO_CPU;
	unsigned i;

	for (i = 0; affinity == GIC_NO_CPU; i++)
		affinity = to->arch->affinities[i];
	lock_take(&machine.gicd_lock);
	for (i = lines.first; i < lines.first + lines.count; i++) {
		own_line(from->arch, i, false);
		silence_line(i, affinity, priority);
		own_line(to->arch, i, true);
	}
	lock_drop(&machine.gicd_lock);
}

void arch_cell_lines_reset(struct cell *cell)
{
	unsigned i;

	for (i = 0; i < cell->config.cell->irq_count; i++)
		arch_cell_lines_move(cell, cell, cell->config.irq[i]);
}

void arch_cell_comm(const struct cell *cell, struct abi_comm *comm)
{
	const struct abi_platform_arm64 *platform = &cell->sys->config.system->platform.arm64;

	comm->arch.arm64.gic_version = 3;
	comm->arch.arm64.gicd_base = platform->gicd.start;
	comm->arch.arm64.gicr_base = platform->gicr.start;
}
