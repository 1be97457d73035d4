// SPDX-License-Identifier: GPL-2.0-only
/*
 * jailhouse bench: measures cells from the root cell. For each folder of configurations
 * inmates/bench runs in cell "bench", one workload after the other, first with Linux idle,
 * then loaded. Whatever happens, no cell and no child is left behind.
 */
#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define IMAGE_LIMIT ((size_t)1 << 20)
#define PERIOD_NS 100000u		/* of timers; about a round of compute's arithmetic is 250 us */
#define ICOUNT_PERIOD_NS 5000u	/* the shorter, the less comes in between */
#define ROUND_NS 250000u
#define REST_NS 500000000u
#define POLL_NS 50000000u
#define PATIENCE_NS 60000000000u

static const char *const all_workloads[] = {
	"timer-spin", "timer-wfi", "tick", "self-sgi", "ipi", "device", "hypercall", "psci",
	"gicd-read", "gicr-write", "compute",
};

#define ALL_WORKLOADS (sizeof(all_workloads) / sizeof(all_workloads[0]))
#define SHARE "/usr/local/share/jailhouse"

struct options {
	const char *out;
	bool icount, idle, loaded;
	uint64_t samples, limit, rounds;
	const char *workloads[ALL_WORKLOADS];
	size_t workload_count;
	bool chosen;			/* workloads were named */
	bool counted;			/* so was the number of samples */
	const char *dirs[BENCH_MAX_DIRS];
	size_t dir_count;
	const char *image;
	glob_t found;
};

struct job {
	const struct command *c;
	struct options o;
	struct bench_result result;
	void *image;
	size_t image_size;
	/* Of the folder being measured */
	const char *where;
	struct bench_cell bench, churn;
	struct bench_log log;
	struct bench_run *run;		/* whose lines are taken; NULL between runs */
	char failed[200];		/* the log's word on a cell that failed */
};

/* Set by a signal, read by whoever waits. */
static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	interrupted = number;
}

bool bench_interrupted(void)
{
	return interrupted != 0;
}

uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void sleep_ns(uint64_t ns)
{
	struct timespec t = { (time_t)(ns / 1000000000u), (long)(ns % 1000000000u) };

	while (nanosleep(&t, &t) && errno == EINTR && !interrupted)
		;
}

/* --- one run ----------------------------------------------------------------------- */

static void take_line(void *context, const char *line)
{
	struct job *j = context;
	size_t n = strlen(j->bench.name);

	if (line[0] == '[' && !strncmp(line + 1, j->bench.name, n) && !strncmp(line + 1 + n, "] ", 2)) {
		if (j->run)
			run_line(j->run, line + n + 3);
		if (strstr(line, "inmate: unexpected"))
			snprintf(j->failed, sizeof(j->failed), "%.199s", line);
		return;
	}
	if (!strncmp(line, "FAILED cell", 11) && strstr(line, j->bench.name))
		snprintf(j->failed, sizeof(j->failed), "%.199s", line);
	machine_line(&j->result.machine, line);
}

/* A round of arithmetic is long: of an emulator's, fewer say as much unless told otherwise. */
static uint64_t samples_of(const struct job *j, const char *workload)
{
	bool fewer = j->o.icount && !j->o.counted && !strcmp(workload, "compute");

	return fewer ? j->o.samples / 10 : j->o.samples;
}

/* How long the program is at work, as far as that is known. */
static uint64_t duration(const struct job *j, const char *workload)
{
	uint64_t events = samples_of(j, workload), ns = PERIOD_NS;
	if (!strcmp(workload, "compute"))
		ns = ROUND_NS;
	return (events + events / 8 + 1) * ns + REST_NS;
}

/* The program is let alone until it should be done: who looks runs, too. */
static enum status wait_end(struct job *j, uint64_t expected)
{
	uint64_t limit = now_ns() + PATIENCE_NS + 20 * expected;
	enum status s;

