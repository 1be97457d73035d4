// SPDX-License-Identifier: GPL-2.0-only
/* jailhouse config collect: what a machine shows of itself, as one file to take elsewhere. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arch_words.h"
#include "cli.h"
#include "collect_arch.h"
#include "collection.h"

struct options {
	const char *root, *file;
};

/* --- writing --- */

static bool put_all(FILE *to, const struct collection *c)
{
	for (size_t i = 0; i < c->count; i++)
		if (!tar_put(to, &c->entry[i]))
			return false;
	return tar_end(to) && !fflush(to);
}

static enum status write_stdout(const struct collection *c)
{
	if (isatty(STDOUT_FILENO))
		return fail(STATUS_USAGE, "config collect",
			    "the standard output is a terminal: name a file, or send it elsewhere by > or |");
	if (!put_all(stdout, c))
		return fail(STATUS_OTHER, "standard output", "cannot be written: %s", strerror(errno));
	return STATUS_OK;
}

static enum status fill(int fd, const char *name, const struct collection *c)
{
	FILE *to = fdopen(fd, "w");
	bool good;

	if (!to) {
		close(fd);
		return out_of_memory();
	}
	good = put_all(to, c) && !fsync(fd);
	if (!good)
		fail(STATUS_OTHER, name, "cannot be written: %s", strerror(errno));
	fclose(to);
	return good ? STATUS_OK : STATUS_OTHER;
}

/* Whole beside its place, then there. What it holds is for root's eyes: addresses of the kernel, the log. */
static enum status replace(const char *name, char *part, const struct collection *c)
{
	int fd = mkostemp(part, O_CLOEXEC);
	enum status s;

	if (fd < 0)
		return fail(STATUS_OTHER, name, "cannot be made: %s: name a file in a folder that can be written", strerror(errno));
	s = fill(fd, name, c);
	if (!s && rename(part, name))
		s = fail(STATUS_OTHER, name, "cannot be replaced: %s", strerror(errno));
	if (s)
		unlink(part);
	return s;
}

static enum status write_file(const char *name, const struct collection *c)
{
	char part[4096];
	struct stat info;
	sigset_t all, before;
	enum status s;

	/* a device must not become a file */
	if (!lstat(name, &info) && !S_ISREG(info.st_mode))
		return fail(STATUS_OTHER, name, "is there and is no regular file: name another, or - for the standard output");
	if ((size_t)snprintf(part, sizeof(part), "%s.XXXXXX", name) >= sizeof(part))
		return fail(STATUS_OTHER, "config collect", "the name of the file is too long: give it a shorter one");
	/* a file that grew too large is an error like others; and nobody ends it between the two names */
	signal(SIGXFSZ, SIG_IGN);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	s = replace(name, part, c);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return s;
}

/* --- the summary --- */

/* Who may not read here, may there. */
static const char *permission(bool live)
{
	if (!live)
		return "gather it on the machine itself, as root";
	return geteuid() ? "run it as root" : "run it outside of the container that this is";
}

static void say_missing(const struct collection *c, const struct important *i, bool live)
{
	const struct missing *m = collection_missing(c, i->path);

	fprintf(c->say, "%s: %s: %s\n", i->path, m ? m->reason : "is not there", m && m->denied ? permission(live) : i->otherwise);
}

static bool group_is_there(const struct collection *c, unsigned group)
{
	for (const struct important *i = collect_important; i->path; i++)
		if (i->group == group && collection_has(c, i->path))
			return true;
	return false;
}

/* Returns the first that has to be there and is not, or NULL. */
static const char *summary(const struct collection *c, const char *file, bool live)
{
	const char *lacking = NULL;

	fprintf(c->say, "%s: %zu files of %s, Linux %s\n", printable(file), c->count, c->arch, *c->release ? c->release : "unknown");
	for (const struct important *i = collect_important; i->path; i++) {
		if (i->group ? group_is_there(c, i->group) : collection_has(c, i->path))
			continue;
		say_missing(c, i, live);
		if (i->group && !lacking)
			lacking = i->path;
	}
	if (c->short_config)
		fprintf(c->say, "sys/bus/pci/devices: of configuration space only the first 64 bytes are there, no capabilities: %s\n",
			permission(live));
	return lacking;
}

static enum status write_and_say(const struct options *o, const struct collection *c, bool live)
{
	bool to_stdout = !strcmp(o->file, "-");
	enum status s = to_stdout ? write_stdout(c) : write_file(o->file, c);
	const char *lacking;

	if (s)
		return s;
	lacking = summary(c, to_stdout ? "standard output" : o->file, live);
	if (lacking)
		return fail(STATUS_OTHER, "config collect", "what was gathered is too little for a description: %s is missing", lacking);
	return STATUS_OK;
}

static enum status gather_and_write(const struct options *o, const struct facts *f)
{
	struct collection c = { .say = strcmp(o->file, "-") ? stdout : stderr };
	enum status s;

	if (!collection_gather(&c, f, ARCH_NAME))
		s = out_of_memory();
	else if (strcmp(c.arch, ARCH_NAME))
		s = fail(STATUS_OTHER, o->root ? o->root : "/",
			 "is of %s, and this command of %s: use the one that was built for it", c.arch, ARCH_NAME);
	else
		s = write_and_say(o, &c, f->live);
	collection_free(&c);
	return s;
}

static enum status options_parse(const struct command *c, int argc, char **argv, struct options *o)
{
	for (; argc; argv++, argc--) {
		bool is_root = !strcmp(*argv, "-r") || !strcmp(*argv, "--root");

		if (is_root && argc == 1)
			return command_usage(c, "it needs a folder", *argv);
		if (is_root) {
			o->root = *++argv;
			argc--;
		} else if (argv[0][0] == '-' && argv[0][1]) {
			return command_usage(c, "unknown option", *argv);
		} else if (o->file) {
			return command_usage(c, "one file is made, this is another", *argv);
		} else {
			o->file = *argv;
		}
	}
	return o->file && *o->file ? STATUS_OK : command_usage(c, "which file is to be made?", NULL);
}

enum status collect_run(const struct command *c, int argc, char **argv)
{
	struct options o = { 0 };
	enum status s = options_parse(c, argc, argv, &o);
	struct facts f;
	int error;

	if (s)
		return s;
	error = facts_open(&f, o.root);
	if (error)
		return fail(STATUS_OTHER, o.root ? o.root : "/", "cannot be opened: %s: name a folder that holds a machine's files",
			    strerror(error));
	s = gather_and_write(&o, &f);
	facts_close(&f);
	return s;
}
