// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "arch/host/machine.h"
#include "base/bug.h"

static struct host_machine machine;

struct host_machine *host_machine(void)
{
	return &machine;
}

void host_reset(void)
{
	for (unsigned i = 0; i < HOST_CPUS; i++) {
		machine.cpu[i].count = 0;
		machine.cpu[i].oldest = 0;
	}
	machine.complaint[0] = '\0';
	machine.flushes = 0;
	machine.step = NULL;
}

const char *host_complaint(void)
{
	return machine.complaint;
}

void host_complain(const char *format, ...)
{
	va_list args;

	if (machine.complaint[0] != '\0')
		return;
	va_start(args, format);
	vsnprintf(machine.complaint, sizeof(machine.complaint), format, args);
	va_end(args);
}

unsigned host_flushes(void)
{
	return machine.flushes;
}

void host_on_step(void (*step)(void *arg), void *arg)
{
	machine.step = step;
	machine.step_arg = arg;
}

void host_step(void)
{
	if (machine.step)
		machine.step(machine.step_arg);
}

jmp_buf *host_bug_arm(void)
{
	machine.bug_armed = true;
	machine.bug_hit = false;
	return &machine.bug_catch;
}

const char *host_bug_disarm(void)
{
	machine.bug_armed = false;
	return machine.bug_hit ? machine.bug_text : NULL;
}

void bug(const char *file, unsigned line, const char *what)
{
	snprintf(machine.bug_text, sizeof(machine.bug_text), "%s:%u: %s", file, line, what);
	if (!machine.bug_armed) {
		fprintf(stderr, "BUG %s\n", machine.bug_text);
		abort();
	}
	machine.bug_hit = true;
	longjmp(machine.bug_catch, 1);
}
