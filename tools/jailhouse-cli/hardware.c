// SPDX-License-Identifier: GPL-2.0-only
/* jailhouse hardware check */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "hardware.h"

#define WIDTH 80u
/* Behind the verdict, and what to do about it below that */
#define COLUMN 9u
#define COLUMN_FIX 13u

static const char *const verdicts[VERDICTS] = { [PASSED] = "passed", [FAILED] = "FAILED", [UNKNOWN] = "unknown" };

/* From the column on that has been reached, with later lines from `column` on. What files said may be anything. */
static void print_wrapped(const char *text, unsigned column)
{
	unsigned at = column;

	while (*text) {
		size_t n = strcspn(text, " ");

		if (at > column && at + n + 1 > WIDTH) {
			printf("\n%*s", (int)column, "");
			at = column;
		} else if (at > column) {
			putchar(' ');
			at++;
		}
		for (size_t i = 0; i < n; i++)
			putchar(text[i] >= ' ' && text[i] <= '~' ? text[i] : '?');
		at += (unsigned)n;
		text += n;
		text += strspn(text, " ");
	}
	putchar('\n');
}

void report_row(struct report *r, enum verdict v, const char *fix, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	r->count[v]++;
	printf("%-*s", (int)COLUMN, verdicts[v]);
	print_wrapped(text, COLUMN);
	if (!fix)
		return;
	printf("%*s", (int)COLUMN_FIX, "");
	print_wrapped(fix, COLUMN_FIX);
}

char *machine_text(const struct machine *m, const char *path)
{
	struct content c;

	return facts_read(m->facts, path, &c) ? NULL : c.data;
}

enum table machine_table(const struct machine *m, const char *signature, struct content *c, struct acpi_table *table)
{
	char path[64];
	struct names any;
	int error;

	snprintf(path, sizeof(path), "sys/firmware/acpi/tables/%s", signature);
	error = facts_read(m->facts, path, c);
	if (!error && acpi_table_parse(c->data, c->size, signature, table))
		return TABLE_FOUND;
	free(c->data);
	*c = (struct content){ 0 };
	if (!error)
		return TABLE_DAMAGED;
	if (error != ENOENT || facts_list(m->facts, "sys/firmware/acpi/tables", &any))
		return TABLE_UNREADABLE;
	/* a copy made without permission holds none */
	error = any.count || m->facts->live ? 0 : EACCES;
	names_free(&any);
	return error ? TABLE_UNREADABLE : TABLE_ABSENT;
}

void report_table(struct report *r, const struct machine *m, enum table found, const char *signature, const char *what,
		  const char *fix_absent)
{
	switch (found) {
	case TABLE_FOUND:
		return;
	case TABLE_ABSENT:
		report_row(r, FAILED, fix_absent, "%s: the firmware has no table %s", what, signature);
		return;
	case TABLE_DAMAGED:
		report_row(r, UNKNOWN, "look for a newer version of the firmware; a copy may have been cut: gather it again",
			   "%s: the table %s is damaged: its header is not one, or it ends before it says", what, signature);
		return;
	case TABLE_UNREADABLE:
		report_row(r, UNKNOWN, m->unread, "%s: the table %s cannot be read", what, signature);
		return;
	}
}

static const char *how_to_read(const struct facts *f)
{
	if (!f->live)
		return "gather it on the machine itself, as root: jailhouse config collect";
	return geteuid() ? "run it as root" : "nothing to do if the rest passed: this kernel does not show it";
}

static void machine_read(struct machine *m, const struct facts *f)
{
	struct content log;

	*m = (struct machine){ .facts = f, .unread = how_to_read(f) };
	facts_release(f, m->release);
	m->cmdline = machine_text(m, "proc/cmdline");
	m->config = kernel_config_read(f, m->release);
	m->log = facts_read_log(f, &log) ? NULL : log.data;
	m->cpuinfo = machine_text(m, "proc/cpuinfo");
	m->interrupts = machine_text(m, "proc/interrupts");
	m->modules = machine_text(m, "proc/modules");
}

static void machine_free(struct machine *m)
{
	free(m->cmdline);
	free(m->config);
	free(m->log);
	free(m->cpuinfo);
	free(m->interrupts);
	free(m->modules);
}

static enum status check(const struct facts *f)
{
	struct report r = { 0 };
	struct machine m;

	machine_read(&m, f);
	hardware_rows(&r, &m);
	machine_free(&m);
	printf("%u passed, %u failed, %u unknown\n", r.count[PASSED], r.count[FAILED], r.count[UNKNOWN]);
	return r.count[FAILED] ? STATUS_MACHINE : STATUS_OK;
}

enum status hardware_run(const struct command *c, int argc, char **argv)
{
	const char *root = NULL;
	enum status s;
	struct facts f;
	int error;

	for (; argc; argv++, argc--) {
		if (strcmp(*argv, "-r") && strcmp(*argv, "--root"))
			return command_usage(c, **argv == '-' ? "unknown option" : "takes no argument", *argv);
		if (argc == 1)
			return command_usage(c, "it needs a folder", *argv);
		root = *++argv;
		argc--;
	}
	error = facts_open(&f, root);
	if (error)
		return fail(STATUS_OTHER, root ? root : "/", "cannot be opened: %s: name a folder that holds a machine's files",
			    strerror(error));
	s = check(&f);
	facts_close(&f);
	return s;
}
