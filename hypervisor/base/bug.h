/* SPDX-License-Identifier: GPL-2.0-only */
/* Our own mistakes: said on the log and the UART, then the machine stops. */
#ifndef BASE_BUG_H
#define BASE_BUG_H

#include "base/types.h"

/* The architecture's: prints file, line, text and its registers, and never comes back. */
_Noreturn void bug(const char *file, unsigned line, const char *what);

#define BUG(what) bug(__FILE__, __LINE__, what)
#define BUG_ON(condition)                                   \
	do {                                                \
		if (__builtin_expect(!!(condition), 0))     \
			bug(__FILE__, __LINE__, #condition); \
	} while (0)

#endif
