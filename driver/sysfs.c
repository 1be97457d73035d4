// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/devices/jailhouse: the hypervisor's state, for people and scripts.
 *
 *   enabled console mem_pool_size mem_pool_used remap_pool_size remap_pool_used tsc_khz
 *   cells/ID/ name state cpus_assigned[_list] cpus_failed[_list] exits interrupts wfi config
 *             statistics/vmexits_*  statistics/cpuN/vmexits_*
 *
 * tsc_khz is how fast Linux found the TSC to be, for cells that have nothing to measure it by; 0 where there is none.
 * cells/ID/config is the file the cell was made from, as it was given; cells/0/config the system's.
 *
 * Each exit is counted by one vmexits_*, and by vmexits_total. vmexits_over_budget is no
 * reason: it counts those of them that cells/ID/exits does not permit. To read a counter is
 * a hypercall of the reader's CPU, which is the root cell's: no other CPU takes part.
 */
#include <linux/device.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "abi/hypercall.h"
#include "arch.h"
#include "driver.h"

/* Counters of one CPU, or of all of the cell's. */
struct stat_dir {
	struct kobject kobj;
	struct cell *cell;	/* lives as long as this: kobj's parent leads there */
	int cpu;		/* or ALL_CPUS */
};

#define ALL_CPUS (-1)

static ssize_t enabled_show(struct device *device, struct device_attribute *attr, char *text)
{
	return sysfs_emit(text, "%d\n", READ_ONCE(driver.enabled));
}

static ssize_t console_show(struct device *device, struct device_attribute *attr, char *text)
{
	return log_tail(&driver.log, text, PAGE_SIZE);
}

static ssize_t info_show(unsigned long what, char *text)
{
	long value = hypervisor_ask(ABI_HC_INFO, what, 0);

	return sysfs_emit(text, "%ld\n", value == -ABI_ENODEV ? 0 : value);
}

static ssize_t mem_pool_size_show(struct device *device, struct device_attribute *attr, char *text)
{
	return info_show(ABI_INFO_POOL_SIZE, text);
}

static ssize_t mem_pool_used_show(struct device *device, struct device_attribute *attr, char *text)
{
	return info_show(ABI_INFO_POOL_USED, text);
}

static ssize_t remap_pool_size_show(struct device *device, struct device_attribute *attr,
				    char *text)
{
	return info_show(ABI_INFO_REMAP_SIZE, text);
}

static ssize_t remap_pool_used_show(struct device *device, struct device_attribute *attr,
				    char *text)
{
	return info_show(ABI_INFO_REMAP_USED, text);
}

static ssize_t tsc_khz_show(struct device *device, struct device_attribute *attr, char *text)
{
	return sysfs_emit(text, "%u\n", arch_tsc_khz());
}

static const struct device_attribute device_files[] = {
	__ATTR_RO(enabled),
	__ATTR_RO_MODE(console, 0400),
	__ATTR_RO(mem_pool_size),
	__ATTR_RO(mem_pool_used),
	__ATTR_RO(remap_pool_size),
	__ATTR_RO(remap_pool_used),
	__ATTR_RO(tsc_khz),
};

struct cell_attribute {
	struct attribute attr;
	ssize_t (*show)(struct cell *cell, char *text);
};

static ssize_t name_show(struct cell *cell, char *text)
{
	return sysfs_emit(text, "%s\n", cell_name(cell));
}

static const char *state_name(long state)
{
	switch (state) {
	case ABI_CELL_RUNNING:
		return "running";
	case ABI_CELL_RUNNING_LOCKED:
		return "running/locked";
	case ABI_CELL_FAILED:
		return "failed";
	case ABI_CELL_FAILED_COMM_REV:
		return "failed/comm-rev";
	/* its memory changes hands, or it is gone and about to leave this place: nothing of it runs */
	case -ABI_EAGAIN:
	case -ABI_ENOENT:
	case ABI_CELL_SHUT_DOWN:
		return "shut down";
	default:
		return "unknown";
	}
}

static ssize_t state_show(struct cell *cell, char *text)
{
	return sysfs_emit(text, "%s\n", state_name(hypervisor_ask(ABI_HC_CELL_GET_STATE, cell->id, 0)));
}

/* Linux may have taken CPUs of its own offline. */
static void cpus_assigned(const struct cell *cell, struct cpumask *cpus)
{
	cpumask_copy(cpus, &cell->cpus);
	if (cell->id == ROOT_CELL)
		cpumask_and(cpus, cpus, cpu_online_mask);
}

