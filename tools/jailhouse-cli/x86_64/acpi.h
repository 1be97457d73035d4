/* SPDX-License-Identifier: GPL-2.0-only */
/* ACPI's tables for a cell: a hardware-reduced PC (ACPI 6.5, 4.1). Acts on nothing. */
#ifndef JAILHOUSE_CLI_ACPI_H
#define JAILHOUSE_CLI_ACPI_H

#include "config/parse.h"

/* Of all tables together: 256 CPUs are 4 KiB of it */
#define ACPI_SIZE ((size_t)8 << 10)

/*
 * RSDP first, then XSDT, FADT, MADT and DSDT, to lie at the guest-physical address `at` (a multiple of
 * 16). Returns how many of `bytes` they are.
 */
size_t acpi_make(const struct config *cell, const struct config *system, uint64_t at, uint8_t bytes[ACPI_SIZE]);

#endif
