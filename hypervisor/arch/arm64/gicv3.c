// SPDX-License-Identifier: GPL-2.0-only
/*
 * GICv3: a CPU's interface and redistributor, and who owns which line. The guest's interrupts
 * are Group 1 and reach EL1 without the hypervisor (HCR_EL2.IMO = 0), but for an injected cell's
 * (lr.c). How CPUs are had back: gic_manage.c.
 *
 * With FMO = 1 EL1's PMR, CTLR, DIR and Group 0 registers are the virtual interface's, so
 * the physical ones are the hypervisor's: PMR open, EOImode 0 (IHI0069H 6.2, 12.2). A direct cell's come by
 * traps.c: what it writes to PMR, CTLR.EOImode and DIR is meant for the physical ones.
 */
#include "abi/comm.h"
#include "arch/arm64/pure/gicpass.h"
#include "arch/cpu.h"
#include "arm64.h"
#include "base/bug.h"
#include "base/str.h"
#include "sysreg.h"

/* ICC_RPR_EL1 where nothing is active */
#define PRIORITY_IDLE 0xffu

#define GICR_STRIDE 0x20000u
#define GICR_STRIDE_VLPI 0x40000u
#define GICR_CTLR_ENABLE_LPIS 0x1u
/* what Linux gives every line when it starts, and not again */
#define PRIORITY_LINUX 0xa0u
#define PRIORITY_WORD 0x10101010u
static_assert(PRIORITY_WORD == GIC_PRIORITY_CELL_MIN * 0x01010101u, "what a cell starts with");

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

/* Where the CPU's cell sees its parts of the GIC, and as which of its CPUs. */
static void show_gic(const struct cpu *cpu)
{
	const struct cell *cell = cpu->cell;
	const struct gicd_view *view = &cell->arch->gicd;
	const struct abi_platform_arm64 *platform = &machine.sys.config.system->platform.arm64;
	struct arch_cpu *arch = cpu->arch;
	uint64_t offset = (uint64_t)arch->gicr - platform->gicr.start;

	arch->vmpidr = arch->bare.vmpidr;
	arch->gicr_view = (struct gicr_view){ .root = view->root, .own = true, .counted = view->counted };
	if (view->counted) {
		unsigned n = gic_number_of(view, cpu->hwid);

		offset = n * (uint64_t)GICR_SIZE;
		arch->gicr_view.type = gicr_counted_type(n, offset + GICR_SIZE == cell->mmio[1].span.size);
		/* U and MT are 0: one of several, and Aff0 tells cores apart, not threads */
		arch->vmpidr = VMPIDR_RES1 | gic_counted(n);
	}
	arch->gicd = machine.gicd;
	arch->gicd_seen = cell->mmio[0].span.start;
	arch->gicr_seen = cell->mmio[1].span.start + offset;
}

/* Priorities read back from the interface tell whether it shows the Non-secure half of them alone. */
static unsigned find_priority_shift(void)
{
	uint64_t pmr = sysreg_read(ICC_PMR_EL1);
	uint64_t all = 0xff00u >> gic_priority_bits() & 0xff;
	bool shows_all;

	sysreg_write(ICC_PMR_EL1, 0xff);
	isb();
	shows_all = sysreg_read(ICC_PMR_EL1) == all;
	sysreg_write(ICC_PMR_EL1, pmr);
	isb();
	return machine.gic->two_states && shows_all ? 1 : 0;
}

err_t gic_cpu_check(struct cpu *self, struct why *why)
{
	struct gicd_view *root = &machine.sys.root->arch->gicd;
	uint32_t ctlr;

	machine.gicd = (uint8_t *)machine.sys.config.system->platform.arm64.gicd.start;
	if (FIELD_GET(PFR0_GIC, sysreg_read(id_aa64pfr0_el1)) == 0 || !(sysreg_read(ICC_SRE_EL2) & ICC_SRE_SRE))
		return why_set(why, ERR_UNSUPPORTED, "CPU %u has no GICv3 system registers at EL2", self->id);
	self->arch->gicr = find_redistributor(self->hwid);
	if (self->arch->gicr == NULL)
		return why_set(why, ERR_INVALID, "gicr: no redistributor for CPU %u (0x%llx): correct its address",
			       self->id, (unsigned long long)self->hwid);
	show_gic(self);
	/* every CPU finds the same */
	ctlr = frame_read(machine.gicd, GICD_CTLR);
	machine.gic = gic_management_for(ctlr);
	machine.priority_shift = find_priority_shift();
	root->two_states = machine.gic->two_states;
	root->ctlr = ctlr & (GICD_CTLR_ENABLE_GRP1 | (root->two_states ? GICD_CTLR_ENABLE_GRP0 : 0));
	return machine.gic->check(self, why);
}

