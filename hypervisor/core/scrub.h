/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Zeroing a cell's memory when it changes hands, by the CPUs that change hands with it,
 * so that no other CPU is held up. Regions that are IO, SHARED or the communication page
 * are never zeroed.
 */
#ifndef CORE_SCRUB_H
#define CORE_SCRUB_H

#include "core/system.h"

/* All the cell's CPUs parked. Regions that have all the ABI_MEM_* flags in `wanted`. */
void scrub_begin(struct cell *cell, uint32_t wanted);
/* Is all of it zero? */
bool scrub_finished(struct cell *cell);
/* One chunk on this parked CPU, at most 2 MiB. False if there was nothing to do. */
bool scrub_step(struct cpu *self);

/* Writes the memory back and drops it from the caches, unchanged. On the CPU that is to start the cell; parks it if it is told to stop. */
void scrub_clean(struct cpu *self);

#endif
