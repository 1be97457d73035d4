// SPDX-License-Identifier: GPL-2.0-only
/* Sliding the hypervisor under Linux, and taking it away. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpu.h>
#include <linux/firmware.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/smp.h>

#include "abi/hypercall.h"
#include "arch.h"
#include "driver.h"

#define FIRMWARE "jailhouse.bin"

static int check_image(const struct firmware *file, char *error)
{
	const struct abi_image *image = (const void *)file->data;

	if (file->size < sizeof(*image) ||
	    memcmp(image->magic, ABI_IMAGE_MAGIC, sizeof(image->magic)))
		return refuse(error, ENOEXEC, FIRMWARE " is no hypervisor image: install it anew");
	if (image->arch != arch_id)
		return refuse(error, ENOEXEC, FIRMWARE " is for architecture %u, this machine is %u",
			      image->arch, arch_id);
	if (image->image_size != file->size)
		return refuse(error, ENOEXEC, FIRMWARE " has %zu bytes, not the %llu it was built with: install it anew",
			      file->size, (unsigned long long)image->image_size);
	if (image->memory_size < image->image_size || !PAGE_ALIGNED(image->memory_size) ||
	    image->entry >= image->image_size || !PAGE_ALIGNED(image->log_offset) ||
	    !PAGE_ALIGNED(image->log_size) || image->log_size < PAGE_SIZE ||
	    image->log_offset > image->memory_size ||
	    image->log_size > image->memory_size - image->log_offset ||
	    !PAGE_ALIGNED(image->boot_offset) || image->boot_offset > image->memory_size ||
	    image->boot_size > image->memory_size - image->boot_offset)
		return refuse(error, ENOEXEC, FIRMWARE " has sizes that contradict each other: install it anew");
	return 0;
}

/* Image, configuration and page pool must fit behind each other. */
static int check_room(const struct blob *blob, const struct abi_image *image, char *error)
{
	const struct abi_span *room = &blob->system->hypervisor;
	u64 config = PAGE_ALIGN(blob->size);

	if (blob->system->cpu_count > image->max_cpus)
		return refuse(error, EINVAL,
			      "cpus: %u are configured, the hypervisor was built for %u: set MAX_CPUS and build it anew",
			      blob->system->cpu_count, image->max_cpus);
	/* where the image runs: entered elsewhere it could not even say so */
	if (!IS_ALIGNED(room->start, SZ_2M) || !PAGE_ALIGNED(room->size))
		return refuse(error, EINVAL,
			      "hypervisor: 0x%llx, size 0x%llx: the start is no multiple of 2 MiB or the size none of a page",
			      (unsigned long long)room->start, (unsigned long long)room->size);
	/* what the image's first tables reach */
	if (room->size > SZ_1G)
		return refuse(error, EINVAL, "hypervisor: size 0x%llx is more than 1 GiB: make it smaller",
			      (unsigned long long)room->size);
	if (image->memory_size > room->size || config > room->size - image->memory_size ||
	    image->min_pool > room->size - image->memory_size - config)
		return refuse(error, ENOSPC,
			      "hypervisor: size 0x%llx is too small, it takes at least 0x%llx: enlarge it in the system's text",
			      (unsigned long long)room->size,
			      (unsigned long long)(image->memory_size + config + image->min_pool));
	return 0;
}

static bool is_linux_ram(u64 start, u64 size)
{
	return region_intersects(start, size, IORESOURCE_SYSTEM_RAM, IORES_DESC_NONE) !=
	       REGION_DISJOINT;
}

