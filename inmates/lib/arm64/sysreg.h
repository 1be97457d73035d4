/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Access to system registers by the assembler's names for them. */
#ifndef INMATE_ARM64_SYSREG_H
#define INMATE_ARM64_SYSREG_H

#include <stdint.h>

#define sysreg_read(name) ({ \
	uint64_t sysreg_value; \
	__asm__ volatile("mrs %0, " #name : "=r"(sysreg_value) :: "memory"); \
	sysreg_value; \
})

#define sysreg_write(name, value) \
	__asm__ volatile("msr " #name ", %0" :: "r"((uint64_t)(value)) : "memory")

#define isb() __asm__ volatile("isb" ::: "memory")
#define dsb_sy() __asm__ volatile("dsb sy" ::: "memory")

#endif
