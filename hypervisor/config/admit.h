/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * May this description join those already there? The ownership rules, as one pure
 * function per kind. The hypervisor's only word on it: nobody's earlier check counts.
 *
 * Memory: hypervisor memory is nobody's, and what is mediated is where the machine has
 * addresses. Root regions do not overlap each other in host addresses. A cell's region
 * (not COMM) lies within one region of the root cell that is RESERVED (for RAM) or IO (for
 * IO), with no permission the root's lacks; not SHARED, it overlaps no other, its own
 * cell's or another's; SHARED, it overlaps others only where they are SHARED too. CPUs:
 * each the system's, and in no other cell. Interrupts: each the root cell's, and in no
 * other cell, with numbers in the cell that the machine could have. I/O ports: mediated
 * ones are nobody's; each the root cell's, and in no other cell. PCI functions: in no
 * other cell. Names: in no other cell. Where a cell sees its interrupt controller it has
 * nothing else.
 */
#ifndef CONFIG_ADMIT_H
#define CONFIG_ADMIT_H

#include "config/parse.h"

/* What the machine can do, from the architecture. */
struct admit_limits {
	uint32_t max_cpus;		/* compiled in */
	bool cpu0_stays;		/* Linux cannot take CPU 0 offline: it is no cell's */
	uint64_t guest_end;		/* guest-physical addresses are below */
	uint64_t host_end;		/* host-physical addresses are below */
	uint32_t irq_first;		/* interrupt lines: first and one past the last */
	uint32_t irq_end;
	bool uart;			/* cells can have one that is none of the machine's */
	uint32_t pio_end;		/* I/O ports are below; 0: there are none */
	/* what is mediated and so may lie in nobody's memory, e.g. GICD and GICR, or ports */
	const struct span *mediated;
	unsigned mediated_count;
	struct span mediated_ports;	/* size 0: none */
};

/*
 * Where an arm64 cell sees the distributor, seen[0], and redistributors, seen[1]: those of its CPUs alone
 * where it counts them, without the frames of virtual LPIs, which no cell has; all of the machine's otherwise.
 */
void config_gic_spans(const struct abi_cell *cell, const struct abi_platform_arm64 *machine, struct span seen[2]);

/* A system file, parsed with kind SYSTEM. */
MUST_CHECK err_t admit_system(const struct config *system, const struct admit_limits *limits,
			      struct why *why);

/* A cell file against the system and the `count` cells there are (without the root cell). */
MUST_CHECK err_t admit_cell(const struct config *cell, const struct config *system,
			    const struct config *const *cells, unsigned count,
			    const struct admit_limits *limits, struct why *why);

#endif
