// SPDX-License-Identifier: GPL-2.0-only
/*
 * Consoles: reading /dev/jailhouse gives the lines of the hypervisor and of all cells, or what one
 * cell says, and then what follows. Nothing announces new text: a waiting reader looks for it now
 * and then, and for those who poll a delayed work does.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/io.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "abi/hypercall.h"
#include "driver.h"

#define WATCH_PERIOD msecs_to_jiffies(50)
#define READ_CHUNK (16 * 1024)
/* of what is read of one cell */
#define TAIL_MIN 64
/* A UART takes that many at once, as long as its guest reads them */
#define INPUT_AT_ONCE 8
#define INPUT_PERIOD msecs_to_jiffies(10)

/* Where one open file has read up to. */
struct reader {
	struct mutex lock;	/* one read at a time; taken before log.lock */
	u32 generation;
	struct merge merge;
	int ring;		/* the cell's whose console this is; -1: none's */
	u32 cell;
	struct tail tail;
};

/* How much was said at all; changes with each byte. */
static u64 total(const struct log *log)
{
	u64 sum = 0;
	unsigned int i;

	for (i = 0; i < log->rings.count; i++)
		sum += READ_ONCE(log->rings.ring[i]->head) + READ_ONCE(log->rings.ring[i]->epoch);
	return sum;
}

static void watch(struct work_struct *work)
{
	struct log *log = container_of(to_delayed_work(work), struct log, watch);
	bool news;

	mutex_lock(&log->lock);
	news = total(log) != log->seen;
	log->seen = total(log);
	mutex_unlock(&log->lock);
	if (news)
		wake_up_interruptible(&log->readers);
	if (waitqueue_active(&log->readers))
		schedule_delayed_work(&log->watch, WATCH_PERIOD);
}

/* Caller holds log.lock. */
static void start_anew(const struct log *log, struct reader *reader)
{
	if (reader->generation == log->generation)
		return;
	reader->generation = log->generation;
	memset(&reader->merge, 0, sizeof(reader->merge));
}

/* A cell of an area that is gone is gone. Caller holds log.lock. */
static const struct abi_ring *ring_of(const struct log *log, const struct reader *reader)
{
	return reader->generation == log->generation && (unsigned int)reader->ring < log->rings.count ?
	       log->rings.ring[reader->ring] : NULL;
}

static bool readable(struct log *log, struct reader *reader)
{
	const struct abi_ring *ring;
	bool yes;

	/* another thread waits in a read of the same file: what comes is for that one */
	if (!mutex_trylock(&reader->lock))
		return false;
	mutex_lock(&log->lock);
	if (reader->ring >= 0) {
		ring = ring_of(log, reader);
		yes = !ring || tail_ready(&reader->tail, ring);
	} else {
		start_anew(log, reader);
		yes = merge_ready(&reader->merge, &log->rings);
	}
	mutex_unlock(&log->lock);
	mutex_unlock(&reader->lock);
	return yes;
}

int log_open(struct inode *inode, struct file *file)
{
	struct reader *reader = kzalloc(sizeof(*reader), GFP_KERNEL);

	if (!reader)
		return -ENOMEM;
	mutex_init(&reader->lock);
	reader->ring = -1;
	file->private_data = reader;
	return nonseekable_open(inode, file);
}

int log_release(struct inode *inode, struct file *file)
{
	kfree(file->private_data);
	return 0;
}

/* 0: the end; -EAGAIN: no news. */
static ssize_t read_cell(const struct log *log, struct reader *reader, char *to, size_t size)
{
	const struct abi_ring *ring = ring_of(log, reader);
	size_t n;

	if (!ring)
		return 0;
	n = tail_read(&reader->tail, ring, to, size);
	if (n)
		return (ssize_t)n;
	return tail_over(&reader->tail, ring) ? 0 : -EAGAIN;
}

static ssize_t read_all(const struct log *log, struct reader *reader, char *to, size_t size)
{
	size_t n;

	if (!log->generation)
		return -ENODEV;
	start_anew(log, reader);
	n = merge_read(&reader->merge, &log->rings, to, size);
	return n ? (ssize_t)n : -EAGAIN;
}

static ssize_t read_some(struct log *log, struct reader *reader, char *to, size_t size)
{
	ssize_t n;

	mutex_lock(&log->lock);
	n = reader->ring >= 0 ? read_cell(log, reader, to, size) : read_all(log, reader, to, size);
	mutex_unlock(&log->lock);
	return n;
}

