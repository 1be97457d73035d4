// SPDX-License-Identifier: GPL-2.0-only
/* jailhouse cell linux: a stock kernel, its initrd and a device tree for it into a cell's boot region. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "boot_load.h"
#include "boot_place.h"

#define IMAGE_LIMIT ((size_t)1 << 30)

struct file {
	const char *path;	/* NULL: none */
	void *data;
	size_t size;
};

struct job {
	const struct command *c;
	struct abi_drv_cell cell;
	struct file kernel, initrd, user_tree;
	const char *bootargs;
	bool print, stay;
	struct cell_config config;
	struct linux_place place;
	struct images images;
	struct tree tree;
};

static const struct option {
	const char *brief, *name;
	size_t at;		/* in the job: of the word that follows, or of what is switched on */
	bool alone;		/* no word follows */
} options[] = {
	{ "-d", "--dtb", offsetof(struct job, user_tree.path), false },
	{ "-i", "--initrd", offsetof(struct job, initrd.path), false },
	{ "-c", "--cmdline", offsetof(struct job, bootargs), false },
	{ "--print-dtb", "--print-dtb", offsetof(struct job, print), true },
	{ "--no-start", "--no-start", offsetof(struct job, stay), true },
};

static const struct option *option_named(const char *word)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (!strcmp(word, options[i].brief) || !strcmp(word, options[i].name))
			return &options[i];
	return NULL;
}

static enum status take_option(struct job *j, const struct option *o, int *argc, char ***argv)
{
	void *to = (char *)j + o->at;
	const char *word = **argv;

	++*argv;
	--*argc;
	if (o->alone) {
		*(bool *)to = true;
		return STATUS_OK;
	}
	if (!*argc)
		return command_usage(j->c, "what? nothing follows", word);
	*(const char **)to = **argv;
	++*argv;
	--*argc;
	return STATUS_OK;
}

static enum status take_kernel(struct job *j, int *argc, char ***argv)
{
	const char *word = **argv;

	if (word[0] == '-')
		return command_usage(j->c, "unknown option", word);
	if (j->kernel.path)
		return command_usage(j->c, "one argument too many", word);
	j->kernel.path = word;
	++*argv;
	--*argc;
	return STATUS_OK;
}

static enum status take_words(struct job *j, int argc, char **argv)
{
	enum status s = STATUS_OK;
	bool has_cell = false;

	while (!s && argc) {
		const struct option *o = option_named(argv[0]);

		if (o) {
			s = take_option(j, o, &argc, &argv);
		} else if (!has_cell) {
			s = cell_reference(j->c, &argc, &argv, &j->cell);
			has_cell = true;
		} else {
			s = take_kernel(j, &argc, &argv);
		}
	}
	if (s)
		return s;
	if (!j->kernel.path)
		return command_usage(j->c, has_cell ? "which kernel? none is named" : "which cell? give its ID or name", NULL);
	if (j->print && isatty(STDOUT_FILENO))
		return command_usage(j->c, "the tree is binary: write it to a file, or | dtc -I dtb", "--print-dtb");
	return STATUS_OK;
}

static enum status read_file(struct file *file, size_t limit)
{
	return file->path ? file_read(file->path, limit, &file->data, &file->size) : STATUS_OK;
}

static enum status read_files(struct job *j)
{
	enum status s = read_file(&j->kernel, IMAGE_LIMIT);

	if (!s)
		s = read_file(&j->initrd, IMAGE_LIMIT);
	if (!s)
		s = read_file(&j->user_tree, TREE_USER_LIMIT);
	return s;
}

static enum status read_config(struct job *j)
{
	bool found;
	enum status s = cell_config_read(j->c, &j->cell, &j->config, &found);

	if (s || found)
		return s;
	/* the driver says best why there is none; it has nothing to load */
	return device_call(j->c, ABI_DRV_CELL_LOAD, &(struct abi_drv_load){ .cell = j->cell }, "no such cell");
}

static void add(struct job *j, const char *name, const void *data, uint64_t size, uint64_t address, uint64_t memory)
{
	struct images *to = &j->images;

	to->name[to->count] = name;
	to->image[to->count++] = (struct abi_drv_image){ (uintptr_t)data, size, address, memory };
}

static enum status add_kernel(struct job *j)
{
	char problem[KERNEL_PROBLEM_SIZE];
	const struct abi_mem *ram;
	struct kernel kernel;
	uint64_t address;

