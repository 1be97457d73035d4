/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CORE_GUEST_H
#define CORE_GUEST_H

#include "core/system.h"

/*
 * Copies `size` bytes of the calling CPU's cell from guest-physical `from`. ERR_FAULT if any
 * of it is not memory the cell may read; *to is then undefined.
 */
MUST_CHECK err_t guest_read(struct cpu *self, gpa_t from, void *to, size_t size);

#endif
