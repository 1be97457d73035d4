/* SPDX-License-Identifier: GPL-2.0-only */
/* What a machine's device tree says. Pure; but for machine_tree_good() they are for trees that are. */
#ifndef JAILHOUSE_CLI_MACHINE_TREE_H
#define JAILHOUSE_CLI_MACHINE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whole and in order, whoever wrote it. */
bool machine_tree_good(const void *fdt, size_t size);

/* 2 or 3; 0: there is no GIC in it, or another. */
unsigned machine_tree_gic(const void *fdt);

/* How PSCI is called ("smc", "hvc"); NULL: it has CPUs, but no PSCI; empty: it does not describe the machine. */
const char *machine_tree_psci(const void *fdt);

/* Of all memory nodes. */
uint64_t machine_tree_ram(const void *fdt);

/* Of the fixed nodes in reserved-memory that Linux must not map. */
uint64_t machine_tree_reserved(const void *fdt, unsigned *count);

#endif
