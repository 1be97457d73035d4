// SPDX-License-Identifier: GPL-2.0-only
#include "base/why.h"
#include "base/fmt.h"

err_t why_set(struct why *why, err_t e, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fmt_args(why->text, sizeof(why->text), format, args);
	va_end(args);
	return e;
}
