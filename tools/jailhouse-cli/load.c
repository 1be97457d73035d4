// SPDX-License-Identifier: GPL-2.0-only
/* jailhouse cell load: images and strings, each at its address. */
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "cli.h"
#include "image_elf.h"

/* Room for the largest sensible image; what fits the cell is the driver's word. */
#define IMAGE_LIMIT ((size_t)1 << 30)

struct job {
	const struct command *c;
	struct abi_drv_load request;
	struct abi_drv_image images[ABI_DRV_MAX_IMAGES];
	const char *path[ABI_DRV_MAX_IMAGES];	/* the file an image is of; NULL: a string */
	void *data[ABI_DRV_MAX_IMAGES];		/* what was read for the images, to be freed */
	uint32_t count, data_count;
};

static enum status add(struct job *j, const char *path, struct abi_drv_image image)
{
	if (j->count == ABI_DRV_MAX_IMAGES)
		return command_usage(j->c, "too many images, from here", path ? path : "-s");
	j->path[j->count] = path;
	j->images[j->count++] = image;
	return STATUS_OK;
}

/* Takes `-a ADDRESS` if it is there; else the address stays what it is. */
static enum status take_address(const struct job *j, int *argc, char ***argv, const char **said, uint64_t *address)
{
	*said = NULL;
	if (!*argc || (strcmp(**argv, "-a") && strcmp(**argv, "--address")))
		return STATUS_OK;
	++*argv;
	if (!--*argc)
		return command_usage(j->c, "which address? none follows", "-a");
	if (!number_parse(**argv, address))
		return command_usage(j->c, "no address (decimal or 0x..., K, M or G may follow)", **argv);
	*said = **argv;
	++*argv;
	--*argc;
	return STATUS_OK;
}

static enum status take_string(struct job *j, int *argc, char ***argv)
{
	struct abi_drv_image image = { 0 };
	const char *said;
	char *text;
	enum status s;

	++*argv;
	if (!--*argc)
		return command_usage(j->c, "which string? none follows", "-s");
	text = **argv;
	++*argv;
	--*argc;
	image.data = (uintptr_t)text;
	image.size = image.memory = strlen(text) + 1;
	s = take_address(j, argc, argv, &said, &image.address);
	return s ? s : add(j, NULL, image);
}

/* An image that says itself where it goes, and where it is to be started. */
static enum status add_elf(struct job *j, const char *path, const void *data, const struct elf *elf)
{
	enum status s = STATUS_OK;

	if (j->request.flags & ABI_DRV_LOAD_ENTRY)
		return command_usage(j->c, "a second ELF file: a cell starts at one place only", path);
	j->request.flags |= ABI_DRV_LOAD_ENTRY;
	j->request.entry = elf->entry;
	for (unsigned i = 0; !s && i < elf->count; i++) {
		const struct elf_segment *segment = &elf->segment[i];

		s = add(j, path, (struct abi_drv_image){ (uintptr_t)data + segment->offset, segment->size,
							 segment->address, segment->memory });
	}
	return s;
}

static enum status take_elf(struct job *j, const char *path, const void *data, size_t size)
{
	char problem[ELF_PROBLEM_SIZE];
	struct utsname machine;
	struct elf *elf;
	enum status s;

	uname(&machine);
	elf = elf_parse(data, size, machine.machine, problem);
	if (!elf && !problem[0])
		return out_of_memory();
	if (!elf)
		return fail(STATUS_OTHER, path, "%s", problem);
	s = add_elf(j, path, data, elf);
	free(elf);
	return s;
}

static enum status take_file(struct job *j, int *argc, char ***argv)
{
	struct abi_drv_image image = { 0 };
	const char *path = **argv, *said;
	size_t size = 0;
	void *data;
	enum status s;

	if (path[0] == '-' && path[1])
		return command_usage(j->c, "unknown option", path);
	if (j->data_count == ABI_DRV_MAX_IMAGES)
		return command_usage(j->c, "too many images, from here", path);
	s = file_read(path, IMAGE_LIMIT, &data, &size);
	if (s)
		return s;
	j->data[j->data_count++] = data;
	++*argv;
	--*argc;
	s = take_address(j, argc, argv, &said, &image.address);
	if (s)
		return s;
	if (!elf_is(data, size)) {
		image.data = (uintptr_t)data;
		image.size = image.memory = size;
		return add(j, path, image);
	}
	if (said)
		return command_usage(j->c, "an ELF file says itself where it goes: no address for it", said);
	return take_elf(j, path, data, size);
}

static enum status take_images(struct job *j, int argc, char **argv)
{
	if (!argc)
		return command_usage(j->c, "which image? none is named", NULL);
	while (argc) {
		bool string = !strcmp(argv[0], "-s") || !strcmp(argv[0], "--string");
		enum status s = string ? take_string(j, &argc, &argv) : take_file(j, &argc, &argv);

		if (s)
			return s;
	}
	return STATUS_OK;
}

/* A string may be laid into an image, a command line for one; of two files one would be spoiled. */
static enum status check_overlaps(const struct job *j)
{
	for (uint32_t i = 0; i < j->count; i++) {
		for (uint32_t k = i + 1; k < j->count; k++) {
			const struct abi_drv_image *a = &j->images[i], *b = &j->images[k];

			if (j->path[i] && j->path[k] && ranges_overlap(a->address, a->memory, b->address, b->memory))
				return fail(STATUS_SPACE, j->path[k],
					    "would overwrite %s: both want the memory at 0x%llx", j->path[i],
					    (unsigned long long)(a->address > b->address ? a->address : b->address));
		}
	}
	return STATUS_OK;
}

enum status load_run(const struct command *c, int argc, char **argv)
{
	struct job j = { .c = c };
	enum status s;

	s = cell_reference(c, &argc, &argv, &j.request.cell);
	if (!s)
		s = take_images(&j, argc, argv);
	if (!s)
		s = check_overlaps(&j);
	if (!s) {
		j.request.count = j.count;
		j.request.images = (uintptr_t)j.images;
		s = device_call(c, ABI_DRV_CELL_LOAD, &j.request, j.request.cell.error);
	}
	while (j.data_count)
		free(j.data[--j.data_count]);
	return s;
}
