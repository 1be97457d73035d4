/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A hostile cell. What attack.h says, and:
 *
 *   hypercall nr=N [arg=A]     that hypercall; without: each one of the management's, `denied`
 *   ring3                      a hypercall from user mode
 *   in, out port=P [size=S]    one access of 1 (default), 2 or 4 bytes; out: value=V (default ~0)
 *   string port=P [size=S]     REP INS from there
 *   rdmsr, wrmsr msr=M         one access; wrmsr: value=V (default ~0)
 *   msrs                       MSRs that reach outside or may be mediated, read, and written as read
 *   svm only=NAME              an instruction of SVM, VMX or SMM, by its name
 *   ipi [target=ID]            interrupts of every kind to that CPU, or to all but this one in every way
 *   lvt                        its own APIC told to deliver SMI, INIT, NMI and ExtINT
 *   apicbase                   its APIC off, elsewhere and in modes there are none of
 *   ioapic [own=N] [owned=C]   takes every line but its C (0) own ones from N; `stuck`: what took effect
 *   pci [own=BDF] [ecam=A]     every other function of bus 0 by ports, and by ECAM at A; `stuck` as above
 *   odd only=NAME [addr=A]     access by an odd instruction, to the local APIC unless at A
 *   tables addr=A              goes on with page tables at A
 *   triple                     an exception in an exception in an exception
 *   loop, hlt, mwait           masks all, and spins or sleeps
 *   ud                         without end one exception after another
 *   cpuid, icr, cache          asks the hypervisor without end: for CPUID, to send an interrupt, for
 *                              WBINVD and INVD
 */
#include "../attack.h"
#include "x86_64/apic.h"
#include "x86_64/asm.h"
#include "x86_64/cpu.h"

#define LINE_FREE 14u
#define VICTIM 0xecu			/* Linux's timer, in some of its versions */

static void mask_all(void)
{
	apic_write(APIC_SVR, VECTOR_SPURIOUS);
	irq_mask();
}

/* An operation with one argument each way, so that it can be caught. */
struct operation {
	uint64_t at, value;
	unsigned int size;
};

static void report(const char *op, const char *name, void (*what)(void *argument), struct operation *o)
{
	struct exception_catch c;

	exception_call(&c, what, o);
	printk("attack: %s%s%s survived ", op, name ? " " : "", name ? name : "");
	if (c.count)
		exception_print(&c);
	else
		printk("value=0x%lx", o->value);
	printk("\n");
}

/* --- hypercalls -------------------------------------------------------------------------- */

static void attack_hypercalls(void)
{
	attack_hypercall("hypercall");
}

struct tss {
	uint32_t reserved;
	uint64_t rsp0;
	uint8_t rest[92];
} __attribute__((packed));

static uint8_t stack0[4096] __attribute__((aligned(16)));
static uint8_t stack3[4096] __attribute__((aligned(16)));
static struct tss tss;
static uint64_t gdt[7];

/* Returns with an exception at the latest: UD2 of user mode. */
static void call_from_user_mode(void *argument)
{
	struct operation *o = argument;

	__asm__ volatile("pushq %0\n\tpushq %1\n\tpushq $0x3002\n\tpushq %2\n\tpushq $1f\n\tiretq\n"
			 "1:\tvmmcall\n\tmovq %%rax, (%%rbx)\n\tud2"
			 :: "i"(SEGMENT_USER_DATA), "r"(stack3 + sizeof(stack3)), "i"(SEGMENT_USER_CODE),
			    "a"(ABI_HC_INFO), "D"(ABI_INFO_CELLS), "S"(0), "b"(&o->value) : "memory");
}

