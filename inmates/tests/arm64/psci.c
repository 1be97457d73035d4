/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * PSCI as a cell sees it, by hvc and by smc. `cpus=2` (default 1) with `second=MPIDR` (default
 * this CPU's + 1) starts, asks for and stops the second CPU as well; `foreign=MPIDR` is a CPU of
 * another cell; `only=hvc` or `only=smc` leaves the other out. At the end `mode=off` or
 * `mode=reset` ends or restarts the cell; started again after a reset it only says so.
 */
#include "inmate.h"
#include "arm64/cpu.h"
#include "arm64/sysreg.h"

#define BOGUS_AFFINITY 0xff00ff0000ull
#define BOGUS_FUNCTION 0x8400ff00u
#define MAGIC 0x50534349u
#define WAIT_NS 20000000000ull

typedef uint64_t (*conduit_t)(uint64_t function, uint64_t a1, uint64_t a2, uint64_t a3);

struct second {
	uint64_t affinity;		/* as it sees itself */
	volatile uint32_t runs;
	volatile bool leave;
};

struct suite {
	const char *name;
	conduit_t call;
	unsigned int checks;
	unsigned int failed;
};

/* Keeps its value over a reset of the cell, which does not load the image anew. */
__attribute__((section(".kept"))) static uint32_t kept_magic;

static int64_t suite_call(const struct suite *s, uint32_t function, uint64_t a1, uint64_t a2,
			  uint64_t a3)
{
	uint64_t result = s->call(function, a1, a2, a3);

	/* The 32-bit functions leave the upper half open. */
	return function >> 30 & 1 ? (int64_t)result : (int32_t)(uint32_t)result;
}

static void suite_check(struct suite *s, const char *what, bool ok, int64_t got)
{
	s->checks++;
	if (ok)
		return;
	s->failed++;
	printk("psci: %s by %s gave %ld\n", what, s->name, got);
}

static void suite_expect(struct suite *s, const char *what, int64_t got, int64_t want)
{
	suite_check(s, what, got == want, got);
}

static void suite_basic(struct suite *s)
{
	static const uint32_t has[] = {
		PSCI_VERSION, PSCI_CPU_OFF, PSCI_CPU_ON, PSCI_AFFINITY_INFO, PSCI_SYSTEM_OFF,
		PSCI_SYSTEM_RESET, PSCI_FEATURES,
	};
	int64_t version = suite_call(s, PSCI_VERSION, 0, 0, 0);

	suite_check(s, "VERSION", version >= 0x10000 && version < 0x20000, version);
	for (unsigned int i = 0; i < ARRAY_SIZE(has); i++)
		suite_expect(s, "FEATURES", suite_call(s, PSCI_FEATURES, has[i], 0, 0),
			     PSCI_SUCCESS);
	suite_expect(s, "FEATURES of nothing", suite_call(s, PSCI_FEATURES, BOGUS_FUNCTION, 0, 0),
		     PSCI_NOT_SUPPORTED);
	suite_expect(s, "a bogus function", suite_call(s, BOGUS_FUNCTION, 0, 0, 0),
		     PSCI_NOT_SUPPORTED);
	suite_expect(s, "AFFINITY_INFO of this CPU",
		     suite_call(s, PSCI_AFFINITY_INFO, cpu_affinity(), 0, 0), PSCI_AFFINITY_ON);
	suite_expect(s, "CPU_ON of this CPU",
		     suite_call(s, PSCI_CPU_ON, cpu_affinity(), image_start(), 0),
		     PSCI_ALREADY_ON);
}

static void suite_stranger(struct suite *s, uint64_t affinity)
{
	suite_expect(s, "CPU_ON of a stranger",
		     suite_call(s, PSCI_CPU_ON, affinity, image_start(), 0),
		     PSCI_INVALID_PARAMETERS);
	suite_expect(s, "AFFINITY_INFO of a stranger",
		     suite_call(s, PSCI_AFFINITY_INFO, affinity, 0, 0), PSCI_INVALID_PARAMETERS);
}

static void second_main(void *argument)
{
	struct second *second = argument;

	second->affinity = cpu_affinity();
	dsb_sy();
	second->runs = second->runs + 1;
	while (!second->leave)
		;
}

static bool wait_affinity(struct suite *s, uint64_t affinity, int64_t state)
{
	uint64_t limit = timer_now() + timer_ns_to_ticks(WAIT_NS);

	while (suite_call(s, PSCI_AFFINITY_INFO, affinity, 0, 0) != state)
		if (timer_now() > limit)
			return false;
	return true;
}

/* On, on again, off, twice. */
static void suite_second(struct suite *s, struct second *second, uint64_t affinity)
{
	static unsigned char stack[4096] __attribute__((aligned(16)));

	for (uint32_t round = 0; round < 2; round++) {
		uint32_t runs = second->runs + 1;
		int64_t state;

		suite_check(s, "AFFINITY_INFO of the second CPU, off",
			    wait_affinity(s, affinity, PSCI_AFFINITY_OFF), PSCI_AFFINITY_OFF);
		second->leave = false;
		suite_expect(s, "CPU_ON of the second CPU",
			     cpu_start(affinity, second_main, second, stack, sizeof(stack)),
			     PSCI_SUCCESS);
		state = suite_call(s, PSCI_AFFINITY_INFO, affinity, 0, 0);
		suite_check(s, "AFFINITY_INFO after CPU_ON",
			    state == PSCI_AFFINITY_ON || state == PSCI_AFFINITY_ON_PENDING, state);
		suite_check(s, "the second CPU's start", timer_wait_count(&second->runs, runs, WAIT_NS), second->runs);
		suite_check(s, "the second CPU's MPIDR", second->affinity == affinity,
			    (int64_t)second->affinity);
		suite_check(s, "AFFINITY_INFO of the second CPU, on",
			    wait_affinity(s, affinity, PSCI_AFFINITY_ON), PSCI_AFFINITY_ON);
		suite_expect(s, "CPU_ON of a running CPU",
			     suite_call(s, PSCI_CPU_ON, affinity, image_start(), 0),
			     PSCI_ALREADY_ON);
		second->leave = true;
		suite_check(s, "CPU_OFF of the second CPU",
			    wait_affinity(s, affinity, PSCI_AFFINITY_OFF), PSCI_AFFINITY_OFF);
	}
}

static void suite_run(struct suite *s)
{
	uint64_t foreign = cmdline_get_int("foreign", BOGUS_AFFINITY);
	struct second second = { 0 };

	suite_basic(s);
	suite_stranger(s, BOGUS_AFFINITY);
	if (foreign != BOGUS_AFFINITY)
		suite_stranger(s, foreign);
	if (cmdline_get_int("cpus", 1) > 1)
		suite_second(s, &second, cmdline_get_int("second", cpu_affinity() + 1));
}

static void finish(void)
{
	char mode[8];
	bool off;

	cmdline_get_str("mode", mode, sizeof(mode));
	off = strcmp(mode, "off") == 0;
	if (!off && strcmp(mode, "reset") != 0)
		return;
	kept_magic = MAGIC;
	dsb_sy();
	psci_call(off ? PSCI_SYSTEM_OFF : PSCI_SYSTEM_RESET, 0, 0, 0);
	printk("psci: SYSTEM_%s returned\n", off ? "OFF" : "RESET");
}

void inmate_main(void)
{
	struct suite suites[] = {
		{ .name = "hvc", .call = smccc_hvc }, { .name = "smc", .call = smccc_smc },
	};
	unsigned int checks = 0, failed = 0;
	char only[4];

	if (kept_magic == MAGIC) {
		printk("psci: restarted\n");
		inmate_serve();
	}
	cmdline_get_str("only", only, sizeof(only));
	for (unsigned int i = 0; i < ARRAY_SIZE(suites); i++) {
		if (only[0] && strcmp(only, suites[i].name) != 0)
			continue;
		suite_run(&suites[i]);
		checks += suites[i].checks;
		failed += suites[i].failed;
	}
	if (failed)
		printk("psci: %u of %u checks failed\n", failed, checks);
	else
		printk("psci: ok %u checks\n", checks);
	finish();
	inmate_serve();
}
