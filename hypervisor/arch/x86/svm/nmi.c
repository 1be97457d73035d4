// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events that the hypervisor gives the guest: exceptions, what an exit interrupted, and NMIs,
 * which the CPU does not hold back while the guest handles one (APM 2, 15.20, 15.21.9).
 *
 *   NMI injected ------------> blocked, IRET intercepted
 *   exit by IRET ------------> it is the next instruction: no intercept any more
 *     one more is pending ---> one step by RFLAGS.TF, then it is injected
 *     one comes later -------> RIP still there: the same; else injected
 *   it comes behind STI or a load of SS: one step, too; HLT, which QEMU would sleep in first and
 *   trap behind without a look at the intercept, is made that step here
 *   no trap ends the step, as the instruction faults, or is a call whose RFLAGS are kept for its
 *   return: it ends with the next NMI or HLT, and the trap behind that return is ours, too
 */
#include "arch/x86/asm.h"
#include "arch/x86/svm/svm.h"

#define DR6_BS BIT(14)

uint32_t svm_exceptions(const struct cell *cell)
{
	/*
	 * One of these two that hits its own delivery is delivered for ever, and no NMI comes in
	 * between. Linux on bare metal has to live with it too; a cell must be had back.
	 */
	return cell_is_root(cell) ? 0 : BIT(VECTOR_DB) | BIT(VECTOR_AC);
}

uint64_t svm_event_again(uint64_t exitintinfo)
{
	uint64_t type = FIELD_GET(EVENT_TYPE, exitintinfo);
	uint64_t vector = FIELD_GET(EVENT_VECTOR, exitintinfo);

	/* INTn, INT3 and INTO: RIP is at them still */
	if (type == EVENT_TYPE_SOFTWARE ||
	    (type == EVENT_TYPE_EXCEPTION && (vector == VECTOR_BP || vector == VECTOR_OF)))
		return 0;
	return exitintinfo;
}

static void step(struct svm_cpu *svm)
{
	struct vmcb *vmcb = &svm->vmcb;
	struct nmi *nmi = &svm->nmi;
	bool tf = (vmcb->save.rflags & RFLAGS_TF) != 0;

	nmi->stepping = true;
	nmi->guest_tf = tf && !nmi->stray_tf;
	/* what an earlier step left is back, and ends with this one */
	if (tf)
		nmi->stray_tf = false;
	vmcb->save.rflags |= RFLAGS_TF;
	vmcb->control.intercept_exceptions |= BIT(VECTOR_DB);
	vmcb->control.intercept_misc1 |= INTERCEPT_HLT;
}

static void end_step(struct cpu *self, struct svm_cpu *svm)
{
	struct vmcb_control *control = &svm->vmcb.control;

	svm->nmi.stepping = false;
	control->intercept_exceptions = svm_exceptions(self->cell) | (svm->nmi.stray_tf ? BIT(VECTOR_DB) : 0);
	control->intercept_misc1 &= ~(uint32_t)INTERCEPT_HLT;
}

static void notice_lost(struct cpu *self, struct svm_cpu *svm)
{
	if (!svm->nmi.stepping || svm->vmcb.save.rflags & RFLAGS_TF)
		return;
	svm->nmi.stray_tf = !svm->nmi.guest_tf;
	end_step(self, svm);
}

/* Also notices that the guest's handler is through. */
static bool is_blocked(struct svm_cpu *svm)
{
	struct nmi *nmi = &svm->nmi;

	if (nmi->iret_seen && svm->vmcb.save.rip != nmi->iret_rip)
		nmi->blocked = nmi->iret_seen = false;
	return nmi->blocked;
}

void svm_inject_nmi(struct cpu *self)
{
	struct svm_cpu *svm = svm_of(self);
	struct vmcb_control *control = &svm->vmcb.control;
	struct nmi *nmi = &svm->nmi;
	bool blocked = is_blocked(svm);

	notice_lost(self, svm);
	if (!blocked && !nmi->stepping && control->eventinj & EVENT_V) {
		/* one event a VMRUN; an NMI comes in again right behind it */
		__atomic_store_n(&self->arch->guest_nmi, true, __ATOMIC_SEQ_CST);
		kick(self);
		return;
	}
	if (blocked || nmi->stepping || control->interrupt_shadow & INTERRUPT_SHADOW) {
		nmi->pending = true;
		if (!nmi->stepping && (nmi->iret_seen || !blocked))
			step(svm);
		return;
	}
	nmi->pending = false;
	nmi->blocked = true;
	control->intercept_misc1 |= INTERCEPT_IRET;
	control->eventinj = EVENT_V | FIELD_PUT(EVENT_TYPE, EVENT_TYPE_NMI) | VECTOR_NMI;
}

void svm_iret(struct svm_cpu *svm)
{
	svm->vmcb.control.intercept_misc1 &= ~(uint32_t)INTERCEPT_IRET;
	svm->nmi.iret_seen = true;
	svm->nmi.iret_rip = svm->vmcb.save.rip;
	if (svm->nmi.pending)
		step(svm);
}

void svm_stepped(struct cpu *self)
{
	struct svm_cpu *svm = svm_of(self);
	struct vmcb *vmcb = &svm->vmcb;
	struct nmi *nmi = &svm->nmi;
	bool ours = nmi->stepping ? !nmi->guest_tf : nmi->stray_tf;

	if (ours) {
		vmcb->save.dr6 &= ~DR6_BS;
		/* IRET has brought the guest's own */
		if (!nmi->stepping || !nmi->iret_seen)
			vmcb->save.rflags &= ~RFLAGS_TF;
	} else {
		vmcb->save.dr6 |= DR6_BS;
		vmcb->control.eventinj = EXCEPTION(VECTOR_DB);
	}
	if (!nmi->stepping)
		nmi->stray_tf = false;
	end_step(self, svm);
	if (nmi->pending)
		svm_inject_nmi(self);
}
