/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of this folder share: a CPU's and a cell's arm64 part, and each other's functions. */
#ifndef ARM64_ARM64_H
#define ARM64_ARM64_H

#include "abi/image.h"
#include "core/cpu.h"
#include "core/enable.h"
#include "layout.h"
#include "pure/esr.h"
#include "pure/gic.h"
#include "pure/lr.h"
#include "pure/vpl011.h"
#include "sysreg.h"

/* A guest's general registers, as vectors.S saves them at the top of the CPU's stack. */
struct regs {
	uint64_t x[31];
	uint64_t unused;
};
static_assert(sizeof(struct regs) == REGS_SIZE, "vectors.S");

/* EL2 as Linux's stub had it. The first five are saved by entry.S and restored by leave.S. */
struct bare {
	uint64_t sctlr;
	uint64_t tcr;
	uint64_t mair;
	uint64_t ttbr0;
	uint64_t to_physical;	/* what to subtract from a hypervisor address */
	uint64_t vbar;
	uint64_t hcr;
	uint64_t cptr;
	uint64_t mdcr;
	uint64_t cnthctl;
	uint64_t cntvoff;
	uint64_t vtcr;
	uint64_t vttbr;
	uint64_t tpidr;
	uint64_t vmpidr;
	uint64_t vpidr;
	uint64_t hstr;
	uint64_t icc_sre;
	uint64_t icc_ctlr;
	uint64_t icc_pmr;
	uint64_t icc_igrpen0;
	uint64_t ich_hcr;
	uint64_t ich_vmcr;
	uint32_t gicr_group0;	/* SGI 15 as Linux had it */
	uint32_t gicr_enabled;
	uint32_t gicr_icfgr1;
	uint8_t gicr_priority;
	uint64_t hcrx;		/* where there is one */
};

/* The interrupts of an injected cell's CPU that are under way. */
struct lr_cpu {
	const uint16_t *numbers;	/* struct numbers.virtual of its cell */
	uint8_t priority_shift;		/* as machine.priority_shift */
	uint8_t count;			/* of list registers */
	uint8_t all;			/* of them, as ICH_ELRSR_EL2 has them when all are empty */
	bool any_waits;			/* any bit of `waiting` */
	uint64_t waiting[LR_WAITING_WORDS];
};

struct arch_cpu {
	const uint64_t *sgi_targets;	/* of its cell */
	struct bare bare;
	bool injected;			/* its guest's interrupts are taken at EL2 and handed on */
	struct lr_cpu lr;
	uint64_t vmpidr;	/* what its cell calls it */
	uint8_t *gicr;		/* RD_base of its redistributor */
	uint64_t gicr_seen;	/* ... where its cell sees that */
	uint8_t *gicd;		/* machine.gicd */
	uint64_t gicd_seen;
	struct gicr_view gicr_view;
	uint32_t gicr_ctlr;	/* EnableLPIs as the root cell has it */
	uint8_t icc_pmr;	/* as its guest, not the root cell, wrote it */
	uint32_t icc_ctlr;
	uint64_t *window_block;	/* entry for a 2 MiB block */
	uint64_t *window_page;	/* entry for a page */
	uint8_t *window;	/* block at + 0, page at + 2 MiB */
};

/* One page at the top of each CPU's stack; TPIDR_EL2 points to it. */
struct percpu {
	struct cpu cpu;
	uint64_t id_registers[ID_REGISTERS];	/* as cells see this CPU's */
	struct arch_cpu arch;
};
static_assert(sizeof(struct percpu) <= 2048, "half a page, the rest is a stack for exceptions that should not be");
static_assert(offsetof(struct percpu, cpu) == 0, "vectors.S");
static_assert(offsetof(struct percpu, cpu.budget.left) == PERCPU_BUDGET_LEFT, "layout.h, for sgi.S");
static_assert(offsetof(struct percpu, cpu.stats[ABI_STAT_ARM64_SGI]) == PERCPU_STAT_SGI, "layout.h, for sgi.S");
static_assert(offsetof(struct percpu, cpu.stats[ABI_STAT_ARM64_SYSREG]) == PERCPU_STAT_SYSREG, "layout.h, for vectors.S");
static_assert(offsetof(struct percpu, id_registers) == PERCPU_ID_REGISTERS, "layout.h, for vectors.S");
static_assert(offsetof(struct percpu, arch.sgi_targets) == PERCPU_SGI_TARGETS, "layout.h, for sgi.S");

