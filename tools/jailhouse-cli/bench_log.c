// SPDX-License-Identifier: GPL-2.0-only
/* The hypervisor's log, followed without waiting. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

enum status log_open(const struct command *c, struct bench_log *log)
{
	memset(log, 0, sizeof(*log));
	log->c = c;
	log->fd = open(JAILHOUSE_DEVICE, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return log->fd < 0 ? device_absent(c->name) : STATUS_OK;
}

void log_close(struct bench_log *log)
{
	if (log->fd >= 0)
		close(log->fd);
	log->fd = -1;
}

static void put(struct bench_log *log, const char *text, size_t n,
		void (*take)(void *context, const char *line), void *context)
{
	for (size_t i = 0; i < n; i++) {
		if (text[i] != '\n') {
			/* no line of ours is that long */
			if (log->length < sizeof(log->line) - 1)
				log->line[log->length++] = text[i];
			continue;
		}
		log->line[log->length] = 0;
		log->length = 0;
		take(context, log->line);
	}
}

enum status log_read(struct bench_log *log, void (*take)(void *context, const char *line),
		     void *context)
{
	char text[16384];

	for (;;) {
		ssize_t n = read(log->fd, text, sizeof(text));

		if (n < 0 && errno == EINTR)
			continue;
		if (!n || (n < 0 && errno == EAGAIN))
			return STATUS_OK;
		if (n < 0)
			return fail(STATUS_OTHER, log->c->name, "cannot read the hypervisor's log: %s",
				    strerror(errno));
		put(log, text, (size_t)n, take, context);
	}
}
