// SPDX-License-Identifier: GPL-2.0-only
/* EL2, a GICv3 and PSCI by SMC, with a kernel that leaves EL2 to others. */
#include <stdlib.h>
#include <string.h>

#include "hardware.h"
#include "kernel_text.h"
#include "machine_tree.h"

#define KERNEL_PARAMETERS "kvm-arm.mode=nvhe kvm-arm.mode=none"

/* The driver's names of fields of ID registers */
const unsigned hardware_oldest_kernel = RELEASE(6, 1);

const char hardware_reserve_hint[] =
	"start Linux with the mem= that jailhouse config build prints, or add a reserved-memory node with no-map to the device tree";

static void row_el2(struct report *r, const struct machine *m)
{
	if (text_has(m->log, "CPU: All CPU(s) started at EL2"))
		report_row(r, PASSED, NULL, "EL2: all CPUs started there");
	else if (text_has(m->log, "CPUs started in inconsistent modes"))
		report_row(r, FAILED, "let the firmware start every CPU in EL2, by PSCI too", "EL2: only some of the CPUs started there");
	else if (text_has(m->log, "CPU: All CPU(s) started at EL1"))
		report_row(r, FAILED, "let the firmware start Linux in EL2 (QEMU: -M virt,virtualization=on)", "EL2: the firmware started Linux in EL1");
	else
		report_row(r, UNKNOWN, m->log ? "look soon after the machine has started: newer lines took the place of the oldest" : m->unread,
			   "EL2: the kernel log %s", m->log ? "does not say where the CPUs started" : "cannot be read");
}

/* The kernel's command line makes a CPU with VHE one without. */
static void row_vhe(struct report *r, const struct machine *m)
{
	if (text_has(m->log, "CPU features: detected: Virtualization Host Extensions"))
		report_row(r, FAILED, "start Linux with " KERNEL_PARAMETERS, "VHE: Linux itself runs in EL2");
	else if (param_has(m->cmdline, "kvm-arm.mode", "nvhe"))
		report_row(r, PASSED, NULL, "VHE: switched off (kvm-arm.mode=nvhe)");
	else if (text_has(m->log, "Booting Linux on physical CPU"))
		report_row(r, PASSED, NULL, "VHE: not used, Linux runs in EL1");
	else
		report_row(r, UNKNOWN, "start Linux with " KERNEL_PARAMETERS, "VHE: whether Linux uses it is not known");
}

static void row_kvm(struct report *r, const struct machine *m)
{
	char mode[32];
	bool given = param_find(m->cmdline, "kvm-arm.mode", mode, sizeof(mode));

	if (m->config && config_option(m->config, "KVM") == 'n')
		report_row(r, PASSED, NULL, "KVM: the kernel has none");
	else if (given && !strcmp(mode, "none"))
		report_row(r, PASSED, NULL, "KVM: it is off (kvm-arm.mode=none)");
	else if (!m->cmdline)
		report_row(r, UNKNOWN, m->unread, "KVM: proc/cmdline cannot be read");
	else if (m->config)
		report_row(r, FAILED, "start Linux with " KERNEL_PARAMETERS, "KVM: it takes EL2 for its machines");
	else
		report_row(r, UNKNOWN, "start Linux with " KERNEL_PARAMETERS, "KVM: it takes EL2, if the kernel has it");
}

static void row_priorities(struct report *r, const struct machine *m)
{
	bool built = !m->config || config_option(m->config, "ARM64_PSEUDO_NMI") != 'n';

	if (!m->cmdline && built)
		report_row(r, UNKNOWN, m->unread, "pseudo-NMIs: proc/cmdline cannot be read");
	else if (built && param_true(m->cmdline, "irqchip.gicv3_pseudo_nmi"))
		report_row(r, FAILED, "start Linux with irqchip.gicv3_pseudo_nmi=0", "pseudo-NMIs: Linux masks interrupts by priority");
	else
		report_row(r, PASSED, NULL, "pseudo-NMIs: not used");
}

static void row_pages(struct report *r, const struct machine *m)
{
	if (!m->config)
		report_row(r, UNKNOWN, "see that the kernel has pages of 4 KiB: getconf PAGESIZE", "page size: the kernel's options cannot be read");
	else if (config_option(m->config, "ARM64_4K_PAGES") == 'y')
		report_row(r, PASSED, NULL, "page size: 4 KiB");
	else
		report_row(r, FAILED, "use a kernel with CONFIG_ARM64_4K_PAGES", "page size: not 4 KiB, as the driver needs it");
}

/* --- what the firmware describes --- */

/* NULL: there is none that can be read. To be freed. */
static char *read_tree(const struct machine *m, bool *damaged)
{
	struct content c;

	*damaged = false;
	if (facts_read(m->facts, "sys/firmware/fdt", &c))
		return NULL;
	if (machine_tree_good(c.data, c.size))
		return c.data;
	*damaged = true;
	free(c.data);
	return NULL;
}

