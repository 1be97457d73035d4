// SPDX-License-Identifier: GPL-2.0-only
#include "config/admit.h"
#include "base/bits.h"
#include "base/fmt.h"
#include "base/str.h"

#define MEM_ACCESS (ABI_MEM_READ | ABI_MEM_WRITE | ABI_MEM_EXEC)

/* How messages name a memory record; takes its index and name. */
#define MEM_IS "memory[%u] \"%s\":"
#define MEM MEM_IS " "
#define WHAT_SIZE (sizeof("memory[1000] \"\": virt") + sizeof(((struct abi_mem *)NULL)->name))

/* IHI0069H 12.10: RD_base and SGI_base */
#define GIC_REDISTRIBUTOR 0x20000ull

/* A cell at the door, and who is inside. */
struct request {
	const struct config *cell;
	const struct config *system;
	const struct config *const *cells;
	unsigned count;
	const struct admit_limits *limits;
	struct why *why;
};

static struct span irq_span(const struct abi_irq *irq)
{
	return (struct span){ irq->first, irq->count };
}

static struct span pio_span(const struct abi_pio *pio)
{
	return (struct span){ pio->first, pio->count };
}

static bool within_end(struct span s, uint64_t end)
{
	return span_last(s) < end;
}

void config_gic_spans(const struct abi_cell *cell, const struct abi_platform_arm64 *machine, struct span seen[2])
{
	uint64_t redistributors = 0;

	for (unsigned cpu = 0; cpu < ABI_CPU_SET_WORDS * 64; cpu++)
		redistributors += bit_test(cell->cpus, cpu) ? GIC_REDISTRIBUTOR : 0;
	seen[0] = (struct span){ cell->gicd ? cell->gicd : machine->gicd.start, machine->gicd.size };
	seen[1] = (struct span){ cell->gicr ? cell->gicr : machine->gicr.start,
				 cell->flags & ABI_CELL_CPUS_COUNTED ? redistributors : machine->gicr.size };
}

static const struct span *find_mediated(const struct admit_limits *limits, struct span s)
{
	for (unsigned i = 0; i < limits->mediated_count; i++)
		if (span_overlaps(limits->mediated[i], s))
			return &limits->mediated[i];
	return NULL;
}

static struct span hypervisor_span(const struct config *system)
{
	return (struct span){ system->system->hypervisor.start, system->system->hypervisor.size };
}

/* Addresses that the machine has, and none of what is mediated. `what` names them, with its colon. */
static err_t admit_span(const char *what, struct span s, uint64_t end, const struct admit_limits *limits,
			struct why *why)
{
	const struct span *mediated = find_mediated(limits, s);

	if (!span_valid(s) || !within_end(s, end))
		return why_set(why, ERR_RANGE, "%s 0x%lx-0x%lx; this machine's addresses end at "
			       "0x%lx", what, s.start, span_last(s), end - 1);
	if (mediated)
		return why_set(why, ERR_OVERLAP, "%s 0x%lx-0x%lx overlaps the interrupt "
			       "controller's or PCI's registers at 0x%lx-0x%lx; leave those out", what,
			       s.start, span_last(s), mediated->start, span_last(*mediated));
	return OK;
}

/* The hypervisor itself reads and writes there, as soon as it is enabled. */
static err_t admit_mediated(const struct admit_limits *limits, struct why *why)
{
	for (unsigned i = 0; i < limits->mediated_count; i++) {
		struct span s = limits->mediated[i];

		if (!span_valid(s) || !within_end(s, limits->host_end))
			return why_set(why, ERR_RANGE, "the interrupt controller's or PCI's registers: 0x%lx-0x%lx; this "
				       "machine's addresses end at 0x%lx", s.start, span_last(s), limits->host_end - 1);
	}
	return OK;
}

