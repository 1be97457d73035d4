// SPDX-License-Identifier: GPL-2.0-only
/* Nested page faults: a mediated device, a translation that changed meanwhile, or a violation. */
#include "base/fmt.h"
#include "base/str.h"
#include "core/budget.h"
#include "core/cell.h"
#include "core/fault.h"
#include "core/guest.h"
#include "pure/insn.h"
#include "x86.h"

/* Who answers in place of memory. */
struct target {
	err_t (*access)(struct cpu *self, struct mmio_access *access);
	gpa_t address;			/* as it wants to be told */
};

/* The instruction under way. */
struct attempt {
	struct guest_mode mode;
	uint8_t code[INSN_MAX];
	unsigned count;
	struct insn insn;
};

static bool find_target(const struct cpu *self, const struct nested_fault *fault, struct target *out)
{
	const struct mmio_region *region = fault_region(self->cell, fault->at);

	if (fault->walk || fault->access == MAP_EXEC)
		return false;
	if (region != NULL)
		*out = (struct target){ region->access, gpa(fault->at.v - region->span.start) };
	else if (pci_is_msix(self->cell, fault->at))
		*out = (struct target){ pci_msix, fault->at };
	else
		return false;
	return true;
}

static err_t read_guest(void *self, gpa_t at, void *to, size_t size)
{
	return guest_read(self, at, to, size);
}

/* ERR_AGAIN: where the code is has changed meanwhile; let the guest find out. ERR_FAULT: not readable. */
static err_t decode(struct cpu *self, const struct nested_fault *fault, struct attempt *a)
{
	const struct guest_memory memory = { read_guest, self };
	unsigned bits;
	err_t e = ERR_SHORT;

	machine.virt->mode(self, &a->mode);
	bits = walk_code_bits(&a->mode);
	a->count = fault->code_size;
	if (a->count != 0) {
		memcpy(a->code, fault->code, a->count);
		e = insn_decode(a->code, a->count, bits, &a->insn);
	}
	if (e != ERR_SHORT)
		return e;
	e = walk_fetch(&a->mode, &memory, a->code, &a->count);
	if (e == OK)
		e = insn_decode(a->code, a->count, bits, &a->insn);
	return e == ERR_SHORT || e == ERR_NOT_FOUND ? ERR_AGAIN : e;
}

/* Reads, does what the instruction does, writes; and only then is there anything to be seen in registers. */
static err_t perform(struct cpu *self, struct regs *regs, const struct attempt *a, const struct target *target)
{
	const struct insn *insn = &a->insn;
	struct mmio_access access = { .address = target->address, .size = insn->size };
	struct insn_state state = { .reg = regs->r[insn->reg], .rflags = a->mode.rflags };

	if ((access.address.v & PAGE_MASK) + access.size > PAGE_SIZE)
		return ERR_INVALID;
	if (insn->read) {
		TRY(target->access(self, &access));
		state.memory = access.value;
	}
	insn_execute(insn, &state);
	if (insn->write) {
		access.write = true;
		access.value = state.memory;
		TRY(target->access(self, &access));
	}
	regs->r[insn->reg] = state.reg;
	if (state.rflags != a->mode.rflags)
		machine.virt->set_rflags(self, state.rflags);
	return OK;
}

/* What a bus without a device answers. */
static err_t access_nothing(struct cpu *self, struct mmio_access *access)
{
	(void)self;
	if (!access->write)
		access->value = ~0ull;
	return OK;
}

/*
 * Linux goes on as on a machine that has nothing there: reads are all ones, writes are lost. What
 * would have to be fetched is FF FF then, which is no instruction. Where not even that can be done,
 * because it is no such instruction or its tables are what is missing, it takes a #GP.
 */
static enum outcome pretend(struct cpu *self, struct regs *regs, const struct nested_fault *fault, unsigned *length)
{
	const struct target nothing = { access_nothing, gpa(0) };
	struct attempt a;
	err_t e;

	if (fault->access == MAP_EXEC)
		return OUT_UD;
	if (fault->walk)
		return OUT_GP;
	e = decode(self, fault, &a);
	if (e == ERR_AGAIN)
		return OUT_AGAIN;
	if (e != OK || perform(self, regs, &a, &nothing) != OK)
		return OUT_GP;
	*length = a.insn.length;
	return OUT_NEXT;
}

static enum outcome violation(struct cpu *self, struct regs *regs, const struct nested_fault *fault,
			      const char *what, unsigned *length)
{
	const struct violation v = { .address = fault->at, .address_known = true, .pc = arch_guest_pc(),
				     .access = fault->access };
	bool root = cell_is_root(self->cell);

	if (!root || cell_may_tell(self->cell))
		fault_report(self, &v, what);
	if (!root)
		cell_fail(self);
	return pretend(self, regs, fault, length);
}

/* Why a mediated device was not accessed. */
static void describe_refusal(const struct attempt *a, err_t e, char *text, size_t size)
{
	size_t used;

	if (e == ERR_FAULT) {
		fmt(text, size, "a device accessed by code that is not in memory it may read");
		return;
	}
	if (e != ERR_UNSUPPORTED) {
		fmt(text, size, "the device takes no such access");
		return;
	}
	used = fmt(text, size, "a device is accessed by MOV and arithmetic only, not by");
	for (unsigned i = 0; i < a->count; i++)
		used += fmt(text + used, size - used, " %02x", a->code[i]);
}

static enum outcome mediate(struct cpu *self, struct regs *regs, const struct nested_fault *fault,
			    const struct target *target, unsigned *length)
{
	struct attempt a;
	char what[112];
	err_t e;

	exit_counted(self, target->access == apic_mmio ? ABI_STAT_X86_XAPIC : ABI_STAT_MMIO, fault->at.v);
	e = decode(self, fault, &a);
	if (e == ERR_AGAIN)
		return OUT_AGAIN;
	if (e == OK)
		e = perform(self, regs, &a, target);
	if (e != OK) {
		describe_refusal(&a, e, what, sizeof(what));
		return violation(self, regs, fault, what, length);
	}
	*length = a.insn.length;
	return OUT_NEXT;
}

static const char *describe_fault(struct cpu *self, const struct nested_fault *fault)
{
	struct translation t;

	if (fault->walk)
		return "its page tables, or what an exception needs, are where it may not";
	return space_walk(&self->cell->space, fault->at, &t) == OK ? "not permitted" : "not its memory";
}

enum outcome exit_nested_fault(struct cpu *self, struct regs *regs, const struct nested_fault *fault, unsigned *length)
{
	const struct violation v = { .address = fault->at, .address_known = true, .access = fault->access };
	struct target target;

	if (find_target(self, fault, &target))
		return mediate(self, regs, fault, &target, length);
	exit_counted(self, ABI_STAT_X86_FAULT, fault->at.v);
	halt_if_dead();
	if (fault_is_stale(self, &v))
		return OUT_AGAIN;
	return violation(self, regs, fault, describe_fault(self, fault), length);
}
