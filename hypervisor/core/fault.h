/* SPDX-License-Identifier: GPL-2.0-only */
/* A guest access that second-stage translation did not let through. */
#ifndef CORE_FAULT_H
#define CORE_FAULT_H

#include "core/system.h"

struct violation {
	gpa_t address;
	bool address_known;
	uint64_t pc;
	uint32_t access;	/* MAP_READ, MAP_WRITE or MAP_EXEC */
};

/* How far `address` is from the span; 0 inside. */
uint64_t fault_distance(struct span span, uint64_t address);

/* The region at `address` that is mediated for the cell, or NULL. */
const struct mmio_region *fault_region(const struct cell *cell, gpa_t address);

/* Would the tables let it through now? Then another CPU changed them meanwhile, and the guest just tries again. */
bool fault_is_stale(struct cpu *self, const struct violation *v);

/*
 * A line on the log about what this CPU's guest did: `FAILED cell "rtos": CPU 3: ` and the rest. It
 * says "refused to" instead for the root cell, and where the cell does not fail for it.
 */
void fault_say(const struct cpu *self, bool fails, const char *format, ...) PRINTF_LIKE(3, 4);

/*
 * Says on the log who did what where and which region is nearest. For the root cell the
 * architecture then lets the guest know; any other cell fails with cell_fail().
 */
void fault_report(struct cpu *self, const struct violation *v, const char *what);

#endif
