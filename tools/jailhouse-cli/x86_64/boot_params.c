// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot_params.h"
#include "bytes.h"

/* zero-page.rst, boot.rst */
#define RSDP_ADDRESS 0x070
#define E820_COUNT 0x1e8
#define BOOT_FLAG 0x1fe
#define HEADER_MAGIC 0x202
#define VERSION 0x206
#define TYPE_OF_LOADER 0x210
#define CODE32_START 0x214
#define RAMDISK_IMAGE 0x218
#define RAMDISK_SIZE 0x21c
#define CMD_LINE_PTR 0x228
#define CMDLINE_SIZE 0x238
#define E820_TABLE 0x2d0
#define E820_ENTRY 20
#define LOADER_UNDEFINED 0xff

/* Multiboot 0.6.96, 3.3 */
#define INFO_MEM_LOWER 4
#define INFO_MEM_UPPER 8
#define INFO_CMDLINE 16
#define INFO_MMAP_LENGTH 44
#define INFO_MMAP_ADDR 48
#define INFO_LOADER_NAME 64
#define INFO_SIZE 128
#define INFO_HAS (1u << 0 | 1u << 2 | 1u << 6 | 1u << 9)
#define INFO_ENTRY 24
#define INFO_NAME_AT 116
#define KIB 1024
#define LOW_END (640 * KIB)
#define HIGH (1ull << 20)

/* APM 2, 5.3 */
#define ENTRY_TABLE 0x03
#define ENTRY_PAGE 0x83
#define DIRECTORIES 4
#define PAGE_LARGE (2ull << 20)

/* Protocol 2.15, of a kernel that was not asked */
static void make_up_header(uint8_t *page)
{
	put16(page + BOOT_FLAG, 0xaa55);
	memcpy(page + HEADER_MAGIC, "HdrS", 4);
	put16(page + VERSION, 0x20f);
	put32(page + CMDLINE_SIZE, (uint32_t)PAGE - 1);
}

bool params_make(const struct params *p, uint8_t bytes[PARAMS_SIZE])
{
	struct pc_range ranges[PC_RANGES];
	unsigned count;

	if (!pc_ranges(p->cell, ranges, &count))
		return false;
	if (p->kernel) {
		memcpy(bytes + BZIMAGE_HEADER, p->kernel->header, p->kernel->header_size);
		put32(bytes + CODE32_START, (uint32_t)p->kernel->address);
	} else {
		make_up_header(bytes);
	}
	bytes[TYPE_OF_LOADER] = LOADER_UNDEFINED;
	put64(bytes + RSDP_ADDRESS, p->rsdp);
	put32(bytes + RAMDISK_IMAGE, (uint32_t)p->initrd);
	put32(bytes + RAMDISK_SIZE, (uint32_t)p->initrd_size);
	put32(bytes + CMD_LINE_PTR, (uint32_t)(p->at + PARAMS_CMDLINE));
	bytes[E820_COUNT] = (uint8_t)count;
	for (unsigned i = 0; i < count; i++) {
		uint8_t *entry = bytes + E820_TABLE + i * E820_ENTRY;

		put64(entry, ranges[i].start);
		put64(entry + 8, ranges[i].size);
		put32(entry + 16, ranges[i].kind);
	}
	memcpy(bytes + PARAMS_CMDLINE, p->cmdline, strlen(p->cmdline));
	return true;
}

/* KiB of RAM from an address on, without a hole. */
static uint32_t kib_from(const struct pc_range *ranges, unsigned count, uint64_t start, uint64_t limit)
{
	for (unsigned i = 0; i < count; i++) {
		uint64_t left;

		if (ranges[i].kind != PC_RAM || ranges[i].start > start || start - ranges[i].start >= ranges[i].size)
			continue;
		left = ranges[i].size - (start - ranges[i].start);
		return (uint32_t)((left < limit ? left : limit) / KIB);
	}
	return 0;
}

