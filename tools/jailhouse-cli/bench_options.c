// SPDX-License-Identifier: GPL-2.0-only
/* jailhouse bench: what is wanted. */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bench.h"

#define WORDS_LIMIT 80u

/* machine: as uname() calls those alone that have it; NULL: all */
static const struct {
	const char *name, *machine;
} all_workloads[] = {
	{ "timer-spin", NULL }, { "timer-wfi", NULL }, { "tick", NULL }, { "self-sgi", NULL },
	{ "ipi", NULL }, { "icr", "x86_64" }, { "device", NULL }, { "hypercall", NULL },
	{ "psci", "aarch64" }, { "gicd-read", "aarch64" }, { "gicr-write", "aarch64" },
	{ "cpuid", "x86_64" }, { "msr", "x86_64" }, { "ioapic-read", "x86_64" }, { "compute", NULL },
};

static_assert(sizeof(all_workloads) / sizeof(all_workloads[0]) <= BENCH_MAX_WORKLOADS, "bench.h");

#define ALL_WORKLOADS (sizeof(all_workloads) / sizeof(all_workloads[0]))
#define SHARE "/usr/local/share/jailhouse"

const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

const char *where_of(const char *dir)
{
	const char *name = last_part(dir);

	return strncmp(name, "bench-", 6) ? name : name + 6;
}

static enum status take_workloads(const struct command *c, struct bench_options *o, char *list)
{
	for (char *name = strtok(list, ","); name; name = strtok(NULL, ",")) {
		size_t i = 0;

		while (i < ALL_WORKLOADS && strcmp(name, all_workloads[i].name))
			i++;
		if (i == ALL_WORKLOADS)
			return command_usage(c, "no workload", name);
		for (size_t k = 0; k < o->workload_count; k++)
			if (o->workloads[k] == all_workloads[i].name)
				return command_usage(c, "twice the same workload", name);
		o->workloads[o->workload_count++] = all_workloads[i].name;
	}
	o->chosen = true;
	return o->workload_count ? STATUS_OK : command_usage(c, "which workloads?", NULL);
}

/* All that this machine has. */
static void take_all(struct bench_options *o)
{
	struct utsname u;

	if (uname(&u))
		*u.machine = 0;
	for (size_t i = 0; i < ALL_WORKLOADS; i++)
		if (!all_workloads[i].machine || !strcmp(all_workloads[i].machine, u.machine))
			o->workloads[o->workload_count++] = all_workloads[i].name;
}

static enum status take_number(const struct command *c, const char *name, const char *text,
			       uint64_t low, uint64_t high, uint64_t *value)
{
	if (!number_parse(text, value) || *value < low || *value > high)
		return command_usage(c, name, text);
	return STATUS_OK;
}

static enum status take_value(const struct command *c, struct bench_options *o, const char *name,
			      char *value)
{
	if (!strcmp(name, "-o") || !strcmp(name, "--output")) {
		o->out = value;
	} else if (!strcmp(name, "--image")) {
		o->image = value;
	} else if (!strcmp(name, "--words")) {
		o->words = value;
		if (strlen(value) > WORDS_LIMIT)
			return command_usage(c, "more words than there is room for", value);
	} else if (!strcmp(name, "--mode")) {
		o->icount = !strcmp(value, "icount");
		if (!o->icount && strcmp(value, "wall"))
			return command_usage(c, "no mode (icount, wall)", value);
	} else if (!strcmp(name, "--load")) {
		o->idle = strcmp(value, "loaded") != 0;
		o->loaded = strcmp(value, "idle") != 0;
		if (o->idle && o->loaded && strcmp(value, "both"))
			return command_usage(c, "no load (idle, loaded, both)", value);
	} else if (!strcmp(name, "--workloads")) {
		return take_workloads(c, o, value);
	} else if (!strcmp(name, "--samples")) {
		return take_number(c, "no number of samples (1 to 100000000)", value, 1, 100000000,
				   &o->samples);
	} else if (!strcmp(name, "--limit")) {
		return take_number(c, "no limit in nanoseconds", value, 1, UINT64_MAX, &o->limit);
	} else if (!strcmp(name, "--rounds")) {
		return take_number(c, "no number of rounds (0 to 100)", value, 0, BENCH_MAX_ROUNDS,
				   &o->rounds);
	} else {
		return command_usage(c, "unknown option", name);
	}
	return STATUS_OK;
}