	sleep_ns(expected);
	for (;;) {
		s = log_read(&j->log, take_line, j);
		if (s || j->run->ended)
			return s;
		if (interrupted)
			return fail(STATUS_OTHER, j->c->name, "interrupted");
		if (*j->failed)
			return fail(STATUS_OTHER, j->c->name, "%s: the program failed: %s",
				    j->run->workload, j->failed);
		if (now_ns() > limit)
			return fail(STATUS_OTHER, j->c->name,
				    "%s/%s does not end: is the image inmates/bench.bin, is the console \"putc\"? see jailhouse console",
				    j->where, j->run->workload);
		sleep_ns(POLL_NS);
	}
}

static void describe(const struct job *j, char *text, size_t size, const char *workload, bool exact)
{
	const struct bench_cell *b = &j->bench;
	int n = snprintf(text, size, "workload=%s samples=%" PRIu64 " wait=%u icount=%d mmu=%d",
			 workload, samples_of(j, workload), REST_NS, exact, !j->o.icount);

	if (j->o.icount)
		n += snprintf(text + n, size - (size_t)n, " period=%u", ICOUNT_PERIOD_NS);
	if (exact)
		n += snprintf(text + n, size - (size_t)n, " freq=%llu", BENCH_COUNTER_HZ);
	if (b->line)
		n += snprintf(text + n, size - (size_t)n, " line=%" PRIu64, b->line);
	if (b->uart)
		snprintf(text + n, size - (size_t)n, " uart=0x%" PRIx64, b->uart);
}

static enum status run_workload(struct job *j, const char *load, const char *workload)
{
	/* under load the counter of an emulator counts everybody's instructions */
	bool exact = j->o.icount && !strcmp(load, "idle");
	enum status s, stopped;
	char text[256];

	describe(j, text, sizeof(text), workload, exact);
	j->run = result_run(&j->result, j->where, load, workload);
	if (!j->run)
		return out_of_memory();
	*j->failed = 0;
	s = cell_load(&j->bench, j->image, j->image_size, text);
	if (s)
		return s;
	s = cell_request(&j->bench, ABI_DRV_CELL_START);
	if (s)
		return s;
	s = wait_end(j, duration(j, workload));
	stopped = cell_request(&j->bench, ABI_DRV_CELL_SHUTDOWN);
	run_check(j->run, exact);
	if (j->run->measured)
		j->result.machine.counter_hz = j->run->counter_hz;
	if (j->o.icount && !exact)
		j->run->measured = false;
	j->run = NULL;
	return s ? s : stopped;
}

static enum status run_load(struct job *j, const char *load)
{
	enum status s = STATUS_OK;

	for (size_t i = 0; !s && i < j->o.workload_count; i++)
		if (j->o.chosen || j->bench.line || strcmp(j->o.workloads[i], "device"))
			s = run_workload(j, load, j->o.workloads[i]);
	return s;
}

static enum status run_loads(struct job *j)
{
	enum status s = STATUS_OK;
	struct bench_load load;

	if (j->o.idle)
		s = run_load(j, "idle");
	if (s || !j->o.loaded)
		return s;
	s = load_begin(&load, &j->churn);
	if (s)
		return s;
	s = run_load(j, "loaded");
	load_end(&load, &j->churn);
	return s;
}

/* --- one folder -------------------------------------------------------------------- */

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void note_config(struct job *j, const char *dir, const char *file, uint32_t crc)
{
	struct bench_result *r = &j->result;

	if (r->config_count == BENCH_MAX_CONFIGS)
		return;
	snprintf(r->configs[r->config_count].path, sizeof(r->configs[0].path), "%.60s/%s",
		 last_part(dir), file);
	r->configs[r->config_count++].crc = crc;
}

static enum status open_one(struct job *j, const char *dir, const char *file, struct bench_cell *cell)
{
	char path[600];
	enum status s;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	s = cell_open(j->c, path, cell);
	if (!s)
		note_config(j, dir, file, cell->crc);
	return s;
}

/* `ours`: it was off and is to be off again. */
static enum status enable(struct job *j, const char *dir, bool *ours)
{
	struct abi_drv_config r;
	struct abi_header header;
	char state[8], path[600];
	size_t size;
	void *data;
	enum status s;