/* INTIDs of an injected cell; 0: none, or, in `virtual`, an SGI or the maintenance interrupt. */
struct numbers {
	uint16_t physical[GIC_SPI_END];	/* the machine's, by the cell's */
	uint16_t virtual[GIC_SPI_END];	/* the cell's, by the machine's */
};
static_assert(sizeof(struct numbers) <= 4096, "one page");

struct arch_cell {
	struct gicd_view gicd;
	struct numbers *numbers;	/* NULL: the machine's */
	uint64_t affinities[CONFIG_MAX_CPUS];	/* by CPU number; GIC_NO_CPU where it is not the cell's */
	/* gic_sgi_row() of them, for sgi.S; all 0 where SGIs are injected */
	uint64_t sgi_targets[GIC_SGI_ROWS];
	struct vpl011 uart;		/* guarded by cell.uart_lock */
};

/* The machine, as far as it is arm64's: the root object, and the only one that is written. */
struct machine {
	struct system sys;
	struct paging tables;		/* the hypervisor's own */
	struct paging_format format;
	uint64_t vtcr;
	uint8_t *gicd;
	const struct gic_management *gic;
	unsigned priority_shift;	/* from a guest's priority to the CPU interface's: gic_priority_in() */
	uint32_t gicr_stride;		/* from one redistributor to the next */
	struct lock gicd_lock;		/* read-modify-write of shared distributor words */
	uint32_t gicd_ctlr_bare;	/* as Linux had it */
	struct span mediated[2];
	struct span uart;
	struct meeting meeting;
	bool dead;			/* atomic: a bug was found, every CPU that comes here stays */
};
extern struct machine machine;

/* linker script */
extern uint8_t _idmap[];

static inline struct percpu *percpu_of(unsigned cpu)
{
	return (struct percpu *)(void *)(_percpu + (cpu + 1) * (size_t)PERCPU_SIZE - 4096);
}

static inline struct percpu *percpu_of_cpu(const struct cpu *cpu)
{
	return (struct percpu *)((uintptr_t)cpu - offsetof(struct percpu, cpu));
}

/* The guest's registers of a CPU that is in the hypervisor: at the top of its stack. */
static inline struct regs *regs_of(const struct cpu *self)
{
	return (struct regs *)(void *)percpu_of_cpu(self) - 1;
}

/* entry.S, leave.S */
_Noreturn void leave_to_bare(const struct regs *regs, const struct bare *bare, long result);
void switch_tables(uint64_t ttbr0, uint64_t sctlr, uint64_t to_physical);
/* vectors.S */
extern uint8_t vectors[];
_Noreturn void enter_guest(const struct regs *regs);
_Noreturn void restart_on_stack(void *stack, void (*run)(struct cpu *), struct cpu *self);
/* clean.S */
void clean_fp(bool sve);
void clean_debug(unsigned last_breakpoint, unsigned last_watchpoint);
uint64_t id_register(unsigned index);	/* below ID_REGISTERS */

/* boot.c: called by entry.S on every CPU */
long boot_cpu(unsigned number, struct regs *regs, struct bare *bare);

/* el2.c */
/* The vector extensions EL2 left to EL1; Linux may have them off (arm64.nosve, arm64.nosme). */
bool el2_has_sve(const struct cpu *self);
bool el2_has_sme(const struct cpu *self);
void el2_save(struct bare *bare);
err_t el2_check(struct cpu *self, struct why *why);
/* The hypervisor's tables, vectors and traps, for the cell the CPU belongs to. */
void el2_activate(struct cpu *self);
/* From the boot tables to the hypervisor's own, and its vectors. */
void el2_own_tables(struct cpu *self);
void el2_set_cell(struct cpu *self);
_Noreturn void el2_leave(struct cpu *self, const struct regs *regs, long result);