static enum status take_dirs(const struct command *c, struct bench_options *o, int *argc, char ***argv)
{
	while (*argc && (**argv)[0] != '-') {
		/* the name's last part says what is measured */
		for (size_t n = strlen(**argv); n > 1 && (**argv)[n - 1] == '/'; n--)
			(**argv)[n - 1] = 0;
		if (o->dir_count == BENCH_MAX_DIRS)
			return command_usage(c, "one folder too many", **argv);
		for (size_t i = 0; i < o->dir_count; i++)
			if (!strcmp(where_of(o->dirs[i]), where_of(**argv)))
				return command_usage(c, "two folders of one name", **argv);
		o->dirs[o->dir_count++] = **argv;
		++*argv;
		--*argc;
	}
	return o->dir_count ? STATUS_OK : command_usage(c, "which folders?", "--cells");
}

enum status options_take(const struct command *c, struct bench_options *o, int argc, char **argv)
{
	enum status s = STATUS_OK;

	o->words = "";
	o->idle = true;
	o->loaded = true;
	o->rounds = 10;
	while (!s && argc) {
		const char *name = *argv++;

		argc--;
		if (!strcmp(name, "--cells")) {
			s = take_dirs(c, o, &argc, &argv);
		} else if (!argc) {
			s = command_usage(c, name[0] == '-' ? "which value? none follows" :
					  "unknown word", name);
		} else {
			s = take_value(c, o, name, *argv++);
			argc--;
		}
	}
	if (!o->chosen)
		take_all(o);
	if (!s && o->limit && o->icount)
		s = command_usage(c, "a limit in nanoseconds is for --mode wall", NULL);
	o->counted = o->samples != 0;
	if (!o->counted)
		o->samples = o->icount ? 1000 : 10000;
	return s;
}

enum status options_check_out(const char *path)
{
	const char *slash = strrchr(path, '/');
	char dir[600] = ".";
	struct stat info;

	if (!stat(path, &info)) {
		if (S_ISDIR(info.st_mode))
			return fail(STATUS_OTHER, path, "is a directory: name a file in it");
		if (access(path, W_OK))
			return fail(STATUS_OTHER, path, "cannot be written: %s", strerror(errno));
		return STATUS_OK;
	}
	if (slash)
		snprintf(dir, sizeof(dir), "%.*s", slash == path ? 1 : (int)(slash - path), path);
	if (access(dir, W_OK | X_OK))
		return fail(STATUS_OTHER, path, "cannot be made in %s: %s", dir, strerror(errno));
	return STATUS_OK;
}

enum status options_complete(const struct command *c, struct bench_options *o)
{
	static const char *const names[] = { "direct", "trusted", "injected" };
	static const char *const places[] = { "/configs", SHARE "/configs" };
	static const char *const images[] = { "/inmates/bench.bin", SHARE "/inmates/bench.bin" };
	char pattern[100];

	for (size_t i = 0; !o->image && i < sizeof(images) / sizeof(images[0]); i++)
		if (!access(images[i], R_OK))
			o->image = images[i];
	if (!o->image)
		return fail(STATUS_OTHER, c->name, "no %s: name the program with --image", images[1]);
	if (o->dir_count)
		return STATUS_OK;
	for (size_t p = 0; p < sizeof(places) / sizeof(places[0]); p++)
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			size_t before = o->found.gl_pathc;

			snprintf(pattern, sizeof(pattern), "%s/*/bench-%s", places[p], names[i]);
			if (glob(pattern, before ? GLOB_APPEND : 0, NULL, &o->found))
				continue;
			if (o->found.gl_pathc > before && o->dir_count < BENCH_MAX_DIRS)
				o->dirs[o->dir_count++] = o->found.gl_pathv[before];
		}
	if (!o->dir_count)
		return fail(STATUS_OTHER, c->name,
			    "no bench-direct in /configs or " SHARE "/configs: name folders with --cells");
	return STATUS_OK;
}