static void attack_ring3(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) gdtr;
	struct operation o = { .value = 0 };
	uint64_t base = (uintptr_t)&tss;

	__asm__ volatile("sgdt %0" : "=m"(gdtr));
	memcpy(gdt, (const void *)(uintptr_t)gdtr.base, 5 * sizeof(gdt[0]));
	tss.rsp0 = (uintptr_t)(stack0 + sizeof(stack0));
	gdt[5] = (sizeof(tss) - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 | (base >> 24 & 0xff) << 56;
	gdt[6] = base >> 32;
	gdtr.base = (uintptr_t)gdt;
	gdtr.limit = sizeof(gdt) - 1;
	__asm__ volatile("lgdt %0\n\tltr %1" :: "m"(gdtr), "r"((uint16_t)(5 * 8)) : "memory");
	/* #UD in any case: VMMCALL's, or that of the UD2 behind it */
	report("ring3", NULL, call_from_user_mode, &o);
	printk("attack: ring3 result=%ld\n", (int64_t)o.value);
}

/* --- ports and MSRs ---------------------------------------------------------------------- */

static void do_in(void *argument)
{
	struct operation *o = argument;

	o->value = o->size == 4 ? in32((uint16_t)o->at) : o->size == 2 ? in16((uint16_t)o->at) :
		   port_read8((uint16_t)o->at);
}

static void do_out(void *argument)
{
	const struct operation *o = argument;
	uint16_t port = (uint16_t)o->at;

	if (o->size == 4)
		out32(port, (uint32_t)o->value);
	else if (o->size == 2)
		__asm__ volatile("outw %0, %1" :: "a"((uint16_t)o->value), "Nd"(port));
	else
		port_write8(port, (uint8_t)o->value);
}

static void do_string(void *argument)
{
	struct operation *o = argument;
	uint32_t to[4] = { 0 }, *at = to;
	uint64_t n = ARRAY_SIZE(to);

	if (o->size == 4)
		__asm__ volatile("rep insl" : "+D"(at), "+c"(n) : "d"((uint16_t)o->at) : "memory");
	else
		__asm__ volatile("rep insb" : "+D"(at), "+c"(n) : "d"((uint16_t)o->at) : "memory");
	o->value = to[0];
}

static struct operation port_operation(void)
{
	return (struct operation){ cmdline_get_int("port", 0), cmdline_get_int("value", UINT32_MAX),
				   (unsigned int)cmdline_get_int("size", 1) };
}

static void attack_in(void)
{
	struct operation o = port_operation();

	report("in", NULL, do_in, &o);
}

static void attack_out(void)
{
	struct operation o = port_operation();

	report("out", NULL, do_out, &o);
}

static void attack_string(void)
{
	struct operation o = port_operation();

	report("string", NULL, do_string, &o);
}

static void do_rdmsr(void *argument)
{
	struct operation *o = argument;

	o->value = rdmsr((uint32_t)o->at);
}

static void do_wrmsr(void *argument)
{
	const struct operation *o = argument;

	wrmsr((uint32_t)o->at, o->value);
}

static void attack_rdmsr(void)
{
	struct operation o = { .at = cmdline_get_int("msr", 0) };

	report("rdmsr", NULL, do_rdmsr, &o);
}

static void attack_wrmsr(void)
{
	struct operation o = { cmdline_get_int("msr", 0), cmdline_get_int("value", UINT64_MAX), 0 };

	report("wrmsr", NULL, do_wrmsr, &o);
}

struct named {
	const char *name;
	uint32_t msr;
	uint64_t value;		/* to be written */
};