/* The hypervisor's and the cells' memory is there, or at least nothing speaks against it. */
static int check_ram(const struct blob *blob, char *error)
{
	const struct abi_span *hypervisor = &blob->system->hypervisor;
	u32 i;

	if (arch_no_ram(hypervisor->start, hypervisor->size))
		return refuse(error, EADDRINUSE,
			      "hypervisor: 0x%llx-0x%llx is no RAM of this machine: correct the system's text",
			      (unsigned long long)hypervisor->start,
			      (unsigned long long)(hypervisor->start + hypervisor->size - 1));
	for (i = 0; i < blob->cell->mem_count; i++) {
		const struct abi_mem *m = &blob->mem[i];

		if (m->flags & ABI_MEM_RESERVED && arch_no_ram(m->phys, m->size))
			return refuse(error, EADDRINUSE,
				      "memory[%u] \"%s\": 0x%llx-0x%llx is no RAM of this machine: correct the system's text",
				      i, m->name, (unsigned long long)m->phys,
				      (unsigned long long)(m->phys + m->size - 1));
	}
	return 0;
}

struct linux_ram {
	const struct blob *blob;
	u64 start;		/* of what is in no region of the root cell; start > end: nothing */
	u64 end;
};

static bool in_root_region(const struct blob *blob, u64 at, u64 *behind)
{
	u32 i;

	for (i = 0; i < blob->cell->mem_count; i++) {
		const struct abi_mem *m = &blob->mem[i];

		if (!(m->flags & ABI_MEM_IO) && at >= m->phys && at - m->phys < m->size) {
			*behind = m->phys + m->size;
			return true;
		}
	}
	return false;
}

static int find_uncovered(struct resource *res, void *arg)
{
	struct linux_ram *ram = arg;
	u64 at = res->start;

	while (at <= res->end && in_root_region(ram->blob, at, &at))
		;
	if (at > res->end)
		return 0;
	ram->start = at;
	ram->end = res->end;
	return 1;
}

/* All of Linux's RAM stays the root cell's: without it Linux ends at the first touch. */
static int check_linux_ram(const struct blob *blob, char *error)
{
	struct linux_ram ram = { .blob = blob };

	if (walk_iomem_res_desc(IORES_DESC_NONE, IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY, 0,
				U64_MAX, &ram, find_uncovered) != 1)
		return 0;
	return refuse(error, EADDRINUSE,
		      "Linux uses RAM at 0x%llx-0x%llx that is no memory of the root cell: add it to the system's text",
		      (unsigned long long)ram.start, (unsigned long long)ram.end);
}

/* No byte that Linux uses as RAM may be configured for the hypervisor or for cells. */
static int check_reserved(const struct blob *blob, char *error)
{
	const struct abi_span *hypervisor = &blob->system->hypervisor;
	const char *bad = is_linux_ram(hypervisor->start, hypervisor->size) ? "hypervisor" : NULL;
	u64 bad_start = hypervisor->start, bad_size = hypervisor->size;
	char hint[128];
	u32 i;

	for (i = 0; i < blob->cell->mem_count; i++) {
		const struct abi_mem *m = &blob->mem[i];

		if (!bad && m->flags & ABI_MEM_RESERVED && is_linux_ram(m->phys, m->size)) {
			bad = m->name;
			bad_start = m->phys;
			bad_size = m->size;
		}
	}
	if (!bad)
		return 0;
	arch_reserve_hint(hint, sizeof(hint), blob);
	return refuse(error, EADDRINUSE, "memory \"%s\" 0x%llx-0x%llx is in use by Linux: %s", bad,
		      (unsigned long long)bad_start,
		      (unsigned long long)(bad_start + bad_size - 1), hint);
}

static void read_hwid(void *ids)
{
	((u64 *)ids)[smp_processor_id()] = arch_hwid();
}

static int compare_cpu(const struct blob *blob, unsigned int cpu, u64 hwid, char *error)
{
	if (cpu >= blob->system->cpu_count)
		return refuse(error, ENXIO,
			      "CPU %u (id 0x%llx) is not in the configuration of %u CPUs: add it to the system's text",
			      cpu, (unsigned long long)hwid, blob->system->cpu_count);
	if (blob->hwid[cpu] != hwid)
		return refuse(error, ENXIO,
			      "CPU %u has the id 0x%llx, the configuration says 0x%llx: correct the system's text",
			      cpu, (unsigned long long)hwid, (unsigned long long)blob->hwid[cpu]);
	return 0;
}

