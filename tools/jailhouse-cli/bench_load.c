// SPDX-License-Identifier: GPL-2.0-only
/*
 * What keeps Linux and the machine's shared parts busy while a cell is measured: memory,
 * interprocessor interrupts, page tables with their broadcast TLB invalidations, and a cell
 * that is created and destroyed over and over.
 */
#include <errno.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define STREAM_SIZE ((size_t)16 << 20)
#define CHURN_SIZE ((size_t)1 << 20)
#define SETTLE_NS 200000000u
#define END_NS 20000000000u

static unsigned online(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > 16 ? 16 : (unsigned)n;
}

static void stream(const struct bench_cell *unused)
{
	volatile char *from = malloc(STREAM_SIZE), *to = malloc(STREAM_SIZE);

	(void)unused;
	if (!from || !to)
		return;
	for (;;) {
		memcpy((char *)to, (const char *)from, STREAM_SIZE);
		memset((char *)from, to[STREAM_SIZE / 2] + 1, STREAM_SIZE);
	}
}

static void *spin(void *unused)
{
	(void)unused;
	for (;;)
		__asm__ volatile("" ::: "memory");
	return NULL;
}

/* Each call interrupts every CPU that runs a thread of this process. */
static void interrupts(const struct bench_cell *unused)
{
	pthread_t thread;

	(void)unused;
	for (unsigned i = 1; i < online(); i++)
		if (pthread_create(&thread, NULL, spin, NULL))
			return;
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0))
		return;
	while (!syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0))
		;
}

static void *map_and_unmap(void *unused)
{
	(void)unused;
	for (;;) {
		char *at = mmap(NULL, CHURN_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				-1, 0);

		if (at == MAP_FAILED)
			return NULL;
		for (size_t i = 0; i < CHURN_SIZE; i += 4096)
			at[i] = 1;
		mprotect(at, CHURN_SIZE, PROT_READ);
		munmap(at, CHURN_SIZE);
	}
}

/* Two threads, so that the process has more than one CPU to invalidate for. */
static void page_tables(const struct bench_cell *unused)
{
	pthread_t thread;

	(void)unused;
	if (!pthread_create(&thread, NULL, map_and_unmap, NULL))
		map_and_unmap(NULL);
}

/* Ends between two lives: a cell half made is no load but a mess. */
static void cells(const struct bench_cell *churn)
{
	struct bench_cell cell = *churn;

	while (!bench_interrupted())
		if (cell_create(&cell) || cell_request(&cell, ABI_DRV_CELL_DESTROY))
			return;
	_exit(0);
}

static enum status begin(struct bench_load *load, void (*work)(const struct bench_cell *),
			 const struct bench_cell *churn)
{
	pid_t parent = getpid(), child;

	if (load->count == sizeof(load->children) / sizeof(load->children[0]))
		return STATUS_OK;
	fflush(NULL);
	child = fork();
	if (child < 0)
		return fail(STATUS_OTHER, "bench", "cannot start the load: %s", strerror(errno));
	if (child) {
		load->children[load->count++] = child;
		return STATUS_OK;
	}
	/* only `cells` has something to put back */
	if (work != cells) {
		signal(SIGTERM, SIG_DFL);
		signal(SIGINT, SIG_DFL);
		signal(SIGHUP, SIG_DFL);
	}
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() == parent)
		work(churn);
	/* none of them returns but for want of something */
	_exit(1);
}

enum status load_begin(struct bench_load *load, const struct bench_cell *churn)
{
	enum status s = STATUS_OK;

	memset(load, 0, sizeof(*load));
	for (unsigned i = 0; !s && i < online(); i++)
		s = begin(load, stream, NULL);
	if (!s)
		s = begin(load, interrupts, NULL);
	if (!s)
		s = begin(load, page_tables, NULL);
	if (!s && churn)
		s = begin(load, cells, churn);
	if (s)
		load_end(load, churn);
	else
		sleep_ns(SETTLE_NS);
	return s;
}

/* Looked at only: its number stays its own. */
static bool runs(int child)
{
	siginfo_t ended = { .si_pid = 0 };

	return !waitid(P_PID, (id_t)child, &ended, WEXITED | WNOHANG | WNOWAIT) && !ended.si_pid;
}

/* Waits until `until`, then insists. */
static void reap(int child, uint64_t until)
{
	while (waitpid(child, NULL, WNOHANG) == 0) {
		if (now_ns() > until)
			kill(child, SIGKILL);
		sleep_ns(1000000);
	}
}

bool load_end(struct bench_load *load, const struct bench_cell *churn)
{
	uint64_t until = now_ns() + END_NS;
	bool any = load->count != 0, whole = true;

	for (size_t i = 0; i < load->count; i++) {
		whole = runs(load->children[i]) && whole;
		kill(load->children[i], SIGTERM);
	}
	while (load->count)
		reap(load->children[--load->count], until);
	if (any && churn)
		cell_remove(churn);
	return whole;
}