static void attack_msrs(void)
{
	static const struct named msrs[] = {
		{ "EFER.SVME", MSR_EFER, 0x1d01 }, { "VM_CR", 0xc0010114, 0 }, { "VM_HSAVE_PA", 0xc0010117, 0 },
		{ "SVM_KEY", 0xc0010118, 1 }, { "SMM_ADDR", 0xc0010112, 0 }, { "SMM_MASK", 0xc0010113, 0 },
		{ "SMMBASE", 0xc0010111, 0 }, { "SMI_TRIGGER", 0xc0010116, ~0ull }, { "SYSCFG", 0xc0010010, 0 },
		{ "HWCR", 0xc0010015, 0 }, { "TOP_MEM", 0xc001001a, 0 }, { "IORR_BASE0", 0xc0010016, 0 },
		{ "MMIO_CFG_BASE", 0xc0010058, 0 }, { "PATCH_LOADER", 0xc0010020, 0x100000 },
		{ "MTRR_DEF_TYPE", 0x2ff, 0 }, { "MTRR_PHYS_BASE0", 0x200, 6 }, { "MTRR_FIX64K", 0x250, 0 },
		{ "MCG_CTL", 0x17b, 0 }, { "MC0_CTL", 0x400, 0 }, { "MC0_STATUS", 0x401, 0 },
		{ "DEBUGCTL", 0x1d9, 3 }, { "PERF_CTL0", 0xc0010000, ~0ull }, { "IBS_CTL", 0xc001103a, ~0ull },
		{ "TSC", 0x10, 0 }, { "TSC_ADJUST", 0x3b, 1ull << 40 }, { "TSC_RATIO", 0xc0000104, 0 },
		{ "MISC_ENABLE", 0x1a0, 0 }, { "FEATURE_CONTROL", 0x3a, 5 }, { "SPEC_CTRL", 0x48, 0 },
		{ "PRED_CMD", 0x49, 1 }, { "CSTATE_ADDRESS", 0xc0010073, 0x1000 }, { "PSTATE_CTL", 0xc0010062, 0 },
		{ "GHCB", 0xc0010130, 0 }, { "SEV_STATUS", 0xc0010131, 0 }, { "XSS", 0xda0, ~0ull },
		{ "HYPERV", 0x40000000, 1 }, { "KVM_CLOCK", 0x4b564d01, 1 }, { "NONE", 0x12345678, 0 },
		{ "X2APIC_HOLE", 0x8ff, 0 }, { "X2APIC_ID", 0x802, 0 },
	};
	unsigned int read = 0, written = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(msrs); i++) {
		struct operation o = { .at = msrs[i].msr };
		struct exception_catch r, w;

		exception_call(&r, do_rdmsr, &o);
		o.value = msrs[i].value;
		exception_call(&w, do_wrmsr, &o);
		printk("attack: msrs %s %s %s\n", msrs[i].name, r.count ? "refused" : "read",
		       w.count ? "refused" : "written");
		read += !r.count;
		written += !w.count;
	}
	printk("attack: msrs survived registers=%u read=%u written=%u svme=%u\n", (unsigned int)ARRAY_SIZE(msrs), read,
	       written, (unsigned int)(rdmsr(MSR_EFER) >> 12 & 1));
}

/* --- instructions ------------------------------------------------------------------------ */

#define INSTRUCTION(name, text) \
	static void do_##name(void *argument) \
	{ \
		uint64_t a = ((struct operation *)argument)->at, b = a, c = 0, d = 0, to = a; \
		uint64_t own = (uintptr_t)stack3; \
		__asm__ volatile(text : "+a"(a), "+b"(b), "+c"(c), "+d"(d), "+D"(to), "+S"(own) \
				 :: "r8", "memory", "cc"); \
	}
INSTRUCTION(vmrun, "vmrun")
INSTRUCTION(vmload, "vmload")
INSTRUCTION(vmsave, "vmsave")
INSTRUCTION(stgi, "stgi")
INSTRUCTION(clgi, "clgi")
INSTRUCTION(skinit, ".byte 0x0f, 0x01, 0xde")
INSTRUCTION(invlpga, ".byte 0x0f, 0x01, 0xdf")
INSTRUCTION(rsm, "rsm")
INSTRUCTION(vmxon, "vmxon (%%rdi)")
INSTRUCTION(vmxoff, "vmxoff")
INSTRUCTION(getsec, ".byte 0x0f, 0x37")
INSTRUCTION(invd, "invd")
INSTRUCTION(wbinvd, "wbinvd")
INSTRUCTION(rdpmc, "rdpmc")

