// SPDX-License-Identifier: GPL-2.0-only
/*
 * AMD's SVM (APM 2, chapter 15): one VMCB a CPU, used for whatever guest the CPU has. No clean
 * bits: what a VMRUN saves with them is little beside an exit, and no machine that this is
 * tested on would show one that was wrong.
 */
#include "arch/x86/asm.h"
#include "arch/x86/pure/format.h"
#include "arch/x86/svm/svm.h"
#include "base/str.h"

#define CPUID_EXTENDED 0x80000001
#define CPUID_EXTENDED_ECX_SVM BIT(2)
#define CPUID_EXTENDED_EDX_PAGE1GB BIT(26)
#define CPUID_SIZES 0x80000008
#define CPUID_SIZES_EAX_PHYSICAL BITS(7, 0)
#define CPUID_SIZES_EAX_GUEST BITS(23, 16)
#define CPUID_SVM 0x8000000a

#define VM_CR_SVMDIS BIT(4)
#define MSR_SPEC_CTRL 0x48

/* A cell's bitmaps (15.10.1, 15.11), contiguous */
#define IOPM_PAGES 3
#define MSRPM_PAGES 2
struct svm_bitmaps {
	uint64_t iopm[IOPM_PAGES * 512];
	uint64_t msrpm[MSRPM_PAGES * 512];
};

/* Segments as loaded (APM 2, 4.8; 14.1.3): type, S, P, and in 64-bit mode L, D/B and G */
#define SEGMENT_CODE 0x9b
#define SEGMENT_DATA 0x93
#define SEGMENT_LDT 0x82
#define SEGMENT_TSS 0x8b
#define SEGMENT_CODE64 0xa9b
#define SEGMENT_FLAT 0xc93
#define SEGMENT_DPL(selector) (((selector) & 3u) << 5)

/* As after INIT (APM 2, 14.1.3) */
#define RESET_CR0 (CR0_CD | CR0_NW | CR0_ET)
#define RESET_DR6 0xffff0ff0
#define RESET_DR7 0x400
#define RESET_PAT 0x0007040600070406
#define RESET_LIMIT 0xffff

extern struct abi_image image_header;

/* Of something in the image or in the memory behind it. */
static __attribute__((noinline)) uint64_t phys_of(const void *at)
{
	return (uint64_t)at - HV_BASE + image_header.start;
}

static void vmsave(uint64_t vmcb)
{
	__asm__ volatile("vmsave" : : "a"(vmcb) : "memory");
}

static void vmload(uint64_t vmcb)
{
	__asm__ volatile("vmload" : : "a"(vmcb) : "memory");
}

static err_t svm_check(struct cpu *self, struct why *why)
{
	struct svm_cpu *svm = svm_of(self);
	uint32_t asids;

	if (!(cpuid_get(CPUID_ECX(CPUID_EXTENDED)) & CPUID_EXTENDED_ECX_SVM))
		return why_set(why, ERR_UNSUPPORTED, "CPU %u has no SVM: use an AMD machine with virtualization", self->id);
	if (rdmsr(MSR_VM_CR) & VM_CR_SVMDIS)
		return why_set(why, ERR_UNSUPPORTED,
			       "CPU %u: the firmware has switched SVM off (VM_CR.SVMDIS): switch it on in its set-up", self->id);
	svm->features = cpuid_get(CPUID_EDX(CPUID_SVM));
	if (!(svm->features & SVM_NP))
		return why_set(why, ERR_UNSUPPORTED,
			       "CPU %u has no nested paging: QEMU needs -cpu ...,+npt, hardware a newer CPU", self->id);
	/* ASIDs 1 to EBX - 1 (15.16) */
	asids = cpuid_get(CPUID_EBX(CPUID_SVM));
	if (asids <= CONFIG_MAX_CELLS)
		return why_set(why, ERR_UNSUPPORTED, "CPU %u has %u ASIDs for %u cells: build with a smaller MAX_CELLS",
			       self->id, asids, CONFIG_MAX_CELLS);
	/* before the hypervisor's own segments come: for undo, and the guest's */
	vmsave(phys_of(&svm->vmcb));
	return OK;
}

static void svm_undo(struct cpu *self)
{
	vmload(phys_of(&svm_of(self)->vmcb));
}

static err_t svm_format(struct paging_format *out, struct why *why)
{
	uint32_t sizes = cpuid_get(CPUID_EAX(CPUID_SIZES));
	unsigned physical = (unsigned)FIELD_GET(CPUID_SIZES_EAX_PHYSICAL, sizes);
	unsigned guest = (unsigned)FIELD_GET(CPUID_SIZES_EAX_GUEST, sizes);

	if (npt_format(guest != 0 ? guest : physical, out) != OK)
		return why_set(why, ERR_UNSUPPORTED, "%u bits of physical addresses are not known", physical);
	if (!(cpuid_get(CPUID_EDX(CPUID_EXTENDED)) & CPUID_EXTENDED_EDX_PAGE1GB))
		out->level[1].leaf = false;
	return OK;
}

