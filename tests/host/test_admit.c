// SPDX-License-Identifier: GPL-2.0-only
/* The ownership rules: one case each, every pair of owners, and a slow model of them. */
#include "test.h"
#include "golden.h"
#include "base/bits.h"

#define READ_WRITE (ABI_MEM_READ | ABI_MEM_WRITE)
#define ALL_ACCESS (READ_WRITE | ABI_MEM_EXEC)

static err_t try_system(const struct system_file *s, struct why *why)
{
	struct config system = golden_system_config(s);
	err_t e;

	memset(why, 0, sizeof(*why));
	e = admit_system(&system, &golden_limits, why);
	assert_int_equal(e == OK, why->text[0] == '\0');
	return e;
}

/* Against the golden system and, unless it is NULL, one cell. */
static err_t try_cell(const struct cell_file *c, const struct cell_file *there, struct why *why)
{
	struct system_file s = golden_system();
	struct config system = golden_system_config(&s);
	struct config cell = golden_cell_config(c), inside;
	const struct config *cells[] = { &inside };
	err_t e;

	memset(why, 0, sizeof(*why));
	if (there)
		inside = golden_cell_config(there);
	e = admit_cell(&cell, &system, cells, there ? 1 : 0, &golden_limits, why);
	assert_int_equal(e == OK, why->text[0] == '\0');
	return e;
}

#define expect_system(file, error, words)                         \
	do {                                                      \
		struct why why_;                                  \
		assert_err(try_system(&(file), &why_), error);    \
		assert_why(&why_, words);                         \
	} while (0)

#define expect_cell(file, there, error, words)                       \
	do {                                                         \
		struct why why_;                                     \
		assert_err(try_cell(&(file), there, &why_), error);  \
		assert_why(&why_, words);                            \
	} while (0)

/* A cell that takes nothing of the golden one's. */
static struct cell_file second_cell(void)
{
	struct cell_file c = golden_cell();

	strcpy(c.cell.name, "compute");
	c.cell.cpus[0] = 0x4;
	c.mem[CODE].phys = 0xb8000000;
	c.mem[QUEUE].phys = 0xb9000000;
	c.mem[SERIAL].phys = 0x09030000;
	c.irq[0].first = c.irq[0].virt = 41;
	c.irq[1].first = c.irq[1].virt = 500;
	return c;
}

static void the_golden_ones_are_admitted(void **state)
{
	struct system_file s = golden_system();
	struct cell_file c = golden_cell(), d = second_cell();

	(void)state;
	expect_system(s, OK, "");
	expect_cell(c, NULL, OK, "");
	expect_cell(d, &c, OK, "");
	expect_cell(c, &d, OK, "");
}

static void a_system_fits_the_machine(void **state)
{
	struct system_file s = golden_system();

	(void)state;
	s.system.cpu_count = 8;
	expect_system(s, OK, "");
	s.system.cpu_count = 9;
	expect_system(s, ERR_RANGE, "cpu_count: 9");
	s = golden_system();
	s.mem[PCI].size -= s.system.hypervisor.size;
	s.system.hypervisor.start = golden_limits.host_end - s.system.hypervisor.size;
	expect_system(s, OK, "");
	s.system.hypervisor.start += 0x200000;
	expect_system(s, ERR_RANGE, "; this machine's addresses end at 0xffffffffff");
	s = golden_system();
	s.mem[PCI].size += 0x1000;
	expect_system(s, ERR_RANGE, "memory[2] \"pci\": 0x8000000000-0x10000000fff; this machine's addresses end at 0xffffffffff");
	s = golden_system();
	s.irq[0].first--;
	expect_system(s, ERR_RANGE, "irq[0]: first 31-130; this machine's lines are 32 to 1019");
	s = golden_system();
	s.irq[1].count++;
	expect_system(s, ERR_RANGE, "irq[1]: first 132-1020");
	s.irq[1] = (struct abi_irq){ UINT32_MAX, 1, UINT32_MAX, 0 };
	expect_system(s, ERR_RANGE, "irq[1]: first 4294967295-4294967295");
}

static void guest_addresses_end_first_where_they_are_fewer(void **state)
{
	struct admit_limits limits = golden_limits;
	struct system_file s = golden_system();
	struct config system = golden_system_config(&s);
	struct why why;

	(void)state;
	limits.guest_end = 1ull << 39;
	assert_err(admit_system(&system, &limits, &why), ERR_RANGE);
	assert_why(&why, "memory[2] \"pci\": ");
	limits.guest_end = golden_limits.guest_end;
	limits.host_end = 1ull << 39;
	assert_err(admit_system(&system, &limits, &why), ERR_RANGE);
	assert_why(&why, "memory[2] \"pci\": ");
}

static void the_interrupt_controller_is_where_the_machine_has_addresses(void **state)
{
	struct span mediated[] = { { 0x08000000, 0x10000 }, { 0 } };
	struct admit_limits limits = golden_limits;
	struct system_file s = golden_system();
	struct config system = golden_system_config(&s);
	struct why why;

	(void)state;
	limits.mediated = mediated;
	limits.mediated_count = ARRAY_SIZE(mediated);
	mediated[1] = (struct span){ limits.host_end - 0x100000, 0x100000 };
	s.mem[PCI].size -= 0x100000;
	assert_err(admit_system(&system, &limits, &why), OK);
	mediated[1].size += 0x10000;
	assert_err(admit_system(&system, &limits, &why), ERR_RANGE);
	assert_why(&why, "registers: 0xfffff00000-0x1000000ffff; this machine's addresses end at 0xffffffffff");
	mediated[1] = (struct span){ UINT64_MAX - 0xffff, 0x20000 };
	assert_err(admit_system(&system, &limits, &why), ERR_RANGE);
}

