// SPDX-License-Identifier: GPL-2.0-only
/* jailhouse cell load: images and strings, each at its address. */
#include <stdlib.h>
#include <string.h>

#include "boot_arch.h"
#include "boot_load.h"

/* Room for the largest sensible image; what fits the cell is the driver's word. */
#define IMAGE_LIMIT ((size_t)1 << 30)

struct job {
	const struct command *c;
	struct abi_drv_load request;
	struct images images;
	const char *cmdline;
	uint32_t mode;				/* how it is to be entered: ABI_BOOT_* */
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

static enum status take_program(struct job *j, const char *path, const void *data, size_t size)
{
	char problem[PROBLEM_SIZE];
	struct elf *elf = boot_arch_parse(data, size, &j->mode, problem);
	enum status s;

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
	if (!boot_arch_is_program(data, size)) {
		image.data = (uintptr_t)data;
		image.size = image.memory = size;
		return add(j, path, said, image);
	}
	if (said)
		return command_usage(j->c, "an ELF file says itself where it goes: no address for it", said);
	return take_program(j, path, data, size);
}

static enum status take_entry(struct job *j, int *argc, char ***argv)
{
	const char *said;
	enum status s = take_address(j, "--entry", "--entry", argc, argv, &said, &j->request.entry);

	j->entry_said = true;
	j->request.flags |= ABI_DRV_LOAD_ENTRY;
	return s;
}

static enum status take_cmdline(struct job *j, int *argc, char ***argv)
{
	const char *option = **argv;

	++*argv;
	if (!--*argc)
		return command_usage(j->c, "what? nothing follows", option);
	j->cmdline = **argv;
	++*argv;
	--*argc;
	return STATUS_OK;
}

static enum status take_one(struct job *j, int *argc, char ***argv)
{
	if (!strcmp(**argv, "-s") || !strcmp(**argv, "--string"))
		return take_string(j, argc, argv);
	if (!strcmp(**argv, "-c") || !strcmp(**argv, "--cmdline"))
		return take_cmdline(j, argc, argv);
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

/* A header may say where an image goes, in RAM that only the cell's configuration knows. */
static enum status place_images(struct job *j, const struct config *cell)
{
	struct images *in = &j->images;
	char problem[PROBLEM_SIZE];

	for (uint32_t i = 0; i < in->count; i++)
		if (in->name[i] && !j->placed[i] && !boot_arch_place(cell, &in->image[i], problem))
			return fail(STATUS_OTHER, in->name[i], "%s", problem);
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

static enum status load_by_loader(struct job *j, const struct cell_config *config)
{
	struct boot_start start = { .mode = j->mode };
	void *bytes = NULL;
	enum status s = boot_supported(j->c, &config->cell);

	if (!s)
		s = check_overlaps(&j->images);
	if (!s)
		s = find_entry(j);
	start.entry = j->request.entry;
	if (!s)
		s = boot_arch_describe(j->c, config, j->cmdline, &j->images, &start, &bytes);
	if (!s)
		s = boot_load(j->c, &j->request.cell, &config->cell, &j->images, &start);
	free(bytes);
	return s;
}

/* Nobody is there who would tell a program its words, or enter it in any mode but the CPU's first. */
static enum status check_direct(const struct job *j)
{
	if (!j->cmdline && j->mode == boot_arch_mode)
		return STATUS_OK;
	return fail(STATUS_OTHER, j->c->name,
		    "%s is for a cell with memory to boot from, and images outside of it: boot = true in its text",
		    j->cmdline ? "-c" : "a Multiboot image");
}

static enum status load(struct job *j)
{
	struct cell_config config;
	bool found, boots, by_loader;
	enum status s;

	s = cell_config_read(j->c, &j->request.cell, &config, &found);
	if (s)
		return s;
	boots = found && boot_region(&config.cell);
	if (boots)
		s = place_images(j, &config.cell);
	by_loader = boots && !images_boot_alone(&j->images, &config.cell);
	if (!s && found && !by_loader)
		s = check_direct(j);
	if (!s)
		s = by_loader ? load_by_loader(j, &config) : load_directly(j);
	cell_config_free(&config);
	return s;
}

enum status load_run(const struct command *c, int argc, char **argv)
{
	struct job j = { .c = c, .mode = boot_arch_mode };
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
