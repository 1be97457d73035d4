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
	.uart = true,
	.mediated = mediated,
	.mediated_count = ARRAY_SIZE(mediated),
};

static const struct span pc_mediated[] = {
	{ 0xb0000000, 0x10000000 },
	{ 0xfec00000, 0x1000 },
	{ 0xfee00000, 0x1000 },
};

const struct admit_limits golden_pc_limits = {
	.max_cpus = 8,
	.cpu0_stays = true,
	.guest_end = 1ull << 48,
	.host_end = 1ull << 40,
	.irq_first = 0,
	.irq_end = 256,
	.uart = true,
	.pio_end = 0x10000,
	.mediated = pc_mediated,
	.mediated_count = ARRAY_SIZE(pc_mediated),
	.mediated_ports = { 0xcf8, 8 },
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

static const struct abi_console uart_8250 = {
	.address = 0x3f8,
	.size = 8,
	.type = ABI_CONSOLE_8250,
	.divider = 1,
};

static struct abi_header header(uint8_t arch, uint8_t kind, size_t size)
{
	return (struct abi_header){
		.magic = { 'J', 'H', 'C', 'O', 'N', 'F', 'I', 'G' },
		.version = ABI_CONFIG_VERSION,
		.arch = arch,
		.kind = kind,
		.size = (uint32_t)size,
	};
}

struct system_file golden_system(void)
{
	struct system_file f = {
		.header = header(ABI_ARCH_ARM64, ABI_KIND_SYSTEM, sizeof(f)),
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
		.header = header(ABI_ARCH_ARM64, ABI_KIND_CELL, sizeof(f)),
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

struct pc_system_file golden_pc_system(void)
{
	struct pc_system_file f = {
		.header = header(ABI_ARCH_X86_64, ABI_KIND_SYSTEM, sizeof(f)),
		.system = {
			.hypervisor = { 0x3f000000, 0x1000000 },
			.console = uart_8250,
			.cpu_count = 4,
			.platform.x86_64 = {
				.mmconfig = { 0xb0000000, 0x10000000 },
				.ioapic = { { 0xfec00000, 0, 24 }, { 0xfec01000, 24, 32 } },
				.apic_khz = 1000000,
				.pm_timer = 0x608,
			},
		},
		.hwid = { 0, 1, 0x10, UINT32_MAX },
		.cell = {
			.name = "root",
			.mem_count = 4,
			.irq_count = 2,
			.pio_count = 2,
			.exits = ABI_EXITS_ANY,
			.cpus = { 0xf },
		},
		.mem = {
			[LINUX] = { 0, 0, 0x30000000, ALL_ACCESS, 0, "linux" },
			[RAM] = { 0x30000000, 0x30000000, 0x0f000000,
				  ALL_ACCESS | ABI_MEM_RESERVED, 0, "ram for cells" },
			[PCI] = { 0xc0000000, 0xc0000000, 0x3ec00000, READ_WRITE | ABI_MEM_IO, 0,
				  "pci" },
			[UART] = { 0xfed00000, 0xfed00000, 0x1000, READ_WRITE | ABI_MEM_IO, 0,
				   "hpet" },
		},
		.irq = { { 0, 24, 0, 0 }, { 24, 32, 24, 0 } },
		.pio = { { 0, 0xcf8 }, { 0xd00, 0xf300 } },
	};

	golden_seal(&f, sizeof(f));
	return f;
}

struct pc_cell_file golden_pc_cell(void)
{
	struct pc_cell_file f = {
		.header = header(ABI_ARCH_X86_64, ABI_KIND_CELL, sizeof(f)),
		.cell = {
			.name = "rtos",
			.flags = ABI_CELL_PUTC,
			.mem_count = 4,
			.irq_count = 2,
			.pio_count = 2,
			.pci_count = 2,
			.exits = ABI_EXITS_ANY,
			.cpus = { 0x8 },
			.console = uart_8250,
		},
		.mem = {
			[CODE] = { 0x30000000, 0, 0x100000, ALL_ACCESS | ABI_MEM_LOADABLE, 0, "code" },
			[COMM] = { 0, 0x100000, 0x1000, READ_WRITE | ABI_MEM_COMM, 0, "comm" },
			[QUEUE] = { 0x30200000, 0x40000000, 0x3000, READ_WRITE | ABI_MEM_SHARED, 0,
				    "queue" },
			[SERIAL] = { 0xfebf0000, 0xfebf0000, 0x4000, READ_WRITE | ABI_MEM_IO, 0,
				     "nic" },
		},
		.irq = { { 3, 1, 3, 0 }, { 40, 4, 40, 0 } },
		.pio = { { 0x2f8, 8 }, { 0xc000, 0x40 } },
		.pci = { { 0, 0x00fa, 0 }, { 0, 0x0100, 0 } },
	};

	golden_seal(&f, sizeof(f));
	return f;
}

struct config golden_system_config(const struct system_file *f)
{
	return (struct config){ &f->header, &f->system, f->hwid, &f->cell, f->mem, f->irq, NULL, NULL,
				&platform_arm64 };
}

struct config golden_cell_config(const struct cell_file *f)
{
	return (struct config){ &f->header, NULL, NULL, &f->cell, f->mem, f->irq, NULL, NULL,
				&platform_arm64 };
}

struct config golden_pc_system_config(const struct pc_system_file *f)
{
	return (struct config){ &f->header, &f->system, f->hwid, &f->cell, f->mem, f->irq, f->pio, NULL,
				&platform_x86_64 };
}

struct config golden_pc_cell_config(const struct pc_cell_file *f)
{
	return (struct config){ &f->header, NULL, NULL, &f->cell, f->mem, f->irq, f->pio, f->pci,
				&platform_x86_64 };
}
