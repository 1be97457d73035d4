/* SPDX-License-Identifier: GPL-2.0-only */
#include "bench.h"

const char *const exit_names[ABI_STAT_COUNT] = {
	[ABI_STAT_TOTAL] = "total",
	[ABI_STAT_MMIO] = "mmio",
	[ABI_STAT_MANAGEMENT] = "management",
	[ABI_STAT_HYPERCALL] = "hypercall",
	[ABI_STAT_ARM64_SGI] = "sgi",
	[ABI_STAT_ARM64_PSCI] = "psci",
	[ABI_STAT_ARM64_SMCCC] = "smccc",
	[ABI_STAT_ARM64_SYSREG] = "sysreg",
	[ABI_STAT_ARM64_WFI] = "wfi",
	[ABI_STAT_ARM64_FAULT] = "fault",
	[ABI_STAT_ARM64_IRQ] = "irq",
	[ABI_STAT_ARM64_MAINTENANCE] = "maintenance",
	[ABI_STAT_ARM64_OTHER] = "other",
	[ABI_STAT_OVER_BUDGET] = "over_budget",
};
