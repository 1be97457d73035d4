// SPDX-License-Identifier: GPL-2.0-only
#include <libfdt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot.h"
#include "tree.h"

/* More than 256 CPUs and all regions of a file of at most 64 KiB become */
#define GENERATED_SIZE ((size_t)256 << 10)
/* Besides the command line in /chosen: its properties' names and headers */
#define CHOSEN_SIZE 512

#define CLOCK_HZ 24000000
#define PAGE 0x1000u

/* Devicetree bindings of the GIC: SPI n is interrupt n + 32 */
#define GIC_SPI 0
#define GIC_PPI 1
#define SPI_FIRST 32
#define LEVEL_HIGH 4
/* IHI0069H 12.10 */
#define GICD_SIZE 0x10000
#define REDISTRIBUTOR_SIZE 0x20000

/* Nodes that others refer to, and overlays by these names. Their numbers as phandles, if the user has no others */
enum label { NO_LABEL, GIC, CLOCK, PSCI, CPUS, TIMER, SERIAL0, SERIAL1, LABELS };

static const char *const label_names[LABELS] = {
	[GIC] = "gic", [CLOCK] = "clock", [PSCI] = "psci", [CPUS] = "cpus", [TIMER] = "timer",
	[SERIAL0] = "serial0", [SERIAL1] = "serial1",
};

struct uart {
	uint64_t address;
	uint32_t size;
	uint16_t type, flags;
	uint32_t irq;		/* as the cell numbers it; 0: not known */
	bool guessed;		/* that it is the UART's */
};

struct maker {
	const struct tree_wish *wish;
	const struct config *cell, *system;
	void *fdt;
	int error;		/* libfdt's first, negative */
	struct uart uart[2];	/* the console first */
	unsigned uarts;
	char path[LABELS][48];	/* of labelled nodes; empty: there is none */
};

static void note_error(struct maker *m, int result)
{
	if (result < 0 && !m->error)
		m->error = result;
}

static void cells(struct maker *m, const char *name, unsigned count, ...)
{
	va_list args;
	uint32_t *to;
	void *value;

	note_error(m, fdt_property_placeholder(m->fdt, name, (int)(count * sizeof(*to)), &value));
	if (m->error)
		return;
	va_start(args, count);
	for (to = value; count; count--)
		*to++ = cpu_to_fdt32(va_arg(args, uint32_t));
	va_end(args);
}

/* Of 64 bits, in two cells each. */
static void longs(struct maker *m, const char *name, unsigned count, ...)
{
	va_list args;
	uint64_t value[4];

	va_start(args, count);
	for (unsigned i = 0; i < count; i++)
		value[i] = cpu_to_fdt64(va_arg(args, uint64_t));
	va_end(args);
	note_error(m, fdt_property(m->fdt, name, value, (int)(count * sizeof(value[0]))));
}

static void text(struct maker *m, const char *name, const char *value)
{
	note_error(m, fdt_property(m->fdt, name, value, (int)strlen(value) + 1));
}

/* Several strings, of which `value` is an array of characters. */
#define texts(m, name, value) note_error(m, fdt_property((m)->fdt, name, value, (int)sizeof(value)))

static void flag(struct maker *m, const char *name)
{
	note_error(m, fdt_property(m->fdt, name, NULL, 0));
}

static void begin(struct maker *m, const char *name)
{
	note_error(m, fdt_begin_node(m->fdt, name));
}

/* Of the user's numbering, as both trees become one. */
static uint32_t handle(const struct maker *m, enum label label)
{
	return tree_user_phandle(m->wish->user, m->path[label], label);
}

static void set_path(struct maker *m, enum label label, const char *kind, uint64_t at)
{
	snprintf(m->path[label], sizeof(m->path[label]), "/%s@%llx", kind, (unsigned long long)at);
}

/* A node of the root that overlays and aliases can name, whose path is set. */
static void begin_labelled(struct maker *m, enum label label)
{
	begin(m, m->path[label] + 1);
	cells(m, "phandle", 1, handle(m, label));
}

static void end(struct maker *m)
{
	note_error(m, fdt_end_node(m->fdt));
}

static uint64_t gicd(const struct maker *m)
{
	return m->cell->cell->gicd ? m->cell->cell->gicd : m->system->system->platform.arm64.gicd.start;
}

