/* SPDX-License-Identifier: GPL-2.0-only */
/* cmocka with what it wants included before it, and two assertions of our own. */
#ifndef TEST_H
#define TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/why.h"

#define assert_ok(expression)                                              \
	do {                                                               \
		err_t assert_ok_ = (expression);                           \
		if (assert_ok_ != OK)                                      \
			fail_msg("%s: error %d", #expression, assert_ok_); \
	} while (0)

#define assert_err(expression, wanted)                                                   \
	do {                                                                             \
		err_t assert_err_ = (expression);                                        \
		if (assert_err_ != (wanted))                                             \
			fail_msg("%s: error %d where %d is wanted", #expression,         \
				 assert_err_, wanted);                                   \
	} while (0)

/* One line that holds `words`. */
static inline void assert_why(const struct why *why, const char *words)
{
	if (!memchr(why->text, '\0', sizeof(why->text)))
		fail_msg("the message has no end");
	if (strchr(why->text, '\n'))
		fail_msg("more than one line: %s", why->text);
	if (!strstr(why->text, words))
		fail_msg("\"%s\" is not in: %s", words, why->text);
}

/* Deterministic pseudo-random numbers (xorshift64*); the state must not be 0. */
static inline uint64_t test_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dull;
}

static inline uint32_t test_below(uint64_t *state, uint32_t end)
{
	return (uint32_t)((test_random(state) >> 32) % end);
}

#endif
