// SPDX-License-Identifier: GPL-2.0-only
/* GICv3 with affinity routing and one group, as drivers set it up: every line, every field. */
#include "guest.h"

#define GICD_CTLR 0x0
#define GICD_TYPER 0x4
#define GICD_IGROUPR 0x80
#define GICD_ISENABLER 0x100
#define GICD_ICENABLER 0x180
#define GICD_ICPENDR 0x280
#define GICD_ICACTIVER 0x380
#define GICD_IPRIORITYR 0x400
#define GICD_ICFGR 0xc00
#define GICD_IROUTER 0x6000
#define CTLR_GRP1 (1u << 1)
#define CTLR_ARE (1u << 4)
#define CTLR_RWP (1u << 31)
#define GICR_CTLR 0x0
#define GICR_TYPER 0x8
#define GICR_WAKER 0x14
#define GICR_SIZE 0x20000u
#define GICR_SGI 0x10000u
#define TYPER_LAST (1u << 4)
#define WAKER_SLEEP (1u << 1)
#define WAKER_ASLEEP (1u << 2)
#define RWP_REDISTRIBUTOR (1u << 3)
#define AFFINITY 0xff00ffffffull
#define SPI_FIRST 32u
#define SPECIAL 1020u

#define ICC_SRE_EL1 S3_0_C12_C12_5
#define ICC_CTLR_EL1 S3_0_C12_C12_4
#define ICC_PMR_EL1 S3_0_C4_C6_0
#define ICC_BPR1_EL1 S3_0_C12_C12_3
#define ICC_IGRPEN1_EL1 S3_0_C12_C12_7
#define ICC_IAR1_EL1 S3_0_C12_C12_0
#define ICC_EOIR1_EL1 S3_0_C12_C12_1
#define ICC_DIR_EL1 S3_0_C12_C11_1
#define ICC_SGI1R_EL1 S3_0_C12_C11_5
#define CTLR_EOIMODE 2u
#define SGI_IRM (1ull << 40)

void (*on_sgi)(unsigned sgi);
static uintptr_t own_frame[CPUS];

static volatile uint32_t *reg(uintptr_t base, unsigned offset)
{
	return (volatile uint32_t *)(base + offset);
}

static void wait_clear(uintptr_t base, unsigned offset, uint32_t bit)
{
	while (*reg(base, offset) & bit)
		;
}

static void lines_off(unsigned first, unsigned end, uintptr_t frame)
{
	unsigned n;

	for (n = first; n < end; n += 32) {
		*reg(frame, GICD_ICENABLER + n / 8) = UINT32_MAX;
		*reg(frame, GICD_ICPENDR + n / 8) = UINT32_MAX;
		*reg(frame, GICD_ICACTIVER + n / 8) = UINT32_MAX;
		*reg(frame, GICD_IGROUPR + n / 8) = UINT32_MAX;
	}
	for (n = first; n < end; n += 4)
		*reg(frame, GICD_IPRIORITYR + n) = LOW * 0x01010101u;
}

unsigned gic_init(void)
{
	unsigned end = 32 * ((*reg(board.gicd, GICD_TYPER) & 0x1f) + 1), n;

	if (end > SPECIAL)
		end = SPECIAL;
	*reg(board.gicd, GICD_CTLR) = 0;
	wait_clear(board.gicd, GICD_CTLR, CTLR_RWP);
	lines_off(SPI_FIRST, end, board.gicd);
	for (n = SPI_FIRST; n < end; n += 16)
		*reg(board.gicd, GICD_ICFGR + n / 4) = 0;
	*reg(board.gicd, GICD_CTLR) = CTLR_ARE | CTLR_GRP1;
	wait_clear(board.gicd, GICD_CTLR, CTLR_RWP);
	for (n = SPI_FIRST; n < end; n++)
		*(volatile uint64_t *)(board.gicd + GICD_IROUTER + 8 * n) = sys_read(mpidr_el1) & AFFINITY;
	return end;
}

