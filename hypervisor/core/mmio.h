/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CORE_MMIO_H
#define CORE_MMIO_H

#include "base/addr.h"

/* One access by a guest to something that is mediated. */
struct mmio_access {
	gpa_t address;
	uint64_t value;		/* written, or filled in by a read; zero-extended */
	uint8_t size;		/* 1, 2, 4, 8 bytes */
	bool write;
};

#endif
