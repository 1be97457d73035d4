// SPDX-License-Identifier: GPL-2.0-only
#include "config/parse.h"
#include "base/bits.h"
#include "base/crc.h"
#include "base/str.h"

#define MIB (1024ull * 1024)
#define HYPERVISOR_ALIGN (2 * MIB)
#define HYPERVISOR_MIN (4 * MIB)

/* IHI0069H 12.10: frames are 64 KiB; a redistributor has two of them, with VLPIs four */
#define GIC_FRAME 0x10000ull
#define GIC_REDISTRIBUTOR (2 * GIC_FRAME)

/* PCI Firmware Specification 3.3, 4.1.2: configuration space of a bus is 1 MiB, of a segment 256 */
#define ECAM_MAX (256 * MIB)
/* ACPI 6.5, 5.2.12.3; IOREGVER has 8 bits for the last pin, of which vectors leave 240 to use */
#define IOAPIC_PINS_MAX 240u
#define GSI_END 256u
#define PORTS 0x10000u
/* of an 8250 */
#define UART_PORTS 8u

#define CONSOLE_FLAGS (ABI_CONSOLE_MMIO | ABI_CONSOLE_STRIDE_4)
#define CELL_ONLY_FLAGS ((uint32_t)(ABI_CELL_INJECTED | ABI_CELL_TRUSTED_WFI | \
				    ABI_CELL_FAIL_ON_VIOLATION | ABI_CELL_CPUS_COUNTED | \
				    ABI_CELL_ABSENT_PORTS))
#define CELL_FLAGS ((uint32_t)(ABI_CELL_PUTC | ABI_CELL_PUTC_CONSOLE) | CELL_ONLY_FLAGS)
#define MEM_FLAGS ((uint32_t)(ABI_MEM_READ | ABI_MEM_WRITE | ABI_MEM_EXEC | ABI_MEM_IO | \
			      ABI_MEM_COMM | ABI_MEM_LOADABLE | ABI_MEM_SHARED | \
			      ABI_MEM_RESERVED | ABI_MEM_BOOT))
#define COMM_FLAGS ((uint32_t)(ABI_MEM_COMM | ABI_MEM_READ | ABI_MEM_WRITE))
#define MAX_CPUS (ABI_CPU_SET_WORDS * 64u)

/* How messages name a memory record; takes its index and name. */
#define MEM "memory[%u] \"%s\": "

struct input {
	const uint8_t *at;
	size_t left;
};

/* The next `count` records of `each` bytes, or NULL if the input ends before. */
static const void *take(struct input *in, size_t count, size_t each)
{
	const void *records = in->at;

	if (count > in->left / each)
		return NULL;
	in->at += count * each;
	in->left -= count * each;
	return records;
}

static bool all_zero(const void *bytes, size_t size)
{
	const uint8_t *at = bytes;

	for (; size > 0; size--)
		if (*at++ != 0)
			return false;
	return true;
}

/* Printable ASCII, then nothing but NULs, at least one. */
static bool name_valid(const char *name, size_t size)
{
	size_t i = 0;

	while (i < size && name[i] >= ' ' && name[i] <= '~')
		i++;
	return i < size && all_zero(name + i, size - i);
}

static struct span abi_span(struct abi_span s)
{
	return (struct span){ s.start, s.size };
}

static bool span_good(struct span s, uint64_t unit)
{
	return span_valid(s) && span_aligned(s, unit);
}

static err_t check_identity(const struct abi_header *h, uint8_t arch, uint8_t kind,
			    struct why *why)
{
	if (memcmp(h->magic, ABI_CONFIG_MAGIC, sizeof(h->magic)) != 0)
		return why_set(why, ERR_INVALID, "magic: this is no configuration; "
			       "build one from its text with `jailhouse config build`");
	if (h->version != ABI_CONFIG_VERSION)
		return why_set(why, ERR_UNSUPPORTED, "version: the file has %u, this hypervisor "
			       "reads %u; rebuild it with this release's `jailhouse config build`",
			       h->version, ABI_CONFIG_VERSION);
	if (h->arch != arch)
		return why_set(why, ERR_UNSUPPORTED, "arch: the file is for architecture %u, this "
			       "is %u; build it from a text for this machine", h->arch, arch);
	if (h->kind != kind)
		return why_set(why, ERR_INVALID, "kind: %u where %u is wanted; `jailhouse enable` "
			       "takes the system's file, `jailhouse cell create` a cell's",
			       h->kind, kind);
	return OK;
}