static void a_system_gives_nothing_away_twice(void **state)
{
	struct system_file s = golden_system();

	(void)state;
	s.system.hypervisor.start = 0x08000000;
	expect_system(s, ERR_OVERLAP, "hypervisor: ");
	s = golden_system();
	s.mem[RAM].size += 0x1000;
	expect_system(s, ERR_OVERLAP, "memory[1] \"ram for cells\": 0xb0000000-0xbf000fff overlaps the hypervisor's");
	s = golden_system();
	s.mem[LINUX].size += 0x1000;
	expect_system(s, ERR_OVERLAP, "memory[1] \"ram for cells\": 0xb0000000-0xbeffffff overlaps memory[0] \"linux\"");
	s = golden_system();
	s.mem[UART].phys = s.mem[UART].virt = 0x08fc0000;
	expect_system(s, ERR_OVERLAP, "memory[3] \"uarts\": 0x8fc0000-0x900ffff overlaps the interrupt controller's");
	s.mem[UART].size = 0x40000;
	s.mem[UART].phys = s.mem[UART].virt = 0x08010000;
	expect_system(s, OK, "");
}

static void the_hypervisors_console_is_a_device(void **state)
{
	struct system_file s = golden_system();

	(void)state;
	s.system.console.address = 0xbf000000;
	expect_system(s, ERR_OVERLAP, "system console: ");
	s.system.console.address = 0x08000000;
	expect_system(s, ERR_OVERLAP, "system console: ");
	s.system.console.address = 1ull << 40;
	expect_system(s, ERR_RANGE, "system console: ");
	s.system.console = (struct abi_console){ .type = ABI_CONSOLE_NONE };
	expect_system(s, OK, "");
	s.system.console = (struct abi_console){ .address = 0x3f8, .size = 8, .type = ABI_CONSOLE_8250 };
	expect_system(s, ERR_RANGE, "system console: ports 0x3f8-0x3ff: this machine has not got");
}

static err_t try_pc_system(const struct pc_system_file *s, struct why *why)
{
	struct config system = golden_pc_system_config(s);

	memset(why, 0, sizeof(*why));
	return admit_system(&system, &golden_pc_limits, why);
}

/* Against the golden system and, unless it is NULL, one cell. */
static err_t try_pc_cell(const struct pc_cell_file *c, const struct pc_cell_file *there,
			 struct why *why)
{
	struct pc_system_file s = golden_pc_system();
	struct config system = golden_pc_system_config(&s);
	struct config cell = golden_pc_cell_config(c), inside;
	const struct config *cells[] = { &inside };

	memset(why, 0, sizeof(*why));
	if (there)
		inside = golden_pc_cell_config(there);
	return admit_cell(&cell, &system, cells, there ? 1 : 0, &golden_pc_limits, why);
}

#define expect_pc_system(file, error, words)                         \
	do {                                                         \
		struct why why_;                                     \
		assert_err(try_pc_system(&(file), &why_), error);    \
		assert_why(&why_, words);                            \
	} while (0)

#define expect_pc_cell(file, there, error, words)                       \
	do {                                                            \
		struct why why_;                                        \
		assert_err(try_pc_cell(&(file), there, &why_), error);  \
		assert_why(&why_, words);                               \
	} while (0)

/* A cell that takes nothing of the golden one's. */
static struct pc_cell_file second_pc_cell(void)
{
	struct pc_cell_file c = golden_pc_cell();

	strcpy(c.cell.name, "compute");
	c.cell.cpus[0] = 0x4;
	c.mem[CODE].phys = 0x34000000;
	c.mem[SERIAL].phys = 0xfebe0000;
	c.irq[0].first = c.irq[0].virt = 4;
	c.irq[1].first = c.irq[1].virt = 50;
	c.pio[0].first = 0x3e8;
	c.pio[1].first = 0xc100;
	c.pci[0].bdf = 0x00f8;
	c.pci[1].bdf = 0x0101;
	return c;
}

static void the_golden_pcs_are_admitted(void **state)
{
	struct pc_system_file s = golden_pc_system();
	struct pc_cell_file c = golden_pc_cell(), d = second_pc_cell();

	(void)state;
	expect_pc_system(s, OK, "");
	expect_pc_cell(c, NULL, OK, "");
	expect_pc_cell(d, &c, OK, "");
	expect_pc_cell(c, &d, OK, "");
}

static void ports_of_a_system_are_there_and_not_mediated(void **state)
{
	struct pc_system_file s = golden_pc_system();

	(void)state;
	s.pio[0].count++;
	expect_pc_system(s, ERR_RANGE, "pio[0]: ports 0x0-0xcf8: some are PCI configuration space's");
	s = golden_pc_system();
	s.pio[1].first--;
	expect_pc_system(s, ERR_RANGE, "pio[1]: ports 0xcff-0xfffe: some are PCI");
	s.pio[1].first += 2;
	expect_pc_system(s, ERR_RANGE, "pio[1]: ports 0xd01-0x10000: this machine has not got");
	s = golden_pc_system();
	s.system.console.address = 0xcf1;
	expect_pc_system(s, ERR_RANGE, "system console: ports 0xcf1-0xcf8: some are");
	s.system.console.address = 0xcf0;
	expect_pc_system(s, OK, "");
	/* Ports are no memory */
	s.system.console.address = 0x3f8;
	s.system.hypervisor = (struct abi_span){ 0, 0x400000 };
	s.cell.mem_count = 0;
	expect_pc_system(s, OK, "");
}

static void ports_have_one_owner(void **state)
{
	struct pc_cell_file c = golden_pc_cell(), d = second_pc_cell();
	struct pc_system_file s = golden_pc_system();
	struct config system, cell;
	struct why why;

	(void)state;
	d.pio[0].first = 0x2f1;
	expect_pc_cell(d, &c, ERR_OVERLAP, "pio[0]: 0x2f1-0x2f8 overlaps cell \"rtos\"'s 0x2f8-0x2ff; a port");
	d.pio[0].first = 0x2ff;
	expect_pc_cell(d, &c, ERR_OVERLAP, "pio[0]: 0x2ff-0x306 overlaps");
	d.pio[0].first = 0x2f0;
	expect_pc_cell(d, &c, OK, "");
	d.pio[0].first = 0x300;
	expect_pc_cell(d, &c, OK, "");
	d.pio[0].first = 0xcf0;
	expect_pc_cell(d, &c, OK, "");
	d.pio[0].first = 0xcf1;
	expect_pc_cell(d, &c, ERR_RANGE, "pio[0]: ports 0xcf1-0xcf8: some are");
	d.pio[0] = (struct abi_pio){ 0xcf9, 1 };
	expect_pc_cell(d, &c, ERR_RANGE, "pio[0]: ports 0xcf9-0xcf9: some are");
	d.pio[0] = (struct abi_pio){ 0xfff9, 8 };
	expect_pc_cell(d, &c, ERR_RANGE, "pio[0]: ports 0xfff9-0x10000: this machine has not got");
	/* Across two of the root cell's, and over a hole between them */
	s.pio[0].count = 0x300;
	s.pio[1] = (struct abi_pio){ 0x300, 0x100 };
	d.pio[0] = (struct abi_pio){ 0x2f0, 0x20 };
	d.pio[1] = (struct abi_pio){ 0x3ff, 1 };
	system = golden_pc_system_config(&s);
	cell = golden_pc_cell_config(&d);
	assert_ok(admit_cell(&cell, &system, NULL, 0, &golden_pc_limits, &why));
	s.pio[0].count--;
	assert_err(admit_cell(&cell, &system, NULL, 0, &golden_pc_limits, &why), ERR_RANGE);
	assert_why(&why, "pio[0]: port 0x2ff is not the root cell's to give");
}

