// SPDX-License-Identifier: GPL-2.0-only
/* What a #VMEXIT asks for, by its EXITCODE. Whoever handles it counts it. */
#include "arch/x86/asm.h"
#include "arch/x86/svm/svm.h"
#include "base/bug.h"
#include "core/budget.h"

#define DR6_BS BIT(14)
#define CS_L BIT(9)
#define PORT_SIZES 4
/* CPUID 8000_0001, 8000_0021 */
#define CPUID_EXTENDED 0x80000001
#define CPUID_EXTENDED_EDX_FFXSR BIT(25)
#define CPUID_EXTENDED_ECX_TCE BIT(17)
#define CPUID_EXTENDED2 0x80000021
#define CPUID_EXTENDED2_EAX_AIBRS BIT(8)
#define EFER_FFXSR BIT(14)
#define EFER_TCE BIT(15)
#define EFER_AIBRSE BIT(21)
#define PAT_RESERVED 0xf8f8f8f8f8f8f8f8
#define PAT_BIT0 0x0101010101010101

void svm_prepare(struct cpu *self, struct svm_cpu *svm)
{
	uint8_t flush = svm->features & SVM_FLUSH_BY_ASID ? TLB_FLUSH_GUEST : TLB_FLUSH_ALL;

	svm->vmcb.control.tlb_control = flush_enter(&self->arch->flush) ? flush : 0;
}

static bool is_64bit(const struct vmcb_save *s)
{
	return (s->efer & EFER_LMA) != 0 && (s->cs.attributes & CS_L) != 0;
}

/* As the CPU would have left the instruction. */
static void complete(struct cpu *self, struct svm_cpu *svm, uint64_t next)
{
	struct vmcb_save *s = &svm->vmcb.save;

	s->rip = is_64bit(s) ? next : (uint32_t)next;
	s->rflags &= ~RFLAGS_RF;
	svm->vmcb.control.interrupt_shadow = 0;
	if (s->rflags & RFLAGS_TF)
		svm_stepped(self);
}

static void finish(struct cpu *self, struct svm_cpu *svm, enum outcome outcome, uint64_t next)
{
	switch (outcome) {
	case OUT_NEXT:
		complete(self, svm, next);
		break;
	case OUT_AGAIN:
		break;
	case OUT_GP:
		svm->vmcb.control.eventinj = EXCEPTION_CODE_0(VECTOR_GP);
		break;
	case OUT_UD:
		svm->vmcb.control.eventinj = EXCEPTION(VECTOR_UD);
		break;
	}
}

/* Behind an instruction whose exit has an nRIP, where the CPU has them; its length without prefixes. */
static uint64_t next_rip(const struct svm_cpu *svm, unsigned length)
{
	return svm->features & SVM_NRIPS ? svm->vmcb.control.nrip : svm->vmcb.save.rip + length;
}

static void on_vmmcall(struct cpu *self, struct svm_cpu *svm, struct regs *regs)
{
	const struct vmcb_save *s = &svm->vmcb.save;

	finish(self, svm, exit_hypercall(self, regs, s->cpl, is_64bit(s)), next_rip(svm, 3));
}

static void on_cpuid(struct cpu *self, struct svm_cpu *svm, struct regs *regs)
{
	exit_cpuid(self, regs);
	complete(self, svm, next_rip(svm, 2));
}

/* Bits that this CPU has, and those it came with. SVME is always on, and not shown. */
static uint64_t efer_bits(const struct cpu *self)
{
	uint64_t bits = EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE | self->arch->came.efer;

	if (cpuid_get(CPUID_EDX(CPUID_EXTENDED)) & CPUID_EXTENDED_EDX_FFXSR)
		bits |= EFER_FFXSR;
	if (cpuid_get(CPUID_ECX(CPUID_EXTENDED)) & CPUID_EXTENDED_ECX_TCE)
		bits |= EFER_TCE;
	if (cpuid_get(CPUID_EAX(CPUID_EXTENDED2)) & CPUID_EXTENDED2_EAX_AIBRS)
		bits |= EFER_AIBRSE;
	return bits;
}

static enum outcome write_efer(const struct cpu *self, struct vmcb_save *s, uint64_t value)
{
	if (value & ~efer_bits(self))
		return OUT_GP;
	if ((value ^ s->efer) & EFER_LME && s->cr0 & CR0_PG)
		return OUT_GP;
	s->efer = (value & ~EFER_LMA) | (s->efer & EFER_LMA) | EFER_SVME;
	return OUT_NEXT;
}

static enum outcome write_pat(struct vmcb_save *s, uint64_t value)
{
	/* 2 and 3 are reserved (APM 2, 7.8.1) */
	if (value & PAT_RESERVED || value >> 1 & ~(value >> 2) & PAT_BIT0)
		return OUT_GP;
	s->g_pat = value;
	return OUT_NEXT;
}

