// SPDX-License-Identifier: GPL-2.0-only
/* Which machine this is. */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bench.h"

#define DEVICE_TREE JAILHOUSE_ROOT "/proc/device-tree/"
#define DMI JAILHOUSE_ROOT "/sys/class/dmi/id/"
#define MIDR JAILHOUSE_ROOT "/sys/devices/system/cpu/cpu0/regs/identification/midr_el1"

/* First line or string of a file; empty if there is none. */
static void first_line(const char *path, char *line, size_t size)
{
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(line, 1, size - 1, f) : 0;

	line[n] = 0;
	line[strcspn(line, "\n")] = 0;
	if (f)
		fclose(f);
}

void machine_read(struct bench_machine *m)
{
	char compatible[128], vendor[128];
	struct utsname u;

	first_line(DEVICE_TREE "model", m->model, sizeof(m->model));
	first_line(DEVICE_TREE "compatible", compatible, sizeof(compatible));
	first_line(DMI "sys_vendor", vendor, sizeof(vendor));
	first_line(MIDR, m->midr, sizeof(m->midr));
	m->emulator = !strcmp(m->model, "linux,dummy-virt") ||
		      !strcmp(compatible, "linux,dummy-virt") || !strcmp(vendor, "QEMU");
	if (!*m->model)
		snprintf(m->model, sizeof(m->model), "%s", *compatible ? compatible : vendor);
	if (!uname(&u))
		snprintf(m->kernel, sizeof(m->kernel), "%s %s", u.release, u.version);
	m->cpus = (unsigned)sysconf(_SC_NPROCESSORS_CONF);
}

static void copy(char *to, size_t size, const char *from, size_t n)
{
	n = n < size ? n : size - 1;
	memcpy(to, from, n);
	to[n] = 0;
}

/* As it is enabled: "jailhouse VERSION: 4 CPUs, ...", "GIC: one security state: how CPUs are had back" */
void machine_line(struct bench_machine *m, const char *line)
{
	static const char mark[] = "jailhouse ", gic[] = "GIC: ";
	const char *end = strstr(line, ": ");

	if (!strncmp(line, gic, sizeof(gic) - 1)) {
		line += sizeof(gic) - 1;
		copy(m->gic, sizeof(m->gic), line, strcspn(line, ":"));
	} else if (!strncmp(line, mark, sizeof(mark) - 1) && end && strstr(end, " CPUs")) {
		line += sizeof(mark) - 1;
		copy(m->hypervisor, sizeof(m->hypervisor), line, (size_t)(end - line));
	}
}