/* What is wrong with these I/O ports, or NULL. */
static const char *broken_ports(struct span s, const struct admit_limits *limits)
{
	if (!within_end(s, limits->pio_end))
		return "this machine has not got all of them";
	if (limits->mediated_ports.size != 0 && span_overlaps(s, limits->mediated_ports))
		return "some are PCI configuration space's, where the hypervisor answers; leave "
		       "those out";
	return NULL;
}

static err_t admit_ports(uint32_t i, const struct abi_pio *pio, const struct admit_limits *limits,
			 struct why *why)
{
	struct span s = pio_span(pio);
	const char *broken = broken_ports(s, limits);

	if (broken)
		return why_set(why, ERR_RANGE, "pio[%u]: ports 0x%lx-0x%lx: %s", i, s.start,
			       span_last(s), broken);
	return OK;
}

static err_t admit_port_console(struct span s, const struct admit_limits *limits, struct why *why)
{
	const char *broken = broken_ports(s, limits);

	if (broken)
		return why_set(why, ERR_RANGE, "system console: ports 0x%lx-0x%lx: %s", s.start,
			       span_last(s), broken);
	return OK;
}

/* The hypervisor itself writes to it. */
static err_t admit_console(const struct config *system, const struct admit_limits *limits,
			   struct why *why)
{
	const struct abi_console *c = &system->system->console;
	struct span s = { c->address, c->size };

	if (c->type == ABI_CONSOLE_NONE)
		return OK;
	if (!(c->flags & ABI_CONSOLE_MMIO))
		return admit_port_console(s, limits, why);
	if (span_overlaps(s, hypervisor_span(system)))
		return why_set(why, ERR_OVERLAP, "system console: 0x%lx-0x%lx lies in the "
			       "hypervisor's memory; give the UART's registers", s.start, span_last(s));
	return admit_span("system console:", s, limits->host_end, limits, why);
}

static err_t admit_root_mem(const struct config *system, uint32_t i,
			    const struct admit_limits *limits, struct why *why)
{
	const struct abi_mem *m = &system->mem[i];
	struct span s = mem_host_span(m), hv = hypervisor_span(system);
	uint64_t end = limits->host_end < limits->guest_end ? limits->host_end : limits->guest_end;
	char what[WHAT_SIZE];

	fmt(what, sizeof(what), MEM_IS, i, m->name);
	TRY(admit_span(what, s, end, limits, why));
	if (span_overlaps(s, hv))
		return why_set(why, ERR_OVERLAP, MEM "0x%lx-0x%lx overlaps the hypervisor's memory "
			       "at 0x%lx-0x%lx; leave that out", i, m->name, s.start, span_last(s),
			       hv.start, span_last(hv));
	for (uint32_t j = 0; j < i; j++)
		if (span_overlaps(s, mem_host_span(&system->mem[j])))
			return why_set(why, ERR_OVERLAP, MEM "0x%lx-0x%lx overlaps memory[%u] "
				       "\"%s\"; list each page once", i, m->name, s.start,
				       span_last(s), j, system->mem[j].name);
	return OK;
}

static err_t admit_numbers(uint32_t i, const char *field, struct span s,
			   const struct admit_limits *limits, struct why *why)
{
	if (s.start < limits->irq_first || !within_end(s, limits->irq_end))
		return why_set(why, ERR_RANGE, "irq[%u]: %s %lu-%lu; this machine's lines are "
			       "%u to %u", i, field, s.start, span_last(s), limits->irq_first,
			       limits->irq_end - 1);
	return OK;
}

err_t admit_system(const struct config *system, const struct admit_limits *limits,
		   struct why *why)
{
	if (system->system->cpu_count > limits->max_cpus)
		return why_set(why, ERR_RANGE, "cpu_count: %u, this hypervisor was built for %u; "
			       "set MAX_CPUS with `make menuconfig` and rebuild it",
			       system->system->cpu_count, limits->max_cpus);
	TRY(admit_mediated(limits, why));
	TRY(admit_span("hypervisor:", hypervisor_span(system), limits->host_end, limits, why));
	TRY(admit_console(system, limits, why));
	for (uint32_t i = 0; i < system->cell->mem_count; i++)
		TRY(admit_root_mem(system, i, limits, why));
	for (uint32_t i = 0; i < system->cell->irq_count; i++)
		TRY(admit_numbers(i, "first", irq_span(&system->irq[i]), limits, why));
	for (uint32_t i = 0; i < system->cell->pio_count; i++)
		TRY(admit_ports(i, &system->pio[i], limits, why));
	return OK;
}