/* What every guest has of the cell it is in; its state is the caller's. */
static void control(const struct cpu *self, struct vmcb_control *c)
{
	const struct cell *cell = self->cell;
	const struct svm_bitmaps *bitmaps = cell->arch->virt;

	memset(c, 0, sizeof(*c));
	c->intercept_exceptions = svm_exceptions(cell);
	c->intercept_misc1 = INTERCEPT_NMI | INTERCEPT_INIT | INTERCEPT_CPUID | INTERCEPT_INVD | INTERCEPT_INVLPGA |
			     INTERCEPT_IOIO_PROT | INTERCEPT_MSR_PROT | INTERCEPT_SHUTDOWN;
	c->intercept_misc2 = INTERCEPT_VMRUN | INTERCEPT_VMMCALL | INTERCEPT_VMLOAD | INTERCEPT_VMSAVE |
			     INTERCEPT_STGI | INTERCEPT_CLGI | INTERCEPT_SKINIT;
	c->iopm_base_pa = phys_of(bitmaps->iopm);
	c->msrpm_base_pa = phys_of(bitmaps->msrpm);
	/* 0 is the hypervisor's */
	c->asid = cell->id + 1;
	c->np_enable = NP_ENABLE;
	/* what a cell writes back is the caches of all; its CPUs' translations are its own only here */
	if (!cell_is_root(cell))
		c->intercept_misc2 |= INTERCEPT_WBINVD;
	else if (svm_of(self)->features & SVM_INVLPGB)
		c->np_enable |= NP_INVLPGB;
	c->n_cr3 = phys_of(cell->space.live);
	svm_of(self)->nmi = (struct nmi){ 0 };
	/* this CPU may hold translations of whoever had the ASID before */
	__atomic_store_n(&self->arch->flush.wanted, true, __ATOMIC_SEQ_CST);
}

/* Null where Linux has none. Else flat, as all of its segments are that it does not load again. */
static struct segment flat(uint16_t selector, unsigned attributes)
{
	if (selector == 0)
		return (struct segment){ 0 };
	return (struct segment){ selector, (uint16_t)(attributes | SEGMENT_DPL(selector)), UINT32_MAX, 0 };
}

static struct segment table(const struct table_register *t)
{
	return (struct segment){ .limit = t->limit, .base = t->base };
}

/* FS, GS, TR, LDTR and the MSRs of system calls are in the VMCB since svm_check(). */
static void svm_activate(struct cpu *self)
{
	struct svm_cpu *svm = svm_of(self);
	struct vmcb_save *s = &svm->vmcb.save;
	const struct came *came = &self->arch->came;

	control(self, &svm->vmcb.control);
	s->cs = flat(came->cs, SEGMENT_CODE64);
	s->ss = flat(came->ss, SEGMENT_FLAT);
	s->ds = flat(came->ds, SEGMENT_FLAT);
	s->es = flat(came->es, SEGMENT_FLAT);
	s->gdtr = table(&came->gdtr);
	s->idtr = table(&came->idtr);
	s->cpl = 0;
	s->efer = came->efer | EFER_SVME;
	s->cr0 = came->cr0;
	s->cr2 = read_cr2();
	s->cr3 = came->cr3;
	s->cr4 = came->cr4;
	s->dr6 = came->dr6;
	s->dr7 = came->dr7;
	s->rflags = RFLAGS_RES1;
	s->rip = came->resume;
	s->rsp = came->rsp;
	s->g_pat = came->pat;
	if (svm->features & SVM_SPEC_CTRL)
		s->spec_ctrl = rdmsr(MSR_SPEC_CTRL);
	wrmsr(MSR_VM_HSAVE_PA, phys_of(svm->host_save));
	vmsave(phys_of(svm) + SVM_HOST);
}

static void took_out(struct came *came, const struct vmcb_save *s)
{
	came->rsp = s->rsp;
	came->cr0 = s->cr0;
	came->cr3 = s->cr3;
	came->cr4 = s->cr4;
	came->efer = s->efer & ~EFER_SVME;
	came->pat = s->g_pat;
	came->dr6 = s->dr6;
	came->dr7 = s->dr7;
	came->gdtr = (struct table_register){ (uint16_t)s->gdtr.limit, s->gdtr.base };
	came->idtr = (struct table_register){ (uint16_t)s->idtr.limit, s->idtr.base };
}

static __attribute__((noreturn)) void svm_leave(struct cpu *self, long result)
{
	struct svm_cpu *svm = svm_of(self);
	struct came *came = &self->arch->came;

	took_out(came, &svm->vmcb.save);
	if (svm->features & SVM_SPEC_CTRL)
		wrmsr(MSR_SPEC_CTRL, svm->vmcb.save.spec_ctrl);
	if (svm->vmcb.control.tsc_offset != 0)
		wrmsr(MSR_TSC, rdtsc() + svm->vmcb.control.tsc_offset);
	wrmsr(MSR_VM_HSAVE_PA, 0);
	host_give_back(self);
	vmload(phys_of(&svm->vmcb));
	switch_back(came, result);
}

