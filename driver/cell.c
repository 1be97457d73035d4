// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cells and their CPUs. Linux hot-unplugs a CPU before a cell gets it and plugs it in
 * again after; the memory's change of owner is the hypervisor's.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "abi/comm.h"
#include "abi/hypercall.h"
#include "arch.h"
#include "driver.h"

/* A CPU that was told to leave its cell does so at once, or not at all */
#define LEAVE_SECONDS 10
/* Slower than any CPU zeroes memory, emulated ones on a busy machine among them */
#define SCRUB_BYTES_A_SECOND (16ull << 20)

void cell_release(struct kobject *kobj)
{
	struct cell *cell = container_of(kobj, struct cell, kobj);

	blob_free(&cell->blob);
	kfree(cell->cpu_statistics);
	kfree(cell);
}

struct cell *cell_new(struct blob *blob, char *error)
{
	struct cell *cell = kzalloc(sizeof(*cell), GFP_KERNEL);

	if (!cell) {
		blob_free(blob);
		return ERR_PTR(refuse(error, ENOMEM, "Linux has no memory left"));
	}
	sysfs_cell_init(cell);
	INIT_LIST_HEAD(&cell->link);
	cell->blob = *blob;
	cell->cpu_statistics = kcalloc(nr_cpu_ids, sizeof(*cell->cpu_statistics), GFP_KERNEL);
	if (cell->cpu_statistics)
		return cell;
	kobject_put(&cell->kobj);
	return ERR_PTR(refuse(error, ENOMEM, "Linux has no memory left"));
}

static void no_such_cell(const char *what, char *error)
{
	struct cell *cell;
	size_t n;

	n = strlen(error);
	n += scnprintf(error + n, ABI_DRIVER_ERROR_SIZE - n, "no cell %s; there are:", what);
	list_for_each_entry(cell, &driver.cell_list, link)
		n += scnprintf(error + n, ABI_DRIVER_ERROR_SIZE - n, "%s %u %s",
			       cell->id == ROOT_CELL ? "" : ",", cell->id, cell_name(cell));
}

struct cell *cell_find(const struct abi_drv_cell *ref, char *error)
{
	char what[sizeof(ref->name) + 2];
	struct cell *cell;

	list_for_each_entry(cell, &driver.cell_list, link)
		if (ref->id == ABI_CELL_ID_BY_NAME ?
		    !strncmp(cell_name(cell), ref->name, sizeof(ref->name)) :
		    cell->id == ref->id)
			return cell;
	if (ref->id == ABI_CELL_ID_BY_NAME)
		scnprintf(what, sizeof(what), "\"%.*s\"", (int)sizeof(ref->name) - 1, ref->name);
	else
		scnprintf(what, sizeof(what), "%u", ref->id);
	no_such_cell(what, error);
	return NULL;
}

/* The root cell is Linux itself: nothing here can be done to it. */
static int find_inmate(const struct abi_drv_cell *ref, struct cell **out, char *error)
{
	*out = cell_find(ref, error);
	if (!*out)
		return -ENOENT;
	if ((*out)->id == ROOT_CELL)
		return refuse(error, EPERM, "cell 0 \"%s\" is the root cell, Linux itself: name another",
			      cell_name(*out));
	return 0;
}

/* The cell's CPUs are zeroing memory, which takes as long as there is memory. */
static bool at_work(const struct cell *cell)
{
	char unused[ABI_DRIVER_ERROR_SIZE];

	return hypervisor_call(ABI_HC_CELL_GET_STATE, cell->id, 0, unused) == -ABI_EAGAIN;
}

/* What a cell's CPUs need at most to zero its memory; what of it they do is scrubbed()'s to say (core/scrub.c). */
static unsigned long scrub_seconds(const struct cell *cell)
{
	u64 bytes = 0;
	u32 i;

	for (i = 0; i < cell->blob.cell->mem_count; i++)
		if (!(cell->blob.mem[i].flags & (ABI_MEM_IO | ABI_MEM_SHARED | ABI_MEM_COMM)))
			bytes += cell->blob.mem[i].size;
	return LEAVE_SECONDS + (unsigned long)(bytes / SCRUB_BYTES_A_SECOND);
}

static int idle_cpus(const struct cell *cell, char *error)
{
	return refuse(error, EIO, "cell \"%s\": CPU %*pbl had %lu s to zero its memory, and has not, which is an error of the hypervisor's; `jailhouse console` may say more. Start the machine anew to have the memory back",
		      cell_name(cell), cpumask_pr_args(&cell->cpus), scrub_seconds(cell));
}

static int kept_cpus(const struct cell *cell, char *error)
{
	bool trusted = cell->blob.cell->flags & ABI_CELL_TRUSTED_WFI;

	return refuse(error, EBUSY, "cell \"%s\" keeps CPU %*pbl: %s", cell_name(cell),
		      cpumask_pr_args(&cell->cpus),
		      trusted ? "its program, trusted not to, has masked everything and sleeps; start the machine anew to have it back" :
				"it was told to leave and did not, which is an error of the hypervisor's; `jailhouse console` may say more");
}

