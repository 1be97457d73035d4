/* SPDX-License-Identifier: GPL-2.0-only */
/* The driver's objects and what its files offer each other. */
#ifndef JAILHOUSE_DRIVER_H
#define JAILHOUSE_DRIVER_H

#include <linux/cpumask.h>
#include <linux/fs.h>
#include <linux/kobject.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/rwsem.h>
#include <linux/sysfs.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "abi/config.h"
#include "abi/driver.h"
#include "abi/image.h"
#include "merge.h"

#define ROOT_CELL 0

struct stat_dir;

/* A configuration file, copied once and read only from the copy (blob.c). */
struct blob {
	void *bytes;			/* page-aligned, physically contiguous */
	size_t size;
	const struct abi_system *system;	/* NULL in a cell file */
	const u64 *hwid;		/* system->cpu_count of them */
	const struct abi_cell *cell;
	const struct abi_mem *mem;	/* cell->mem_count of them */
};

/* Freed with its last reference: sysfs may hold one longer than the list. */
struct cell {
	struct kobject kobj;
	struct list_head link;
	u32 id;
	struct blob blob;
	struct cpumask cpus;		/* CPUs it has been given */
	struct cpumask taken;		/* of these, Linux ran on: to be brought back */
	struct stat_dir *statistics;	/* sysfs.c */
	struct stat_dir **cpu_statistics;	/* [nr_cpu_ids]; NULL for CPUs of others */
	struct bin_attribute config;	/* sysfs.c: the file it was made from */
};

/* The consoles' rings (log.c). */
struct log {
	struct mutex lock;		/* guards the fields up to the blank line */
	struct rings rings;		/* mapped, or after disable a copy */
	size_t size;			/* of their area */
	u32 generation;			/* counts areas: readers start anew; 0: never enabled */
	void *mapping;			/* to be unmapped */
	void *copy;			/* to be freed */
	u64 seen;			/* bytes in all rings, as the watch last saw it */

	wait_queue_head_t readers;
	struct delayed_work watch;
};

struct driver {
	struct miscdevice misc;
	struct device *device;		/* /sys/devices/jailhouse */
	struct kobject *cells;

	struct mutex lock;		/* one operation at a time; guards: */
	struct list_head cell_list;	/* the root cell first; empty if not enabled */
	struct cell *root;

	/*
	 * Written with both locks, read with either. sysfs reads take only this one,
	 * because removing a file waits for its readers while `lock` is held.
	 */
	struct rw_semaphore alive;
	bool enabled;

	struct log log;
};

extern struct driver driver;

/* main.c */

/* Puts one line in `error` (ABI_DRIVER_ERROR_SIZE bytes) and returns -errno. */
__printf(3, 4) int refuse(char *error, int number, const char *format, ...);

/*
 * A management hypercall: what it returned if that is not negative, or -EAGAIN.
 * Otherwise the hypervisor's reason is in `error` and in the kernel's log and a
 * negative errno is returned. Under driver.lock, enabled.
 */
long hypervisor_call(unsigned long number, unsigned long first, unsigned long second,
		     char *error);

/* Makes an errno and words of an ABI_E* result, see hypervisor_call(); log may be NULL. */
int hypervisor_error(const struct abi_log *log, long result, char *error);

/* A hypercall from any context that may sleep and does not hold driver.alive; -ABI_ENODEV if not enabled. */
long hypervisor_ask(unsigned long number, unsigned long first, unsigned long second);

/* The errno for a configuration the hypervisor refused with `result` (an errno, too). */
int configuration_error(long result);

/* blob.c */
int blob_fetch(struct blob *blob, const struct abi_drv_config *from, u8 kind, char *error);
void blob_free(struct blob *blob);

/* enable.c; under driver.lock */
int enable(const struct abi_drv_config *request, char *error);
int disable(char *error);

/* cell.c; under driver.lock */

/* Without CPUs yet. Takes the blob over, also on error. Freed by kobject_put(&cell->kobj). */
struct cell *cell_new(struct blob *blob, char *error);
void cell_release(struct kobject *kobj);

/* NULL, with -ENOENT's words in `error`, if there is none. */
struct cell *cell_find(const struct abi_drv_cell *ref, char *error);

/* Repeats a management call on the cell until it is done or a fatal signal comes. */
long cell_settle(unsigned long number, const struct cell *cell, char *error);

/* Refuses with -EBUSY and how to go on if the cell runs. */
int cell_must_rest(const struct cell *cell, char *error);

int cell_create(const struct abi_drv_config *request, char *error);
int cell_start(const struct abi_drv_cell *ref, char *error);
int cell_shutdown(const struct abi_drv_cell *ref, char *error);
int cell_destroy(const struct abi_drv_cell *ref, char *error);

static inline const char *cell_name(const struct cell *cell)
{
	return cell->blob.cell->name;
}

/* load.c; under driver.lock */
int cell_load(const struct abi_drv_load *request, char *error);

/* log.c */
void log_init(struct log *log);
void log_exit(struct log *log);
int log_open(struct inode *inode, struct file *file);
int log_release(struct inode *inode, struct file *file);
ssize_t log_read(struct file *file, char __user *to, size_t count, loff_t *ignored);
ssize_t log_write(struct file *file, const char __user *from, size_t count, loff_t *ignored);
/* From here on the file is that cell's console. Under driver.lock, enabled. */
int log_attach_cell(struct file *file, const struct abi_drv_cell *ref, char *error);
__poll_t log_poll(struct file *file, poll_table *wait);
/* The newest part that fits. */
ssize_t log_tail(struct log *log, char *to, size_t size);
/* `mapping` is the memremap() of log_size bytes of ring; log.c unmaps it. */
void log_attach(struct log *log, void *mapping, size_t size);
/* The ring's memory is about to be somebody else's: go on with a copy. */
void log_retire(struct log *log);

/* sysfs.c */
int sysfs_init(void);
void sysfs_exit(void);
/* From here on kobject_put(&cell->kobj) frees the cell. */
void sysfs_cell_init(struct cell *cell);
/* Needs cell->id and cell->cpus. On error nothing is left in sysfs. */
int sysfs_cell_add(struct cell *cell);
void sysfs_cell_remove(struct cell *cell);
int sysfs_cpu_add(struct cell *cell, unsigned int cpu);
void sysfs_cpu_remove(struct cell *cell, unsigned int cpu);

#endif
