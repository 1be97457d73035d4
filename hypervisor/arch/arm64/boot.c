// SPDX-License-Identifier: GPL-2.0-only
/*
 * Enable: all CPUs meet, one of them builds the system, all check that they fit, and only
 * then does any of them change anything. Whatever goes wrong before, all go back to Linux.
 */
#include "abi/image.h"
#include "arch/cpu.h"
#include "arch/tlb.h"
#include "arm64.h"
#include "base/bug.h"
#include "base/str.h"
#include "pure/format.h"
#include "sysreg.h"

struct machine machine;
extern struct abi_image image_header;

/* How long CPUs take to come, and how long the work then takes at the very most. */
#define GATHERING_S 5
#define WORKING_S 60

static enum phase phase_now(void)
{
	return __atomic_load_n(&machine.meeting.phase, __ATOMIC_ACQUIRE);
}

static bool advance(enum phase from, enum phase to)
{
	uint32_t expected = from;

	return __atomic_compare_exchange_n(&machine.meeting.phase, &expected, to, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_ACQUIRE);
}

/* Too far away for the linker's -mcmodel=tiny. */
static uint8_t *log_memory(void)
{
	return (uint8_t *)HV_BASE + image_header.log_offset;
}

/* The first reason is kept. */
static void fail(err_t e, const struct why *why)
{
	lock_take(&machine.meeting.lock);
	/* nobody may have come as far as to build anything */
	if (machine.sys.log.ring == NULL)
		log_init(&machine.sys.log, log_memory(), image_header.log_size);
	if (machine.meeting.error == OK) {
		machine.meeting.error = e;
		machine.meeting.why = *why;
	}
	lock_drop(&machine.meeting.lock);
	/* the words first: whoever sees FAILED passes them on */
	__atomic_store_n(&machine.meeting.phase, FAILED, __ATOMIC_RELEASE);
}

/* Until the phase is no longer `phase`. A CPU that never comes makes all others go back. */
static enum phase wait_while(enum phase phase)
{
	uint64_t start = sysreg_read(cntpct_el0);
	unsigned seconds = phase == GATHERING ? GATHERING_S : WORKING_S;
	uint64_t limit = seconds * sysreg_read(cntfrq_el0);
	struct why why;

	while (phase_now() == phase) {
		if (sysreg_read(cntpct_el0) - start > limit)
			fail(why_set(&why, ERR_BUSY, "phase %u: %u of %u CPUs came and %u passed within %u s", phase,
				     __atomic_load_n(&machine.meeting.arrived, __ATOMIC_RELAXED),
				     image_header.online_cpus,
				     __atomic_load_n(&machine.meeting.checked, __ATOMIC_RELAXED), seconds), &why);
	}
	return phase_now();
}

/* Maps part of the image by the linker's addresses. */
static err_t map_image(const uint8_t *from, const uint8_t *to, uint32_t flags)
{
	uint64_t offset = (uint64_t)from - HV_BASE;

	if (from == to)
		return OK;
	return paging_map(&machine.tables,
			  (struct mapping){ (uint64_t)from, hpa(image_header.start + offset),
					    align_up((uint64_t)(to - from), PAGE_SIZE), flags },
			  (struct span){ 0, 0 });
}

static err_t map_identity(struct span span, uint32_t flags)
{
	return paging_map(&machine.tables, (struct mapping){ span.start, hpa(span.start), span.size, flags },
			  (struct span){ 0, 0 });
}

/* Stacks and their struct percpu; the page below each stack stays unmapped. */
static err_t map_percpu(unsigned cpu)
{
	uint8_t *area = _percpu + cpu * (size_t)PERCPU_SIZE;

	return map_image(area + PAGE_SIZE, area + PERCPU_SIZE, MAP_READ | MAP_WRITE);
}

/* The entry for `address` in the table of that level; the tables above it are there. */
static uint64_t *entry_of(uint64_t address, unsigned level)
{
	const struct paging_level *levels = machine.format.level;
	uint64_t *table = machine.tables.root;
	unsigned i;

	for (i = 0;; i++) {
		uint64_t *entry = &table[(address >> levels[i].shift) & (levels[i].entries - 1u)];

		if (i == level)
			return entry;
		table = pool_virt(&machine.sys.pool, machine.format.address(i, *entry));
	}
}

static err_t map_window(struct cpu *cpu)
{
	uint64_t block = WINDOW_BASE + (uint64_t)cpu->id * WINDOW_SIZE;
	uint64_t page = block + WINDOW_SIZE / 2;
	unsigned last = machine.format.levels - 1;

	/* makes the tables; the entry itself is emptied again */
	TRY(paging_map(&machine.tables, (struct mapping){ page, hpa(0), PAGE_SIZE, MAP_READ },
		       (struct span){ 0, 0 }));
	*entry_of(page, last) = 0;
	window_init(cpu, entry_of(block, last - 1), entry_of(page, last));
	return OK;
}

static void flush_hypervisor(const struct paging *paging, struct span range)
{
	(void)paging;
	arch_tlb_flush_hypervisor(range);
}

