// SPDX-License-Identifier: GPL-2.0-only
/* jailhouse cell load: images and strings, each at its address. */
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "boot_load.h"
#include "boot_place.h"
#include "image_elf.h"

/* Room for the largest sensible image; what fits the cell is the driver's word. */
#define IMAGE_LIMIT ((size_t)1 << 30)

struct job {
	const struct command *c;
	struct abi_drv_load request;
	struct images images;
	bool placed[ABI_DRV_MAX_IMAGES];	/* somebody said where the image goes */
	bool has_elf, entry_said;
	void *data[ABI_DRV_MAX_IMAGES];		/* what was read for the images, to be freed */
	uint32_t data_count;
};

static enum status add(struct job *j, const char *path, bool placed, struct abi_drv_image image)
{
	struct images *to = &j->images;

	if (to->count == ABI_DRV_MAX_IMAGES)
		return command_usage(j->c, "too many images, from here", path ? path : "-s");
	j->placed[to->count] = placed;
	to->name[to->count] = path;
	to->image[to->count++] = image;
	return STATUS_OK;
}

/* Takes the address behind the option if that is there; else it stays what it is. */
static enum status take_address(const struct job *j, const char *brief, const char *option, int *argc, char ***argv,
				const char **said, uint64_t *address)
{
	*said = NULL;
	if (!*argc || (strcmp(**argv, brief) && strcmp(**argv, option)))
		return STATUS_OK;
	++*argv;
	if (!--*argc)
		return command_usage(j->c, "which address? none follows", brief);
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
	s = take_address(j, "-a", "--address", argc, argv, &said, &image.address);
	return s ? s : add(j, NULL, said, image);
}

/* An image that says itself where it goes, and where it is to be started. */
static enum status add_elf(struct job *j, const char *path, const void *data, const struct elf *elf)
{
	enum status s = STATUS_OK;

	if (j->has_elf)
		return command_usage(j->c, "a second ELF file: a cell starts at one place only", path);
	j->has_elf = true;
	if (!j->entry_said)
		j->request.entry = elf->entry;
	j->request.flags |= ABI_DRV_LOAD_ENTRY;
	for (unsigned i = 0; !s && i < elf->count; i++) {
		const struct elf_segment *segment = &elf->segment[i];

		s = add(j, path, true, (struct abi_drv_image){ (uintptr_t)data + segment->offset, segment->size,
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
	s = take_address(j, "-a", "--address", argc, argv, &said, &image.address);
	if (s)
		return s;
	if (!elf_is(data, size)) {
		image.data = (uintptr_t)data;
		image.size = image.memory = size;
		return add(j, path, said, image);
	}
	if (said)
		return command_usage(j->c, "an ELF file says itself where it goes: no address for it", said);
	return take_elf(j, path, data, size);
}

static enum status take_entry(struct job *j, int *argc, char ***argv)
{
	const char *said;
	enum status s = take_address(j, "--entry", "--entry", argc, argv, &said, &j->request.entry);

	j->entry_said = true;
	j->request.flags |= ABI_DRV_LOAD_ENTRY;
	return s;
}

static enum status take_one(struct job *j, int *argc, char ***argv)
{
	if (!strcmp(**argv, "-s") || !strcmp(**argv, "--string"))
		return take_string(j, argc, argv);
	if (!strcmp(**argv, "--entry"))
		return take_entry(j, argc, argv);
	return take_file(j, argc, argv);
}

static enum status take_images(struct job *j, int argc, char **argv)
{
	while (argc) {
		enum status s = take_one(j, &argc, &argv);

		if (s)
			return s;
	}
	if (!j->images.count)
		return command_usage(j->c, "which image? none is named", NULL);
	return STATUS_OK;
}

static enum status load_directly(struct job *j)
{
	enum status s = check_overlaps(&j->images);

	if (s)
		return s;
	j->request.count = j->images.count;
	j->request.images = (uintptr_t)j->images.image;
	return device_call(j->c, ABI_DRV_CELL_LOAD, &j->request, j->request.cell.error);
}

/* A kernel's header says where it goes, in RAM that only the cell's configuration knows. */
static enum status place_kernels(struct job *j, const struct config *cell)
{
	struct images *in = &j->images;
	char problem[KERNEL_PROBLEM_SIZE];
	struct kernel kernel;

	for (uint32_t i = 0; i < in->count; i++) {
		struct abi_drv_image *image = &in->image[i];
		const void *data = (const void *)(uintptr_t)image->data;

		if (!in->name[i] || j->placed[i] || !kernel_is(data, image->size))
			continue;
		if (!kernel_parse(data, image->size, &kernel, problem))
			return fail(STATUS_OTHER, in->name[i], "%s", problem);
		if (!place_kernel(cell, &kernel, &image->address))
			return fail(STATUS_SPACE, in->name[i], "cell \"%s\" has no RAM for a kernel: memory with access = \"rwx\"",
				    cell->cell->name);
		image->memory = kernel.memory;
	}
	return STATUS_OK;
}

/* The ELF file's or the one said; else the first other file is begun with. */
static enum status find_entry(struct job *j)
{
	if (j->request.flags & ABI_DRV_LOAD_ENTRY)
		return STATUS_OK;
	for (uint32_t i = 0; i < j->images.count; i++) {
		if (!j->images.name[i])
			continue;
		j->request.entry = j->images.image[i].address;
		return STATUS_OK;
	}
	return command_usage(j->c, "which image? strings are nothing to start", NULL);
}

/* A tree generated for the cell is loaded with the images, and the first of them is told where it is. */
static enum status load_with_tree(struct job *j, const struct cell_config *config, const struct tree *tree)
{
	struct abi_drv_image image = { .data = (uintptr_t)tree->bytes, .size = tree->size, .memory = tree->size };
	enum status s;

	if (!place_tree(&config->cell, &j->images, tree->size, &image.address))
		return fail(STATUS_SPACE, j->c->name, "no room is left in the cell's RAM for a device tree of %zu bytes",
			    tree->size);
	s = add(j, "device tree", true, image);
	if (!s)
		s = boot_load(j->c, &j->request.cell, &config->cell, &j->images, j->request.entry, image.address);
	return s;
}

static enum status load_by_loader(struct job *j, const struct cell_config *config)
{
	struct tree_wish wish = { .cell = &config->cell, .system = &config->system };
	struct tree tree;
	enum status s = boot_supported(j->c, &config->cell);

	if (!s)
		s = check_overlaps(&j->images);
	if (!s)
		s = find_entry(j);
	if (!s)
		s = tree_build(&wish, NULL, &tree);
	if (s)
		return s;
	s = load_with_tree(j, config, &tree);
	free(tree.bytes);
	return s;
}

static enum status load(struct job *j)
{
	struct cell_config config;
	bool found, boots;
	enum status s;

	s = cell_config_read(j->c, &j->request.cell, &config, &found);
	if (s)
		return s;
	boots = found && boot_region(&config.cell);
	if (boots)
		s = place_kernels(j, &config.cell);
	if (!s)
		s = boots && !images_boot_alone(&j->images, &config.cell) ? load_by_loader(j, &config) : load_directly(j);
	cell_config_free(&config);
	return s;
}

enum status load_run(const struct command *c, int argc, char **argv)
{
	struct job j = { .c = c };
	enum status s;

	s = cell_reference(c, &argc, &argv, &j.request.cell);
	if (!s)
		s = take_images(&j, argc, argv);
	if (!s)
		s = load(&j);
	while (j.data_count)
		free(j.data[--j.data_count]);
	return s;
}
