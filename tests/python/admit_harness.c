/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hypervisor's word on built files:
 *
 *   admit verdict MAX_CPUS ADDRESS_END IRQ_END SYSTEM [CELL...]
 *	"ok", or the first refusal as "FILE: why"
 *   admit damage KIND FILE
 *	tries every flipped bit, every shorter length and one byte more; prints what was
 *	accepted, then how many were tried
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/bug.h"
#include "config/admit.h"

#define MAX_CELLS 32

struct file {
	uint8_t *bytes;
	size_t size;
};

void bug(const char *file, unsigned line, const char *what)
{
	fprintf(stderr, "%s:%u: %s\n", file, line, what);
	abort();
}

static struct file file_read(const char *name)
{
	FILE *stream = fopen(name, "rb");
	struct file f = { malloc(ABI_CONFIG_MAX_SIZE + 1), 0 };

	if (!stream || !f.bytes) {
		perror(name);
		exit(2);
	}
	f.size = fread(f.bytes, 1, ABI_CONFIG_MAX_SIZE + 1, stream);
	fclose(stream);
	return f;
}

/* What the file says itself, before it is damaged. */
static uint8_t arch_of(const struct file *f)
{
	const size_t at = offsetof(struct abi_header, arch);

	return f->size > at ? f->bytes[at] : 0;
}

static void limit_arm64(const struct abi_platform_arm64 *p, struct admit_limits *limits,
			struct span *mediated)
{
	mediated[limits->mediated_count++] = (struct span){ p->gicd.start, p->gicd.size };
	mediated[limits->mediated_count++] = (struct span){ p->gicr.start, p->gicr.size };
	limits->irq_first = 32;
}

static void limit_x86_64(const struct abi_platform_x86_64 *p, struct admit_limits *limits,
			 struct span *mediated)
{
	mediated[limits->mediated_count++] = (struct span){ 0xfee00000, PAGE_SIZE };
	if (p->mmconfig.size != 0)
		mediated[limits->mediated_count++] =
			(struct span){ p->mmconfig.start, p->mmconfig.size };
	for (unsigned i = 0; i < ABI_IOAPICS && p->ioapic[i].address != 0; i++)
		mediated[limits->mediated_count++] =
			(struct span){ p->ioapic[i].address, PAGE_SIZE };
	limits->cpu0_stays = true;
	limits->pio_end = 0x10000;
	limits->mediated_ports = (struct span){ 0xcf8, 8 };
}

static int refuse(const char *name, const struct why *why)
{
	printf("%s: %s\n", name, why->text);
	return 1;
}

static int verdict(int count, char **arguments)
{
	struct span mediated[2 + ABI_IOAPICS];
	struct admit_limits limits = {
		.mediated = mediated,
		.uart = true,
		.max_cpus = (uint32_t)strtoul(arguments[0], NULL, 0),
		.guest_end = strtoull(arguments[1], NULL, 0),
		.host_end = strtoull(arguments[1], NULL, 0),
		.irq_end = (uint32_t)strtoul(arguments[2], NULL, 0),
	};
	struct file f = file_read(arguments[3]);
	uint8_t arch = arch_of(&f);
	struct config system, cells[MAX_CELLS];
	const struct config *present[MAX_CELLS];
	struct why why = { "" };

	if (config_parse(f.bytes, f.size, arch, ABI_KIND_SYSTEM, &system, &why) != OK)
		return refuse(arguments[3], &why);
	if (arch == ABI_ARCH_ARM64)
		limit_arm64(&system.system->platform.arm64, &limits, mediated);
	else
		limit_x86_64(&system.system->platform.x86_64, &limits, mediated);
	if (admit_system(&system, &limits, &why) != OK)
		return refuse(arguments[3], &why);
	for (unsigned i = 0; i + 4 < (unsigned)count; i++) {
		const char *name = arguments[i + 4];

		BUG_ON(i >= MAX_CELLS);
		f = file_read(name);
		if (config_parse(f.bytes, f.size, arch, ABI_KIND_CELL, &cells[i],
				 &why) != OK ||
		    admit_cell(&cells[i], &system, present, i, &limits, &why) != OK)
			return refuse(name, &why);
		present[i] = &cells[i];
	}
	puts("ok");
	return 0;
}

static bool parses(const struct file *f, size_t size, uint8_t arch, uint8_t kind)
{
	struct config out;
	struct why why = { "" };

	return config_parse(f->bytes, size, arch, kind, &out, &why) == OK;
}

static int damage(char **arguments)
{
	uint8_t kind = (uint8_t)strtoul(arguments[0], NULL, 0);
	struct file f = file_read(arguments[1]);
	uint8_t arch = arch_of(&f);
	unsigned tried = 0;

	if (!parses(&f, f.size, arch, kind)) {
		puts("the undamaged file is refused");
		return 1;
	}
	for (size_t bit = 0; bit < 8 * f.size; bit++, tried++) {
		f.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (parses(&f, f.size, arch, kind))
			printf("accepted with bit %zu flipped\n", bit);
		f.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (size_t size = 0; size < f.size; size++, tried++)
		if (parses(&f, size, arch, kind))
			printf("accepted at length %zu\n", size);
	f.bytes[f.size] = 0;
	if (parses(&f, f.size + 1, arch, kind))
		puts("accepted with a byte more");
	printf("tried %u\n", tried + 1);
	return 0;
}

int main(int count, char **arguments)
{
	if (count >= 6 && strcmp(arguments[1], "verdict") == 0)
		return verdict(count - 2, arguments + 2);
	if (count == 4 && strcmp(arguments[1], "damage") == 0)
		return damage(arguments + 2);
	fprintf(stderr, "usage: admit verdict|damage ...\n");
	return 2;
}
