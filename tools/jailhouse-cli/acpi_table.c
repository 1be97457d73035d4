// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "acpi_table.h"
#include "bytes.h"

/* ACPI 6.5, 5.2.6, Table 5.4 */
#define HEADER_SIZE 36u
#define HEADER_LENGTH 4

/* 5.2.12 */
#define MADT_LOCAL_APIC 36
#define MADT_ENTRIES 44u
#define GICD_VERSION 20

/* 5.2.9 */
#define FADT_ARM_BOOT 129
#define ARM_BOOT_PSCI 1u
#define ARM_BOOT_HVC 2u

/* PCI Firmware Specification 3.3, 4.1.2 */
#define MCFG_ENTRIES 44u
#define MCFG_ENTRY 16u
#define MCFG_SEGMENT 8
#define MCFG_FIRST_BUS 10

bool acpi_table_parse(const void *data, size_t size, const char *signature, struct acpi_table *table)
{
	const uint8_t *bytes = data;
	uint32_t length;

	if (size < HEADER_SIZE || memcmp(bytes, signature, 4))
		return false;
	length = get32(bytes + HEADER_LENGTH);
	if (length < HEADER_SIZE || length > size)
		return false;
	*table = (struct acpi_table){ bytes, length };
	return true;
}

bool madt_next(const struct acpi_table *madt, size_t *at, struct madt_entry *entry)
{
	size_t start = *at ? *at : MADT_ENTRIES, length;

	if (madt->size < 2 || start > madt->size - 2)
		return false;
	length = madt->data[start + 1];
	if (length < 2 || length > madt->size - start)
		return false;
	*entry = (struct madt_entry){ madt->data[start], madt->data + start, length };
	*at = start + length;
	return true;
}

uint32_t madt_local_apic(const struct acpi_table *madt)
{
	return madt->size < MADT_ENTRIES ? 0 : get32(madt->data + MADT_LOCAL_APIC);
}

unsigned madt_count(const struct acpi_table *madt, enum madt_type type)
{
	struct madt_entry e;
	unsigned count = 0;

	for (size_t at = 0; madt_next(madt, &at, &e); )
		count += e.type == type;
	return count;
}

unsigned madt_gic_version(const struct acpi_table *madt)
{
	struct madt_entry e;

	for (size_t at = 0; madt_next(madt, &at, &e); )
		if (e.type == MADT_GICD && e.size > GICD_VERSION && e.data[GICD_VERSION])
			return e.data[GICD_VERSION];
	return madt_count(madt, MADT_GICR) ? 3 : 0;
}

bool fadt_psci(const struct acpi_table *fadt, bool *psci, bool *by_hvc)
{
	uint16_t flags;

	if (fadt->size < FADT_ARM_BOOT + 2)
		return false;
	flags = get16(fadt->data + FADT_ARM_BOOT);
	*psci = flags & ARM_BOOT_PSCI;
	*by_hvc = flags & ARM_BOOT_HVC;
	return true;
}

bool mcfg_has_first(const struct acpi_table *mcfg)
{
	for (size_t at = MCFG_ENTRIES; at < mcfg->size && mcfg->size - at >= MCFG_ENTRY; at += MCFG_ENTRY)
		if (!get16(mcfg->data + at + MCFG_SEGMENT) && !mcfg->data[at + MCFG_FIRST_BUS])
			return true;
	return false;
}
