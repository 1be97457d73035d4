// SPDX-License-Identifier: GPL-2.0-only
/* Linux's own latency, as cyclictest of the rt-tests sees it: in whole microseconds. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

/* What is later than this is counted, but not how late: then there are no numbers. */
#define LATEST_US 400000u

static bool installed(void)
{
	const char *path = getenv("PATH");
	char file[512];

	while (path && *path) {
		size_t n = strcspn(path, ":");

		snprintf(file, sizeof(file), "%.*s/cyclictest", (int)n, path);
		if (!access(file, X_OK))
			return true;
		path += n + (path[n] == ':');
	}
	return false;
}

bool cyclictest_parse(struct bench_run *run, FILE *from)
{
	uint64_t value, count, overflows = 1;
	char line[256];

	while (fgets(line, sizeof(line), from)) {
		if (sscanf(line, "# Histogram Overflows: %" SCNu64, &overflows) == 1)
			continue;
		if (sscanf(line, "%" SCNu64 " %" SCNu64, &value, &count) != 2 || !count)
			continue;
		if (!histogram_add(&run->histogram, value, count))
			return false;
		run->histogram.samples += count;
	}
	return !overflows && histogram_sort(&run->histogram);
}

enum status cyclictest_run(const struct command *c, struct bench_result *r, const char *load)
{
	long cpu = sysconf(_SC_NPROCESSORS_ONLN) - 1;
	struct bench_run *run;
	char command[160];
	FILE *from;

	if (!installed())
		return STATUS_OK;
	run = result_run(r, "linux", load, "cyclictest");
	if (!run)
		return out_of_memory();
	run->unit = "us";
	snprintf(command, sizeof(command),
		 "exec cyclictest -m -q -t1 -a%ld -p95 -i1000 -l%" PRIu64 " -h%u", cpu, r->samples,
		 LATEST_US);
	fflush(NULL);
	from = popen(command, "re");
	if (!from)
		return fail(STATUS_OTHER, c->name, "cannot start cyclictest");
	run->measured = cyclictest_parse(run, from);
	if (pclose(from) || !run->measured) {
		histogram_free(&run->histogram);
		run->measured = false;
		snprintf(run->refused, sizeof(run->refused),
			 "cyclictest failed, or was late by more than %u us", LATEST_US);
	}
	return STATUS_OK;
}
