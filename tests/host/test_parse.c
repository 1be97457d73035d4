// SPDX-License-Identifier: GPL-2.0-only
/* config_parse: good files are read, anything else is refused by the name of the field. */
#include "test.h"
#include "golden.h"

/*
 * Parses a copy that ends where an allocation ends, so that reading beyond is seen, and
 * checks that *out stays as it was on error.
 */
static err_t parse_as(const void *file, size_t size, uint8_t arch, uint8_t kind, struct why *why)
{
	void *copy = malloc(size ? size : 1);
	struct config out, before;
	err_t e;

	memset(&out, 0x5a, sizeof(out));
	memset(&before, 0x5a, sizeof(before));
	memset(why, 0, sizeof(*why));
	memcpy(copy, file, size);
	e = config_parse(copy, size, arch, kind, &out, why);
	if (e != OK) {
		assert_memory_equal(&out, &before, sizeof(out));
		assert_true(why->text[0] != '\0');
	}
	free(copy);
	return e;
}

static err_t parse(const void *file, size_t size, struct why *why)
{
	const struct abi_header *header = file;

	return parse_as(file, size, header->arch, header->kind, why);
}

#define expect_good(file)                                                            \
	do {                                                                         \
		struct why why_;                                                     \
		golden_seal(&(file), sizeof(file));                                  \
		if (parse(&(file), sizeof(file), &why_) != OK)                       \
			fail_msg("refused: %s", why_.text);                          \
	} while (0)

#define expect_bad(file, error, words)                                               \
	do {                                                                         \
		struct why why_;                                                     \
		golden_seal(&(file), sizeof(file));                                  \
		assert_err(parse(&(file), sizeof(file), &why_), error);              \
		assert_why(&why_, words);                                            \
	} while (0)

/* Two pieces of what is said. */
#define expect_bad_flags(file, words, flags)                                         \
	do {                                                                         \
		char said_[32];                                                      \
		snprintf(said_, sizeof(said_), ", flags 0x%x: ", flags);             \
		expect_bad(file, ERR_INVALID, words);                                \
		expect_bad(file, ERR_INVALID, said_);                                \
	} while (0)

static void golden_files_are_read(void **state)
{
	struct system_file s = golden_system();
	struct cell_file c = golden_cell();
	struct config out;
	struct why why;

	(void)state;
	assert_ok(config_parse(&s, sizeof(s), ABI_ARCH_ARM64, ABI_KIND_SYSTEM, &out, &why));
	assert_ptr_equal(out.header, &s.header);
	assert_ptr_equal(out.system, &s.system);
	assert_ptr_equal(out.hwid, s.hwid);
	assert_ptr_equal(out.cell, &s.cell);
	assert_ptr_equal(out.mem, s.mem);
	assert_ptr_equal(out.irq, s.irq);
	assert_ok(config_parse(&c, sizeof(c), ABI_ARCH_ARM64, ABI_KIND_CELL, &out, &why));
	assert_ptr_equal(out.header, &c.header);
	assert_null(out.system);
	assert_null(out.hwid);
	assert_ptr_equal(out.cell, &c.cell);
	assert_ptr_equal(out.mem, c.mem);
	assert_ptr_equal(out.irq, c.irq);
}

static void golden_files_with_ports_are_read(void **state)
{
	struct pc_system_file s = golden_pc_system();
	struct pc_cell_file c = golden_pc_cell();
	struct config out;
	struct why why;

	(void)state;
	assert_ok(config_parse(&s, sizeof(s), ABI_ARCH_X86_64, ABI_KIND_SYSTEM, &out, &why));
	assert_ptr_equal(out.irq, s.irq);
	assert_ptr_equal(out.pio, s.pio);
	assert_int_equal(out.cell->pci_count, 0);
	assert_ok(config_parse(&c, sizeof(c), ABI_ARCH_X86_64, ABI_KIND_CELL, &out, &why));
	assert_ptr_equal(out.mem, c.mem);
	assert_ptr_equal(out.irq, c.irq);
	assert_ptr_equal(out.pio, c.pio);
	assert_ptr_equal(out.pci, c.pci);
}

static void truncate_everywhere(void *file, size_t size)
{
	struct abi_header *header = file;
	struct why why;

	for (size_t n = 0; n < size; n++) {
		header->size = (uint32_t)size;
		golden_seal(file, size);
		assert_err(parse_as(file, n, header->arch, header->kind, &why), ERR_SHORT);
		/* ... and with the size and the checksum made to agree */
		if (n < sizeof(*header))
			continue;
		header->size = (uint32_t)n;
		golden_seal(file, n);
		assert_err(parse_as(file, n, header->arch, header->kind, &why), ERR_SHORT);
	}
}

static void truncated_files_are_short(void **state)
{
	struct system_file s = golden_system();
	struct cell_file c = golden_cell();

	struct pc_system_file ps = golden_pc_system();
	struct pc_cell_file pc = golden_pc_cell();

	(void)state;
	truncate_everywhere(&s, sizeof(s));
	truncate_everywhere(&c, sizeof(c));
	truncate_everywhere(&ps, sizeof(ps));
	truncate_everywhere(&pc, sizeof(pc));
}

static void bytes_behind_the_end_are_refused(void **state)
{
	struct {
		struct cell_file file;
		uint64_t more;
	} f = { .file = golden_cell() };
	struct why why;

	(void)state;
	assert_err(parse(&f, sizeof(f), &why), ERR_INVALID);
	assert_why(&why, "size: ");
	f.file.header.size = sizeof(f);
	expect_bad(f, ERR_INVALID, "size: 8 bytes follow the last record");
}

