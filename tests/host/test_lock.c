// SPDX-License-Identifier: GPL-2.0-only
#include "test.h"

#include <pthread.h>

#include "base/lock.h"

#define THREADS 4u
#define ROUNDS 5000u

struct shared {
	struct lock lock;
	unsigned inside;
	unsigned count;
	bool broken;
};

static void taken_and_dropped(void **state)
{
	struct lock lock = { 0, 0 };

	(void)state;
	lock_take(&lock);
	assert_int_equal(lock.next, lock.serving + 1);
	lock_drop(&lock);
	assert_int_equal(lock.next, lock.serving);
}

static void tickets_wrap(void **state)
{
	struct lock lock = { UINT32_MAX - 1, UINT32_MAX - 1 };

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		lock_take(&lock);
		lock_drop(&lock);
	}
	assert_int_equal(lock.next, 2);
	assert_int_equal(lock.serving, 2);
}

static void *contend(void *arg)
{
	struct shared *s = arg;

	for (unsigned i = 0; i < ROUNDS; i++) {
		lock_take(&s->lock);
		if (s->inside++ != 0)
			s->broken = true;
		s->count++;
		s->inside--;
		lock_drop(&s->lock);
	}
	return NULL;
}

static void one_at_a_time(void **state)
{
	struct shared s = { { 0, 0 }, 0, 0, false };
	pthread_t threads[THREADS];

	(void)state;
	/* on few host CPUs a fair spinlock is slow: each waits for the one before to be scheduled */
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, contend, &s), 0);
	for (unsigned i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	assert_false(s.broken);
	assert_int_equal(s.count, 2 * ROUNDS);
	assert_int_equal(s.lock.next, s.lock.serving);
	assert_int_equal(s.lock.serving, s.count);
}

struct queue {
	struct lock lock;
	unsigned order[THREADS];
	unsigned count;
};

struct waiter {
	struct queue *queue;
	unsigned number;
};

static void *wait_in_line(void *arg)
{
	struct waiter *w = arg;

	lock_take(&w->queue->lock);
	w->queue->order[w->queue->count++] = w->number;
	lock_drop(&w->queue->lock);
	return NULL;
}

static void first_come_first_served(void **state)
{
	struct queue queue = { .count = 0 };
	struct waiter waiters[THREADS];
	pthread_t threads[THREADS];

	(void)state;
	lock_take(&queue.lock);
	for (unsigned i = 0; i < THREADS; i++) {
		waiters[i] = (struct waiter){ &queue, i };
		assert_int_equal(pthread_create(&threads[i], NULL, wait_in_line, &waiters[i]), 0);
		while (__atomic_load_n(&queue.lock.next, __ATOMIC_ACQUIRE) != i + 2)
			;
	}
	lock_drop(&queue.lock);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(queue.order[i], i);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(taken_and_dropped),
		cmocka_unit_test(tickets_wrap),
		cmocka_unit_test(one_at_a_time),
		cmocka_unit_test(first_come_first_served),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
