// SPDX-License-Identifier: GPL-2.0-only
/* x86: AMD's SVM. APM is AMD's manual. */
#include <linux/cc_platform.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/smp.h>
#include <linux/vmalloc.h>
#include <asm/apicdef.h>
#include <asm/e820/api.h>
#include <asm/msr.h>
#include <asm/processor.h>
#include <asm/smp.h>
#include <asm/special_insns.h>
#include <asm/tsc.h>

#include "abi/config.h"
#include "abi/driver.h"
#include "abi/hypercall.h"
#include "arch.h"
#include "driver.h"

#define CPUID_TOPOLOGY 0xb
#define CPUID_AMD_FEATURES 0x80000001
#define CPUID_AMD_FEATURES_ECX_SVM BIT(2)
/* APM 2, 15.30.1 */
#define MSR_VM_CR 0xc0010114
#define VM_CR_SVMDIS BIT(4)

#define STAT(label, number) \
	{ { .name = "vmexits_" label, .mode = 0444 }, number }

const struct stat_attribute arch_stats[] = {
	STAT("total", ABI_STAT_TOTAL),
	STAT("mmio", ABI_STAT_MMIO),
	STAT("management", ABI_STAT_MANAGEMENT),
	STAT("hypercall", ABI_STAT_HYPERCALL),
	STAT("pio", ABI_STAT_X86_PIO),
	STAT("xapic", ABI_STAT_X86_XAPIC),
	STAT("cr", ABI_STAT_X86_CR),
	STAT("cpuid", ABI_STAT_X86_CPUID),
	STAT("xsetbv", ABI_STAT_X86_XSETBV),
	STAT("exception", ABI_STAT_X86_EXCEPTION),
	STAT("msr", ABI_STAT_X86_MSR),
	STAT("icr", ABI_STAT_X86_ICR),
	STAT("nmi", ABI_STAT_X86_NMI),
	STAT("fault", ABI_STAT_X86_FAULT),
	STAT("other", ABI_STAT_X86_OTHER),
	STAT("over_budget", ABI_STAT_OVER_BUDGET),
};

const unsigned int arch_stat_count = ARRAY_SIZE(arch_stats);
static_assert(ARRAY_SIZE(arch_stats) == ABI_STAT_COUNT, "a name for every reason");

const u8 arch_id = ABI_ARCH_X86_64;

/* x86_switch.S */
long switch_enter(unsigned int cpu, u64 cr3, u64 entry);
long switch_leave(unsigned long number);

/* HLT and MWAIT never come to the hypervisor, and an NMI ends them */
const char *arch_wfi(u32 flags)
{
	return "untrapped";
}

u64 arch_hwid(void)
{
	u32 eax, ebx = 0, ecx, edx = 0;

	if (cpuid_eax(0) >= CPUID_TOPOLOGY)
		cpuid_count(CPUID_TOPOLOGY, 0, &eax, &ebx, &ecx, &edx);
	return ebx ? edx : cpuid_ebx(1) >> 24;
}

/* What speaks against it on any CPU; there is no SVM_DISABLED where there is no SVM. */
enum {
	SVM_DISABLED = 1,
	SVM_IN_USE = 2,
	APIC_OFF = 4,
	NX_OFF = 8,
};

static void look_at_cpu(void *found)
{
	u64 efer = __rdmsr(MSR_EFER);
	int bad = 0;

	if (__rdmsr(MSR_VM_CR) & VM_CR_SVMDIS)
		bad |= SVM_DISABLED;
	if (efer & EFER_SVME)
		bad |= SVM_IN_USE;
	if (!(efer & EFER_NX))
		bad |= NX_OFF;
	if (!(__rdmsr(MSR_IA32_APICBASE) & MSR_IA32_APICBASE_ENABLE))
		bad |= APIC_OFF;
	atomic_or(bad, found);
}

/*
 * KVM takes SVM with its first machine, or at once from 6.12 on, and stops the kernel if it does
 * not get it. /dev/kvm's number is taken if KVM is there.
 */
static bool kvm_is_there(void)
{
	struct miscdevice probe = { .minor = KVM_MINOR, .name = "jailhouse-probe" };

	if (misc_register(&probe))
		return true;
	misc_deregister(&probe);
	return false;
}