	if (!kernel_parse(j->kernel.data, j->kernel.size, &kernel, problem))
		return fail(STATUS_OTHER, j->kernel.path, "%s", problem);
	if (!place_kernel(&j->config.cell, &kernel, &address))
		return fail(STATUS_SPACE, j->c->name, "cell \"%s\" has no RAM for a kernel: memory with access = \"rwx\"",
			    j->config.cell.cell->name);
	ram = ram_largest(&j->config.cell);
	add(j, j->kernel.path, j->kernel.data, j->kernel.size, address, kernel.memory);
	/* far too large: more than the region, as an end that did not wrap */
	j->place.kernel_end = kernel.memory > ram->size ? ram->virt + ram->size : address + kernel.memory;
	return STATUS_OK;
}

static enum status build_tree(struct job *j)
{
	struct tree_wish wish = {
		.cell = &j->config.cell, .system = &j->config.system, .user = j->user_tree.data,
		.user_size = j->user_tree.size, .bootargs = j->bootargs, .initrd = j->place.initrd,
		.initrd_size = j->initrd.size,
	};

	free(j->tree.bytes);
	j->tree.bytes = NULL;
	return tree_build(&wish, j->user_tree.path, &j->tree);
}

/* A tree says where the initrd is, and both lie where the tree's size leaves room: it is made twice. */
static enum status add_rest(struct job *j)
{
	enum status s = build_tree(j);

	if (s)
		return s;
	j->place.initrd_size = j->initrd.size;
	j->place.tree_size = j->tree.size;
	if (!place_linux(&j->config.cell, &j->place))
		return fail(STATUS_SPACE, j->c->name,
			    "kernel, initrd and device tree do not fit into \"%s\", %llu bytes are missing: give it more in the cell's text",
			    ram_largest(&j->config.cell)->name, (unsigned long long)j->place.missing);
	s = build_tree(j);
	if (s)
		return s;
	/* whoever brings a tree of his own has thought of it */
	if (j->tree.note[0] && !j->user_tree.path)
		fprintf(stderr, "jailhouse: %s: note: %s\n", j->c->name, j->tree.note);
	if (j->initrd.size)
		add(j, j->initrd.path, j->initrd.data, j->initrd.size, j->place.initrd, j->initrd.size);
	add(j, "device tree", j->tree.bytes, j->tree.size, j->place.tree, j->tree.size);
	return STATUS_OK;
}

static enum status print_tree(const struct job *j)
{
	if (fwrite(j->tree.bytes, 1, j->tree.size, stdout) != j->tree.size)
		return fail(STATUS_OTHER, "--print-dtb", "cannot write the device tree");
	return STATUS_OK;
}

static enum status needs_region(const struct job *j)
{
	struct boot boot = { .loader_size = boot_loader_size() };
	uint64_t size = boot_size(&boot, &j->images);

	return fail(STATUS_SPACE, j->c->name,
		    "cell \"%s\" has no memory to boot from: add { name = \"boot\", guest = 0x%llx, size = \"%lluM\", boot = true } to `memory` in its text",
		    j->config.cell.cell->name,
		    (unsigned long long)place_region(&j->config.cell, &j->config.system, size << 20),
		    (unsigned long long)size);
}

static enum status load_and_start(const struct job *j)
{
	struct abi_drv_cell cell = j->cell;
	enum status s = boot_load(j->c, &j->cell, &j->config.cell, &j->images, j->images.image[0].address, j->place.tree);

	return s || j->stay ? s : device_call(j->c, ABI_DRV_CELL_START, &cell, cell.error);
}

static enum status run(struct job *j, int argc, char **argv)
{
	enum status s = take_words(j, argc, argv);

	if (!s)
		s = read_files(j);
	if (!s)
		s = read_config(j);
	if (!s)
		s = boot_supported(j->c, &j->config.cell);
	if (!s)
		s = add_kernel(j);
	if (!s)
		s = add_rest(j);
	if (s)
		return s;
	if (j->print)
		return print_tree(j);
	return boot_region(&j->config.cell) ? load_and_start(j) : needs_region(j);
}

enum status linux_run(const struct command *c, int argc, char **argv)
{
	struct job j = { .c = c };
	enum status s = run(&j, argc, argv);

	cell_config_free(&j.config);
	free(j.kernel.data);
	free(j.initrd.data);
	free(j.user_tree.data);
	free(j.tree.bytes);
	return s;
}
