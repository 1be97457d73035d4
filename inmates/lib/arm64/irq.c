/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "state.h"
#include "arm64/gic.h"
#include "arm64/sysreg.h"

#define ICC_SRE_SRE 1
#define ICC_PMR_ALL 0xff
#define PRIORITY 0xa0		/* in the middle of what a cell may choose */
#define PRIVATE_LINES 32u
#define LINES_END 1020u
#define SGI_MANAGEMENT 15u	/* SGI 15 is the hypervisor's */

uint64_t gic_distributor(void)
{
	const struct abi_comm_arm64 *a = &comm_page()->arch.arm64;

	return a->gic_version == 3 ? a->gicd_base : 0;
}

uint64_t gic_redistributor_next(uint64_t frame, uint64_t *typer)
{
	if (!frame) {
		frame = comm_page()->arch.arm64.gicr_base;
		if (!gic_distributor() || !frame)
			return 0;
	} else {
		if (*typer & GICR_TYPER_LAST)
			return 0;
		/* RD and SGI frames, and with GICv4 VLPI and a reserved one */
		frame += (*typer & GICR_TYPER_VLPIS ? 4 : 2) * GIC_FRAME_SIZE;
	}
	*typer = mmio_read64(frame + GICR_TYPER);
	return frame;
}

/* GICR_TYPER[63:32] is Aff3.Aff2.Aff1.Aff0 without MPIDR's gap. */
static uint64_t typer_affinity(uint64_t typer)
{
	uint64_t packed = typer >> 32;

	return (packed >> 24) << 32 | (packed & 0xffffff);
}

uint64_t gic_redistributor(void)
{
	uint64_t typer = 0, frame = 0;

	while ((frame = gic_redistributor_next(frame, &typer)))
		if (typer_affinity(typer) == cpu_affinity())
			return frame;
	return 0;
}

static void redistributor_wake(uint64_t frame)
{
	uint32_t waker = mmio_read32(frame + GICR_WAKER);

	mmio_write32(frame + GICR_WAKER, waker & ~GICR_WAKER_PROCESSOR_SLEEP);
	while (mmio_read32(frame + GICR_WAKER) & GICR_WAKER_CHILDREN_ASLEEP)
		;
}

void irq_init(void)
{
	uint64_t gicd = gic_distributor(), frame = gic_redistributor();

	if (!gicd || !frame) {
		printk("inmate: no GICv3 redistributor for CPU 0x%lx: name the interrupt controller "
		       "in the cell's configuration\n", cpu_affinity());
		inmate_stop(ABI_CELL_FAILED);
	}
	redistributor_wake(frame);
	frame += GICR_SGI_FRAME;
	mmio_write32(frame + GIC_ICENABLER, 0xffffffff);
	mmio_write32(frame + GIC_IGROUPR, 0xffffffff);
	mmio_write32(frame + GIC_ICPENDR, 0xffffffff);
	mmio_write32(frame + GIC_ICACTIVER, 0xffffffff);

	mmio_write32(gicd + GICD_CTLR, GICD_CTLR_ARE | GICD_CTLR_ENABLE_GRP1);
	while (mmio_read32(gicd + GICD_CTLR) & GICD_CTLR_RWP)
		;

	sysreg_write(icc_sre_el1, ICC_SRE_SRE);
	isb();
	sysreg_write(icc_ctlr_el1, 0);	/* EOImode 0: EOIR1 also deactivates */
	sysreg_write(icc_pmr_el1, ICC_PMR_ALL);
	sysreg_write(icc_bpr1_el1, 0);
	sysreg_write(icc_igrpen1_el1, 1);
	isb();
	/* Timers wake from WFI before a program has asked for their interrupts: timer_sleep_until() */
	timer_disarm();
	mmio_write8(frame + GIC_IPRIORITYR + IRQ_TIMER, PRIORITY);
	mmio_write32(frame + GIC_ISENABLER, 1u << IRQ_TIMER);
	inmate.irq_ready = true;
}