static uintptr_t find_frame(void)
{
	uint64_t mpidr = sys_read(mpidr_el1);
	uint32_t own = (uint32_t)((mpidr & 0xffffff) | (mpidr >> 32 & 0xff) << 24);
	uintptr_t frame = board.gicr;

	if (!habits.walks)
		return frame + this_cpu() * GICR_SIZE;
	for (;;) {
		uint64_t typer = *(volatile uint64_t *)(frame + GICR_TYPER);

		if (typer >> 32 == own)
			return frame;
		if (typer & TYPER_LAST) {
			uart_put_now("no redistributor is mine\r\n");
			return frame;
		}
		frame += GICR_SIZE;
	}
}

void gic_cpu_init(void)
{
	uintptr_t frame = find_frame();

	own_frame[this_cpu()] = frame + GICR_SGI;
	*reg(frame, GICR_WAKER) &= ~WAKER_SLEEP;
	wait_clear(frame, GICR_WAKER, WAKER_ASLEEP);
	lines_off(0, SPI_FIRST, frame + GICR_SGI);
	wait_clear(frame, GICR_CTLR, RWP_REDISTRIBUTOR);
	*reg(frame + GICR_SGI, GICD_ISENABLER) = (1u << SGIS) - 1;
	sys_write(ICC_SRE_EL1, sys_read(ICC_SRE_EL1) | 1);
	isb();
	sys_write(ICC_PMR_EL1, 0xff);
	sys_write(ICC_BPR1_EL1, 0);
	sys_write(ICC_CTLR_EL1, habits.splits_end ? CTLR_EOIMODE : 0);
	sys_write(ICC_IGRPEN1_EL1, 1);
	isb();
}

void gic_enable_line(unsigned intid)
{
	uintptr_t frame = intid < SPI_FIRST ? own_frame[this_cpu()] : board.gicd;

	*reg(frame, GICD_ISENABLER + intid / 32 * 4) = 1u << intid % 32;
}

void gic_set_priority(unsigned sgi, enum priority priority)
{
	((volatile uint8_t *)(own_frame[this_cpu()] + GICD_IPRIORITYR))[sgi] = (uint8_t)priority;
	/* done when it can be read */
	(void)*reg(own_frame[this_cpu()], GICD_IPRIORITYR + sgi / 4 * 4);
	dsb();
}

void gic_send(unsigned sgi, unsigned cpu)
{
	uint64_t to = board.affinity[cpu];

	dsb();
	sys_write(ICC_SGI1R_EL1, (uint64_t)sgi << 24 | (to >> 32 & 0xff) << 48 | (to >> 16 & 0xff) << 32 |
				 (to >> 8 & 0xff) << 16 | 1u << (to & 0xf));
	isb();
}

void gic_send_others(unsigned sgi)
{
	dsb();
	sys_write(ICC_SGI1R_EL1, SGI_IRM | (uint64_t)sgi << 24);
	isb();
}

static void serve(unsigned intid)
{
	struct cpu_state *self = &cpu_state[this_cpu()];

	if (intid == habits.timer) {
		timer_tick();
		self->ticks++;
	} else if (intid == board.uart_irq) {
		uart_interrupt();
	} else if (intid < SGIS) {
		self->sgi[intid]++;
		if (on_sgi != NULL)
			on_sgi(intid);
	} else {
		self->strange++;
	}
}

void interrupt(void)
{
	unsigned intid = (unsigned)sys_read(ICC_IAR1_EL1);

	dsb();
	if (intid >= SPECIAL) {
		cpu_state[this_cpu()].spurious++;
		return;
	}
	if (habits.splits_end)
		sys_write(ICC_EOIR1_EL1, intid);
	serve(intid);
	dsb();
	if (habits.splits_end)
		sys_write(ICC_DIR_EL1, intid);
	else
		sys_write(ICC_EOIR1_EL1, intid);
	isb();
}