/* gicv3.c */
err_t gic_cpu_check(struct cpu *self, struct why *why);
void gic_cpu_activate(struct cpu *self);
void gic_cpu_leave(struct cpu *self);
void gic_cpu_reset(struct cpu *self);
void gic_cpu_quiesce(struct cpu *self);
void gic_restore(void);
/* Is the INTID, any number, a line of this CPU's cell, or an interrupt of this CPU's that its guest may have? Direct cells. */
bool gic_owns(const struct cpu *self, uint64_t intid);
/* What a cell writes to ICC_PMR_EL1. */
void gic_set_pmr(struct cpu *self, uint64_t pmr);

/* gic_manage.c */
/*
 * How CPUs are had back from guests and woken, by what GICD_CTLR.DS is. SGI 15 is the
 * hypervisor's in both. `self` is the CPU that calls, in EL2.
 */
struct gic_management {
	const char *words;		/* for the log */
	bool two_states;		/* GICD_CTLR.DS = 0 */
	/* May SGI 15 be had? Nothing is changed. */
	err_t (*check)(struct cpu *self, struct why *why);
	/* SGI 15 is the hypervisor's, from now on or no longer; what is saved of it lies in self->arch->bare. */
	void (*take)(struct cpu *self);
	void (*release)(struct cpu *self);
	/* The interface's registers that only this way uses, as they are while a guest runs. */
	void (*open)(struct cpu *self);
	/* The CPU's guest is about to start, or has ended. */
	void (*start)(struct cpu *self);
	void (*quiesce)(struct cpu *self);
	void (*kick)(const struct cpu *target);
	void (*kick_out)(const struct cpu *target);
	/* Until an interrupt of the guest's that passes `pmr`, or a kick; both may be spurious. */
	void (*sleep)(struct cpu *self, uint64_t pmr);
	/* Takes SGI 15, if it is there. */
	void (*acknowledge)(void);
	/* The lowest value ICC_PMR_EL1 may have while a guest runs, as guests count. */
	uint8_t pmr_min;
};
/* That of this machine, whose distributor says ctlr. */
const struct gic_management *gic_management_for(uint32_t ctlr);
/* Takes the management SGI if it is there. */
void gic_ack_management(void);
/* ICC_AP1R<n>_EL1, as many as there are, and `active` change places. */
#define AP1R_COUNT 4u
void gic_swap_active(uint64_t active[AP1R_COUNT]);
/* The guest waits for an interrupt; may end early. */
void guest_sleep(void);

/*
 * A Non-secure guest counts priorities from 0; where firmware leaves Group 0 to EL2 (SCR_EL3.FIQ
 * = 0) the CPU interface shows the machine's, of which those are the lower half (IHI0069H 4.8).
 */
static inline uint64_t gic_priority_in(uint64_t guests)
{
	return machine.priority_shift ? 0x80 | guests >> 1 : guests;
}

static inline uint64_t gic_priority_out(uint64_t interfaces)
{
	return interfaces == 0xff ? interfaces : interfaces << machine.priority_shift & 0xff;
}

/* How many bits of a priority the CPU interface has; it has its active-priority registers for as many. */
static inline unsigned gic_priority_bits(void)
{
	return (unsigned)FIELD_GET(ICC_CTLR_PRIBITS, sysreg_read(ICC_CTLR_EL1)) + 1;
}

#define GICR_CTLR_RWP 0x8u
/* SGI 15 in a redistributor's words of lines */
#define MANAGEMENT_BIT (1u << GIC_SGI_MANAGEMENT)

static inline uint32_t frame_read(const uint8_t *frame, uint32_t offset)
{
	return *(const volatile uint32_t *)(const void *)(frame + offset);
}

static inline void frame_write(uint8_t *frame, uint32_t offset, uint32_t value)
{
	*(volatile uint32_t *)(void *)(frame + offset) = value;
}

static inline void gicr_wait_for_writes(const uint8_t *gicr)
{
	while (frame_read(gicr, GICR_CTLR) & GICR_CTLR_RWP)
		;
}