static void write_entry(uint64_t *entry, uint64_t value)
{
	/* what the entry points to is written before it is, and it before what follows */
	dsb(ishst);
	*(volatile uint64_t *)entry = value;
	dsb(ishst);
}

/* W^X, page by page; the configuration read-only; no cell's memory at all. */
static err_t build_tables(void)
{
	const struct abi_image *image = &image_header;
	uint8_t *config = (uint8_t *)HV_BASE + image->config_offset;
	uint8_t *log = log_memory();
	uint8_t *pool = machine.sys.pool.virt;
	unsigned i;

	stage1_format(&machine.format);
	machine.format.write = write_entry;
	machine.tables = (struct paging){ .format = &machine.format, .pool = &machine.sys.pool,
					  .flush = flush_hypervisor };
	TRY(paging_init(&machine.tables));
	TRY(map_image(_start, _text, MAP_READ));
	TRY(map_image(_text, _rodata, MAP_READ | MAP_EXEC));
	TRY(map_identity((struct span){ image->start + (uint64_t)(_idmap - _start), PAGE_SIZE },
			 MAP_READ | MAP_EXEC));
	TRY(map_image(_rodata, _data, MAP_READ));
	TRY(map_image(_data, _percpu, MAP_READ | MAP_WRITE));
	TRY(map_image(log, log + image->log_size, MAP_READ | MAP_WRITE));
	TRY(map_image(config, pool, MAP_READ));
	TRY(map_image(pool, (uint8_t *)HV_BASE + image->size, MAP_READ | MAP_WRITE));
	for (i = 0; i < machine.sys.cpu_count; i++) {
		TRY(map_percpu(i));
		TRY(map_window(machine.sys.cpus[i]));
	}
	for (i = 0; i < ARRAY_SIZE(machine.mediated); i++)
		TRY(map_identity(machine.mediated[i], MAP_READ | MAP_WRITE | MAP_DEVICE));
	if (machine.uart.size != 0)
		TRY(map_identity(machine.uart, MAP_READ | MAP_WRITE | MAP_DEVICE));
	return OK;
}

static void init_cpus(struct system *sys)
{
	unsigned i;

	sys->cpu_count = sys->config.system->cpu_count;
	for (i = 0; i < sys->cpu_count; i++) {
		struct percpu *percpu = percpu_of(i);

		percpu->cpu.sys = sys;
		percpu->cpu.id = i;
		percpu->cpu.hwid = sys->config.hwid[i];
		percpu->cpu.arch = &percpu->arch;
		percpu->cpu.cell = sys->root;
		percpu->cpu.state = CPU_IN_GUEST;
		sys->cpus[i] = &percpu->cpu;
	}
}

static err_t read_config(struct system *sys, struct why *why)
{
	const struct abi_image *image = &image_header;
	unsigned parange = FIELD_GET(MMFR0_PARANGE, sysreg_read(id_aa64mmfr0_el1));
	const struct abi_platform_arm64 *platform;

	if (stage2_format(parange, &sys->stage2, &machine.vtcr) != OK)
		return why_set(why, ERR_UNSUPPORTED, "ID_AA64MMFR0_EL1.PARange %u is not known", parange);
	sys->stage2.write = write_entry;
	TRY(config_parse((const void *)(HV_BASE + image->config_offset), image->config_size,
			 ABI_ARCH_ARM64, ABI_KIND_SYSTEM, &sys->config, why));
	platform = &sys->config.system->platform.arm64;
	machine.mediated[0] = (struct span){ platform->gicd.start, platform->gicd.size };
	machine.mediated[1] = (struct span){ platform->gicr.start, platform->gicr.size };
	sys->limits = (struct admit_limits){
		.max_cpus = CONFIG_MAX_CPUS,
		.guest_end = sys->stage2.end,
		.host_end = sys->stage2.end,
		.irq_first = GIC_SPI_FIRST,
		.irq_end = GIC_SPI_END,
		.mediated = machine.mediated,
		.mediated_count = ARRAY_SIZE(machine.mediated),
	};
	TRY(admit_system(&sys->config, &sys->limits, why));
	if (sys->config.system->hypervisor.start != image->start ||
	    sys->config.system->hypervisor.size != image->size)
		return why_set(why, ERR_INVALID, "hypervisor: the driver put it elsewhere than configured");
	return OK;
}

static err_t build_root(struct system *sys)
{
	const struct abi_image *image = &image_header;
	const struct config *config = &sys->config;
	struct cell *root;
	void *page;
	unsigned i;

	TRY(pool_take(&sys->pool, 1, 1, &page));
	root = page;
	root->sys = sys;
	root->config = *config;
	root->state = CELL_RUNNING;
	sys->root = root;
	sys->cell_count = 1;
	TRY(space_init(&root->space, &sys->stage2, &sys->pool, 0, false));
	for (i = 0; i < config->cell->mem_count; i++) {
		const struct abi_mem *mem = &config->mem[i];

		TRY(space_map(&root->space,
			      (struct mapping){ mem->virt, hpa(mem->phys), mem->size, space_flags(mem) },
			      (struct span){ 0, 0 }));
	}
	/* the one thing of the hypervisor's that Linux may read */
	TRY(space_map(&root->space,
		      (struct mapping){ image->start + image->log_offset, hpa(image->start + image->log_offset),
					image->log_size, MAP_READ },
		      (struct span){ 0, 0 }));
	init_cpus(sys);
	return arch_cell_init(root);
}