static struct irq_slot *shared_slot(unsigned int line)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(inmate.shared_lines); i++)
		if (inmate.shared_lines[i].line == line)
			return &inmate.shared_lines[i];
	return NULL;
}

static void line_enable(uint64_t frame, unsigned int line)
{
	uint32_t bit = 1u << line % 32, word = line / 32 * 4;

	mmio_write32(frame + GIC_IGROUPR + word, mmio_read32(frame + GIC_IGROUPR + word) | bit);
	mmio_write8(frame + GIC_IPRIORITYR + line, PRIORITY);
	mmio_write32(frame + GIC_ISENABLER + word, bit);
}

bool irq_enable(unsigned int line, irq_handler_t handler, void *context)
{
	struct irq_slot *slot;

	if (line >= LINES_END || line == SGI_MANAGEMENT)
		return false;
	if (line < PRIVATE_LINES) {
		inmate.private_lines[line] = (struct irq_slot){ handler, context, line };
		line_enable(gic_redistributor() + GICR_SGI_FRAME, line);
		return true;
	}
	slot = shared_slot(line);
	if (!slot)
		slot = shared_slot(0);
	if (!slot)
		return false;
	*slot = (struct irq_slot){ handler, context, line };
	mmio_write64(gic_distributor() + GICD_IROUTER + 8ull * line, cpu_affinity());
	line_enable(gic_distributor(), line);
	return true;
}

void irq_disable(unsigned int line)
{
	uint32_t bit = 1u << line % 32, word = line / 32 * 4;
	struct irq_slot *slot;

	if (line < PRIVATE_LINES) {
		mmio_write32(gic_redistributor() + GICR_SGI_FRAME + GIC_ICENABLER, bit);
		inmate.private_lines[line] = (struct irq_slot){ 0 };
		return;
	}
	slot = shared_slot(line);
	if (!slot)
		return;
	mmio_write32(gic_distributor() + GIC_ICENABLER + word, bit);
	*slot = (struct irq_slot){ 0 };
}

/*
 * One line for each exception: what is pending behind it is taken anew at once, and `entered`
 * is then its own.
 */
void irq_dispatch(uint64_t entered)
{
	unsigned int line = (unsigned int)sysreg_read(icc_iar1_el1) & 0xffffff;
	const struct irq_slot *slot;

	if (line >= GIC_LINE_SPURIOUS)
		return;
	dsb_sy();
	slot = line < PRIVATE_LINES ? &inmate.private_lines[line] : shared_slot(line);
	if (slot && slot->handler)
		slot->handler(slot->context, entered);
	else if (line == IRQ_TIMER)
		timer_disarm();
	sysreg_write(icc_eoir1_el1, line);
	isb();
}

void irq_send_self(unsigned int line)
{
	uint64_t aff = cpu_affinity();
	uint64_t value = (uint64_t)(line & 15) << 24 | 1ull << (aff & 15);

	/* ICC_SGI1R_EL1: Aff3 [55:48], RS [47:44], Aff2 [39:32], Aff1 [23:16] */
	value |= (aff >> 32 & 0xff) << 48 | (aff >> 16 & 0xff) << 32 | (aff >> 8 & 0xff) << 16;
	value |= (aff >> 4 & 15) << 44;
	dsb_sy();
	sysreg_write(icc_sgi1r_el1, value);
	isb();
}

uint32_t irq_controller_read(void)
{
	return mmio_read32(gic_distributor() + GICD_TYPER);
}

void irq_unmask(void)
{
	__asm__ volatile("msr daifclr, #2" ::: "memory");
}

void irq_mask(void)
{
	__asm__ volatile("msr daifset, #2" ::: "memory");
}

void irq_wait(void)
{
	__asm__ volatile("dsb sy\n\twfi" ::: "memory");
}
