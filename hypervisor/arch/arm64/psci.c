// SPDX-License-Identifier: GPL-2.0-only
/* SMC Calling Convention (DEN0028) and PSCI 1.1 (DEN0022F) for guests, by SMC and by HVC alike. */
#include "arch/cpu.h"
#include "arm64.h"
#include "core/cell.h"
#include "sysreg.h"

#define NOT_SUPPORTED (-1)
#define INVALID_PARAMETERS (-2)
#define ALREADY_ON (-4)
#define ON_PENDING (-5)
#define INVALID_ADDRESS (-9)

#define SMC64 BIT(30)
#define FN(number) (0x84000000u | (number))
#define PSCI_VERSION_1_1 0x10001
#define SMCCC_VERSION_1_2 0x10002
#define MIGRATE_NOT_REQUIRED 2
#define AFFINITY_ON 0
#define AFFINITY_OFF 1
#define AFFINITY_ON_PENDING 2
/* what Linux's hyp stub answers to what it does not know */
#define HVC_STUB_ERR 0xbadca11

struct smccc {
	struct cpu *self;
	struct regs *regs;
	uint64_t a, b, c;	/* arguments, cut to 32 bits for SMC32 */
};

static long version(struct smccc *s)
{
	(void)s;
	return PSCI_VERSION_1_1;
}

/* Every state is a standby: the CPU wakes with what it had, which PSCI permits for power-down states too. */
static long cpu_suspend(struct smccc *s)
{
	(void)s;
	guest_sleep();
	return 0;
}

static long cpu_off(struct smccc *s)
{
	cpu_park(s->self, CPU_PARKED);
}

static bool may_enter(struct cell *cell, uint64_t entry)
{
	struct translation t;

	return (entry & 3) == 0 && space_walk(&cell->space, gpa(entry), &t) == OK && (t.flags & MAP_EXEC);
}

static long cpu_on(struct smccc *s)
{
	struct cpu *target = cpu_find(s->self->cell, s->a);
	err_t e;

	if (target == NULL)
		return INVALID_PARAMETERS;
	if (!may_enter(s->self->cell, s->b))
		return INVALID_ADDRESS;
	e = cpu_start(s->self->cell, target, (struct vcpu_start){ gpa(s->b), s->c, false });
	if (e == OK)
		return 0;
	if (e == ERR_NOT_FOUND)
		return INVALID_PARAMETERS;
	return e == ERR_AGAIN ? ON_PENDING : ALREADY_ON;
}

static long affinity_info(struct smccc *s)
{
	struct cpu *target = cpu_find(s->self->cell, s->a);

	if (target == NULL || s->b != 0)
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

static long migrate_info_type(struct smccc *s)
{
	(void)s;
	return MIGRATE_NOT_REQUIRED;
}

static long forward(struct smccc *s)
{
	smc_forward(s->regs);
	return (long)s->regs->x[0];
}

/* The root cell is the machine's own system: its end is everybody's. */
static long system_off(struct smccc *s)
{
	if (cell_is_root(s->self->cell))
		return forward(s);
	cell_power_off(s->self);
}

static long system_reset(struct smccc *s)
{
	if (cell_is_root(s->self->cell))
		return forward(s);
	cell_reset(s->self);
}

static long psci_features(struct smccc *s);

static long smccc_version(struct smccc *s)
{
	(void)s;
	return SMCCC_VERSION_1_2;
}

/* Numbers without bit 30; `wide` ones exist as SMC64 too. A hole is NOT_SUPPORTED. */
static const struct {
	uint32_t number;
	bool wide;
	bool root_only;
	long (*call)(struct smccc *s);
} functions[] = {
	{ FN(0x00), false, false, version },
	{ FN(0x01), true, false, cpu_suspend },
	{ FN(0x02), false, false, cpu_off },
	{ FN(0x03), true, false, cpu_on },
	{ FN(0x04), true, false, affinity_info },
	{ FN(0x06), false, false, migrate_info_type },
	{ FN(0x08), false, false, system_off },
	{ FN(0x09), false, false, system_reset },
	{ FN(0x0a), false, false, psci_features },
	{ FN(0x12), true, true, forward },		/* SYSTEM_RESET2 */
	{ FN(0x50), false, false, forward },		/* TRNG_VERSION */
	{ FN(0x51), false, false, forward },		/* TRNG_FEATURES */
	{ FN(0x52), false, false, forward },		/* TRNG_GET_UUID */
	{ FN(0x53), true, false, forward },		/* TRNG_RND */
	{ 0x80000000u, false, false, smccc_version },
	{ 0x80000001u, false, false, forward },		/* SMCCC_ARCH_FEATURES */
	{ 0x80000002u, true, false, forward },		/* SMCCC_ARCH_SOC_ID */
	{ 0x80003fffu, false, false, forward },		/* SMCCC_ARCH_WORKAROUND_3 */
	{ 0x80007fffu, false, false, forward },		/* SMCCC_ARCH_WORKAROUND_2 */
	{ 0x80008000u, false, false, forward },		/* SMCCC_ARCH_WORKAROUND_1 */
};

/* Index into functions, or -1 if this cell may not call it. */
static int find(const struct cpu *self, uint32_t number)
{
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(functions); i++)
		if (number == functions[i].number ||
		    (functions[i].wide && number == (functions[i].number | (uint32_t)SMC64)))
			return functions[i].root_only && !cell_is_root(self->cell) ? -1 : (int)i;
	return -1;
}

static long psci_features(struct smccc *s)
{
	return find(s->self, (uint32_t)s->a) >= 0 ? 0 : NOT_SUPPORTED;
}

/* Owners of services a board's drivers need: CPU, SiP and OEM calls (DEN0028 6.1). The root cell drives the board. */
static bool is_board_service(uint32_t number)
{
	uint32_t owner = (number >> 24) & 0x3f;

	return (number & BIT(31)) && owner >= 1 && owner <= 3;
}

void smccc_call(struct cpu *self, struct regs *regs, bool hvc)
{
	uint32_t number = (uint32_t)regs->x[0];
	uint64_t mask = number & SMC64 ? ~0ull : BITS(31, 0);
	struct smccc s = { self, regs, regs->x[1] & mask, regs->x[2] & mask, regs->x[3] & mask };
	bool psci = (number & 0xbfffffe0u) == FN(0);
	int i = find(self, number);
	long result = NOT_SUPPORTED;

	self->stats[psci ? ABI_STAT_ARM64_PSCI : ABI_STAT_ARM64_SMCCC]++;
	if (i >= 0)
		result = functions[i].call(&s);
	else if (cell_is_root(self->cell) && is_board_service(number))
		result = forward(&s);
	else if (hvc && !(number & BIT(31)))
		result = HVC_STUB_ERR;
	regs->x[0] = (uint64_t)result;
}

_Noreturn void arch_cpu_power_off(struct cpu *self)
{
	gic_cpu_leave(self);
	arch_window_close(self);
	/* the firmware keeps nothing of EL2: the CPU comes back through Linux's own entry */
	smc_call(FN(0x02), 0, 0, 0);
	for (;;)
		wfi();
}

bool arch_cpu_is_off(const struct cpu *cpu)
{
	return smc_call(FN(0x04) | SMC64, cpu->hwid, 0, 0) == AFFINITY_OFF;
}