static void set_paths(struct maker *m)
{
	for (enum label label = CLOCK; label <= TIMER; label++)
		snprintf(m->path[label], sizeof(m->path[label]), "/%s", label_names[label]);
	set_path(m, GIC, "interrupt-controller", gicd(m));
	for (unsigned n = 0; n < m->uarts; n++)
		set_path(m, SERIAL0 + n, "serial", m->uart[n].address);
}

static void put_psci(struct maker *m)
{
	begin_labelled(m, PSCI);
	texts(m, "compatible", "arm,psci-1.0\0arm,psci-0.2");
	text(m, "method", "hvc");
	end(m);
}

/* What the machine calls the CPU, or what the cell does where it counts them; the next one from `n` on. */
static bool next_cpu(const struct maker *m, uint32_t *n, uint32_t *count, uint64_t *id)
{
	const struct abi_cell *cell = m->cell->cell;

	for (; *n < m->system->system->cpu_count; ++*n) {
		if (!(cell->cpus[*n / 64] >> *n % 64 & 1))
			continue;
		*id = cell->flags & ABI_CELL_CPUS_COUNTED ? *count / 16 << 8 | *count % 16 : m->system->hwid[*n];
		++*n;
		++*count;
		return true;
	}
	return false;
}

static uint32_t cpu_count(const struct maker *m, bool *wide)
{
	uint32_t n = 0, count = 0;
	uint64_t id;

	*wide = false;
	while (next_cpu(m, &n, &count, &id))
		*wide = *wide || id >> 32;
	return count;
}

static void put_cpus(struct maker *m)
{
	uint32_t n = 0, count = 0;
	char name[32];
	uint64_t id;
	bool wide;

	cpu_count(m, &wide);
	begin_labelled(m, CPUS);
	cells(m, "#address-cells", 1, wide ? 2 : 1);
	cells(m, "#size-cells", 1, 0);
	while (next_cpu(m, &n, &count, &id)) {
		snprintf(name, sizeof(name), "cpu@%llx", (unsigned long long)id);
		begin(m, name);
		text(m, "device_type", "cpu");
		text(m, "compatible", "arm,armv8");
		text(m, "enable-method", "psci");
		if (wide)
			longs(m, "reg", 1, id);
		else
			cells(m, "reg", 1, (uint32_t)id);
		end(m);
	}
	end(m);
}

/* The cell's regions do not overlap, so nothing in its RAM has to be reserved. */
static void put_memory(struct maker *m)
{
	char name[32];

	for (uint32_t i = 0; i < m->cell->cell->mem_count; i++) {
		const struct abi_mem *mem = &m->cell->mem[i];

		if (!mem_is_ram(mem))
			continue;
		snprintf(name, sizeof(name), "memory@%llx", (unsigned long long)mem->virt);
		begin(m, name);
		text(m, "device_type", "memory");
		longs(m, "reg", 2, mem->virt, mem->size);
		end(m);
	}
}

static void put_gic(struct maker *m)
{
	const struct abi_span *machine = &m->system->system->platform.arm64.gicr;
	const struct abi_cell *cell = m->cell->cell;
	bool wide;
	uint64_t size = cell->flags & ABI_CELL_CPUS_COUNTED ? (uint64_t)cpu_count(m, &wide) * REDISTRIBUTOR_SIZE : machine->size;

	begin_labelled(m, GIC);
	text(m, "compatible", "arm,gic-v3");
	flag(m, "interrupt-controller");
	cells(m, "#interrupt-cells", 1, 3);
	cells(m, "#address-cells", 1, 0);
	longs(m, "reg", 4, gicd(m), (uint64_t)GICD_SIZE, cell->gicr ? cell->gicr : machine->start, size);
	end(m);
}

static void put_timer(struct maker *m)
{
	begin_labelled(m, TIMER);
	text(m, "compatible", "arm,armv8-timer");
	/* secure, non-secure, virtual, hypervisor's */
	cells(m, "interrupts", 12, GIC_PPI, 13, LEVEL_HIGH, GIC_PPI, 14, LEVEL_HIGH, GIC_PPI, 11, LEVEL_HIGH,
	      GIC_PPI, 10, LEVEL_HIGH);
	end(m);
}

static void put_clock(struct maker *m)
{
	begin_labelled(m, CLOCK);
	text(m, "compatible", "fixed-clock");
	cells(m, "#clock-cells", 1, 0);
	cells(m, "clock-frequency", 1, CLOCK_HZ);
	end(m);
}

static void put_pl011(struct maker *m)
{
	uint32_t clock = handle(m, CLOCK);

	texts(m, "compatible", "arm,pl011\0arm,primecell");
	cells(m, "clocks", 2, clock, clock);
	texts(m, "clock-names", "uartclk\0apb_pclk");
}

