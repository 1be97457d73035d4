// SPDX-License-Identifier: GPL-2.0-only
/* AMD's SVM with nested paging, which nobody uses, and what a PC's firmware describes. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/config.h"
#include "hardware.h"
#include "kernel_text.h"

/* linux/cc_platform.h */
const unsigned hardware_oldest_kernel = RELEASE(5, 16);

const char hardware_reserve_hint[] =
	"start Linux with the memmap= that jailhouse config build prints; GRUB has its own use for $: write \\$ in grub.cfg and \\\\\\$ in "
	"/etc/default/grub";

/* Where the hypervisor expects every CPU's */
#define LOCAL_APIC 0xfee00000u

#define SWITCH_SVM_ON "switch it on in the firmware's set-up, often called \"SVM mode\""

/* Linux hides the flag where the firmware has switched SVM off, certainly from here on; KVM said so at all times */
#define SVM_FLAG_TELLS RELEASE(6, 12)

static bool svm_is_on(const struct machine *m)
{
	return release_number(m->release) >= SVM_FLAG_TELLS || text_has(m->log, "Nested Paging enabled");
}

static void row_svm(struct report *r, const struct machine *m)
{
	if (!m->cpuinfo)
		report_row(r, UNKNOWN, m->unread, "SVM: proc/cpuinfo cannot be read");
	else if (text_has(m->log, "SVM disabled (by BIOS)") || text_has(m->log, "'kvm_amd' disabled by bios"))
		report_row(r, FAILED, SWITCH_SVM_ON, "SVM: the firmware has switched it off");
	else if (cpuinfo_flag(m->cpuinfo, "svm") && svm_is_on(m))
		report_row(r, PASSED, NULL, "SVM: on all CPUs");
	else if (cpuinfo_flag(m->cpuinfo, "svm"))
		report_row(r, UNKNOWN, "if jailhouse enable refuses: " SWITCH_SVM_ON,
			   "SVM: on all CPUs; whether the firmware has switched it off is not known");
	else if (cpuinfo_flag(m->cpuinfo, "vmx"))
		report_row(r, FAILED, "use an AMD machine", "SVM: none; this CPU has Intel's VMX, which the hypervisor does not serve yet");
	else if (text_has(m->cpuinfo, "AuthenticAMD") || text_has(m->cpuinfo, "HygonGenuine"))
		report_row(r, FAILED, SWITCH_SVM_ON "; in a virtual machine, have it nested (QEMU: -cpu EPYC-v4,+svm,+npt,+x2apic)",
			   "SVM: not on all CPUs, or the firmware has switched it off");
	else
		report_row(r, FAILED, "use an AMD machine", "SVM: none");
}

static void row_flag(struct report *r, const struct machine *m, const char *flag, const char *what, const char *fix)
{
	if (!m->cpuinfo)
		report_row(r, UNKNOWN, m->unread, "%s: proc/cpuinfo cannot be read", what);
	else if (cpuinfo_flag(m->cpuinfo, flag))
		report_row(r, PASSED, NULL, "%s: on all CPUs", what);
	else
		report_row(r, FAILED, fix, "%s: not every CPU has it", what);
}

static void row_levels(struct report *r, const struct machine *m)
{
	if (!m->cpuinfo)
		report_row(r, UNKNOWN, m->unread, "page tables: proc/cpuinfo cannot be read");
	else if (cpuinfo_flag(m->cpuinfo, "la57"))
		report_row(r, FAILED, "start Linux with no5lvl", "page tables: Linux uses five levels");
	else
		report_row(r, PASSED, NULL, "page tables: four levels");
}

/* Linux names what is active; without a log its absence says nothing, but a CPU that cannot does. */
static void row_encryption(struct report *r, const struct machine *m)
{
	bool able = !m->cpuinfo || cpuinfo_flag(m->cpuinfo, "sme") || cpuinfo_flag(m->cpuinfo, "sev");
	char given[8];

	param_find(m->cmdline, "mem_encrypt", given, sizeof(given));
	if (text_has(m->log, "Memory Encryption Features active") || !strcmp(given, "on"))
		report_row(r, FAILED, "start Linux with mem_encrypt=off; an encrypted virtual machine cannot have the hypervisor",
			   "memory encryption: Linux uses it");
	else if (!able || !strcmp(given, "off") || text_has(m->log, "Linux version "))
		report_row(r, PASSED, NULL, "memory encryption: not used");
	else
		report_row(r, UNKNOWN, "if jailhouse enable refuses: start Linux with mem_encrypt=off",
			   "memory encryption: whether Linux uses it is not known");
}

