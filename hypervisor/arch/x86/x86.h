/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of this folder share: a CPU's and a cell's x86 part, and each other's functions. */
#ifndef X86_X86_H
#define X86_X86_H

#include "abi/image.h"
#include "core/cpu.h"
#include "core/enable.h"
#include "layout.h"
#include "pure/apic.h"
#include "pure/flush.h"
#include "pure/ioapic.h"
#include "pure/v8250.h"
#include "virt.h"

/* A guest's general registers by their number in instructions, at the top of the CPU's stack. */
enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };
struct regs {
	uint64_t r[16];
};
static_assert(sizeof(struct regs) == REGS_SIZE, "layout.h");

struct table_register {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

/* Linux as it came to _entry; what its CPU goes back to. The first three by entry.S. */
struct came {
	uint64_t rsp;
	uint64_t cr3;
	uint64_t resume;		/* where in the switch page */
	uint64_t cr0;
	uint64_t cr4;
	uint64_t efer;			/* without SVME, which the driver set */
	uint64_t pat;
	uint64_t dr6;
	uint64_t dr7;
	struct table_register gdtr;
	struct table_register idtr;
	uint16_t cs, ss, ds, es;
};

struct tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7];
	uint64_t reserved2;
	uint16_t reserved3;
	uint16_t iomap;
} __attribute__((packed));

/* APM 2, 4.8; the TSS's in two */
struct gdt {
	uint64_t null;
	uint64_t code;			/* HOST_CS */
	uint64_t data;			/* HOST_DS */
	struct {
		uint16_t limit, base0;
		uint8_t base1, type, flags, base2;
		uint32_t base3, reserved;
	} tss;				/* HOST_TR */
};
static_assert(offsetof(struct gdt, code) == HOST_CS, "layout.h");
static_assert(offsetof(struct gdt, data) == HOST_DS, "layout.h");
static_assert(offsetof(struct gdt, tss) == HOST_TR, "layout.h");

struct arch_cpu {
	struct flush_cpu flush;
	struct came came;
	struct apic_cpu apic;
	bool owned;			/* host_own() was done: there is something to give back */
	bool init;			/* atomic: an INIT arrived: leave the guest and wait for a SIPI */
	bool guest_nmi;			/* atomic: an NMI that the guest's cell sent itself */
	uint32_t power;			/* atomic, enum power of kick.c: how far it is off */
	uint64_t tsc_offset;
	uint64_t *window_block;		/* entry for a 2 MiB block */
	uint64_t *window_page;		/* entry for a page */
	uint8_t *window;		/* block at + 0, page at + 2 MiB */
	struct tss tss;
	struct gdt gdt;
};

/* At the top of each CPU's stack; GS points to it while the CPU is in the hypervisor. */
struct percpu {
	struct percpu *self;
	uint64_t nmis;			/* taken in the hypervisor; only this CPU writes */
	uint8_t kicked;			/* atomic: an NMI of the hypervisor's is on its way to this CPU */
	struct cpu cpu;
	struct arch_cpu arch;
	uint8_t virt[3][4096] __attribute__((aligned(4096)));	/* svm: VMCB, host save area, host's VMLOAD state */
	uint8_t fault_stack[4096];	/* exceptions in the hypervisor itself */
};
static_assert(offsetof(struct percpu, self) == PERCPU_SELF, "layout.h");
static_assert(offsetof(struct percpu, nmis) == PERCPU_NMIS, "layout.h");
static_assert(offsetof(struct percpu, kicked) == PERCPU_KICKED, "layout.h");
static_assert(sizeof(struct percpu) == PERCPU_PAGES * 4096, "layout.h");

struct pci_cell;

struct arch_cell {
	void *virt;			/* svm: bitmaps of MSRs and ports */
	struct pci_cell *pci;		/* NULL: no functions of its own */
	struct v8250 uart;		/* guarded by cell.uart_lock */
	uint64_t lines[16];		/* global system interrupts that are its own: below IOAPIC_LINES */
	uint32_t refusals;		/* atomic: how many of its guest's accesses were refused */
	bool remapped;			/* interrupts go by Linux's tables: its functions' messages stay off */
};

struct gate {
	uint64_t low, high;
};

/* The machine, as far as it is x86's: the root object, and the only one that is written. */
struct machine {
	struct system sys;
	struct paging tables;		/* the hypervisor's own */
	const struct virt_ops *virt;
	struct gate idt[256];
	struct gate drain[256];		/* while apic.c takes what is pending: all but NMIs just return */
	struct span mediated[2 + ABI_IOAPICS];	/* local APIC, ECAM, IOAPICs */
	unsigned mediated_count;
	uint32_t apic_khz;		/* 0: not measured yet */
	struct lock ioapic_lock;	/* every access to an IOAPIC */
	struct ioapic ioapic[ABI_IOAPICS];
	struct lock pci_lock;		/* mechanism #1's address and data */
	uint32_t pci_address[CONFIG_MAX_CELLS];	/* what each cell wrote to port 0xcf8, by cell id */
	struct pci_cell *pci[CONFIG_MAX_CELLS];	/* the functions that are not the root cell's, by cell id */
	uint16_t uart;			/* port; 0: none */
	struct meeting meeting;
	bool dead;			/* atomic: a bug was found, every CPU that comes here stays */
};
extern struct machine machine;