static void flip_every_bit(uint8_t *file, size_t size, uint8_t arch, uint8_t kind)
{
	struct why why;

	for (size_t bit = 0; bit < size * 8; bit++) {
		file[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (parse_as(file, size, arch, kind, &why) == OK)
			fail_msg("bit %zu of byte %zu flipped and accepted", bit % 8, bit / 8);
		file[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_ok(parse_as(file, size, arch, kind, &why));
}

static void every_flipped_bit_is_refused(void **state)
{
	struct system_file s = golden_system();
	struct cell_file c = golden_cell();

	struct pc_system_file ps = golden_pc_system();
	struct pc_cell_file pc = golden_pc_cell();

	(void)state;
	flip_every_bit((uint8_t *)&s, sizeof(s), ABI_ARCH_ARM64, ABI_KIND_SYSTEM);
	flip_every_bit((uint8_t *)&c, sizeof(c), ABI_ARCH_ARM64, ABI_KIND_CELL);
	flip_every_bit((uint8_t *)&ps, sizeof(ps), ABI_ARCH_X86_64, ABI_KIND_SYSTEM);
	flip_every_bit((uint8_t *)&pc, sizeof(pc), ABI_ARCH_X86_64, ABI_KIND_CELL);
}

static void a_wrong_checksum_is_named(void **state)
{
	struct cell_file c = golden_cell();
	struct why why;

	(void)state;
	c.header.crc ^= 1;
	assert_err(parse(&c, sizeof(c), &why), ERR_INVALID);
	assert_why(&why, "crc: ");
}

/*
 * One field with one value and the answer. Members of more than 8 bytes get the value's
 * low byte at each of their positions in turn. OK: any value is as good as another.
 */
struct row {
	size_t offset;
	size_t size;
	uint64_t value;
	err_t e;
	const char *words;
};

#define ROW(type, member, ...) \
	{ offsetof(type, member), sizeof(((type *)NULL)->member), __VA_ARGS__ }
#define SYS(member, ...) ROW(struct system_file, member, __VA_ARGS__)
#define BAD ERR_INVALID

static const struct row system_rows[] = {
	SYS(header.magic, 0, BAD, "magic: "),
	SYS(header.version, 0, ERR_UNSUPPORTED, "version: the file has 0"),
	SYS(header.version, 1, ERR_UNSUPPORTED, "version: the file has 1"),
	SYS(header.version, 2, ERR_UNSUPPORTED, "version: the file has 2"),
	SYS(header.version, 3, ERR_UNSUPPORTED, "version: the file has 3"),
	SYS(header.version, 5, ERR_UNSUPPORTED, "version: the file has 5"),
	SYS(header.arch, ABI_ARCH_X86_64, ERR_UNSUPPORTED, "arch: "),
	SYS(header.kind, ABI_KIND_CELL, BAD, "kind: 2 where 1"),
	SYS(header.size, 0, BAD, "size: "),
	SYS(header.size, sizeof(struct system_file) - 8, BAD, "size: "),
	SYS(header.size, sizeof(struct system_file) + 8, ERR_SHORT, "size: truncated"),
	SYS(header.size, ABI_CONFIG_MAX_SIZE + 1, BAD, "size: 65537 bytes"),
	SYS(header.reserved, 1, BAD, "header reserved: "),
	SYS(system.hypervisor.start, 0xbf100000, BAD, "hypervisor: "),
	SYS(system.hypervisor.start, 0xffffffffffe00000, BAD, "hypervisor: "),
	SYS(system.hypervisor.size, 0, BAD, "hypervisor: "),
	SYS(system.hypervisor.size, 0x200000, BAD, "hypervisor: "),
	SYS(system.hypervisor.size, 0x400000, OK, NULL),
	SYS(system.hypervisor.size, 0x500000, BAD, "hypervisor: "),
	SYS(system.console.address, UINT64_MAX, BAD, "address 0xffffffffffffffff, size 0x1000: address and size are no span"),
	SYS(system.console.size, 0, BAD, "size 0x0: address and size are no span"),
	SYS(system.console.type, ABI_CONSOLE_NONE, BAD, "system console: type 0, flags 0x3, address 0x9000000, size 0x1000: no type, and other fields set"),
	SYS(system.console.type, 1, BAD, "the type is none of 0"),
	SYS(system.console.type, 4, BAD, "system console: type 4"),
	SYS(system.console.flags, 4, BAD, "flags 0x4, address 0x9000000, size 0x1000: of the flags only"),
	SYS(system.console.flags, ABI_CONSOLE_STRIDE_4, BAD, "a PL011 is reached by MMIO"),
	SYS(system.console.divider, UINT32_MAX, OK, NULL),
	SYS(system.console.gate_nr, UINT32_MAX, OK, NULL),
	SYS(system.console.clock_reg, UINT64_MAX, OK, NULL),
	SYS(system.cpu_count, 0, BAD, "cpu_count: 0"),
	SYS(system.cpu_count, 257, BAD, "cpu_count: 257"),
	SYS(system.cpu_count, 256, ERR_SHORT, "cpu_count: "),
	SYS(system.cpu_count, UINT32_MAX, BAD, "cpu_count: 4294967295"),
	SYS(system.flags, 1, BAD, "system flags: "),
	SYS(system.platform.arm64.gicd.start, 0x08001000, BAD, "gicd: "),
	SYS(system.platform.arm64.gicd.start, 0x08100000, BAD, "gicr: overlaps gicd"),
	SYS(system.platform.arm64.gicd.size, 0, BAD, "gicd: "),
	SYS(system.platform.arm64.gicd.size, UINT64_MAX - 0xffff, BAD, "gicd: "),
	SYS(system.platform.arm64.gicr.start, 0x080a1000, BAD, "gicr: "),
	SYS(system.platform.arm64.gicr.start, 0x08000000, BAD, "gicr 0x8000000 with size 0xf60000, gic_version 3, maintenance_irq 25: gicr: overlaps gicd"),
	SYS(system.platform.arm64.gicr.size, 0, BAD, "gicr: "),
	SYS(system.platform.arm64.gicr.size, 0x60000, BAD, "gicr: "),
	SYS(system.platform.arm64.gicr.size, 0x80000, OK, NULL),
	SYS(system.platform.arm64.gicr.size, 0x81000, BAD, "gicr: "),
	SYS(system.platform.arm64.gic_version, 2, BAD, "gic_version 2, maintenance_irq 25: gic_version: this hypervisor serves 3"),
	SYS(system.platform.arm64.maintenance_irq, 15, BAD, "maintenance_irq 15: maintenance_irq: a per-CPU interrupt"),
	SYS(system.platform.arm64.maintenance_irq, 16, OK, NULL),
	SYS(system.platform.arm64.maintenance_irq, 31, OK, NULL),
	SYS(system.platform.arm64.maintenance_irq, 32, BAD, "maintenance_irq 32: maintenance_irq: a per-CPU interrupt"),
	SYS(system.platform.arm64.reserved, 1, BAD, "platform reserved: "),
	SYS(hwid[0], 0x1000000, BAD, "hwid[0]: "),
	SYS(hwid[1], 0, BAD, "hwid[1]: 0x0 is hwid[0]'s too"),
	SYS(hwid[2], 1ull << 63, BAD, "hwid[2]: "),
	SYS(hwid[3], 0x100, BAD, "hwid[3]: 0x100 is hwid[2]'s too"),
	SYS(cell.name, 0x1f, BAD, "name: "),
	SYS(cell.name, 0x80, BAD, "name: "),
	SYS(cell.flags, 0x80, BAD, "cell flags 0x80 exits 0xffffffff settle_ms 0: unknown"),
	SYS(cell.flags, 1u << 31, BAD, "cell flags 0x80000000 exits 0xffffffff settle_ms 0: unknown"),
	SYS(cell.flags, ABI_CELL_PUTC_CONSOLE, BAD, "cell flags 0x2 exits 0xffffffff settle_ms 0: PUTC_CONSOLE needs PUTC"),
	SYS(cell.flags, ABI_CELL_INJECTED, BAD, "not for the root cell"),
	SYS(cell.flags, ABI_CELL_TRUSTED_WFI, BAD, "not for the root cell"),
	SYS(cell.flags, ABI_CELL_FAIL_ON_VIOLATION, BAD, "not for the root cell"),
	SYS(cell.flags, ABI_CELL_CPUS_COUNTED, BAD, "CPUS_COUNTED and ABSENT_PORTS are not for the root cell"),
	SYS(cell.flags, ABI_CELL_ABSENT_PORTS, BAD, "not for the root cell"),
	SYS(cell.mem_count, 3, BAD, "mem_count 3"),
	SYS(cell.mem_count, 5, ERR_SHORT, "mem_count: "),
	SYS(cell.mem_count, UINT32_MAX, ERR_SHORT, "mem_count: "),
	SYS(cell.irq_count, 1, BAD, "irq_count 1"),
	SYS(cell.irq_count, 3, ERR_SHORT, "irq_count: "),
	SYS(cell.irq_count, UINT32_MAX, ERR_SHORT, "irq_count: "),
	SYS(cell.exits, 0, BAD, "exits 0x0 settle_ms 0: the root cell has no limit on exits, give 0xffffffff"),
	SYS(cell.exits, ABI_EXITS_ANY - 1, BAD, "exits 0xfffffffe settle_ms 0: the root cell has no limit"),
	SYS(cell.settle_ms, 1, BAD, "settle_ms 1: settle_ms needs a limit on exits"),
	SYS(cell.entry, 0x40000000, BAD, "entry: 0x40000000"),
	SYS(cell.pio_count, 1, ERR_SHORT, "pio_count: "),
	SYS(cell.pio_count, UINT16_MAX, ERR_SHORT, "pio_count: "),
	SYS(cell.pci_count, 1, ERR_SHORT, "pci_count: "),
	SYS(cell.pci_count, UINT16_MAX, ERR_SHORT, "pci_count: "),
	SYS(cell.cpus, 0x40, BAD, "cpus: CPU "),
	SYS(cell.cpus[0], 0x7, BAD, "cpus: CPU 3 is missing"),
	SYS(cell.cpus[0], 0x1f, BAD, "cpus: CPU 4 is not the system's"),
	SYS(cell.cpus[1], 0x1, BAD, "cpus: CPU 64 is not the system's"),
	SYS(cell.console.address, UINT64_MAX, BAD, "no span of addresses"),
	SYS(cell.console.size, 0, BAD, "no span of addresses"),
	SYS(cell.console.type, 7, BAD, "cell console: type 7"),
	SYS(cell.console.flags, 0, BAD, "a PL011 is reached by MMIO"),
	SYS(cell.console.flags, 0x8001, BAD, "flags 0x8001, "),
	SYS(cell.console.divider, 0, OK, NULL),
	SYS(cell.console.gate_nr, 0, OK, NULL),
	SYS(cell.console.clock_reg, 0, OK, NULL),
	SYS(cell.uart.address, 0x9000000, BAD, "uart: type 0, address 0x9000000, irq 0: no type"),
	SYS(cell.uart.type, ABI_CONSOLE_PL011, BAD, "uart: type 3, address 0x0, irq 0: the root cell has the machine's"),
	SYS(cell.uart.irq, 40, BAD, "uart: type 0, address 0x0, irq 40: no type"),
	SYS(cell.gicd, 0x8000000, BAD, "gicd 0x8000000, gicr 0x0: a cell on arm64 may"),
	SYS(cell.gicr, 1, BAD, "gicd 0x0, gicr 0x1: a cell on arm64 may"),
};

#define CELL(member, ...) ROW(struct cell_file, member, __VA_ARGS__)

/* Where a cell's file differs from a system's. */
static const struct row cell_rows[] = {
	CELL(header.kind, ABI_KIND_SYSTEM, BAD, "kind: 1 where 2"),
	CELL(header.kind, 3, BAD, "kind: 3 where 2"),
	CELL(header.arch, 0, ERR_UNSUPPORTED, "arch: "),
	CELL(cell.name[0], 0, BAD, "name: "),
	CELL(cell.flags, 0, OK, NULL),
	CELL(cell.flags, ABI_CELL_PUTC, OK, NULL),
	CELL(cell.flags, 0x80, BAD, "cell flags 0x80 exits 0xffffffff settle_ms 0: unknown"),
	CELL(cell.flags, ABI_CELL_INJECTED, OK, NULL),
	CELL(cell.flags, ABI_CELL_TRUSTED_WFI, OK, NULL),
	CELL(cell.flags, ABI_CELL_INJECTED | ABI_CELL_TRUSTED_WFI, BAD, "INJECTED excludes TRUSTED_WFI"),
	CELL(cell.flags, ABI_CELL_ABSENT_PORTS, BAD, "cell flags 0x40 exits 0xffffffff settle_ms 0: ABSENT_PORTS (0x40) is not for this"),
	CELL(cell.flags, ABI_CELL_FAIL_ON_VIOLATION, BAD, "FAIL_ON_VIOLATION needs a limit on exits"),
	CELL(cell.flags, ABI_CELL_CPUS_COUNTED, OK, NULL),
	CELL(cell.flags, ABI_CELL_CPUS_COUNTED | ABI_CELL_INJECTED, OK, NULL),
	CELL(cell.exits, 0, OK, NULL),
	CELL(cell.exits, ABI_EXITS_ANY - 1, OK, NULL),
	CELL(cell.settle_ms, 1, BAD, "settle_ms 1: settle_ms needs a limit on exits"),
	CELL(cell.mem_count, 0, BAD, "mem_count 0"),
	CELL(cell.entry, 0x200000, BAD, "entry: 0x200000"),
	CELL(cell.entry, 0x80000000, BAD, "entry: 0x80000000"),
	CELL(cell.entry, UINT64_MAX - 1, BAD, "entry: 0xfffffffffffffffe is in no memory"),
	CELL(cell.entry, UINT64_MAX, BAD, "entry: 0xffffffffffffffff"),
	CELL(cell.entry, 0x1fffff, OK, NULL),
	CELL(cell.cpus[0], 0, BAD, "cpus: none"),
	CELL(cell.cpus, 0xff, OK, NULL),
	CELL(cell.gicd, 0x8000000, BAD, "gicd 0x8000000, gicr 0x0: give both, as multiples of 0x10000"),
	CELL(cell.gicr, 1, BAD, "gicd 0x0, gicr 0x1: give both, as multiples of 0x10000"),
};

#define MEMORY(member, ...) ROW(struct abi_mem, member, __VA_ARGS__)

/* Of every memory record of both files. */
static const struct row mem_rows[] = {
	MEMORY(phys, 0xb0000001, BAD, "one of phys, virt and size is no multiple of 4096"),
	MEMORY(virt, 0xfff, BAD, "one of phys, virt and size is no multiple of 4096"),
	MEMORY(size, 0, BAD, "size 0; give it one"),
	MEMORY(size, 0x1001, BAD, "one of phys, virt and size is no multiple of 4096"),
	MEMORY(flags, 0, BAD, "flags 0x0: no READ"),
	MEMORY(flags, ABI_MEM_WRITE, BAD, "flags 0x2: no READ"),
	MEMORY(flags, 0x8 | ABI_MEM_READ, BAD, "flags 0x9: unknown"),
	MEMORY(flags, 0x80000001, BAD, "flags 0x80000001: unknown"),
	MEMORY(reserved, 0x100, BAD, "a reserved field is not 0"),
	MEMORY(name, 0x7f, BAD, "name is longer than"),
};

#define IRQ(member, ...) ROW(struct abi_irq, member, __VA_ARGS__)

static const struct row irq_rows[] = {
	IRQ(first, UINT32_MAX, BAD, "first 4294967295, count 1, virt 40: virt is not first"),
	IRQ(count, 0, BAD, "count 0"),
	IRQ(count, UINT32_MAX, BAD, "first 40, count 4294967295, virt 40: beyond 32 bits"),
	IRQ(virt, 41, BAD, "first 40, count 1, virt 41: virt is not first, which needs the cell's flag INJECTED (0x4)"),
	IRQ(reserved, 0x80000000, BAD, "first 40, count 1, virt 40: reserved is not 0"),
};

static void try_row(const void *good, size_t size, size_t at, const struct row *row,
		    const char *prefix)
{
	const struct abi_header *header = good;
	size_t step = row->size > 8 ? 1 : row->size;
	struct why why;

	for (size_t i = 0; i < row->size; i += step) {
		uint8_t *file = malloc(size);
		err_t e;

		memcpy(file, good, size);
		memcpy(file + at + row->offset + i, &row->value, step);
		golden_seal(file, size);
		e = parse_as(file, size, header->arch, header->kind, &why);
		if (e != row->e)
			fail_msg("byte %zu set to 0x%llx: error %d where %d is wanted: %s",
				 at + row->offset + i, (unsigned long long)row->value, e, row->e,
				 why.text);
		if (e != OK) {
			assert_why(&why, prefix);
			assert_why(&why, row->words);
		}
		free(file);
	}
}

/* Marks what the rows change; whoever adds a field to the format has to add a row. */
static void cover(uint8_t *covered, size_t at, const struct row *rows, size_t count)
{
	for (size_t r = 0; r < count; r++)
		memset(covered + at + rows[r].offset, 1, rows[r].size);
}

static void assert_covered(const uint8_t *covered, size_t size, const char *what)
{
	for (size_t i = 0; i < size; i++)
		if (!covered[i])
			fail_msg("no row changes byte %zu of %s", i, what);
}

static void every_field_of_a_system_is_checked(void **state)
{
	struct system_file s = golden_system();
	uint8_t covered[offsetof(struct system_file, mem)] = { 0 };

	(void)state;
	for (size_t r = 0; r < ARRAY_SIZE(system_rows); r++)
		try_row(&s, sizeof(s), 0, &system_rows[r], "");
	cover(covered, 0, system_rows, ARRAY_SIZE(system_rows));
	/* Its own test is a_wrong_checksum_is_named */
	memset(covered + offsetof(struct abi_header, crc), 1, sizeof(s.header.crc));
	assert_covered(covered, sizeof(covered), "a system's file");
}

#define PC(member, ...) ROW(struct pc_system_file, member, __VA_ARGS__)
#define X86(member, ...) PC(system.platform.x86_64.member, __VA_ARGS__)

static const struct row pc_system_rows[] = {
	PC(system.console.flags, ABI_CONSOLE_MMIO, OK, NULL),
	PC(system.console.flags, ABI_CONSOLE_STRIDE_4, OK, NULL),
	PC(system.console.type, ABI_CONSOLE_PL011, BAD, "a PL011 is reached by MMIO"),
	PC(system.console.address, 0xfff8, OK, NULL),
	PC(system.console.address, 0xfff9, BAD, "address 0xfff9, size 0x8: beyond I/O port 0xffff"),
	X86(mmconfig.start, 0xb0080000, BAD, "mmconfig: "),
	X86(mmconfig.start, UINT64_MAX - 0xfffff, BAD, "mmconfig: "),
	X86(mmconfig.size, 0, BAD, "mmconfig: "),
	X86(mmconfig.size, 0x1000, BAD, "mmconfig: "),
	X86(mmconfig.size, 0x100000, OK, NULL),
	X86(mmconfig.size, 0x10100000, BAD, "mmconfig: "),
	X86(ioapic[0].address, 0, BAD, "ioapic[0]: address 0x0, first 0, count 24: no address"),
	X86(ioapic[0].address, 0xfec00010, BAD, "ioapic[0]: address 0xfec00010, first 0, count 24: its address is"),
	X86(ioapic[0].address, 0xb0001000, BAD, "ioapic[0]: address 0xb0001000, first 0, count 24: its registers lie in mmconfig"),
	X86(ioapic[0].address, UINT64_MAX - 0xfff, OK, NULL),
	X86(ioapic[0].first, 1, BAD, "ioapic[1]: address 0xfec01000, first 24, count 32: one before"),
	X86(ioapic[0].first, 100, OK, NULL),
	X86(ioapic[0].first, UINT32_MAX - 22, BAD, "ioapic[0]: address 0xfec00000, first 4294967273"),
	X86(ioapic[0].count, 0, BAD, "ioapic[0]: address 0xfec00000, first 0, count 0: it has"),
	X86(ioapic[0].count, 25, BAD, "ioapic[1]: address 0xfec01000, first 24, count 32: one before"),
	X86(ioapic[1].first, 23, BAD, "ioapic[1]: address 0xfec01000, first 23, count 32: one before"),
	X86(ioapic[1].count, 232, OK, NULL),
	X86(ioapic[1].count, 233, BAD, "ioapic[1]: address 0xfec01000, first 24, count 233: it has"),
	X86(ioapic[1].first, 256, BAD, "ioapic[1]: address 0xfec01000, first 256"),
	X86(ioapic[1].count, 241, BAD, "ioapic[1]: address 0xfec01000, first 24, count 241: it has"),
	X86(ioapic[1].count, UINT32_MAX, BAD, "ioapic[1]: "),
	X86(ioapic[1].address, 0xfec00000, BAD, "ioapic[1]: address 0xfec00000, first 24, count 32: one before"),
	X86(ioapic[2].first, 56, BAD, "ioapic[2]: address 0x0, first 56, count 0: no address"),
	X86(ioapic[2].count, 1, BAD, "ioapic[2]: "),
	X86(ioapic[3].address, 0xfec04000, BAD, "ioapic[3]: address 0xfec04000, first 0, count 0: the one before"),
	X86(ioapic[3].first, 1, BAD, "ioapic[3]: "),
	X86(ioapic[3].count, 1, BAD, "ioapic[3]: "),
	X86(ioapic[2].address, 0xfec02000, BAD, "ioapic[2]: address 0xfec02000, first 0, count 0: it has"),
	X86(apic_khz, UINT32_MAX, OK, NULL),
	X86(pm_timer, UINT16_MAX, OK, NULL),
	X86(reserved16, 1, BAD, "platform reserved: "),
	X86(reserved, 1ull << 63, BAD, "platform reserved: "),
	PC(hwid[3], 1ull << 32, BAD, "hwid[3]: "),
	PC(cell.flags, ABI_CELL_INJECTED, BAD, "not for the root cell"),
	PC(cell.gicr, 0x10000, BAD, "gicd 0x0, gicr 0x10000: a cell on arm64 may"),
	PC(cell.flags, ABI_CELL_ABSENT_PORTS, BAD, "not for the root cell"),
	PC(cell.pio_count, 1, BAD, "pio_count 1"),
	PC(cell.pio_count, 3, ERR_SHORT, "pio_count: "),
	PC(cell.pio_count, UINT16_MAX, ERR_SHORT, "pio_count: "),
	PC(cell.pci_count, 1, ERR_SHORT, "pci_count: "),
};

#define PC_CELL(member, ...) ROW(struct pc_cell_file, member, __VA_ARGS__)

static const struct row pc_cell_rows[] = {
	PC_CELL(cell.flags, ABI_CELL_INJECTED, BAD, "cell flags 0x4 exits 0xffffffff settle_ms 0: INJECTED (0x4), TRUSTED_WFI (0x8) and CPUS_COUNTED (0x20) are not for this"),
	PC_CELL(cell.flags, ABI_CELL_TRUSTED_WFI, BAD, "cell flags 0x8 exits 0xffffffff settle_ms 0: INJECTED (0x4), TRUSTED_WFI (0x8) and CPUS_COUNTED"),
	PC_CELL(cell.flags, ABI_CELL_CPUS_COUNTED, BAD, "cell flags 0x20 exits 0xffffffff settle_ms 0: INJECTED (0x4), TRUSTED_WFI (0x8) and CPUS_COUNTED"),
	PC_CELL(cell.gicd, 0x10000, BAD, "gicd 0x10000, gicr 0x0: a cell on arm64 may"),
	PC_CELL(cell.flags, ABI_CELL_ABSENT_PORTS, OK, NULL),
	PC_CELL(cell.entry, 0xfffff, OK, NULL),
	PC_CELL(cell.entry, 0x100000, BAD, "entry: 0x100000 is in no memory that is EXEC"),
	PC_CELL(cell.entry, 1ull << 32, BAD, "entry: 0x100000000; a CPU starts below 0x100000000"),
	PC_CELL(cell.pio_count, 0, BAD, "pio_count 0 or pci_count 2"),
	PC_CELL(cell.pio_count, 3, ERR_SHORT, "pci_count: "),
	PC_CELL(cell.pio_count, 5, ERR_SHORT, "pio_count: "),
	PC_CELL(cell.pio_count, UINT16_MAX, ERR_SHORT, "pio_count: "),
	PC_CELL(cell.pci_count, 1, BAD, "pio_count 2 or pci_count 1"),
	PC_CELL(cell.pci_count, 3, ERR_SHORT, "pci_count: "),
	PC_CELL(mem[0].flags, ABI_MEM_WRITE, BAD, "size 0x100000, flags 0x2: no READ"),
	PC_CELL(mem[0].flags, ABI_MEM_EXEC, BAD, "size 0x100000, flags 0x4: no READ"),
	PC_CELL(irq[0].virt, 4, BAD, "irq[0]: first 3, count 1, virt 4: virt is not first"),
	PC_CELL(pio[0].first, 0x10000, BAD, "pio[0]: first 0x10000, count 0x8"),
	PC_CELL(pio[0].first, 0xfff8, OK, NULL),
	PC_CELL(pio[0].first, 0xfff9, BAD, "pio[0]: first 0xfff9"),
	PC_CELL(pio[0].first, UINT32_MAX, BAD, "pio[0]: first 0xffffffff"),
	PC_CELL(pio[0].count, 0, BAD, "pio[0]: first 0x2f8, count 0x0"),
	PC_CELL(pio[0].count, UINT32_MAX, BAD, "pio[0]: first 0x2f8, count 0xffffffff"),
	PC_CELL(pio[1].first, 0x2ff, ERR_OVERLAP, "pio[1]: first 0x2ff, count 0x40 overlaps pio[0]'s"),
	PC_CELL(pio[1].first, 0x300, OK, NULL),
	PC_CELL(pio[1].first, 0x2b8, OK, NULL),
	PC_CELL(pio[1].first, 0x2b9, ERR_OVERLAP, "pio[1]: first 0x2b9, count 0x40 overlaps pio[0]'s"),
	PC_CELL(pci[0].segment, 1, BAD, "pci[0]: segment 1, flags 0x0"),
	PC_CELL(pci[1].segment, UINT16_MAX, BAD, "pci[1]: segment 65535"),
	PC_CELL(pci[0].bdf, UINT16_MAX, OK, NULL),
	PC_CELL(pci[1].bdf, 0x00fa, ERR_OVERLAP, "pci[1]: function 0x00fa is pci[0] too"),
	PC_CELL(pci[0].flags, 1, BAD, "pci[0]: segment 0, flags 0x1"),
	PC_CELL(pci[1].flags, 1u << 31, BAD, "pci[1]: segment 0, flags 0x80000000"),
};

static void try_rows(const void *file, size_t size, const struct row *rows, size_t count)
{
	for (size_t r = 0; r < count; r++)
		try_row(file, size, 0, &rows[r], "");
}

static void every_field_of_a_pc_is_checked(void **state)
{
	struct pc_system_file s = golden_pc_system();
	struct pc_cell_file c = golden_pc_cell();
	uint8_t covered[sizeof(struct pc_system_file)] = { 0 };
	uint8_t cell_covered[sizeof(struct pc_cell_file)] = { 0 };
	const size_t platform = offsetof(struct pc_system_file, system.platform);
	const size_t pio = offsetof(struct pc_cell_file, pio[0]);

	(void)state;
	try_rows(&s, sizeof(s), pc_system_rows, ARRAY_SIZE(pc_system_rows));
	try_rows(&c, sizeof(c), pc_cell_rows, ARRAY_SIZE(pc_cell_rows));
	cover(covered, 0, pc_system_rows, ARRAY_SIZE(pc_system_rows));
	assert_covered(covered + platform, sizeof(struct abi_platform_x86_64), "abi_platform_x86_64");
	cover(cell_covered, 0, pc_cell_rows, ARRAY_SIZE(pc_cell_rows));
	assert_covered(cell_covered + pio, sizeof(struct abi_pio), "abi_pio");
	assert_covered(cell_covered + offsetof(struct pc_cell_file, pci[0]), sizeof(struct abi_pci),
		       "abi_pci");
}

static void every_field_of_a_cell_is_checked(void **state)
{
	struct cell_file c = golden_cell();

	(void)state;
	for (size_t r = 0; r < ARRAY_SIZE(cell_rows); r++)
		try_row(&c, sizeof(c), 0, &cell_rows[r], "");
}

static void try_records(const void *file, size_t size, const struct abi_mem *mem, size_t at)
{
	char prefix[64];

	for (size_t i = 0; i < 4; i++)
		for (size_t r = 0; r < ARRAY_SIZE(mem_rows); r++) {
			bool nameless = mem_rows[r].offset == offsetof(struct abi_mem, name);

			snprintf(prefix, sizeof(prefix), nameless ? "memory[%zu]: " :
				 "memory[%zu] \"%s\": ", i, mem[i].name);
			try_row(file, size, at + i * sizeof(*mem), &mem_rows[r], prefix);
		}
}

static void every_field_of_a_record_is_checked(void **state)
{
	struct system_file s = golden_system();
	struct cell_file c = golden_cell();
	uint8_t covered[sizeof(struct abi_mem)] = { 0 };
	uint8_t irq_covered[sizeof(struct abi_irq)] = { 0 };

	(void)state;
	try_records(&s, sizeof(s), s.mem, offsetof(struct system_file, mem));
	try_records(&c, sizeof(c), c.mem, offsetof(struct cell_file, mem));
	cover(covered, 0, mem_rows, ARRAY_SIZE(mem_rows));
	assert_covered(covered, sizeof(covered), "abi_mem");
	/* The first, one line long, may stand anywhere */
	for (size_t r = 0; r < ARRAY_SIZE(irq_rows); r++)
		try_row(&c, sizeof(c), offsetof(struct cell_file, irq), &irq_rows[r], "irq[0]: ");
	cover(irq_covered, 0, irq_rows, ARRAY_SIZE(irq_rows));
	assert_covered(irq_covered, sizeof(irq_covered), "abi_irq");
}

/* What may be together, said once more and differently. */
static bool flags_make_sense(uint32_t f, bool system)
{
	bool io = f & ABI_MEM_IO;

	if (f & ABI_MEM_COMM)
		return !system && f == (ABI_MEM_COMM | ABI_MEM_READ | ABI_MEM_WRITE);
	if ((f & ABI_MEM_LOADABLE) && (system || io || (f & ABI_MEM_SHARED)))
		return false;
	if ((f & ABI_MEM_SHARED) && system)
		return false;
	if ((f & ABI_MEM_RESERVED) && (!system || io))
		return false;
	if ((f & ABI_MEM_BOOT) && (!(f & ABI_MEM_LOADABLE) || (f & ABI_MEM_WRITE)))
		return false;
	return (f & ABI_MEM_READ) && !(io && (f & ABI_MEM_EXEC));
}

static void flags_are_tried_in_every_combination(void **state)
{
	unsigned good = 0;

	(void)state;
	for (uint32_t flags = 0; flags < 2048; flags++) {
		struct system_file s = golden_system();
		struct cell_file c = golden_cell();

		s.mem[UART].flags = flags;
		if ((flags & ~0x3f7u) == 0 && flags_make_sense(flags, true))
			expect_good(s);
		else
			expect_bad_flags(s, "memory[3] \"uarts\": ", flags);

		c.mem[QUEUE].flags = flags;
		if (flags & ABI_MEM_COMM) {
			c.mem[QUEUE].phys = 0;
			c.mem[QUEUE].size = 0x1000;
			c.mem[COMM].flags = ABI_MEM_READ;
		}
		if ((flags & ~0x3f7u) == 0 && flags_make_sense(flags, false)) {
			expect_good(c);
			good++;
		} else {
			expect_bad_flags(c, "memory[2] \"queue\": ", flags);
		}
	}
	/* READ with WRITE and EXEC or not: plain, LOADABLE, SHARED; without EXEC: IO, IO SHARED; COMM; BOOT with EXEC or not */
	assert_int_equal(good, 3 * 4 + 2 * 2 + 1 + 2);
}

static const struct {
	struct abi_uart uart;
	const char *words;	/* NULL: it may be so */
} uarts[] = {
	{ { 0x9000000, ABI_CONSOLE_PL011, 0 }, NULL },
	{ { 0x9000000, ABI_CONSOLE_PL011, 40 }, NULL },
	{ { 0x9000000, ABI_CONSOLE_PL011, 133 }, NULL },
	{ { 0x9000000, ABI_CONSOLE_PL011, 41 }, "its irq is no line of the cell's" },
	{ { 0x9000000, ABI_CONSOLE_PL011, 134 }, "its irq is no line of the cell's" },
	{ { 0x9000000, ABI_CONSOLE_8250, 0 }, "an arm64 cell's is a PL011" },
	{ { 0x9000000, 4, 0 }, "an arm64 cell's is a PL011" },
	{ { 0x9000004, ABI_CONSOLE_PL011, 0 }, "its address is no page" },
	{ { UINT64_MAX - 0xfff, ABI_CONSOLE_PL011, 0 }, NULL },
	{ { 0x1ff000, ABI_CONSOLE_PL011, 0 }, "the cell has memory or ports there" },
	{ { 0x200000, ABI_CONSOLE_PL011, 0 }, NULL },
	{ { 0x80000000, ABI_CONSOLE_PL011, 0 }, "the cell has memory or ports there" },
}, pc_uarts[] = {
	{ { 0x3f8, ABI_CONSOLE_8250, 0 }, NULL },
	{ { 0x3f8, ABI_CONSOLE_8250, 3 }, NULL },
	{ { 0x3f8, ABI_CONSOLE_8250, 4 }, "its irq is no line of the cell's" },
	{ { 0xfff8, ABI_CONSOLE_8250, 0 }, NULL },
	{ { 0xfff9, ABI_CONSOLE_8250, 0 }, "its ports are none" },
	{ { UINT64_MAX, ABI_CONSOLE_8250, 0 }, "its ports are none" },
	{ { 0x2f1, ABI_CONSOLE_8250, 0 }, "the cell has memory or ports there" },
	{ { 0x3f8, ABI_CONSOLE_PL011, 0 }, "an x86 cell's an 8250" },
};

static void uarts_are_a_pages_or_eight_ports_of_their_own(void **state)
{
	struct cell_file c = golden_cell();
	struct pc_cell_file pc = golden_pc_cell();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(uarts); i++) {
		c.cell.uart = uarts[i].uart;
		if (uarts[i].words)
			expect_bad(c, ERR_INVALID, uarts[i].words);
		else
			expect_good(c);
	}
	for (size_t i = 0; i < ARRAY_SIZE(pc_uarts); i++) {
		pc.cell.uart = pc_uarts[i].uart;
		if (pc_uarts[i].words)
			expect_bad(pc, ERR_INVALID, pc_uarts[i].words);
		else
			expect_good(pc);
	}
}

static void spans_may_end_at_the_last_address_but_not_wrap(void **state)
{
	struct cell_file c = golden_cell();
	struct system_file s = golden_system();

	(void)state;
	c.mem[QUEUE].phys = UINT64_MAX - 0x2fff;
	expect_good(c);
	c.mem[QUEUE].phys += 0x1000;
	expect_bad(c, ERR_INVALID, "memory[2] \"queue\": phys 0xffffffffffffe000, ");
	c = golden_cell();
	c.mem[QUEUE].virt = UINT64_MAX - 0x2fff;
	expect_good(c);
	c.mem[QUEUE].virt += 0x1000;
	expect_bad(c, ERR_INVALID, "virt 0xffffffffffffe000, size 0x3000, flags 0x83: beyond 64 bits");
	s.mem[PCI].phys = s.mem[PCI].virt = 0xfffffff000000000;
	expect_bad(s, ERR_INVALID, "memory[2] \"pci\": phys 0xfffffff000000000");
}

static void guest_addresses_overlap_nothing(void **state)
{
	struct cell_file c = golden_cell();

	(void)state;
	c.mem[QUEUE].virt = 0x1ff000;
	expect_bad(c, ERR_OVERLAP, "memory[2] \"queue\": virt 0x1ff000-0x201fff overlaps memory[0] \"code\"");
	c.mem[QUEUE].virt = 0x200000;
	expect_good(c);
	c.mem[SERIAL].virt = 0x80000000;
	expect_bad(c, ERR_OVERLAP, "memory[3] \"uart1\": virt 0x80000000-0x80000fff overlaps memory[1] \"comm\"");
}

static void a_communication_page_is_one_page(void **state)
{
	struct cell_file c = golden_cell();

	(void)state;
	c.mem[COMM].size = 0x2000;
	expect_bad(c, ERR_INVALID, "size 0x2000, flags 0x23: a COMM region has size 0x1000");
	c = golden_cell();
	c.mem[COMM].phys = 0x1000;
	expect_bad(c, ERR_INVALID, "memory[1] \"comm\": phys 0x1000, ");
	c = golden_cell();
	c.mem[QUEUE] = c.mem[COMM];
	c.mem[QUEUE].virt = 0;
	c.mem[CODE].virt = 0x10000000;
	c.cell.entry = 0x10000000;
	expect_bad(c, ERR_INVALID, "memory[2] \"comm\": flags 0x23: memory[1]");
}

static void the_root_cell_is_mapped_where_it_lies(void **state)
{
	struct system_file s = golden_system();

	(void)state;
	s.mem[RAM].virt = 0xd0000000;
	expect_bad(s, ERR_INVALID, "memory[1] \"ram for cells\": phys 0xb0000000, virt 0xd0000000, size 0xf000000, flags 0x107: virt is not phys");
}

static void names_are_terminated_text(void **state)
{
	struct cell_file c = golden_cell();

	(void)state;
	memset(c.cell.name, 'n', sizeof(c.cell.name));
	expect_bad(c, ERR_INVALID, "name: ");
	c.cell.name[31] = '\0';
	expect_good(c);
	memset(c.cell.name, 0, sizeof(c.cell.name));
	expect_bad(c, ERR_INVALID, "name: ");
	strcpy(c.cell.name, " ~");
	expect_good(c);
	memset(c.mem[0].name, 'm', sizeof(c.mem[0].name));
	expect_bad(c, ERR_INVALID, "memory[0]: name ");
	memset(c.mem[0].name, 0, sizeof(c.mem[0].name));
	expect_good(c);
}

static void interrupts_overlap_nothing(void **state)
{
	struct cell_file c = golden_cell();

	(void)state;
	c.irq[1] = (struct abi_irq){ 30, 11, 30, 0 };
	expect_bad(c, ERR_OVERLAP, "irq[1]: first 30, count 11 overlaps irq[0]'s");
	c.irq[1] = (struct abi_irq){ 30, 10, 30, 0 };
	expect_good(c);
	c.irq[1] = (struct abi_irq){ UINT32_MAX, 1, UINT32_MAX, 0 };
	expect_good(c);
	c.irq[1] = (struct abi_irq){ UINT32_MAX, 2, UINT32_MAX, 0 };
	expect_bad(c, ERR_INVALID, "irq[1]: first 4294967295, count 2, virt 4294967295: beyond 32 bits");
}

/* The cell's own numbers, which only an injected cell chooses. */
static void renumbered_interrupts_overlap_nothing(void **state)
{
	struct cell_file c = golden_cell();

	(void)state;
	c.cell.flags |= ABI_CELL_INJECTED;
	c.irq[1] = (struct abi_irq){ 130, 4, 36, 0 };
	expect_good(c);
	/* ... and may be what another line is for the machine */
	c.irq[0].virt = 130;
	expect_good(c);
	c.irq[0].virt = 39;
	expect_bad(c, ERR_OVERLAP, "irq[1]: virt 36, count 4 overlaps irq[0]'s");
	c.irq[0].virt = 40;
	c.irq[1].virt = 37;
	expect_bad(c, ERR_OVERLAP, "irq[1]: virt 37, count 4 overlaps irq[0]'s");
	c.irq[1].virt = UINT32_MAX - 3;
	expect_good(c);
	c.irq[1].virt = UINT32_MAX - 2;
	expect_bad(c, ERR_INVALID, "virt 4294967293: beyond 32 bits");
	/* The machine's lines are checked as if there were no other numbers */
	c.irq[1] = (struct abi_irq){ 38, 4, 500, 0 };
	expect_bad(c, ERR_OVERLAP, "irq[1]: first 38, count 4 overlaps irq[0]'s");
	c.irq[1] = (struct abi_irq){ UINT32_MAX, 2, 500, 0 };
	expect_bad(c, ERR_INVALID, "first 4294967295, count 2, virt 500: beyond 32 bits");
	c.irq[1] = (struct abi_irq){ 130, 4, 36, 0 };
	c.cell.flags &= ~(uint32_t)ABI_CELL_INJECTED;
	expect_bad(c, ERR_INVALID, "irq[1]: first 130, count 4, virt 36: virt is not first");
}

static void a_limit_on_exits_settles_in_time(void **state)
{
	static const uint32_t limits[] = { 0, 1, ABI_EXITS_ANY - 1 };
	struct cell_file c = golden_cell();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		c.cell.exits = limits[i];
		c.cell.settle_ms = 0;
		expect_good(c);
		c.cell.flags |= ABI_CELL_FAIL_ON_VIOLATION;
		expect_good(c);
		c.cell.settle_ms = ABI_SETTLE_MAX_MS;
		expect_good(c);
		c.cell.settle_ms++;
		expect_bad(c, ERR_INVALID, "settle_ms 600001: settle_ms is at most 600000");
		c.cell.flags &= ~(uint32_t)ABI_CELL_FAIL_ON_VIOLATION;
	}
}

/* What may be together, said once more and differently. */
static bool cell_flags_make_sense(uint32_t f, bool limited, bool system)
{
	bool console = f & ABI_CELL_PUTC_CONSOLE, trusted = f & ABI_CELL_TRUSTED_WFI;

	if (f >= 0x40 || (console && !(f & ABI_CELL_PUTC)) || (trusted && (f & ABI_CELL_INJECTED)))
		return false;
	return system ? f < 4 && !limited : limited || !(f & ABI_CELL_FAIL_ON_VIOLATION);
}

static void cell_flags_are_tried_in_every_combination(void **state)
{
	unsigned good[2] = { 0, 0 };

	(void)state;
	for (uint32_t i = 0; i < 256; i++) {
		struct system_file s = golden_system();
		struct cell_file c = golden_cell();
		uint32_t flags = i / 2;
		bool limited = i % 2;

		s.cell.flags = c.cell.flags = flags;
		s.cell.exits = c.cell.exits = limited ? 7 : ABI_EXITS_ANY;
		if (cell_flags_make_sense(flags, limited, true)) {
			expect_good(s);
			good[0]++;
		} else {
			expect_bad(s, ERR_INVALID, "cell flags ");
		}
		if (cell_flags_make_sense(flags, limited, false)) {
			expect_good(c);
			good[1]++;
		} else {
			expect_bad(c, ERR_INVALID, "cell flags ");
		}
	}
	/* Three ways to print; of those, three of interrupts, limited and strict or lenient, or not limited; CPUs counted or not */
	assert_int_equal(good[0], 3);
	assert_int_equal(good[1], 3 * 3 * 3 * 2);
}

static void the_interrupt_controller_may_be_seen_elsewhere(void **state)
{
	struct cell_file c = golden_cell();

	(void)state;
	c.cell.gicd = 0x50000000;
	c.cell.gicr = 0x50010000;
	expect_good(c);
	c.cell.gicr = 0x10000;
	expect_good(c);
	c.cell.gicr = 0x50018000;
	expect_bad(c, ERR_INVALID, "gicd 0x50000000, gicr 0x50018000: give both, as multiples of 0x10000");
	c.cell.gicr = 0xffffffffffff0000;
	c.cell.gicd = 0x50001000;
	expect_bad(c, ERR_INVALID, "gicd 0x50001000, gicr 0xffffffffffff0000: give both");
	c.cell.gicd = 0;
	expect_bad(c, ERR_INVALID, "gicd 0x0, gicr 0xffffffffffff0000: give both, as multiples");
}

static void consoles_make_sense(void **state)
{
	struct cell_file c = golden_cell();

	(void)state;
	c.cell.console = (struct abi_console){ .type = ABI_CONSOLE_NONE };
	expect_good(c);
	c.cell.console.clock_reg = 1;
	expect_bad(c, ERR_INVALID, "cell console: type 0, flags 0x0, address 0x0, size 0x0: no type, and other fields set");
	c.cell.console = (struct abi_console){ .address = 0x3f8, .size = 8, .type = ABI_CONSOLE_8250 };
	expect_bad(c, ERR_INVALID, "this architecture has no I/O ports; set flag 0x1");
	c.cell.console.flags = ABI_CONSOLE_MMIO;
	expect_good(c);
}

static void consoles_by_port_lie_within_the_ports(void **state)
{
	struct pc_cell_file c = golden_pc_cell();

	(void)state;
	c.cell.console.address = 0xfff8;
	expect_good(c);
	c.cell.console.address = 0xfff9;
	expect_bad(c, ERR_INVALID, "cell console: type 2, flags 0x0, address 0xfff9, size 0x8: beyond I/O port 0xffff");
	c.cell.console.flags = ABI_CONSOLE_MMIO;
	expect_good(c);
}

static void only_some_architectures_have_ports_and_functions(void **state)
{
	struct pc_cell_file c = golden_pc_cell();
	struct pc_system_file s = golden_pc_system();
	struct {
		struct pc_system_file file;
		struct abi_pci pci;
	} f;

	(void)state;
	c.header.arch = ABI_ARCH_ARM64;
	expect_bad(c, ERR_INVALID, "pio_count 2, pci_count 2: this architecture has no I/O ports");
	c.cell.pci_count += c.cell.pio_count;
	c.cell.pio_count = 0;
	expect_bad(c, ERR_INVALID, "pio_count 0, pci_count 4: this architecture has no I/O ports");
	f.file = s;
	f.pci = (struct abi_pci){ 0, 0x0100, 0 };
	f.file.header.size = sizeof(f);
	f.file.cell.pci_count = 1;
	expect_bad(f, ERR_INVALID, "pci_count 1: the root cell has all functions that are no cell's");
}

static void a_cell_without_lists_has_no_entry(void **state)
{
	struct {
		struct abi_header header;
		struct abi_cell cell;
	} f;
	struct cell_file c = golden_cell();

	(void)state;
	f.header = c.header;
	f.header.size = sizeof(f);
	f.cell = c.cell;
	f.cell.mem_count = f.cell.irq_count = 0;
	expect_bad(f, ERR_INVALID, "entry: 0x1000");
}

static void one_cpu_is_a_system(void **state)
{
	struct {
		struct abi_header header;
		struct abi_system system;
		uint64_t hwid[1];
		struct abi_cell cell;
	} f;
	struct system_file s = golden_system();

	(void)state;
	f.header = s.header;
	f.header.size = sizeof(f);
	f.system = s.system;
	f.system.cpu_count = 1;
	f.hwid[0] = 0;
	f.cell = s.cell;
	f.cell.mem_count = f.cell.irq_count = 0;
	f.cell.cpus[0] = 1;
	expect_good(f);
	f.cell.cpus[0] = 3;
	expect_bad(f, ERR_INVALID, "cpus: CPU 1 is not the system's; the root cell has exactly the system's, 0 to 0");
}

/* As large as a file may be, and a record more. */
static void the_largest_file_is_read(void **state)
{
	static struct {
		struct abi_header header;
		struct abi_cell cell;
		struct abi_mem mem[1020];
		struct abi_irq irq[5];
	} f;
	struct cell_file c = golden_cell();
	struct why why;
	const size_t size = offsetof(__typeof__(f), irq[4]);

	(void)state;
	assert_int_equal(size, ABI_CONFIG_MAX_SIZE);
	f.header = c.header;
	f.header.size = ABI_CONFIG_MAX_SIZE;
	f.cell = c.cell;
	f.cell.mem_count = ARRAY_SIZE(f.mem);
	f.cell.irq_count = 4;
	for (uint32_t i = 0; i < ARRAY_SIZE(f.mem); i++) {
		f.mem[i] = c.mem[CODE];
		f.mem[i].virt = i * c.mem[CODE].size;
	}
	for (uint32_t i = 0; i < ARRAY_SIZE(f.irq); i++)
		f.irq[i] = (struct abi_irq){ 40 + i, 1, 40 + i, 0 };
	golden_seal(&f, size);
	assert_ok(parse(&f, size, &why));
	f.header.size = sizeof(f);
	f.cell.irq_count = 5;
	expect_bad(f, ERR_INVALID, "size: 65552 bytes");
}

static void a_pc_may_lack_what_is_optional(void **state)
{
	struct pc_system_file s = golden_pc_system();

	(void)state;
	s.system.platform.x86_64 = (struct abi_platform_x86_64){ .reserved = 0 };
	expect_good(s);
	s.system.console = (struct abi_console){ .type = ABI_CONSOLE_NONE };
	expect_good(s);
}

static void other_architectures_are_not_known(void **state)
{
	struct system_file s = golden_system();
	struct cell_file c = golden_cell();
	struct why why;

	(void)state;
	for (unsigned arch = 0; arch < 256; arch++) {
		if (arch == ABI_ARCH_ARM64 || arch == ABI_ARCH_X86_64)
			continue;
		s.header.arch = c.header.arch = (uint8_t)arch;
		assert_err(parse_as(&s, sizeof(s), (uint8_t)arch, ABI_KIND_SYSTEM, &why),
			   ERR_UNSUPPORTED);
		assert_why(&why, "arch: ");
		assert_err(parse_as(&c, sizeof(c), (uint8_t)arch, ABI_KIND_CELL, &why),
			   ERR_UNSUPPORTED);
		assert_why(&why, "arch: ");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_files_are_read),
		cmocka_unit_test(golden_files_with_ports_are_read),
		cmocka_unit_test(truncated_files_are_short),
		cmocka_unit_test(bytes_behind_the_end_are_refused),
		cmocka_unit_test(every_flipped_bit_is_refused),
		cmocka_unit_test(a_wrong_checksum_is_named),
		cmocka_unit_test(every_field_of_a_system_is_checked),
		cmocka_unit_test(every_field_of_a_cell_is_checked),
		cmocka_unit_test(every_field_of_a_record_is_checked),
		cmocka_unit_test(every_field_of_a_pc_is_checked),
		cmocka_unit_test(flags_are_tried_in_every_combination),
		cmocka_unit_test(uarts_are_a_pages_or_eight_ports_of_their_own),
		cmocka_unit_test(spans_may_end_at_the_last_address_but_not_wrap),
		cmocka_unit_test(guest_addresses_overlap_nothing),
		cmocka_unit_test(a_communication_page_is_one_page),
		cmocka_unit_test(the_root_cell_is_mapped_where_it_lies),
		cmocka_unit_test(names_are_terminated_text),
		cmocka_unit_test(interrupts_overlap_nothing),
		cmocka_unit_test(renumbered_interrupts_overlap_nothing),
		cmocka_unit_test(a_limit_on_exits_settles_in_time),
		cmocka_unit_test(cell_flags_are_tried_in_every_combination),
		cmocka_unit_test(the_interrupt_controller_may_be_seen_elsewhere),
		cmocka_unit_test(consoles_make_sense),
		cmocka_unit_test(consoles_by_port_lie_within_the_ports),
		cmocka_unit_test(only_some_architectures_have_ports_and_functions),
		cmocka_unit_test(a_cell_without_lists_has_no_entry),
		cmocka_unit_test(one_cpu_is_a_system),
		cmocka_unit_test(the_largest_file_is_read),
		cmocka_unit_test(a_pc_may_lack_what_is_optional),
		cmocka_unit_test(other_architectures_are_not_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
