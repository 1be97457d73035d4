// SPDX-License-Identifier: GPL-2.0-only
/* docs/linux-cells-x86.md says why each field is what it is. Numbers of sections are those of ACPI 6.5. */
#include <string.h>

#include "abi/power.h"
#include "acpi.h"
#include "bytes.h"
#include "pc.h"

#define OEM_ID "JAILHS"
#define OEM_TABLE "CELL    "
#define CREATOR "JLHS"

#define SYSTEM_IO 1			/* 5.2.3.2 */

/* 5.2.5.3 */
#define RSDP_SIZE 36
#define RSDP_CHECKED_FIRST 20
#define RSDP_ROOM 0x40

/* 5.2.6 */
#define HEADER_SIZE 36
#define HEADER_LENGTH 4
#define HEADER_CHECKSUM 9

#define XSDT_TABLES 2

/* 5.2.9 */
#define FADT_SIZE 276
#define FADT_DSDT 40
#define FADT_BOOT_ARCH 109
#define FADT_FLAGS 112
#define FADT_RESET_REG 116
#define FADT_RESET_VALUE 128
#define FADT_MINOR_VERSION 131
#define FADT_X_DSDT 140
#define FADT_SLEEP_CONTROL 244
#define FADT_SLEEP_STATUS 256
#define FLAGS (1u << 20 | 1u << 10 | 1u << 0)		/* HW_REDUCED_ACPI, RESET_REG_SUP, WBINVD */
#define BOOT_ARCH (1u << 2 | 1u << 3 | 1u << 5)		/* no VGA, no MSI, no CMOS clock; nothing of the rest */

/* 5.2.12 */
#define LOCAL_APIC 0xfee00000
#define MADT_APIC 0
#define MADT_IOAPIC 1
#define MADT_X2APIC 9
#define APIC_ENABLED 1
#define XAPIC_IDS 255

/* 20.2 */
#define AML_NAME 0x08
#define AML_BYTE 0x0a
#define AML_DWORD 0x0c
#define AML_SCOPE 0x10
#define AML_BUFFER 0x11
#define AML_PACKAGE 0x12
#define AML_EXT 0x5b
#define AML_DEVICE 0x82
#define PNP0501 0x0105d041		/* EISAID("PNP0501") */

/* 6.4 */
#define RESOURCE_IO 0x47
#define DECODES_16 1
#define RESOURCE_INTERRUPT 0x89
#define RESOURCE_END 0x79
#define EDGE_HIGH_CONSUMER 0x03
#define UART_PORTS 8

/* Where the next byte goes. Nothing here can run over: ACPI_SIZE holds the most a file can say. */
struct out {
	uint8_t *bytes;
	size_t size;
};

static uint8_t *grow(struct out *o, size_t size)
{
	uint8_t *at = o->bytes + o->size;

	memset(at, 0, size);
	o->size += size;
	return at;
}

static void put(struct out *o, uint64_t value, unsigned count)
{
	put_bytes(grow(o, count), value, count);
}

static void put_text(struct out *o, const char *text)
{
	size_t size = strlen(text);

	memcpy(grow(o, size), text, size);
}

static uint8_t sum(const uint8_t *at, size_t size)
{
	uint8_t total = 0;

	while (size--)
		total = (uint8_t)(total + *at++);
	return (uint8_t)-total;
}

/* A header, to be followed by the table; where it begins. */
static size_t begin_table(struct out *o, const char *signature, uint8_t revision)
{
	size_t at = o->size;

	put_text(o, signature);
	put(o, 0, 4);
	put(o, revision, 1);
	put(o, 0, 1);
	put_text(o, OEM_ID OEM_TABLE);
	put(o, 1, 4);
	put_text(o, CREATOR);
	put(o, 1, 4);
	return at;
}

static void end_table(struct out *o, size_t at)
{
	uint8_t *table = o->bytes + at;

	put32(table + HEADER_LENGTH, (uint32_t)(o->size - at));
	table[HEADER_CHECKSUM] = sum(table, o->size - at);
}

/* The one register there is, a byte wide; generic address structure. */
static void put_register(uint8_t *at)
{
	at[0] = SYSTEM_IO;
	at[1] = 8;
	at[3] = 1;
	put64(at + 4, ABI_POWER_PORT);
}

static void put_fadt(struct out *o, uint64_t dsdt)
{
	size_t at = begin_table(o, "FACP", 6);
	uint8_t *t = o->bytes + at;

	grow(o, FADT_SIZE - HEADER_SIZE);
	put32(t + FADT_DSDT, (uint32_t)dsdt);
	put16(t + FADT_BOOT_ARCH, BOOT_ARCH);
	put32(t + FADT_FLAGS, FLAGS);
	put_register(t + FADT_RESET_REG);
	t[FADT_RESET_VALUE] = ABI_POWER_RESET;
	t[FADT_MINOR_VERSION] = 5;
	put64(t + FADT_X_DSDT, dsdt);
	put_register(t + FADT_SLEEP_CONTROL);
	put_register(t + FADT_SLEEP_STATUS);
	end_table(o, at);
}

static void put_cpu(struct out *o, uint32_t number, uint32_t apic_id)
{
	if (apic_id < XAPIC_IDS) {
		put(o, MADT_APIC, 1);
		put(o, 8, 1);
		put(o, number, 1);
		put(o, apic_id, 1);
		put(o, APIC_ENABLED, 4);
	} else {
		put(o, MADT_X2APIC, 1);
		put(o, 16, 1);
		put(o, 0, 2);
		put(o, apic_id, 4);
		put(o, APIC_ENABLED, 4);
		put(o, number, 4);
	}
}