/* EL2's own view: nothing masked, an EOI deactivates, no list registers. */
static void open_interface(struct cpu *self)
{
	sysreg_write(ICC_PMR_EL1, 0xff);
	sysreg_write(ICC_CTLR_EL1, sysreg_read(ICC_CTLR_EL1) & ~(ICC_CTLR_EOIMODE | ICC_CTLR_CBPR));
	sysreg_write(ICH_HCR_EL2, 0);
	machine.gic->open(self);
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
	bare->ich_hcr = sysreg_read(ICH_HCR_EL2);
	bare->ich_vmcr = sysreg_read(ICH_VMCR_EL2);
	sysreg_write(ICC_SRE_EL2, bare->icc_sre & ~ICC_SRE_ENABLE);
	isb();
	bare->gicr_icfgr1 = frame_read(sgi, GICD_ICFGR + 4);
	machine.gic->take(self);
	open_interface(self);
	sysreg_write(ICH_VMCR_EL2, vmcr_of(bare));
	isb();
	/*
	 * The IPI that brought this CPU here has had its priority dropped and waits for a
	 * write to DIR, which is virtual from now on: deactivated here instead.
	 */
	if (bare->icc_ctlr & ICC_CTLR_EOIMODE)
		frame_write(sgi, GICD_ICACTIVER, ~MANAGEMENT_BIT);
	self->arch->gicr_ctlr = frame_read(self->arch->gicr, GICR_CTLR) & GICR_CTLR_ENABLE_LPIS;
}

void gic_cpu_leave(struct cpu *self)
{
	const struct bare *bare = &self->arch->bare;
	uint64_t vmcr = sysreg_read(ICH_VMCR_EL2);

	machine.gic->release(self);
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
	if (!machine.gic->two_states)
		frame_write(machine.gicd, GICD_CTLR, machine.gicd_ctlr_bare);
}

/*
 * There are distributors with two states that ignore what Non-secure writes to ICC_AP1R0_EL1
 * (QEMU's): what is still active is ended, one priority at a time, as often as there are any.
 */
static void drop_active(void)
{
	unsigned left = 1u << gic_priority_bits();

	while (left-- != 0 && sysreg_read(ICC_RPR_EL1) != PRIORITY_IDLE) {
		sysreg_write(ICC_EOIR1_EL1, GIC_SGI_MANAGEMENT);
		isb();
	}
}

void gic_cpu_quiesce(struct cpu *self)
{
	uint8_t *sgi = self->arch->gicr + GICR_SGI_FRAME;
	uint64_t active[AP1R_COUNT] = { 0 };

	sysreg_write(ICC_IGRPEN1_EL1, 0);
	frame_write(sgi, GICD_ICENABLER, ~MANAGEMENT_BIT);
	gicr_wait_for_writes(self->arch->gicr);
	if (self->arch->injected)
		lr_quiesce(self);
	self->arch->injected = false;
	machine.gic->quiesce(self);
	gic_swap_active(active);
	isb();
	drop_active();
}

/*
 * LPIs come through tables in the root cell's memory: a cell's CPU takes none. Linux does
 * not enable them again on a CPU that comes back, so that is done for it.
 */
static void set_lpis(struct cpu *self)
{
	uint8_t *gicr = self->arch->gicr;
	uint32_t ctlr = frame_read(gicr, GICR_CTLR);
	uint32_t wanted = cell_is_root(self->cell) ? self->arch->gicr_ctlr : 0;

	if ((ctlr & GICR_CTLR_ENABLE_LPIS) == wanted)
		return;
	if (!cell_is_root(self->cell))
		self->arch->gicr_ctlr = ctlr & GICR_CTLR_ENABLE_LPIS;
	frame_write(gicr, GICR_CTLR, (ctlr & ~GICR_CTLR_ENABLE_LPIS) | wanted);
	gicr_wait_for_writes(gicr);
}

