// SPDX-License-Identifier: GPL-2.0-only
/* jailhouse cell linux: a stock kernel, its initrd and what tells it of the cell into a boot region. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "boot_arch.h"
#include "boot_load.h"

#define IMAGE_LIMIT ((size_t)1 << 30)
/* Of a user's own, so that what it is laid over always has room, too */
#define TREE_USER_LIMIT ((size_t)1 << 20)

static const struct option {
	const char *brief, *name;
	size_t at;		/* in the job: of the word that follows, or of what is switched on */
	bool alone;		/* no word follows */
} options[] = {
	{ "-d", "--dtb", offsetof(struct linux_job, user_tree.path), false },
	{ "-i", "--initrd", offsetof(struct linux_job, initrd.path), false },
	{ "-c", "--cmdline", offsetof(struct linux_job, bootargs), false },
	{ "--print-dtb", "--print-dtb", offsetof(struct linux_job, print), true },
	{ "--no-start", "--no-start", offsetof(struct linux_job, stay), true },
};

static const struct option *option_named(const char *word)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (!strcmp(word, options[i].brief) || !strcmp(word, options[i].name))
			return &options[i];
	return NULL;
}

static enum status take_option(struct linux_job *j, const struct option *o, int *argc, char ***argv)
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

static enum status take_kernel(struct linux_job *j, int *argc, char ***argv)
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

static enum status take_words(struct linux_job *j, int argc, char **argv)
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

static enum status read_file(struct linux_file *file, size_t limit)
{
	return file->path ? file_read(file->path, limit, &file->data, &file->size) : STATUS_OK;
}

static enum status read_files(struct linux_job *j)
{
	enum status s = read_file(&j->kernel, IMAGE_LIMIT);

	if (!s)
		s = read_file(&j->initrd, IMAGE_LIMIT);
	if (!s)
		s = read_file(&j->user_tree, TREE_USER_LIMIT);
	return s;
}

static enum status read_config(struct linux_job *j)
{
	bool found;
	enum status s = cell_config_read(j->c, &j->cell, &j->config, &found);

	if (s || found)
		return s;
	/* the driver says best why there is none; it has nothing to load */
	return device_call(j->c, ABI_DRV_CELL_LOAD, &(struct abi_drv_load){ .cell = j->cell }, "no such cell");
}

static enum status print_told(const struct linux_job *j)
{
	if (fwrite(j->told, 1, j->told_size, stdout) != j->told_size)
		return fail(STATUS_OTHER, "--print-dtb", "cannot write the device tree");
	return STATUS_OK;
}

static enum status needs_region(const struct linux_job *j)
{
	struct boot boot = { .loader_size = boot_loader_size() };
	uint64_t size = boot_size(&boot, &j->images);

	return fail(STATUS_SPACE, j->c->name,
		    "cell \"%s\" has no memory to boot from: add { name = \"boot\", guest = 0x%llx, size = \"%lluM\", boot = true } to `memory` in its text",
		    j->config.cell.cell->name,
		    (unsigned long long)boot_arch_region(&j->config.cell, &j->config.system, size << 20),
		    (unsigned long long)size);
}

static enum status load_and_start(const struct linux_job *j)
{
	struct abi_drv_cell cell = j->cell;
	enum status s = boot_load(j->c, &j->cell, &j->config.cell, &j->images, &j->start);

	return s || j->stay ? s : device_call(j->c, ABI_DRV_CELL_START, &cell, cell.error);
}

static enum status run(struct linux_job *j, int argc, char **argv)
{
	enum status s = take_words(j, argc, argv);

	if (!s)
		s = read_files(j);
	if (!s)
		s = read_config(j);
	if (!s)
		s = boot_supported(j->c, &j->config.cell);
	if (!s)
		s = boot_arch_linux(j);
	if (s)
		return s;
	if (j->print)
		return print_told(j);
	return boot_region(&j->config.cell) ? load_and_start(j) : needs_region(j);
}

enum status linux_run(const struct command *c, int argc, char **argv)
{
	struct linux_job j = { .c = c };
	enum status s = run(&j, argc, argv);

	cell_config_free(&j.config);
	free(j.kernel.data);
	free(j.initrd.data);
	free(j.user_tree.data);
	free(j.told);
	return s;
}