static void put_8250(struct maker *m, const struct uart *u)
{
	text(m, "compatible", "ns16550a");
	cells(m, "clock-frequency", 1, CLOCK_HZ);
	if (u->flags & ABI_CONSOLE_STRIDE_4) {
		cells(m, "reg-shift", 1, 2);
		cells(m, "reg-io-width", 1, 4);
	}
}

/* Where the user's tree has the UART itself, it says what interrupts that has: a guess could not be taken back there. */
static bool irq_is_known(const struct maker *m, unsigned n)
{
	const struct uart *u = &m->uart[n];

	return u->irq >= SPI_FIRST && !(u->guessed && tree_user_has_device(m->wish->user, m->path[SERIAL0 + n]));
}

static void put_uart(struct maker *m, unsigned n)
{
	const struct uart *u = &m->uart[n];
	const uint64_t to_page_end = PAGE - u->address % PAGE;

	begin_labelled(m, SERIAL0 + n);
	if (u->type == ABI_CONSOLE_PL011)
		put_pl011(m);
	else
		put_8250(m, u);
	longs(m, "reg", 2, u->address, u->size > to_page_end ? u->size : to_page_end);
	if (irq_is_known(m, n))
		cells(m, "interrupts", 3, GIC_SPI, u->irq - SPI_FIRST, LEVEL_HIGH);
	end(m);
}

/* Labels from one on: __symbols__ has all of them for overlays, aliases those of UARTs for Linux's numbers. */
static void put_labels(struct maker *m, const char *node, enum label first)
{
	begin(m, node);
	for (enum label label = first; label < LABELS; label++)
		if (m->path[label][0])
			text(m, label_names[label], m->path[label]);
	end(m);
}

static void put_chosen(struct maker *m)
{
	begin(m, "chosen");
	if (m->uarts)
		text(m, "stdout-path", m->path[SERIAL0]);
	end(m);
}

static void generate(struct maker *m)
{
	note_error(m, fdt_create(m->fdt, (int)GENERATED_SIZE));
	note_error(m, fdt_finish_reservemap(m->fdt));
	begin(m, "");
	text(m, "compatible", "linux,dummy-virt");
	cells(m, "#address-cells", 1, 2);
	cells(m, "#size-cells", 1, 2);
	cells(m, "interrupt-parent", 1, handle(m, GIC));
	put_psci(m);
	put_cpus(m);
	put_memory(m);
	put_gic(m);
	put_timer(m);
	put_clock(m);
	for (unsigned n = 0; n < m->uarts; n++)
		put_uart(m, n);
	put_chosen(m);
	put_labels(m, "aliases", SERIAL0);
	put_labels(m, "__symbols__", GIC);
	end(m);
	note_error(m, fdt_finish(m->fdt));
}

/* What the cell calls the machine's line. */
static uint32_t cell_number(const struct config *cell, uint32_t line)
{
	for (uint32_t i = 0; i < cell->cell->irq_count; i++)
		if (line - cell->irq[i].first < cell->irq[i].count)
			return cell->irq[i].virt + (line - cell->irq[i].first);
	return 0;
}

/*
 * A file says which lines a cell has, not of which device each is. Where there is one only, besides
 * that of the UART which is none of the machine's, it is the console's.
 */
static uint32_t only_line(const struct config *cell)
{
	uint32_t found = 0, count = 0;

	for (uint32_t i = 0; i < cell->cell->irq_count; i++) {
		for (uint32_t k = 0; k < cell->irq[i].count && count < 2; k++) {
			if (cell->cell->uart.irq && cell->irq[i].first + k == cell->cell->uart.irq)
				continue;
			found = cell->irq[i].virt + k;
			count++;
		}
	}
	return count == 1 ? found : 0;
}

static void find_uarts(struct maker *m)
{
	const struct abi_console *console = &m->cell->cell->console;
	const struct abi_uart *own = &m->cell->cell->uart;
	bool is_own = own->type && console->address == own->address;

	if (console->type && (console->flags & ABI_CONSOLE_MMIO) && !is_own)
		m->uart[m->uarts++] = (struct uart){ console->address, console->size, console->type, console->flags,
						     only_line(m->cell), true };
	if (own->type)
		m->uart[m->uarts++] = (struct uart){ own->address, PAGE, (uint16_t)own->type, 0,
						     own->irq ? cell_number(m->cell, own->irq) : 0, false };
}

