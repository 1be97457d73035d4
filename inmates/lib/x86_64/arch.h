/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What inmate.h leaves to the architecture. */
#ifndef INMATE_ARCH_H
#define INMATE_ARCH_H

#include <stdbool.h>
#include <stdint.h>

/* What was stored before is seen by all before what comes behind is done. */
static inline void memory_barrier(void)
{
	__asm__ volatile("mfence" ::: "memory");
}

/* Whether there are I/O ports; where not, nothing answers. */
#define ARCH_HAS_PORTS 1

static inline uint8_t port_read8(uint16_t port)
{
	uint8_t v;

	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline void port_write8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" :: "a"(value), "Nd"(port));
}

#endif
