/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two PCI functions of the cell's own: QEMU's `edu` (by MSI) at `edu` and an 82574 (by MSI-X) at `nic`. Says
 * how many functions of bus 0 it sees by ports and by ECAM (`ecam`), and of `count` interrupts asked for
 * how many came, with messages to its own CPU and with such as it may not send. Then it goes on with
 * edu's, quietly, without accesses that are mediated.
 */
#include "inmate.h"
#include "x86_64/apic.h"
#include "x86_64/asm.h"

#define PCI_ADDRESS 0xcf8
#define PCI_DATA 0xcfc
#define PCI_COMMAND 0x04u
#define COMMAND_ON 0x6u
#define PCI_BAR 0x10u
#define PCI_CAPABILITIES 0x34u
#define CAPABILITY_MSI 0x05u
#define CAPABILITY_MSIX 0x11u
#define MSI_ENABLE 0x00010000u
#define MSIX_ENABLE 0x80000000u

#define EDU_ID 0x00u
#define EDU_RAISE 0x60u
#define EDU_ACKNOWLEDGE 0x64u

#define NIC_CAUSE_SET 0xc8u
#define NIC_MASK_SET 0xd0u
#define NIC_MASK_CLEAR 0xd8u
#define NIC_CAUSE 0xc0u
#define NIC_VECTORS 0xe4u
#define NIC_CAUSE_OTHER 0x01000000u
#define NIC_OTHER_BY_0 0x00080000u

#define LIMIT_MS 2000u		/* how soon an interrupt must come that may */
#define QUIET_MS 10u		/* how long one must not come that may not */
#define LINE 3u			/* its vector is what messages say */
#define MESSAGE 0xfee00000u
#define NMI 0x400u
#define NOBODYS 0x40000000u

struct device {
	uint32_t bdf;
	uint64_t bar;		/* registers */
	uint64_t table;		/* MSI-X: its entry 0 */
	uint32_t capability;
	volatile uint32_t interrupts;
};

static uint64_t ecam;

static uint32_t config_read(uint32_t bdf, uint32_t reg)
{
	out32(PCI_ADDRESS, 0x80000000u | bdf << 8 | reg);
	return in32(PCI_DATA);
}

static void config_write(uint32_t bdf, uint32_t reg, uint32_t value)
{
	out32(PCI_ADDRESS, 0x80000000u | bdf << 8 | reg);
	out32(PCI_DATA, value);
}

static uint32_t find_capability(uint32_t bdf, uint32_t id)
{
	uint32_t at = config_read(bdf, PCI_CAPABILITIES) & 0xff;

	while (at != 0 && (config_read(bdf, at) & 0xff) != id)
		at = config_read(bdf, at) >> 8 & 0xff;
	return at;
}

/* The BAR's size, found as everybody does. */
static uint32_t bar_size(uint32_t bdf, uint32_t bar)
{
	uint32_t was = config_read(bdf, PCI_BAR + 4 * bar), bits;

	config_write(bdf, PCI_BAR + 4 * bar, UINT32_MAX);
	bits = config_read(bdf, PCI_BAR + 4 * bar) & ~0xfu;
	config_write(bdf, PCI_BAR + 4 * bar, was);
	return ~bits + 1;
}

static void took(void *context, uint64_t entered)
{
	struct device *d = context;

	(void)entered;
	d->interrupts++;
}

/* Until one more has come, `ms` at most. */
static void await(const struct device *d, uint32_t before, uint64_t ms)
{
	uint64_t end = timer_now() + timer_ns_to_ticks(ms * 1000000);

	while (d->interrupts == before && timer_now() < end)
		;
}

static void edu_raise(const struct device *d, uint64_t ms)
{
	uint32_t before = d->interrupts;

	mmio_write32(d->bar + EDU_RAISE, 1);
	await(d, before, ms);
	mmio_write32(d->bar + EDU_ACKNOWLEDGE, 1);
}

/*
 * It lets some time pass between two of its interrupts, and sends the second then if there still is
 * a cause; what comes after the one that is waited for belongs to no other.
 */
static void nic_raise(const struct device *d, uint64_t ms)
{
	uint32_t before = d->interrupts;

	mmio_write32(d->bar + NIC_CAUSE_SET, NIC_CAUSE_OTHER);
	await(d, before, ms);
	mmio_write32(d->bar + NIC_CAUSE, NIC_CAUSE_OTHER);
	await(d, UINT32_MAX, 1);
}

