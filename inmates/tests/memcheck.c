/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Does the cell's memory come without its past? `ram=SIZE` says how much there is from the
 * image's start; all behind the image must be zero. Then it is filled with a pattern, so
 * that the next owner has something to find if nobody clears it.
 */
#include "inmate.h"

#define PATTERN 0x5ec2e7da7a5ec2e7ull

void inmate_main(void)
{
	uint64_t end = image_start() + cmdline_get_int("ram", 0), dirty = 0;

	if (end <= image_end()) {
		printk("memcheck: give the size of the cell's memory, above 0x%lx: ram=SIZE\n",
		       image_end() - image_start());
		inmate_stop(ABI_CELL_FAILED);
	}
	for (uint64_t at = image_end(); at < end && !dirty; at += 8) {
		uint64_t value = mmio_read64(at);

		if (value) {
			printk("memcheck: dirty at 0x%lx 0x%016lx\n", at, value);
			dirty = at;
		}
	}
	if (!dirty)
		printk("memcheck: zero ok %lu\n", end - image_end());
	for (uint64_t at = image_end(); at < end; at += 8)
		mmio_write64(at, PATTERN);
	printk("memcheck: filled\n");
	inmate_serve();
}
