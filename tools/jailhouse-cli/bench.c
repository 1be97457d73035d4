// SPDX-License-Identifier: GPL-2.0-only
/*
 * jailhouse bench: measures cells from the root cell. For each folder of configurations
 * inmates/bench runs in cell "bench", one workload after the other, first with Linux idle,
 * then loaded. Whatever happens, no cell and no child is left behind.
 */
#include <errno.h>
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
#define NAP_NS 5000000000u		/* a signal that comes right before a sleep waits for its end */

struct job {
	const struct command *c;
	struct bench_options o;
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

enum status fail_interrupted(const struct command *c)
{
	return fail(STATUS_OTHER, c->name, "interrupted: nothing was recorded");
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

/* As one does that is another program, or that was given nonsense. */
static bool has_stopped(const struct job *j)
{
	struct cell_info *cells;
	size_t count;
	bool stopped = false;

	if (cells_read(j->c->name, &cells, &count))
		return false;
	for (size_t i = 0; i < count; i++)
		stopped = stopped || (!strcmp(cells[i].name, j->bench.name) &&
				      strncmp(cells[i].state, "running", 7));
	free(cells);
	return stopped;
}

/* The program is let alone until it should be done: who looks runs, too. */
static enum status wait_end(struct job *j, uint64_t expected)
{
	uint64_t until = now_ns() + expected, limit = until + PATIENCE_NS + 20 * expected, now;
	bool stopped;
	enum status s;

