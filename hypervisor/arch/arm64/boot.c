// SPDX-License-Identifier: GPL-2.0-only
/* What arm64 brings to enable (core/enable.h): the hypervisor's tables, and the way back and on. */
#include "abi/image.h"
#include "arch/cpu.h"
#include "arch/tlb.h"
#include "arm64.h"
#include "core/enable.h"
#include "pure/format.h"
#include "sysreg.h"

struct machine machine;
extern struct abi_image image_header;

static const struct enable entering;

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

/* Stacks and their struct percpu; the page below each stack stays unmapped. */
static err_t map_percpu(struct cpu *cpu)
{
	uint8_t *area = _percpu + cpu->id * (size_t)PERCPU_SIZE;
	uint64_t block = WINDOW_BASE + (uint64_t)cpu->id * WINDOW_SIZE;
	uint64_t *block_entry, *page_entry;

	TRY(enable_map(&entering, area + PAGE_SIZE, area + PERCPU_SIZE, MAP_READ | MAP_WRITE));
	TRY(enable_map_window(&entering, block, block + WINDOW_SIZE / 2, &block_entry, &page_entry));
	window_init(cpu, block_entry, page_entry);
	return OK;
}

static err_t map_devices(void)
{
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(machine.mediated); i++)
		TRY(enable_map_identity(&entering, machine.mediated[i], MAP_READ | MAP_WRITE | MAP_DEVICE));
	if (machine.uart.size != 0)
		TRY(enable_map_identity(&entering, machine.uart, MAP_READ | MAP_WRITE | MAP_DEVICE));
	return OK;
}

static err_t build_tables(void)
{
	const struct span idmap = { image_header.start + (uint64_t)(_idmap - _start), PAGE_SIZE };
	unsigned i;

	stage1_format(&machine.format);
	machine.format.write = write_entry;
	machine.tables = (struct paging){ .format = &machine.format, .pool = &machine.sys.pool,
					  .flush = flush_hypervisor };
	TRY(enable_map_image(&entering));
	TRY(enable_map_identity(&entering, idmap, MAP_READ | MAP_EXEC));
	for (i = 0; i < machine.sys.cpu_count; i++)
		TRY(map_percpu(machine.sys.cpus[i]));
	return map_devices();
}

static err_t find_format(struct why *why)
{
	unsigned parange = FIELD_GET(MMFR0_PARANGE, sysreg_read(id_aa64mmfr0_el1));

	if (stage2_format(parange, &machine.sys.stage2, &machine.vtcr) != OK)
		return why_set(why, ERR_UNSUPPORTED, "ID_AA64MMFR0_EL1.PARange %u is not known", parange);
	machine.sys.stage2.write = write_entry;
	return OK;
}

static void find_limits(void)
{
	struct system *sys = &machine.sys;
	const struct abi_platform_arm64 *platform = &sys->config.system->platform.arm64;

	machine.mediated[0] = (struct span){ platform->gicd.start, platform->gicd.size };
	machine.mediated[1] = (struct span){ platform->gicr.start, platform->gicr.size };
	sys->limits = (struct admit_limits){
		.max_cpus = CONFIG_MAX_CPUS,
		.guest_end = sys->stage2.end,
		.host_end = sys->stage2.end,
		.irq_first = GIC_SPI_FIRST,
		.irq_end = GIC_SPI_END,
		.uart = CONFIG_SERVE_CELL_UART,
		.mediated = machine.mediated,
		.mediated_count = ARRAY_SIZE(machine.mediated),
	};
	pl011_init();
}

static struct cpu *attach_cpu(unsigned index)
{
	struct percpu *percpu = percpu_of(index);

	percpu->cpu.arch = &percpu->arch;
	return &percpu->cpu;
}

static err_t build(struct why *why)
{
	(void)why;
	return build_tables();
}

static err_t check(struct cpu *self, struct why *why)
{
	TRY(el2_check(self, why));
	el2_own_tables(self);
	return gic_cpu_check(self, why);
}

static const struct enable entering = {
	.sys = &machine.sys,
	.meeting = &machine.meeting,
	.image = &image_header,
	.memory = (uint8_t *)HV_BASE,
	.tables = &machine.tables,
	.platform = &platform_arm64,
	.format = find_format,
	.limits = find_limits,
	.cpu = attach_cpu,
	.build = build,
	.check = check,
};

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
	percpu->arch.bare = *bare;
	if (enable_meet(&entering, number, sysreg_read(mpidr_el1) & MPIDR_AFFINITY) != GO) {
		long result = enable_failed(&entering);

		sysreg_write(vbar_el2, bare->vbar);
		sysreg_write(tpidr_el2, bare->tpidr);
		leave_to_bare(regs, bare, result);
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