static err_t check_header(const struct abi_header *h, size_t size, struct why *why)
{
	if (h->size > ABI_CONFIG_MAX_SIZE)
		return why_set(why, ERR_INVALID, "size: %u bytes, a configuration has at most %u; "
			       "use fewer records", h->size, ABI_CONFIG_MAX_SIZE);
	if (h->size > size)
		return why_set(why, ERR_SHORT, "size: truncated, %zu of %u bytes are there; "
			       "copy or build the file again", size, h->size);
	if (h->size < size)
		return why_set(why, ERR_INVALID, "size: %zu bytes are there, the file says %u; "
			       "copy or build it again", size, h->size);
	if (!all_zero(h->reserved, sizeof(h->reserved)))
		return why_set(why, ERR_INVALID, "header reserved: not 0; rebuild the file with "
			       "this release's `jailhouse config build`");
	return OK;
}

static err_t short_of(const char *field, size_t count, size_t each, struct why *why)
{
	return why_set(why, ERR_SHORT, "%s: the file ends before its %zu records of %zu bytes; "
		       "copy or build the file again", field, count, each);
}

static err_t take_system(struct input *in, struct config *c, struct why *why)
{
	c->system = take(in, 1, sizeof(*c->system));
	if (!c->system)
		return short_of("system", 1, sizeof(*c->system), why);
	if (c->system->cpu_count < 1 || c->system->cpu_count > MAX_CPUS)
		return why_set(why, ERR_INVALID, "cpu_count: %u; a system has 1 to %u CPUs",
			       c->system->cpu_count, MAX_CPUS);
	c->hwid = take(in, c->system->cpu_count, sizeof(*c->hwid));
	if (!c->hwid)
		return short_of("cpu_count", c->system->cpu_count, sizeof(*c->hwid), why);
	return OK;
}

static err_t take_cell(struct input *in, struct config *c, struct why *why)
{
	c->cell = take(in, 1, sizeof(*c->cell));
	if (!c->cell)
		return short_of("cell", 1, sizeof(*c->cell), why);
	c->mem = take(in, c->cell->mem_count, sizeof(*c->mem));
	if (!c->mem)
		return short_of("mem_count", c->cell->mem_count, sizeof(*c->mem), why);
	c->irq = take(in, c->cell->irq_count, sizeof(*c->irq));
	if (!c->irq)
		return short_of("irq_count", c->cell->irq_count, sizeof(*c->irq), why);
	c->pio = take(in, c->cell->pio_count, sizeof(*c->pio));
	if (!c->pio)
		return short_of("pio_count", c->cell->pio_count, sizeof(*c->pio), why);
	c->pci = take(in, c->cell->pci_count, sizeof(*c->pci));
	if (!c->pci)
		return short_of("pci_count", c->cell->pci_count, sizeof(*c->pci), why);
	if (in->left != 0)
		return why_set(why, ERR_INVALID, "size: %zu bytes follow the last record; "
			       "mem_count %u, irq_count %u, pio_count %u or pci_count %u is wrong, "
			       "build the file again", in->left, c->cell->mem_count,
			       c->cell->irq_count, c->cell->pio_count, c->cell->pci_count);
	return OK;
}

/* What is wrong with it, or NULL. `ports`: there are I/O ports. */
static const char *broken_console(const struct abi_console *c, bool ports)
{
	struct span registers = { c->address, c->size };
	bool mmio = (c->flags & ABI_CONSOLE_MMIO) != 0;

	if (c->type == ABI_CONSOLE_NONE)
		return all_zero(c, sizeof(*c)) ? NULL : "no type, and other fields set; give it one or "
			"leave all of them 0";
	if (c->type != ABI_CONSOLE_8250 && c->type != ABI_CONSOLE_PL011)
		return "the type is none of 0 (none), 2 (8250), 3 (PL011)";
	if (c->flags & ~CONSOLE_FLAGS)
		return "of the flags only 0x1 and 0x2 are known";
	if (c->type == ABI_CONSOLE_PL011 && !mmio)
		return "a PL011 is reached by MMIO; set flag 0x1";
	if (!span_valid(registers))
		return "address and size are no span of addresses";
	if (!mmio && !ports)
		return "this architecture has no I/O ports; set flag 0x1 for MMIO";
	if (!mmio && span_last(registers) >= PORTS)
		return "beyond I/O port 0xffff; set flag 0x1 for MMIO";
	return NULL;
}

static_assert(CONSOLE_FLAGS == 3 && ABI_CONSOLE_MMIO == 1, "named in words above");

static err_t check_console(const struct abi_console *c, const char *field, bool ports,
			   struct why *why)
{
	const char *broken = broken_console(c, ports);