static inline struct percpu *percpu_of(unsigned cpu)
{
	return (struct percpu *)(void *)(_percpu + (cpu + 1) * (size_t)PERCPU_SIZE - sizeof(struct percpu));
}

static inline struct percpu *percpu_of_cpu(const struct cpu *cpu)
{
	return (struct percpu *)((uintptr_t)cpu - offsetof(struct percpu, cpu));
}

/* The guest's registers of a CPU that is in the hypervisor. */
static inline struct regs *regs_of(const struct cpu *self)
{
	return (struct regs *)(void *)percpu_of_cpu(self) - 1;
}

static inline struct cpu *this_cpu(void)
{
	struct percpu *percpu;

	__asm__ volatile("mov %%gs:0, %0" : "=r"(percpu));
	return &percpu->cpu;
}

/* What a handler wants done with the instruction that came to it. */
enum outcome {
	OUT_NEXT,		/* it is done */
	OUT_AGAIN,		/* let the guest try again */
	OUT_GP,			/* #GP(0) */
	OUT_UD,			/* #UD */
};

/* boot.c, called by entry.S on every CPU; the first three of struct came are there */
_Noreturn void boot_cpu(unsigned number, const struct came *given);

/* host.c: the hypervisor's own segments and gates; exceptions in it are bugs, NMIs are counted */
void host_build_idt(void);
void host_own(struct cpu *self);	/* GDT, IDT, TR, GS, CR0, CR4, EFER and PAT of the hypervisor's */
void host_give_back(const struct cpu *self);	/* what of it Linux came with, but for segment selectors and CR3 */
/* entry.S */
_Noreturn void switch_back(const struct came *came, long result);	/* to the switch page, bare; machine state is Linux's already */
/* An MSR, or its value, is the guest's to say: false, and nothing done, where the CPU has #GP for it. */
bool guest_rdmsr(uint32_t msr, uint64_t *value);
bool guest_wrmsr(uint32_t msr, uint64_t value);
_Noreturn void restart_on_stack(void *stack, void (*run)(struct cpu *), struct cpu *self);
/* bug.c */
_Noreturn void halt(void);
void halt_if_dead(void);	/* a bug was found somewhere: this CPU stays here */
_Noreturn void exit_hypervisor(unsigned vector, uint64_t code, uint64_t rip, uint64_t rsp);
/* uart.c: an 8250 at machine.uart */
void uart_init(void);
void uart_write(const char *text, size_t size);

/* tlb.c */
void window_init(struct cpu *self, uint64_t *block, uint64_t *page);

/* kick.c: how a CPU is had back */
/* An NMI to it unless one is on its way. What it is wanted for is to be seen already, by all CPUs. Any CPU. */
void kick(const struct cpu *target);
/*
 * Waits until none is on its way to this CPU, and has none sent before one has come that the
 * caller sends to itself, once what it does lets NMIs through again. Without locks.
 */
void kick_hold(struct cpu *self);
/* An NMI has brought the CPU out of its guest, and was taken; kicked: one of ours was on its way. */
void exit_nmi(struct cpu *self, bool kicked);