static bool has_svm(void)
{
	return cpuid_eax(0x80000000) >= CPUID_AMD_FEATURES &&
	       cpuid_ecx(CPUID_AMD_FEATURES) & CPUID_AMD_FEATURES_ECX_SVM;
}

int arch_ready(char *error)
{
	atomic_t found = ATOMIC_INIT(0);
	int bad;

	if (!has_svm())
		return refuse(error, EOPNOTSUPP, "the CPU has no SVM: use an AMD machine with virtualization "
			      "(QEMU: -cpu EPYC-v4,+svm,+npt,+x2apic)");
	if (native_read_cr4() & X86_CR4_LA57)
		return refuse(error, EOPNOTSUPP, "the kernel uses 5 levels of page tables: boot with no5lvl");
	if (cc_platform_has(CC_ATTR_MEM_ENCRYPT))
		return refuse(error, EOPNOTSUPP, "the kernel's memory is encrypted (SME or SEV): boot with mem_encrypt=off");
	if (kvm_is_there())
		return refuse(error, EOPNOTSUPP, "KVM is there and takes SVM for its machines: modprobe -r kvm_amd");
	on_each_cpu(look_at_cpu, &found, 1);
	bad = atomic_read(&found);
	if (bad & SVM_DISABLED)
		return refuse(error, EOPNOTSUPP, "the firmware has switched SVM off (VM_CR.SVMDIS): "
			      "switch virtualization on in its set-up");
	if (bad & SVM_IN_USE)
		return refuse(error, EOPNOTSUPP, "somebody uses SVM already (EFER.SVME): unload the other hypervisor's module");
	if (bad & APIC_OFF)
		return refuse(error, EOPNOTSUPP, "a CPU has its local APIC switched off: boot without nolapic");
	if (bad & NX_OFF)
		return refuse(error, EOPNOTSUPP, "the kernel runs without NX: boot without noexec=off, and switch NX on in the firmware");
	return 0;
}

static void grow(u64 *end, u64 start, u64 size, u64 from, u64 *next)
{
	if (start + size <= from)
		return;
	if (start <= *end)
		*end = max(*end, start + size);
	else
		*next = min(*next, start);
}

/*
 * The end of what is reserved from `start` on without a gap; *next is where more begins, or
 * U64_MAX. Regions may stand in any order: as often as it grows it is looked again.
 */
static u64 reserved_end(const struct blob *blob, u64 start, u64 *next)
{
	const struct abi_span *hypervisor = &blob->system->hypervisor;
	u64 end = start, before;
	u32 i;

	do {
		before = end;
		*next = U64_MAX;
		grow(&end, hypervisor->start, hypervisor->size, start, next);
		for (i = 0; i < blob->cell->mem_count; i++)
			if (blob->mem[i].flags & ABI_MEM_RESERVED)
				grow(&end, blob->mem[i].phys, blob->mem[i].size, start, next);
	} while (end != before);
	return end;
}

void arch_reserve_hint(char *text, size_t size, const struct blob *blob)
{
	size_t n = scnprintf(text, size, "boot with");
	u64 next, start, end;

	for (end = reserved_end(blob, 0, &next); next != U64_MAX; ) {
		start = next;
		end = reserved_end(blob, start, &next);
		n += scnprintf(text + n, size - n, " memmap=%lluK$0x%llx",
			       (unsigned long long)(end - start) / SZ_1K, (unsigned long long)start);
	}
}

/* The firmware's own table: memmap= is not in it. */
bool arch_no_ram(u64 start, u64 size)
{
	u64 at;

	for (at = start; at - start < size; at += PAGE_SIZE) {
		if (!e820__mapped_raw_any(at, at + PAGE_SIZE, E820_TYPE_RAM))
			return true;
		if (!(at & (SZ_1G - 1)))
			cond_resched();
	}
	return false;
}

/* Caches are coherent with whatever reads memory here. */
void arch_cache_clean(const void *start, size_t size)
{
}

/* PML4; PDPT and PD for the hypervisor; PDPT, PD and PT for the page that switches tables */
#define TABLES 6
#define ENTRY_TABLE (_PAGE_PRESENT | _PAGE_RW)
#define ENTRY_BLOCK (_PAGE_PRESENT | _PAGE_RW | _PAGE_PSE)
#define ENTRY_CODE _PAGE_PRESENT

struct tables {
	u64 entry[TABLES][512];
};

static unsigned int table_index(u64 address, unsigned int shift)
{
	return address >> shift & 511;
}