bool params_make_multiboot(const struct params *p, uint8_t bytes[MULTIBOOT_SIZE])
{
	struct pc_range ranges[PC_RANGES];
	uint8_t *entry = bytes + INFO_SIZE;
	unsigned count;

	if (!pc_ranges(p->cell, ranges, &count) || count > (PAGE - INFO_SIZE) / INFO_ENTRY)
		return false;
	put32(bytes, INFO_HAS);
	put32(bytes + INFO_MEM_LOWER, kib_from(ranges, count, 0, LOW_END));
	put32(bytes + INFO_MEM_UPPER, kib_from(ranges, count, HIGH, (1ull << 32) - HIGH));
	put32(bytes + INFO_CMDLINE, (uint32_t)(p->at + PAGE));
	put32(bytes + INFO_MMAP_LENGTH, count * INFO_ENTRY);
	put32(bytes + INFO_MMAP_ADDR, (uint32_t)(p->at + INFO_SIZE));
	put32(bytes + INFO_LOADER_NAME, (uint32_t)(p->at + INFO_NAME_AT));
	memcpy(bytes + INFO_NAME_AT, "jailhouse", sizeof("jailhouse"));
	for (unsigned i = 0; i < count; i++, entry += INFO_ENTRY) {
		/* of the rest of the entry */
		put32(entry, INFO_ENTRY - 4);
		put64(entry + 4, ranges[i].start);
		put64(entry + 12, ranges[i].size);
		put32(entry + 20, ranges[i].kind);
	}
	memcpy(bytes + PAGE, p->cmdline, strlen(p->cmdline));
	return true;
}

void params_make_tables(uint64_t at, uint8_t *bytes)
{
	put64(bytes, (at + PAGE) | ENTRY_TABLE);
	for (unsigned i = 0; i < DIRECTORIES; i++)
		put64(bytes + PAGE + 8 * i, (at + (2 + i) * PAGE) | ENTRY_TABLE);
	for (unsigned i = 0; i < DIRECTORIES * PAGE / 8; i++)
		put64(bytes + 2 * PAGE + 8 * i, i * PAGE_LARGE | ENTRY_PAGE);
}

/* --- the command line ------------------------------------------------------- */

/* Room for what is added */
#define WORDS_SIZE 256

/* Is there a word that begins so? */
static bool has_word(const char *line, const char *begin)
{
	const char *at = line;

	while ((at = strstr(at, begin))) {
		if (at == line || at[-1] == ' ')
			return true;
		at++;
	}
	return false;
}

static void add_word(char *line, const char *begin, const char *rest)
{
	if (has_word(line, begin))
		return;
	if (*line)
		strcat(line, " ");
	strcat(line, begin);
	strcat(line, rest);
}

/* ISA's four keep their names (arch/x86/include/asm/serial.h); any other is named by its port. */
static void add_console(char *line, const struct pc_uart *uart)
{
	static const uint16_t isa[] = { 0x3f8, 0x2f8, 0x3e8, 0x2e8 };
	char words[40];

	snprintf(words, sizeof(words), "uart8250,io,0x%x,115200n8", uart->port);
	for (unsigned i = 0; i < ARRAY_SIZE(isa); i++)
		if (uart->port == isa[i])
			snprintf(words, sizeof(words), "ttyS%u,115200", i);
	add_word(line, "console=", words);
}

char *params_cmdline(const struct config *cell, const char *given, uint32_t tsc_khz)
{
	size_t room = (given ? strlen(given) : 0) + WORDS_SIZE;
	char *line = calloc(1, room), number[16];
	struct pc_uart uarts[PC_UARTS];

	if (!line)
		return NULL;
	snprintf(line, room, "%s", given ? given : "");
	snprintf(number, sizeof(number), "%u", tsc_khz);
	add_word(line, "tsc_early_khz=", number);
	add_word(line, "tsc=", "reliable");
	add_word(line, "reboot=", "acpi");
	add_word(line, "io_delay=", "none");
	if (!cell->cell->pci_count)
		add_word(line, "pci=", "off");
	if (pc_uarts(cell, uarts))
		add_console(line, &uarts[0]);
	return line;
}
