// SPDX-License-Identifier: GPL-2.0-only
/* Stage-2 aborts: a mediated device, a translation that changed meanwhile, or a violation. */
#include "arch/cpu.h"
#include "arm64.h"
#include "base/str.h"
#include "core/budget.h"
#include "core/cell.h"
#include "core/fault.h"
#include "core/guest.h"
#include "pure/ldst.h"
#include "sysreg.h"

/* First stage only, as the guest would: ERR_FAULT where it would fault itself. PAR_EL1 is the guest's. */
static err_t translate(uint64_t va, bool write, gpa_t *out)
{
	uint64_t saved = sysreg_read(par_el1);
	uint64_t par;

	if (in_el0() && write)
		__asm__ volatile("at s1e0w, %0" : : "r"(va));
	else if (in_el0())
		__asm__ volatile("at s1e0r, %0" : : "r"(va));
	else if (write)
		__asm__ volatile("at s1e1w, %0" : : "r"(va));
	else
		__asm__ volatile("at s1e1r, %0" : : "r"(va));
	isb();
	par = sysreg_read(par_el1);
	sysreg_write(par_el1, saved);
	if (par & PAR_F)
		return ERR_FAULT;
	*out = gpa((par & PAR_PA) | (va & PAGE_MASK));
	return OK;
}

/* One register's worth, read or written. */
static err_t access_one(struct cpu *self, struct regs *regs, const struct ldst *op, uint64_t at, unsigned reg)
{
	const struct mmio_region *region = fault_region(self->cell, gpa(at));
	struct mmio_access access = { .size = op->size, .write = op->write, .value = reg_get(regs, reg) };
	uint64_t value;

	if (region == NULL)
		return ERR_INVALID;
	if (op->size < 8)
		access.value &= BIT(op->size * 8u) - 1;
	access.address = gpa(at - region->span.start);
	TRY(region->access(self, &access));
	if (op->write)
		return OK;
	value = op->sign_extend ? sign_extend(access.value, op->size) : access.value;
	reg_set(regs, reg, op->wide ? value : value & BITS(31, 0));
	return OK;
}

static uint64_t get_base(const struct regs *regs, unsigned base)
{
	if (base != 31)
		return regs->x[base];
	return in_el0() || !(sysreg_read(spsr_el2) & BIT(0)) ? sysreg_read(sp_el0) : sysreg_read(sp_el1);
}

static void set_base(struct regs *regs, unsigned base, uint64_t value)
{
	if (base != 31)
		regs->x[base] = value;
	else if (in_el0() || !(sysreg_read(spsr_el2) & BIT(0)))
		sysreg_write(sp_el0, value);
	else
		sysreg_write(sp_el1, value);
}

static err_t do_access(struct cpu *self, struct regs *regs, const struct ldst *op, gpa_t at)
{
	TRY(access_one(self, regs, op, at.v, op->reg));
	if (op->pair)
		TRY(access_one(self, regs, op, at.v + op->size, op->reg2));
	if (op->write_back)
		set_base(regs, op->base, get_base(regs, op->base) + (uint64_t)op->offset);
	return OK;
}

/* ISV = 0: the instruction itself has to be read. ERR_AGAIN: its page is gone meanwhile; let the guest fault. */
static err_t decode_instruction(struct cpu *self, struct ldst *op)
{
	uint32_t instruction;
	gpa_t at;

	if (sysreg_read(spsr_el2) & SPSR_AARCH32)
		return ERR_UNSUPPORTED;
	if (translate(sysreg_read(elr_el2), false, &at) != OK)
		return ERR_AGAIN;
	TRY(guest_read(self, at, &instruction, sizeof(instruction)));
	return ldst_decode(instruction, op);
}

static err_t emulate(struct cpu *self, struct regs *regs, const struct exit *x)
{
	const struct exit_abort *abort = &x->abort;
	struct ldst op = { .write = abort->write, .size = abort->size, .sign_extend = abort->sign_extend,
			   .wide = abort->wide, .reg = abort->reg };

	if (abort->fetch || abort->walk || abort->cache_op)
		return ERR_INVALID;
	if (!abort->syndrome)
		TRY(decode_instruction(self, &op));
	TRY(do_access(self, regs, &op, abort->address));
	skip_instruction(x->length);
	return OK;
}

static const char *what(const struct exit_abort *abort, bool mediated)
{
	if (abort->fault == FAULT_EXTERNAL)
		return "external abort";
	if (mediated)
		return "the device takes no such access";
	if (abort->fault == FAULT_PERMISSION)
		return "not permitted";
	return "not its memory";
}

static void violation(struct cpu *self, const struct exit *x, const struct violation *v, bool mediated)
{
	fault_report(self, v, what(&x->abort, mediated));
	if (!cell_is_root(self->cell))
		cell_fail(self);
	inject_external_abort(x);
}

/*
 * What was wanted. A permission that a cache operation or a table walk lacked is the one to
 * write: DC IVAC, and the walker's update of a descriptor.
 */
static uint32_t access_kind(const struct exit_abort *abort)
{
	if (abort->fetch)
		return MAP_EXEC;
	if (abort->fault == FAULT_PERMISSION && (abort->cache_op || abort->walk))
		return MAP_WRITE;
	return abort->write ? MAP_WRITE : MAP_READ;
}

/* Faults that another CPU's change of the tables can have caused. */
static bool may_be_stale(enum fault fault)
{
	return fault == FAULT_TRANSLATION || fault == FAULT_PERMISSION || fault == FAULT_ACCESS_FLAG;
}

static struct violation violation_of(const struct exit *x)
{
	const struct exit_abort *abort = &x->abort;

	return (struct violation){ .address = abort->address, .address_known = abort->address_known,
				   .pc = sysreg_read(elr_el2), .access = access_kind(abort) };
}

static void abort_by_cause(struct cpu *self, struct regs *regs, struct exit *x)
{
	struct exit_abort *abort = &x->abort;
	struct violation v;
	err_t e;

	/* HPFAR_EL2 is UNKNOWN here; a stage-1 fault now means that the guest changed its tables: it tries again */
	if (abort->far_only && translate(abort->far, abort->write, &abort->address) != OK &&
	    abort->fault == FAULT_PERMISSION) {
		exit_counted(self, ABI_STAT_ARM64_FAULT, 0);
		return;
	}
	v = violation_of(x);
	if (v.address_known && fault_region(self->cell, v.address) != NULL) {
		exit_count(self, ABI_STAT_MMIO, v.address.v);
		e = emulate(self, regs, x);
		if (e != OK && e != ERR_AGAIN)
			violation(self, x, &v, true);
		return;
	}
	exit_counted(self, ABI_STAT_ARM64_FAULT, v.address_known ? v.address.v : 0);
	halt_if_dead();
	if (may_be_stale(abort->fault) && fault_is_stale(self, &v))
		return;
	violation(self, x, &v, false);
}

void exit_any_abort(struct cpu *self, struct regs *regs, uint64_t esr)
{
	struct exit x;

	esr_decode(esr, sysreg_read(far_el2), sysreg_read(hpfar_el2), &x);
	/* vectors.S sends all of ESR_EL2.EC's upper half: debug exceptions and the like have no x.abort */
	if (x.kind == EXIT_INSN_ABORT || x.kind == EXIT_DATA_ABORT)
		abort_by_cause(self, regs, &x);
	else
		exit_other(self, &x);
}
