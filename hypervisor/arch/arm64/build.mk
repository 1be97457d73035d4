# SPDX-License-Identifier: GPL-2.0-only
ARCH_FREESTANDING := -fno-pic -fno-pie -mno-outline-atomics
# All of the image lies within 1 MiB of all of it
ARCH_CFLAGS := -mcmodel=tiny
ARCH_HOT := $(addprefix hypervisor/arch/arm64/,abort_quick.c psci.c)
