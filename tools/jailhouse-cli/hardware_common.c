// SPDX-License-Identifier: GPL-2.0-only
/* What every architecture needs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "abi/config.h"
#include "arch_words.h"
#include "hardware.h"
#include "kernel_text.h"

/* MAX_CPUS in Kconfig, unless somebody chose otherwise; and what a configuration has room for */
#define CPUS_BUILT_FOR 64u
#define CPUS_POSSIBLE (ABI_CPU_SET_WORDS * 64u)

#define FIRST_TESTED RELEASE(6, 1)
#define LAST_TESTED RELEASE(6, 12)

/* docs/configuration.md: what the hypervisor itself takes at least */
#define LEAST_MEMORY ((uint64_t)4 << 20)
#define MIB ((uint64_t)1 << 20)

/* False: it is another's, and its description says other things. */
static bool row_architecture(struct report *r, const struct machine *m)
{
	const char *arch = m->cpuinfo ? cpuinfo_arch(m->cpuinfo) : NULL;

	if (!arch)
		report_row(r, UNKNOWN, m->unread, "architecture: proc/cpuinfo does not say it");
	else if (strcmp(arch, ARCH_NAME))
		report_row(r, FAILED, "use the jailhouse command that was built for that machine; rows that depend on it are left out",
			   "architecture: %s, and this command is for " ARCH_NAME, arch);
	else
		report_row(r, PASSED, NULL, "architecture: " ARCH_NAME);
	return !arch || !strcmp(arch, ARCH_NAME);
}

static unsigned cpu_count(const struct machine *m, const char *path)
{
	char *list = machine_text(m, path);
	unsigned count = list ? cpu_list_count(list) : 0;

	free(list);
	return count;
}

static void row_cpus(struct report *r, const struct machine *m)
{
	unsigned online = cpu_count(m, "sys/devices/system/cpu/online");
	unsigned present = cpu_count(m, "sys/devices/system/cpu/present");

	if (!online || !present)
		report_row(r, UNKNOWN, m->unread, "CPUs: sys/devices/system/cpu does not say how many");
	else if (present < 2)
		report_row(r, FAILED, "use a machine with more, or start Linux without nosmp and maxcpus=",
			   "CPUs: 1, which Linux keeps: none is left for a cell");
	else if (present > CPUS_POSSIBLE)
		report_row(r, FAILED, "switch some off in the firmware's set-up", "CPUs: %u, and at most %u are possible", present,
			   CPUS_POSSIBLE);
	else if (present > CPUS_BUILT_FOR)
		report_row(r, UNKNOWN, "build it with a MAX_CPUS that is large enough (make menuconfig)",
			   "CPUs: %u, and the hypervisor is built for %u, unless told otherwise", present, CPUS_BUILT_FOR);
	else if (online < present)
		report_row(r, UNKNOWN, "switch them on before jailhouse enable (echo 1 > /sys/devices/system/cpu/cpuN/online), or leave "
				       "them out of the configuration",
			   "CPUs: %u, of which %u are offline", present, present - online);
	else
		report_row(r, PASSED, NULL, "CPUs: %u, one of which Linux keeps", present);
}

static void row_kernel(struct report *r, const struct machine *m)
{
	unsigned release = release_number(m->release);

	if (!release)
		report_row(r, UNKNOWN, m->unread, "kernel: proc/version does not say which");
	else if (release < hardware_oldest_kernel)
		report_row(r, FAILED, "use 6.1 or 6.12, which the driver is tested with",
			   "kernel: %s is older than %u.%u: the driver cannot be built for it", m->release,
			   hardware_oldest_kernel / 1000, hardware_oldest_kernel % 1000);
	else if (release < FIRST_TESTED || release > LAST_TESTED)
		report_row(r, UNKNOWN, "try to build the driver for it, or use 6.1 or 6.12",
			   "kernel: the driver was not tested with %s", m->release);
	else
		report_row(r, PASSED, NULL, "kernel: %s", m->release);
}

