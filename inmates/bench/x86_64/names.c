/* SPDX-License-Identifier: GPL-2.0-only */
#include "bench.h"

const char *const exit_names[ABI_STAT_COUNT] = {
	[ABI_STAT_TOTAL] = "total",
	[ABI_STAT_MMIO] = "mmio",
	[ABI_STAT_MANAGEMENT] = "management",
	[ABI_STAT_HYPERCALL] = "hypercall",
	[ABI_STAT_X86_PIO] = "pio",
	[ABI_STAT_X86_XAPIC] = "xapic",
	[ABI_STAT_X86_CPUID] = "cpuid",
	[ABI_STAT_X86_EXCEPTION] = "exception",
	[ABI_STAT_X86_MSR] = "msr",
	[ABI_STAT_X86_ICR] = "icr",
	[ABI_STAT_X86_NMI] = "nmi",
	[ABI_STAT_X86_FAULT] = "fault",
	[ABI_STAT_X86_OTHER] = "other",
	[ABI_STAT_OVER_BUDGET] = "over_budget",
};
