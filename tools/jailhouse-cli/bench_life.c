// SPDX-License-Identifier: GPL-2.0-only
/* How long a cell's life takes, and for how long Linux's other CPUs stand still meanwhile. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "bench.h"

#define MAX_WATCHERS 64
#define RUNNING_NS 5000000u

struct watcher {
	struct watchers *all;
	pthread_t thread;
	unsigned cpu;
	uint64_t longest;
};

struct watchers {
	struct watcher one[MAX_WATCHERS];
	unsigned count;			/* CPUs to watch */
	unsigned started;
	atomic_uint ready;
	atomic_bool stop;
};

struct life {
	struct bench_result *r;
	struct bench_cell *cell;
	const void *image;
	size_t size;
	struct watchers watchers;
};

static bool pin(unsigned cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return !sched_setaffinity(0, sizeof(set), &set);
}

static void *watch(void *argument)
{
	struct watcher *w = argument;
	uint64_t last;

	pin(w->cpu);
	last = now_ns();
	atomic_fetch_add(&w->all->ready, 1);
	while (!atomic_load_explicit(&w->all->stop, memory_order_relaxed)) {
		uint64_t now = now_ns();

		if (now - last > w->longest)
			w->longest = now - last;
		last = now;
	}
	return NULL;
}

static void watch_begin(struct watchers *all)
{
	atomic_store(&all->ready, 0);
	atomic_store(&all->stop, false);
	for (all->started = 0; all->started < all->count; all->started++) {
		struct watcher *w = &all->one[all->started];

		w->all = all;
		w->longest = 0;
		if (pthread_create(&w->thread, NULL, watch, w))
			break;
	}
	while (atomic_load(&all->ready) < all->started)
		sleep_ns(100000);
}

static uint64_t watch_end(struct watchers *all)
{
	uint64_t longest = 0;

	atomic_store(&all->stop, true);
	for (unsigned i = 0; i < all->started; i++) {
		pthread_join(all->one[i].thread, NULL);
		if (all->one[i].longest > longest)
			longest = all->one[i].longest;
	}
	return longest;
}

static enum status do_create(struct life *l)
{
	return cell_create(l->cell);
}

static enum status do_load(struct life *l)
{
	return cell_load(l->cell, l->image, l->size, "");
}

static enum status do_start(struct life *l)
{
	return cell_request(l->cell, ABI_DRV_CELL_START);
}

static enum status do_shutdown(struct life *l)
{
	return cell_request(l->cell, ABI_DRV_CELL_SHUTDOWN);
}

static enum status do_destroy(struct life *l)
{
	return cell_request(l->cell, ABI_DRV_CELL_DESTROY);
}

static const struct operation {
	const char *name;
	enum status (*run)(struct life *l);
} operations[BENCH_OPERATIONS] = {
	{ "create", do_create }, { "load", do_load }, { "start", do_start },
	{ "shutdown", do_shutdown }, { "destroy", do_destroy },
};

static enum status step(struct life *l, size_t number, unsigned round)
{
	struct bench_life *row = &l->r->life[number];
	uint64_t before;
	enum status s;

	watch_begin(&l->watchers);
	before = now_ns();
	s = operations[number].run(l);
	row->times[round] = now_ns() - before;
	row->pauses[round] = watch_end(&l->watchers);
	if (row->watched) {
		watch_begin(&l->watchers);
		sleep_ns(row->times[round]);
		row->quiet[round] = watch_end(&l->watchers);
	}
	row->rounds = round + 1;
	/* the program's first instructions are not what shutting down costs */
	sleep_ns(RUNNING_NS);
	return s;
}

/* This thread on Linux's first CPU that stays, the watchers on the others. */
static void choose_cpus(struct life *l, const cpu_set_t *allowed)
{
	bool own = false;

	for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, allowed) || cell_has_cpu(l->cell, cpu))
			continue;
		if (!own)
			own = pin(cpu);
		else if (!l->r->icount && l->watchers.count < MAX_WATCHERS)
			l->watchers.one[l->watchers.count++].cpu = cpu;
	}
}

enum status life_measure(struct bench_result *r, struct bench_cell *cell, unsigned rounds,
			 const void *image, size_t size)
{
	struct life l = { .r = r, .cell = cell, .image = image, .size = size };
	enum status s = STATUS_OK;
	cpu_set_t allowed;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		CPU_ZERO(&allowed);
	choose_cpus(&l, &allowed);
	for (size_t i = 0; i < BENCH_OPERATIONS; i++) {
		memset(&r->life[i], 0, sizeof(r->life[i]));
		r->life[i].operation = operations[i].name;
		memcpy(r->life[i].cell, cell->name, sizeof(r->life[i].cell));
		r->life[i].memory = cell->memory;
		r->life[i].watched = l.watchers.count != 0;
	}
	for (unsigned round = 0; !s && round < rounds && !bench_interrupted(); round++)
		for (size_t i = 0; !s && i < BENCH_OPERATIONS; i++)
			s = step(&l, i, round);
	r->lived = !s && r->life[BENCH_OPERATIONS - 1].rounds == rounds;
	sched_setaffinity(0, sizeof(allowed), &allowed);
	return !s && bench_interrupted() ? fail_interrupted(cell->c) : s;
}
