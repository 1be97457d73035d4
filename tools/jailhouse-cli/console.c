// SPDX-License-Identifier: GPL-2.0-only
/* jailhouse console */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

static enum status write_all(const char *what, const char *text, size_t size)
{
	while (size) {
		ssize_t n = write(STDOUT_FILENO, text, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(STATUS_OTHER, what, "cannot write: %s", strerror(errno));
		text += n;
		size -= (size_t)n;
	}
	return STATUS_OK;
}

static enum status copy(const char *what, int fd)
{
	char text[16384];

	for (;;) {
		ssize_t n = read(fd, text, sizeof(text));
		enum status s;

		if (n < 0 && errno == EINTR)
			continue;
		if (!n || (n < 0 && errno == EAGAIN))
			return STATUS_OK;
		if (n < 0 && errno == ENODEV)
			return fail(STATUS_ABSENT, what,
				    "there is no log yet: jailhouse enable SYSTEM.cell first");
		if (n < 0)
			return fail(STATUS_OTHER, what, "cannot read " JAILHOUSE_DEVICE ": %s",
				    strerror(errno));
		s = write_all(what, text, (size_t)n);
		if (s)
			return s;
	}
}

enum status console_run(const struct command *c, int argc, char **argv)
{
	bool follow = argc && (!strcmp(argv[0], "-f") || !strcmp(argv[0], "--follow"));
	enum status s;
	int fd;

	if (argc > follow)
		return command_usage(c, "does not take", argv[follow]);
	fd = open(JAILHOUSE_DEVICE, O_RDONLY | O_CLOEXEC | (follow ? 0 : O_NONBLOCK));
	if (fd < 0)
		return device_absent(c->name);
	s = copy(c->name, fd);
	close(fd);
	return s;
}
