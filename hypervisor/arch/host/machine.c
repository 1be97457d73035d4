// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "arch/host/machine.h"
#include "base/bug.h"

static struct host_machine machine = {
	.stopped = PTHREAD_COND_INITIALIZER,
	.going = PTHREAD_COND_INITIALIZER,
};
static pthread_mutex_t mutex;
static pthread_once_t mutex_once = PTHREAD_ONCE_INIT;

static void make_mutex(void)
{
	pthread_mutexattr_t attributes;

	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&mutex, &attributes);
	pthread_mutexattr_destroy(&attributes);
}

void host_lock(void)
{
	pthread_once(&mutex_once, make_mutex);
	pthread_mutex_lock(&mutex);
}

void host_unlock(void)
{
	pthread_mutex_unlock(&mutex);
}

void host_wait(pthread_cond_t *condition)
{
	pthread_cond_wait(condition, &mutex);
}

bool host_wait_until(pthread_cond_t *condition, const struct timespec *deadline)
{
	return pthread_cond_timedwait(condition, &mutex, deadline) == 0;
}

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
	machine.now = 0;
	machine.step = NULL;
}

const char *host_complaint(void)
{
	return machine.complaint;
}

void host_complain(const char *format, ...)
{
	va_list args;

	host_lock();
	if (machine.complaint[0] == '\0') {
		va_start(args, format);
		vsnprintf(machine.complaint, sizeof(machine.complaint), format, args);
		va_end(args);
	}
	host_unlock();
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
	if (host_this_thread() != NULL) {
		host_complain("BUG %s:%u: %s", file, line, what);
		host_stop_for_bug();
	}
	snprintf(machine.bug_text, sizeof(machine.bug_text), "%s:%u: %s", file, line, what);
	if (!machine.bug_armed) {
		fprintf(stderr, "BUG %s\n", machine.bug_text);
		abort();
	}
	machine.bug_hit = true;
	longjmp(machine.bug_catch, 1);
}