/* As after a reset of the redistributor, SGI 15 left out. */
static void reset_private_lines(struct cpu *self)
{
	uint8_t *sgi = self->arch->gicr + GICR_SGI_FRAME;
	unsigned i;

	frame_write(sgi, GICD_ICPENDR, ~MANAGEMENT_BIT);
	frame_write(sgi, GICD_ICACTIVER, ~MANAGEMENT_BIT);
	if (!machine.gic->two_states)
		frame_write(sgi, GICD_IGROUPR, ~MANAGEMENT_BIT);
	for (i = 0; i < GIC_SPI_FIRST; i += 4)
		frame_write(sgi, GICD_IPRIORITYR + i,
			    i / 4 == GIC_SGI_MANAGEMENT / 4 ? PRIORITY_WORD & 0x00ffffff : PRIORITY_WORD);
	static_assert(GIC_SGI_MANAGEMENT % 4 == 3 && GIC_PRIORITY_MANAGEMENT == 0, "the byte left out");
	frame_write(sgi, GICD_ICFGR + 4, self->arch->bare.gicr_icfgr1);
	self->arch->gicr_view.waker = GICR_WAKER_PROCESSOR_SLEEP;
	self->arch->gicr_view.hidden = 0;
}

void gic_cpu_reset(struct cpu *self)
{
	gic_cpu_quiesce(self);
	set_lpis(self);
	reset_private_lines(self);
	sysreg_write(ICC_BPR1_EL1, 0);
	open_interface(self);
	lr_clear_interface();
	/* a cell masks its interrupts with PMR as on the bare machine: its writes come here */
	sysreg_write(ICH_HCR_EL2, cell_is_root(self->cell) ? 0 : ICH_HCR_TC);
	self->arch->icc_ctlr = 0;
	self->arch->injected = cell_is_injected(self->cell);
	if (self->arch->injected)
		lr_start(self);
	gic_set_pmr(self, 0);
	machine.gic->start(self);
	isb();
}

bool gic_owns(const struct cpu *self, uint64_t intid)
{
	if (intid < GIC_SPI_FIRST)
		return gicr_owned(&self->arch->gicr_view) >> intid & 1;
	return intid < GIC_SPI_END && bit_test(self->cell->arch->gicd.lines, (unsigned)intid);
}

void gic_set_pmr(struct cpu *self, uint64_t pmr)
{
	self->arch->icc_pmr = (uint8_t)pmr;
	/* theirs is the virtual interface's */
	if (cell_is_root(self->cell) || self->arch->injected)
		return;
	/* it masks all of the guest's priorities at the most, never the management interrupt's */
	if (pmr < machine.gic->pmr_min)
		pmr = machine.gic->pmr_min;
	sysreg_write(ICC_PMR_EL1, gic_priority_in(pmr));
	isb();
}

static void own_line(struct arch_cell *arch, unsigned intid, bool own)
{
	if (own)
		bit_set(arch->gicd.lines, intid);
	else
		bit_clear(arch->gicd.lines, intid);
}

/* The cell's number of the machine's line i of a range. */
static unsigned number_in(const struct arch_cell *arch, const struct abi_irq *lines, unsigned i)
{
	return (arch->numbers ? lines->virt : lines->first) + i;
}

static void number_lines(struct numbers *numbers, const struct config *config, unsigned maintenance)
{
	unsigned i, n;

	for (i = 0; i < GIC_SPI_FIRST; i++)
		numbers->physical[i] = (uint16_t)i;
	for (i = LR_SGI_END; i < GIC_SPI_FIRST; i++)
		numbers->virtual[i] = (uint16_t)(i == maintenance ? 0 : i);
	for (i = 0; i < config->cell->irq_count; i++) {
		const struct abi_irq *lines = &config->irq[i];

		for (n = 0; n < lines->count; n++) {
			numbers->physical[lines->virt + n] = (uint16_t)(lines->first + n);
			numbers->virtual[lines->first + n] = (uint16_t)(lines->virt + n);
		}
	}
}

static void own_configured_lines(struct arch_cell *arch, const struct config *config)
{
	unsigned i, n;

	for (i = 0; i < config->cell->irq_count; i++)
		for (n = 0; n < config->irq[i].count; n++)
			own_line(arch, config->irq[i].first + n, true);
}

/*
 * A single store: CPUs of the root cell send SGIs meanwhile. An injected cell's are no physical ones, and
 * what a cell writes that counts its CPUs is no value for the machine.
 */
static void set_sgi_row(struct cell *cell, unsigned row)
{
	uint64_t word = 0;

	if (!cell_is_injected(cell) && !cell->arch->gicd.counted)
		word = gic_sgi_row(row, cell->arch->affinities, cell->sys->cpu_count);
	__atomic_store_n(&cell->arch->sgi_targets[row], word, __ATOMIC_RELAXED);
}