	*ours = false;
	snprintf(path, sizeof(path), "%s/system.cell", dir);
	s = file_read(path, ABI_CONFIG_MAX_SIZE, &data, &size);
	if (s)
		return s;
	if (size >= sizeof(header)) {
		memcpy(&header, data, sizeof(header));
		note_config(j, dir, "system.cell", header.crc);
	}
	if (!sysfs_line(state, sizeof(state), "enabled")) {
		s = fail(STATUS_ABSENT, j->c->name, "the driver is not loaded: modprobe jailhouse");
	} else if (strcmp(state, "1")) {
		memset(&r, 0, sizeof(r));
		r.data = (uintptr_t)data;
		r.size = size;
		s = device_call(j->c, ABI_DRV_ENABLE, &r, r.error);
		*ours = !s;
	}
	free(data);
	return s;
}

static enum status disable(struct job *j)
{
	struct abi_drv_none r;

	memset(&r, 0, sizeof(r));
	return device_call(j->c, ABI_DRV_DISABLE, &r, r.error);
}

static enum status run_cell(struct job *j)
{
	enum status s = log_read(&j->log, take_line, j), destroyed;

	if (!s)
		s = cell_create(&j->bench);
	if (s)
		return s;
	s = run_loads(j);
	if (s) {
		cell_remove(&j->bench);
		return s;
	}
	destroyed = cell_request(&j->bench, ABI_DRV_CELL_DESTROY);
	if (destroyed || j->result.lived || !j->o.rounds)
		return destroyed;
	s = life_measure(&j->result, &j->bench, (unsigned)j->o.rounds, j->image, j->image_size);
	if (s)
		cell_remove(&j->bench);
	return s;
}

static enum status run_enabled(struct job *j, const char *dir)
{
	enum status s = open_one(j, dir, "bench.cell", &j->bench);

	if (s)
		return s;
	s = open_one(j, dir, "churn.cell", &j->churn);
	if (!s) {
		s = log_open(j->c, &j->log);
		if (!s)
			s = run_cell(j);
		log_close(&j->log);
		cell_close(&j->churn);
	}
	cell_close(&j->bench);
	return s;
}

static enum status run_dir(struct job *j, const char *dir)
{
	enum status s, off;
	bool ours;

	j->where = last_part(dir);
	if (!strncmp(j->where, "bench-", 6))
		j->where += 6;
	s = enable(j, dir, &ours);
	if (s)
		return s;
	s = run_enabled(j, dir);
	off = ours ? disable(j) : STATUS_OK;
	return s ? s : off;
}

static enum status run_linux(struct job *j)
{
	enum status s = STATUS_OK;
	struct bench_load load;

	if (j->o.idle)
		s = cyclictest_run(j->c, &j->result, "idle");
	/* with one clock for all CPUs a latency under load says nothing */
	if (s || !j->o.loaded || j->o.icount)
		return s;
	s = load_begin(&load, NULL);
	if (s)
		return s;
	s = cyclictest_run(j->c, &j->result, "loaded");
	load_end(&load, NULL);
	return s;
}

/* --- what is wanted ---------------------------------------------------------------- */

static enum status take_workloads(const struct command *c, struct options *o, char *list)
{
	for (char *name = strtok(list, ","); name; name = strtok(NULL, ",")) {
		size_t i = 0;

		while (i < ALL_WORKLOADS && strcmp(name, all_workloads[i]))
			i++;
		if (i == ALL_WORKLOADS)
			return command_usage(c, "no workload", name);
		if (o->workload_count == ALL_WORKLOADS)
			return command_usage(c, "one workload too many", name);
		o->workloads[o->workload_count++] = all_workloads[i];
	}
	o->chosen = true;
	return o->workload_count ? STATUS_OK : command_usage(c, "which workloads?", NULL);
}

static enum status take_number(const struct command *c, const char *name, const char *text,
			       uint64_t low, uint64_t high, uint64_t *value)
{
	if (!number_parse(text, value) || *value < low || *value > high)
		return command_usage(c, name, text);
	return STATUS_OK;
}

