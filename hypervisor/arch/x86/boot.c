// SPDX-License-Identifier: GPL-2.0-only
/* What x86 brings to enable (core/enable.h): Linux as it came, the hypervisor's tables, the way on as a guest. */
#include "arch/cpu.h"
#include "arch/tlb.h"
#include "asm.h"
#include "core/enable.h"
#include "pure/format.h"
#include "x86.h"

struct machine machine;
extern struct abi_image image_header;

#define PORT_PCI_ADDRESS 0xcf8
#define PORTS_PCI 8
#define PORTS_END 0x10000

/* Extended topology: EDX is the x2APIC id, EBX 0 where there is none of it */
#define CPUID_TOPOLOGY 0xb
#define LINEAR_BITS BITS(47, 0)

static const struct enable entering;

static void flush_hypervisor(const struct paging *paging, struct span range)
{
	(void)paging;
	arch_tlb_flush_hypervisor(range);
}

static err_t find_format(struct why *why)
{
	machine.virt = &svm_ops;
	return machine.virt->format(&machine.sys.stage2, why);
}

static void mediate(struct span span, err_t (*access)(struct cpu *, struct mmio_access *))
{
	struct system *sys = &machine.sys;

	machine.mediated[machine.mediated_count++] = span;
	sys->mmio[sys->mmio_count++] = (struct mmio_region){ span, access };
}

static const struct admit_limits limits = {
	.max_cpus = CONFIG_MAX_CPUS,
	.cpu0_stays = true,
	.pio_end = PORTS_END,
	.uart = CONFIG_SERVE_CELL_UART,
	.mediated = machine.mediated,
	.mediated_ports = { PORT_PCI_ADDRESS, PORTS_PCI },
};

static void find_limits(void)
{
	struct system *sys = &machine.sys;
	const struct abi_platform_x86_64 *platform = &sys->config.system->platform.x86_64;
	uint32_t irq_end = 0;
	unsigned i;

	mediate((struct span){ APIC_PAGE, PAGE_SIZE }, apic_mmio);
	if (platform->mmconfig.size != 0)
		mediate((struct span){ platform->mmconfig.start, platform->mmconfig.size }, pci_mmio);
	for (i = 0; i < ABI_IOAPICS && platform->ioapic[i].address != 0; i++) {
		const struct abi_ioapic *ioapic = &platform->ioapic[i];

		mediate((struct span){ ioapic->address, PAGE_SIZE }, ioapic_mmio[i]);
		if (ioapic->first + ioapic->count > irq_end)
			irq_end = ioapic->first + ioapic->count;
	}
	sys->limits = *(const struct admit_limits *)opaque(&limits);
	sys->limits.guest_end = sys->limits.host_end = sys->stage2.end;
	sys->limits.irq_end = irq_end < IOAPIC_LINES ? irq_end : IOAPIC_LINES;
	sys->limits.mediated_count = machine.mediated_count;
	machine.apic_khz = platform->apic_khz;
	uart_init();
}

static struct cpu *attach_cpu(unsigned index)
{
	struct percpu *percpu = percpu_of(index);

	percpu->cpu.arch = &percpu->arch;
	return &percpu->cpu;
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

static err_t build_tables(void)
{
	const struct mapping switch_page = { image_header.switch_page & LINEAR_BITS, hpa(image_header.switch_phys),
					     PAGE_SIZE, MAP_READ | MAP_EXEC };
	unsigned i;

	machine.tables = (struct paging){ .format = &host_paging, .pool = &machine.sys.pool,
					  .flush = flush_hypervisor };
	TRY(enable_map_image(&entering));
	TRY(paging_map(&machine.tables, &switch_page));
	for (i = 0; i < machine.sys.cpu_count; i++)
		TRY(map_percpu(machine.sys.cpus[i]));
	for (i = 0; i < machine.mediated_count; i++)
		TRY(enable_map_identity(&entering, machine.mediated[i], MAP_READ | MAP_WRITE | MAP_DEVICE));
	return OK;
}

static err_t build(struct why *why)
{
	TRY(build_tables());
	host_build_idt();
	/* controllers are reached by the tables just built, and Linux has NX on (the driver looked) */
	write_cr3(pool_phys(&machine.sys.pool, machine.tables.root).v);
	pci_init();
	return ioapic_init(why);
}

static err_t check(struct cpu *self, struct why *why)
{
	TRY(machine.virt->check(self, why));
	host_own(self);
	self->arch->owned = true;
	return apic_check(self, why);
}

static const struct enable entering = {
	.sys = &machine.sys,
	.meeting = &machine.meeting,
	.image = &image_header,
	.memory = (uint8_t *)HV_BASE,
	.tables = &machine.tables,
	.platform = &platform_x86_64,
	.format = find_format,
	.limits = find_limits,
	.cpu = attach_cpu,
	.build = build,
	.check = check,
};

static uint64_t own_apic_id(void)
{
	if (cpuid_get(CPUID_EBX(CPUID_TOPOLOGY)) != 0)
		return cpuid_get(CPUID_EDX(CPUID_TOPOLOGY));
	return cpuid_get(CPUID_EBX(1)) >> 24;
}

/* Linux as it is, but for what the way here has changed and the driver restores. */
static void save(struct came *came, const struct came *given)
{
	came->rsp = given->rsp;
	came->cr3 = given->cr3;
	came->resume = given->resume;
	came->cr0 = read_cr0();
	came->cr4 = read_cr4();
	came->efer = rdmsr(MSR_EFER) & ~EFER_SVME;
	came->pat = rdmsr(MSR_PAT);
	came->dr6 = read_dr6();
	came->dr7 = read_dr7();
	__asm__ volatile("sgdt %0; sidt %1" : "=m"(came->gdtr), "=m"(came->idtr));
	__asm__ volatile("mov %%cs, %0; mov %%ss, %1; mov %%ds, %2; mov %%es, %3"
			 : "=m"(came->cs), "=m"(came->ss), "=m"(came->ds), "=m"(came->es));
}

static _Noreturn void go_back(struct cpu *self)
{
	long result = enable_failed(&entering);

	if (self->arch->owned) {
		machine.virt->undo(self);
		host_give_back(self);
	}
	switch_back(&self->arch->came, result);
}

static void say_hello(const struct system *sys)
{
	log_print(&machine.sys.log,
		  "jailhouse %s: %u CPUs, root cell \"%s\", %u of %u pages used\n%s, local APICs in %s mode\n",
		  image_header.version, sys->cpu_count, sys->config.cell->name, sys->pool.used,
		  sys->pool.pages, machine.virt->words, sys->cpus[0]->arch->apic.x2apic ? "x2APIC" : "xAPIC");
}

_Noreturn void boot_cpu(unsigned number, const struct came *given)
{
	struct cpu *self = attach_cpu(number);
	struct came *came = &self->arch->came;

	save(came, given);
	if (enable_meet(&entering, number, own_apic_id()) != GO)
		go_back(self);
	machine.virt->activate(self);
	apic_activate(self);
	if (machine.uart != 0)
		machine.sys.log.uart = uart_write;
	machine.sys.log.verbose = CONFIG_LOG_TO_UART;
	if (__atomic_add_fetch(&machine.meeting.active, 1, __ATOMIC_ACQ_REL) == machine.sys.cpu_count)
		say_hello(&machine.sys);
	/* on in the page that switches tables (abi/image.h), where RAX and R8 are 0 in a guest */
	*regs_of(self) = (struct regs){ .r = { [RSI] = came->rsp, [RDX] = came->cr3 } };
	machine.virt->enter(self);
}
