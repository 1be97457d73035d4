// SPDX-License-Identifier: GPL-2.0-only
/* Files named by the user. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"

static enum status check(const char *path, int fd, size_t limit, size_t *size)
{
	struct stat info;

	if (fstat(fd, &info))
		return fail(STATUS_OTHER, path, "%s", strerror(errno));
	if (S_ISDIR(info.st_mode))
		return fail(STATUS_OTHER, path, "is a directory: name a file in it");
	if (!S_ISREG(info.st_mode))
		return fail(STATUS_OTHER, path, "is no regular file");
	if (!info.st_size)
		return fail(STATUS_OTHER, path, "is empty");
	if ((uintmax_t)info.st_size > limit)
		return fail(STATUS_SPACE, path, "is too large: %jd bytes, at most %zu are possible here",
			    (intmax_t)info.st_size, limit);
	*size = (size_t)info.st_size;
	return STATUS_OK;
}

static enum status fill(const char *path, int fd, char *data, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = read(fd, data + done, size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(STATUS_OTHER, path, "cannot be read: %s", strerror(errno));
		if (!n)
			return fail(STATUS_OTHER, path, "became shorter while it was read");
		done += (size_t)n;
	}
	return STATUS_OK;
}

static enum status read_open(const char *path, int fd, size_t limit, void **data, size_t *size)
{
	enum status s = check(path, fd, limit, size);

	if (s)
		return s;
	*data = malloc(*size);
	if (!*data)
		return out_of_memory();
	s = fill(path, fd, *data, *size);
	if (s) {
		free(*data);
		*data = NULL;
	}
	return s;
}

enum status file_read(const char *path, size_t limit, void **data, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	enum status s;

	if (fd < 0 && errno == ENOENT)
		return fail(STATUS_OTHER, path, "there is no such file");
	if (fd < 0)
		return fail(STATUS_OTHER, path, "cannot be opened: %s", strerror(errno));
	s = read_open(path, fd, limit, data, size);
	close(fd);
	return s;
}
