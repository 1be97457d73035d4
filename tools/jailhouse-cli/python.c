// SPDX-License-Identifier: GPL-2.0-only
/* Commands that are written in Python: config, explain, and parts of bench. */
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

/* Behind the command's folder: as installed, and in a build tree. */
static const char *const places[] = { "../libexec/jailhouse", "../../tools" };

static bool holds_package(const char *folder)
{
	char path[4200];

	snprintf(path, sizeof(path), "%s/jailhouse/__main__.py", folder);
	return !access(path, R_OK);
}

static bool find_package(char *folder, size_t size)
{
	const char *given = getenv("JAILHOUSE_PYTHONPATH");
	char self[2048];
	ssize_t n;

	if (given && *given) {
		snprintf(folder, size, "%s", given);
		return holds_package(folder);
	}
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n < 0)
		return false;
	self[n] = 0;
	dirname(self);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(folder, size, "%s/%s", self, places[i]);
		if (holds_package(folder))
			return true;
	}
	return false;
}

enum status python_run(const struct command *c, int argc, char **argv)
{
	char **words = calloc((size_t)argc + 6, sizeof(*words));
	char folder[4096] = "";
	int n = 0;

	if (!words)
		return out_of_memory();
	if (!find_package(folder, sizeof(folder))) {
		free(words);
		return fail(STATUS_OTHER, c->name,
			    "the Python package \"jailhouse\" is not where it is expected (%s): install it, or set JAILHOUSE_PYTHONPATH to the folder that holds it",
			    *folder ? folder : "libexec/jailhouse");
	}
	words[n++] = (char *)"python3";
	words[n++] = (char *)"-m";
	words[n++] = (char *)"jailhouse";
	words[n++] = (char *)c->words[0];
	if (c->words[1])
		words[n++] = (char *)c->words[1];
	memcpy(words + n, argv, (size_t)argc * sizeof(*words));
	setenv("PYTHONPATH", folder, 1);
	execvp("python3", words);
	free(words);
	if (errno == ENOENT)
		return fail(STATUS_OTHER, c->name,
			    "needs python3 3.11 or later, which is not installed: apt install python3");
	return fail(STATUS_OTHER, c->name, "cannot start python3: %s", strerror(errno));
}
