// SPDX-License-Identifier: GPL-2.0-only
/* /dev/jailhouse, and what its errors mean to the caller of the command. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli.h"

static enum status status_of(int number, bool with_configuration)
{
	switch (number) {
	case ENODEV:
	case ENOPKG:
	case ENOEXEC:
		return STATUS_ABSENT;
	case ENOENT:
		return STATUS_NO_CELL;
	case EEXIST:
		return STATUS_EXISTS;
	case EBUSY:
		return STATUS_STATE;
	case EINVAL:
		return with_configuration ? STATUS_CONFIG : STATUS_OTHER;
	case ERANGE:
	case E2BIG:
	case ENOMEM:
	case ENOSPC:
		return STATUS_SPACE;
	case EOPNOTSUPP:
	case EADDRINUSE:
	case ENXIO:
		return STATUS_MACHINE;
	default:
		return STATUS_OTHER;
	}
}

enum status device_absent(const char *what)
{
	if (errno == ENOENT || errno == ENXIO || errno == ENODEV)
		return fail(STATUS_ABSENT, what,
			    "the driver is not loaded (no " JAILHOUSE_DEVICE "): modprobe jailhouse");
	if (errno == EACCES || errno == EPERM)
		return fail(STATUS_OTHER, what,
			    "not permitted to open " JAILHOUSE_DEVICE ": run it as root");
	return fail(STATUS_OTHER, what, "cannot open " JAILHOUSE_DEVICE ": %s", strerror(errno));
}

enum status device_call(const struct command *c, unsigned long request, void *argument,
			const char *error)
{
	int fd = open(JAILHOUSE_DEVICE, O_RDWR | O_CLOEXEC);
	enum status s;

	if (fd < 0)
		return device_absent(c->name);
	s = device_call_on(c, fd, request, argument, error);
	close(fd);
	return s;
}

enum status device_call_on(const struct command *c, int fd, unsigned long request, void *argument,
			   const char *error)
{
	bool with_configuration = request == ABI_DRV_ENABLE || request == ABI_DRV_CELL_CREATE;
	int number = ioctl(fd, request, argument) ? errno : 0;

	if (!number)
		return STATUS_OK;
	if (number == ENOTTY)
		return fail(STATUS_ABSENT, c->name,
			    "the driver does not know this request: command and driver are of different versions, install both anew");
	/* a hypervisor that cannot do what a cell's file asks refuses the file */
	if (request == ABI_DRV_CELL_CREATE && number == EOPNOTSUPP)
		number = EINVAL;
	return fail(status_of(number, with_configuration), c->name, "%.*s",
		    ABI_DRIVER_ERROR_SIZE, *error ? error : strerror(number));
}