	if (broken)
		return why_set(why, ERR_INVALID, "%s: type %u, flags 0x%x, address 0x%lx, size "
			       "0x%x: %s", field, c->type, c->flags, c->address, c->size, broken);
	return OK;
}

/* What is wrong with the GIC, or NULL. */
static const char *broken_gic(const struct abi_system *s)
{
	const struct abi_platform_arm64 *p = &s->platform.arm64;
	struct span gicd = abi_span(p->gicd), gicr = abi_span(p->gicr);

	if (!span_good(gicd, GIC_FRAME))
		return "gicd: a distributor has frames of 0x10000";
	if (!span_good(gicr, GIC_FRAME) || gicr.size / GIC_REDISTRIBUTOR < s->cpu_count)
		return "gicr: redistributors have 0x20000 bytes or more in frames of 0x10000, and "
		       "each CPU has one";
	if (span_overlaps(gicd, gicr))
		return "gicr: overlaps gicd";
	if (p->gic_version != 3)
		return "gic_version: this hypervisor serves 3";
	if (p->maintenance_irq < 16 || p->maintenance_irq > 31)
		return "maintenance_irq: a per-CPU interrupt, 16 to 31, is wanted";
	return NULL;
}

static_assert(GIC_FRAME == 0x10000 && GIC_REDISTRIBUTOR == 0x20000, "named in words above");

static err_t check_arm64(const struct abi_system *s, struct why *why)
{
	const struct abi_platform_arm64 *p = &s->platform.arm64;
	const char *broken = broken_gic(s);

	if (broken)
		return why_set(why, ERR_INVALID, "gicd 0x%lx with size 0x%lx, gicr 0x%lx with size "
			       "0x%lx, gic_version %u, maintenance_irq %u: %s", p->gicd.start,
			       p->gicd.size, p->gicr.start, p->gicr.size, p->gic_version,
			       p->maintenance_irq, broken);
	if (!all_zero(p->reserved, sizeof(p->reserved)))
		return why_set(why, ERR_INVALID, "platform reserved: not 0; rebuild the file");
	return OK;
}

static struct span ioapic_page(const struct abi_ioapic *a)
{
	return (struct span){ a->address, PAGE_SIZE };
}

static struct span ioapic_pins(const struct abi_ioapic *a)
{
	return (struct span){ a->first, a->count };
}

/* What is wrong with IOAPIC i, beside those before it, or NULL. */
static const char *broken_ioapic(const struct abi_platform_x86_64 *p, unsigned i)
{
	const struct abi_ioapic *a = &p->ioapic[i];

	if (a->address == 0)
		return a->first != 0 || a->count != 0 ? "no address; fill the list from its start" : NULL;
	if (i > 0 && p->ioapic[i - 1].address == 0)
		return "the one before has no address; fill the list from its start";
	if (!span_good(ioapic_page(a), PAGE_SIZE))
		return "its address is no multiple of 4096";
	if (a->count == 0 || a->count > IOAPIC_PINS_MAX || a->first >= GSI_END ||
	    a->count > GSI_END - a->first)
		return "it has 1 to 240 pins, and the last is at most 255";
	if (p->mmconfig.size != 0 && span_overlaps(ioapic_page(a), abi_span(p->mmconfig)))
		return "its registers lie in mmconfig";
	for (unsigned j = 0; j < i; j++)
		if (span_overlaps(ioapic_page(a), ioapic_page(&p->ioapic[j])) ||
		    span_overlaps(ioapic_pins(a), ioapic_pins(&p->ioapic[j])))
			return "one before it has its page or one of its interrupts";
	return NULL;
}

static err_t check_x86_64(const struct abi_system *s, struct why *why)
{
	const struct abi_platform_x86_64 *p = &s->platform.x86_64;
	struct span mmconfig = abi_span(p->mmconfig);

	/* Without memory-mapped configuration space both are 0 */
	if ((mmconfig.start | mmconfig.size) != 0 &&
	    (!span_good(mmconfig, MIB) || mmconfig.size > ECAM_MAX))
		return why_set(why, ERR_INVALID, "mmconfig: 0x%lx with size 0x%lx; a bus has "
			       "1 MiB, aligned, and there are 1 to 256", mmconfig.start,
			       mmconfig.size);
	for (unsigned i = 0; i < ABI_IOAPICS; i++) {
		const struct abi_ioapic *a = &p->ioapic[i];
		const char *broken = broken_ioapic(p, i);

		if (broken)
			return why_set(why, ERR_INVALID, "ioapic[%u]: address 0x%lx, first %u, "
				       "count %u: %s", i, a->address, a->first, a->count, broken);
	}
	if (p->reserved16 != 0 || p->reserved != 0)
		return why_set(why, ERR_INVALID, "platform reserved: not 0; rebuild the file");
	return OK;
}

