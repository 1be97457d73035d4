/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Did the CPU come clean? Compares what its registers held as the program was entered with
 * what a CPU fresh from reset shows: nothing of the owner before.
 */
#include "inmate.h"
#include "arm64/exception.h"
#include "arm64/snapshot.h"
#include "arm64/sysreg.h"

/* MMU, caches, write-implies-XN, big endian; pointer authentication's four switches */
#define SCTLR_CLEAN_BITS (0x1ull | 0x4 | 0x1000 | 1ull << 19 | 1ull << 24 | 1ull << 25 | \
			  1ull << 13 | 1ull << 27 | 1ull << 30 | 1ull << 31)
#define DAIF_ALL 0x3c0ull
#define ALL UINT64_MAX

struct expected {
	const char *name;
	uint64_t mask;
	uint64_t value;
};

/* In the order of SNAPSHOT_SYSREGS and SNAPSHOT_FP_SYSREGS; 0 unless it says otherwise. */
#define NAME_ALL(reg) { #reg, ALL, 0 },
static const struct expected early[] = {
	SNAPSHOT_SYSREGS(NAME_ALL) SNAPSHOT_FP_SYSREGS(NAME_ALL)
};
_Static_assert(ARRAY_SIZE(early) == SNAPSHOT_SYSREG_COUNT, "snapshot.h");

/* Those of the above that are not all zero, or not in all bits, on a CPU from reset. */
static const struct expected early_special[] = {
	{ "sctlr_el1", SCTLR_CLEAN_BITS, 0 },
	{ "cntv_ctl_el0", 1, 0 },
	{ "daif", DAIF_ALL, DAIF_ALL },
};

struct late {
	struct expected want;
	uint64_t (*read)(void);
};

#define LATE(reg, function) \
	static uint64_t function(void) { return sysreg_read(reg); }
LATE(cntp_ctl_el0, read_cntp_ctl)
LATE(cntp_cval_el0, read_cntp_cval)
LATE(cntv_cval_el0, read_cntv_cval)
LATE(mdscr_el1, read_mdscr)
LATE(dbgbcr0_el1, read_dbgbcr0)
LATE(dbgwcr0_el1, read_dbgwcr0)
LATE(par_el1, read_par)
LATE(amair_el1, read_amair)
LATE(afsr0_el1, read_afsr0)
LATE(pmcntenset_el0, read_pmcntenset)
LATE(pmuserenr_el0, read_pmuserenr)
LATE(csselr_el1, read_csselr)
/* Pointer authentication keys A and B for instructions and data, and the generic one */
LATE(s3_0_c2_c1_0, read_apia_lo)
LATE(s3_0_c2_c1_1, read_apia_hi)
LATE(s3_0_c2_c1_2, read_apib_lo)
LATE(s3_0_c2_c1_3, read_apib_hi)
LATE(s3_0_c2_c2_0, read_apda_lo)
LATE(s3_0_c2_c2_1, read_apda_hi)
LATE(s3_0_c2_c2_2, read_apdb_lo)
LATE(s3_0_c2_c2_3, read_apdb_hi)
LATE(s3_0_c2_c3_0, read_apga_lo)
LATE(s3_0_c2_c3_1, read_apga_hi)

/*
 * Nothing before regs_late() changes these. One that is undefined, because the CPU or the
 * hypervisor has it not, leaks nothing.
 */
static const struct late lates[] = {
	{ { "cntp_ctl_el0", 1, 0 }, read_cntp_ctl },
	{ { "cntp_cval_el0", ALL, 0 }, read_cntp_cval },
	{ { "cntv_cval_el0", ALL, 0 }, read_cntv_cval },
	{ { "mdscr_el1", ALL, 0 }, read_mdscr },
	{ { "dbgbcr0_el1", 1, 0 }, read_dbgbcr0 },
	{ { "dbgwcr0_el1", 1, 0 }, read_dbgwcr0 },
	{ { "par_el1", ALL, 0 }, read_par },
	{ { "amair_el1", ALL, 0 }, read_amair },
	{ { "afsr0_el1", ALL, 0 }, read_afsr0 },
	{ { "pmcntenset_el0", ALL, 0 }, read_pmcntenset },
	{ { "pmuserenr_el0", ALL, 0 }, read_pmuserenr },
	{ { "csselr_el1", ALL, 0 }, read_csselr },
	{ { "apiakeylo_el1", ALL, 0 }, read_apia_lo },
	{ { "apiakeyhi_el1", ALL, 0 }, read_apia_hi },
	{ { "apibkeylo_el1", ALL, 0 }, read_apib_lo },
	{ { "apibkeyhi_el1", ALL, 0 }, read_apib_hi },
	{ { "apdakeylo_el1", ALL, 0 }, read_apda_lo },
	{ { "apdakeyhi_el1", ALL, 0 }, read_apda_hi },
	{ { "apdbkeylo_el1", ALL, 0 }, read_apdb_lo },
	{ { "apdbkeyhi_el1", ALL, 0 }, read_apdb_hi },
	{ { "apgakeylo_el1", ALL, 0 }, read_apga_lo },
	{ { "apgakeyhi_el1", ALL, 0 }, read_apga_hi },
};

/* 1 if the register was not as expected. */
static unsigned int check(const struct expected *want, uint64_t value)
{
	if ((value & want->mask) == want->value)
		return 0;
	printk("regs: %s was 0x%lx\n", want->name, value);
	return 1;
}

static unsigned int regs_general(const struct snapshot *s)
{
	unsigned int bad = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(s->x); i++) {
		if (!s->x[i])
			continue;
		printk("regs: x%u was 0x%lx\n", i, s->x[i]);
		bad++;
	}
	return bad + check(&(struct expected){ "sp_el1", ALL, 0 }, s->sp);
}

static unsigned int regs_early(const struct snapshot *s)
{
	unsigned int bad = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(early); i++) {
		const struct expected *want = &early[i];

		for (unsigned int j = 0; j < ARRAY_SIZE(early_special); j++)
			if (strcmp(early_special[j].name, early[i].name) == 0)
				want = &early_special[j];
		bad += check(want, s->sysregs[i]);
	}
	return bad;
}

static unsigned int regs_late(void)
{
	unsigned int bad = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(lates); i++) {
		struct exception_catch c;
		uint64_t value;

		exception_catch(&c);
		value = lates[i].read();
		exception_release();
		if (!c.count)
			bad += check(&lates[i].want, value);
	}
	return bad;
}

static unsigned int regs_vector(const struct snapshot *s)
{
	unsigned int bad = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(s->q); i++) {
		if (!(s->q[i][0] | s->q[i][1]))
			continue;
		printk("regs: q%u was 0x%016lx%016lx\n", i, s->q[i][1], s->q[i][0]);
		bad++;
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(s->z); i++) {
		if (!s->z[i])
			continue;
		printk("regs: Z registers had 0x%lx in their bytes %u to %u\n", s->z[i], 8 * i,
		       8 * i + 7);
		bad++;
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(s->p) * ARRAY_SIZE(s->p[0]); i++) {
		if (!s->p[i / 32][i % 32])
			continue;
		printk("regs: p%u had 0x%x in its byte %u\n", i / 32, s->p[i / 32][i % 32], i % 32);
		bad++;
	}
	return bad;
}

void inmate_main(void)
{
	const struct snapshot *s = &image_snapshot;
	unsigned int bad = regs_late();

	bad += regs_general(s) + regs_early(s) + regs_vector(s);
	if (bad)
		printk("regs: %u not clean\n", bad);
	else
		printk("regs: clean\n");
	inmate_serve();
}