/* To and from the address in RDI; RSI points to memory of its own. */
INSTRUCTION(movs, "movsl")
INSTRUCTION(movs_from, "xchgq %%rsi, %%rdi\n\tmovsl")
INSTRUCTION(stos, "stosl")
INSTRUCTION(rep_stos, "movl $4, %%ecx\n\trep stosl")
INSTRUCTION(lods, "xchgq %%rsi, %%rdi\n\tlodsl")
INSTRUCTION(push, "movq %%rsp, %%r8\n\tleaq 8(%%rdi), %%rsp\n\tpushq $0\n\tmovq %%r8, %%rsp")
INSTRUCTION(pop, "movq %%rsp, %%r8\n\tmovq %%rdi, %%rsp\n\tpopq %%rax\n\tmovq %%r8, %%rsp")
INSTRUCTION(call, "movq %%rsp, %%r8\n\tleaq 8(%%rdi), %%rsp\n\tcall 1f\n1:\tmovq %%r8, %%rsp")
INSTRUCTION(cmpxchg, "lock cmpxchgl %%edx, (%%rdi)")
INSTRUCTION(cmpxchg16b, "lock cmpxchg16b (%%rdi)")
INSTRUCTION(xchg, "xchgl %%eax, (%%rdi)")
INSTRUCTION(xadd, "lock xaddl %%eax, (%%rdi)")
INSTRUCTION(add, "addl $1, (%%rdi)")
INSTRUCTION(bts, "btsl $3, (%%rdi)")
INSTRUCTION(not, "notl (%%rdi)")
INSTRUCTION(setcc, "setz (%%rdi)")
INSTRUCTION(sse, "movups %%xmm0, (%%rdi)")
INSTRUCTION(sse_from, "movups (%%rdi), %%xmm0")
INSTRUCTION(avx, "vmovups %%ymm0, (%%rdi)")
INSTRUCTION(x87, "fnstenv (%%rdi)")
INSTRUCTION(fxsave, "fxsave (%%rdi)")
INSTRUCTION(movnti, "movnti %%edx, (%%rdi)")
INSTRUCTION(movbe, "movbe %%edx, (%%rdi)")
INSTRUCTION(byte, "movb $0, (%%rdi)")
INSTRUCTION(word, "movw $0, (%%rdi)")
INSTRUCTION(quad, "movq %%rdx, (%%rdi)")
INSTRUCTION(askew, "movl $0, 2(%%rdi)")
INSTRUCTION(across, "movl $0, 4094(%%rdi)")
INSTRUCTION(sgdt, "sgdt (%%rdi)")
INSTRUCTION(prefetch, "prefetchw (%%rdi)\n\tclflush (%%rdi)")

struct instruction {
	const char *name;
	void (*run)(void *argument);
};

#define NAMED(name) { #name, do_##name },
static const struct instruction forbidden[] = {
	NAMED(vmrun) NAMED(vmload) NAMED(vmsave) NAMED(stgi) NAMED(clgi) NAMED(skinit) NAMED(invlpga) NAMED(rsm)
	NAMED(vmxon) NAMED(vmxoff) NAMED(getsec) NAMED(invd) NAMED(wbinvd) NAMED(rdpmc)
};

static const struct instruction odd[] = {
	NAMED(movs) NAMED(movs_from) NAMED(stos) NAMED(rep_stos) NAMED(lods) NAMED(push) NAMED(pop) NAMED(call)
	NAMED(cmpxchg) NAMED(cmpxchg16b) NAMED(xchg) NAMED(xadd) NAMED(add) NAMED(bts) NAMED(not) NAMED(setcc)
	NAMED(sse) NAMED(sse_from) NAMED(avx) NAMED(x87) NAMED(fxsave) NAMED(movnti) NAMED(movbe) NAMED(byte)
	NAMED(word) NAMED(quad) NAMED(askew) NAMED(across) NAMED(sgdt) NAMED(prefetch)
};