/* What a file says in its architecture's way, and may not say at all there. */
struct platform {
	err_t (*check)(const struct abi_system *s, struct why *why);
	uint64_t hwid_mask;
	bool ports;		/* has I/O ports and PCI functions to give away */
	uint64_t entry_end;	/* a CPU starts below */
	uint32_t not_cell;	/* flags that no cell has ... */
	const char *words;	/* ... because */
	uint8_t arch;		/* ABI_ARCH_* */
	uint8_t uart;		/* ABI_CONSOLE_*: of what kind a cell's is that is none of the machine's */
};

/* DDI0487 D24.2.106: MPIDR_EL1.Aff3 and Aff2..Aff0 */
const struct platform platform_arm64 = {
	.check = check_arm64,
	.hwid_mask = 0xff00ffffffull,
	.entry_end = UINT64_MAX,
	.not_cell = ABI_CELL_ABSENT_PORTS,
	.words = "ABSENT_PORTS (0x40) is not for this architecture: it has no I/O ports",
	.arch = ABI_ARCH_ARM64,
	.uart = ABI_CONSOLE_PL011,
};

const struct platform platform_x86_64 = {
	.check = check_x86_64,
	.hwid_mask = 0xffffffffull,
	.ports = true,
	.entry_end = 1ull << 32,	/* in real mode */
	.not_cell = ABI_CELL_INJECTED | ABI_CELL_TRUSTED_WFI | ABI_CELL_CPUS_COUNTED,
	.words = "INJECTED (0x4), TRUSTED_WFI (0x8) and CPUS_COUNTED (0x20) are not for this architecture: "
		 "interrupts always arrive directly, sleeping never exits and CPUs keep their APIC ids",
	.arch = ABI_ARCH_X86_64,
	.uart = ABI_CONSOLE_8250,
};

static err_t check_hwids(const struct config *c, uint64_t mask, struct why *why)
{
	for (uint32_t i = 0; i < c->system->cpu_count; i++) {
		if (c->hwid[i] & ~mask)
			return why_set(why, ERR_INVALID, "hwid[%u]: 0x%lx has bits outside 0x%lx; "
				       "give the CPU's affinity or APIC id", i, c->hwid[i], mask);
		for (uint32_t j = 0; j < i; j++)
			if (c->hwid[j] == c->hwid[i])
				return why_set(why, ERR_INVALID, "hwid[%u]: 0x%lx is hwid[%u]'s "
					       "too; each CPU has its own", i, c->hwid[i], j);
	}
	return OK;
}

static err_t check_system(const struct config *c, struct why *why)
{
	const struct abi_system *s = c->system;
	struct span hypervisor = abi_span(s->hypervisor);
	const struct platform *platform = c->platform;

	if (!span_good(hypervisor, HYPERVISOR_ALIGN) || hypervisor.size < HYPERVISOR_MIN)
		return why_set(why, ERR_INVALID, "hypervisor: 0x%lx with size 0x%lx; give it a "
			       "multiple of 2 MiB, at least 4 MiB, at a multiple of 2 MiB",
			       hypervisor.start, hypervisor.size);
	if (s->flags != 0)
		return why_set(why, ERR_INVALID, "system flags: 0x%x, none are known", s->flags);
	TRY(check_console(&s->console, "system console", platform->ports, why));
	TRY(platform->check(s, why));
	return check_hwids(c, platform->hwid_mask, why);
}

/* The root cell has exactly the system's CPUs, a cell at least one. */
static err_t check_cpus(const struct config *c, struct why *why)
{
	if (!c->system) {
		if (all_zero(c->cell->cpus, sizeof(c->cell->cpus)))
			return why_set(why, ERR_INVALID, "cpus: none; a cell has at least one");
		return OK;
	}
	for (unsigned cpu = 0; cpu < MAX_CPUS; cpu++) {
		bool wanted = cpu < c->system->cpu_count;

		if (bit_test(c->cell->cpus, cpu) != wanted)
			return why_set(why, ERR_INVALID, "cpus: CPU %u is %s; the root cell has "
				       "exactly the system's, 0 to %u", cpu,
				       wanted ? "missing" : "not the system's",
				       c->system->cpu_count - 1);
	}
	return OK;
}