/* lr.c: the interrupts of injected cells */
/* An IRQ at EL2: a guest's, or the hypervisor's own. */
void exit_irq(struct cpu *self);
/* What an injected guest writes to ICC_SGI1R_EL1. */
void lr_guest_sgi(struct cpu *self, uint64_t icc_sgi1r);
/* After each write of an injected guest to its lines' registers. */
void lr_revalidate(struct cpu *self);
/* The virtual interface, of which every guest has a part, as after a reset. */
void lr_clear_interface(void);
void lr_start(struct cpu *self);
/* What is under way is over: nothing is in the list registers, nothing of it active. */
void lr_quiesce(struct cpu *self);
/* Is any interrupt under way: pending, or one the guest is at work on? */
bool lr_in_use(const struct cpu *self);

/* gic_mmio.c */
/* The cell's views are answered where it sees them. */
void gic_mediate(struct cell *cell);
uint64_t gic_bus_read(void *frame, uint32_t offset, unsigned size);
void gic_bus_write(void *frame, uint32_t offset, unsigned size, uint64_t value);
void gic_guest_sgi(struct cpu *self, uint64_t icc_sgi1r);

/* vuart.c */
void vuart_init(struct cell *cell);
/* The cell starts anew. */
void vuart_reset(struct cell *cell);

/* exit.c */
void exit_sync(struct cpu *self, struct regs *regs, uint64_t esr);
/* What no guest has to come here for. */
void exit_other(struct cpu *self, const struct exit *x);
_Noreturn void halt(void);
/* A bug was found somewhere: this CPU stays here. */
void halt_if_dead(void);
void exit_fiq(struct cpu *self);
void exit_serror(struct cpu *self);
_Noreturn void exit_hypervisor(struct regs *regs, unsigned vector);
/* abort_quick.c, and abort.c for what is left */
void exit_abort(struct cpu *self, struct regs *regs, uint64_t esr);
void exit_any_abort(struct cpu *self, struct regs *regs, uint64_t esr);
/* traps.c */
/* Prepares what cells see of this CPU's ID registers. */
void id_registers_init(struct cpu *self);
void exit_sysreg(struct cpu *self, struct regs *regs, const struct exit *x);
/* inject.c */
void inject_undefined(const struct exit *x);
void inject_external_abort(const struct exit *x);
/* psci.c: of regs x0 to x17 are there */
void exit_hvc(struct cpu *self, struct regs *regs);
void exit_smc(struct cpu *self, struct regs *regs);
/* smc.S: x0..x7 of regs to the firmware, x0..x3 back */
void smc_forward(struct regs *regs);
uint64_t smc_call(uint64_t function, uint64_t a, uint64_t b, uint64_t c);

/* tlb.c */
void window_init(struct cpu *self, uint64_t *block, uint64_t *page);
/* pl011.c */
void pl011_init(void);
void pl011_write(const char *text, size_t size);

static inline bool cell_is_injected(const struct cell *cell)
{
	return !cell_is_root(cell) && (cell->config.cell->flags & ABI_CELL_INJECTED) != 0;
}

static inline struct cpu *this_cpu(void)
{
	uint64_t percpu;

	__asm__ volatile("mrs %0, tpidr_el2" : "=r"(percpu));
	return &((struct percpu *)percpu)->cpu;
}

/* Was the guest in EL0 when it came here? */
static inline bool in_el0(void)
{
	uint64_t spsr = sysreg_read(spsr_el2);

	return (spsr & SPSR_AARCH32) || (spsr & BITS(3, 2)) == 0;
}

/* ... and one instruction of it is done. */
static inline void skip_instruction(unsigned length)
{
	sysreg_write(elr_el2, sysreg_read(elr_el2) + length);
	/* what an instruction that is done leaves clear */
	sysreg_write(spsr_el2, sysreg_read(spsr_el2) & ~(SPSR_BTYPE | SPSR_SS));
}

static inline uint64_t reg_get(const struct regs *regs, unsigned n)
{
	return n == 31 ? 0 : regs->x[n];
}

static inline void reg_set(struct regs *regs, unsigned n, uint64_t value)
{
	if (n != 31)
		regs->x[n] = value;
}

#endif
