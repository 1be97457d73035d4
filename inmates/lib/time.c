/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "inmate.h"

#define NS_PER_SECOND 1000000000ull

/*
 * value * to / from without its 128-bit product: whole seconds and the rest apart. The
 * rest's product is below from * to, which fits for every counter below 18 GHz.
 */
static uint64_t rescale(uint64_t value, uint64_t from, uint64_t to)
{
	return value / from * to + value % from * to / from;
}

uint64_t timer_ticks_to_ns(uint64_t ticks)
{
	return rescale(ticks, timer_frequency(), NS_PER_SECOND);
}

uint64_t timer_ns_to_ticks(uint64_t ns)
{
	return rescale(ns, NS_PER_SECOND, timer_frequency());
}

bool timer_wait_count(const volatile uint32_t *count, uint32_t value, uint64_t ns)
{
	uint64_t limit = timer_now() + timer_ns_to_ticks(ns);

	while (*count < value && timer_now() < limit)
		;
	return *count == value;
}