static err_t build_system(struct why *why)
{
	struct system *sys = &machine.sys;
	const struct abi_image *image = &image_header;
	uint64_t pool = align_up(image->config_offset + image->config_size, PAGE_SIZE);
	err_t e;

	if (image->size < pool + image->min_pool || image->size > HV_MAX_SIZE)
		return why_set(why, ERR_NO_MEMORY, "hypervisor: %llu KiB of memory are %s",
			       (unsigned long long)image->size >> 10,
			       image->size > HV_MAX_SIZE ? "more than 1 GiB" : "too little for this build");
	TRY(read_config(sys, why));
	pl011_init();
	TRY(pool_init(&sys->pool, (uint8_t *)HV_BASE + pool, hpa(image->start + pool), image->size - pool));
	e = build_root(sys);
	if (e == OK)
		e = build_tables();
	gic_init();
	if (e == ERR_NO_MEMORY && why->text[0] == '\0')
		return why_set(why, e, "hypervisor: its memory is too small for this machine");
	return e;
}

static err_t check_cpu(unsigned number, const struct bare *bare, struct why *why)
{
	struct system *sys = &machine.sys;
	uint64_t hwid = sysreg_read(mpidr_el1) & MPIDR_AFFINITY;

	if (number >= sys->cpu_count)
		return why_set(why, ERR_INVALID, "cpus: CPU %u is not configured", number);
	percpu_of(number)->arch.bare = *bare;
	if (sys->cpus[number]->hwid != hwid)
		return why_set(why, ERR_INVALID, "cpus: CPU %u is 0x%llx, configured as 0x%llx", number,
			       (unsigned long long)hwid, (unsigned long long)sys->cpus[number]->hwid);
	TRY(el2_check(sys->cpus[number], why));
	el2_own_tables(sys->cpus[number]);
	return gic_cpu_check(sys->cpus[number], why);
}

static void check(unsigned number, const struct bare *bare)
{
	struct why why = { "" };
	err_t e = check_cpu(number, bare, &why);

	if (e != OK)
		fail(e, &why);
	else if (__atomic_add_fetch(&machine.meeting.checked, 1, __ATOMIC_ACQ_REL) == image_header.online_cpus)
		advance(CHECKING, GO);
}

static void build(void)
{
	struct why why = { "" };
	err_t e;

	/* Words from before the log is there have no other place */
	log_init(&machine.sys.log, log_memory(), image_header.log_size);
	e = build_system(&why);
	if (e != OK)
		fail(e, &why);
	else if (machine.sys.cpu_count != image_header.online_cpus)
		fail(why_set(&why, ERR_INVALID, "cpus: %u are configured, %u are online",
			     machine.sys.cpu_count, image_header.online_cpus), &why);
	else
		advance(BUILDING, CHECKING);
}

/* All the way to GO or FAILED. */
static enum phase meet(unsigned number, const struct bare *bare)
{
	if (__atomic_add_fetch(&machine.meeting.arrived, 1, __ATOMIC_ACQ_REL) == image_header.online_cpus &&
	    advance(GATHERING, BUILDING))
		build();
	wait_while(GATHERING);
	wait_while(BUILDING);
	if (phase_now() == CHECKING)
		check(number, bare);
	return wait_while(CHECKING);
}

static void say_hello(const struct system *sys)
{
	log_print(&machine.sys.log, "jailhouse %s: %u CPUs, root cell \"%s\", %u of %u pages used\n",
		  image_header.version, sys->cpu_count, sys->config.cell->name, sys->pool.used,
		  sys->pool.pages);
	log_print(&machine.sys.log, "GIC: %s\n", machine.gic->words);
}

long boot_cpu(unsigned number, struct regs *regs, struct bare *bare)
{
	struct percpu *percpu = percpu_of(number);

	el2_save(bare);
	if (meet(number, bare) != GO) {
		log_set_error(&machine.sys.log, &machine.meeting.why);
		arch_memory_clean(log_memory(), sizeof(struct abi_log));
		sysreg_write(vbar_el2, bare->vbar);
		sysreg_write(tpidr_el2, bare->tpidr);
		leave_to_bare(regs, bare, err_to_abi(machine.meeting.error));
	}
	el2_activate(&percpu->cpu);
	gic_cpu_activate(&percpu->cpu);
	if (machine.uart.size != 0)
		machine.sys.log.uart = pl011_write;
	machine.sys.log.verbose = CONFIG_LOG_TO_UART;
	if (__atomic_add_fetch(&machine.meeting.active, 1, __ATOMIC_ACQ_REL) == machine.sys.cpu_count)
		say_hello(&machine.sys);
	return 0;
}