static void functions_have_one_owner(void **state)
{
	struct pc_cell_file c = golden_pc_cell(), d = second_pc_cell();

	(void)state;
	d.pci[1].bdf = 0x00fa;
	expect_pc_cell(d, &c, ERR_OVERLAP, "pci[1]: function 0x00fa is cell \"rtos\"'s");
	expect_pc_cell(d, NULL, OK, "");
	d.pci[1].bdf = 0x0100;
	expect_pc_cell(d, &c, ERR_OVERLAP, "pci[1]: function 0x0100 is cell \"rtos\"'s");
}

static void cpu_0_stays_where_linux_cannot_leave_it(void **state)
{
	struct pc_cell_file c = golden_pc_cell();

	(void)state;
	for (uint64_t cpus = 1; cpus < 16; cpus++) {
		c.cell.cpus[0] = cpus;
		if (cpus & 1)
			expect_pc_cell(c, NULL, ERR_DENIED, "cpus: CPU 0 stays the root cell's: on this machine Linux cannot take it offline");
		else
			expect_pc_cell(c, NULL, OK, "");
	}
}

static void a_pcs_lines_start_at_0(void **state)
{
	struct pc_system_file s = golden_pc_system();
	struct pc_cell_file c = golden_pc_cell(), d = second_pc_cell();

	(void)state;
	d.irq[0] = (struct abi_irq){ 0, 3, 0, 0 };
	expect_pc_cell(d, &c, OK, "");
	d.irq[0].count = 4;
	expect_pc_cell(d, &c, ERR_OVERLAP, "irq[0]: 0-3 overlaps cell \"rtos\"'s 3-3");
	s.irq[1].count = 233;
	expect_pc_system(s, ERR_RANGE, "irq[1]: first 24-256; this machine's lines are 0 to 255");
}

static void names_are_unique(void **state)
{
	struct cell_file c = golden_cell(), d = second_cell();

	(void)state;
	strcpy(d.cell.name, "rtos");
	expect_cell(d, &c, ERR_EXISTS, "name: there is a cell \"rtos\"");
	strcpy(d.cell.name, "root");
	expect_cell(d, &c, ERR_EXISTS, "name: \"root\"");
	strcpy(d.cell.name, "rto");
	expect_cell(d, &c, OK, "");
}

/* Every set of CPUs against every other's. */
static void cpus_have_one_owner_and_root_keeps_one(void **state)
{
	struct cell_file c = golden_cell(), d = second_cell();
	unsigned admitted = 0;

	(void)state;
	for (uint64_t mine = 1; mine < 64; mine++)
		for (uint64_t theirs = 1; theirs < 16; theirs++) {
			struct why why;
			err_t e;

			d.cell.cpus[0] = mine;
			c.cell.cpus[0] = theirs;
			e = try_cell(&d, &c, &why);
			if (mine >> 4 == 0 && (mine & theirs) == 0 && (mine | theirs) != 0xf) {
				assert_int_equal(e, OK);
				admitted++;
				continue;
			}
			assert_int_not_equal(e, OK);
			assert_why(&why, "cpus: ");
		}
	/* Ordered pairs of disjoint sets that are not empty and leave one of four CPUs */
	assert_int_equal(admitted, 36);
	d.cell.cpus[0] = 0xf;
	expect_cell(d, NULL, ERR_DENIED, "cpus: the root cell would be left without one");
	d.cell.cpus[0] = 0x8;
	expect_cell(d, &c, ERR_OVERLAP, "cpus: CPU 3 is cell \"rtos\"'s");
	d.cell.cpus[0] = 0x10;
	expect_cell(d, NULL, ERR_RANGE, "cpus: no CPU 4; the system has 0 to 3");
	d.cell.cpus[0] = 0x2;
	d.cell.cpus[3] = 1ull << 63;
	expect_cell(d, NULL, ERR_RANGE, "cpus: no CPU 255");
}

static void interrupts_have_one_owner(void **state)
{
	struct cell_file c = golden_cell(), d = second_cell();

	(void)state;
	/* Across two of the root cell's ranges, which meet at 132 */
	d.irq[0] = (struct abi_irq){ 134, 3, 134, 0 };
	expect_cell(d, &c, OK, "");
	d.irq[0] = (struct abi_irq){ 120, 100, 120, 0 };
	expect_cell(d, NULL, OK, "");
	expect_cell(d, &c, ERR_OVERLAP, "irq[0]: 120-219 overlaps cell \"rtos\"'s 130-133");
	d.irq[0] = (struct abi_irq){ 1019, 1, 1019, 0 };
	expect_cell(d, &c, OK, "");
	d.irq[0].count = 2;
	expect_cell(d, &c, ERR_RANGE, "irq[0]: line 1020 is not the root cell's");
	d.irq[0] = (struct abi_irq){ 31, 2, 31, 0 };
	expect_cell(d, &c, ERR_RANGE, "irq[0]: line 31 is not the root cell's");
	d.irq[0] = (struct abi_irq){ UINT32_MAX, 1, UINT32_MAX, 0 };
	expect_cell(d, &c, ERR_RANGE, "irq[0]: line 4294967295");
	d.irq[0] = (struct abi_irq){ 40, 1, 40, 0 };
	expect_cell(d, &c, ERR_OVERLAP, "irq[0]: 40-40 overlaps cell \"rtos\"'s 40-40");
}

