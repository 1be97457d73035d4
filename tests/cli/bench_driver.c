/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A driver made of files, called in ioctl()'s place: cells are files in JAILHOUSE_SYSFS/there, the
 * hypervisor's log is JAILHOUSE_DEVICE itself. A started cell says at once what the benchmark's
 * program would say; with BENCH_SILENT set, nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "abi/config.h"
#include "abi/driver.h"

int bench_ioctl(int fd, unsigned long request, ...);

static char workload[32];
static unsigned long samples;

static void log_line(const char *format, ...)
{
	FILE *f = fopen(JAILHOUSE_DEVICE, "a");
	va_list arguments;

	va_start(arguments, format);
	vfprintf(f, format, arguments);
	va_end(arguments);
	fclose(f);
}

static int enabled(bool now)
{
	FILE *f = fopen(JAILHOUSE_SYSFS "/enabled", "w");

	fputs(now ? "1\n" : "0\n", f);
	fclose(f);
	if (now)
		log_line("jailhouse v7: 4 CPUs, root cell \"r\", 5 of 9 pages used\n"
			 "GIC: two security states: by stage 2\n");
	return 0;
}

static int create(const char *name)
{
	int fd = open(name, O_CREAT | O_EXCL | O_WRONLY, 0600);

	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

static int load(const struct abi_drv_load *r)
{
	const struct abi_drv_image *images = (const void *)(uintptr_t)r->images;

	FILE *told = fopen(JAILHOUSE_SYSFS "/told", "w");

	if (told) {
		fprintf(told, "%s\n", (const char *)(uintptr_t)images[1].data);
		fclose(told);
	}
	*workload = 0;
	sscanf((const char *)(uintptr_t)images[1].data, "workload=%31s samples=%lu", workload, &samples);
	return 0;
}

static int start(void)
{
	if (!*workload || getenv("BENCH_SILENT"))
		return 0;
	log_line("[bench] bench: workload=%s samples=%lu unit=ticks freq=1000000000 min=5 max=5\n"
		 "[bench] bench: values 5:%lu\n[bench] bench: exits total=%lu mmio=%lu sgi=0\n"
		 "[bench] bench: end workload=%s\n", workload, samples, samples, samples, samples,
		 workload);
	return 0;
}

static int request_on(const char *name, unsigned long request, void *argument)
{
	struct stat info;

	if (request == ABI_DRV_CELL_CREATE)
		return create(name);
	if (stat(name, &info))
		return -1;
	if (request == ABI_DRV_CELL_LOAD)
		return load(argument);
	if (request == ABI_DRV_CELL_START)
		return start();
	return request == ABI_DRV_CELL_DESTROY ? unlink(name) : 0;
}

int bench_ioctl(int fd, unsigned long request, ...)
{
	struct abi_cell record;
	char name[400];
	va_list arguments;
	void *argument;

	(void)fd;
	va_start(arguments, request);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	if (request == ABI_DRV_ENABLE || request == ABI_DRV_DISABLE)
		return enabled(request == ABI_DRV_ENABLE);
	if (request == ABI_DRV_CELL_CREATE) {
		const struct abi_drv_config *r = argument;

		memcpy(&record, (const char *)(uintptr_t)r->data + sizeof(struct abi_header), sizeof(record));
		snprintf(name, sizeof(name), JAILHOUSE_SYSFS "/there/%.31s", record.name);
	} else {
		const struct abi_drv_cell *r = argument;

		snprintf(name, sizeof(name), JAILHOUSE_SYSFS "/there/%.31s", r->name);
	}
	return request_on(name, request, argument);
}
