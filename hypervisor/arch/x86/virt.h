/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What AMD's and Intel's virtualization extensions do differently: one const table each, chosen
 * once (machine.virt). Everything is about the calling CPU, in the hypervisor, with NMIs held
 * back, unless it says otherwise.
 */
#ifndef X86_VIRT_H
#define X86_VIRT_H

#include "arch/paging.h"
#include "base/why.h"
#include "core/system.h"
#include "pure/walk.h"

struct virt_ops {
	const char *words;		/* for the log: "AMD SVM" */

	/* Enable. May the CPU be used so? Nothing is changed that undo does not restore. */
	err_t (*check)(struct cpu *self, struct why *why);
	void (*undo)(struct cpu *self);
	/* The format of nested tables; once, before any space. ERR_UNSUPPORTED. */
	err_t (*format)(struct paging_format *out, struct why *why);
	/* Linux as it came in, self->arch->came, becomes this CPU's guest. */
	void (*activate)(struct cpu *self);
	/* The guest that made the hypercall under way goes on on bare metal behind the switch page. */
	void (*leave)(struct cpu *self, long result) __attribute__((noreturn));
	/* Takes the extension out of use on a parked CPU, as it was before enable. */
	void (*off)(struct cpu *self);

	/* The cell's bitmaps; pages from the pool. ERR_NO_MEMORY. */
	err_t (*cell_init)(struct cell *cell);
	void (*cell_exit)(struct cell *cell);
	/* Port is the guest's to use directly, or not; all CPUs of the cell see it at once. Starts as: none is. */
	void (*cell_ports)(struct cell *cell, uint32_t first, uint32_t count, bool direct);
	/* Reads of the MSR are the guest's directly from now on, and writes if `write`. Starts as: all come here. */
	void (*cell_msr)(struct cell *cell, uint32_t msr, bool write);

	/* The guest as after INIT (APM 2, 14.1.3), in cpu->cell's space, starting at IP in the 64 KiB of CS. */
	void (*reset)(struct cpu *self, uint64_t cs_base, uint16_t ip);
	/* Enters it with these registers; RAX and RSP among them. */
	void (*enter)(const struct cpu *self) __attribute__((noreturn));
	/* Until an NMI was taken since the CPU came into the hypervisor, or at once if one is pending. */
	void (*wait)(struct cpu *self);

	/* Lets an interrupt that is pending come through the IDT, if there is one, and NMIs. */
	void (*open)(void);

	void (*mode)(const struct cpu *self, struct guest_mode *out);
	void (*set_rflags)(struct cpu *self, uint64_t rflags);	/* what an instruction done for the guest left there */
	void (*inject_nmi)(struct cpu *self);	/* now, or as soon as the guest takes NMIs again */
	/* What RDTSC says in the guest from now on, compared to the machine's. */
	void (*tsc_offset)(struct cpu *self, uint64_t offset);
};

extern const struct virt_ops svm_ops;

#endif