static void a_cells_numbers_are_such_as_the_machine_has(void **state)
{
	struct cell_file c = golden_cell(), d = second_cell();

	(void)state;
	/* Another cell's numbers are that cell's affair, and so are the machine's */
	d.irq[0].virt = 40;
	d.irq[1].virt = 130;
	expect_cell(d, &c, OK, "");
	d.irq[1].virt = 32;
	expect_cell(d, &c, OK, "");
	d.irq[1].virt = 31;
	expect_cell(d, &c, ERR_RANGE, "irq[1]: virt 31-34; this machine's lines are 32 to 1019");
	d.irq[1].virt = 1016;
	expect_cell(d, &c, OK, "");
	d.irq[1].virt = 1017;
	expect_cell(d, &c, ERR_RANGE, "irq[1]: virt 1017-1020; this machine's lines are 32 to 1019");
	d.irq[1].virt = UINT32_MAX;
	expect_cell(d, &c, ERR_RANGE, "irq[1]: virt 4294967295-4294967298");
}

static void a_hole_between_roots_interrupts_is_nobodys(void **state)
{
	struct system_file s = golden_system();
	struct config system = golden_system_config(&s);
	struct cell_file c = golden_cell();
	struct config cell = golden_cell_config(&c);
	struct why why;

	(void)state;
	s.irq[0].count--;
	assert_err(admit_cell(&cell, &system, NULL, 0, &golden_limits, &why), ERR_RANGE);
	assert_why(&why, "irq[1]: line 131 is");
}

static void a_cell_may_see_the_interrupt_controller_elsewhere(void **state)
{
	struct cell_file c = golden_cell();

	(void)state;
	c.cell.gicd = 0x50000000;
	c.cell.gicr = 0x50010000;
	expect_cell(c, NULL, OK, "");
	/* ... and where the machine has it is nothing special */
	c.mem[QUEUE].virt = 0x0800f000;
	expect_cell(c, NULL, OK, "");
	c.mem[QUEUE].virt = 0x5000f000;
	expect_cell(c, NULL, ERR_OVERLAP, "memory[2] \"queue\": virt 0x5000f000-0x50011fff overlaps the interrupt controller's "
		    "or PCI's registers at 0x50000000-0x5000ffff");
	c.mem[QUEUE].virt = 0x50f6f000;
	expect_cell(c, NULL, ERR_OVERLAP, "registers at 0x50010000-0x50f6ffff");
	c.mem[QUEUE].virt = 0x50f70000;
	expect_cell(c, NULL, OK, "");
	c.mem[COMM].virt = 0x50000000;
	expect_cell(c, NULL, ERR_OVERLAP, "memory[1] \"comm\": virt 0x50000000-0x50000fff");
	c = golden_cell();
	c.cell.gicr = 0x50000000;
	c.cell.gicd = 0x50f50000;
	expect_cell(c, NULL, ERR_OVERLAP, "gicr: 0x50000000-0x50f5ffff overlaps the interrupt controller's");
	c.cell.gicd = golden_limits.guest_end;
	expect_cell(c, NULL, ERR_RANGE, "gicd: 0x10000000000-0x1000000ffff; this machine's addresses end at 0xffffffffff");
	c.cell.gicd = golden_limits.guest_end - 0x10000;
	expect_cell(c, NULL, OK, "");
	c.cell.gicr = 0xffffffffffff0000;
	expect_cell(c, NULL, ERR_RANGE, "gicr: 0xffffffffffff0000-");
}

static void counted_cpus_have_as_many_redistributors(void **state)
{
	struct cell_file c = golden_cell();

	(void)state;
	c.cell.flags |= ABI_CELL_CPUS_COUNTED;
	c.cell.cpus[0] = 0xa;
	c.mem[QUEUE].virt = 0x080df000;
	expect_cell(c, NULL, ERR_OVERLAP, "registers at 0x80a0000-0x80dffff");
	c.mem[QUEUE].virt = 0x080e0000;
	expect_cell(c, NULL, OK, "");
	c.cell.gicr = 0x50000000;
	c.cell.gicd = 0x50030000;
	expect_cell(c, NULL, ERR_OVERLAP, "gicr: 0x50000000-0x5003ffff overlaps");
	c.cell.gicd = 0x50040000;
	expect_cell(c, NULL, OK, "");
}

static void the_uart_is_not_where_something_is_mediated(void **state)
{
	struct cell_file c = golden_cell();

	(void)state;
	c.cell.uart = (struct abi_uart){ .address = 0x0800f000, .type = ABI_CONSOLE_PL011 };
	expect_cell(c, NULL, ERR_OVERLAP, "uart: 0x800f000-0x800ffff overlaps the interrupt controller's");
	c.cell.gicd = 0x50000000;
	c.cell.gicr = 0x50010000;
	expect_cell(c, NULL, OK, "");
	c.cell.uart.address = 0x50010000;
	expect_cell(c, NULL, ERR_OVERLAP, "uart: 0x50010000-0x50010fff overlaps");
	c.cell.uart.address = golden_limits.guest_end;
	expect_cell(c, NULL, ERR_RANGE, "uart: 0x10000000000-0x10000000fff; this machine's");
}

static void guest_addresses_keep_off_what_is_mediated(void **state)
{
	struct cell_file c = golden_cell();

	(void)state;
	c.mem[QUEUE].virt = golden_limits.guest_end - c.mem[QUEUE].size;
	expect_cell(c, NULL, OK, "");
	c.mem[QUEUE].virt += 0x1000;
	expect_cell(c, NULL, ERR_RANGE, "; this machine's addresses end at 0xffffffffff");
	c.mem[QUEUE].virt = UINT64_MAX - 0x2fff;
	expect_cell(c, NULL, ERR_RANGE, "memory[2] \"queue\": virt ");
	c.mem[QUEUE].virt = 0x0800f000;
	expect_cell(c, NULL, ERR_OVERLAP, "memory[2] \"queue\": virt 0x800f000-0x8011fff overlaps the interrupt controller's");
	c.mem[QUEUE].virt = 0x08010000;
	expect_cell(c, NULL, OK, "");
	c.mem[COMM].virt = 0x080a0000;
	expect_cell(c, NULL, ERR_OVERLAP, "memory[1] \"comm\": virt ");
	c.mem[COMM].virt = golden_limits.guest_end;
	expect_cell(c, NULL, ERR_RANGE, "memory[1] \"comm\": virt ");
}