static err_t admit_name(const struct request *r)
{
	const char *name = r->cell->cell->name;

	if (str_equal(name, r->system->cell->name))
		return why_set(r->why, ERR_EXISTS, "name: \"%s\" is the root cell; choose another",
			       name);
	for (unsigned i = 0; i < r->count; i++)
		if (str_equal(name, r->cells[i]->cell->name))
			return why_set(r->why, ERR_EXISTS, "name: there is a cell \"%s\"; destroy "
				       "it or choose another name", name);
	return OK;
}

/* The cell that has `cpu`, or NULL: the root cell. */
static const struct config *cpu_owner(const struct request *r, unsigned cpu)
{
	for (unsigned i = 0; i < r->count; i++)
		if (bit_test(r->cells[i]->cell->cpus, cpu))
			return r->cells[i];
	return NULL;
}

static err_t admit_cpus(const struct request *r)
{
	const uint64_t *wanted = r->cell->cell->cpus;
	uint32_t cpu_count = r->system->system->cpu_count;
	unsigned left = 0;

	if (r->limits->cpu0_stays && bit_test(wanted, 0))
		return why_set(r->why, ERR_DENIED, "cpus: CPU 0 stays the root cell's: on this "
			       "machine Linux cannot take it offline; choose another");
	for (unsigned cpu = 0; cpu < ABI_CPU_SET_WORDS * 64; cpu++) {
		const struct config *owner = cpu_owner(r, cpu);

		if (!bit_test(wanted, cpu)) {
			left += cpu < cpu_count && !owner;
			continue;
		}
		if (cpu >= cpu_count)
			return why_set(r->why, ERR_RANGE, "cpus: no CPU %u; the system has 0 to %u",
				       cpu, cpu_count - 1);
		if (owner)
			return why_set(r->why, ERR_OVERLAP, "cpus: CPU %u is cell \"%s\"'s; choose "
				       "another or destroy that cell", cpu, owner->cell->name);
	}
	if (left == 0)
		return why_set(r->why, ERR_DENIED, "cpus: the root cell would be left without one; "
			       "take fewer");
	return OK;
}

/* What the cell's own address space may look like. */
static err_t admit_guest_span(const struct request *r, uint32_t i)
{
	const struct abi_mem *m = &r->cell->mem[i];
	char what[WHAT_SIZE];

	fmt(what, sizeof(what), MEM_IS " virt", i, m->name);
	return admit_span(what, mem_guest_span(m), r->limits->guest_end, r->limits, r->why);
}

static const struct abi_mem *root_mem_around(const struct request *r, struct span s)
{
	for (uint32_t i = 0; i < r->system->cell->mem_count; i++)
		if (span_within(s, mem_host_span(&r->system->mem[i])))
			return &r->system->mem[i];
	return NULL;
}