static bool executable_at(const struct config *c, uint64_t address)
{
	for (uint32_t i = 0; i < c->cell->mem_count; i++)
		if ((c->mem[i].flags & ABI_MEM_EXEC) &&
		    span_has(mem_guest_span(&c->mem[i]), address))
			return true;
	return false;
}

static err_t check_entry(const struct config *c, struct why *why)
{
	if (c->system && c->cell->entry != 0)
		return why_set(why, ERR_INVALID, "entry: 0x%lx; the root cell runs already, "
			       "leave it 0", c->cell->entry);
	if (c->cell->entry >= c->platform->entry_end)
		return why_set(why, ERR_INVALID, "entry: 0x%lx; a CPU starts below 0x%lx, move it",
			       c->cell->entry, c->platform->entry_end);
	if (!c->system && !executable_at(c, c->cell->entry))
		return why_set(why, ERR_INVALID, "entry: 0x%lx is in no memory that is EXEC; move "
			       "it or the memory", c->cell->entry);
	return OK;
}

/* In files of `kind` (0: all), flags that have all of `has`: need `needs`, forbid `forbids`. */
struct flag_rule {
	uint8_t kind;
	uint32_t has;
	uint32_t needs;
	uint32_t forbids;
	const char *words;
};

/* The words of the first rule that `flags` break, or NULL. */
static const char *broken_rule(const struct flag_rule *rules, size_t count, uint8_t kind,
			       uint32_t flags)
{
	for (const struct flag_rule *rule = rules; rule < rules + count; rule++) {
		if (rule->kind != 0 && rule->kind != kind)
			continue;
		if ((flags & rule->has) != rule->has)
			continue;
		if ((flags & rule->needs) != rule->needs || (flags & rule->forbids))
			return rule->words;
	}
	return NULL;
}

static const struct flag_rule cell_rules[] = {
	{ 0, 0, 0, ~CELL_FLAGS, "unknown bits; rebuild the file" },
	{ ABI_KIND_SYSTEM, 0, 0, CELL_ONLY_FLAGS,
	  "INJECTED, TRUSTED_WFI, FAIL_ON_VIOLATION, CPUS_COUNTED and ABSENT_PORTS are not for the root cell" },
	{ 0, ABI_CELL_PUTC_CONSOLE, ABI_CELL_PUTC, 0, "PUTC_CONSOLE needs PUTC (0x1)" },
	{ 0, ABI_CELL_INJECTED, 0, ABI_CELL_TRUSTED_WFI,
	  "INJECTED excludes TRUSTED_WFI (0x8): its WFI is never trapped" },
};

static_assert(ABI_SETTLE_MAX_MS == 600000, "named in words below");

/* The same of the contract on exits. */
static const char *broken_exits(const struct config *c)
{
	const struct abi_cell *cell = c->cell;
	bool any = cell->exits == ABI_EXITS_ANY;

	if (c->system && !any)
		return "the root cell has no limit on exits, give 0xffffffff";
	if (any && (cell->flags & ABI_CELL_FAIL_ON_VIOLATION))
		return "FAIL_ON_VIOLATION needs a limit on exits";
	if (any && cell->settle_ms != 0)
		return "settle_ms needs a limit on exits";
	if (cell->settle_ms > ABI_SETTLE_MAX_MS)
		return "settle_ms is at most 600000";
	return NULL;
}

/* What is wrong with where the cell sees the interrupt controller, or NULL. */
static const char *broken_gic_view(const struct config *c)
{
	uint64_t gicd = c->cell->gicd, gicr = c->cell->gicr;

	if ((gicd | gicr) == 0)
		return NULL;
	if (c->system || c->platform->arch != ABI_ARCH_ARM64)
		return "a cell on arm64 may see them elsewhere than they are; leave both 0";
	if (gicd == 0 || gicr == 0 || ((gicd | gicr) & (GIC_FRAME - 1)))
		return "give both, as multiples of 0x10000, or leave both 0";
	return NULL;
}

static err_t check_gic_view(const struct config *c, struct why *why)
{
	const char *broken = broken_gic_view(c);

	if (broken)
		return why_set(why, ERR_INVALID, "gicd 0x%lx, gicr 0x%lx: %s", c->cell->gicd,
			       c->cell->gicr, broken);
	return OK;
}

