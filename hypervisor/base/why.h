/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The words that go with an error: one line that names the field or the thing, what
 * is wrong with it and what to change. Whoever finds the error says it.
 */
#ifndef BASE_WHY_H
#define BASE_WHY_H

#include "base/err.h"

struct why {
	char text[240];		/* empty, or a NUL-terminated line without newline */
};

/* Says it and hands `e` back: return why_set(why, ERR_RANGE, "cpus: no CPU %u", n); */
err_t why_set(struct why *why, err_t e, const char *format, ...) PRINTF_LIKE(3, 4);

#endif