static void row_kvm(struct report *r, const struct machine *m)
{
	const char *built_in = m->config && config_option(m->config, "KVM_AMD") == 'y' ? "KVM_AMD"
			       : m->config && config_option(m->config, "KVM_INTEL") == 'y' ? "KVM_INTEL" : NULL;

	if (built_in)
		report_row(r, FAILED, "use a kernel with KVM as a module, and do not load that",
			   "KVM: it is built into the kernel (CONFIG_%s) and takes SVM", built_in);
	else if (m->config && config_option(m->config, "KVM_AMD") == 'n' && config_option(m->config, "KVM_INTEL") == 'n')
		report_row(r, PASSED, NULL, "KVM: the kernel has none");
	else if (!m->modules)
		report_row(r, UNKNOWN, m->unread, "KVM: proc/modules cannot be read");
	else if (modules_has(m->modules, "kvm_amd") || modules_has(m->modules, "kvm_intel"))
		report_row(r, FAILED, "end its machines, then modprobe -r kvm_amd", "KVM: it is loaded and takes SVM for its machines");
	else
		report_row(r, PASSED, NULL, "KVM: not loaded");
}

/* --- interrupts --- */

/* Linux switches to it, or finds that the firmware has; and gives it up without interrupt remapping. */
static bool in_x2apic_mode(const struct machine *m)
{
	return (text_has(m->log, "x2apic enabled") || text_has(m->log, "x2apic: enabled by BIOS")) &&
	       !text_has(m->log, "x2apic disabled");
}

static void row_apic_mode(struct report *r, const struct machine *m)
{
	char none[8];

	if (param_find(m->cmdline, "nolapic", none, sizeof(none)) || param_find(m->cmdline, "disableapic", none, sizeof(none)))
		report_row(r, FAILED, "start Linux without nolapic and disableapic", "local APIC: it is switched off");
	else if (m->cpuinfo && !cpuinfo_flag(m->cpuinfo, "apic"))
		report_row(r, FAILED, "switch it on in the firmware's set-up", "local APIC: Linux sees none");
	else if (!m->cpuinfo)
		report_row(r, UNKNOWN, m->unread, "local APIC: proc/cpuinfo cannot be read");
	else if (in_x2apic_mode(m))
		report_row(r, PASSED, NULL, "local APIC: in x2APIC mode");
	else
		report_row(r, PASSED, "in xAPIC mode each write to it is an exit, the end of an interrupt included",
			   "local APIC: there, %s", text_has(m->log, "Linux version ") ? "in xAPIC mode" : "in which mode is not known");
}

static void row_madt(struct report *r, const struct machine *m)
{
	static const char fix[] = "describe four of them, and give cells no lines of the others";
	struct acpi_table madt;
	struct content c;
	enum table found = machine_table(m, "APIC", &c, &madt);
	unsigned ioapics = found == TABLE_FOUND ? madt_count(&madt, MADT_IOAPIC) : 0;

	report_table(r, m, found, "APIC", "interrupt controllers", "start Linux without acpi=off");
	if (found != TABLE_FOUND)
		return;
	if (madt_local_apic(&madt) != LOCAL_APIC)
		report_row(r, FAILED, "leave it where the firmware's defaults have it",
			   "interrupt controllers: the local APICs are at 0x%" PRIx32 ", not at 0x%x", madt_local_apic(&madt), LOCAL_APIC);
	else if (!ioapics)
		report_row(r, FAILED, "switch the IOAPIC on in the firmware's set-up", "interrupt controllers: the table APIC names no IOAPIC");
	else if (ioapics > ABI_IOAPICS)
		report_row(r, UNKNOWN, fix, "interrupt controllers: %u IOAPICs, and a configuration has at most %u", ioapics, ABI_IOAPICS);
	else
		report_row(r, PASSED, NULL, "interrupt controllers: local APICs at 0x%x, IOAPICs: %u", LOCAL_APIC, ioapics);
	free(c.data);
}