static void svm_off(struct cpu *self)
{
	(void)self;
	wrmsr(MSR_VM_HSAVE_PA, 0);
	/* without SVME nobody could set it (15.17) */
	__asm__ volatile("stgi" : : : "memory");
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) & ~EFER_SVME);
}

static err_t svm_cell_init(struct cell *cell)
{
	void *bitmaps;

	static_assert(sizeof(struct svm_bitmaps) == (IOPM_PAGES + MSRPM_PAGES) * PAGE_SIZE, "15.10.1, 15.11");
	TRY(pool_take(&cell->sys->pool, IOPM_PAGES + MSRPM_PAGES, 1, &bitmaps));
	memset(bitmaps, 0xff, sizeof(struct svm_bitmaps));
	cell->arch->virt = bitmaps;
	return OK;
}

static void svm_cell_exit(struct cell *cell)
{
	pool_give(&cell->sys->pool, cell->arch->virt, IOPM_PAGES + MSRPM_PAGES);
	cell->arch->virt = NULL;
}

static void svm_cell_ports(struct cell *cell, uint32_t first, uint32_t count, bool direct)
{
	struct svm_bitmaps *bitmaps = cell->arch->virt;
	while (count-- != 0) {
		if (direct)
			bit_clear(bitmaps->iopm, first + count);
		else
			bit_set(bitmaps->iopm, first + count);
	}
}

/* Two bits an MSR, 2 KiB for each of three ranges of 8192 (15.11); all others come here always. */
static void svm_cell_msr(struct cell *cell, uint32_t msr, bool write)
{
	static const uint32_t ranges[] = { 0, 0xc0000000, 0xc0010000 };
	struct svm_bitmaps *bitmaps = cell->arch->virt;
	unsigned i, bit;

	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		if (msr - ranges[i] >= 0x2000)
			continue;
		bit = i * 0x4000 + (msr - ranges[i]) * 2;
		bit_clear(bitmaps->msrpm, bit);
		if (write)
			bit_clear(bitmaps->msrpm, bit + 1);
	}
}

/* es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr */
static const uint16_t real_mode[] = { SEGMENT_DATA, SEGMENT_CODE, SEGMENT_DATA, SEGMENT_DATA, SEGMENT_DATA,
				      SEGMENT_DATA, 0, SEGMENT_LDT, 0, SEGMENT_TSS };

static void svm_reset(struct cpu *self, uint64_t cs_base, uint16_t ip)
{
	struct svm_cpu *svm = svm_of(self);
	struct vmcb_save *s = &svm->vmcb.save;
	unsigned i;

	control(self, &svm->vmcb.control);
	memset(s, 0, sizeof(*s));
	for (i = 0; i < ARRAY_SIZE(real_mode); i++) {
		s->segments[i].attributes = real_mode[i];
		s->segments[i].limit = RESET_LIMIT;
	}
	s->cs.selector = (uint16_t)(cs_base >> 4);
	s->cs.base = cs_base;
	s->efer = EFER_SVME;
	s->cr0 = RESET_CR0;
	s->dr6 = RESET_DR6;
	s->dr7 = RESET_DR7;
	s->rflags = RFLAGS_RES1;
	s->rip = ip;
	s->g_pat = RESET_PAT;
}

static __attribute__((noreturn)) void svm_enter(const struct cpu *self)
{
	struct percpu *percpu = percpu_of_cpu(self);
	struct svm_cpu *svm = svm_of(self);

	svm_prepare(&percpu->cpu, svm);
	svm_run(regs_of(self), phys_of(&svm->vmcb));
}

static void svm_mode(const struct cpu *self, struct guest_mode *out)
{
	const struct vmcb_save *s = &svm_of(self)->vmcb.save;

	*out = (struct guest_mode){ .cr0 = s->cr0, .cr3 = s->cr3, .cr4 = s->cr4, .efer = s->efer & ~EFER_SVME,
				    .rip = s->rip, .rflags = s->rflags, .cs = s->cs, .cpl = s->cpl };
}

static void svm_set_rflags(struct cpu *self, uint64_t rflags)
{
	svm_of(self)->vmcb.save.rflags = rflags;
}

static void svm_tsc_offset(struct cpu *self, uint64_t offset)
{
	svm_of(self)->vmcb.control.tsc_offset = offset;
}

const struct virt_ops svm_ops = {
	.words = "AMD SVM",
	.check = svm_check,
	.undo = svm_undo,
	.format = svm_format,
	.activate = svm_activate,
	.leave = svm_leave,
	.off = svm_off,
	.cell_init = svm_cell_init,
	.cell_exit = svm_cell_exit,
	.cell_ports = svm_cell_ports,
	.cell_msr = svm_cell_msr,
	.reset = svm_reset,
	.enter = svm_enter,
	.wait = svm_wait,
	.open = svm_open,
	.mode = svm_mode,
	.set_rflags = svm_set_rflags,
	.inject_nmi = svm_inject_nmi,
	.tsc_offset = svm_tsc_offset,
};