/* Region i comes out of one of the root cell's that is there to be given away. */
static err_t admit_source(const struct request *r, uint32_t i)
{
	const struct abi_mem *m = &r->cell->mem[i];
	struct span s = mem_host_span(m);
	uint32_t kind = m->flags & ABI_MEM_IO ? ABI_MEM_IO : ABI_MEM_RESERVED;
	const char *kind_name = m->flags & ABI_MEM_IO ? "IO" : "RESERVED";
	const struct abi_mem *root = root_mem_around(r, s);
	uint32_t excess;

	if (!root)
		return why_set(r->why, ERR_RANGE, MEM "phys 0x%lx-0x%lx is within no one region of "
			       "the root cell; take it from one that is %s", i, m->name, s.start,
			       span_last(s), kind_name);
	if (!(root->flags & kind))
		return why_set(r->why, ERR_RANGE, MEM "phys 0x%lx-0x%lx is in the root cell's "
			       "\"%s\", which is not %s; take it from one that is", i, m->name,
			       s.start, span_last(s), root->name, kind_name);
	excess = m->flags & ~root->flags & MEM_ACCESS;
	if (excess)
		return why_set(r->why, ERR_DENIED, MEM "flags 0x%x: the root cell's \"%s\" lacks "
			       "permission 0x%x; drop it or add it there", i, m->name, m->flags,
			       root->name, excess);
	return OK;
}

/* Region i against the first `count` regions of `other`, which may be the cell itself. */
static err_t admit_beside(const struct request *r, uint32_t i, const struct config *other,
			  uint32_t count)
{
	const struct abi_mem *m = &r->cell->mem[i];
	struct span s = mem_host_span(m);

	for (uint32_t j = 0; j < count; j++) {
		const struct abi_mem *o = &other->mem[j];

		if (o->flags & ABI_MEM_COMM || m->flags & o->flags & ABI_MEM_SHARED)
			continue;
		if (span_overlaps(s, mem_host_span(o)))
			return why_set(r->why, ERR_OVERLAP, MEM "phys 0x%lx-0x%lx overlaps cell "
				       "\"%s\"'s memory[%u] \"%s\" at 0x%lx-0x%lx; move one or make "
				       "both SHARED", i, m->name, s.start, span_last(s),
				       other->cell->name, j, o->name, o->phys,
				       span_last(mem_host_span(o)));
	}
	return OK;
}

static err_t admit_memory(const struct request *r)
{
	for (uint32_t i = 0; i < r->cell->cell->mem_count; i++) {
		TRY(admit_guest_span(r, i));
		if (r->cell->mem[i].flags & ABI_MEM_COMM)
			continue;
		TRY(admit_source(r, i));
		TRY(admit_beside(r, i, r->cell, i));
		for (unsigned c = 0; c < r->count; c++)
			TRY(admit_beside(r, i, r->cells[c], r->cells[c]->cell->mem_count));
	}
	return OK;
}

static uint32_t range_count(const struct config *c, bool ports)
{
	return ports ? c->cell->pio_count : c->cell->irq_count;
}

/* Lines or ports. */
static struct span range(const struct config *c, bool ports, uint32_t i)
{
	return ports ? pio_span(&c->pio[i]) : irq_span(&c->irq[i]);
}

/* Which of the cell's ranges holds or meets `s`; false: none. */
static bool find_range(const struct config *c, bool ports, struct span s, struct span *found)
{
	for (uint32_t i = 0; i < range_count(c, ports); i++) {
		*found = range(c, ports, i);
		if (span_overlaps(*found, s))
			return true;
	}
	return false;
}

/* All of it the root cell's, whose own ranges may be smaller, and none of it another cell's. */
static err_t admit_range(const struct request *r, bool ports, uint32_t i)
{
	struct span s = range(r->cell, ports, i), other;

	for (uint64_t n = s.start; n <= span_last(s); n = span_last(other) + 1)
		if (!find_range(r->system, ports, (struct span){ n, 1 }, &other))
			return why_set(r->why, ERR_RANGE,
				       ports ? "pio[%u]: port 0x%lx is not the root cell's to give; "
					       "list it there or drop it here" :
					       "irq[%u]: line %lu is not the root cell's to give; "
					       "list it there or drop it here", i, n);
	for (unsigned c = 0; c < r->count; c++)
		if (find_range(r->cells[c], ports, s, &other))
			return why_set(r->why, ERR_OVERLAP,
				       ports ? "pio[%u]: 0x%lx-0x%lx overlaps cell \"%s\"'s 0x%lx-0x%lx; "
					       "a port belongs to one cell" :
					       "irq[%u]: %lu-%lu overlaps cell \"%s\"'s %lu-%lu; "
					       "a line belongs to one cell", i, s.start, span_last(s),
				       r->cells[c]->cell->name, other.start, span_last(other));
	return OK;
}