err_t arch_cell_init(struct cell *cell, struct why *why)
{
	struct system *sys = cell->sys;
	struct arch_cell *arch;
	void *page, *numbers = NULL;
	unsigned i;

	(void)why;
	static_assert(sizeof(*arch) <= PAGE_SIZE, "one page");
	TRY(pool_take(&sys->pool, 1, 1, &page));
	if (cell_is_injected(cell) && pool_take(&sys->pool, 1, 1, &numbers) != OK) {
		pool_give(&sys->pool, page, 1);
		return ERR_NO_MEMORY;
	}
	arch = page;
	for (i = 0; i < sys->cpu_count; i++)
		arch->affinities[i] = cell_config_has_cpu(cell, i) ? sys->cpus[i]->hwid : GIC_NO_CPU;
	arch->gicd = (struct gicd_view){ .root = cell_is_root(cell), .affinities = arch->affinities,
					 .affinity_count = sys->cpu_count,
					 .counted = cell->config.cell->flags & ABI_CELL_CPUS_COUNTED };
	gic_mediate(cell);
	if (cell_is_root(cell))
		own_configured_lines(arch, &cell->config);
	arch->numbers = numbers;
	if (arch->numbers) {
		number_lines(arch->numbers, &cell->config, sys->config.system->platform.arm64.maintenance_irq);
		arch->gicd.physical = arch->numbers->physical;
	}
	cell->arch = arch;
	for (i = 0; i < GIC_SGI_ROWS; i++)
		set_sgi_row(cell, i);
	vuart_init(cell);
	return OK;
}

void arch_cell_exit(struct cell *cell)
{
	if (cell->arch->numbers)
		pool_give(&cell->sys->pool, cell->arch->numbers, 1);
	pool_give(&cell->sys->pool, cell->arch, 1);
	cell->arch = NULL;
}

void arch_cell_cpu_moved(struct cell *from, const struct cpu *cpu)
{
	/* single stores: other CPUs of the root cell send SGIs meanwhile */
	__atomic_store_n(&from->arch->affinities[cpu->id], GIC_NO_CPU, __ATOMIC_RELAXED);
	set_sgi_row(from, gic_sgi_row_of(cpu->hwid));
	__atomic_store_n(&cpu->cell->arch->affinities[cpu->id], cpu->hwid, __ATOMIC_RELAXED);
	set_sgi_row(cpu->cell, gic_sgi_row_of(cpu->hwid));
	show_gic(cpu);
}

/* Masked, level-sensitive, not pending, not active, to a CPU of its owner. Caller holds gicd_lock. */
static void silence_line(unsigned intid, uint64_t affinity, uint8_t priority)
{
	uint32_t config = GICD_ICFGR + intid / 16 * 4;
	uint32_t word = intid / 32 * 4;
	uint32_t bit = 1u << intid % 32;

	frame_write(machine.gicd, GICD_ICENABLER + word, bit);
	while (frame_read(machine.gicd, GICD_CTLR) & GICD_CTLR_RWP)
		;
	frame_write(machine.gicd, GICD_ICPENDR + word, bit);
	frame_write(machine.gicd, GICD_ICACTIVER + word, bit);
	frame_write(machine.gicd, config, frame_read(machine.gicd, config) & ~(3u << intid % 16 * 2));
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
	for (i = 0; i < lines.count; i++) {
		own_line(from->arch, number_in(from->arch, &lines, i), false);
		silence_line(lines.first + i, affinity, priority);
		own_line(to->arch, number_in(to->arch, &lines, i), true);
	}
	lock_drop(&machine.gicd_lock);
}

void arch_cell_lines_reset(struct cell *cell)
{
	unsigned i;

	for (i = 0; i < cell->config.cell->irq_count; i++)
		arch_cell_lines_move(cell, cell, cell->config.irq[i]);
	vuart_reset(cell);
}

void arch_cell_comm(const struct cell *cell, struct abi_comm *comm)
{
	comm->arch.arm64.gic_version = 3;
	comm->arch.arm64.gicd_base = cell->mmio[0].span.start;
	comm->arch.arm64.gicr_base = cell->mmio[1].span.start;
}

/* There is nothing but memory, CPUs and lines in a cell's configuration here. */
void arch_cell_attach(struct cell *cell)
{
	(void)cell;
}

void arch_cell_detach(struct cell *cell)
{
	(void)cell;
}

bool arch_cell_quiesce(struct cell *cell)
{
	(void)cell;
	return true;
}
