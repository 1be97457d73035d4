/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Loaded by a loader: says what it finds where words of its command line say that something was put,
 * spoils it and resets the cell, for `lives` lives in all. `at=ADDRESS size=BYTES` is it, with `zero=BYTES`
 * behind it, `count=ADDRESS` memory that no loader touches. The last life goes off.
 */
#include "inmate.h"
#include "arm64/cpu.h"
#include "arm64/snapshot.h"

/* Lies in the file: 0 whenever the image was put into its place again. */
__attribute__((section(".kept"))) static uint64_t spoilt;

static uint32_t sum_of(const volatile uint8_t *bytes, uint64_t size)
{
	uint32_t sum = 1;

	for (uint64_t i = 0; i < size; i++)
		sum = sum * 31 + bytes[i];
	return sum;
}

static uint64_t nonzero(const volatile uint8_t *bytes, uint64_t size)
{
	uint64_t count = 0;

	for (uint64_t i = 0; i < size; i++)
		count += bytes[i] != 0;
	return count;
}

static void spoil(volatile uint8_t *bytes, uint64_t size)
{
	for (uint64_t i = 0; i < size; i++)
		bytes[i] = 0xa5;
}

void inmate_main(void)
{
	volatile uint64_t *count = (volatile uint64_t *)cmdline_get_int("count", 0);
	uint64_t at = cmdline_get_int("at", 0), size = cmdline_get_int("size", 0), zero = cmdline_get_int("zero", 0);
	volatile uint8_t *bytes = (volatile uint8_t *)at;
	uint64_t tree = image_snapshot.x[0];

	++*count;
	printk("boot: life %lu: sum %x, %lu behind it not 0, tree at %lx is %x, spoilt %lu\n", *count, sum_of(bytes, size),
	       nonzero(bytes + size, zero), tree, *(const volatile uint32_t *)tree, spoilt);
	spoilt = *count;
	/* with caches, of which lines are dirty when the loader comes */
	mmu_map_memory(at, size + zero);
	mmu_map_memory(tree, 64);
	mmu_map_memory((uintptr_t)count, sizeof(*count));
	mmu_enable();
	spoil(bytes, size + zero);
	spoil((volatile uint8_t *)tree, 64);
	psci_call(*count < cmdline_get_int("lives", 1) ? PSCI_SYSTEM_RESET : PSCI_SYSTEM_OFF, 0, 0, 0);
}