static ssize_t read_waiting(struct log *log, struct reader *reader, bool wait, char *to,
			    size_t size)
{
	for (;;) {
		ssize_t n = read_some(log, reader, to, size);

		if (n != -EAGAIN || !wait)
			return n;
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
	if (reader->ring >= 0 && size < TAIL_MIN)
		return -EINVAL;
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

int log_attach_cell(struct file *file, const struct abi_drv_cell *ref, char *error)
{
	struct reader *reader = file->private_data;
	struct log *log = &driver.log;
	struct cell *cell = cell_find(ref, error);
	int ring;

	if (!cell)
		return -ENOENT;
	if (cell->id == ROOT_CELL)
		return refuse(error, EPERM, "cell 0 \"%s\" is the root cell, Linux itself: its console is yours",
			      cell_name(cell));
	/* who reads may wait for ever, and this is done under driver.lock */
	if (!mutex_trylock(&reader->lock))
		return refuse(error, EBUSY, "somebody reads from this file already: open another");
	mutex_lock(&log->lock);
	ring = rings_find(&log->rings, cell->id);
	if (ring >= 0) {
		reader->generation = log->generation;
		reader->cell = cell->id;
		reader->ring = ring;
		tail_begin(&reader->tail, log->rings.ring[ring]);
	}
	mutex_unlock(&log->lock);
	mutex_unlock(&reader->lock);
	if (ring < 0)
		return refuse(error, EIO, "the hypervisor has no console for cell \"%s\", which is an error of its own",
			      cell_name(cell));
	return 0;
}

/* How many were taken, or -errno; the cell may be gone, and another may have its id. */
static long type_some(struct reader *reader, const char *text, size_t count)
{
	u64 bytes = 0;
	size_t i;
	bool over;

	mutex_lock(&driver.log.lock);
	over = !ring_of(&driver.log, reader) || READ_ONCE(ring_of(&driver.log, reader)->epoch) != reader->tail.epoch ||
	       READ_ONCE(ring_of(&driver.log, reader)->cell) != reader->cell;
	mutex_unlock(&driver.log.lock);
	if (over)
		return -EPIPE;
	for (i = 0; i < count; i++)
		bytes |= (u64)(u8)text[i] << 8 * i;
	return hypervisor_ask(ABI_HC_CONSOLE_INPUT, reader->cell | count << 32, bytes);
}

ssize_t log_write(struct file *file, const char __user *from, size_t count, loff_t *ignored)
{
	struct reader *reader = file->private_data;
	char text[INPUT_AT_ONCE];
	size_t done = 0;

	if (reader->ring < 0)
		return -EINVAL;
	for (; done < count; cond_resched()) {
		size_t part = min_t(size_t, count - done, sizeof(text));
		long taken;

		if (copy_from_user(text, from + done, part))
			return done ? (ssize_t)done : -EFAULT;
		taken = type_some(reader, text, part);
		if (taken < 0)
			return done ? (ssize_t)done : taken;
		done += taken;
		if (signal_pending(current))
			return done ? (ssize_t)done : -ERESTARTSYS;
		if (taken)
			continue;
		if (file->f_flags & O_NONBLOCK)
			return done ? (ssize_t)done : -EAGAIN;
		schedule_timeout_interruptible(INPUT_PERIOD);
	}
	return (ssize_t)done;
}

/* All there is, of which the last `size` bytes count; `text` has room for twice as much. */
static size_t read_last(const struct log *log, struct merge *merge, char *text, size_t size)
{
	size_t have = 0, n;

	while ((n = merge_read(merge, &log->rings, text + have, 2 * size - have))) {
		have += n;
		if (have > size) {
			memmove(text, text + have - size, size);
			have = size;
		}
	}
	return have;
}

ssize_t log_tail(struct log *log, char *to, size_t size)
{
	struct merge *merge = kzalloc(sizeof(*merge), GFP_KERNEL);
	char *text = kmalloc(2 * size, GFP_KERNEL);
	ssize_t n = -ENOMEM;

	if (merge && text) {
		mutex_lock(&log->lock);
		n = (ssize_t)read_last(log, merge, text, size);
		mutex_unlock(&log->lock);
		memcpy(to, text, n);
	}
	kfree(text);
	kfree(merge);
	return n;
}

static void drop_rings(struct log *log)
{
	if (log->mapping)
		memunmap(log->mapping);
	kvfree(log->copy);
	log->mapping = NULL;
	log->copy = NULL;
	memset(&log->rings, 0, sizeof(log->rings));
}

void log_attach(struct log *log, void *mapping, size_t size)
{
	mutex_lock(&log->lock);
	drop_rings(log);
	if (!rings_init(&log->rings, mapping, size))
		pr_err("the hypervisor left no console rings: its messages will be missing\n");
	log->mapping = mapping;
	log->size = size;
	log->generation++;
	log->seen = 0;
	mutex_unlock(&log->lock);
}

void log_retire(struct log *log)
{
	void *copy;

	mutex_lock(&log->lock);
	copy = kvmalloc(log->size, GFP_KERNEL);
	if (copy)
		memcpy(copy, log->mapping, log->size);
	drop_rings(log);
	log->copy = copy;
	if (copy)
		rings_init(&log->rings, copy, log->size);
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
	drop_rings(log);
}