/* What guests do that needs the hypervisor. Each counts its exit. */
/* cpuid.c: regs by the guest's EAX and ECX */
void exit_cpuid(struct cpu *self, struct regs *regs);
/* One register of an answer, CPUID_EAX(leaf) and so on, of subleaf 1 plus CPUID_SUBLEAF_1; 0: this CPU has no such leaf. */
#define CPUID_EAX(leaf) (leaf)
#define CPUID_EBX(leaf) ((leaf) + 0x100u)
#define CPUID_ECX(leaf) ((leaf) + 0x200u)
#define CPUID_EDX(leaf) ((leaf) + 0x300u)
#define CPUID_SUBLEAF_1 0x10000u
uint32_t cpuid_get(uint32_t what);
/* msr.c: all but EFER and PAT, which the extension handles itself; it has counted the exit */
enum outcome exit_rdmsr(struct cpu *self, uint32_t msr, uint64_t *value);
enum outcome exit_wrmsr(struct cpu *self, uint32_t msr, uint64_t value);
/* What of the MSRs a new cell has directly. */
void msr_cell_init(struct cell *cell);
/* The MSRs a guest could have left something in, as after power-on, but for those the extension keeps. */
void msr_reset(struct cpu *self);
/* cell.c: an access was refused. Is that still one for the log? Of the first few; a guest that probes does not flood it. */
bool cell_may_tell(const struct cell *cell);
/* ... then it is told: what it tried, "read of MSR" or the like, and of which. */
void cell_refused(struct cpu *self, const char *what, uint64_t number);
/* pio.c: the machine's own ports, 1, 2 or 4 bytes */
uint32_t port_in(uint16_t port, unsigned size);
void port_out(uint16_t port, unsigned size, uint32_t value);
/* ... what a guest does; size 1, 2 or 4. */
struct pio_access {
	uint16_t port;
	uint8_t size;
	bool write;
	bool string;			/* not one item: what the registers say, of the guest's memory */
	uint32_t value;			/* written, or filled in by a read */
};
enum outcome exit_pio(struct cpu *self, struct pio_access *access);
void pio_cell_init(struct cell *cell);
/* The ports of a cell become the root cell's, or cease to be. */
void pio_give(const struct cell *cell, bool to_root);
/* fault.c: a nested page fault */
struct nested_fault {
	gpa_t at;
	uint32_t access;		/* MAP_READ, MAP_WRITE or MAP_EXEC */
	bool walk;			/* on the guest's own tables, not on what they translate to */
	uint8_t code_size;		/* bytes of the instruction the CPU saved, 0: none */
	const uint8_t *code;
};
/* OUT_NEXT: *length bytes of the instruction are done. */
enum outcome exit_nested_fault(struct cpu *self, struct regs *regs, const struct nested_fault *fault, unsigned *length);
/* exit.c: fails a cell, lets Linux off; wide: the guest is in 64-bit mode */
enum outcome exit_hypercall(struct cpu *self, struct regs *regs, unsigned cpl, bool wide);
/* Instructions no guest has, and what cannot happen: a cell fails unless it was in user mode, Linux gets #UD. */
enum outcome exit_forbidden(struct cpu *self, const char *what);
/* Triple fault: a cell fails, with Linux the machine resets. */
void exit_shutdown(struct cpu *self);

/* apic.c: this CPU's local APIC, in the mode its guest has it */
#define APIC_PAGE 0xfee00000ull
err_t apic_check(struct cpu *self, struct why *why);
void apic_activate(struct cpu *self);	/* Linux's as it is */
void apic_reset(struct cpu *self);	/* for a new owner: as after INIT, in xAPIC mode or, if the machine's Linux uses it, x2APIC */
void apic_quiesce(struct cpu *self);	/* nothing arrives any more, nothing is pending or in service */
void apic_send(uint32_t apic_id, uint32_t low);	/* an IPI to one CPU, by physical id; low: ICR's low half */
uint32_t apic_id(void);
uint32_t apic_measure(struct cpu *self);	/* kHz of the timer undivided; on a parked CPU */
uint64_t apic_base(const struct cpu *self);	/* APIC_BASE as the guest has it: BSP says the cell's first CPU */
/* The page in xAPIC mode: mmio region's handler */
err_t apic_mmio(struct cpu *self, struct mmio_access *access);
/* APIC_BASE, and of 0x800 to 0x8ff what a cell does not have directly: the ICR and LVT entries */
enum outcome apic_wrmsr(struct cpu *self, uint32_t msr, uint64_t value);
/* ipi.c: what a guest writes to ICR, in x2APIC's layout (destination in 63:32; xAPIC: shifted there) */
enum outcome ipi_send(struct cpu *self, uint64_t icr);

/* ioapic.c */
err_t ioapic_init(struct why *why);
extern err_t (*const ioapic_mmio[ABI_IOAPICS])(struct cpu *self, struct mmio_access *access);	/* one for each */
bool ioapic_remapped(void);		/* interrupts go by Linux's tables: no line or message can be a cell's */
void ioapic_lines_move(struct cell *from, struct cell *to, struct abi_irq lines);
void ioapic_lines_reset(struct cell *cell);
void ioapic_cpu_moved(void);		/* from the root cell, or back: which of its entries mean it has changed */

/* pci.c */
void pci_init(void);
err_t pci_cell_init(struct cell *cell, struct why *why);
void pci_cell_exit(struct cell *cell);
void pci_cell_attach(struct cell *cell);
bool pci_cell_quiesce(struct cell *cell);	/* as arch_cell_quiesce() */
void pci_cell_detach(struct cell *cell);
void pci_cell_reset(struct cell *cell);	/* the cell starts anew */
err_t pci_mmio(struct cpu *self, struct mmio_access *access);	/* ECAM */
void pci_pio(struct cpu *self, struct pio_access *access);	/* ports 0xcf8 to 0xcff */
/* An MSI-X table of one of the cell's functions at `at`? Such pages are in no space. */
bool pci_is_msix(const struct cell *cell, gpa_t at);
err_t pci_msix(struct cpu *self, struct mmio_access *access);	/* address: guest-physical */

/* vuart.c */
/* False: the cell has no such register there. */
bool vuart_access(struct cpu *self, struct pio_access *access);
/* The cell starts anew. */
void vuart_reset(struct cell *cell);

#endif
