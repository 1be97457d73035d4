/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of this folder share: a CPU's pages and each other's functions. */
#ifndef SVM_SVM_H
#define SVM_SVM_H

#include "arch/x86/svm/run.h"
#include "arch/x86/svm/vmcb.h"
#include "arch/x86/x86.h"

/* CPUID 8000_000A EDX */
#define SVM_NP BIT(0)
#define SVM_NRIPS BIT(3)
#define SVM_FLUSH_BY_ASID BIT(6)
#define SVM_DECODE_ASSISTS BIT(7)
#define SVM_SPEC_CTRL BIT(20)
#define SVM_INVLPGB BIT(24)

/* NMIs on their way into the guest (nmi.c) */
struct nmi {
	bool blocked;		/* it has one in hand: its IRET has not been */
	bool pending;		/* and one more has come */
	bool iret_seen;		/* that IRET, at iret_rip, is the next instruction, or is done */
	uint64_t iret_rip;
	bool stepping;		/* RFLAGS.TF and the intercept of #DB are ours, for one instruction */
	bool guest_tf;		/* the guest's own TF meanwhile */
	bool stray_tf;		/* one of ours is kept with RFLAGS in the guest's hands: its trap comes yet */
};

/* percpu.virt */
struct svm_cpu {
	struct vmcb vmcb;
	uint8_t host_save[4096];	/* VM_HSAVE_PA */
	/* what VMLOAD gives the hypervisor back lies from save on, as in a VMCB */
	uint32_t features;		/* SVM_* of this CPU */
	struct nmi nmi;
	uint8_t unused[0x400 - sizeof(uint64_t) - sizeof(struct nmi)];
	struct vmcb_save host;
};
static_assert(offsetof(struct svm_cpu, vmcb.save.rsp) == SVM_VMCB_RSP, "run.h");
static_assert(offsetof(struct svm_cpu, vmcb.save.rax) == SVM_VMCB_RAX, "run.h");
static_assert(offsetof(struct svm_cpu, host) == SVM_HOST + 0x400, "run.h");
static_assert(sizeof(struct svm_cpu) == sizeof(((struct percpu *)0)->virt), "x86.h");

static inline struct svm_cpu *svm_of(const struct cpu *cpu)
{
	return (struct svm_cpu *)(void *)percpu_of_cpu(cpu)->virt;
}

/* run.S */
_Noreturn void svm_run(struct regs *regs, uint64_t vmcb);
void svm_wait(struct cpu *self);
void svm_open(void);

/* exit.c */
void svm_exit(struct regs *regs);
/* Translations are flushed if somebody wants it; then nothing may come between here and VMRUN. */
void svm_prepare(struct cpu *self, struct svm_cpu *svm);

/* nmi.c */
void svm_inject_nmi(struct cpu *self);
/* An exit hit the delivery of an event: what of it has to be delivered again (APM 2, 15.7.2). */
uint64_t svm_event_again(uint64_t exitintinfo);
/* The guest is about to leave its NMI handler. */
void svm_iret(struct svm_cpu *svm);
/* The trap behind an instruction with RFLAGS.TF: a step's of ours, what is left of an earlier one's, or the guest's own. */
void svm_stepped(struct cpu *self);
/* Exceptions the cell's guests take through the hypervisor. */
uint32_t svm_exceptions(const struct cell *cell);

#endif