static void permissions_come_from_root(void **state)
{
	static const uint32_t bits[] = { ABI_MEM_READ, ABI_MEM_WRITE, ABI_MEM_EXEC };
	struct cell_file c = golden_cell();

	(void)state;
	for (unsigned mine = 0; mine < 8; mine++)
		for (unsigned roots = 0; roots < 8; roots++) {
			struct system_file s = golden_system();
			struct config system = golden_system_config(&s);
			struct config cell = golden_cell_config(&c);
			struct why why;
			err_t e;

			c.mem[CODE].flags = ABI_MEM_LOADABLE;
			c.mem[QUEUE].flags = ABI_MEM_SHARED;
			s.mem[RAM].flags = ABI_MEM_RESERVED;
			for (unsigned b = 0; b < 3; b++) {
				c.mem[CODE].flags |= mine & 1u << b ? bits[b] : 0;
				s.mem[RAM].flags |= roots & 1u << b ? bits[b] : 0;
			}
			e = admit_cell(&cell, &system, NULL, 0, &golden_limits, &why);
			assert_int_equal(e, mine & ~roots ? ERR_DENIED : OK);
			if (e != OK)
				assert_why(&why, "the root cell's \"ram for cells\" lacks permission");
		}
}

/* What somebody asks for ... */
enum { PRIVATE, LOADABLE, SHARED, IO, IO_SHARED, KINDS };

static const uint32_t kind_flags[KINDS] = {
	[PRIVATE] = READ_WRITE,
	[LOADABLE] = READ_WRITE | ABI_MEM_LOADABLE,
	[SHARED] = READ_WRITE | ABI_MEM_SHARED,
	[IO] = READ_WRITE | ABI_MEM_IO,
	[IO_SHARED] = READ_WRITE | ABI_MEM_IO | ABI_MEM_SHARED,
};

/* ... and who has it: 16 pages, the last of which is asked for. */
static const struct owner {
	const char *name;
	uint64_t phys;
	uint32_t flags;		/* of a cell's region there, 0: no cell's */
	err_t answer[KINDS];
} owners[] = {
#define RAM_ANSWERS(p, l, s) { p, l, s, ERR_RANGE, ERR_RANGE }
#define IO_ANSWERS(i, s) { ERR_RANGE, ERR_RANGE, ERR_RANGE, i, s }
#define NEVER { ERR_RANGE, ERR_RANGE, ERR_RANGE, ERR_RANGE, ERR_RANGE }
	{ "nobody", 0x20000000, 0, NEVER },
	{ "the hypervisor", 0xbf800000, 0, NEVER },
	{ "mediated", 0x08000000, 0, NEVER },
	{ "beyond the machine", 1ull << 40, 0, NEVER },
	{ "root, its own", 0x50000000, 0, NEVER },
	{ "root, reserved", 0xb4000000, 0, RAM_ANSWERS(OK, OK, OK) },
	{ "root, IO", 0x8000100000, 0, IO_ANSWERS(OK, OK) },
	{ "cell, private", 0xb4000000, READ_WRITE,
	  RAM_ANSWERS(ERR_OVERLAP, ERR_OVERLAP, ERR_OVERLAP) },
	{ "cell, loadable", 0xb4000000, READ_WRITE | ABI_MEM_LOADABLE,
	  RAM_ANSWERS(ERR_OVERLAP, ERR_OVERLAP, ERR_OVERLAP) },
	{ "cell, shared", 0xb4000000, READ_WRITE | ABI_MEM_SHARED,
	  RAM_ANSWERS(ERR_OVERLAP, ERR_OVERLAP, OK) },
	{ "cell, IO", 0x8000100000, READ_WRITE | ABI_MEM_IO, IO_ANSWERS(ERR_OVERLAP, ERR_OVERLAP) },
	{ "cell, IO shared", 0x8000100000, READ_WRITE | ABI_MEM_IO | ABI_MEM_SHARED,
	  IO_ANSWERS(ERR_OVERLAP, OK) },
};

static const char *const region_names[4] = { "code", "comm", "queue", "uart1" };

/* The owner's region is another cell's or the asking one's own. */
static void try_owner(const struct owner *o, unsigned kind, bool own)
{
	struct cell_file c = golden_cell(), d = second_cell();
	struct cell_file *has = own ? &d : &c;
	struct why why;
	err_t e;

	if (o->flags != 0) {
		has->mem[CODE].phys = o->phys;
		has->mem[CODE].size = 0x10000;
		has->mem[CODE].flags = o->flags;
	}
	d.mem[QUEUE].phys = o->phys + 0xf000;
	d.mem[QUEUE].size = 0x1000;
	d.mem[QUEUE].flags = kind_flags[kind];
	e = try_cell(&d, &c, &why);
	if (e != o->answer[kind])
		fail_msg("%s, asked for as kind %u by %s cell: error %d where %d is wanted: %s",
			 o->name, kind, own ? "the same" : "another", e, o->answer[kind], why.text);
	if (e != OK)
		assert_why(&why, "memory[2] \"queue\": phys ");
	if (e == ERR_OVERLAP)
		assert_why(&why, own ? "cell \"compute\"" : "cell \"rtos\"");
	if (e == ERR_OVERLAP)
		assert_why(&why, region_names[CODE]);
}

static void every_pair_of_owners(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(owners); i++)
		for (unsigned kind = 0; kind < KINDS; kind++) {
			try_owner(&owners[i], kind, false);
			try_owner(&owners[i], kind, true);
		}
}