/* The machine's, of which the cell sees its own pins; none, if it has none. */
static void put_ioapics(struct out *o, const struct config *cell, const struct config *system)
{
	const struct abi_ioapic *ioapic = system->system->platform.x86_64.ioapic;

	for (unsigned i = 0; cell->cell->irq_count && i < ABI_IOAPICS && ioapic[i].address; i++) {
		put(o, MADT_IOAPIC, 1);
		put(o, 12, 1);
		put(o, i, 1);
		put(o, 0, 1);
		put(o, ioapic[i].address, 4);
		put(o, ioapic[i].first, 4);
	}
}

/* The CPU that starts the cell is the first (check_for_real_bsp() in Linux). */
static void put_madt(struct out *o, const struct config *cell, const struct config *system)
{
	size_t at = begin_table(o, "APIC", 5);
	uint32_t n = 0, number = 0, apic_id;

	put(o, LOCAL_APIC, 4);
	put(o, 0, 4);
	while (pc_next_cpu(cell, system, &n, &apic_id))
		put_cpu(o, number++, apic_id);
	put_ioapics(o, cell, system);
	end_table(o, at);
}

static void put_xsdt(struct out *o, uint64_t fadt, uint64_t madt)
{
	size_t at = begin_table(o, "XSDT", 1);

	put(o, fadt, 8);
	put(o, madt, 8);
	end_table(o, at);
}

static void put_rsdp(uint8_t *at, uint64_t xsdt)
{
	memcpy(at, "RSD PTR ", 8);
	memcpy(at + 9, OEM_ID, 6);
	at[15] = 2;
	put32(at + 20, RSDP_SIZE);
	put64(at + 24, xsdt);
	at[8] = sum(at, RSDP_CHECKED_FIRST);
	at[32] = sum(at, RSDP_SIZE);
}

/* An object whose length is not known yet; where that is. All are less than 64 bytes long: PkgLength is one byte. */
static size_t begin_object(struct out *o, uint8_t op)
{
	put(o, op, 1);
	put(o, 0, 1);
	return o->size - 1;
}

static void end_object(struct out *o, size_t at)
{
	o->bytes[at] = (uint8_t)(o->size - at);
}

static void put_name(struct out *o, const char *name)
{
	put(o, AML_NAME, 1);
	put_text(o, name);
}

static void put_byte(struct out *o, uint8_t value)
{
	put(o, AML_BYTE, 1);
	put(o, value, 1);
}

/* Its state is SLP_TYP, as whoever powers off writes it. */
static void put_s5(struct out *o)
{
	size_t at;

	put_name(o, "_S5_");
	at = begin_object(o, AML_PACKAGE);
	put(o, 2, 1);
	put_byte(o, ABI_POWER_S5);
	put_byte(o, 0);
	end_object(o, at);
}

static void put_resources(struct out *o, const struct pc_uart *uart)
{
	size_t at = begin_object(o, AML_BUFFER), size_at;

	put_byte(o, 0);
	size_at = o->size - 1;
	put(o, RESOURCE_IO, 1);
	put(o, DECODES_16, 1);
	put(o, uart->port, 2);
	put(o, uart->port, 2);
	put(o, 1, 1);
	put(o, UART_PORTS, 1);
	if (uart->irq != PC_POLLED) {
		put(o, RESOURCE_INTERRUPT, 1);
		put(o, 6, 2);
		put(o, EDGE_HIGH_CONSUMER, 1);
		put(o, 1, 1);
		put(o, uart->irq, 4);
	}
	put(o, RESOURCE_END, 1);
	put(o, 0, 1);
	o->bytes[size_at] = (uint8_t)(o->size - size_at - 1);
	end_object(o, at);
}

static void put_uart(struct out *o, const struct pc_uart *uart, unsigned number)
{
	size_t at;

	put(o, AML_EXT, 1);
	at = begin_object(o, AML_DEVICE);
	put_text(o, "UAR");
	put(o, '0' + number, 1);
	put_name(o, "_HID");
	put(o, AML_DWORD, 1);
	put(o, PNP0501, 4);
	put_name(o, "_UID");
	put_byte(o, (uint8_t)number);
	put_name(o, "_CRS");
	put_resources(o, uart);
	end_object(o, at);
}

static void put_dsdt(struct out *o, const struct config *cell)
{
	struct pc_uart uarts[PC_UARTS];
	unsigned count = pc_uarts(cell, uarts);
	size_t at = begin_table(o, "DSDT", 2), scope;

	put_s5(o);
	for (unsigned i = 0; i < count; i++) {
		scope = begin_object(o, AML_SCOPE);
		put_text(o, "\\_SB_");
		put_uart(o, &uarts[i], i);
		end_object(o, scope);
	}
	end_table(o, at);
}

size_t acpi_make(const struct config *cell, const struct config *system, uint64_t at, uint8_t bytes[ACPI_SIZE])
{
	struct out o = { bytes, 0 };
	uint64_t fadt = at + RSDP_ROOM + HEADER_SIZE + 8 * XSDT_TABLES, madt = fadt + FADT_SIZE;
	size_t madt_at = (size_t)(madt - at);

	grow(&o, RSDP_ROOM);
	put_rsdp(bytes, at + RSDP_ROOM);
	put_xsdt(&o, fadt, madt);
	/* FADT says where DSDT is, which is behind MADT, whose length is not known before */
	o.size = madt_at;
	put_madt(&o, cell, system);
	o.size = (size_t)(fadt - at);
	put_fadt(&o, madt + get32(bytes + madt_at + HEADER_LENGTH));
	o.size = madt_at + get32(bytes + madt_at + HEADER_LENGTH);
	put_dsdt(&o, cell);
	return o.size;
}