	while (!interrupted && (now = now_ns()) < until)
		sleep_ns(until - now < NAP_NS ? until - now : NAP_NS);
	for (;;) {
		/* before the log, which then has all that it said */
		stopped = has_stopped(j);
		s = log_read(&j->log, take_line, j);
		if (s || j->run->ended)
			return s;
		if (interrupted)
			return fail_interrupted(j->c);
		if (*j->failed)
			return fail(STATUS_OTHER, j->c->name, "%s: the program failed: %s",
				    j->run->workload, j->failed);
		if (stopped || now_ns() > limit)
			return fail(STATUS_OTHER, j->c->name,
				    "%s/%s does not come to its end: is the image inmates/bench.bin, is the console \"putc\"? see jailhouse console",
				    j->where, j->run->workload);
		sleep_ns(POLL_NS);
	}
}

static void describe(const struct job *j, char *text, size_t size, const char *workload, bool exact)
{
	const struct bench_cell *b = &j->bench;
	/* the first word of a name counts */
	int n = snprintf(text, size, "workload=%s samples=%" PRIu64 "%s%s wait=%u icount=%d mmu=%d",
			 workload, samples_of(j, workload), *j->o.words ? " " : "", j->o.words, REST_NS, exact, !j->o.icount);

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

/* What ran since run number `first` was called loaded. */
static void load_finish(struct job *j, struct bench_load *load, const struct bench_cell *churn,
			size_t first)
{
	if (load_end(load, churn))
		return;
	for (size_t i = first; i < j->result.run_count; i++)
		run_refuse(&j->result.runs[i], "a part of the load had ended before, see the messages above");
}

/* One of this name that is somebody else's must not be taken for ours later. */
static enum status try_churn(struct job *j)
{
	enum status s = cell_create(&j->churn);

	return s ? s : cell_request(&j->churn, ABI_DRV_CELL_DESTROY);
}

static enum status run_loads(struct job *j)
{
	enum status s = j->o.loaded ? try_churn(j) : STATUS_OK;
	struct bench_load load;
	size_t first;

	if (!s && j->o.idle)
		s = run_load(j, "idle");
	if (s || !j->o.loaded)
		return s;
	first = j->result.run_count;
	s = load_begin(&load, &j->churn);
	if (s)
		return s;
	s = run_load(j, "loaded");
	load_finish(j, &load, &j->churn, first);
	return s;
}

/* --- one folder -------------------------------------------------------------------- */

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
	if (!sysfs_line(state, sizeof(state), "enabled")) {
		s = fail(STATUS_ABSENT, j->c->name, "the driver is not loaded: modprobe jailhouse");
	} else if (strcmp(state, "1")) {
		memset(&r, 0, sizeof(r));
		r.data = (uintptr_t)data;
		r.size = size;
		s = device_call(j->c, ABI_DRV_ENABLE, &r, r.error);
		*ours = !s;
	}
	/* one that was enabled before has a configuration that nobody can ask it for */
	if (*ours && size >= sizeof(header)) {
		memcpy(&header, data, sizeof(header));
		note_config(j, dir, "system.cell", header.crc);
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
	enum status s, off;
	bool ours;

	s = enable(j, dir, &ours);
	if (s)
		return s;
	s = log_open(j->c, &j->log);
	if (!s)
		s = run_cell(j);
	if (s == STATUS_CONFIG && !ours)
		fail(s, j->c->name,
		     "the hypervisor was enabled before, maybe not with %s/system.cell: jailhouse disable, then again",
		     dir);
	log_close(&j->log);
	off = ours ? disable(j) : STATUS_OK;
	return s ? s : off;
}

static enum status run_dir(struct job *j, const char *dir)
{
	enum status s;

	j->where = where_of(dir);
	s = open_one(j, dir, "bench.cell", &j->bench);
	if (s)
		return s;
	if (j->o.loaded)
		s = open_one(j, dir, "churn.cell", &j->churn);
	if (!s)
		s = run_enabled(j, dir);
	cell_close(&j->churn);
	cell_close(&j->bench);
	return s;
}

static enum status run_linux(struct job *j)
{
	enum status s = STATUS_OK;
	struct bench_load load;
	size_t first;

	if (j->o.idle)
		s = cyclictest_run(j->c, &j->result, "idle");
	/* with one clock for all CPUs a latency under load says nothing */
	if (s || !j->o.loaded || j->o.icount)
		return s;
	first = j->result.run_count;
	s = load_begin(&load, NULL);
	if (s)
		return s;
	s = cyclictest_run(j->c, &j->result, "loaded");
	load_finish(j, &load, NULL, first);
	return s;
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
	if (!r->icount && r->machine.emulator)
		printf("no verdict: this is an emulator (%s)\n", r->machine.model);
	if (!j->o.limit)
		return STATUS_OK;
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

/* What would be found out only after everything was measured. */
static enum status check_job(struct job *j)
{
	const struct bench_machine *m = &j->result.machine;

	machine_read(&j->result.machine);
	if (m->emulator && j->o.limit)
		return fail(STATUS_MACHINE, j->c->name,
			    "no verdict: this is an emulator (%s), whose times say nothing: leave --limit out",
			    m->model);
	if (!m->emulator && j->o.icount)
		return fail(STATUS_MACHINE, j->c->name,
			    "this is no emulator (%s), nothing counts its instructions: --mode wall",
			    m->model);
	return j->o.out ? options_check_out(j->o.out) : STATUS_OK;
}

static enum status run_job(struct job *j)
{
	enum status s = check_job(j);

	if (!s)
		s = options_complete(j->c, &j->o);
	if (!s)
		s = file_read(j->o.image, IMAGE_LIMIT, &j->image, &j->image_size);
	if (s)
		return s;
	j->result.icount = j->o.icount;
	j->result.samples = j->o.samples;
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

/* Those that were ignored from the start stay so. */
static void catch_signals(void)
{
	static const int wanted[] = { SIGINT, SIGTERM, SIGHUP };
	const struct sigaction ours = { .sa_handler = on_signal };

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (!signal_ignored(wanted[i]))
			sigaction(wanted[i], &ours, NULL);
}

enum status bench_run(const struct command *c, int argc, char **argv)
{
	struct job *j;
	enum status s;

	if (argc && (!strcmp(argv[0], "compare") || !strcmp(argv[0], "report")))
		return python_run(c, argc, argv);
	j = calloc(1, sizeof(*j));
	if (!j)
		return out_of_memory();
	j->c = c;
	catch_signals();
	s = options_take(c, &j->o, argc, argv);
	if (!s)
		s = run_job(j);
	free(j->image);
	if (j->o.found.gl_pathc)
		globfree(&j->o.found);
	result_free(&j->result);
	free(j);
	return s;
}
