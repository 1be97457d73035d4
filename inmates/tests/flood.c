/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbered lines on the console without end, as fast as they go; `lines` of them, if that is given. */
#include "inmate.h"

void inmate_main(void)
{
	uint64_t lines = cmdline_get_int("lines", 0);

	for (uint64_t i = 0; lines == 0 || i < lines; i++)
		printk("flood: line %llu of a cell that does not stop talking\n", (unsigned long long)i);
}
