/* SPDX-License-Identifier: GPL-2.0-only */
/* The firmware's ACPI tables, as /sys/firmware/acpi/tables has them. Pure; the bytes may be anybody's. */
#ifndef JAILHOUSE_CLI_ACPI_TABLE_H
#define JAILHOUSE_CLI_ACPI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ACPI 6.5, 5.2.12: kinds of entries of the MADT */
enum madt_type { MADT_IOAPIC = 1, MADT_GICC = 0xb, MADT_GICD = 0xc, MADT_GICR = 0xe };

struct acpi_table {
	const uint8_t *data;
	size_t size;		/* as its header says; all of it is there */
};

/* Whether `data` begins with a table of this signature ("APIC"). */
bool acpi_table_parse(const void *data, size_t size, const char *signature, struct acpi_table *table);

struct madt_entry {
	uint8_t type;
	const uint8_t *data;
	size_t size;		/* at least 2 */
};

/* `*at` is 0 for the first. False behind the last, and where an entry's length lies. */
bool madt_next(const struct acpi_table *madt, size_t *at, struct madt_entry *entry);

/* Of x86: where the CPUs' local APICs are; 0: the table ends before that. */
uint32_t madt_local_apic(const struct acpi_table *madt);
unsigned madt_count(const struct acpi_table *madt, enum madt_type type);
/* The GIC's version as the distributor's entry has it, or as a redistributor shows; 0: not said. */
unsigned madt_gic_version(const struct acpi_table *madt);

/* FADT of arm64 (5.2.9.4): PSCI is there, and it is called by HVC. False: the table ends before that. */
bool fadt_psci(const struct acpi_table *fadt, bool *psci, bool *by_hvc);

/* MCFG: is there configuration space in memory for segment 0, from bus 0 on? */
bool mcfg_has_first(const struct acpi_table *mcfg);

#endif