static err_t check_cell(const struct config *c, struct why *why)
{
	const struct abi_cell *cell = c->cell;
	const struct platform *platform = c->platform;
	const char *broken = broken_rule(cell_rules, ARRAY_SIZE(cell_rules), c->header->kind,
					 cell->flags);

	if (!name_valid(cell->name, sizeof(cell->name)) || cell->name[0] == '\0')
		return why_set(why, ERR_INVALID, "name: the cell's is empty, longer than 31 "
			       "characters or not printable ASCII");
	if (!broken && (cell->flags & platform->not_cell))
		broken = platform->words;
	if (!broken)
		broken = broken_exits(c);
	if (broken)
		return why_set(why, ERR_INVALID, "cell flags 0x%x exits 0x%x settle_ms %u: %s",
			       cell->flags, cell->exits, cell->settle_ms, broken);
	TRY(check_gic_view(c, why));
	if (!platform->ports && (cell->pio_count != 0 || cell->pci_count != 0))
		return why_set(why, ERR_INVALID, "pio_count %u, pci_count %u: this architecture "
			       "has no I/O ports and PCI functions are devices in memory; leave "
			       "both 0", cell->pio_count, cell->pci_count);
	if (c->system && cell->pci_count != 0)
		return why_set(why, ERR_INVALID, "pci_count %u: the root cell has all functions "
			       "that are no cell's, leave it 0", cell->pci_count);
	TRY(check_console(&cell->console, "cell console", platform->ports, why));
	return check_cpus(c, why);
}

static const struct flag_rule mem_rules[] = {
	{ 0, 0, 0, ~MEM_FLAGS, "unknown bits; rebuild the file" },
	{ ABI_KIND_SYSTEM, 0, 0, ABI_MEM_COMM | ABI_MEM_LOADABLE | ABI_MEM_SHARED,
	  "COMM, LOADABLE and SHARED are for cells' memory, not the root cell's" },
	{ ABI_KIND_CELL, 0, 0, ABI_MEM_RESERVED, "RESERVED is for the root cell's memory only" },
	{ 0, 0, ABI_MEM_READ, 0, "no READ; memory can at least be read" },
	{ 0, ABI_MEM_COMM, COMM_FLAGS, ~COMM_FLAGS,
	  "a COMM region has READ, WRITE and no other flag" },
	{ 0, ABI_MEM_IO, 0, ABI_MEM_EXEC, "IO excludes EXEC: registers hold no instructions" },
	{ 0, ABI_MEM_IO, 0, ABI_MEM_RESERVED, "IO excludes RESERVED: only RAM is reserved" },
	{ 0, ABI_MEM_LOADABLE, 0, ABI_MEM_IO, "LOADABLE excludes IO: images go into RAM" },
	{ 0, ABI_MEM_BOOT, ABI_MEM_LOADABLE, ABI_MEM_WRITE,
	  "BOOT needs LOADABLE and excludes WRITE: what a cell starts from stays as it is" },
	{ 0, ABI_MEM_LOADABLE, 0, ABI_MEM_SHARED,
	  "LOADABLE excludes SHARED: the root cell has shared memory all the time" },
};

/* What is wrong with one region by itself, or NULL. */
static const char *broken_mem(const struct config *c, const struct abi_mem *m)
{
	const char *broken = broken_rule(mem_rules, ARRAY_SIZE(mem_rules), c->header->kind,
					 m->flags);

	if (broken)
		return broken;
	if (m->reserved != 0)
		return "a reserved field is not 0; rebuild the file";
	if (m->size == 0)
		return "size 0; give it one or drop the record";
	if ((m->size | m->phys | m->virt) & PAGE_MASK)
		return "one of phys, virt and size is no multiple of 4096";
	if (!span_valid(mem_host_span(m)) || !span_valid(mem_guest_span(m)))
		return "beyond 64 bits";
	if ((m->flags & ABI_MEM_COMM) && m->size != PAGE_SIZE)
		return "a COMM region has size 0x1000";
	if ((m->flags & ABI_MEM_COMM) && m->phys != 0)
		return "the hypervisor finds a COMM region's page itself, leave phys 0";
	if (c->system && m->phys != m->virt)
		return "virt is not phys; the root cell's memory stays where it is";
	return NULL;
}

static err_t check_mem(const struct config *c, uint32_t i, struct why *why)
{
	const struct abi_mem *m = &c->mem[i];
	const char *broken;

	if (!name_valid(m->name, sizeof(m->name)))
		return why_set(why, ERR_INVALID, "memory[%u]: name is longer than 31 characters "
			       "or not printable ASCII", i);
	broken = broken_mem(c, m);
	if (broken)
		return why_set(why, ERR_INVALID, MEM "phys 0x%lx, virt 0x%lx, size 0x%lx, flags "
			       "0x%x: %s", i, m->name, m->phys, m->virt, m->size, m->flags, broken);
	return OK;
}

