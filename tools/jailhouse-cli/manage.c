// SPDX-License-Identifier: GPL-2.0-only
/* enable, disable and the cells' life but for loading: each is one request to the driver. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static enum status send_configuration(const struct command *c, unsigned long request, int argc,
				      char **argv)
{
	struct abi_drv_config r;
	enum status s;
	size_t size;
	void *data;

	if (argc && argv[0][0] == '-')
		return command_usage(c, "unknown option", argv[0]);
	if (argc != 1)
		return command_usage(c, argc ? "one argument too many" : "which configuration file?",
				     argc ? argv[1] : NULL);
	s = file_read(argv[0], ABI_CONFIG_MAX_SIZE, &data, &size);
	if (s)
		return s;
	memset(&r, 0, sizeof(r));
	r.data = (uintptr_t)data;
	r.size = size;
	s = device_call(c, request, &r, r.error);
	free(data);
	return s;
}

enum status enable_run(const struct command *c, int argc, char **argv)
{
	return send_configuration(c, ABI_DRV_ENABLE, argc, argv);
}

enum status create_run(const struct command *c, int argc, char **argv)
{
	return send_configuration(c, ABI_DRV_CELL_CREATE, argc, argv);
}

enum status disable_run(const struct command *c, int argc, char **argv)
{
	struct abi_drv_none r;

	if (argc)
		return command_usage(c, "takes no argument", argv[0]);
	memset(&r, 0, sizeof(r));
	return device_call(c, ABI_DRV_DISABLE, &r, r.error);
}

static enum status send_cell(const struct command *c, unsigned long request, int argc, char **argv)
{
	struct abi_drv_cell r;
	enum status s = cell_reference(c, &argc, &argv, &r);

	if (s)
		return s;
	if (argc)
		return command_usage(c, "one argument too many", argv[0]);
	return device_call(c, request, &r, r.error);
}

enum status start_run(const struct command *c, int argc, char **argv)
{
	return send_cell(c, ABI_DRV_CELL_START, argc, argv);
}

enum status shutdown_run(const struct command *c, int argc, char **argv)
{
	struct abi_drv_cell r;
	uint64_t wait_ms = 0;
	enum status s;

	if (argc && (!strcmp(argv[0], "-t") || !strcmp(argv[0], "--timeout"))) {
		if (argc < 2)
			return command_usage(c, "how many milliseconds? none follow", argv[0]);
		if (!number_parse(argv[1], &wait_ms) || !wait_ms || wait_ms > ABI_DRV_MAX_WAIT_MS)
			return command_usage(c, "no number of milliseconds from 1 to 600000", argv[1]);
		argc -= 2;
		argv += 2;
	}
	s = cell_reference(c, &argc, &argv, &r);
	if (s)
		return s;
	if (argc)
		return command_usage(c, "one argument too many", argv[0]);
	r.wait_ms = (uint32_t)wait_ms;
	return device_call(c, ABI_DRV_CELL_SHUTDOWN, &r, r.error);
}

_Static_assert(ABI_DRV_MAX_WAIT_MS == 600000, "named in words above");

enum status destroy_run(const struct command *c, int argc, char **argv)
{
	return send_cell(c, ABI_DRV_CELL_DESTROY, argc, argv);
}