static unsigned gic_of_acpi(const struct machine *m)
{
	struct acpi_table madt;
	struct content c;
	unsigned version;

	if (machine_table(m, "APIC", &c, &madt) != TABLE_FOUND)
		return 0;
	version = madt_gic_version(&madt);
	free(c.data);
	return version;
}

/* What Linux found, if the firmware's description cannot be read. */
static unsigned gic_of_linux(const struct machine *m)
{
	if (text_has(m->interrupts, "GICv3"))
		return 3;
	return text_has(m->interrupts, "GICv2") ? 2 : 0;
}

static void row_gic(struct report *r, const struct machine *m, const char *tree)
{
	unsigned version = tree ? machine_tree_gic(tree) : 0;

	if (!version)
		version = gic_of_acpi(m);
	if (!version)
		version = gic_of_linux(m);
	/* for what is used here a GICv4 is a GICv3 */
	if (version == 3 || version == 4)
		report_row(r, PASSED, NULL, "interrupt controller: GICv%u", version);
	else if (version)
		report_row(r, FAILED, "use a machine with a GICv3 (QEMU: -M virt,gic-version=3)", "interrupt controller: GICv%u", version);
	else
		report_row(r, UNKNOWN, m->unread, "interrupt controller: no description of a GIC can be read");
}

/* Kernels from 6.12 on say what the distributor said, and some of them misspell the register's name. */
static bool log_has_ds(const struct machine *m, char value)
{
	char said[] = "GICD_CTLR.DS=x", misspelt[] = "GICD_CTRL.DS=x";

	said[sizeof(said) - 2] = misspelt[sizeof(misspelt) - 2] = value;
	return text_has(m->log, said) || text_has(m->log, misspelt);
}

static void row_states(struct report *r, const struct machine *m)
{
	if (log_has_ds(m, '1'))
		report_row(r, PASSED, NULL, "security states: one (GICD_CTLR.DS = 1)");
	else if (log_has_ds(m, '0'))
		report_row(r, PASSED, NULL, "security states: two (GICD_CTLR.DS = 0), Group 0 is the firmware's");
	else
		report_row(r, UNKNOWN, m->log ? "nothing to do: jailhouse enable finds out, and jailhouse console says it" : m->unread,
			   "security states: whether the GIC has one or two is not in the kernel log");
}

static const char *psci_of_acpi(const struct machine *m)
{
	const char *method = "";
	struct acpi_table fadt;
	struct content c;
	bool psci, by_hvc;

	if (machine_table(m, "FACP", &c, &fadt) != TABLE_FOUND)
		return method;
	if (fadt_psci(&fadt, &psci, &by_hvc))
		method = !psci ? NULL : by_hvc ? "hvc" : "smc";
	free(c.data);
	return method;
}

static void row_psci(struct report *r, const struct machine *m, const char *tree)
{
	const char *method = tree ? machine_tree_psci(tree) : "";

	if (method && !*method)
		method = psci_of_acpi(m);
	if (!method)
		report_row(r, FAILED, "use a firmware with PSCI, such as TF-A", "PSCI: the firmware has none");
	else if (!strcmp(method, "smc"))
		report_row(r, PASSED, NULL, "PSCI: by SMC");
	else if (!strcmp(method, "hvc"))
		report_row(r, FAILED, "start Linux without a hypervisor below it, in EL2 (QEMU: -M virt,virtualization=on)",
			   "PSCI: by HVC: whoever answers has EL2");
	else
		report_row(r, UNKNOWN, m->unread, "PSCI: no description of it can be read");
}

static void row_description(struct report *r, const struct machine *m, const char *tree, bool damaged)
{
	if (damaged)
		report_row(r, UNKNOWN, "a copy may have been cut: gather it again", "device tree: sys/firmware/fdt is damaged");
	else if (tree)
		report_row(r, PASSED, NULL, "device tree: sys/firmware/fdt");
	else
		report_row(r, UNKNOWN, m->unread, "device tree: sys/firmware/fdt cannot be read");
}

bool hardware_kept_by_mem(const struct machine *m, uint64_t mem, uint64_t *kept)
{
	bool damaged;
	char *tree = read_tree(m, &damaged);
	uint64_t ram = tree ? machine_tree_ram(tree) : 0;

	free(tree);
	*kept = ram > mem ? ram - mem : 0;
	return ram;
}

uint64_t hardware_kept_by_firmware(const struct machine *m, unsigned *pieces)
{
	bool damaged;
	char *tree = read_tree(m, &damaged);
	uint64_t size = tree ? machine_tree_reserved(tree, pieces) : 0;

	free(tree);
	return size;
}

void hardware_arch_rows(struct report *r, const struct machine *m)
{
	bool damaged;
	char *tree = read_tree(m, &damaged);

	row_el2(r, m);
	row_vhe(r, m);
	row_kvm(r, m);
	row_priorities(r, m);
	row_pages(r, m);
	row_description(r, m, tree, damaged);
	row_gic(r, m, tree);
	row_states(r, m);
	row_psci(r, m, tree);
	free(tree);
}