static void a_region_comes_from_one_of_roots(void **state)
{
	struct cell_file c = golden_cell();

	(void)state;
	c.mem[QUEUE].phys = 0xbeffd000;
	expect_cell(c, NULL, OK, "");
	c.mem[QUEUE].phys = 0xbeffe000;
	expect_cell(c, NULL, ERR_RANGE, "memory[2] \"queue\": phys 0xbeffe000-0xbf000fff is within no one region");
	c.mem[QUEUE].phys = 0xaffff000;
	expect_cell(c, NULL, ERR_RANGE, "is within no one region");
	c.mem[QUEUE].phys = 0xafff0000;
	expect_cell(c, NULL, ERR_RANGE, "is in the root cell's \"linux\", which is not RESERVED");
	c = golden_cell();
	c.mem[SERIAL].phys = 0xb0400000;
	expect_cell(c, NULL, ERR_RANGE, "is in the root cell's \"ram for cells\", which is not IO");
}

static void communication_pages_are_nobodys_memory(void **state)
{
	struct cell_file c = golden_cell(), d = second_cell();
	struct system_file s = golden_system();
	struct config system = golden_system_config(&s);
	struct config cell = golden_cell_config(&d), inside = golden_cell_config(&c);
	const struct config *cells[] = { &inside };
	struct why why;

	(void)state;
	/* Physical address 0 is RAM here, and what the other's COMM record says as well */
	s.mem[RAM].phys = s.mem[RAM].virt = 0;
	s.mem[RAM].size = 0x08000000;
	c.mem[CODE].phys = 0x400000;
	c.mem[QUEUE].phys = 0x200000;
	d.mem[CODE].phys = 0;
	d.mem[QUEUE].phys = 0x600000;
	assert_ok(admit_cell(&cell, &system, cells, 1, &golden_limits, &why));
	d.mem[CODE].phys = 0x201000;
	assert_err(admit_cell(&cell, &system, cells, 1, &golden_limits, &why), ERR_OVERLAP);
}

/*
 * The slow model: a small machine, page by page, CPU by CPU, line by line. Verdicts of
 * random systems and cells must be the same.
 */
#define PAGES 48u
#define LINE_FIRST 32u
#define LINES 16u
#define PORTS 64u
#define CELLS 3u
#define RECORDS 5u

struct world {
	struct admit_limits limits;
	struct span mediated[2];
	struct abi_system system;
	struct abi_cell cell[CELLS + 1];		/* [0] is the root cell */
	struct abi_mem mem[CELLS + 1][RECORDS];
	struct abi_irq irq[CELLS + 1][2];
	struct abi_pio pio[CELLS + 1][2];
	struct abi_pci pci[CELLS + 1][2];
};

static uint64_t page(uint32_t n)
{
	return (uint64_t)n << PAGE_SHIFT;
}

static struct config world_config(const struct world *w, unsigned cell)
{
	return (struct config){
		.system = cell == 0 ? &w->system : NULL,
		.cell = &w->cell[cell],
		.mem = w->mem[cell],
		.irq = w->irq[cell],
		.pio = w->pio[cell],
		.pci = w->pci[cell],
	};
}

static bool in_pages(uint64_t start, uint64_t size, uint32_t p)
{
	return page(p) >= start && page(p) < start + size;
}

static bool model_mediated(const struct world *w, uint32_t p)
{
	for (unsigned i = 0; i < w->limits.mediated_count; i++)
		if (in_pages(w->mediated[i].start, w->mediated[i].size, p))
			return true;
	return false;
}

static bool model_system_page(const struct world *w, uint32_t p)
{
	unsigned owners_here = 0, regions = 0;

	for (uint32_t i = 0; i < w->cell[0].mem_count; i++)
		regions += in_pages(w->mem[0][i].phys, w->mem[0][i].size, p);
	if (regions && page(p) >= w->limits.guest_end)
		return false;
	owners_here = regions;
	owners_here += in_pages(w->system.hypervisor.start, w->system.hypervisor.size, p);
	owners_here += model_mediated(w, p);
	if (owners_here && page(p) >= w->limits.host_end)
		return false;
	return owners_here <= 1;
}

static bool model_has_port(const struct world *w, unsigned c, uint32_t port)
{
	for (uint32_t i = 0; i < w->cell[c].pio_count; i++)
		if (port >= w->pio[c][i].first && port < w->pio[c][i].first + w->pio[c][i].count)
			return true;
	return false;
}

static bool model_mediated_port(const struct world *w, uint32_t port)
{
	return port >= w->limits.mediated_ports.start &&
	       port < w->limits.mediated_ports.start + w->limits.mediated_ports.size;
}

static bool model_system(const struct world *w)
{
	for (uint32_t p = 0; p < 2 * PAGES; p++)
		if (!model_system_page(w, p))
			return false;
	for (uint32_t i = 0; i < w->cell[0].irq_count; i++)
		for (uint32_t line = 0; line < w->irq[0][i].count; line++)
			if (w->irq[0][i].first + line < w->limits.irq_first ||
			    w->irq[0][i].first + line >= w->limits.irq_end)
				return false;
	for (uint32_t port = 0; port < 2 * PORTS; port++)
		if (model_has_port(w, 0, port) &&
		    (port >= w->limits.pio_end || model_mediated_port(w, port)))
			return false;
	return w->system.cpu_count <= w->limits.max_cpus;
}

/* The root cell's region that has page p; its regions are disjoint. */
static const struct abi_mem *model_root(const struct world *w, uint32_t p)
{
	for (uint32_t i = 0; i < w->cell[0].mem_count; i++)
		if (in_pages(w->mem[0][i].phys, w->mem[0][i].size, p))
			return &w->mem[0][i];
	return NULL;
}

/* May cell c's region m have host page p, with cells 1 to c - 1 there? */
static bool model_host_page(const struct world *w, unsigned c, const struct abi_mem *m, uint32_t p)
{
	const struct abi_mem *root = model_root(w, p);

	if (!root || root != model_root(w, (uint32_t)(m->phys >> PAGE_SHIFT)))
		return false;
	if (!(root->flags & (m->flags & ABI_MEM_IO ? ABI_MEM_IO : ABI_MEM_RESERVED)))
		return false;
	for (uint32_t bit = ABI_MEM_READ; bit <= ABI_MEM_EXEC; bit <<= 1)
		if ((m->flags & bit) && !(root->flags & bit))
			return false;
	for (unsigned other = 1; other <= c; other++)
		for (uint32_t i = 0; i < w->cell[other].mem_count; i++) {
			const struct abi_mem *o = &w->mem[other][i];

			if (o == m || (o->flags & ABI_MEM_COMM) || !in_pages(o->phys, o->size, p))
				continue;
			if (!(o->flags & ABI_MEM_SHARED) || !(m->flags & ABI_MEM_SHARED))
				return false;
		}
	return true;
}

