// SPDX-License-Identifier: GPL-2.0-only
/*
 * HVC and SMC by guests: the hypercalls of abi/hypercall.h, and by both instructions alike the SMC
 * Calling Convention (DEN0028) with PSCI 1.1 (DEN0022F).
 */
#include "arch/cpu.h"
#include "arm64.h"
#include "core/budget.h"
#include "core/cell.h"
#include "core/hypercall.h"
#include "sysreg.h"

#define NOT_SUPPORTED (-1)
#define INVALID_PARAMETERS (-2)
#define ALREADY_ON (-4)
#define ON_PENDING (-5)
#define INVALID_ADDRESS (-9)

/* of HVC and SMC */
#define INSTRUCTION_SIZE 4u
/* For size: the file is compiled for speed, for VERSION and the likes of it */
#define COLD __attribute__((cold, noinline))

#define SMC64 BIT(30)
#define FN(number) (0x84000000u | (number))
/* function numbers PSCI has to itself (DEN0022F 5.1) */
#define PSCI_COUNT 0x20u
#define PSCI_VERSION_1_1 0x10001
#define SMCCC_VERSION_1_2 0x10002
#define MIGRATE_NOT_REQUIRED 2
#define AFFINITY_ON 0
#define AFFINITY_OFF 1
#define AFFINITY_ON_PENDING 2
/* what Linux's hyp stub answers to what it does not know */
#define HVC_STUB_ERR 0xbadca11

/* An argument, 1 to 3, cut to 32 bits for SMC32. */
static uint64_t argument(const struct regs *regs, unsigned n)
{
	return regs->x[0] & SMC64 ? regs->x[n] : regs->x[n] & BITS(31, 0);
}

static long version(struct cpu *self, struct regs *regs)
{
	(void)self;
	(void)regs;
	return PSCI_VERSION_1_1;
}

/* Every state is a standby: the CPU wakes with what it had, which PSCI permits for power-down states too. */
static COLD long cpu_suspend(struct cpu *self, struct regs *regs)
{
	(void)self;
	(void)regs;
	guest_sleep();
	return 0;
}

static COLD long cpu_off(struct cpu *self, struct regs *regs)
{
	(void)regs;
	cpu_park(self, CPU_PARKED);
}

static bool may_enter(struct cell *cell, uint64_t entry)
{
	struct translation t;

	return (entry & 3) == 0 && space_walk(&cell->space, gpa(entry), &t) == OK && (t.flags & MAP_EXEC);
}

/* The CPU that a call's first argument names, as the cell calls it, or NULL. */
static COLD struct cpu *target_of(struct cpu *self, const struct regs *regs)
{
	return cpu_find(self->cell, gic_affinity_of(&self->cell->arch->gicd, argument(regs, 1)));
}

static COLD long cpu_on(struct cpu *self, struct regs *regs)
{
	struct cpu *target = target_of(self, regs);
	uint64_t entry = argument(regs, 2);
	err_t e;

	if (target == NULL)
		return INVALID_PARAMETERS;
	if (!may_enter(self->cell, entry))
		return INVALID_ADDRESS;
	e = cpu_start(self->cell, target, &(struct vcpu_start){ gpa(entry), argument(regs, 3), false });
	if (e == OK)
		return 0;
	if (e == ERR_NOT_FOUND)
		return INVALID_PARAMETERS;
	return e == ERR_AGAIN ? ON_PENDING : ALREADY_ON;
}

static COLD long affinity_info(struct cpu *self, struct regs *regs)
{
	struct cpu *target = target_of(self, regs);

	if (target == NULL || argument(regs, 2) != 0)
		return INVALID_PARAMETERS;
	switch (cpu_get_state(target)) {
	case CPU_IN_GUEST:
		return AFFINITY_ON;
	case CPU_STARTING:
		return AFFINITY_ON_PENDING;
	case CPU_PARKED:
	case CPU_FAILED:
		break;
	}
	return AFFINITY_OFF;
}

static long migrate_info_type(struct cpu *self, struct regs *regs)
{
	(void)self;
	(void)regs;
	return MIGRATE_NOT_REQUIRED;
}

static COLD long forward(struct cpu *self, struct regs *regs)
{
	(void)self;
	smc_forward(regs);
	return (long)regs->x[0];
}

/* The root cell is the machine's own system: its end is everybody's. */
static COLD long system_off(struct cpu *self, struct regs *regs)
{
	if (cell_is_root(self->cell))
		return forward(self, regs);
	cell_power_off(self);
}

static COLD long system_reset(struct cpu *self, struct regs *regs)
{
	if (cell_is_root(self->cell))
		return forward(self, regs);
	cell_reset(self);
}

static long psci_features(struct cpu *self, struct regs *regs);

static long smccc_version(struct cpu *self, struct regs *regs)
{
	(void)self;
	(void)regs;
	return SMCCC_VERSION_1_2;
}

/* Bits of its number with which a function is not for every cell. */
#define WIDE 0u				/* exists as SMC64 too */
#define NARROW ((uint32_t)SMC64)
#define ROOT_ONLY 0x80000000u		/* every number has it */

struct function {
	long (*call)(struct cpu *self, struct regs *regs);
	uint32_t barred;
	uint32_t number;	/* without SMC64; where the index does not say it */
};

