/* SPDX-License-Identifier: GPL-2.0-only */
/* jailhouse bench: what its files offer each other. Times are nanoseconds. */
#ifndef JAILHOUSE_BENCH_H
#define JAILHOUSE_BENCH_H

#include <glob.h>
#include <stdio.h>

#include "cli.h"

/* A test builds the command with another place. */
#ifndef JAILHOUSE_ROOT
#define JAILHOUSE_ROOT ""
#endif

#define BENCH_MAX_EXITS 20
#define BENCH_MAX_CONFIGS 12
#define BENCH_MAX_DIRS 8
#define BENCH_MAX_ROUNDS 100
#define BENCH_MAX_WORKLOADS 16
#define BENCH_COUNTER_HZ 1000000000ull

/* bench_histogram.c */
struct bench_histogram {
	uint64_t samples, resolution;	/* resolution 0: exact */
	struct bench_pair {
		uint64_t value, count;
	} *pairs;			/* sorted by value, once sorted */
	size_t count;
};

bool histogram_add(struct bench_histogram *h, uint64_t value, uint64_t count);
/* False: the same value twice, or the counts are not `samples`. */
bool histogram_sort(struct bench_histogram *h);
void histogram_free(struct bench_histogram *h);
/*
 * Nearest rank: the smallest value that is at least as large as `part` of 10000 of them. False: the
 * samples are too few for it to be another than the largest.
 */
bool histogram_rank(const struct bench_histogram *h, unsigned part, uint64_t *value);

struct bench_run {
	char where[32];			/* direct, trusted, injected; linux */
	const char *load;		/* idle or loaded */
	char workload[24];
	const char *unit;		/* NULL: the file's */
	bool measured;			/* else the histogram is empty and says nothing */
	struct bench_histogram histogram;
	bool counted;			/* else the exits say nothing */
	size_t exit_count;
	struct bench_exit {
		char name[24];
		uint64_t count;
	} exits[BENCH_MAX_EXITS];
	char refused[200];		/* why there are no numbers; empty: there are */
	/* While it is read */
	uint64_t counter_hz;
	bool ended;
};

struct bench_life {
	const char *operation;
	char cell[32];
	uint64_t memory;		/* bytes */
	unsigned rounds;
	uint64_t times[BENCH_MAX_ROUNDS];
	bool watched;			/* else the pauses say nothing */
	uint64_t pauses[BENCH_MAX_ROUNDS], quiet[BENCH_MAX_ROUNDS];
};

struct bench_machine {
	char model[128], midr[32], kernel[256];
	char hypervisor[80], gic[40];	/* from the log; empty: not seen */
	unsigned cpus;
	bool emulator;
	uint64_t counter_hz;		/* as the cells see it; 0: not seen */
};

struct bench_config {
	char path[96];			/* bench-direct/bench.cell */
	uint32_t crc;
};

#define BENCH_OPERATIONS 5

struct bench_result {
	bool icount;
	uint64_t samples;
	struct bench_machine machine;
	struct bench_config configs[BENCH_MAX_CONFIGS];
	size_t config_count;
	struct bench_run *runs;
	size_t run_count;
	struct bench_life life[BENCH_OPERATIONS];
	bool lived;
};

/* A new, empty one; NULL without memory. Valid until the next. */
struct bench_run *result_run(struct bench_result *r, const char *where, const char *load,
			     const char *workload);
void result_free(struct bench_result *r);

/* bench_parse.c: one line of the program's (its cell's mark taken off) into its run */
void run_line(struct bench_run *run, const char *line);
/* After the end: are the numbers whole? Else `refused` says what is wrong. */
void run_check(struct bench_run *run, bool icount);
/* Its numbers are none. The first reason stays. */
void run_refuse(struct bench_run *run, const char *why);

/* bench_table.c, bench_json.c */
void table_print(const struct bench_result *r);
void json_write(const struct bench_result *r, FILE *f);

/* bench_machine.c */
void machine_read(struct bench_machine *m);
/* A line of the hypervisor's own. */
void machine_line(struct bench_machine *m, const char *line);

/* bench_cell.c: a cell's file and its life */
struct bench_cell {
	const struct command *c;
	void *blob;
	size_t blob_size;
	uint32_t crc;
	char name[32];
	uint64_t memory;		/* RAM, bytes */
	uint64_t uart, line;		/* of its own; 0: none */
	uint64_t cpus[ABI_CPU_SET_WORDS];
};

enum status cell_open(const struct command *c, const char *path, struct bench_cell *cell);
void cell_close(struct bench_cell *cell);
bool cell_has_cpu(const struct bench_cell *cell, unsigned cpu);
enum status cell_create(struct bench_cell *cell);
enum status cell_load(struct bench_cell *cell, const void *image, size_t size, const char *text);
/* request: ABI_DRV_CELL_START, _SHUTDOWN or _DESTROY */
enum status cell_request(struct bench_cell *cell, unsigned long request);
/* The same without words, for tidying up: there may be nothing to tidy. */
void cell_remove(const struct bench_cell *cell);

/* bench_log.c */
struct bench_log {
	const struct command *c;
	int fd;
	char line[1024];
	size_t length;
};

enum status log_open(const struct command *c, struct bench_log *log);
void log_close(struct bench_log *log);
/* All that is there by now; each whole line is handed to `take`. */
enum status log_read(struct bench_log *log, void (*take)(void *context, const char *line),
		     void *context);

/* bench_load.c: what keeps Linux busy */
struct bench_load {
	int children[64];
	size_t count;
};

/* `churn` may be NULL. */
enum status load_begin(struct bench_load *load, const struct bench_cell *churn);
/* False: a part of it had ended before. */
bool load_end(struct bench_load *load, const struct bench_cell *churn);

/* bench_life.c: `rounds` lives of a cell into r->life */
enum status life_measure(struct bench_result *r, struct bench_cell *cell, unsigned rounds,
			 const void *image, size_t size);

/* bench_cyclictest.c: Linux's own number, if that program is installed */
enum status cyclictest_run(const struct command *c, struct bench_result *r, const char *load);
/* What it printed; false if it is not whole. */
bool cyclictest_parse(struct bench_run *run, FILE *from, uint64_t samples);

/* bench_options.c: what is wanted */
struct bench_options {
	const char *out;
	bool icount, idle, loaded;
	uint64_t samples, limit, rounds;
	const char *workloads[BENCH_MAX_WORKLOADS];
	size_t workload_count;
	bool chosen;			/* workloads were named */
	const char *words;		/* further ones of the program's command line */
	bool counted;			/* so was the number of samples */
	const char *dirs[BENCH_MAX_DIRS];
	size_t dir_count;
	const char *image;
	glob_t found;
};

enum status options_take(const struct command *c, struct bench_options *o, int argc, char **argv);
/* The folders and the image that come with the command, where none are named. */
enum status options_complete(const struct command *c, struct bench_options *o);
/* Hours of measuring must not end with a file that cannot be written. */
enum status options_check_out(const char *path);
const char *last_part(const char *path);
/* What a folder's cells are called in the result. */
const char *where_of(const char *dir);

/* bench.c */
uint64_t now_ns(void);
void sleep_ns(uint64_t ns);
bool bench_interrupted(void);
enum status fail_interrupted(const struct command *c);

#endif
