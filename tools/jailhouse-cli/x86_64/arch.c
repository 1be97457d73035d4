// SPDX-License-Identifier: GPL-2.0-only
/* Loaders and images on x86_64. Acts on nothing. */
#include <stdio.h>

#include "abi/boot.h"
#include "boot_arch.h"
#include "bytes.h"
#include "image_bzimage.h"
#include "image_multiboot.h"

const uint8_t boot_arch_id = ABI_ARCH_X86_64;
const uint32_t boot_arch_mode = ABI_BOOT_LONG;
const uint64_t boot_arch_end = 1ull << 32;

/* Real mode's segment; and where the text of a cell may say that it starts */
#define REGION_ALIGN 0x10000ull

void boot_arch_move(void *loader, uint64_t to)
{
	uint8_t *at = (uint8_t *)loader + ABI_BOOT_FIX_FIRST;

	for (unsigned i = 0; i < ABI_BOOT_FIX_COUNT; i++, at += ABI_BOOT_FIX_STEP)
		put32(at, (uint32_t)(get32(at) + to));
}

static uint64_t behind(struct span taken, struct span wanted)
{
	return span_overlaps(taken, wanted) ? align_up(taken.start + taken.size, REGION_ALIGN) : wanted.start;
}

/* Further up if something is there, local APIC and the machine's tables of devices included. */
static uint64_t step_over(const struct config *cell, const struct config *system, struct span wanted)
{
	const struct abi_platform_x86_64 *machine = &system->system->platform.x86_64;

	for (uint32_t i = 0; i < cell->cell->mem_count; i++)
		wanted.start = behind(mem_guest_span(&cell->mem[i]), wanted);
	wanted.start = behind((struct span){ machine->mmconfig.start, machine->mmconfig.size }, wanted);
	for (unsigned i = 0; i < ABI_IOAPICS && machine->ioapic[i].address; i++)
		wanted.start = behind((struct span){ machine->ioapic[i].address, PAGE_SIZE }, wanted);
	return wanted.start;
}

uint64_t boot_arch_region(const struct config *cell, const struct config *system, uint64_t size)
{
	/* a PC's RAM is from 0 on, and so it may be meant to be */
	uint64_t at = 1ull << 20, next;

	while ((next = step_over(cell, system, (struct span){ at, size })) > at)
		at = next;
	return at;
}

bool boot_arch_is_program(const void *data, size_t size)
{
	return elf_is(data, size) || multiboot_is(data, size);
}

struct elf *boot_arch_parse(const void *data, size_t size, uint32_t *mode, char problem[PROBLEM_SIZE])
{
	bool multiboot = multiboot_is(data, size);

	*mode = multiboot ? ABI_BOOT_MULTIBOOT : ABI_BOOT_LONG;
	return multiboot ? multiboot_parse(data, size, problem) : elf_parse(data, size, "x86_64", problem);
}

bool boot_arch_place(const struct config *cell, struct abi_drv_image *image, char problem[PROBLEM_SIZE])
{
	(void)cell;
	if (!bzimage_is((const void *)(uintptr_t)image->data, image->size))
		return true;
	snprintf(problem, PROBLEM_SIZE, "is a Linux kernel: jailhouse cell linux starts it");
	return false;
}
