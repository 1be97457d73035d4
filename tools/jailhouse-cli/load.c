// SPDX-License-Identifier: GPL-2.0-only
/* jailhouse cell load: images and strings, each at its address. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

/* Room for the largest sensible image; what fits the cell is the driver's word. */
#define IMAGE_LIMIT ((size_t)1 << 30)

struct job {
	const struct command *c;
	struct abi_drv_image images[ABI_DRV_MAX_IMAGES];
	void *data[ABI_DRV_MAX_IMAGES];
	uint32_t count;
};

static enum status take_data(struct job *j, int *argc, char ***argv)
{
	bool string = !strcmp(**argv, "-s") || !strcmp(**argv, "--string");
	enum status s = STATUS_OK;
	size_t size = 0;
	void *data = NULL;

	if (j->count == ABI_DRV_MAX_IMAGES)
		return command_usage(j->c, "too many images, from here", **argv);
	if (!string && (**argv)[0] == '-' && (**argv)[1])
		return command_usage(j->c, "unknown option", **argv);
	if (string) {
		++*argv;
		if (!--*argc)
			return command_usage(j->c, "which string? none follows", "-s");
		data = strdup(**argv);
		size = data ? strlen(data) + 1 : 0;
		if (!data)
			return out_of_memory();
	} else {
		s = file_read(**argv, IMAGE_LIMIT, &data, &size);
	}
	if (s)
		return s;
	++*argv;
	--*argc;
	j->data[j->count] = data;
	j->images[j->count].data = (uintptr_t)data;
	j->images[j->count].size = size;
	j->images[j->count++].address = 0;
	return STATUS_OK;
}

static enum status take_address(struct job *j, int *argc, char ***argv)
{
	if (!*argc || (strcmp(**argv, "-a") && strcmp(**argv, "--address")))
		return STATUS_OK;
	++*argv;
	if (!--*argc)
		return command_usage(j->c, "which address? none follows", "-a");
	if (!number_parse(**argv, &j->images[j->count - 1].address))
		return command_usage(j->c, "no address (decimal or 0x..., K, M or G may follow)", **argv);
	++*argv;
	--*argc;
	return STATUS_OK;
}

static enum status take_images(struct job *j, int argc, char **argv)
{
	if (!argc)
		return command_usage(j->c, "which image? none is named", NULL);
	while (argc) {
		enum status s = take_data(j, &argc, &argv);

		if (!s)
			s = take_address(j, &argc, &argv);
		if (s)
			return s;
	}
	return STATUS_OK;
}

enum status load_run(const struct command *c, int argc, char **argv)
{
	struct job j = { .c = c };
	struct abi_drv_load r;
	enum status s;

	memset(&r, 0, sizeof(r));
	s = cell_reference(c, &argc, &argv, &r.cell);
	if (!s)
		s = take_images(&j, argc, argv);
	if (!s) {
		r.count = j.count;
		r.images = (uintptr_t)j.images;
		s = device_call(c, ABI_DRV_CELL_LOAD, &r, r.cell.error);
	}
	while (j.count)
		free(j.data[--j.count]);
	return s;
}
