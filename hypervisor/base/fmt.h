/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Formatted text without a C library, as much of it as the hypervisor says: %c %s %u %x
 * and %%, with a width, zero padding, and the lengths l, ll and z for 64 bits. What it
 * does not know is copied as it stands and takes no argument.
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