/* Region i, good by itself, against those before it. */
static err_t check_mem_pairs(const struct config *c, uint32_t i, struct why *why)
{
	struct span s = mem_guest_span(&c->mem[i]);

	for (uint32_t j = 0; j < i; j++) {
		struct span other = mem_guest_span(&c->mem[j]);

		if (c->mem[i].flags & c->mem[j].flags & ABI_MEM_COMM)
			return why_set(why, ERR_INVALID, MEM "flags 0x%x: memory[%u] \"%s\" is "
				       "COMM already; a cell has one", i, c->mem[i].name,
				       c->mem[i].flags, j, c->mem[j].name);
		if (span_overlaps(s, other))
			return why_set(why, ERR_OVERLAP, MEM "virt 0x%lx-0x%lx overlaps memory[%u] "
				       "\"%s\" at 0x%lx-0x%lx; move one", i, c->mem[i].name,
				       s.start, span_last(s), j, c->mem[j].name, other.start,
				       span_last(other));
	}
	return OK;
}

/* As the machine numbers its lines, and as the cell does. */
static struct span irq_span(const struct abi_irq *irq, bool guest)
{
	return (struct span){ guest ? irq->virt : irq->first, irq->count };
}

/* What is wrong with one record by itself, or NULL. */
static const char *broken_irq(const struct abi_irq *irq, uint32_t cell_flags)
{
	if (irq->count == 0)
		return "count 0; give it one or drop the record";
	if (irq->count - 1 > UINT32_MAX - irq->first || irq->count - 1 > UINT32_MAX - irq->virt)
		return "beyond 32 bits";
	if (irq->virt != irq->first && !(cell_flags & ABI_CELL_INJECTED))
		return "virt is not first, which needs the cell's flag INJECTED (0x4)";
	if (irq->reserved != 0)
		return "reserved is not 0; rebuild the file";
	return NULL;
}

static err_t check_irq(const struct config *c, uint32_t i, struct why *why)
{
	const struct abi_irq *irq = &c->irq[i];
	const char *broken = broken_irq(irq, c->cell->flags);

	if (broken)
		return why_set(why, ERR_INVALID, "irq[%u]: first %u, count %u, virt %u: %s", i,
			       irq->first, irq->count, irq->virt, broken);
	for (uint32_t j = 0; j < i; j++) {
		bool lines = span_overlaps(irq_span(irq, false), irq_span(&c->irq[j], false));

		if (lines || span_overlaps(irq_span(irq, true), irq_span(&c->irq[j], true)))
			return why_set(why, ERR_OVERLAP, "irq[%u]: %s %u, count %u overlaps "
				       "irq[%u]'s; each is there once", i, lines ? "first" : "virt",
				       lines ? irq->first : irq->virt, irq->count, j);
	}
	return OK;
}

static struct span pio_span(const struct abi_pio *p)
{
	return (struct span){ p->first, p->count };
}

static err_t check_pio(const struct config *c, uint32_t i, struct why *why)
{
	const struct abi_pio *p = &c->pio[i];

	if (p->count == 0 || p->first >= PORTS || p->count > PORTS - p->first)
		return why_set(why, ERR_INVALID, "pio[%u]: first 0x%x, count 0x%x; ports are 0 to "
			       "0xffff, give it some of them", i, p->first, p->count);
	for (uint32_t j = 0; j < i; j++)
		if (span_overlaps(pio_span(p), pio_span(&c->pio[j])))
			return why_set(why, ERR_OVERLAP, "pio[%u]: first 0x%x, count 0x%x overlaps "
				       "pio[%u]'s; each is there once", i, p->first, p->count, j);
	return OK;
}

static err_t check_pci(const struct config *c, uint32_t i, struct why *why)
{
	const struct abi_pci *p = &c->pci[i];

	if (p->segment != 0 || p->flags != 0)
		return why_set(why, ERR_INVALID, "pci[%u]: segment %u, flags 0x%x; only segment 0 "
			       "is served and no flags are known, build the file again", i,
			       p->segment, p->flags);
	for (uint32_t j = 0; j < i; j++)
		if (p->bdf == c->pci[j].bdf)
			return why_set(why, ERR_OVERLAP, "pci[%u]: function 0x%04x is pci[%u] too; "
				       "each is there once", i, p->bdf, j);
	return OK;
}

static bool has_line(const struct config *c, uint32_t line)
{
	for (uint32_t i = 0; i < c->cell->irq_count; i++)
		if (span_has(irq_span(&c->irq[i], false), line))
			return true;
	return false;
}

