// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>

#include "boot_arch.h"
#include "boot_load.h"

enum status boot_supported(const struct command *c, const struct config *cell)
{
	if (cell->header->arch == boot_arch_id)
		return STATUS_OK;
	return fail(STATUS_MACHINE, c->name, "cell \"%s\" is of another architecture than this command, which has no loader for it",
		    cell->cell->name);
}

enum status check_overlaps(const struct images *in)
{
	struct clash clash;

	if (!images_clash(in, &clash))
		return STATUS_OK;
	return fail(STATUS_SPACE, in->name[clash.second], "would overwrite %s: both want the memory at 0x%llx",
		    in->name[clash.first], (unsigned long long)clash.address);
}

enum status boot_load(const struct command *c, const struct abi_drv_cell *ref, const struct config *cell,
		      const struct images *in, const struct boot_start *start)
{
	struct boot boot = { boot_loader, boot_loader_size(), *start };
	struct abi_drv_load request = { .cell = *ref };
	char problem[PROBLEM_SIZE];
	struct images out;
	enum status s;
	void *head;

	if (!boot_pack(cell, &boot, in, &out, &head, problem))
		return problem[0] ? fail(STATUS_SPACE, c->name, "%s", problem) : out_of_memory();
	request.count = out.count;
	request.images = (uintptr_t)out.image;
	s = device_call(c, ABI_DRV_CELL_LOAD, &request, request.cell.error);
	free(head);
	return s;
}