static void run_named(const char *op, const struct instruction *all, size_t count, uint64_t address)
{
	struct operation o = { .at = address };
	char only[16];

	cmdline_get_str("only", only, sizeof(only));
	for (size_t i = 0; i < count; i++)
		if (!only[0] || strcmp(only, all[i].name) == 0)
			report(op, all[i].name, all[i].run, &o);
}

static void attack_svm(void)
{
	run_named("svm", forbidden, ARRAY_SIZE(forbidden), 0x3000);
}

/* LDR, or what is behind it: a register whose writes hurt nobody */
static void attack_odd(void)
{
	run_named("odd", odd, ARRAY_SIZE(odd), cmdline_get_int("addr", APIC_PAGE + APIC_LDR));
}

/* --- interrupts -------------------------------------------------------------------------- */

static void do_send(void *argument)
{
	const struct operation *o = argument;

	apic_send((uint32_t)o->at, (uint32_t)o->value);
}

/* Every delivery mode and vectors of all kinds; what may come back to this CPU only where it hurts not. */
static unsigned int send_all(uint32_t to, uint32_t how, bool self, unsigned int *refused)
{
	static const uint8_t vectors[] = { 0, 2, 0x20 + LINE_FREE, VICTIM, 0xfb, 0xff };
	unsigned int sent = 0;

	for (uint32_t mode = 0; mode < 8; mode++) {
		if (self && mode > 1)
			break;
		for (unsigned int i = 0; i < ARRAY_SIZE(vectors); i++) {
			struct operation o = { to, how | ICR_ASSERT | mode << 8 | vectors[i], 0 };
			struct exception_catch c;

			if (self && vectors[i] != 0x20 + LINE_FREE)
				continue;
			exception_call(&c, do_send, &o);
			*refused += c.count;
			sent++;
		}
	}
	return sent;
}

static void attack_ipi(void)
{
	uint64_t target = cmdline_get_int("target", UINT64_MAX);
	unsigned int sent = 0, refused = 0;
	uint32_t own = (uint32_t)cpu_affinity();

	for (uint32_t id = 0; id < 64; id++)
		if (target == UINT64_MAX ? id != own : id == target)
			sent += send_all(id, 0, false, &refused);
	if (target == UINT64_MAX) {
		uint32_t everyone = apic_x2apic() ? UINT32_MAX : 0xff;

		sent += send_all(0, ICR_OTHERS, false, &refused);
		sent += send_all(0, ICR_ALL, true, &refused);
		sent += send_all(everyone, 0, true, &refused);
		sent += send_all(everyone, ICR_LOGICAL, true, &refused);
		for (uint32_t cluster = 0; cluster < 4; cluster++) {
			uint32_t mine = own / 16 == cluster ? 1u << own % 16 : 0;

			sent += send_all(apic_x2apic() ? cluster << 16 | (0xffff & ~mine) : 0xff & ~(1u << own % 8),
					 ICR_LOGICAL, false, &refused);
		}
	}
	printk("attack: ipi survived sent=%u refused=%u\n", sent, refused);
}

struct apic_write {
	unsigned int reg;
	uint32_t value;
};

static void do_apic_write(void *argument)
{
	const struct apic_write *w = argument;

	apic_write(w->reg, w->value);
}

static void do_apic_read(void *argument)
{
	struct apic_write *w = argument;

	w->value = apic_read(w->reg);
}

