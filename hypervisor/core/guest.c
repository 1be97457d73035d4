// SPDX-License-Identifier: GPL-2.0-only
#include "base/str.h"
#include "core/cpu.h"
#include "core/guest.h"

static err_t read_within_page(struct cpu *self, gpa_t from, void *to, size_t size)
{
	struct translation t;
	const void *at;

	if (space_walk(&self->cell->space, from, &t) != OK)
		return ERR_FAULT;
	if ((t.flags & (MAP_READ | MAP_DEVICE)) != MAP_READ)
		return ERR_FAULT;
	at = arch_window_open(self, t.to, size);
	memcpy(to, at, size);
	arch_window_close(self);
	return OK;
}

err_t guest_read(struct cpu *self, gpa_t from, void *to, size_t size)
{
	uint8_t *out = to;

	while (size != 0) {
		size_t part = PAGE_SIZE - (from.v & PAGE_MASK);

		if (part > size)
			part = size;
		TRY(read_within_page(self, from, out, part));
		out += part;
		size -= part;
		if (from.v > UINT64_MAX - part)
			return ERR_FAULT;
		from = gpa(from.v + part);
	}
	return OK;
}