static bool model_mem(const struct world *w, unsigned c, const struct abi_mem *m)
{
	for (uint32_t p = 0; p < 2 * PAGES; p++) {
		if (in_pages(m->virt, m->size, p) &&
		    (page(p) >= w->limits.guest_end || model_mediated(w, p)))
			return false;
		if (!(m->flags & ABI_MEM_COMM) && in_pages(m->phys, m->size, p) &&
		    !model_host_page(w, c, m, p))
			return false;
	}
	return true;
}

static bool model_has_line(const struct world *w, unsigned c, uint32_t line)
{
	for (uint32_t i = 0; i < w->cell[c].irq_count; i++)
		if (line >= w->irq[c][i].first && line < w->irq[c][i].first + w->irq[c][i].count)
			return true;
	return false;
}

static bool model_ports(const struct world *w, unsigned c)
{
	for (uint32_t port = 0; port < 2 * PORTS; port++) {
		if (!model_has_port(w, c, port))
			continue;
		if (!model_has_port(w, 0, port))
			return false;
		for (unsigned other = 1; other < c; other++)
			if (model_has_port(w, other, port))
				return false;
	}
	return true;
}

static bool model_functions(const struct world *w, unsigned c)
{
	for (unsigned other = 1; other < c; other++)
		for (uint32_t i = 0; i < w->cell[c].pci_count; i++)
			for (uint32_t j = 0; j < w->cell[other].pci_count; j++)
				if (w->pci[c][i].bdf == w->pci[other][j].bdf)
					return false;
	return true;
}

static bool model_cell(const struct world *w, unsigned c)
{
	uint64_t left = (1ull << w->system.cpu_count) - 1;

	if (!model_ports(w, c) || !model_functions(w, c))
		return false;
	if (w->limits.cpu0_stays && (w->cell[c].cpus[0] & 1))
		return false;
	for (unsigned other = 0; other < c; other++)
		if (strcmp(w->cell[other].name, w->cell[c].name) == 0)
			return false;
	for (unsigned other = 1; other < c; other++)
		left &= ~w->cell[other].cpus[0];
	if (w->cell[c].cpus[0] & ~left || w->cell[c].cpus[0] == left)
		return false;
	for (uint32_t i = 0; i < w->cell[c].mem_count; i++)
		if (!model_mem(w, c, &w->mem[c][i]))
			return false;
	for (uint32_t line = 0; line < LINE_FIRST + 2 * LINES; line++) {
		unsigned cells_here = 0;

		if (!model_has_line(w, c, line))
			continue;
		for (unsigned other = 1; other < c; other++)
			cells_here += model_has_line(w, other, line);
		if (cells_here || !model_has_line(w, 0, line))
			return false;
	}
	for (uint32_t i = 0; i < w->cell[c].irq_count; i++)
		for (uint32_t n = 0; n < w->irq[c][i].count; n++)
			if (w->irq[c][i].virt + n < w->limits.irq_first ||
			    w->irq[c][i].virt + n >= w->limits.irq_end)
				return false;
	return true;
}

/* A span that fits behind *at most of the time, and anywhere some of the time. */
static void random_span(uint64_t *seed, uint32_t *at, uint64_t *start, uint64_t *size)
{
	uint32_t pages = 1 + test_below(seed, 9);

	*start = page(*at + test_below(seed, 2));
	if (test_below(seed, 12) == 0)
		*start = page(test_below(seed, PAGES + 4));
	*size = page(pages);
	*at = (uint32_t)(*start >> PAGE_SHIFT) + pages;
}

static struct abi_irq line_record(uint32_t first, uint32_t count)
{
	return (struct abi_irq){ .first = first, .count = count, .virt = first };
}

static void random_system(struct world *w, uint64_t *seed)
{
	static const uint32_t flags[] = {
		READ_WRITE | ABI_MEM_RESERVED, ALL_ACCESS | ABI_MEM_RESERVED, READ_WRITE | ABI_MEM_IO,
		ABI_MEM_READ | ABI_MEM_IO, ALL_ACCESS,
	};
	uint32_t at = 0;

	w->limits = (struct admit_limits){
		.max_cpus = 8 - !test_below(seed, 20),
		.cpu0_stays = test_below(seed, 2),
		.pio_end = PORTS - !test_below(seed, 20),
		.mediated_ports = { 30, test_below(seed, 2) * 2 },
		.guest_end = page(PAGES - test_below(seed, 6)),
		.host_end = page(PAGES - test_below(seed, 6)),
		.irq_first = LINE_FIRST,
		.irq_end = LINE_FIRST + LINES,
		.mediated = w->mediated,
		.mediated_count = test_below(seed, 3),
	};
	for (unsigned i = 0; i < w->limits.mediated_count; i++) {
		random_span(seed, &at, &w->mediated[i].start, &w->mediated[i].size);
		w->mediated[i].size = page(1);
	}
	random_span(seed, &at, &w->system.hypervisor.start, &w->system.hypervisor.size);
	w->system.cpu_count = 8;
	strcpy(w->cell[0].name, "root");
	w->cell[0].mem_count = 1 + test_below(seed, RECORDS);
	for (uint32_t i = 0; i < w->cell[0].mem_count; i++) {
		struct abi_mem *m = &w->mem[0][i];

		random_span(seed, &at, &m->phys, &m->size);
		m->virt = m->phys;
		m->flags = flags[test_below(seed, ARRAY_SIZE(flags))];
	}
	w->cell[0].irq_count = 2;
	w->irq[0][0] = line_record(LINE_FIRST - !test_below(seed, 20), 1 + test_below(seed, 8));
	w->irq[0][1] = line_record(LINE_FIRST + 8, 1 + test_below(seed, 8));
	w->cell[0].pio_count = 2;
	w->pio[0][0] = (struct abi_pio){ test_below(seed, 4), 25 + test_below(seed, 3) };
	w->pio[0][0].count += !test_below(seed, 16);
	w->pio[0][1] = (struct abi_pio){ 32 - !test_below(seed, 16), 32 };
}

