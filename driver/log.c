// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hypervisor's console: reading /dev/jailhouse gives the ring's content and then
 * what follows. Nothing announces new text: a waiting reader looks for it now and then,
 * and for those who poll a delayed work does.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/io.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "driver.h"

#define WATCH_PERIOD msecs_to_jiffies(50)
#define READ_CHUNK (16 * 1024)
#define COPY_TRIES 8

/* Where one open file has read up to. */
struct reader {
	struct mutex lock;	/* one read at a time; taken before log.lock */
	u32 generation;
	u64 at;			/* byte of the ring's stream */
};

/* pairs with the hypervisor's release of head behind the text it wrote */
static u64 ring_head(const struct log *log)
{
	return log->ring ? smp_load_acquire(&log->ring->head) : 0;
}

static void ring_copy_out(const struct log *log, u64 at, char *to, size_t size)
{
	u32 start = (u32)(at % log->text_size);
	size_t first = min_t(size_t, size, log->text_size - start);

	memcpy(to, log->ring->text + start, first);
	memcpy(to + first, log->ring->text, size - first);
}

/* Copies what follows *at and moves it on; skips what was overwritten meanwhile. */
static size_t ring_read(const struct log *log, u64 *at, char *to, size_t size)
{
	int tries;

	if (!log->text_size)
		return 0;
	for (tries = 0; tries < COPY_TRIES; tries++) {
		u64 head = ring_head(log);
		u64 oldest = head > log->text_size ? head - log->text_size : 0;
		size_t n;

		if (*at < oldest || *at > head)
			*at = oldest;
		n = min_t(u64, size, head - *at);
		ring_copy_out(log, *at, to, n);
		smp_rmb(); /* the text was read before head is read again */
		if (READ_ONCE(log->ring->head) - *at <= log->text_size) {
			*at += n;
			return n;
		}
	}
	return 0;
}

static void watch(struct work_struct *work)
{
	struct log *log = container_of(to_delayed_work(work), struct log, watch);
	bool news;

	mutex_lock(&log->lock);
	news = ring_head(log) != log->seen;
	log->seen = ring_head(log);
	mutex_unlock(&log->lock);
	if (news)
		wake_up_interruptible(&log->readers);
	if (waitqueue_active(&log->readers))
		schedule_delayed_work(&log->watch, WATCH_PERIOD);
}

static bool readable(struct log *log, const struct reader *reader)
{
	bool yes;

	mutex_lock(&log->lock);
	yes = reader->generation != log->generation ? ring_head(log) != 0 :
						      ring_head(log) != reader->at;
	mutex_unlock(&log->lock);
	return yes;
}

int log_open(struct inode *inode, struct file *file)
{
	struct reader *reader = kzalloc(sizeof(*reader), GFP_KERNEL);

	if (!reader)
		return -ENOMEM;
	mutex_init(&reader->lock);
	file->private_data = reader;
	return nonseekable_open(inode, file);
}

int log_release(struct inode *inode, struct file *file)
{
	kfree(file->private_data);
	return 0;
}

static ssize_t read_some(struct log *log, struct reader *reader, char *to, size_t size)
{
	ssize_t n = -ENODEV;

	mutex_lock(&log->lock);
	if (log->ring) {
		if (reader->generation != log->generation) {
			reader->generation = log->generation;
			reader->at = 0;
		}
		n = (ssize_t)ring_read(log, &reader->at, to, size);
	}
	mutex_unlock(&log->lock);
	return n;
}

static ssize_t read_waiting(struct log *log, struct reader *reader, bool wait, char *to,
			    size_t size)
{
	for (;;) {
		ssize_t n = read_some(log, reader, to, size);

		if (n)
			return n;
		if (!wait)
			return -EAGAIN;
		schedule_timeout_interruptible(WATCH_PERIOD);
		if (signal_pending(current))
			return -ERESTARTSYS;
	}
}

ssize_t log_read(struct file *file, char __user *to, size_t count, loff_t *ignored)
{
	struct reader *reader = file->private_data;
	size_t size = min_t(size_t, count, READ_CHUNK);
	char *text;
	ssize_t n;

	if (!size)
		return 0;
	text = kmalloc(size, GFP_KERNEL);
	if (!text)
		return -ENOMEM;
	n = mutex_lock_interruptible(&reader->lock);
	if (!n) {
		n = read_waiting(&driver.log, reader, !(file->f_flags & O_NONBLOCK), text, size);
		mutex_unlock(&reader->lock);
	}
	if (n > 0 && copy_to_user(to, text, n))
		n = -EFAULT;
	kfree(text);
	return n;
}

__poll_t log_poll(struct file *file, poll_table *wait)
{
	struct log *log = &driver.log;

	poll_wait(file, &log->readers, wait);
	schedule_delayed_work(&log->watch, WATCH_PERIOD);
	return readable(log, file->private_data) ? EPOLLIN | EPOLLRDNORM : 0;
}

ssize_t log_tail(struct log *log, char *to, size_t size)
{
	ssize_t n = 0;

	mutex_lock(&log->lock);
	if (log->ring) {
		u64 head = ring_head(log);
		u64 at = head > size ? head - size : 0;

		n = (ssize_t)ring_read(log, &at, to, size);
	}
	mutex_unlock(&log->lock);
	return n;
}

static void drop_ring(struct log *log)
{
	if (log->mapping)
		memunmap(log->mapping);
	else
		kvfree(log->ring);
	log->mapping = NULL;
	log->ring = NULL;
	log->text_size = 0;
}

void log_attach(struct log *log, void *mapping, size_t size)
{
	const struct abi_log *ring = mapping;
	u32 text_size = READ_ONCE(ring->text_size);

	if (ring->magic != ABI_LOG_MAGIC || text_size > size - sizeof(*ring)) {
		pr_err("the hypervisor left no console ring: its messages will be missing\n");
		text_size = 0;
	}
	mutex_lock(&log->lock);
	drop_ring(log);
	log->mapping = mapping;
	log->ring = ring;
	log->text_size = text_size;
	log->generation++;
	log->seen = 0;
	mutex_unlock(&log->lock);
}

void log_retire(struct log *log)
{
	size_t size;
	void *copy;

	mutex_lock(&log->lock);
	size = sizeof(*log->ring) + log->text_size;
	copy = kvmalloc(size, GFP_KERNEL);
	if (copy) {
		u32 text_size = log->text_size;

		memcpy(copy, log->ring, size);
		drop_ring(log);
		log->ring = copy;
		log->text_size = text_size;
	} else {
		drop_ring(log);
	}
	mutex_unlock(&log->lock);
}

void log_init(struct log *log)
{
	mutex_init(&log->lock);
	init_waitqueue_head(&log->readers);
	INIT_DELAYED_WORK(&log->watch, watch);
}

void log_exit(struct log *log)
{
	cancel_delayed_work_sync(&log->watch);
	drop_ring(log);
}