static void cpus_failed(const struct cell *cell, struct cpumask *cpus)
{
	unsigned int cpu;

	cpumask_clear(cpus);
	for_each_cpu(cpu, &cell->cpus)
		if (hypervisor_ask(ABI_HC_CPU_INFO, cpu, ABI_CPU_INFO_STATE) == ABI_CPU_FAILED)
			cpumask_set_cpu(cpu, cpus);
}

static ssize_t mask_show(const struct cell *cell, char *text, bool list,
			 void (*fill)(const struct cell *cell, struct cpumask *cpus))
{
	cpumask_var_t cpus;
	ssize_t n;

	if (!alloc_cpumask_var(&cpus, GFP_KERNEL))
		return -ENOMEM;
	fill(cell, cpus);
	if (list)
		n = sysfs_emit(text, "%*pbl\n", cpumask_pr_args(cpus));
	else
		n = sysfs_emit(text, "%*pb\n", cpumask_pr_args(cpus));
	free_cpumask_var(cpus);
	return n;
}

static ssize_t cpus_assigned_show(struct cell *cell, char *text)
{
	return mask_show(cell, text, false, cpus_assigned);
}

static ssize_t cpus_assigned_list_show(struct cell *cell, char *text)
{
	return mask_show(cell, text, true, cpus_assigned);
}

static ssize_t cpus_failed_show(struct cell *cell, char *text)
{
	return mask_show(cell, text, false, cpus_failed);
}

static ssize_t cpus_failed_list_show(struct cell *cell, char *text)
{
	return mask_show(cell, text, true, cpus_failed);
}

/* Its contract, as its configuration says it. Linux has none. */
static ssize_t exits_show(struct cell *cell, char *text)
{
	u32 exits = cell->blob.cell->exits;

	if (cell->id == ROOT_CELL || exits == ABI_EXITS_ANY)
		return sysfs_emit(text, "any\n");
	if (!exits)
		return sysfs_emit(text, "none\n");
	return sysfs_emit(text, "%u/s\n", exits);
}

static bool is_injected(const struct cell *cell)
{
	return cell->id != ROOT_CELL && (cell->blob.cell->flags & ABI_CELL_INJECTED);
}

static ssize_t interrupts_show(struct cell *cell, char *text)
{
	return sysfs_emit(text, "%s\n", is_injected(cell) ? "injected" : "direct");
}

/* A sleep is an exit where a CPU could not be had back from it otherwise. */
static ssize_t wfi_show(struct cell *cell, char *text)
{
	if (cell->id == ROOT_CELL || is_injected(cell))
		return sysfs_emit(text, "untrapped\n");
	return sysfs_emit(text, "%s\n", arch_wfi(cell->blob.cell->flags));
}

static const struct cell_attribute cell_files[] = {
	__ATTR_RO(name),
	__ATTR_RO(state),
	__ATTR_RO(cpus_assigned),
	__ATTR_RO(cpus_assigned_list),
	__ATTR_RO(cpus_failed),
	__ATTR_RO(cpus_failed_list),
	__ATTR_RO(exits),
	__ATTR_RO(interrupts),
	__ATTR_RO(wfi),
};

static ssize_t config_read(struct file *file, struct kobject *kobj, struct bin_attribute *attr, char *to,
			   loff_t at, size_t size)
{
	const struct blob *blob = &container_of(kobj, struct cell, kobj)->blob;

	return memory_read_from_buffer(to, size, &at, blob->bytes, blob->size);
}

/* Its size is the cell's own, so that readers can trust what stat() says. */
static int config_add(struct cell *cell)
{
	sysfs_bin_attr_init(&cell->config);
	cell->config.attr.name = "config";
	cell->config.attr.mode = 0400;
	cell->config.size = cell->blob.size;
	cell->config.read = config_read;
	return sysfs_create_bin_file(&cell->kobj, &cell->config);
}

static ssize_t cell_file_show(struct kobject *kobj, struct attribute *attr, char *text)
{
	return container_of(attr, struct cell_attribute, attr)->
		show(container_of(kobj, struct cell, kobj), text);
}

static const struct sysfs_ops cell_file_ops = { .show = cell_file_show };

static const struct kobj_type cell_type = {
	.release = cell_release,
	.sysfs_ops = &cell_file_ops,
};