static const struct {
	const char *name;
	bool needed;
	const char *without;
} options[] = {
	{ "MODULES", true, "the driver is a module: use a kernel with it" },
	{ "MODULE_UNLOAD", false, "the driver stays until the machine starts again" },
	{ "SMP", true, "cells take CPUs away from Linux: use a kernel with it" },
	{ "HOTPLUG_CPU", true, "cells take CPUs away from Linux: use a kernel with it" },
	{ "FW_LOADER", true, "the driver loads the hypervisor by it: use a kernel with it" },
	{ "CRC32", true, "the driver checks configurations by it: use a kernel with it" },
};

static void rows_options(struct report *r, const struct machine *m)
{
	if (!m->config) {
		report_row(r, UNKNOWN, "install the file of the kernel's package, or use a kernel with CONFIG_IKCONFIG_PROC",
			   "kernel options: neither boot/config-%s nor proc/config.gz can be read", *m->release ? m->release : "RELEASE");
		return;
	}
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		bool set = config_option(m->config, options[i].name) != 'n';

		report_row(r, set || !options[i].needed ? PASSED : FAILED, set ? NULL : options[i].without, "kernel option CONFIG_%s%s",
			   options[i].name, set ? "" : ": it is not set");
	}
}

/* --- can the driver be loaded? --- */

#define SIGN_IT "sign jailhouse.ko by a key that the kernel trusts (kmodsign, mokutil --import)"

static void row_signatures(struct report *r, const struct machine *m)
{
	char *enforced = machine_text(m, "sys/module/module/parameters/sig_enforce");

	if (m->modules && modules_has(m->modules, "jailhouse"))
		report_row(r, PASSED, NULL, "module signatures: the driver is loaded already");
	else if (enforced && *enforced == 'Y')
		report_row(r, FAILED, SIGN_IT ", or start Linux without module.sig_enforce",
			   "module signatures: only signed modules are loaded");
	else if (enforced || (m->config && config_option(m->config, "MODULE_SIG") == 'n'))
		report_row(r, PASSED, NULL, "module signatures: not enforced");
	else
		report_row(r, UNKNOWN, m->unread, "module signatures: whether they are enforced cannot be read");
	free(enforced);
}

/* The variable is four bytes of attributes and one of value (UEFI 2.10, 3.3). */
static const char *secure_boot(const struct machine *m)
{
	const char *state = "not known to be on";
	char path[512];
	struct names names;
	struct content c;

	if (facts_list(m->facts, "sys/firmware/efi/efivars", &names))
		return state;
	for (size_t i = 0; i < names.count; i++) {
		snprintf(path, sizeof(path), "sys/firmware/efi/efivars/%s", names.name[i]);
		if (strncmp(names.name[i], "SecureBoot-", 11) || facts_read(m->facts, path, &c))
			continue;
		state = c.size == 5 && c.data[4] == 1 ? "on" : "off";
		free(c.data);
	}
	names_free(&names);
	return state;
}

static void row_lockdown(struct report *r, const struct machine *m)
{
	char *text = machine_text(m, "sys/kernel/security/lockdown");
	char state[32] = "";

	if (text)
		text_choice(text, state, sizeof(state));
	if (!strcmp(state, "none") || (!text && m->config && config_option(m->config, "SECURITY_LOCKDOWN_LSM") == 'n'))
		report_row(r, PASSED, NULL, "lockdown: none, Secure Boot is %s", secure_boot(m));
	else if (m->modules && modules_has(m->modules, "jailhouse"))
		report_row(r, PASSED, NULL, "lockdown: the driver is loaded already");
	else if (!*state)
		report_row(r, UNKNOWN,
			   m->facts->live ? "mount -t securityfs securityfs /sys/kernel/security, and run it as root" : m->unread,
			   "lockdown: it cannot be read; Secure Boot is %s", secure_boot(m));
	else
		report_row(r, FAILED, SIGN_IT ", or switch Secure Boot off in the firmware's set-up and start Linux without lockdown=",
			   "lockdown: %s: only signed modules are loaded; Secure Boot is %s", state, secure_boot(m));
	free(text);
}

