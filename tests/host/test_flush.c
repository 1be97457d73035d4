// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who is interrupted so that nobody uses old translations: threads that are CPUs and keep what
 * they read, whatever it costs, until they are told to forget it; and one that changes it and
 * relies on nobody using the old any more. Without an order the two miss each other.
 */
#include <pthread.h>
#include <sched.h>
#include <time.h>

#include "test.h"

#include "arch/x86/pure/flush.h"

#define CPUS 2u

struct model_cpu {
	struct flush_cpu flush __attribute__((aligned(64)));
	bool kicked __attribute__((aligned(64)));	/* atomic: an NMI has arrived */
	pthread_t thread;
	uint64_t seed;
	uint64_t held;				/* what it has cached; 0: nothing */
	unsigned long flushes, stale, accesses;
	bool stays;				/* in its guest until it is interrupted */
};

static struct {
	uint64_t tables __attribute__((aligned(64)));	/* atomic: what they say; counts up */
	uint64_t oldest __attribute__((aligned(64)));	/* atomic: nobody may use anything older */
	bool end;					/* atomic */
	struct model_cpu cpu[CPUS];
} model;

/* As a CPU does: from its cache, or, when that is empty, from the tables. */
static void access_memory(struct model_cpu *cpu)
{
	uint64_t oldest = __atomic_load_n(&model.oldest, __ATOMIC_ACQUIRE);

	if (cpu->held == 0)
		cpu->held = __atomic_load_n(&model.tables, __ATOMIC_RELAXED);
	cpu->stale += cpu->held < oldest;
	cpu->accesses++;
}

static void run_guest(struct model_cpu *cpu)
{
	/* short stays, so that it often enters in the moment of a change */
	unsigned left = cpu->stays ? UINT32_MAX : 1 + test_below(&cpu->seed, 20);

	while (left-- != 0 && !__atomic_load_n(&cpu->kicked, __ATOMIC_ACQUIRE) &&
	       !__atomic_load_n(&model.end, __ATOMIC_RELAXED))
		access_memory(cpu);
}

static void *cpu_main(void *arg)
{
	struct model_cpu *cpu = arg;

	while (!__atomic_load_n(&model.end, __ATOMIC_RELAXED)) {
		__atomic_store_n(&cpu->kicked, false, __ATOMIC_RELAXED);
		if (flush_enter(&cpu->flush)) {
			cpu->held = 0;
			cpu->flushes++;
		}
		run_guest(cpu);
		flush_exit(&cpu->flush);
	}
	return NULL;
}

static unsigned long change(unsigned cpus)
{
	uint64_t now = __atomic_add_fetch(&model.tables, 1, __ATOMIC_RELAXED);
	unsigned long kicks = 0;
	uint32_t run[CPUS];
	bool waits[CPUS];

	for (unsigned i = 0; i < cpus; i++) {
		waits[i] = flush_want(&model.cpu[i].flush, &run[i]);
		if (waits[i])
			__atomic_store_n(&model.cpu[i].kicked, true, __ATOMIC_RELEASE);
		kicks += waits[i];
	}
	for (unsigned i = 0; i < cpus; i++)
		for (unsigned n = 0; waits[i] && !flush_done(&model.cpu[i].flush, run[i]); n++) {
			/* the model's NMI is lost where real hardware holds one back: on the way into the guest */
			__atomic_store_n(&model.cpu[i].kicked, true, __ATOMIC_RELEASE);
			if (n % 64 == 63)
				sched_yield();
		}
	__atomic_store_n(&model.oldest, now, __ATOMIC_RELEASE);
	return kicks;
}

static bool is_over(const struct timespec *end)
{
	struct timespec now;

	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
	return now.tv_sec > end->tv_sec || (now.tv_sec == end->tv_sec && now.tv_nsec >= end->tv_nsec);
}

/* By time, not by number: where threads share a core, a change takes as long as the scheduler likes. */
static unsigned long run(unsigned cpus, bool stay, unsigned seconds)
{
	struct timespec end;
	unsigned long kicks = 0;

	memset(&model, 0, sizeof(model));
	model.tables = 1;
	for (unsigned i = 0; i < cpus; i++) {
		model.cpu[i].seed = i + 1;
		model.cpu[i].stays = stay;
		assert_int_equal(pthread_create(&model.cpu[i].thread, NULL, cpu_main, &model.cpu[i]), 0);
	}
	for (unsigned i = 0; i < cpus; i++)
		while (__atomic_load_n(&model.cpu[i].flush.runs, __ATOMIC_RELAXED) == 0)
			sched_yield();
	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &end), 0);
	end.tv_sec += seconds;
	do
		for (unsigned n = 0; n < 64; n++)
			kicks += change(cpus);
	while (!is_over(&end));
	__atomic_store_n(&model.end, true, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < cpus; i++)
		assert_int_equal(pthread_join(model.cpu[i].thread, NULL), 0);
	print_message("%u CPUs: %llu changes, %lu interrupts\n", cpus, (unsigned long long)model.tables - 1, kicks);
	return kicks;
}

static void check(unsigned cpus)
{
	for (unsigned i = 0; i < cpus; i++) {
		const struct model_cpu *cpu = &model.cpu[i];

		if (cpu->stale != 0)
			fail_msg("CPU %u: %lu of %lu accesses with what was given up", i, cpu->stale, cpu->accesses);
		assert_true(cpu->accesses > 0 && cpu->flushes > 0);
		/* at most one flush for each change: nothing is flushed for nothing */
		assert_true(cpu->flushes <= model.tables);
	}
}

/* CPUs that come and go by themselves all the time. */
static void test_coming_and_going(void **state)
{
	(void)state;
	run(1, false, 2);
	check(1);
	run(CPUS, false, 2);
	check(CPUS);
}

/* CPUs that would never leave. */
static void test_staying(void **state)
{
	unsigned long kicks;

	(void)state;
	kicks = run(CPUS, true, 1);
	check(CPUS);
	assert_true(kicks > 0);
}

/* One that is in the hypervisor is not waited for, and does not forget what was wanted. */
static void test_by_hand(void **state)
{
	struct flush_cpu cpu = { 0 };
	uint32_t run_before;

	(void)state;
	assert_false(flush_enter(&cpu));
	assert_true(flush_want(&cpu, &run_before));
	assert_false(flush_done(&cpu, run_before));
	/* a second request for the same stay */
	assert_true(flush_want(&cpu, &run_before));
	flush_exit(&cpu);
	assert_true(flush_done(&cpu, run_before));
	assert_false(flush_want(&cpu, &run_before));
	assert_true(flush_enter(&cpu));
	flush_exit(&cpu);
	assert_false(flush_enter(&cpu));
	/* the count wraps */
	cpu.runs = UINT32_MAX;
	assert_true(flush_want(&cpu, &run_before));
	flush_exit(&cpu);
	assert_int_equal(cpu.runs, 0);
	assert_true(flush_done(&cpu, run_before));
	assert_true(flush_enter(&cpu));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_hand),
		cmocka_unit_test(test_coming_and_going),
		cmocka_unit_test(test_staying),
	};

	return cmocka_run_group_tests_name("flush", tests, NULL, NULL);
}
