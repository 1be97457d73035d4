// SPDX-License-Identifier: GPL-2.0-only
/* What programs on arm64 are told of their cell: a device tree. And where Linux goes. */
#include <stdio.h>
#include <stdlib.h>

#include "boot_arch.h"
#include "boot_place.h"
#include "tree.h"

/* tree_make() with its words; where the user's own tree came from is `path`. */
static enum status build(const struct tree_wish *wish, const char *path, struct tree *tree)
{
	char problem[PROBLEM_SIZE];

	if (tree_make(wish, tree, problem))
		return STATUS_OK;
	if (!problem[0])
		return out_of_memory();
	return fail(STATUS_OTHER, path ? path : "device tree", "%s", problem);
}

enum status boot_arch_describe(const struct command *c, const struct cell_config *config, const char *cmdline,
			       struct images *images, struct boot_start *start, void **bytes)
{
	struct tree_wish wish = { .cell = &config->cell, .system = &config->system, .bootargs = cmdline };
	struct tree tree;
	enum status s = build(&wish, NULL, &tree);

	if (s)
		return s;
	*bytes = tree.bytes;
	if (!place_tree(&config->cell, images, tree.size, &start->argument))
		return fail(STATUS_SPACE, c->name, "no room is left in the cell's RAM for a device tree of %zu bytes",
			    tree.size);
	images_add(images, "device tree", tree.bytes, tree.size, start->argument, tree.size);
	return STATUS_OK;
}

static enum status add_kernel(struct linux_job *j, struct linux_place *place)
{
	char problem[PROBLEM_SIZE];
	const struct abi_mem *ram;
	struct kernel kernel;
	uint64_t address;

	if (!kernel_parse(j->kernel.data, j->kernel.size, &kernel, problem))
		return fail(STATUS_OTHER, j->kernel.path, "%s", problem);
	if (!place_kernel(&j->config.cell, &kernel, &address))
		return fail(STATUS_SPACE, j->c->name, "cell \"%s\" has no RAM for a kernel: memory with access = \"rwx\"",
			    j->config.cell.cell->name);
	ram = ram_largest(&j->config.cell);
	images_add(&j->images, j->kernel.path, j->kernel.data, j->kernel.size, address, kernel.memory);
	j->start.entry = address;
	/* far too large: more than the region, as an end that did not wrap */
	place->kernel_end = kernel.memory > ram->size ? ram->virt + ram->size : address + kernel.memory;
	return STATUS_OK;
}

static enum status build_tree(struct linux_job *j, const struct linux_place *place, struct tree *tree)
{
	struct tree_wish wish = {
		.cell = &j->config.cell, .system = &j->config.system, .user = j->user_tree.data,
		.user_size = j->user_tree.size, .bootargs = j->bootargs, .initrd = place->initrd,
		.initrd_size = j->initrd.size,
	};
	enum status s;

	free(j->told);
	j->told = NULL;
	s = build(&wish, j->user_tree.path, tree);
	if (s)
		return s;
	j->told = tree->bytes;
	j->told_size = tree->size;
	return STATUS_OK;
}

/* A tree says where the initrd is, and both lie where the tree's size leaves room: it is made twice. */
static enum status add_rest(struct linux_job *j, struct linux_place *place)
{
	struct tree tree;
	enum status s = build_tree(j, place, &tree);

	if (s)
		return s;
	place->initrd_size = j->initrd.size;
	place->tree_size = tree.size;
	if (!place_linux(&j->config.cell, place))
		return fail(STATUS_SPACE, j->c->name,
			    "kernel, initrd and device tree do not fit into \"%s\", %llu bytes are missing: give it more in the cell's text",
			    ram_largest(&j->config.cell)->name, (unsigned long long)place->missing);
	s = build_tree(j, place, &tree);
	if (s)
		return s;
	/* whoever brings a tree of his own has thought of it */
	if (tree.note[0] && !j->user_tree.path)
		fprintf(stderr, "jailhouse: %s: note: %s\n", j->c->name, tree.note);
	if (j->initrd.size)
		images_add(&j->images, j->initrd.path, j->initrd.data, j->initrd.size, place->initrd, j->initrd.size);
	images_add(&j->images, "device tree", tree.bytes, tree.size, place->tree, tree.size);
	j->start.argument = place->tree;
	return STATUS_OK;
}

enum status boot_arch_linux(struct linux_job *j)
{
	struct linux_place place = { 0 };
	enum status s = add_kernel(j, &place);

	return s ? s : add_rest(j, &place);
}
