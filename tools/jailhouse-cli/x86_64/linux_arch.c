// SPDX-License-Identifier: GPL-2.0-only
/* What programs on x86_64 are told of their cell: boot parameters and ACPI's tables. And where Linux goes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/boot.h"
#include "acpi.h"
#include "boot_arch.h"
#include "boot_params.h"

/* Boot parameters are from here on: above what real mode's vectors and a BIOS's data are for */
#define PARAMS_FROM 0x10000
/* Linux's trampolines for real mode are below 640 KiB, and it looks for tables up to here */
#define LOW_RAM (1ull << 20)

/* What of it a program is told, laid out as it is allocated */
struct told {
	uint8_t params[PARAMS_SIZE_LONG];
	uint8_t acpi[ACPI_SIZE];
};

_Static_assert(MULTIBOOT_SIZE <= PARAMS_SIZE_LONG, "one is made in the other's place");

struct telling {
	const struct command *c;
	const struct cell_config *config;
	struct images *images;
	struct told *told;
	struct params params;
};

/* In the boot region itself, where the cell can read but not spoil them, behind what starts the images. */
static enum status add_acpi(struct telling *t)
{
	const struct abi_mem *region = boot_region(&t->config->cell);
	uint64_t at = 0;
	size_t size;

	if (region && !pc_place(region, t->images, region->virt + PAGE, ACPI_SIZE, &at))
		return fail(STATUS_SPACE, t->c->name, "no room is left in \"%s\" for ACPI's tables: size = in the cell's text",
			    region->name);
	size = acpi_make(&t->config->cell, &t->config->system, at, t->told->acpi);
	images_add(t->images, "ACPI tables", t->told->acpi, size, at, size);
	t->params.rsdp = at;
	return STATUS_OK;
}

static enum status check_cmdline(const struct telling *t, size_t limit)
{
	size_t length = strlen(t->params.cmdline);

	if (length > limit || length >= PAGE)
		return fail(STATUS_SPACE, t->c->name, "the command line has %zu characters, more than the %zu there may be",
			    length, limit < PAGE ? limit : PAGE - 1);
	return STATUS_OK;
}

static enum status too_many_ranges(const struct telling *t)
{
	return fail(STATUS_SPACE, t->c->name, "the cell has more regions of memory than the %d that can be told", PC_RANGES);
}

/* The largest RAM may be beyond what the loader reaches. */
static enum status place_params(struct telling *t, uint64_t size)
{
	const struct config *cell = &t->config->cell;
	const struct abi_mem *ram = ram_largest(cell);

	if (ram && pc_place(ram, t->images, PARAMS_FROM, size, &t->params.at))
		return STATUS_OK;
	for (uint32_t i = 0; i < cell->cell->mem_count; i++)
		if (mem_is_ram(&cell->mem[i]) && pc_place(&cell->mem[i], t->images, PARAMS_FROM, size, &t->params.at))
			return STATUS_OK;
	return fail(STATUS_SPACE, t->c->name, "no room is left in the cell's RAM below 4 GiB for %llu bytes of boot parameters",
		    (unsigned long long)size);
}

static enum status describe_multiboot(struct telling *t, struct boot_start *start)
{
	enum status s = place_params(t, MULTIBOOT_SIZE);

	if (s)
		return s;
	if (!params_make_multiboot(&t->params, t->told->params))
		return too_many_ranges(t);
	images_add(t->images, "Multiboot information", t->told->params, MULTIBOOT_SIZE, t->params.at, MULTIBOOT_SIZE);
	start->argument = t->params.at;
	return STATUS_OK;
}

static enum status describe_long(struct telling *t, struct boot_start *start)
{
	enum status s = place_params(t, PARAMS_SIZE_LONG);

	if (!s)
		s = add_acpi(t);
	if (s)
		return s;
	if (!params_make(&t->params, t->told->params))
		return too_many_ranges(t);
	start->argument = t->params.at;
	start->tables = t->params.at + PARAMS_TABLES;
	params_make_tables(start->tables, t->told->params + PARAMS_TABLES);
	images_add(t->images, "boot parameters", t->told->params, PARAMS_SIZE_LONG, t->params.at, PARAMS_SIZE_LONG);
	return STATUS_OK;
}

enum status boot_arch_describe(const struct command *c, const struct cell_config *config, const char *cmdline,
			       struct images *images, struct boot_start *start, void **bytes)
{
	struct telling t = { .c = c, .config = config, .images = images, .told = calloc(1, sizeof(*t.told)),
			     .params = { .cell = &config->cell, .cmdline = cmdline ? cmdline : "" } };
	enum status s;

	*bytes = t.told;
	if (!t.told)
		return out_of_memory();
	s = check_cmdline(&t, PAGE - 1);
	if (s)
		return s;
	return start->mode == ABI_BOOT_MULTIBOOT ? describe_multiboot(&t, start) : describe_long(&t, start);
}

/* --- Linux ------------------------------------------------------------------------- */

static const struct abi_mem *ram_holding(const struct config *cell, uint64_t start, uint64_t size)
{
	const struct abi_mem *m = mem_holding(cell, (struct span){ start, size });

	return m && mem_is_ram(m) ? m : NULL;
}

static enum status check_low(const struct linux_job *j)
{
	if (ram_holding(&j->config.cell, 0, LOW_RAM))
		return STATUS_OK;
	return fail(STATUS_SPACE, j->c->name,
		    "cell \"%s\" has no RAM from 0 to 1 MiB, which Linux needs on a PC: guest = 0, access = \"rwx\" in its text, and comm_page = false or above 1 MiB",
		    j->config.cell.cell->name);
}