static enum status take_value(const struct command *c, struct options *o, const char *name,
			      char *value)
{
	if (!strcmp(name, "-o") || !strcmp(name, "--output")) {
		o->out = value;
	} else if (!strcmp(name, "--image")) {
		o->image = value;
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

static enum status take_dirs(const struct command *c, struct options *o, int *argc, char ***argv)
{
	while (*argc && (**argv)[0] != '-') {
		if (o->dir_count == BENCH_MAX_DIRS)
			return command_usage(c, "one folder too many", **argv);
		o->dirs[o->dir_count++] = **argv;
		++*argv;
		--*argc;
	}
	return o->dir_count ? STATUS_OK : command_usage(c, "which folders?", "--cells");
}

static enum status take_options(const struct command *c, struct options *o, int argc, char **argv)
{
	enum status s = STATUS_OK;

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
	for (size_t i = 0; !o->workload_count && i < ALL_WORKLOADS; i++)
		o->workloads[i] = all_workloads[i];
	if (!o->workload_count)
		o->workload_count = ALL_WORKLOADS;
	o->counted = o->samples != 0;
	if (!o->counted)
		o->samples = o->icount ? 1000 : 10000;
	return s;
}

/* The folders and the image that come with the command. */
static enum status find_rest(const struct command *c, struct options *o)
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

/* --- the whole --------------------------------------------------------------------- */

static enum status verdict(const struct job *j)
{
	const struct bench_result *r = &j->result;
	uint64_t value;

	for (size_t i = 0; i < r->run_count; i++)
		if (*r->runs[i].refused)
			return fail(STATUS_OTHER, j->c->name, "%s/%s was not measured: %s",
				    r->runs[i].where, r->runs[i].workload, r->runs[i].refused);
	if (r->icount || (!r->machine.emulator && !j->o.limit))
		return STATUS_OK;
	if (r->machine.emulator) {
		printf("no verdict: this is an emulator (%s)\n", r->machine.model);
		return STATUS_OK;
	}
	for (size_t i = 0; i < r->run_count; i++) {
		const struct bench_run *run = &r->runs[i];

		/* a round of arithmetic is no latency, and Linux was promised nothing */
		if (run->unit || !strcmp(run->workload, "compute") ||
		    !histogram_rank(&run->histogram, 10000, &value) || value <= j->o.limit)
			continue;
		return fail(STATUS_OTHER, j->c->name, "%s/%s/%s took %" PRIu64 " ns, the limit is %" PRIu64,
			    run->where, run->load, run->workload, value, j->o.limit);
	}
	printf("all within %" PRIu64 " ns\n", j->o.limit);
	return STATUS_OK;
}

static enum status write_result(const struct job *j)
{
	FILE *f;
	int bad;

	table_print(&j->result);
	if (!j->o.out)
		return STATUS_OK;
	f = fopen(j->o.out, "we");
	if (!f)
		return fail(STATUS_OTHER, j->o.out, "cannot be written: %s", strerror(errno));
	json_write(&j->result, f);
	bad = ferror(f);
	if (fclose(f) || bad)
		return fail(STATUS_OTHER, j->o.out, "cannot be written: %s", strerror(errno));
	return STATUS_OK;
}

static enum status run_job(struct job *j)
{
	enum status s = find_rest(j->c, &j->o);

	if (!s)
		s = file_read(j->o.image, IMAGE_LIMIT, &j->image, &j->image_size);
	if (s)
		return s;
	j->result.icount = j->o.icount;
	j->result.samples = j->o.samples;
	machine_read(&j->result.machine);
	for (size_t i = 0; !s && i < j->o.dir_count; i++)
		s = run_dir(j, j->o.dirs[i]);
	if (!s)
		s = run_linux(j);
	if (!s)
		s = write_result(j);
	if (!s)
		s = verdict(j);
	return s;
}

enum status bench_run(const struct command *c, int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct job *j;
	enum status s;

	if (argc && (!strcmp(argv[0], "compare") || !strcmp(argv[0], "report")))
		return python_run(c, argc, argv);
	j = calloc(1, sizeof(*j));
	if (!j)
		return out_of_memory();
	j->c = c;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	s = take_options(c, &j->o, argc, argv);
	if (!s)
		s = run_job(j);
	free(j->image);
	if (j->o.found.gl_pathc)
		globfree(&j->o.found);
	result_free(&j->result);
	free(j);
	return s;
}