/* --- memory --- */

static void row_enough(struct report *r, uint64_t size, const char *by)
{
	if (size < LEAST_MEMORY)
		report_row(r, FAILED, hardware_reserve_hint, "memory kept from Linux: %llu KiB by %s; the hypervisor alone takes %llu MiB",
			   (unsigned long long)size >> 10, by, (unsigned long long)(LEAST_MEMORY / MIB));
	else
		report_row(r, PASSED, NULL, "memory kept from Linux: %llu MiB by %s", (unsigned long long)(size / MIB), by);
}

static void row_memory(struct report *r, const struct machine *m)
{
	uint64_t memmap = param_memmap_reserved(m->cmdline), mem = param_mem(m->cmdline), size;
	unsigned pieces = 0;
	uint64_t by_firmware = hardware_kept_by_firmware(m, &pieces);

	if (memmap)
		row_enough(r, memmap, "memmap=");
	else if (mem && hardware_kept_by_mem(m, mem, &size))
		row_enough(r, size, "mem=");
	else if (mem)
		report_row(r, UNKNOWN, m->unread, "memory kept from Linux: mem=%lluM is given, but not how much RAM there is",
			   (unsigned long long)(mem / MIB));
	else if (by_firmware)
		report_row(r, UNKNOWN, "see that one of them is meant for the hypervisor and the cells",
			   "memory kept from Linux: %llu KiB in %u reserved-memory nodes with no-map", (unsigned long long)by_firmware >> 10, pieces);
	else if (!m->cmdline)
		report_row(r, UNKNOWN, m->unread, "memory kept from Linux: proc/cmdline cannot be read");
	else
		report_row(r, FAILED, hardware_reserve_hint, "memory kept from Linux: none");
}

#define NO_IOMMU_USED "the hypervisor uses none: a cell with a device that does DMA reaches all memory by it"

static void row_iommu(struct report *r, const struct machine *m)
{
	struct names iommus, all;
	bool some = !facts_list(m->facts, "sys/class/iommu", &iommus) && iommus.count;
	bool readable = !facts_list(m->facts, "sys", &all);

	if (some)
		report_row(r, PASSED, NO_IOMMU_USED, "IOMMU: Linux shows %zu", iommus.count);
	else if (readable)
		report_row(r, PASSED, NO_IOMMU_USED, "IOMMU: Linux shows none");
	else
		report_row(r, UNKNOWN, m->unread, "IOMMU: sys cannot be read");
	names_free(&iommus);
	names_free(&all);
}

/* --- what is installed --- */

static void row_driver(struct report *r, const struct machine *m)
{
	if (m->modules && modules_has(m->modules, "jailhouse"))
		report_row(r, PASSED, NULL, "driver: it is loaded");
	else if (m->modules)
		report_row(r, UNKNOWN, "modprobe jailhouse", "driver: it is not loaded yet");
	else
		report_row(r, UNKNOWN, m->unread, "driver: proc/modules cannot be read");
}

static void row_image(struct report *r, const struct machine *m)
{
	int fd, error = facts_open_file(m->facts, "lib/firmware/jailhouse.bin", &fd);

	if (error) {
		report_row(r, UNKNOWN, "make install puts it there", "hypervisor: lib/firmware/jailhouse.bin %s", facts_reason(error));
		return;
	}
	close(fd);
	report_row(r, PASSED, NULL, "hypervisor: lib/firmware/jailhouse.bin is installed");
}

void hardware_rows(struct report *r, const struct machine *m)
{
	bool ours = row_architecture(r, m);

	row_cpus(r, m);
	row_kernel(r, m);
	rows_options(r, m);
	row_signatures(r, m);
	row_lockdown(r, m);
	row_driver(r, m);
	row_image(r, m);
	if (!ours)
		return;
	row_memory(r, m);
	row_iommu(r, m);
	hardware_arch_rows(r, m);
}
