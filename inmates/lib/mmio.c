/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "inmate.h"

uint8_t mmio_read8(uint64_t address)
{
	return *(volatile uint8_t *)(uintptr_t)address;
}

uint32_t mmio_read32(uint64_t address)
{
	return *(volatile uint32_t *)(uintptr_t)address;
}

uint64_t mmio_read64(uint64_t address)
{
	return *(volatile uint64_t *)(uintptr_t)address;
}

void mmio_write8(uint64_t address, uint8_t value)
{
	*(volatile uint8_t *)(uintptr_t)address = value;
}

void mmio_write32(uint64_t address, uint32_t value)
{
	*(volatile uint32_t *)(uintptr_t)address = value;
}

void mmio_write64(uint64_t address, uint64_t value)
{
	*(volatile uint64_t *)(uintptr_t)address = value;
}
