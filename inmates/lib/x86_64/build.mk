# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
INMATE_ARCH_CFLAGS := -mno-red-zone -mfma -fcf-protection=none