static void row_mcfg(struct report *r, const struct machine *m)
{
	static const char fix[] = "cells can have PCI functions by the ports too; leave mmconfig out of the machine's text";
	struct acpi_table mcfg;
	struct content c;
	enum table found = machine_table(m, "MCFG", &c, &mcfg);

	if (found == TABLE_ABSENT)
		report_row(r, PASSED, fix, "PCI: no configuration space in memory");
	else
		report_table(r, m, found, "MCFG", "PCI", NULL);
	if (found != TABLE_FOUND)
		return;
	if (mcfg_has_first(&mcfg))
		report_row(r, PASSED, NULL, "PCI: configuration space in memory");
	else
		report_row(r, UNKNOWN, fix, "PCI: configuration space in memory does not begin at bus 0 of segment 0");
	free(c.data);
}

#define NO_LINES "cells get no interrupt lines then, and their PCI functions' messages stay off: if they are to have them, start Linux with "

/* It hinders no start, but cells without interrupts are not what most want. In x2APIC mode the hypervisor takes them for remapped. */
static void row_remapping(struct report *r, const struct machine *m)
{
	if (text_has(m->interrupts, " IR-IO-APIC") || text_has(m->interrupts, " IR-PCI-MSI"))
		report_row(r, PASSED, NO_LINES "intremap=off", "interrupt remapping: Linux uses it");
	else if (in_x2apic_mode(m))
		report_row(r, PASSED, NO_LINES "nox2apic", "interrupt remapping: not used, but Linux is in x2APIC mode");
	else if (m->interrupts)
		report_row(r, PASSED, NULL, "interrupt remapping: not used");
	else
		report_row(r, UNKNOWN, m->unread, "interrupt remapping: proc/interrupts cannot be read");
}

/* --- memory --- */

static bool read_number(const struct machine *m, const char *folder, const char *file, uint64_t *number)
{
	char path[512], *text;

	snprintf(path, sizeof(path), "sys/firmware/memmap/%s/%s", folder, file);
	text = machine_text(m, path);
	if (!text)
		return false;
	*number = strtoull(text, NULL, 0);
	free(text);
	return true;
}

static bool is_ram(const struct machine *m, const char *folder)
{
	char path[512], *text;
	bool is;

	snprintf(path, sizeof(path), "sys/firmware/memmap/%s/type", folder);
	text = machine_text(m, path);
	is = text && !strcmp(text, "System RAM\n");
	free(text);
	return is;
}

/* Here it is an address, above which Linux uses no RAM. */
bool hardware_kept_by_mem(const struct machine *m, uint64_t mem, uint64_t *kept)
{
	struct names names;
	uint64_t start, last;
	bool any = false;

	*kept = 0;
	if (facts_list(m->facts, "sys/firmware/memmap", &names))
		return false;
	for (size_t i = 0; i < names.count; i++) {
		if (!is_ram(m, names.name[i]) || !read_number(m, names.name[i], "start", &start) ||
		    !read_number(m, names.name[i], "end", &last) || last < start)
			continue;
		any = true;
		if (start < mem)
			start = mem;
		if (last >= start && last - start < UINT64_MAX - *kept)
			*kept += last - start + 1;
	}
	names_free(&names);
	return any;
}

/* What it keeps here it keeps for itself. */
uint64_t hardware_kept_by_firmware(const struct machine *m, unsigned *pieces)
{
	(void)m;
	(void)pieces;
	return 0;
}

void hardware_arch_rows(struct report *r, const struct machine *m)
{
	row_svm(r, m);
	row_flag(r, m, "npt", "nested paging", "use a newer AMD CPU (QEMU: -cpu ...,+npt)");
	row_flag(r, m, "nx", "NX", "start Linux without noexec=off, and switch NX on in the firmware's set-up");
	row_levels(r, m);
	row_encryption(r, m);
	row_kvm(r, m);
	row_apic_mode(r, m);
	row_madt(r, m);
	row_mcfg(r, m);
	row_remapping(r, m);
}