/* How many of `count` came; of its own, which may, up to the first that did not. */
static uint32_t run(struct device *d, void (*raise)(const struct device *, uint64_t), uint32_t count, bool own)
{
	uint32_t came = 0;

	irq_enable(LINE, took, d);
	irq_unmask();
	for (uint32_t i = 0; i < count && (!own || came == i); i++) {
		uint32_t before = d->interrupts;

		raise(d, own ? LIMIT_MS : QUIET_MS);
		came += d->interrupts != before;
	}
	irq_mask();
	return came;
}

static void count_functions(void)
{
	uint32_t ports = 0, memory = 0;

	for (uint32_t bdf = 0; bdf < 256; bdf++) {
		ports += config_read(bdf, 0) != UINT32_MAX;
		memory += mmio_read32(ecam + (bdf << 12)) != UINT32_MAX;
	}
	printk("pci: by ports %u, by ECAM %u\n", ports, memory);
}

static void write_msi(const struct device *d, uint32_t address, uint32_t data)
{
	uint32_t control = config_read(d->bdf, d->capability);

	config_write(d->bdf, d->capability, control & ~MSI_ENABLE);
	config_write(d->bdf, d->capability + 4, address);
	config_write(d->bdf, d->capability + 8, 0);
	config_write(d->bdf, d->capability + 12, data);
	config_write(d->bdf, d->capability, control | MSI_ENABLE);
}

static void try_msi(struct device *d, uint32_t count)
{
	uint32_t own = MESSAGE | (uint32_t)cpu_affinity() << 12, vector = VECTOR_LINES + LINE;
	uint32_t good, nmi, foreign;

	d->capability = find_capability(d->bdf, CAPABILITY_MSI);
	config_write(d->bdf, PCI_COMMAND, COMMAND_ON);
	printk("pci: edu 0x%x, BAR 0 of 0x%x\n", mmio_read32(d->bar + EDU_ID), bar_size(d->bdf, 0));
	write_msi(d, own, vector | NMI);
	nmi = run(d, edu_raise, count, false);
	write_msi(d, MESSAGE, vector);
	foreign = run(d, edu_raise, count, false);
	write_msi(d, own, vector);
	good = run(d, edu_raise, count, true);
	printk("pci: MSI: own %u, nmi %u, foreign %u\n", good, nmi, foreign);
}

static void write_entry(const struct device *d, uint32_t address, uint32_t data)
{
	mmio_write32(d->table + 12, 1);
	mmio_write32(d->table, address);
	mmio_write32(d->table + 4, 0);
	mmio_write32(d->table + 8, data);
	mmio_write32(d->table + 12, 0);
}

static void try_msix(struct device *d, uint32_t count)
{
	uint32_t own = MESSAGE | (uint32_t)cpu_affinity() << 12, vector = VECTOR_LINES + LINE;
	uint32_t good, foreign, masked, left;

	d->capability = find_capability(d->bdf, CAPABILITY_MSIX);
	config_write(d->bdf, PCI_COMMAND, COMMAND_ON);
	left = mmio_read32(d->table) | mmio_read32(d->table + 8);
	config_write(d->bdf, d->capability, config_read(d->bdf, d->capability) | MSIX_ENABLE);
	mmio_write32(d->bar + NIC_MASK_CLEAR, UINT32_MAX);
	mmio_write32(d->bar + NIC_VECTORS, NIC_OTHER_BY_0);
	mmio_write32(d->bar + NIC_MASK_SET, NIC_CAUSE_OTHER);
	write_entry(d, MESSAGE, vector);
	masked = mmio_read32(d->table + 12);
	foreign = run(d, nic_raise, count, false);
	write_entry(d, own, vector);
	good = run(d, nic_raise, count, true);
	printk("pci: MSI-X: own %u, foreign %u, masked %u, left 0x%x\n", good, foreign, masked, left);
}

void inmate_main(void)
{
	struct device edu = { .bdf = (uint32_t)cmdline_get_int("edu", 0x28), .bar = cmdline_get_int("edu_bar", 0) };
	struct device nic = { .bdf = (uint32_t)cmdline_get_int("nic", 0x30), .bar = cmdline_get_int("nic_bar", 0),
			      .table = cmdline_get_int("table", 0) };
	uint32_t count = (uint32_t)cmdline_get_int("count", 100);

	ecam = cmdline_get_int("ecam", comm_page()->pci_mmconfig_base);
	irq_init();
	count_functions();
	try_msi(&edu, count);
	try_msix(&nic, count);
	printk("pci: done\n");
	if (cmdline_get_bool("fail", false))
		mmio_read32(NOBODYS);
	for (;;)
		run(&edu, edu_raise, count, true);
}