static err_t admit_irqs(const struct request *r)
{
	for (uint32_t i = 0; i < r->cell->cell->irq_count; i++) {
		const struct abi_irq *irq = &r->cell->irq[i];

		TRY(admit_range(r, false, i));
		/* The architecture's registers have fields for these numbers only */
		TRY(admit_numbers(i, "virt", (struct span){ irq->virt, irq->count }, r->limits, r->why));
	}
	return OK;
}

static err_t admit_ios(const struct request *r)
{
	for (uint32_t i = 0; i < r->cell->cell->pio_count; i++) {
		TRY(admit_ports(i, &r->cell->pio[i], r->limits, r->why));
		TRY(admit_range(r, true, i));
	}
	return OK;
}

static bool has_function(const struct config *c, uint16_t bdf)
{
	for (uint32_t i = 0; i < c->cell->pci_count; i++)
		if (c->pci[i].bdf == bdf)
			return true;
	return false;
}

static err_t admit_functions(const struct request *r)
{
	for (uint32_t i = 0; i < r->cell->cell->pci_count; i++)
		for (unsigned c = 0; c < r->count; c++)
			if (has_function(r->cells[c], r->cell->pci[i].bdf))
				return why_set(r->why, ERR_OVERLAP, "pci[%u]: function 0x%04x is "
					       "cell \"%s\"'s; a function belongs to one cell", i,
					       r->cell->pci[i].bdf, r->cells[c]->cell->name);
	return OK;
}

/* What is mediated in a cell that sees the interrupt controller in a way of its own. */
static err_t admit_gic(const struct request *r, struct span seen[2], struct admit_limits *own)
{
	config_gic_spans(r->cell->cell, &r->system->system->platform.arm64, seen);
	own->mediated = seen;
	for (own->mediated_count = 0; own->mediated_count < 2; own->mediated_count++)
		TRY(admit_span(own->mediated_count == 0 ? "gicd:" : "gicr:", seen[own->mediated_count],
			       own->guest_end, own, r->why));
	return OK;
}

/* Its registers lie where the hypervisor answers for nothing else. */
static err_t admit_uart(const struct request *r)
{
	const struct abi_uart *uart = &r->cell->cell->uart;
	const char *broken;

	if (uart->type == ABI_CONSOLE_NONE)
		return OK;
	if (!r->limits->uart)
		return why_set(r->why, ERR_UNSUPPORTED, "uart: this hypervisor was built without; set "
			       "CELL_UART with `make menuconfig` and rebuild it");
	if (r->limits->pio_end == 0)
		return admit_span("uart:", (struct span){ uart->address, PAGE_SIZE }, r->limits->guest_end,
				  r->limits, r->why);
	broken = broken_ports((struct span){ uart->address, 8 }, r->limits);
	return broken ? why_set(r->why, ERR_RANGE, "uart: port 0x%lx: %s", uart->address, broken) : OK;
}

static err_t (*const rules[])(const struct request *r) = {
	admit_name,
	admit_cpus,
	admit_memory,
	admit_irqs,
	admit_ios,
	admit_functions,
	admit_uart,
};

err_t admit_cell(const struct config *cell, const struct config *system,
		 const struct config *const *cells, unsigned count,
		 const struct admit_limits *limits, struct why *why)
{
	struct admit_limits own = *limits;
	struct span seen[2];
	const struct request request = { cell, system, cells, count, &own, why };

	if (cell->cell->gicd != 0 || (cell->cell->flags & ABI_CELL_CPUS_COUNTED))
		TRY(admit_gic(&request, seen, &own));
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		TRY(rules[i](&request));
	return OK;
}
