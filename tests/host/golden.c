// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>
#include "golden.h"
#include "base/crc.h"

static const struct span mediated[] = {
	{ 0x08000000, 0x10000 },
	{ 0x080a0000, 0xf60000 },
};

const struct admit_limits golden_limits = {
	.max_cpus = 8,
	.guest_end = 1ull << 40,
	.host_end = 1ull << 40,
	.irq_first = 32,
	.irq_end = 1020,
	.mediated = mediated,
	.mediated_count = ARRAY_SIZE(mediated),
};

#define READ_WRITE (ABI_MEM_READ | ABI_MEM_WRITE)
#define ALL_ACCESS (READ_WRITE | ABI_MEM_EXEC)

static const struct abi_console pl011 = {
	.address = 0x09000000,
	.size = 0x1000,
	.type = ABI_CONSOLE_PL011,
	.flags = ABI_CONSOLE_MMIO | ABI_CONSOLE_STRIDE_4,
	.divider = 1,
	.gate_nr = 2,
	.clock_reg = 3,
};

void golden_seal(void *file, size_t size)
{
	struct abi_header *header = file;

	header->crc = 0;
	header->crc = crc32(0, file, size);
}

static struct abi_header header(uint8_t kind, size_t size)
{
	return (struct abi_header){
		.magic = { 'J', 'H', 'C', 'O', 'N', 'F', 'I', 'G' },
		.version = ABI_CONFIG_VERSION,
		.arch = ABI_ARCH_ARM64,
		.kind = kind,
		.size = (uint32_t)size,
	};
}

struct system_file golden_system(void)
{
	struct system_file f = {
		.header = header(ABI_KIND_SYSTEM, sizeof(f)),
		.system = {
			.hypervisor = { 0xbf000000, 0x1000000 },
			.console = pl011,
			.cpu_count = 4,
			.platform.arm64 = {
				.gicd = { 0x08000000, 0x10000 },
				.gicr = { 0x080a0000, 0xf60000 },
				.gic_version = 3,
				.maintenance_irq = 25,
			},
		},
		.hwid = { 0, 1, 0x100, 0x100000001 },
		.cell = {
			.name = "root",
			.mem_count = 4,
			.irq_count = 2,
			.exits = ABI_EXITS_ANY,
			.cpus = { 0xf },
			.console = pl011,
		},
		.mem = {
			[LINUX] = { 0x40000000, 0x40000000, 0x70000000, ALL_ACCESS, 0, "linux" },
			[RAM] = { 0xb0000000, 0xb0000000, 0x0f000000,
				  ALL_ACCESS | ABI_MEM_RESERVED, 0, "ram for cells" },
			[PCI] = { 0x8000000000, 0x8000000000, 0x8000000000,
				  READ_WRITE | ABI_MEM_IO, 0, "pci" },
			[UART] = { 0x09000000, 0x09000000, 0x50000, READ_WRITE | ABI_MEM_IO, 0,
				   "uarts" },
		},
		.irq = { { 32, 100, 32, 0 }, { 132, 888, 132, 0 } },
	};

	golden_seal(&f, sizeof(f));
	return f;
}

struct cell_file golden_cell(void)
{
	struct cell_file f = {
		.header = header(ABI_KIND_CELL, sizeof(f)),
		.cell = {
			.name = "rtos",
			.flags = ABI_CELL_PUTC | ABI_CELL_PUTC_CONSOLE,
			.mem_count = 4,
			.irq_count = 2,
			.exits = ABI_EXITS_ANY,
			.entry = 0x1000,
			.cpus = { 0x8 },
			.console = pl011,
		},
		.mem = {
			[CODE] = { 0xb0000000, 0, 0x200000, ALL_ACCESS | ABI_MEM_LOADABLE, 0, "code" },
			[COMM] = { 0, 0x80000000, 0x1000, READ_WRITE | ABI_MEM_COMM, 0, "comm" },
			[QUEUE] = { 0xb0200000, 0x40000000, 0x3000, READ_WRITE | ABI_MEM_SHARED, 0,
				    "queue" },
			[SERIAL] = { 0x09040000, 0x09040000, 0x1000, READ_WRITE | ABI_MEM_IO, 0,
				     "uart1" },
		},
		.irq = { { 40, 1, 40, 0 }, { 130, 4, 130, 0 } },
	};

	golden_seal(&f, sizeof(f));
	return f;
}

struct config golden_system_config(const struct system_file *f)
{
	return (struct config){ &f->header, &f->system, f->hwid, &f->cell, f->mem, f->irq };
}

struct config golden_cell_config(const struct cell_file *f)
{
	return (struct config){ &f->header, NULL, NULL, &f->cell, f->mem, f->irq };
}