long cell_settle(unsigned long number, const struct cell *cell, char *error)
{
	unsigned long end = jiffies + scrub_seconds(cell) * HZ;
	unsigned long limit = jiffies + LEAVE_SECONDS * HZ;

	for (;;) {
		long result = hypervisor_call(number, cell->id, 0, error);

		if (result != -ABI_EAGAIN)
			return result;
		if (fatal_signal_pending(current))
			return refuse(error, EINTR, "interrupted; cell \"%s\" is still changing: try again",
				      cell_name(cell));
		if (at_work(cell)) {
			if (time_after(jiffies, end))
				return idle_cpus(cell, error);
			limit = jiffies + LEAVE_SECONDS * HZ;
		} else if (time_after(jiffies, limit)) {
			return kept_cpus(cell, error);
		}
		usleep_range(500, 2000);
	}
}

int cell_must_rest(const struct cell *cell, char *error)
{
	long state = cell_settle(ABI_HC_CELL_GET_STATE, cell, error);

	if (state == ABI_CELL_RUNNING || state == ABI_CELL_RUNNING_LOCKED)
		return refuse(error, EBUSY, "cell \"%s\" is running: jailhouse cell shutdown %s first",
			      cell_name(cell), cell_name(cell));
	return state < 0 ? (int)state : 0;
}

static int cpus_from_blob(struct cell *cell, char *error)
{
	unsigned int cpu;

	for (cpu = 0; cpu < ABI_CPU_SET_WORDS * 64; cpu++) {
		if (!(cell->blob.cell->cpus[cpu / 64] >> (cpu % 64) & 1))
			continue;
		if (cpu >= nr_cpu_ids || !cpu_possible(cpu))
			return refuse(error, EINVAL, "cpus: this machine has no CPU %u", cpu);
		cpumask_set_cpu(cpu, &cell->cpus);
	}
	if (cpumask_empty(&cell->cpus))
		return refuse(error, EINVAL, "cpus: cell \"%s\" has none", cell_name(cell));
	return 0;
}

static int name_is_free(const struct cell *cell, char *error)
{
	struct cell *other;

	list_for_each_entry(other, &driver.cell_list, link)
		if (!strcmp(cell_name(other), cell_name(cell)))
			return refuse(error, EEXIST,
				      "cell \"%s\" exists already, as %u: destroy it first or choose another name",
				      cell_name(cell), other->id);
	return 0;
}

static int cpus_are_free(const struct cell *cell, char *error)
{
	struct cell *other;
	unsigned int cpu;

	list_for_each_entry(other, &driver.cell_list, link) {
		if (other == driver.root)
			continue;
		for_each_cpu_and(cpu, &cell->cpus, &other->cpus)
			return refuse(error, EINVAL,
				      "cpus: CPU %u belongs to cell \"%s\"; destroy that one first or choose another CPU",
				      cpu, cell_name(other));
	}
	if (cpumask_subset(cpu_online_mask, &cell->cpus))
		return refuse(error, EINVAL,
			      "cpus: cell \"%s\" would take the last CPU of Linux; leave it one",
			      cell_name(cell));
	return 0;
}

/* Gives Linux back what cpus_take() took; the CPU that did not come back, or -1. */
static int cpus_return(struct cell *cell)
{
	int lost = -1;
	unsigned int cpu;

	for_each_cpu(cpu, &cell->taken) {
		int err = add_cpu(cpu);

		if (err) {
			pr_err("CPU %u does not come back (error %d): echo 1 > /sys/devices/system/cpu/cpu%u/online\n",
			       cpu, err, cpu);
			lost = (int)cpu;
		}
	}
	cpumask_clear(&cell->taken);
	return lost;
}

static int cpus_take(struct cell *cell, char *error)
{
	unsigned int cpu;

	for_each_cpu(cpu, &cell->cpus) {
		bool online = cpu_online(cpu);
		int err = online ? remove_cpu(cpu) : 0;

		if (err) {
			cpus_return(cell);
			return refuse(error, EBUSY,
				      "Linux does not let go of CPU %u (error %d): see dmesg, then try again",
				      cpu, err);
		}
		if (online)
			cpumask_set_cpu(cpu, &cell->taken);
		arch_cpu_taken(cpu);
	}
	return 0;
}

/* The hypervisor has made the cell: show it. */
static int cell_publish(struct cell *cell, char *error)
{
	unsigned int cpu;
	int err = sysfs_cell_add(cell);

	if (err)
		return refuse(error, -err, "Linux cannot show cell \"%s\" in sysfs (error %d)",
			      cell_name(cell), err);
	for_each_cpu(cpu, &cell->cpus) {
		sysfs_cpu_remove(driver.root, cpu);
		cpumask_clear_cpu(cpu, &driver.root->cpus);
	}
	list_add_tail(&cell->link, &driver.cell_list);
	return 0;
}

static void cell_withdraw(struct cell *cell)
{
	unsigned int cpu;

	list_del_init(&cell->link);
	sysfs_cell_remove(cell);
	for_each_cpu(cpu, &cell->cpus) {
		cpumask_set_cpu(cpu, &driver.root->cpus);
		if (sysfs_cpu_add(driver.root, cpu))
			pr_warn("no memory to show the counters of CPU %u\n", cpu);
	}
}

