// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdio.h>

#include "cli.h"

enum status fail(enum status s, const char *what, const char *format, ...)
{
	va_list arguments;

	fflush(stdout);
	fprintf(stderr, "jailhouse: %s: ", what);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	return s;
}

enum status out_of_memory(void)
{
	return fail(STATUS_OTHER, "memory", "there is none left for this command");
}