/* Every CPU that is online is configured, as what it is, and the other way round. */
static int check_cpus(const struct blob *blob, char *error)
{
	u64 *ids = kcalloc(nr_cpu_ids, sizeof(*ids), GFP_KERNEL);
	unsigned int cpu;
	int err = 0;

	if (!ids)
		return refuse(error, ENOMEM, "Linux has no memory left");
	on_each_cpu(read_hwid, ids, 1);
	for_each_online_cpu(cpu) {
		err = compare_cpu(blob, cpu, ids[cpu], error);
		if (err)
			break;
	}
	kfree(ids);
	for (cpu = 0; !err && cpu < blob->system->cpu_count; cpu++) {
		if (cpu >= nr_cpu_ids || !cpu_present(cpu))
			err = refuse(error, ENXIO,
				     "CPU %u (id 0x%llx) is configured, but this machine has none: correct the system's text",
				     cpu, (unsigned long long)blob->hwid[cpu]);
		else if (!cpu_online(cpu))
			err = refuse(error, ENXIO,
				     "CPU %u (id 0x%llx) is offline: echo 1 > /sys/devices/system/cpu/cpu%u/online",
				     cpu, (unsigned long long)blob->hwid[cpu], cpu);
	}
	return err;
}

/* Lays image and configuration into the hypervisor's memory and lets go of it. */
static int place(const struct firmware *file, const struct blob *blob, char *error)
{
	const struct abi_span *room = &blob->system->hypervisor;
	struct abi_image *image;
	int err;
	void *base = memremap(room->start, room->size, MEMREMAP_WB);

	if (!base)
		return refuse(error, ENOMEM, "Linux cannot map the hypervisor's memory at 0x%llx",
			      (unsigned long long)room->start);
	image = base;
	memcpy(base, file->data, file->size);
	memset(base + file->size, 0, image->memory_size - file->size);
	memcpy(base + image->memory_size, blob->bytes, blob->size);
	image->start = room->start;
	image->size = room->size;
	image->config_offset = image->memory_size;
	image->config_size = blob->size;
	image->online_cpus = num_online_cpus();
	err = arch_prepare(image, error);
	arch_cache_clean(base, room->size);
	memunmap(base);
	return err;
}

/* One operation on every CPU at once and what each returned. */
struct everywhere {
	const struct abi_image *image;
	u64 start;		/* of the hypervisor memory */
	long *results;		/* [nr_cpu_ids] */
};

static void enter_here(void *info)
{
	struct everywhere *e = info;
	unsigned int cpu = smp_processor_id();

	e->results[cpu] = arch_enter(e->image, e->start, cpu);
}

static void leave_here(void *info)
{
	struct everywhere *e = info;

	e->results[smp_processor_id()] = arch_hypercall(ABI_HC_DISABLE, 0, 0);
}

/* The first error of any CPU, else 0. Under cpus_read_lock(). */
static long do_everywhere(smp_call_func_t function, struct everywhere *e)
{
	unsigned int cpu;

	on_each_cpu(function, e, 1);
	for_each_online_cpu(cpu)
		if (e->results[cpu] < 0)
			return e->results[cpu];
	return 0;
}

static int enter(const struct abi_image *image, const struct blob *blob, char *error)
{
	u64 start = blob->system->hypervisor.start;
	struct everywhere e = { .image = image, .start = start };
	long result;
	void *log;

	log = memremap(start + image->log_offset, image->log_size, MEMREMAP_WB);
	e.results = kcalloc(nr_cpu_ids, sizeof(*e.results), GFP_KERNEL);
	if (!log || !e.results) {
		kfree(e.results);
		if (log)
			memunmap(log);
		return refuse(error, ENOMEM, "Linux has no memory left");
	}
	down_write(&driver.alive);
	result = do_everywhere(enter_here, &e);
	driver.enabled = !result;
	up_write(&driver.alive);
	kfree(e.results);
	log_attach(&driver.log, log, image->log_size);
	if (!result)
		return 0;
	result = hypervisor_error(driver.log.rings.log, result, error);
	log_retire(&driver.log);
	return configuration_error(result);
}