static void map_hypervisor(struct tables *t, u64 phys, const struct abi_image *image)
{
	u64 at;

	t->entry[0][table_index(image->base, 39)] = (phys + 1 * PAGE_SIZE) | ENTRY_TABLE;
	t->entry[1][table_index(image->base, 30)] = (phys + 2 * PAGE_SIZE) | ENTRY_TABLE;
	for (at = 0; at < image->size; at += SZ_2M)
		t->entry[2][at / SZ_2M] = (image->start + at) | ENTRY_BLOCK;
}

static void map_switch_page(struct tables *t, u64 phys, const struct abi_image *image)
{
	t->entry[0][table_index(image->switch_page, 39)] = (phys + 3 * PAGE_SIZE) | ENTRY_TABLE;
	t->entry[3][table_index(image->switch_page, 30)] = (phys + 4 * PAGE_SIZE) | ENTRY_TABLE;
	t->entry[4][table_index(image->switch_page, 21)] = (phys + 5 * PAGE_SIZE) | ENTRY_TABLE;
	t->entry[5][table_index(image->switch_page, 12)] = image->switch_phys | ENTRY_CODE;
}

u32 arch_tsc_khz(void)
{
	return tsc_khz;
}

int arch_prepare(struct abi_image *image, char *error)
{
	u64 phys = image->start + image->boot_offset;

	if (image->boot_size < sizeof(struct tables) || !IS_ALIGNED(image->base, SZ_1G))
		return refuse(error, ENOEXEC, "jailhouse.bin leaves no room for the tables of the way in: install it anew");
	image->tsc_khz = arch_tsc_khz();
	image->switch_page = (unsigned long)switch_enter & PAGE_MASK;
	image->switch_phys = page_to_phys(vmalloc_to_page((void *)switch_enter));
	map_hypervisor((void *)image + image->boot_offset, phys, image);
	map_switch_page((void *)image + image->boot_offset, phys, image);
	return 0;
}

/* As a guest Linux does not see SVME, and keeps it. */
long arch_enter(const struct abi_image *image, u64 start, unsigned int cpu)
{
	u64 efer = __rdmsr(MSR_EFER);
	long result;

	native_wrmsrl(MSR_EFER, efer | EFER_SVME);
	result = switch_enter(cpu, start + image->boot_offset, image->base + image->entry);
	if (result < 0)
		native_wrmsrl(MSR_EFER, efer);
	return result;
}

static long leave(void)
{
	long result = switch_leave(ABI_HC_DISABLE);

	if (!result)
		native_wrmsrl(MSR_EFER, __rdmsr(MSR_EFER) & ~EFER_SVME);
	return result;
}

long arch_hypercall(unsigned long number, unsigned long first, unsigned long second)
{
	long result = (long)number;

	if (number == ABI_HC_DISABLE)
		return leave();
	asm volatile("vmmcall" : "+a" (result) : "D" (first), "S" (second) : "memory");
	return result;
}

static void send_init_x2apic(u32 apic_id)
{
	native_wrmsrl(APIC_BASE_MSR + (APIC_ICR >> 4), (u64)apic_id << 32 | APIC_DM_INIT | APIC_INT_ASSERT);
}

static void send_init_xapic(u32 apic_id)
{
	u8 __iomem *apic = ioremap(__rdmsr(MSR_IA32_APICBASE) & PAGE_MASK & ~(u64)X2APIC_ENABLE, PAGE_SIZE);
	unsigned long flags;

	if (!apic)
		return;
	/* nothing of Linux's between the two halves */
	local_irq_save(flags);
	while (readl(apic + APIC_ICR) & APIC_ICR_BUSY)
		cpu_relax();
	writel(SET_XAPIC_DEST_FIELD(apic_id), apic + APIC_ICR2);
	writel(APIC_DM_INIT | APIC_INT_ASSERT, apic + APIC_ICR);
	local_irq_restore(flags);
	iounmap(apic);
}

/* Linux's offline CPUs sleep in the guest. INIT is what has them wait for a SIPI. */
void arch_cpu_taken(unsigned int cpu)
{
	u32 apic_id = per_cpu(x86_cpu_to_apicid, cpu);

	if (__rdmsr(MSR_IA32_APICBASE) & X2APIC_ENABLE)
		send_init_x2apic(apic_id);
	else
		send_init_xapic(apic_id);
}
