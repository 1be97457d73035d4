// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver made of files, called in ioctl()'s place: a load becomes image-N.bin files in JAILHOUSE_SYSFS
 * and, like a start, a line of the file `told`.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "abi/driver.h"

int boot_ioctl(int fd, unsigned long request, ...);

static void keep(uint32_t n, const struct abi_drv_image *image)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), JAILHOUSE_SYSFS "/image-%" PRIu32 ".bin", n);
	f = fopen(path, "wb");
	if (!f || fwrite((const void *)(uintptr_t)image->data, 1, image->size, f) != image->size || fclose(f))
		abort();
}

int boot_ioctl(int fd, unsigned long request, ...)
{
	FILE *told = fopen(JAILHOUSE_SYSFS "/told", "a");
	const struct abi_drv_load *r;
	va_list arguments;

	(void)fd;
	va_start(arguments, request);
	r = va_arg(arguments, const void *);
	va_end(arguments);
	if (!told)
		abort();
	if (request == ABI_DRV_CELL_START)
		fprintf(told, "start\n");
	for (uint32_t i = 0; request == ABI_DRV_CELL_LOAD && i < r->count; i++) {
		const struct abi_drv_image *image = (const struct abi_drv_image *)(uintptr_t)r->images + i;

		fprintf(told, "load %" PRIu32 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", i, image->address, image->size,
			image->memory);
		keep(i, image);
	}
	if (request == ABI_DRV_CELL_LOAD && (r->flags & ABI_DRV_LOAD_ENTRY))
		fprintf(told, "entry %" PRIu64 "\n", r->entry);
	fclose(told);
	return 0;
}