static ssize_t stat_show(struct kobject *kobj, struct attribute *attr, char *text)
{
	const struct stat_dir *dir = container_of(kobj, struct stat_dir, kobj);
	unsigned int stat = container_of(attr, struct stat_attribute, attr)->stat;
	unsigned long long sum = 0;
	unsigned int cpu;

	for_each_cpu(cpu, &dir->cell->cpus) {
		long count;

		if (dir->cpu != ALL_CPUS && dir->cpu != (int)cpu)
			continue;
		count = hypervisor_ask(ABI_HC_CPU_INFO, cpu, ABI_CPU_INFO_STAT + stat);
		if (count > 0)
			sum += (unsigned long)count;
	}
	return sysfs_emit(text, "%llu\n", sum);
}

static void stat_release(struct kobject *kobj)
{
	kfree(container_of(kobj, struct stat_dir, kobj));
}

static const struct sysfs_ops stat_ops = { .show = stat_show };

static const struct kobj_type stat_type = {
	.release = stat_release,
	.sysfs_ops = &stat_ops,
};

static void stat_dir_remove(struct stat_dir *dir)
{
	if (!dir)
		return;
	kobject_del(&dir->kobj);
	kobject_put(&dir->kobj);
}

/* `under` is the cell's directory for ALL_CPUS, its statistics/ for one CPU. */
static struct stat_dir *stat_dir_add(struct cell *cell, struct kobject *under, int cpu)
{
	struct stat_dir *dir = kzalloc(sizeof(*dir), GFP_KERNEL);
	unsigned int i;
	int err;

	if (!dir)
		return ERR_PTR(-ENOMEM);
	dir->cell = cell;
	dir->cpu = cpu;
	if (cpu == ALL_CPUS)
		err = kobject_init_and_add(&dir->kobj, &stat_type, under, "statistics");
	else
		err = kobject_init_and_add(&dir->kobj, &stat_type, under, "cpu%d", cpu);
	for (i = 0; !err && i < arch_stat_count; i++)
		err = sysfs_create_file(&dir->kobj, &arch_stats[i].attr);
	if (!err)
		return dir;
	stat_dir_remove(dir);
	return ERR_PTR(err);
}

int sysfs_cpu_add(struct cell *cell, unsigned int cpu)
{
	struct stat_dir *dir = stat_dir_add(cell, &cell->statistics->kobj, (int)cpu);

	if (IS_ERR(dir))
		return (int)PTR_ERR(dir);
	cell->cpu_statistics[cpu] = dir;
	return 0;
}

void sysfs_cpu_remove(struct cell *cell, unsigned int cpu)
{
	stat_dir_remove(cell->cpu_statistics[cpu]);
	cell->cpu_statistics[cpu] = NULL;
}

void sysfs_cell_init(struct cell *cell)
{
	kobject_init(&cell->kobj, &cell_type);
}

int sysfs_cell_add(struct cell *cell)
{
	unsigned int i, cpu;
	int err;

	err = kobject_add(&cell->kobj, driver.cells, "%u", cell->id);
	for (i = 0; !err && i < ARRAY_SIZE(cell_files); i++)
		err = sysfs_create_file(&cell->kobj, &cell_files[i].attr);
	if (!err)
		err = config_add(cell);
	if (!err) {
		struct stat_dir *dir = stat_dir_add(cell, &cell->kobj, ALL_CPUS);

		if (IS_ERR(dir))
			err = (int)PTR_ERR(dir);
		else
			cell->statistics = dir;
	}
	for_each_cpu(cpu, &cell->cpus)
		if (!err)
			err = sysfs_cpu_add(cell, cpu);
	if (err)
		sysfs_cell_remove(cell);
	return err;
}

void sysfs_cell_remove(struct cell *cell)
{
	unsigned int cpu;

	for (cpu = 0; cpu < nr_cpu_ids; cpu++)
		sysfs_cpu_remove(cell, cpu);
	stat_dir_remove(cell->statistics);
	cell->statistics = NULL;
	kobject_del(&cell->kobj);
}

int sysfs_init(void)
{
	unsigned int i;
	int err = 0;

	driver.device = root_device_register("jailhouse");
	if (IS_ERR(driver.device))
		return (int)PTR_ERR(driver.device);
	for (i = 0; !err && i < ARRAY_SIZE(device_files); i++)
		err = device_create_file(driver.device, &device_files[i]);
	driver.cells = err ? NULL : kobject_create_and_add("cells", &driver.device->kobj);
	if (driver.cells)
		return 0;
	root_device_unregister(driver.device);
	return err ? err : -ENOMEM;
}

void sysfs_exit(void)
{
	kobject_put(driver.cells);
	root_device_unregister(driver.device);
}