static void attack_lvt(void)
{
	static const unsigned int lvt[] = {
		APIC_LVT_LINT0, APIC_LVT_LINT1, APIC_LVT_THERMAL, APIC_LVT_PERF, APIC_LVT_ERROR, APIC_LVT_TIMER, 0x2f0,
		0x500, 0x510, 0x520, 0x530,
	};
	static const uint32_t modes[] = { ICR_SMI, ICR_NMI, ICR_INIT, 0x700 };
	unsigned int stuck = 0, refused = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(lvt); i++)
		for (unsigned int j = 0; j < ARRAY_SIZE(modes); j++) {
			struct apic_write w = { lvt[i], modes[j] };
			struct exception_catch c;

			exception_call(&c, do_apic_write, &w);
			refused += c.count;
			exception_call(&c, do_apic_read, &w);
			if (!c.count && (w.value & (APIC_LVT_MASKED | 0x700)) == modes[j]) {
				printk("attack: lvt 0x%x has 0x%x\n", lvt[i], w.value);
				stuck++;
			}
			w.value = APIC_LVT_MASKED;
			exception_call(&c, do_apic_write, &w);
		}
	printk("attack: lvt survived stuck=%u refused=%u\n", stuck, refused);
}

static void attack_apicbase(void)
{
	uint64_t base = rdmsr(MSR_APIC_BASE);
	const uint64_t values[] = {
		base ^ 0x1000, base ^ 0x100000000, base ^ APIC_BASE_BSP, base & ~(uint64_t)APIC_BASE_ENABLE,
		(base & ~(uint64_t)APIC_BASE_ENABLE) | APIC_BASE_X2APIC, base | 1, 1ull << 63 | base,
	};
	unsigned int refused = 0, changed = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(values); i++) {
		struct operation o = { MSR_APIC_BASE, values[i], 0 };
		struct exception_catch c;

		exception_call(&c, do_wrmsr, &o);
		refused += c.count;
		changed += rdmsr(MSR_APIC_BASE) != base;
	}
	printk("attack: apicbase survived writes=%u refused=%u changed=%u\n", (unsigned int)ARRAY_SIZE(values), refused,
	       changed);
}

static void attack_ioapic(void)
{
	uint64_t own = cmdline_get_int("own", UINT64_MAX), owned = cmdline_get_int("owned", 0);
	unsigned int pins = (ioapic_read(IOAPIC_VERSION) >> 16 & 0xff) + 1, stuck = 0, tried = 0;

	for (unsigned int pin = 0; pin < pins; pin++) {
		unsigned int reg = IOAPIC_ENTRY + 2 * pin;

		if (pin - own < owned)
			continue;
		tried++;
		for (uint32_t mode = 0; mode < 8; mode++) {
			ioapic_write(reg + 1, 0xff000000);
			ioapic_write(reg, mode << 8 | VICTIM);
			stuck += !(ioapic_read(reg) & IOAPIC_MASKED);
			ioapic_write(reg, IOAPIC_MASKED);
		}
	}
	/* Identification, arbitration, the register of EOIs, and none at all */
	ioapic_write(0, UINT32_MAX);
	ioapic_write(2, UINT32_MAX);
	mmio_write32(IOAPIC_PAGE + 0x40, VICTIM);
	ioapic_write(0xff, UINT32_MAX);
	printk("attack: ioapic survived lines=%u stuck=%u\n", tried, stuck);
}

/* --- PCI --------------------------------------------------------------------------------- */

#define PCI_ADDRESS 0xcf8
#define PCI_DATA 0xcfc
#define PCI_COMMAND 0x04u
#define PCI_BAR0 0x10u

static uint64_t ecam;

static uint32_t pci_read(uint32_t bdf, uint32_t reg)
{
	if (ecam)
		return mmio_read32(ecam + (bdf << 12) + reg);
	out32(PCI_ADDRESS, 0x80000000u | bdf << 8 | reg);
	return in32(PCI_DATA);
}

static void pci_write(uint32_t bdf, uint32_t reg, uint32_t value)
{
	if (ecam) {
		mmio_write32(ecam + (bdf << 12) + reg, value);
		return;
	}
	out32(PCI_ADDRESS, 0x80000000u | bdf << 8 | reg);
	out32(PCI_DATA, value);
}

/* What may be changed is changed and put back. */
static bool pci_takes(uint32_t bdf, uint32_t reg, uint32_t flip)
{
	uint32_t before = pci_read(bdf, reg), after;

	pci_write(bdf, reg, before ^ flip);
	after = pci_read(bdf, reg);
	if (after != before)
		pci_write(bdf, reg, before);
	return after != before;
}

