// SPDX-License-Identifier: GPL-2.0-only
/* arm64: EL2 through the kernel's hyp stub. DDI0487 is the Arm ARM. */
#include <linux/arm-smccc.h>
#include <linux/ioport.h>
#include <linux/miscdevice.h>
#include <linux/of.h>
#include <linux/of_address.h>
#include <linux/kernel.h>
#include <linux/sizes.h>
#include <asm/barrier.h>
#include <asm/cpufeature.h>
#include <asm/cputype.h>
#include <asm/ptrace.h>
#include <asm/sysreg.h>
#include <asm/virt.h>

#include "abi/config.h"
#include "abi/driver.h"
#include "abi/hypercall.h"
#include "arch.h"
#include "driver.h"

#define KERNEL_PARAMETERS "kvm-arm.mode=nvhe kvm-arm.mode=none"

/* Aff3 and Aff2..0; the bits between are flags (DDI0487 D19.2.101) */
#define MPIDR_AFFINITY 0xff00ffffffUL

/* No call the stub knows: it answers HVC_STUB_ERR, KVM something else. */
#define STUB_PROBE HVC_STUB_HCALL_NR

#define STAT(label, number) \
	{ { .name = "vmexits_" label, .mode = 0444 }, number }

const struct stat_attribute arch_stats[] = {
	STAT("total", ABI_STAT_TOTAL),
	STAT("mmio", ABI_STAT_MMIO),
	STAT("management", ABI_STAT_MANAGEMENT),
	STAT("hypercall", ABI_STAT_HYPERCALL),
	STAT("sgi", ABI_STAT_ARM64_SGI),
	STAT("psci", ABI_STAT_ARM64_PSCI),
	STAT("smccc", ABI_STAT_ARM64_SMCCC),
	STAT("sysreg", ABI_STAT_ARM64_SYSREG),
	STAT("wfi", ABI_STAT_ARM64_WFI),
	STAT("fault", ABI_STAT_ARM64_FAULT),
	STAT("irq", ABI_STAT_ARM64_IRQ),
	STAT("maintenance", ABI_STAT_ARM64_MAINTENANCE),
	STAT("other", ABI_STAT_ARM64_OTHER),
	STAT("over_budget", ABI_STAT_OVER_BUDGET),
};

const unsigned int arch_stat_count = ARRAY_SIZE(arch_stats);
static_assert(ARRAY_SIZE(arch_stats) == ABI_STAT_ARM64_OTHER + 2, "a name for every reason, and OVER_BUDGET");

const u8 arch_id = ABI_ARCH_ARM64;

const char *arch_wfi(u32 flags)
{
	return flags & ABI_CELL_TRUSTED_WFI ? "trusted" : "trapped";
}

u64 arch_hwid(void)
{
	return read_cpuid_mpidr() & MPIDR_AFFINITY;
}

/*
 * PSCI by SMC says that nobody sits at EL2 above this kernel: under a foreign
 * hypervisor, or without EL2, the firmware interface is HVC. Firmware older than
 * SMCCC 1.1 does not tell through the exported call; its device tree node does.
 */
static bool firmware_by_smc(void)
{
	static const struct of_device_id psci[] = {
		{ .compatible = "arm,psci-1.0" },
		{ .compatible = "arm,psci-0.2" },
		{ .compatible = "arm,psci" },
		{ }
	};
	struct device_node *node;
	const char *method = "";
	bool smc;

	if (arm_smccc_1_1_get_conduit() != SMCCC_CONDUIT_NONE)
		return arm_smccc_1_1_get_conduit() == SMCCC_CONDUIT_SMC;
	node = of_find_matching_node(NULL, psci);
	smc = node && !of_property_read_string(node, "method", &method) &&
	      !strcmp(method, "smc");
	of_node_put(node);
	return smc;
}

static unsigned long stub_probe(void)
{
	register unsigned long x0 asm("x0") = STUB_PROBE;

	asm volatile("hvc #0"
		     : "+r" (x0)
		     :
		     : "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11",
		       "x12", "x13", "x14", "x15", "x16", "x17", "memory");
	return x0;
}

/*
 * KVM before 6.12 leaves EL2 to the stub until its first machine starts, and stops the
 * kernel if it does not get it then. /dev/kvm's number is taken if KVM is there.
 */
static bool kvm_waits(void)
{
	struct miscdevice probe = { .minor = KVM_MINOR, .name = "jailhouse-probe" };

	if (misc_register(&probe))
		return true;
	misc_deregister(&probe);
	return false;
}