static bool has_console(const char *bootargs)
{
	const char *at = bootargs;

	while ((at = strstr(at, "console="))) {
		if (at == bootargs || at[-1] == ' ')
			return true;
		at++;
	}
	return false;
}

static void set_bootargs(struct maker *m, int chosen)
{
	const char *given = m->wish->bootargs, *console = "";
	int length = -1;
	char *whole;

	if (!given)
		given = fdt_getprop(m->fdt, chosen, "bootargs", &length);
	/* the user's tree may have anything there */
	if (!given || (length >= 0 && !memchr(given, 0, (size_t)length)))
		given = "";
	if (m->uarts && !has_console(given))
		console = m->uart[0].type == ABI_CONSOLE_PL011 ? "console=ttyAMA0" : "console=ttyS0";
	if (asprintf(&whole, "%s%s%s", given, *given && *console ? " " : "", console) < 0) {
		note_error(m, -FDT_ERR_NOSPACE);
		return;
	}
	if (*whole)
		note_error(m, fdt_setprop(m->fdt, chosen, "bootargs", whole, (int)strlen(whole) + 1));
	free(whole);
}

/* The command's own words are the last. */
static void choose(struct maker *m)
{
	int chosen = tree_child(m->fdt, 0, "chosen");

	if (chosen < 0) {
		note_error(m, chosen);
		return;
	}
	set_bootargs(m, chosen);
	if (!m->wish->initrd_size)
		return;
	note_error(m, fdt_setprop_u64(m->fdt, chosen, "linux,initrd-start", m->wish->initrd));
	note_error(m, fdt_setprop_u64(m->fdt, chosen, "linux,initrd-end", m->wish->initrd + m->wish->initrd_size));
}

static const char *lay_user(struct maker *m)
{
	const struct tree_wish *w = m->wish;

	if (!w->user)
		return NULL;
	return tree_is_overlay(w->user) ? tree_user_overlay(m->fdt, w->user, w->user_size) :
		tree_user_lay_over(m->fdt, w->user);
}

static void say_silent(const struct maker *m, struct tree *tree)
{
	if (!m->uarts)
		snprintf(tree->note, sizeof(tree->note),
			 "the cell has no UART that its file calls its console: the device tree has none");
	else if (m->uart[0].irq < SPI_FIRST)
		snprintf(tree->note, sizeof(tree->note),
			 "which interrupt the UART at 0x%llx has the cell's file does not say, and the device tree neither: Linux wants one, give it with -d",
			 (unsigned long long)m->uart[0].address);
}

static bool make_in(struct maker *m, size_t room, struct tree *tree, char *problem)
{
	const char *wrong;

	find_uarts(m);
	set_paths(m);
	generate(m);
	if (!m->error)
		note_error(m, fdt_open_into(m->fdt, m->fdt, (int)room));
	wrong = m->error ? NULL : lay_user(m);
	if (wrong) {
		snprintf(problem, PROBLEM_SIZE, "it cannot be laid over the cell's: %s", wrong);
		return false;
	}
	if (!m->error)
		choose(m);
	if (!m->error)
		note_error(m, fdt_pack(m->fdt));
	if (m->error) {
		snprintf(problem, PROBLEM_SIZE, "cannot be made: %s", fdt_strerror(m->error));
		return false;
	}
	tree->size = fdt_totalsize(m->fdt);
	if (tree->size > TREE_LIMIT)
		snprintf(problem, PROBLEM_SIZE, "it would have %zu bytes, more than the %zu a kernel takes", tree->size,
			 TREE_LIMIT);
	return tree->size <= TREE_LIMIT;
}

bool tree_make(const struct tree_wish *wish, struct tree *tree, char problem[PROBLEM_SIZE])
{
	size_t room = GENERATED_SIZE + 3 * wish->user_size + CHOSEN_SIZE + (wish->bootargs ? strlen(wish->bootargs) : 0);
	struct maker m = { .wish = wish, .cell = wish->cell, .system = wish->system, .fdt = calloc(1, room) };
	const char *broken = wish->user ? tree_user_broken(wish->user, wish->user_size) : NULL;

	problem[0] = '\0';
	memset(tree, 0, sizeof(*tree));
	if (broken)
		snprintf(problem, PROBLEM_SIZE, "%s", broken);
	if (m.fdt && !broken && make_in(&m, room, tree, problem)) {
		tree->bytes = m.fdt;
		say_silent(&m, tree);
		return true;
	}
	free(m.fdt);
	return false;
}