static void attack_pci(void)
{
	uint64_t own = cmdline_get_int("own", UINT64_MAX);
	unsigned int seen = 0, stuck = 0;

	ecam = cmdline_get_int("ecam", 0);
	for (uint32_t bdf = 0; bdf < 256; bdf++) {
		if (bdf == own)
			continue;
		seen += pci_read(bdf, 0) != UINT32_MAX;
		stuck += pci_takes(bdf, PCI_COMMAND, 0x007);
		stuck += pci_takes(bdf, PCI_BAR0, 0xfffff000);
		stuck += pci_takes(bdf, 0x3c, 0xff);
	}
	printk("attack: pci survived seen=%u stuck=%u\n", seen, stuck);
}

/* --- what ends the CPU, or does not listen ------------------------------------------------- */

static void attack_tables(void)
{
	write_cr3(cmdline_get_int("addr", 0));
	printk("attack: tables survived\n");
}

static void attack_triple(void)
{
	exception_use(NULL, 1);
	__asm__ volatile("ud2");
}

static void attack_loop(void)
{
	mask_all();
	spin();
}

static void attack_hlt(void)
{
	mask_all();
	for (;;)
		__asm__ volatile("cli\n\thlt" ::: "memory");
}

static void do_mwait(void *argument)
{
	static uint32_t watched;

	(void)argument;
	for (;;)
		__asm__ volatile("monitor\n\tmwait" :: "a"(&watched), "c"(0), "d"(0) : "memory");
}

static void attack_mwait(void)
{
	struct operation o = { 0 };

	mask_all();
	report("mwait", NULL, do_mwait, &o);
}

/* Each handler's first instruction is the next exception. */
static void attack_ud(void)
{
	extern const char attack_ud_handler[];

	mask_all();
	for (unsigned int vector = 0; vector < EXCEPTIONS; vector++)
		exception_set_gate(vector, attack_ud_handler, false);
	__asm__ volatile("movq %%rsp, %%rbx\n\tud2\n"
			 "\t.global attack_ud_handler\nattack_ud_handler:\n\tmovq %%rbx, %%rsp\n\tud2" ::: "rbx", "memory");
}

static void attack_calls(void)
{
	mask_all();
	call_without_end();
}

static void attack_cpuid(void)
{
	mask_all();
	for (;;)
		cpuid(1, 0);
}

static void attack_icr(void)
{
	mask_all();
	for (;;)
		apic_send((uint32_t)cpu_affinity(), ICR_ASSERT | (0x20 + LINE_FREE));
}

static void attack_cache(void)
{
	mask_all();
	for (;;)
		__asm__ volatile("wbinvd\n\tinvd" ::: "memory");
}

void inmate_main(void)
{
	static const struct attack ops[] = {
		{ "read", attack_read }, { "write", attack_write }, { "exec", attack_exec },
		{ "hypercall", attack_hypercalls }, { "ring3", attack_ring3 }, { "in", attack_in },
		{ "out", attack_out }, { "string", attack_string }, { "rdmsr", attack_rdmsr },
		{ "wrmsr", attack_wrmsr }, { "msrs", attack_msrs }, { "svm", attack_svm }, { "ipi", attack_ipi },
		{ "lvt", attack_lvt }, { "apicbase", attack_apicbase }, { "ioapic", attack_ioapic },
		{ "pci", attack_pci }, { "odd", attack_odd }, { "tables", attack_tables },
		{ "triple", attack_triple }, { "loop", attack_loop }, { "hlt", attack_hlt },
		{ "mwait", attack_mwait }, { "ud", attack_ud }, { "calls", attack_calls },
		{ "cpuid", attack_cpuid }, { "icr", attack_icr }, { "cache", attack_cache },
		{ "doze", attack_doze },
	};

	attack_chosen(ops, ARRAY_SIZE(ops));
}
