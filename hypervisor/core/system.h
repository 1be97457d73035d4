/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The root object and its parts. Who guards what:
 *
 *   system.lock   the pool, the list of cells, who owns which CPU and line, every cell's
 *                 state but for running -> failed, the hypervisor's own page tables.
 *                 A second management call waits for the first, which waits for nobody.
 *   cell.lock     cell.state (inside system.lock, or alone when a cell fails)
 *   cell.uart_lock  the state of its UART that is none of the machine's
 *   console.lock  its ring (core/console.h)
 *   cpu.lock      cpu.state and cpu.start (inside cell.lock)
 *   space.lock    changes to a root space's tables; walks of the fault path are counted (core/space.c; innermost)
 *   log.lock      the UART; innermost
 *
 * Nobody waits for another CPU while holding one of them, but for walks of a space, and on x86 for guests to be
 * left so that translations are forgotten (arch/tlb.h): neither waits for anything.
 */
#ifndef CORE_SYSTEM_H
#define CORE_SYSTEM_H

#include "abi/comm.h"
#include "abi/hypercall.h"
#include "base/bits.h"
#include "config/admit.h"
#include "core/log.h"
#include "core/log_area.h"
#include "core/mmio.h"
#include "core/space.h"

#define STAT_COUNT ABI_STAT_COUNT

struct arch_cell;
struct arch_cpu;
struct cell;
struct system;

enum cpu_state {
	CPU_PARKED,		/* in the hypervisor: powered off as its cell sees it */
	CPU_STARTING,		/* parked, and cpu.start is to be taken */
	CPU_IN_GUEST,
	CPU_FAILED,		/* parked, because it did what its cell may not */
};

/* How many exits are permitted until when (core/budget.h); times in ticks of arch_now(). */
struct budget {
	int64_t left;			/* below 0 after an exit: budget_judge() decides */
	uint64_t settled;		/* before that time everything is permitted */
	uint64_t second_ends;
	bool reported;			/* since the CPU was started */
};

struct vcpu_start {
	gpa_t entry;
	uint64_t argument;
	bool clean;		/* memory first: it was written through caches the guest begins without */
};

struct cpu {
	struct system *sys;
	unsigned id;			/* Linux's number: index into system.cpus */
	uint64_t hwid;			/* MPIDR affinity, APIC id */
	struct arch_cpu *arch;
	struct cell *cell;		/* owner; changes only while parked, under system.lock */

	struct lock lock;
	enum cpu_state state;
	struct vcpu_start start;

	bool stop;			/* atomic: leave the guest and park */
	bool leave;			/* atomic: disable is under way, power off */
	struct budget budget;		/* this CPU's alone while it is in the guest */
	/* since it is its cell's; written by this CPU, cleared while it is parked; TOTAL's is not used */
	uint64_t stats[STAT_COUNT];
};

enum cell_state {
	CELL_PREPARING,		/* new: its CPUs are zeroing its memory */
	CELL_SHUT_DOWN,
	CELL_RUNNING,
	CELL_FAILED,
	CELL_OPENING,		/* its CPUs are zeroing what the root cell is to load */
	CELL_LOADABLE,		/* shut down, and loadable memory is in the root cell too */
	CELL_CLOSING,		/* its CPUs are zeroing everything for the root cell */
	CELL_STATE_COUNT
};

/* Zeroing by the cell's parked CPUs, in chunks each takes as it can. */
struct scrub {
	struct lock lock;
	uint32_t wanted;	/* ABI_MEM_* a region must have; 0: any RAM not SHARED */
	uint32_t total;
	uint32_t next;
	uint32_t done;		/* atomic */
};

/* A span of guest-physical addresses that is mediated. */
struct mmio_region {
	struct span span;
	/* access->address is an offset. ERR_INVALID: no such access here, fails the cell. */
	err_t (*access)(struct cpu *cpu, struct mmio_access *access);
};

#define CELL_MMIO_REGIONS 4

struct cell {
	struct cell *next;
	struct system *sys;
	unsigned id;		/* 0: the root cell; also the VMID or ASID */
	struct config config;	/* of config_copy */
	void *config_copy;
	uint32_t config_pages;
	struct space space;
	struct mmio_region mmio[CELL_MMIO_REGIONS];	/* beside those of the system */
	unsigned mmio_count;
	struct arch_cell *arch;
	struct abi_comm *comm;	/* NULL in the root cell or without such a region */
	struct lock lock;
	enum cell_state state;
	struct cpu *reset_by;	/* inside cell.lock: the CPU that restarts the cell, or NULL */
	struct scrub scrub;
	bool ran;		/* inside cell.lock: since all of its memory was last zeroed */
	struct console *console;	/* NULL in the root cell */
	struct lock uart_lock;		/* of the architecture's part of its UART that is none of the machine's */
};

#define MMIO_REGIONS 8

struct system {
	struct lock lock;
	struct pool pool;
	struct config config;
	struct admit_limits limits;
	struct paging_format stage2;
	struct cell *root;		/* head of the list of cells, in order of creation */
	struct cpu *cpus[CONFIG_MAX_CPUS];
	unsigned cpu_count;
	unsigned cell_count;		/* with the root cell */
	struct mmio_region mmio[MMIO_REGIONS];	/* the same in every cell */
	unsigned mmio_count;
	struct log log;
	struct console consoles[LOG_CONSOLES];
	unsigned console_next;		/* the one that is to be tried first for a new cell */
	bool leaving;			/* disable was granted: nothing is created any more */
};

static inline bool cell_is_root(const struct cell *cell)
{
	return cell->id == 0;
}

static inline bool cell_config_has_cpu(const struct cell *cell, unsigned cpu)
{
	return bit_test(cell->config.cell->cpus, cpu);
}

#endif