/* Do the UART's registers lie where the cell has memory or ports? */
static bool uart_is_covered(const struct config *c)
{
	const struct abi_uart *u = &c->cell->uart;

	for (uint32_t i = 0; !c->platform->ports && i < c->cell->mem_count; i++)
		if (span_overlaps((struct span){ u->address, PAGE_SIZE }, mem_guest_span(&c->mem[i])))
			return true;
	for (uint32_t i = 0; i < c->cell->pio_count; i++)
		if (span_overlaps((struct span){ u->address, UART_PORTS }, pio_span(&c->pio[i])))
			return true;
	return false;
}

/* What is wrong with the UART that is none of the machine's, or NULL. */
static const char *broken_uart(const struct config *c)
{
	const struct abi_uart *u = &c->cell->uart;
	const struct platform *platform = c->platform;

	if (u->type == ABI_CONSOLE_NONE)
		return all_zero(u, sizeof(*u)) ? NULL : "no type, and other fields set; give it one or "
			"leave all of them 0";
	if (c->system)
		return "the root cell has the machine's; leave all of it 0";
	if (u->type != platform->uart)
		return "an arm64 cell's is a PL011 (3), an x86 cell's an 8250 (2)";
	if (platform->ports ? u->address > PORTS - UART_PORTS : !span_good((struct span){ u->address, PAGE_SIZE }, PAGE_SIZE))
		return "its address is no page, or its ports are none";
	if (uart_is_covered(c))
		return "the cell has memory or ports there; move one";
	if (u->irq != 0 && !has_line(c, u->irq))
		return "its irq is no line of the cell's; list that, or give 0 for none";
	return NULL;
}

static err_t check_uart(const struct config *c, struct why *why)
{
	const struct abi_uart *u = &c->cell->uart;
	const char *broken = broken_uart(c);

	if (broken)
		return why_set(why, ERR_INVALID, "uart: type %u, address 0x%lx, irq %u: %s", u->type,
			       u->address, u->irq, broken);
	return OK;
}

static err_t check_lists(const struct config *c, struct why *why)
{
	for (uint32_t i = 0; i < c->cell->mem_count; i++) {
		TRY(check_mem(c, i, why));
		TRY(check_mem_pairs(c, i, why));
	}
	for (uint32_t i = 0; i < c->cell->irq_count; i++)
		TRY(check_irq(c, i, why));
	for (uint32_t i = 0; i < c->cell->pio_count; i++)
		TRY(check_pio(c, i, why));
	for (uint32_t i = 0; i < c->cell->pci_count; i++)
		TRY(check_pci(c, i, why));
	TRY(check_uart(c, why));
	return check_entry(c, why);
}

static err_t check_crc(const struct abi_header *h, struct why *why)
{
	static const uint32_t zero;
	const uint8_t *bytes = (const void *)h;
	const size_t at = offsetof(struct abi_header, crc), behind = at + sizeof(h->crc);
	uint32_t crc = crc32(0, bytes, at);

	crc = crc32(crc, &zero, sizeof(zero));
	crc = crc32(crc, bytes + behind, h->size - behind);
	if (crc != h->crc)
		return why_set(why, ERR_INVALID, "crc: the file says 0x%08x, its bytes give "
			       "0x%08x; it was damaged, copy or build it again", h->crc, crc);
	return OK;
}

err_t config_parse_for(const void *bytes, size_t size, const struct platform *platform,
		       uint8_t kind, struct config *out, struct why *why)
{
	struct input in = { bytes, size };
	struct config c = { .header = take(&in, 1, sizeof(*c.header)), .platform = platform };

	if (!c.header)
		return short_of("header", 1, sizeof(*c.header), why);
	TRY(check_identity(c.header, platform->arch, kind, why));
	TRY(check_header(c.header, size, why));
	if (kind == ABI_KIND_SYSTEM)
		TRY(take_system(&in, &c, why));
	TRY(take_cell(&in, &c, why));
	if (c.system)
		TRY(check_system(&c, why));
	TRY(check_cell(&c, why));
	TRY(check_lists(&c, why));
	TRY(check_crc(c.header, why));
	*out = c;
	return OK;
}

err_t config_parse(const void *bytes, size_t size, uint8_t arch, uint8_t kind,
		   struct config *out, struct why *why)
{
	static const struct platform *const platforms[] = { &platform_arm64, &platform_x86_64 };

	for (size_t i = 0; i < ARRAY_SIZE(platforms); i++)
		if (platforms[i]->arch == arch)
			return config_parse_for(bytes, size, platforms[i], kind, out, why);
	return why_set(why, ERR_UNSUPPORTED, "arch: %u is unknown here", arch);
}