static enum outcome rdmsr_exit(struct cpu *self, const struct vmcb_save *s, uint32_t msr, uint64_t *value)
{
	if (msr != MSR_EFER && msr != MSR_PAT)
		return exit_rdmsr(self, msr, value);
	*value = msr == MSR_EFER ? s->efer & ~EFER_SVME : s->g_pat;
	return OUT_NEXT;
}

static enum outcome wrmsr_exit(struct cpu *self, struct vmcb_save *s, uint32_t msr, uint64_t value)
{
	if (msr != MSR_EFER && msr != MSR_PAT)
		return exit_wrmsr(self, msr, value);
	return msr == MSR_EFER ? write_efer(self, s, value) : write_pat(s, value);
}

static void on_msr(struct cpu *self, struct svm_cpu *svm, struct regs *regs)
{
	struct vmcb *vmcb = &svm->vmcb;
	uint32_t msr = (uint32_t)regs->r[RCX];
	uint64_t value = regs->r[RDX] << 32 | (uint32_t)regs->r[RAX];
	bool write = vmcb->control.exitinfo1 == MSR_WRITE;
	enum outcome outcome;

	exit_counted(self, write && msr == MSR_X2APIC_ICR ? ABI_STAT_X86_ICR : ABI_STAT_X86_MSR, msr);
	outcome = write ? wrmsr_exit(self, &vmcb->save, msr, value) : rdmsr_exit(self, &vmcb->save, msr, &value);
	if (outcome == OUT_NEXT && !write) {
		regs->r[RAX] = (uint32_t)value;
		regs->r[RDX] = value >> 32;
	}
	finish(self, svm, outcome, next_rip(svm, 2));
}

static void on_ioio(struct cpu *self, struct svm_cpu *svm, struct regs *regs)
{
	uint64_t info = svm->vmcb.control.exitinfo1;
	unsigned size = (unsigned)FIELD_GET(IOIO_SIZE, info);
	uint64_t mask = BITS(size * 8 - 1, 0);
	struct pio_access access = {
		.port = (uint16_t)FIELD_GET(IOIO_PORT, info),
		.size = (uint8_t)size,
		.write = !(info & IOIO_IN),
		.string = (info & IOIO_STR) != 0,
		.value = (uint32_t)(regs->r[RAX] & mask),
	};
	enum outcome outcome = exit_pio(self, &access);

	/* as for every instruction a 32-bit result clears the upper half */
	if (outcome == OUT_NEXT && !access.write)
		regs->r[RAX] = (size == PORT_SIZES ? 0 : regs->r[RAX] & ~mask) | (access.value & mask);
	finish(self, svm, outcome, svm->vmcb.control.exitinfo2);
}

static void on_npf(struct cpu *self, struct svm_cpu *svm, struct regs *regs)
{
	const struct vmcb_control *c = &svm->vmcb.control;
	struct nested_fault fault = {
		.at = gpa(c->exitinfo2),
		.access = c->exitinfo1 & NPF_ID ? MAP_EXEC : c->exitinfo1 & NPF_RW ? MAP_WRITE : MAP_READ,
		/* what an event is delivered by is not the instruction at RIP either */
		.walk = (c->exitinfo1 & NPF_WALK) != 0 || (c->exitintinfo & EVENT_V) != 0,
		.code_size = svm->features & SVM_DECODE_ASSISTS ? c->bytes_fetched & 15 : 0,
		.code = c->instruction,
	};
	unsigned length = 0;
	enum outcome outcome = exit_nested_fault(self, regs, &fault, &length);

	finish(self, svm, outcome, svm->vmcb.save.rip + length);
}

static void on_nmi(struct cpu *self, struct svm_cpu *svm, struct regs *regs)
{
	bool kicked = __atomic_load_n(&percpu_of_cpu(self)->kicked, __ATOMIC_RELAXED);

	(void)svm;
	(void)regs;
	/* it is still pending: the gate takes it, and is back before the next instruction */
	__asm__ volatile("stgi; clgi" : : : "memory");
	exit_nmi(self, kicked);
}

static void on_iret(struct cpu *self, struct svm_cpu *svm, struct regs *regs)
{
	(void)regs;
	exit_counted(self, ABI_STAT_X86_NMI, 0);
	svm_iret(svm);
}

/* For a step only (nmi.c): it is what was stepped over, and the NMI wakes it, or the NMI could have come long ago. */
static void on_hlt(struct cpu *self, struct svm_cpu *svm, struct regs *regs)
{
	(void)regs;
	exit_counted(self, ABI_STAT_X86_NMI, 0);
	if (svm->vmcb.save.rflags & RFLAGS_TF)
		complete(self, svm, next_rip(svm, 1));
	else
		svm_inject_nmi(self);
}

static void on_db(struct cpu *self, struct svm_cpu *svm, struct regs *regs)
{
	(void)regs;
	if ((svm->nmi.stepping || svm->nmi.stray_tf) && svm->vmcb.save.dr6 & DR6_BS) {
		exit_counted(self, ABI_STAT_X86_NMI, 0);
		svm_stepped(self);
		return;
	}
	exit_counted(self, ABI_STAT_X86_EXCEPTION, VECTOR_DB);
	svm->vmcb.control.eventinj = EXCEPTION(VECTOR_DB);
}

