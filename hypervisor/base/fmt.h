/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Formatted text without a C library. Understands %c %s %d %i %u %x %X %p %% with the
 * flags 0 - #, a width, a precision for %s, and the lengths l, ll, z. Anything else
 * is copied as it stands.
 */
#ifndef BASE_FMT_H
#define BASE_FMT_H

#include <stdarg.h>
#include "base/types.h"

/*
 * Writes at most `size` bytes with the terminating NUL (nothing at all for size 0).
 * Returns the number of bytes written without the NUL: the text is cut, never longer.
 */
size_t fmt(char *buffer, size_t size, const char *format, ...) PRINTF_LIKE(3, 4);
size_t fmt_args(char *buffer, size_t size, const char *format, va_list args);

#endif