/* Mostly part of a region of the root cell's, with flags that suit it. */
static void random_mem(struct world *w, struct abi_mem *m, uint64_t *seed, uint32_t *virt)
{
	const struct abi_mem *root = &w->mem[0][test_below(seed, w->cell[0].mem_count)];
	uint32_t pages = (uint32_t)(root->size >> PAGE_SHIFT);
	uint32_t skip = test_below(seed, pages);

	random_span(seed, virt, &m->virt, &m->size);
	m->phys = root->phys + page(skip);
	m->size = page(1 + test_below(seed, pages - skip + !test_below(seed, 8)));
	m->flags = ABI_MEM_READ | (test_below(seed, 4) ? root->flags & ALL_ACCESS : READ_WRITE);
	m->flags |= test_below(seed, 12) ? root->flags & ABI_MEM_IO : 0;
	m->flags |= test_below(seed, 3) ? 0 : ABI_MEM_SHARED;
	if (test_below(seed, 8) == 0) {
		m->phys = 0;
		m->size = page(1);
		m->flags = READ_WRITE | ABI_MEM_COMM;
	}
}

static void random_cell(struct world *w, unsigned c, uint64_t *seed)
{
	uint32_t virt = test_below(seed, PAGES / 2);

	snprintf(w->cell[c].name, sizeof(w->cell[c].name), "%c",
		 'a' + (int)(test_below(seed, 16) ? c : test_below(seed, 3)));
	w->cell[c].mem_count = test_below(seed, 3);
	for (uint32_t i = 0; i < w->cell[c].mem_count; i++)
		random_mem(w, &w->mem[c][i], seed, &virt);
	w->cell[c].cpus[0] = 1ull << test_below(seed, 8 + !test_below(seed, 8));
	if (test_below(seed, 8) == 0)
		w->cell[c].cpus[0] |= 1 + test_below(seed, 255);
	w->cell[c].irq_count = test_below(seed, 2);
	w->irq[c][0] = line_record(LINE_FIRST + test_below(seed, LINES), 1 + test_below(seed, 3));
	if (test_below(seed, 4) == 0)
		w->irq[c][0].virt = LINE_FIRST - 1 + test_below(seed, LINES + 2);
	w->cell[c].pio_count = (uint16_t)test_below(seed, 2);
	w->pio[c][0] = (struct abi_pio){ 4 + test_below(seed, PORTS - 8), 1 + test_below(seed, 6) };
	w->cell[c].pci_count = (uint16_t)test_below(seed, 3);
	for (uint32_t i = 0; i < 2; i++)
		w->pci[c][i].bdf = (uint16_t)test_below(seed, 24);
}

static void verdicts_are_the_slow_models(void **state)
{
	unsigned verdicts[2][2] = { { 0, 0 }, { 0, 0 } };
	uint64_t seed = 20;

	(void)state;
	for (unsigned n = 0; n < 60000; n++) {
		struct world w = { 0 };
		struct config system, config[CELLS];
		const struct config *cells[CELLS];
		struct why why = { "" };
		bool good;

		random_system(&w, &seed);
		system = world_config(&w, 0);
		good = admit_system(&system, &w.limits, &why) == OK;
		if (good != model_system(&w))
			fail_msg("system %u: %s: %s", n, good ? "admitted" : "refused", why.text);
		verdicts[0][good]++;
		for (unsigned c = 1; good && c <= CELLS; c++) {
			bool joins;

			random_cell(&w, c, &seed);
			config[c - 1] = world_config(&w, c);
			cells[c - 1] = &config[c - 1];
			joins = admit_cell(cells[c - 1], &system, cells, c - 1, &w.limits, &why) == OK;
			if (joins != model_cell(&w, c))
				fail_msg("system %u, cell %u: %s: %s", n, c,
					 joins ? "admitted" : "refused", why.text);
			verdicts[1][joins]++;
		}
	}
	print_message("systems refused %u, admitted %u; cells refused %u, admitted %u\n",
		      verdicts[0][0], verdicts[0][1], verdicts[1][0], verdicts[1][1]);
	for (unsigned i = 0; i < 4; i++)
		assert_true(verdicts[i / 2][i % 2] > 5000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_golden_ones_are_admitted),
		cmocka_unit_test(a_system_fits_the_machine),
		cmocka_unit_test(guest_addresses_end_first_where_they_are_fewer),
		cmocka_unit_test(the_interrupt_controller_is_where_the_machine_has_addresses),
		cmocka_unit_test(a_system_gives_nothing_away_twice),
		cmocka_unit_test(the_hypervisors_console_is_a_device),
		cmocka_unit_test(the_golden_pcs_are_admitted),
		cmocka_unit_test(ports_of_a_system_are_there_and_not_mediated),
		cmocka_unit_test(ports_have_one_owner),
		cmocka_unit_test(functions_have_one_owner),
		cmocka_unit_test(cpu_0_stays_where_linux_cannot_leave_it),
		cmocka_unit_test(a_pcs_lines_start_at_0),
		cmocka_unit_test(names_are_unique),
		cmocka_unit_test(cpus_have_one_owner_and_root_keeps_one),
		cmocka_unit_test(interrupts_have_one_owner),
		cmocka_unit_test(a_cells_numbers_are_such_as_the_machine_has),
		cmocka_unit_test(a_hole_between_roots_interrupts_is_nobodys),
		cmocka_unit_test(guest_addresses_keep_off_what_is_mediated),
		cmocka_unit_test(a_cell_may_see_the_interrupt_controller_elsewhere),
		cmocka_unit_test(counted_cpus_have_as_many_redistributors),
		cmocka_unit_test(the_uart_is_not_where_something_is_mediated),
		cmocka_unit_test(permissions_come_from_root),
		cmocka_unit_test(every_pair_of_owners),
		cmocka_unit_test(a_region_comes_from_one_of_roots),
		cmocka_unit_test(communication_pages_are_nobodys_memory),
		cmocka_unit_test(verdicts_are_the_slow_models),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
