// SPDX-License-Identifier: GPL-2.0-only
/*
 * Images into a cell's loadable memory, which the hypervisor opens to Linux for that
 * time. Everything is checked before the first byte is written.
 */
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "abi/hypercall.h"
#include "arch.h"
#include "driver.h"

/* The loadable region that holds all of the image; NULL if none does. */
static const struct abi_mem *region_of(const struct cell *cell, const struct abi_drv_image *image)
{
	u32 i;

	for (i = 0; i < cell->blob.cell->mem_count; i++) {
		const struct abi_mem *m = &cell->blob.mem[i];

		if (m->flags & ABI_MEM_LOADABLE && image->address >= m->virt &&
		    image->address - m->virt < m->size &&
		    image->memory <= m->size - (image->address - m->virt))
			return m;
	}
	return NULL;
}

static int does_not_fit(const struct cell *cell, const struct abi_drv_image *image, u32 number,
			char *error)
{
	size_t n;
	u32 i;

	refuse(error, ERANGE, "image %u: %llu bytes at 0x%llx are not all in loadable memory of cell \"%s\":",
	       number + 1, (unsigned long long)image->memory, (unsigned long long)image->address,
	       cell_name(cell));
	n = strlen(error);
	for (i = 0; i < cell->blob.cell->mem_count; i++) {
		const struct abi_mem *m = &cell->blob.mem[i];

		if (m->flags & ABI_MEM_LOADABLE)
			n += scnprintf(error + n, ABI_DRIVER_ERROR_SIZE - n, " %s 0x%llx-0x%llx",
				       m->name, (unsigned long long)m->virt,
				       (unsigned long long)(m->virt + m->size - 1));
	}
	return -ERANGE;
}

static int check_images(const struct cell *cell, const struct abi_drv_image *images, u32 count,
			char *error)
{
	u32 i;

	for (i = 0; i < count; i++) {
		if (!images[i].memory || images[i].size > images[i].memory)
			return refuse(error, EINVAL, "image %u is empty, or larger than its memory", i + 1);
		if (!region_of(cell, &images[i]))
			return does_not_fit(cell, &images[i], i, error);
		if (!access_ok(u64_to_user_ptr(images[i].data), images[i].size))
			return refuse(error, EFAULT, "image %u: the caller cannot read its bytes", i + 1);
	}
	return 0;
}

/* The cell may read with its caches off: all goes back to memory. */
static int write_image(const struct cell *cell, const struct abi_drv_image *image, u32 number,
		       char *error)
{
	const struct abi_mem *m = region_of(cell, image);
	u64 phys = m->phys + (image->address - m->virt);
	size_t size = (size_t)image->size, memory = (size_t)image->memory;
	int err = 0;
	void *mapping, *to;

	mapping = memremap(phys & PAGE_MASK, memory + offset_in_page(phys), MEMREMAP_WB);
	if (!mapping)
		return refuse(error, ENOMEM, "image %u: Linux cannot map 0x%llx", number + 1,
			      (unsigned long long)phys);
	to = mapping + offset_in_page(phys);
	if (copy_from_user(to, u64_to_user_ptr(image->data), size))
		err = refuse(error, EFAULT, "image %u: the caller cannot read its bytes", number + 1);
	memset(to + size, 0, memory - size);
	arch_cache_clean(to, memory);
	memunmap(mapping);
	return err;
}

/* The configuration says where a cell starts; an image that knows its place must mean the same. */
static int check_entry(const struct cell *cell, const struct abi_drv_load *request, char *error)
{
	if (!(request->flags & ABI_DRV_LOAD_ENTRY) || request->entry == cell->blob.cell->entry)
		return 0;
	return refuse(error, EINVAL,
		      "the image is to be started at 0x%llx, but cell \"%s\" starts at 0x%llx: entry = 0x%llx in its text",
		      (unsigned long long)request->entry, cell_name(cell),
		      (unsigned long long)cell->blob.cell->entry, (unsigned long long)request->entry);
}

static int load(const struct cell *cell, const struct abi_drv_load *request,
		const struct abi_drv_image *images, char *error)
{
	u32 count = request->count;
	long result;
	int err;
	u32 i;

	err = check_images(cell, images, count, error);
	if (!err)
		err = check_entry(cell, request, error);
	if (!err)
		err = cell_must_rest(cell, error);
	if (err)
		return err;
	result = cell_settle(ABI_HC_CELL_SET_LOADABLE, cell, error);
	if (result < 0)
		return (int)result;
	for (i = 0; !err && i < count; i++)
		err = write_image(cell, &images[i], i, error);
	return err;
}

int cell_load(const struct abi_drv_load *request, char *error)
{
	struct abi_drv_image *images;
	struct cell *cell;
	int err;

	cell = cell_find(&request->cell, error);
	if (!cell)
		return -ENOENT;
	if (cell->id == ROOT_CELL)
		return refuse(error, EPERM, "cell 0 \"%s\" is the root cell, Linux itself: name another",
			      cell_name(cell));
	if (request->flags & ~ABI_DRV_LOAD_ENTRY)
		return refuse(error, EINVAL, "unknown flags 0x%x: the command and the driver are not of one version", request->flags);
	if (!request->count || request->count > ABI_DRV_MAX_IMAGES)
		return refuse(error, E2BIG, "%u images, there may be 1 to %u", request->count,
			      ABI_DRV_MAX_IMAGES);
	images = memdup_user(u64_to_user_ptr(request->images), request->count * sizeof(*images));
	if (IS_ERR(images))
		return refuse(error, (int)-PTR_ERR(images), "the list of images cannot be read");
	err = load(cell, request, images, error);
	kfree(images);
	return err;
}
