/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of this folder share: a CPU's and a cell's arm64 part, and each other's functions. */
#ifndef ARM64_ARM64_H
#define ARM64_ARM64_H

#include "abi/image.h"
#include "core/cpu.h"
#include "layout.h"
#include "pure/esr.h"
#include "pure/gic.h"
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
	uint64_t icc_bpr1;
	uint64_t ich_hcr;
	uint64_t ich_vmcr;
	uint32_t gicr_group0;	/* SGI 15 as Linux had it */
	uint32_t gicr_enabled;
	uint32_t gicr_icfgr1;
	uint8_t gicr_priority;
	uint64_t hcrx;		/* where there is one */
};

struct arch_cpu {
	struct bare bare;
	uint8_t *gicr;		/* RD_base of its redistributor */
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
	struct arch_cpu arch;
};
static_assert(sizeof(struct percpu) <= 4096, "one page");

struct arch_cell {
	struct gicd_view gicd;
	uint64_t affinities[CONFIG_MAX_CPUS];	/* by CPU number; GIC_NO_CPU where it is not the cell's */
};

enum phase {
	GATHERING,
	BUILDING,
	CHECKING,
	GO,
	FAILED,
};

/* Where the CPUs meet at enable; zero at first, like all of .bss, by the driver. */
struct meeting {
	uint32_t phase;		/* enum phase, atomic */
	uint32_t arrived;	/* atomic */
	uint32_t checked;	/* atomic */
	uint32_t active;	/* atomic */
	struct lock lock;	/* guards why and error */
	err_t error;
	struct why why;
};

/* The machine, as far as it is arm64's: the root object, and the only one that is written. */
struct machine {
	struct system sys;
	struct paging tables;		/* the hypervisor's own */
	struct paging_format format;
	uint64_t vtcr;
	uint8_t *gicd;
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
extern uint8_t _start[], _text[], _idmap[], _rodata[], _data[], _percpu[];

static inline struct percpu *percpu_of(unsigned cpu)
{
	return (struct percpu *)(void *)(_percpu + (cpu + 1) * (size_t)PERCPU_SIZE - 4096);
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
uint64_t id_register(unsigned index);	/* op0=3 op1=0 CRn=0: (CRm - 1) * 8 + op2 */

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
void gic_init(void);
err_t gic_cpu_check(struct cpu *self, struct why *why);
void gic_cpu_activate(struct cpu *self);
void gic_cpu_leave(struct cpu *self);
void gic_cpu_reset(struct cpu *self);
void gic_cpu_quiesce(struct cpu *self);
void gic_restore(void);
/* Takes the management SGI if it is there. */
void gic_ack_management(void);
/* What a cell writes to ICC_PMR_EL1. */
void gic_set_pmr(struct cpu *self, uint64_t pmr);

/* gic_mmio.c */
uint64_t gic_bus_read(void *frame, uint32_t offset, unsigned size);
void gic_bus_write(void *frame, uint32_t offset, unsigned size, uint64_t value);
void gic_guest_sgi(struct cpu *self, uint64_t icc_sgi1r);

/* exit.c */
void guest_sleep(void);
void exit_sync(struct regs *regs);
_Noreturn void halt(void);
void exit_fiq(struct regs *regs);
void exit_serror(struct regs *regs);
_Noreturn void exit_hypervisor(struct regs *regs, unsigned vector);
void skip_instruction(const struct exit *x);
/* abort.c */
void exit_abort(struct cpu *self, struct regs *regs, struct exit *x);
/* traps.c */
void exit_sysreg(struct cpu *self, struct regs *regs, struct exit *x);
/* inject.c */
void inject_undefined(const struct exit *x);
void inject_external_abort(const struct exit *x);
/* psci.c: an SMCCC call by SMC or HVC, result in the registers */
void smccc_call(struct cpu *self, struct regs *regs, bool hvc);
/* smc.S: x0..x7 of regs to the firmware, x0..x3 back */
void smc_forward(struct regs *regs);
uint64_t smc_call(uint64_t function, uint64_t a, uint64_t b, uint64_t c);

/* tlb.c */
void window_init(struct cpu *self, uint64_t *block, uint64_t *page);
/* pl011.c */
void pl011_init(void);
void pl011_write(const char *text, size_t size);

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
