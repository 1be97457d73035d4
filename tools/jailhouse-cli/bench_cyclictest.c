// SPDX-License-Identifier: GPL-2.0-only
/* Linux's own latency, as cyclictest of the rt-tests sees it: in whole microseconds. */
#include <inttypes.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
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

bool cyclictest_parse(struct bench_run *run, FILE *from, uint64_t samples)
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
	return !overflows && run->histogram.samples == samples && histogram_sort(&run->histogram);
}

/* Its end of the pipe is `from`; -1: errno says why not. */
static pid_t spawn(char **argv, FILE **from)
{
	pid_t parent = getpid(), child;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return -1;
	*from = fdopen(ends[0], "r");
	fflush(NULL);
	child = *from ? fork() : -1;
	if (!child) {
		dup2(ends[1], STDOUT_FILENO);
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() == parent)
			execvp(argv[0], argv);
		_exit(127);
	}
	close(ends[1]);
	if (child < 0 && *from)
		fclose(*from);
	else if (child < 0)
		close(ends[0]);
	return child;
}

/* What a signal has ended is not waited for: it is told to end, too. */
static bool finish(pid_t child, FILE *from)
{
	int state = 0;

	fclose(from);
	if (bench_interrupted())
		kill(child, SIGTERM);
	while (waitpid(child, &state, 0) < 0 && errno == EINTR)
		kill(child, SIGTERM);
	return WIFEXITED(state) && !WEXITSTATUS(state);
}

static void fill(struct bench_run *run, uint64_t samples, pid_t child, FILE *from)
{
	char why[100];
	bool whole = cyclictest_parse(run, from, samples);

	run->measured = true;
	if (finish(child, from) && whole)
		return;
	snprintf(why, sizeof(why), "cyclictest failed, or was late by more than %u us", LATEST_US);
	run_refuse(run, why);
}

enum status cyclictest_run(const struct command *c, struct bench_result *r, const char *load)
{
	long cpu = sysconf(_SC_NPROCESSORS_ONLN) - 1;
	struct bench_run *run;
	char where[32], loops[32], latest[16];
	char *argv[] = { "cyclictest", "-m", "-q", "-t1", where, "-p95", "-i1000", loops, latest, NULL };
	pid_t child;
	FILE *from;

	if (!installed())
		return STATUS_OK;
	run = result_run(r, "linux", load, "cyclictest");
	if (!run)
		return out_of_memory();
	run->unit = "us";
	snprintf(where, sizeof(where), "-a%ld", cpu);
	snprintf(loops, sizeof(loops), "-l%" PRIu64, r->samples);
	snprintf(latest, sizeof(latest), "-h%u", LATEST_US);
	child = spawn(argv, &from);
	if (child < 0)
		return fail(STATUS_OTHER, c->name, "cannot start cyclictest: %s", strerror(errno));
	fill(run, r->samples, child, from);
	return bench_interrupted() ? fail_interrupted(c) : STATUS_OK;
}