static int cell_make(struct cell *cell, char *error)
{
	char unused[ABI_DRIVER_ERROR_SIZE];
	long result;
	int err;

	result = hypervisor_call(ABI_HC_CELL_CREATE, virt_to_phys(cell->blob.bytes),
				 cell->blob.size, error);
	if (result == -ABI_EAGAIN)
		return refuse(error, EBUSY, "the hypervisor is still moving another cell's memory: try again");
	if (result < 0)
		return configuration_error(result);
	cell->id = (u32)result;
	err = cell_publish(cell, error);
	if (err) {
		/* its memory is still being zeroed */
		cell_settle(ABI_HC_CELL_GET_STATE, cell, unused);
		if (cell_settle(ABI_HC_CELL_DESTROY, cell, unused) < 0) {
			pr_err("CPU %*pbl stays in a cell that cannot be shown: %s\n",
			       cpumask_pr_args(&cell->taken), unused);
			cpumask_clear(&cell->taken);
		}
	}
	return err;
}

int cell_create(const struct abi_drv_config *request, char *error)
{
	struct blob blob;
	struct cell *cell;
	long state;
	int err;

	err = blob_fetch(&blob, request, ABI_KIND_CELL, error);
	if (err)
		return err;
	cell = cell_new(&blob, error);
	if (IS_ERR(cell))
		return (int)PTR_ERR(cell);
	err = cpus_from_blob(cell, error);
	if (!err)
		err = name_is_free(cell, error);
	if (!err)
		err = cpus_are_free(cell, error);
	if (!err)
		err = cpus_take(cell, error);
	if (!err)
		err = cell_make(cell, error);
	if (err) {
		cpus_return(cell);
		kobject_put(&cell->kobj);
		return err;
	}
	state = cell_settle(ABI_HC_CELL_GET_STATE, cell, error);
	return state < 0 ? (int)state : 0;
}

int cell_start(const struct abi_drv_cell *ref, char *error)
{
	struct cell *cell;
	long result;
	int err = find_inmate(ref, &cell, error);

	if (err)
		return err;
	result = cell_settle(ABI_HC_CELL_GET_STATE, cell, error);
	if (result == ABI_CELL_RUNNING || result == ABI_CELL_RUNNING_LOCKED)
		return refuse(error, EBUSY, "cell \"%s\" is running already", cell_name(cell));
	if (result >= 0)
		result = cell_settle(ABI_HC_CELL_START, cell, error);
	return result < 0 ? (int)result : 0;
}

/* Cells that know of the request agree, and tidy up before, or refuse; the rest is stopped. */
static int ask_to_end(const struct cell *cell, u32 wait_ms, char *error)
{
	unsigned long limit = jiffies + msecs_to_jiffies(wait_ms);
	long reply = hypervisor_call(ABI_HC_CELL_ASK, cell->id, 1, error);

	while (reply == ABI_REPLY_NONE && time_before(jiffies, limit)) {
		if (fatal_signal_pending(current))
			return refuse(error, EINTR, "interrupted; cell \"%s\" goes on, but was asked to shut down",
				      cell_name(cell));
		usleep_range(500, 2000);
		reply = hypervisor_call(ABI_HC_CELL_ASK, cell->id, 0, error);
	}
	if (reply == ABI_REPLY_DENIED)
		return refuse(error, EBUSY, "cell \"%s\" was asked and wants to go on: try again later, or do not ask it (no --timeout)",
			      cell_name(cell));
	return reply < 0 ? (int)reply : 0;
}

int cell_shutdown(const struct abi_drv_cell *ref, char *error)
{
	struct cell *cell;
	long result;
	int err = find_inmate(ref, &cell, error);

	if (!err && ref->wait_ms > ABI_DRV_MAX_WAIT_MS)
		err = refuse(error, EINVAL, "a timeout of %u ms is more than %u", ref->wait_ms, ABI_DRV_MAX_WAIT_MS);
	if (!err && ref->wait_ms)
		err = ask_to_end(cell, ref->wait_ms, error);
	if (err)
		return err;
	result = cell_settle(ABI_HC_CELL_SHUTDOWN, cell, error);
	return result < 0 ? (int)result : 0;
}

int cell_destroy(const struct abi_drv_cell *ref, char *error)
{
	struct cell *cell;
	long result;
	int lost;
	int err = find_inmate(ref, &cell, error);

	if (!err)
		err = cell_must_rest(cell, error);
	if (err)
		return err;
	result = cell_settle(ABI_HC_CELL_DESTROY, cell, error);
	if (result < 0)
		return (int)result;
	cell_withdraw(cell);
	lost = cpus_return(cell);
	kobject_put(&cell->kobj);
	if (lost < 0)
		return 0;
	return refuse(error, EIO,
		      "the cell is destroyed, but CPU %d does not come back: echo 1 > /sys/devices/system/cpu/cpu%d/online",
		      lost, lost);
}
