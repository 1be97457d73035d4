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

/* The mediated region at `address`, or NULL. */
const struct mmio_region *fault_region(const struct system *sys, gpa_t address);

/* Would the tables let it through now? Then another CPU changed them meanwhile, and the guest just tries again. */
bool fault_is_stale(struct cpu *self, const struct violation *v);

/*
 * Says on the log who did what where and which region is nearest. For the root cell the
 * architecture then lets the guest know; any other cell fails with cell_fail().
 */
void fault_report(struct cpu *self, const struct violation *v, const char *what);

#endif
