/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of jailhouse bench that need no machine: reads what the benchmark's program says
 * from the standard input, an empty line between two runs, and prints the table, or the JSON.
 *
 *   bench_harness {icount|wall} {table|json|cyclictest}
 */
#include <string.h>

#include "bench.h"

int main(int argc, char **argv)
{
	struct bench_result r;
	struct bench_run *run;
	char line[1024];
	FILE *json = stdout;

	memset(&r, 0, sizeof(r));
	if (argc != 3)
		return 2;
	r.icount = !strcmp(argv[1], "icount");
	r.samples = 10;
	machine_read(&r.machine);
	run = result_run(&r, "direct", "idle", "asked");
	if (!strcmp(argv[2], "cyclictest")) {
		run->unit = "us";
		run->measured = cyclictest_parse(run, stdin, 10);
		if (!run->measured)
			strcpy(run->refused, "not whole");
		json_write(&r, json);
		result_free(&r);
		return 0;
	}
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = 0;
		machine_line(&r.machine, line);
		if (*line) {
			run_line(run, line);
			continue;
		}
		run_check(run, r.icount);
		run = result_run(&r, "direct", "idle", "asked");
	}
	run_check(run, r.icount);
	if (!strcmp(argv[2], "json"))
		json_write(&r, json);
	else
		table_print(&r);
	result_free(&r);
	return 0;
}