/* HVC is UNDEFINED without EL2 (DDI0487 C6.2.133): probe only after the other checks. */
int arch_ready(char *error)
{
	if (read_sysreg(CurrentEL) == CurrentEL_EL2)
		return refuse(error, EOPNOTSUPP, "the kernel itself runs in EL2 (VHE): boot with "
			      KERNEL_PARAMETERS);
	/* PMR is the hypervisor's: Linux's interrupts would not be masked by it any more */
	if (system_uses_irq_prio_masking())
		return refuse(error, EOPNOTSUPP, "the kernel masks interrupts by priority: boot with "
			      "irqchip.gicv3_pseudo_nmi=0");
	if (!((read_cpuid(ID_AA64PFR0_EL1) >> ID_AA64PFR0_EL1_EL2_SHIFT) & 0xf))
		return refuse(error, EOPNOTSUPP, "the CPU has no EL2: use a machine with "
			      "virtualization (QEMU: -M virt,virtualization=on)");
	if (!firmware_by_smc())
		return refuse(error, EOPNOTSUPP, "the firmware gave Linux no EL2: let it start Linux "
			      "in EL2, with PSCI by SMC (QEMU: -M virt,virtualization=on)");
	if (stub_probe() != HVC_STUB_ERR)
		return refuse(error, EOPNOTSUPP, "KVM holds EL2: boot with " KERNEL_PARAMETERS);
	if (kvm_waits())
		return refuse(error, EOPNOTSUPP, "KVM is there and will take EL2 for its first machine: boot with "
			      KERNEL_PARAMETERS);
	return 0;
}

struct ram_below {
	u64 end;
	u64 size;
};

static int add_ram(struct resource *res, void *arg)
{
	struct ram_below *below = arg;

	if (res->start < below->end)
		below->size += min_t(u64, res->end + 1, below->end) - res->start;
	return 0;
}

/* mem= limits the amount of RAM, counted from the lowest address upwards. */
void arch_reserve_hint(char *text, size_t size, const struct blob *blob)
{
	u64 lowest = blob->system->hypervisor.start;
	struct ram_below below = { 0 };
	u32 i;

	for (i = 0; i < blob->cell->mem_count; i++)
		if (blob->mem[i].flags & ABI_MEM_RESERVED)
			lowest = min(lowest, blob->mem[i].phys);
	below.end = lowest;

	walk_iomem_res_desc(IORES_DESC_NONE, IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY, 0,
			    U64_MAX, &below, add_ram);
	if (below.size >= SZ_1M)
		scnprintf(text, size, "boot with mem=%lluM",
			  (unsigned long long)(below.size / SZ_1M));
	else
		scnprintf(text, size, "add a reserved-memory node with no-map at 0x%llx to the device tree",
			  (unsigned long long)lowest);
}

/* The region of the device tree's memory nodes that holds `at`; *any: there are such nodes. */
static bool find_memory(u64 at, struct resource *memory, bool *any)
{
	struct device_node *node;
	int i;

	for_each_node_by_type(node, "memory")
		for (i = 0; !of_address_to_resource(node, i, memory); i++) {
			*any = true;
			if (at >= memory->start && at <= memory->end) {
				of_node_put(node);
				return true;
			}
		}
	return false;
}

/* mem= leaves the tree as it is. A kernel that EFI started has no memory nodes. */
bool arch_no_ram(u64 start, u64 size)
{
	struct resource memory;
	bool any = false;

	while (find_memory(start, &memory, &any)) {
		if (size - 1 <= memory.end - start)
			return false;
		size -= memory.end + 1 - start;
		start = memory.end + 1;
	}
	return any;
}

/* The smallest line of any CPU (CTR_EL0.DminLine), to the point of coherency. */
void arch_cache_clean(const void *start, size_t size)
{
	u64 ctr = read_sanitised_ftr_reg(SYS_CTR_EL0);
	unsigned long line = 4UL << ((ctr >> CTR_EL0_DminLine_SHIFT) & 0xf);
	unsigned long at = (unsigned long)start & ~(line - 1);
	unsigned long end = (unsigned long)start + size;

	for (; at < end; at += line) {
		asm volatile("dc civac, %0" : : "r" (at) : "memory");
		if (!(at & (SZ_1M - 1)))
			cond_resched();
	}
	dsb(sy);
}

u32 arch_tsc_khz(void)
{
	return 0;
}

/* The image brings its own tables along. */
int arch_prepare(struct abi_image *image, char *error)
{
	image->tsc_khz = arch_tsc_khz();
	image->switch_page = 0;
	image->switch_phys = 0;
	return 0;
}

/* The stub moves x2 to x0 and jumps to x1. x18 may be the kernel's shadow stack. */
long arch_enter(const struct abi_image *image, u64 start, unsigned int cpu)
{
	register unsigned long x0 asm("x0") = HVC_SOFT_RESTART;
	register unsigned long x1 asm("x1") = start + image->entry;
	register unsigned long x2 asm("x2") = cpu;

	asm volatile("mov x19, x18\n"
		     "hvc #0\n"
		     "mov x18, x19\n"
		     : "+r" (x0), "+r" (x1), "+r" (x2)
		     :
		     : "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13",
		       "x14", "x15", "x16", "x17", "x19", "cc", "memory");
	return (long)x0;
}

/* Only x0..x3 change, but DISABLE leaves with x4..x17 undefined. */
long arch_hypercall(unsigned long number, unsigned long first, unsigned long second)
{
	register unsigned long x0 asm("x0") = number;
	register unsigned long x1 asm("x1") = first;
	register unsigned long x2 asm("x2") = second;

	asm volatile("hvc %[immediate]"
		     : "+r" (x0), "+r" (x1), "+r" (x2)
		     : [immediate] "i" (ABI_HVC_IMMEDIATE)
		     : "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13",
		       "x14", "x15", "x16", "x17", "memory");
	return (long)x0;
}

/* It has called CPU_OFF: the hypervisor has it already. */
void arch_cpu_taken(unsigned int cpu)
{
}