/* CPUs neither come nor go between their check and the entry. */
static int enter_checked(const struct firmware *file, const struct blob *blob, char *error)
{
	int err;

	cpus_read_lock();
	err = check_cpus(blob, error);
	if (!err)
		err = place(file, blob, error);
	if (!err)
		err = enter((const void *)file->data, blob, error);
	cpus_read_unlock();
	return err;
}

static int check_all(const struct firmware *file, const struct blob *blob, char *error)
{
	int err = check_image(file, error);

	if (!err)
		err = check_room(blob, (const void *)file->data, error);
	if (!err)
		err = arch_ready(error);
	if (!err)
		err = check_ram(blob, error);
	if (!err)
		err = check_reserved(blob, error);
	if (!err)
		err = check_linux_ram(blob, error);
	return err;
}

/* Takes the blob over: it becomes the root cell's. */
static int enable_with(const struct firmware *file, struct blob *blob, char *error)
{
	struct cell *root;
	int err = check_all(file, blob, error);

	if (err) {
		blob_free(blob);
		return err;
	}
	root = cell_new(blob, error);
	if (IS_ERR(root))
		return (int)PTR_ERR(root);
	root->id = ROOT_CELL;
	/* all the system has; check_cpus() demands that these are what is configured */
	cpumask_copy(&root->cpus, cpu_present_mask);
	err = sysfs_cell_add(root);
	if (err) {
		refuse(error, -err, "Linux cannot show the root cell in sysfs (error %d)", err);
	} else {
		err = enter_checked(file, &root->blob, error);
		if (err)
			sysfs_cell_remove(root);
	}
	if (err) {
		kobject_put(&root->kobj);
		return err;
	}
	driver.root = root;
	list_add(&root->link, &driver.cell_list);
	__module_get(THIS_MODULE);
	return 0;
}

int enable(const struct abi_drv_config *request, char *error)
{
	const struct firmware *file;
	struct blob blob;
	int err;

	if (driver.enabled)
		return refuse(error, EBUSY, "the hypervisor is enabled already: jailhouse disable first");
	err = blob_fetch(&blob, request, ABI_KIND_SYSTEM, error);
	if (err)
		return err;
	err = request_firmware_direct(&file, FIRMWARE, driver.device);
	if (err) {
		blob_free(&blob);
		return refuse(error, ENOPKG, "/lib/firmware/" FIRMWARE " cannot be read (error %d): install the hypervisor there",
			      err);
	}
	err = enable_with(file, &blob, error);
	release_firmware(file);
	if (!err)
		pr_info("enabled\n");
	return err;
}

static int leave(char *error)
{
	struct everywhere e = { 0 };
	unsigned int cpu;
	long result;

	e.results = kcalloc(nr_cpu_ids, sizeof(*e.results), GFP_KERNEL);
	if (!e.results)
		return refuse(error, ENOMEM, "Linux has no memory left");
	cpus_read_lock();
	/* those that are off go back to the firmware, not with the rest */
	for_each_present_cpu(cpu)
		if (!cpu_online(cpu))
			arch_cpu_taken(cpu);
	down_write(&driver.alive);
	result = do_everywhere(leave_here, &e);
	driver.enabled = !!result;
	up_write(&driver.alive);
	cpus_read_unlock();
	kfree(e.results);
	return result ? hypervisor_error(driver.log.rings.log, result, error) : 0;
}

int disable(char *error)
{
	struct cell *root = driver.root;
	int err;

	if (!list_is_singular(&driver.cell_list))
		return refuse(error, EBUSY, "cell \"%s\" is still there: jailhouse cell destroy %s first",
			      cell_name(list_last_entry(&driver.cell_list, struct cell, link)),
			      cell_name(list_last_entry(&driver.cell_list, struct cell, link)));
	err = leave(error);
	if (err)
		return err;
	log_retire(&driver.log);
	list_del_init(&root->link);
	driver.root = NULL;
	sysfs_cell_remove(root);
	kobject_put(&root->kobj);
	module_put(THIS_MODULE);
	pr_info("disabled\n");
	return 0;
}