static enum status add_kernel(struct linux_job *j, const struct bzimage *kernel)
{
	if (!ram_holding(&j->config.cell, kernel->address, kernel->memory))
		return fail(STATUS_SPACE, j->c->name,
			    "the kernel needs RAM from 0x%llx to 0x%llx, which cell \"%s\" has not in one region: give it more in its text",
			    (unsigned long long)kernel->address,
			    (unsigned long long)(kernel->address + kernel->memory - 1), j->config.cell.cell->name);
	images_add(&j->images, j->kernel.path, kernel->code, kernel->code_size, kernel->address, kernel->code_size);
	j->start.entry = kernel->address;
	return STATUS_OK;
}

/* At the end of the kernel's region, but below what its header and 32 bits permit. */
static enum status add_initrd(struct linux_job *j, const struct bzimage *kernel, uint64_t *address)
{
	const struct abi_mem *ram = ram_holding(&j->config.cell, kernel->address, kernel->memory);
	uint64_t end = ram->virt + ram->size, from = kernel->address + kernel->memory;

	*address = 0;
	if (!j->initrd.size)
		return STATUS_OK;
	if (end > kernel->initrd_end)
		end = kernel->initrd_end;
	if (end > boot_arch_end)
		end = boot_arch_end;
	*address = align_down(end - (j->initrd.size < end ? j->initrd.size : end), PAGE);
	if (*address < from)
		return fail(STATUS_SPACE, j->c->name,
			    "kernel and initrd do not fit into \"%s\", %llu bytes are missing: give it more in the cell's text",
			    ram->name, (unsigned long long)(from - *address));
	images_add(&j->images, j->initrd.path, j->initrd.data, j->initrd.size, *address, j->initrd.size);
	return STATUS_OK;
}

static enum status read_tsc(const struct linux_job *j, uint32_t *khz)
{
	char line[32];
	uint64_t value;

	if (!sysfs_line(line, sizeof(line), "tsc_khz") || !number_parse(line, &value) || !value || value > UINT32_MAX)
		return fail(STATUS_ABSENT, j->c->name,
			    "no " JAILHOUSE_SYSFS "/tsc_khz: command and driver are of different versions, install both anew");
	*khz = (uint32_t)value;
	return STATUS_OK;
}

/* In the first page that is free from PARAMS_FROM on: no image is there, as all lie above 1 MiB. */
static enum status tell(struct linux_job *j, struct telling *t, const struct bzimage *kernel)
{
	enum status s = check_cmdline(t, kernel->cmdline_size);

	if (!s)
		s = add_acpi(t);
	if (s)
		return s;
	t->params.at = PARAMS_FROM;
	if (!params_make(&t->params, t->told->params))
		return too_many_ranges(t);
	images_add(&j->images, "boot parameters", t->told->params, PARAMS_SIZE, PARAMS_FROM, PARAMS_SIZE);
	j->start.argument = PARAMS_FROM;
	j->start.mode = ABI_BOOT_LINUX;
	return STATUS_OK;
}

static enum status tell_all(struct linux_job *j, const struct bzimage *kernel, uint64_t initrd)
{
	struct telling t = { .c = j->c, .config = &j->config, .images = &j->images, .told = calloc(1, sizeof(*t.told)),
			     .params = { .cell = &j->config.cell, .kernel = kernel, .initrd = initrd,
					 .initrd_size = j->initrd.size } };
	uint32_t tsc_khz = 0;
	char *cmdline;
	enum status s = read_tsc(j, &tsc_khz);

	j->told = t.told;
	if (s)
		return s;
	cmdline = params_cmdline(&j->config.cell, j->bootargs, tsc_khz);
	if (!cmdline || !t.told) {
		free(cmdline);
		return out_of_memory();
	}
	t.params.cmdline = cmdline;
	s = tell(j, &t, kernel);
	free(cmdline);
	return s;
}

/* What will not be as whoever wrote the cell's text may think; it is loaded all the same. */
static void note_all(const struct linux_job *j)
{
	const struct abi_cell *cell = j->config.cell.cell;
	struct pc_uart uarts[PC_UARTS];

	if (!(cell->flags & ABI_CELL_ABSENT_PORTS))
		fprintf(stderr, "jailhouse: %s: note: a kernel tries ports that cell \"%s\" does not have, and the cell fails: other_ports = \"absent\" in its text\n",
			j->c->name, cell->name);
	if (!pc_uarts(&j->config.cell, uarts))
		fprintf(stderr, "jailhouse: %s: note: the cell has no UART at I/O ports that its file calls its console: the kernel is told of none\n",
			j->c->name);
	if (cell->pci_count)
		fprintf(stderr, "jailhouse: %s: note: the cell's PCI functions are not described to the kernel, which does not find them\n",
			j->c->name);
}

enum status boot_arch_linux(struct linux_job *j)
{
	char problem[PROBLEM_SIZE];
	struct bzimage kernel;
	uint64_t initrd;
	enum status s;

	if (j->print || j->user_tree.path)
		return command_usage(j->c, "kernels here have no device tree", j->print ? "--print-dtb" : "-d");
	if (!bzimage_parse(j->kernel.data, j->kernel.size, &kernel, problem))
		return fail(STATUS_OTHER, j->kernel.path, "%s", problem);
	s = check_low(j);
	if (!s)
		s = add_kernel(j, &kernel);
	if (!s)
		s = add_initrd(j, &kernel, &initrd);
	if (!s)
		s = tell_all(j, &kernel, initrd);
	if (!s)
		note_all(j);
	return s;
}
