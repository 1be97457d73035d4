// SPDX-License-Identifier: GPL-2.0-only
/*
 * Configuration files as the user hands them in. Checked here only as far as reading
 * them safely needs: the hypervisor validates all of it again.
 */
#include <linux/crc32.h>
#include <linux/gfp.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "arch.h"
#include "driver.h"

/* The next `count` records of `size` bytes, or NULL if the file ends before. */
static const void *take(const struct blob *blob, size_t *at, size_t count, size_t size)
{
	const void *records = (const char *)blob->bytes + *at;

	if (count > (blob->size - *at) / size)
		return NULL;
	*at += count * size;
	return records;
}

static int check_header(const struct blob *blob, const struct abi_header *header, u8 kind,
			char *error)
{
	if (memcmp(header->magic, ABI_CONFIG_MAGIC, sizeof(header->magic)))
		return refuse(error, EINVAL,
			      "magic: this is no configuration; make one with jailhouse config build");
	if (header->version != ABI_CONFIG_VERSION)
		return refuse(error, EINVAL,
			      "version: %u, but this driver reads %u; build the file anew",
			      header->version, ABI_CONFIG_VERSION);
	if (header->arch != arch_id)
		return refuse(error, EINVAL,
			      "arch: made for architecture %u, this machine is %u", header->arch,
			      arch_id);
	if (header->kind != kind)
		return refuse(error, EINVAL, "kind: %s",
			      kind == ABI_KIND_SYSTEM ?
			      "this is no system file; jailhouse enable takes system.cell" :
			      "this is no cell file; jailhouse cell create takes a cell's own file");
	if (header->size != blob->size)
		return refuse(error, EINVAL,
			      "size: the header says %u bytes, the file has %zu; it was cut or extended",
			      header->size, blob->size);
	return 0;
}

static bool names_terminated(const struct blob *blob)
{
	u32 i;

	if (!blob->cell->name[0] || !memchr(blob->cell->name, 0, sizeof(blob->cell->name)))
		return false;
	for (i = 0; i < blob->cell->mem_count; i++)
		if (!memchr(blob->mem[i].name, 0, sizeof(blob->mem[i].name)))
			return false;
	return true;
}

static int check_spans(const struct blob *blob, char *error)
{
	u32 i;

	for (i = 0; i < blob->cell->mem_count; i++) {
		const struct abi_mem *m = &blob->mem[i];

		if (m->size && m->size - 1 <= U64_MAX - m->phys && m->size - 1 <= U64_MAX - m->virt)
			continue;
		return refuse(error, EINVAL, "memory[%u] \"%s\": size 0x%llx is 0 or wraps around", i,
			      m->name, (unsigned long long)m->size);
	}
	if (blob->system && (!blob->system->hypervisor.size ||
			     blob->system->hypervisor.size - 1 >
			     U64_MAX - blob->system->hypervisor.start))
		return refuse(error, EINVAL, "hypervisor: size 0x%llx is 0 or wraps around",
			      (unsigned long long)blob->system->hypervisor.size);
	return 0;
}

/*
 * The hypervisor's checksum is checked here as well: the driver writes to the addresses
 * in the file before the hypervisor sees it.
 */
static int check_crc(const struct blob *blob, const struct abi_header *header, char *error)
{
	const size_t at = offsetof(struct abi_header, crc), behind = at + sizeof(header->crc);
	static const u32 zero;
	const char *bytes = blob->bytes;
	u32 crc = crc32_le(~0u, bytes, at);

	crc = crc32_le(crc, (const void *)&zero, sizeof(zero));
	crc = ~crc32_le(crc, bytes + behind, blob->size - behind);
	if (crc != header->crc)
		return refuse(error, EINVAL,
			      "crc: the file says 0x%08x, its bytes give 0x%08x; it was damaged, copy or build it again",
			      header->crc, crc);
	return 0;
}

static int blob_parse(struct blob *blob, u8 kind, char *error)
{
	const struct abi_header *header;
	size_t at = 0;
	int err;

	header = take(blob, &at, 1, sizeof(*header));
	if (!header)
		goto truncated;
	err = check_header(blob, header, kind, error);
	if (err)
		return err;
	if (kind == ABI_KIND_SYSTEM) {
		blob->system = take(blob, &at, 1, sizeof(*blob->system));
		if (!blob->system)
			goto truncated;
		blob->hwid = take(blob, &at, blob->system->cpu_count, sizeof(*blob->hwid));
		if (!blob->hwid)
			goto truncated;
	}
	blob->cell = take(blob, &at, 1, sizeof(*blob->cell));
	if (!blob->cell)
		goto truncated;
	blob->mem = take(blob, &at, blob->cell->mem_count, sizeof(*blob->mem));
	if (!blob->mem)
		goto truncated;
	if (!names_terminated(blob))
		return refuse(error, EINVAL, "name: a name is empty or not terminated");
	err = check_spans(blob, error);
	return err ? err : check_crc(blob, header, error);
truncated:
	return refuse(error, EINVAL, "size: the file ends after %zu bytes, within its records",
		      blob->size);
}

int blob_fetch(struct blob *blob, const struct abi_drv_config *from, u8 kind, char *error)
{
	int err;

	memset(blob, 0, sizeof(*blob));
	if (!from->size || from->size > ABI_CONFIG_MAX_SIZE)
		return refuse(error, EINVAL, "size: %llu bytes, a configuration has 1 to %u",
			      (unsigned long long)from->size, ABI_CONFIG_MAX_SIZE);
	blob->size = (size_t)from->size;
	blob->bytes = alloc_pages_exact(blob->size, GFP_KERNEL);
	if (!blob->bytes)
		return refuse(error, ENOMEM, "Linux has no %zu bytes in one piece for the configuration",
			      blob->size);
	if (copy_from_user(blob->bytes, u64_to_user_ptr(from->data), blob->size))
		err = refuse(error, EFAULT, "the configuration cannot be read from the caller's memory");
	else
		err = blob_parse(blob, kind, error);
	if (err)
		blob_free(blob);
	return err;
}

void blob_free(struct blob *blob)
{
	if (blob->bytes)
		free_pages_exact(blob->bytes, blob->size);
	memset(blob, 0, sizeof(*blob));
}
