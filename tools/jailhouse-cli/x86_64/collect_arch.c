// SPDX-License-Identifier: GPL-2.0-only
#include <stddef.h>

#include "collect_arch.h"

const struct important collect_important[] = {
	{ "proc/iomem", 1, "mount -t proc proc /proc" },
	{ "sys/devices/system/cpu/present", 2, "mount -t sysfs sysfs /sys" },
	{ "sys/firmware/acpi/tables", 3, "start Linux without acpi=off" },
	{ "proc/ioports", 0, "mount -t proc proc /proc" },
	{ "sys/firmware/memmap", 0, "use a kernel with CONFIG_FIRMWARE_MEMMAP" },
	{ "sys/bus/pci/devices", 0, "use a kernel with CONFIG_PCI" },
	{ "dmesg.txt", 0, "gather it soon after the machine has started" },
	{ NULL, 0, NULL },
};
