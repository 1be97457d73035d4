// SPDX-License-Identifier: GPL-2.0-only
/* Loaders and images on arm64. Acts on nothing. */
#include <stdio.h>

#include "abi/boot.h"
#include "arch_words.h"
#include "boot_arch.h"
#include "boot_place.h"

const uint8_t boot_arch_id = ABI_ARCH_ARM64;
const uint32_t boot_arch_mode = ABI_BOOT_ARM64;
const uint64_t boot_arch_end = UINT64_MAX;

/* It runs anywhere. */
void boot_arch_move(void *loader, uint64_t to)
{
	(void)loader;
	(void)to;
}

uint64_t boot_arch_region(const struct config *cell, const struct config *system, uint64_t size)
{
	return place_region(cell, system, size);
}

bool boot_arch_is_program(const void *data, size_t size)
{
	return elf_is(data, size);
}

struct elf *boot_arch_parse(const void *data, size_t size, uint32_t *mode, char problem[PROBLEM_SIZE])
{
	*mode = ABI_BOOT_ARM64;
	return elf_parse(data, size, ELF_MACHINE, problem);
}

bool boot_arch_place(const struct config *cell, struct abi_drv_image *image, char problem[PROBLEM_SIZE])
{
	const void *data = (const void *)(uintptr_t)image->data;
	struct kernel kernel;

	if (!kernel_is(data, image->size))
		return true;
	if (!kernel_parse(data, image->size, &kernel, problem))
		return false;
	if (!place_kernel(cell, &kernel, &image->address)) {
		snprintf(problem, PROBLEM_SIZE, "cell \"%s\" has no RAM for a kernel: memory with access = \"rwx\"",
			 cell->cell->name);
		return false;
	}
	image->memory = kernel.memory;
	return true;
}