/* PSCI's, by their number's low bits. A hole is NOT_SUPPORTED. */
static const struct function psci[PSCI_COUNT] = {
	[0x00] = { version, NARROW, 0 },
	[0x01] = { cpu_suspend, WIDE, 0 },
	[0x02] = { cpu_off, NARROW, 0 },
	[0x03] = { cpu_on, WIDE, 0 },
	[0x04] = { affinity_info, WIDE, 0 },
	[0x06] = { migrate_info_type, NARROW, 0 },
	[0x08] = { system_off, NARROW, 0 },
	[0x09] = { system_reset, NARROW, 0 },
	[0x0a] = { psci_features, NARROW, 0 },
	[0x12] = { forward, WIDE | ROOT_ONLY, 0 },	/* SYSTEM_RESET2 */
};

/* The others there are. */
static const struct function others[] = {
	{ forward, NARROW, FN(0x50) },			/* TRNG_VERSION */
	{ forward, NARROW, FN(0x51) },			/* TRNG_FEATURES */
	{ forward, NARROW, FN(0x52) },			/* TRNG_GET_UUID */
	{ forward, WIDE, FN(0x53) },			/* TRNG_RND */
	{ smccc_version, NARROW, 0x80000000u },
	{ forward, NARROW, 0x80000001u },		/* SMCCC_ARCH_FEATURES */
	{ forward, WIDE, 0x80000002u },			/* SMCCC_ARCH_SOC_ID */
	{ forward, NARROW, 0x80003fffu },		/* SMCCC_ARCH_WORKAROUND_3 */
	{ forward, NARROW, 0x80007fffu },		/* SMCCC_ARCH_WORKAROUND_2 */
	{ forward, NARROW, 0x80008000u },		/* SMCCC_ARCH_WORKAROUND_1 */
};

static bool is_psci(uint32_t number)
{
	return (number & ~((uint32_t)SMC64 | (PSCI_COUNT - 1))) == FN(0);
}

static COLD const struct function *find_other(uint32_t number)
{
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(others); i++)
		if ((number & ~(uint32_t)SMC64) == others[i].number)
			return &others[i];
	return NULL;
}

static inline bool may_call(const struct cpu *self, uint32_t number, const struct function *f)
{
	if (f == NULL || f->call == NULL)
		return false;
	return !(number & f->barred) || (!(number & f->barred & SMC64) && cell_is_root(self->cell));
}

static COLD long psci_features(struct cpu *self, struct regs *regs)
{
	uint32_t number = (uint32_t)regs->x[1];
	const struct function *f = is_psci(number) ? &psci[number % PSCI_COUNT] : find_other(number);

	return may_call(self, number, f) ? 0 : NOT_SUPPORTED;
}

/* Owners of services a board's drivers need: CPU, SiP and OEM calls (DEN0028 6.1). The root cell drives the board. */
static bool is_board_service(uint32_t number)
{
	uint32_t owner = (number >> 24) & 0x3f;

	return (number & BIT(31)) && owner >= 1 && owner <= 3;
}

/* By HVC a guest may ask Linux's hyp stub, which has numbers without bit 31. */
static COLD void other_call(struct cpu *self, struct regs *regs, bool hvc)
{
	uint32_t number = (uint32_t)regs->x[0];
	const struct function *f = find_other(number);
	long result = NOT_SUPPORTED;

	exit_count(self, ABI_STAT_ARM64_SMCCC, number);
	if (may_call(self, number, f))
		result = f->call(self, regs);
	else if (cell_is_root(self->cell) && is_board_service(number))
		result = forward(self, regs);
	else if (hvc && !(number & BIT(31)))
		result = HVC_STUB_ERR;
	regs->x[0] = (uint64_t)result;
}

/* An SMCCC call, the result in the registers. */
static inline void smccc_call(struct cpu *self, struct regs *regs, bool hvc)
{
	uint32_t number = (uint32_t)regs->x[0];
	const struct function *f = &psci[number % PSCI_COUNT];

	if (!is_psci(number)) {
		other_call(self, regs, hvc);
		return;
	}
	exit_count(self, ABI_STAT_ARM64_PSCI, number);
	regs->x[0] = (uint64_t)(may_call(self, number, f) ? f->call(self, regs) : NOT_SUPPORTED);
}

static COLD void exit_unknown_hvc(struct cpu *self, uint64_t immediate)
{
	const struct exit x = { .kind = EXIT_HVC64, .length = INSTRUCTION_SIZE };

	exit_counted(self, ABI_STAT_ARM64_SMCCC, immediate);
	/* ELR_EL2 is behind the hvc already */
	sysreg_write(elr_el2, sysreg_read(elr_el2) - x.length);
	inject_undefined(&x);
}

void exit_hvc(struct cpu *self, struct regs *regs)
{
	uint64_t immediate = FIELD_GET(ESR_IMMEDIATE, sysreg_read(esr_el2));

	if (immediate == 0)
		smccc_call(self, regs, true);
	else if (immediate == ABI_HVC_IMMEDIATE)
		regs->x[0] = (uint64_t)hypercall(self, regs->x[0], regs->x[1], regs->x[2]);
	else
		exit_unknown_hvc(self, immediate);
	cpu_check_stop(self);
}

void exit_smc(struct cpu *self, struct regs *regs)
{
	/* a trapped SMC's preferred return is the SMC itself (DDI0487 D1.10) */
	skip_instruction(INSTRUCTION_SIZE);
	smccc_call(self, regs, false);
	cpu_check_stop(self);
}

COLD _Noreturn void arch_cpu_power_off(struct cpu *self)
{
	gic_cpu_leave(self);
	arch_window_close(self);
	/* the firmware keeps nothing of EL2: the CPU comes back through Linux's own entry */
	smc_call(FN(0x02), 0, 0, 0);
	for (;;)
		wfi();
}

COLD bool arch_cpu_is_off(const struct cpu *cpu)
{
	return smc_call(FN(0x04) | SMC64, cpu->hwid, 0, 0) == AFFINITY_OFF;
}