static void on_ac(struct cpu *self, struct svm_cpu *svm, struct regs *regs)
{
	(void)regs;
	exit_counted(self, ABI_STAT_X86_EXCEPTION, VECTOR_AC);
	svm->vmcb.control.eventinj = EXCEPTION_CODE_0(VECTOR_AC);
}

/* INITs are virtualized where they are sent. */
static void on_init(struct cpu *self, struct svm_cpu *svm, struct regs *regs)
{
	(void)svm;
	(void)regs;
	exit_counted(self, ABI_STAT_X86_OTHER, 0);
	if (cell_may_tell(self->cell))
		log_print(&self->sys->log, "CPU %u: an INIT that no CPU has sent, ignored\n", self->id);
}

/* It would throw away what others have written. */
static void on_invd(struct cpu *self, struct svm_cpu *svm, struct regs *regs)
{
	(void)regs;
	exit_counted(self, ABI_STAT_X86_OTHER, 0);
	if (cell_is_root(self->cell))
		__asm__ volatile("wbinvd" : : : "memory");
	complete(self, svm, next_rip(svm, 2));
}

static void on_shutdown(struct cpu *self, struct svm_cpu *svm, struct regs *regs)
{
	(void)svm;
	(void)regs;
	exit_shutdown(self);
}

static const char *name_of(uint64_t exitcode)
{
	static const char *const names[] = {
		[VMEXIT_INVLPGA - VMEXIT_INVLPGA] = "INVLPGA",
		[VMEXIT_VMRUN - VMEXIT_INVLPGA] = "VMRUN",
		[VMEXIT_VMLOAD - VMEXIT_INVLPGA] = "VMLOAD",
		[VMEXIT_VMSAVE - VMEXIT_INVLPGA] = "VMSAVE",
		[VMEXIT_STGI - VMEXIT_INVLPGA] = "STGI",
		[VMEXIT_CLGI - VMEXIT_INVLPGA] = "CLGI",
		[VMEXIT_SKINIT - VMEXIT_INVLPGA] = "SKINIT",
	};
	uint64_t n = exitcode - VMEXIT_INVLPGA;

	if (exitcode == VMEXIT_INVALID)
		return "a state that VMRUN refuses";
	return n < ARRAY_SIZE(names) && names[n] != NULL ? names[n] : "an exit that was not asked for";
}

static void on_forbidden(struct cpu *self, struct svm_cpu *svm, struct regs *regs)
{
	(void)regs;
	if (svm->vmcb.control.exitcode == VMEXIT_INVALID) {
		/* it would be refused again, for ever, whoever it was in the guest */
		BUG_ON(cell_is_root(self->cell));
		svm->vmcb.save.cpl = 0;
	}
	finish(self, svm, exit_forbidden(self, name_of(svm->vmcb.control.exitcode)), svm->vmcb.save.rip);
}

typedef void (*handler)(struct cpu *self, struct svm_cpu *svm, struct regs *regs);

#define FIRST VMEXIT_EXCP
static const handler handlers[] = {
	[VMEXIT_EXCP + VECTOR_DB - FIRST] = on_db,
	[VMEXIT_EXCP + VECTOR_AC - FIRST] = on_ac,
	[VMEXIT_NMI - FIRST] = on_nmi,
	[VMEXIT_INIT - FIRST] = on_init,
	[VMEXIT_CPUID - FIRST] = on_cpuid,
	[VMEXIT_IRET - FIRST] = on_iret,
	[VMEXIT_INVD - FIRST] = on_invd,
	[VMEXIT_HLT - FIRST] = on_hlt,
	[VMEXIT_IOIO - FIRST] = on_ioio,
	[VMEXIT_MSR - FIRST] = on_msr,
	[VMEXIT_SHUTDOWN - FIRST] = on_shutdown,
	[VMEXIT_VMMCALL - FIRST] = on_vmmcall,
	/* a cell's, and it is left out */
	[VMEXIT_WBINVD - FIRST] = on_invd,
};

/* What has no handler is an instruction no guest has, or cannot happen. */
static handler handler_of(uint64_t exitcode)
{
	uint64_t n = exitcode - FIRST;

	if (n < ARRAY_SIZE(handlers) && handlers[n] != NULL)
		return handlers[n];
	return exitcode == VMEXIT_NPF ? on_npf : on_forbidden;
}

void svm_exit(struct regs *regs)
{
	struct percpu *percpu = (struct percpu *)(void *)(regs + 1);
	struct cpu *self = &percpu->cpu;
	struct svm_cpu *svm = (struct svm_cpu *)(void *)percpu->virt;
	struct vmcb_control *control = &svm->vmcb.control;

	flush_exit(&percpu->arch.flush);
	control->eventinj = control->exitintinfo & EVENT_V ? svm_event_again(control->exitintinfo) : 0;
	handler_of(control->exitcode)(self, svm, regs);
	cpu_check_stop(self);
	svm_prepare(self, svm);
}
