/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A hostile cell. What attack.h says, and:
 *
 *   sgi [target=MPIDR]         every SGI, 15 too, by every register, to that or to all affinities
 *   gicd [own=N] [owned=C]     takes every shared line but its C (1) own ones from N, switches the
 *                              distributor off; `stuck`: what of it took effect
 *   gicr                       writes other CPUs' redistributors and its own SGI 15; `stuck` as above
 *   smc, hvc [fn=F]            calls that firmware function
 *   hvc nr=N [arg=A]           that hypercall; with neither: each one of the management's, `denied`
 *   sysreg                     system registers that reach outside or may be trapped
 *   ap1r0                      blocks interrupts by the active priority, masks all, spins
 *   loop, wfi                  masks all, and spins or sleeps
 *   pmr0, wfe                  masks all by priority too, and spins or waits for events
 *   gic, sgis                  asks the hypervisor without end: for a register of the distributor,
 *                              to send a software interrupt
 *   brk                        without end one exception after another, at EL1
 */
#include "../attack.h"
#include "arm64/cpu.h"
#include "arm64/gic.h"
#include "arm64/sysreg.h"

#define SGI_MANAGEMENT 15u
#define SPI_FIRST 32u
#define PRIORITY_HIGHEST 0

static void mask_all(void)
{
	__asm__ volatile("msr daifset, #0xf" ::: "memory");
}

/* To all 16 CPUs that share a target list, by list and by IRM; returns how many writes. */
static unsigned int sgi_burst(uint64_t aff3, uint64_t aff2, uint64_t aff1, uint64_t list)
{
	uint64_t group = aff3 << 48 | aff2 << 32 | aff1 << 16;

	for (uint64_t id = 0; id < 16; id++) {
		uint64_t value = group | id << 24;

		sysreg_write(icc_sgi1r_el1, value | list);
		sysreg_write(icc_sgi1r_el1, value | 1ull << 40);
		sysreg_write(icc_sgi0r_el1, value | list);
		sysreg_write(icc_asgi1r_el1, value | list);
		/* Range selector 1: affinities 16 to 31 */
		sysreg_write(icc_sgi1r_el1, value | list | 1ull << 44);
	}
	return 16 * 5;
}

static void attack_sgi(void)
{
	uint64_t target = cmdline_get_int("target", UINT64_MAX);
	unsigned int sent = 0;
	struct exception_catch c;

	exception_catch(&c);
	if (target != UINT64_MAX) {
		sent = sgi_burst(target >> 32 & 0xff, target >> 16 & 0xff, target >> 8 & 0xff,
				 1ull << (target & 15));
	} else {
		for (uint64_t i = 0; i < 64; i++)
			sent += sgi_burst(i >> 5 & 1, i >> 4 & 1, i & 15, 0xffff);
	}
	exception_release();
	printk("attack: sgi survived sent=%u undefined=%u\n", sent, c.count);
}

/* Takes a shared line in every way there is and returns what stuck, one bit for each. */
static unsigned int take_line(uint64_t gicd, unsigned int line)
{
	uint32_t bit = 1u << line % 32, word = line / 32 * 4;
	unsigned int stuck = 0;

	mmio_write32(gicd + GIC_IGROUPR + word, mmio_read32(gicd + GIC_IGROUPR + word) ^ bit);
	mmio_write64(gicd + GICD_IROUTER + 8ull * line, cpu_affinity() | 0x10000);
	mmio_write8(gicd + GIC_IPRIORITYR + line, 0x50);
	mmio_write32(gicd + GIC_ICFGR + line / 16 * 4, 0xaaaaaaaa);
	mmio_write32(gicd + GIC_ISENABLER + word, bit);
	mmio_write32(gicd + GIC_ISPENDR + word, bit);
	mmio_write32(gicd + GICD_SETSPI_NSR, line);
	mmio_write32(gicd + GIC_ISACTIVER + word, bit);
	dsb_sy();
	stuck |= (mmio_read32(gicd + GIC_ISENABLER + word) & bit) ? 1 : 0;
	stuck |= (mmio_read32(gicd + GIC_ISPENDR + word) & bit) ? 2 : 0;
	stuck |= (mmio_read32(gicd + GIC_ISACTIVER + word) & bit) ? 4 : 0;
	stuck |= mmio_read64(gicd + GICD_IROUTER + 8ull * line) ? 8 : 0;
	stuck |= mmio_read8(gicd + GIC_IPRIORITYR + line) ? 16 : 0;
	mmio_write32(gicd + GIC_ICENABLER + word, bit);
	return stuck;
}

static void attack_gicd(void)
{
	uint64_t gicd = gic_distributor(), own = cmdline_get_int("own", 0);
	uint64_t owned = cmdline_get_int("owned", 1);
	unsigned int lines = 32 * ((mmio_read32(gicd + GICD_TYPER) & 31) + 1), stuck = 0, tried = 0;

	if (lines > 1020)
		lines = 1020;
	for (unsigned int line = SPI_FIRST; line < lines; line++) {
		if (own && line >= own && line - own < owned)
			continue;
		tried++;
		if (take_line(gicd, line))
			stuck++;
	}
	/* Both groups off, as the last word: the others' interrupts must go on. */
	mmio_write32(gicd + GICD_CTLR, 0);
	printk("attack: gicd survived lines=%u stuck=%u\n", tried, stuck);
}

/* Of a redistributor's private lines in `bits`: which are enabled, pending or set to priority 0. */
static unsigned int take_private(uint64_t sgi_frame, uint32_t bits)
{
	unsigned int stuck = 0;

	mmio_write32(sgi_frame + GIC_IGROUPR, 0);
	mmio_write32(sgi_frame + GIC_IGRPMODR, bits);
	mmio_write32(sgi_frame + GIC_ICENABLER, bits);
	for (unsigned int line = 0; line < 32; line++)
		if (bits >> line & 1)
			mmio_write8(sgi_frame + GIC_IPRIORITYR + line, 0x50);
	mmio_write32(sgi_frame + GIC_ISENABLER, bits);
	mmio_write32(sgi_frame + GIC_ISPENDR, bits);
	mmio_write32(sgi_frame + GIC_ISACTIVER, bits);
	dsb_sy();
	stuck |= (mmio_read32(sgi_frame + GIC_ISENABLER) & bits) ? 1 : 0;
	stuck |= (mmio_read32(sgi_frame + GIC_ISPENDR) & bits) ? 2 : 0;
	stuck |= (mmio_read32(sgi_frame + GIC_ISACTIVER) & bits) ? 4 : 0;
	for (unsigned int line = 0; line < 32; line++)
		if (bits >> line & 1 && mmio_read8(sgi_frame + GIC_IPRIORITYR + line) == 0x50)
			stuck |= 8;
	mmio_write32(sgi_frame + GIC_ICENABLER, bits);
	return stuck;
}

static void attack_gicr(void)
{
	uint64_t typer = 0, frame = 0, own = gic_redistributor();
	unsigned int frames = 0, stuck = 0;

	while ((frame = gic_redistributor_next(frame, &typer))) {
		uint64_t sgi_frame = frame + GICR_SGI_FRAME;

		frames++;
		if (frame == own) {
			stuck += take_private(sgi_frame, 1u << SGI_MANAGEMENT) != 0;
			continue;
		}
		stuck += take_private(sgi_frame, UINT32_MAX) != 0;
		mmio_write32(frame + GICR_CTLR, UINT32_MAX);
		/* 64-bit PROPBASER and PENDBASER: where the redistributor would read memory */
		mmio_write64(frame + 0x70, UINT64_MAX);
		mmio_write64(frame + 0x78, UINT64_MAX);
		mmio_write32(frame + GICR_WAKER, GICR_WAKER_PROCESSOR_SLEEP);
		dsb_sy();
		stuck += mmio_read64(frame + 0x70) != 0;
		stuck += (mmio_read32(frame + GICR_WAKER) & GICR_WAKER_PROCESSOR_SLEEP) != 0;
	}
	printk("attack: gicr survived frames=%u stuck=%u\n", frames, stuck);
}

static void attack_smc(void)
{
	struct exception_catch c;
	uint64_t result;

	exception_catch(&c);
	result = smccc_smc(cmdline_get_int("fn", 0x84000000), 0, 0, 0);
	exception_release();
	if (c.count)
		printk("attack: smc survived exception esr=0x%lx\n", c.esr);
	else
		printk("attack: smc survived result=%ld\n", (int64_t)result);
}

static void attack_hvc_function(uint64_t function)
{
	struct exception_catch c;
	uint64_t result;

	exception_catch(&c);
	result = smccc_hvc(function, 0, 0, 0);
	exception_release();
	if (c.count)
		printk("attack: hvc survived exception esr=0x%lx\n", c.esr);
	else
		printk("attack: hvc survived result=%ld\n", (int64_t)result);
}

static void attack_hvc(void)
{
	uint64_t fn = cmdline_get_int("fn", 0);

	if (fn)
		attack_hvc_function(fn);
	else
		attack_hypercall("hvc");
}

/*
 * What is written is put back afterwards. EL2's registers must be undefined; the others
 * may be trapped, hidden or the cell's to have.
 */
#define READ_WRITE(X) \
	X(actlr_el1) X(s3_1_c15_c2_0) X(s3_1_c15_c2_1) X(s3_1_c11_c0_2) X(mdscr_el1) \
	X(osdlr_el1) X(dbgbcr0_el1) X(dbgbvr0_el1) X(pmcr_el0) X(pmcntenset_el0) \
	X(pmuserenr_el0) X(cntp_cval_el0) X(cntkctl_el1) X(s3_0_c10_c4_3) X(s3_0_c9_c9_0) \
	X(s3_0_c1_c2_1) X(icc_sre_el1) X(icc_ctlr_el1) X(icc_pmr_el1) X(icc_igrpen0_el1) \
	X(icc_ap0r0_el1) X(icc_bpr0_el1) X(s3_3_c13_c2_0) X(s3_0_c13_c0_7) X(s3_0_c5_c3_1) \
	X(hcr_el2) X(vttbr_el2) X(sctlr_el2) X(vbar_el2) X(cnthctl_el2) X(ich_hcr_el2) \
	X(s3_5_c1_c0_0) X(sctlr_el3)

struct probe {
	const char *name;
	void (*run)(void);
};

#define PROBE_REGISTER(reg) \
	static void probe_##reg(void) \
	{ \
		uint64_t old = sysreg_read(reg); \
		sysreg_write(reg, UINT64_MAX); \
		sysreg_write(reg, old); \
	}
READ_WRITE(PROBE_REGISTER)

#define PROBE_INSTRUCTION(name, instruction, value) \
	static void probe_##name(void) \
	{ \
		__asm__ volatile(instruction :: "r"((uint64_t)(value)) : "memory"); \
	}
PROBE_INSTRUCTION(oslar_el1, "msr oslar_el1, %0", 0)
PROBE_INSTRUCTION(icc_dir_el1, "msr icc_dir_el1, %0", 1023)
PROBE_INSTRUCTION(icc_eoir0_el1, "msr icc_eoir0_el1, %0", 1023)
PROBE_INSTRUCTION(dc_cisw, "dc cisw, %0", 0)
PROBE_INSTRUCTION(dc_isw, "dc isw, %0", 0)
PROBE_INSTRUCTION(at_s12e1r, "at s12e1r, %0", 0)
PROBE_INSTRUCTION(tlbi_ipas2e1is, "tlbi ipas2e1is, %0", 0)
PROBE_INSTRUCTION(tlbi_alle1is, "tlbi alle1is\n\tmov x16, %0", 0)

#define PROBE_ENTRY(name) { #name, probe_##name },
static const struct probe probes[] = {
	READ_WRITE(PROBE_ENTRY)
	PROBE_ENTRY(oslar_el1)
	PROBE_ENTRY(icc_dir_el1)
	PROBE_ENTRY(icc_eoir0_el1)
	PROBE_ENTRY(dc_cisw)
	PROBE_ENTRY(dc_isw)
	PROBE_ENTRY(at_s12e1r)
	PROBE_ENTRY(tlbi_ipas2e1is)
	PROBE_ENTRY(tlbi_alle1is)
};

static void attack_sysreg(void)
{
	unsigned int undefined = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(probes); i++) {
		struct exception_catch c;

		exception_catch(&c);
		probes[i].run();
		isb();
		exception_release();
		printk("attack: sysreg %s %s\n", probes[i].name, c.count ? "undefined" : "accessed");
		undefined += c.count != 0;
	}
	printk("attack: sysreg survived registers=%u undefined=%u\n",
	       (unsigned int)ARRAY_SIZE(probes), undefined);
}

static void attack_loop(void)
{
	mask_all();
	spin();
}

static void attack_ap1r0(void)
{
	sysreg_write(icc_ap1r0_el1, 1);
	isb();
	attack_loop();
}

/* As deaf as EL1 can make itself. */
static void mask_everything(void)
{
	sysreg_write(icc_pmr_el1, PRIORITY_HIGHEST);
	sysreg_write(icc_igrpen1_el1, 0);
	sysreg_write(icc_ap1r0_el1, 1);
	isb();
	mask_all();
}

static void attack_wfi(void)
{
	mask_everything();
	for (;;)
		irq_wait();
}

static void attack_pmr0(void)
{
	sysreg_write(icc_pmr_el1, PRIORITY_HIGHEST);
	isb();
	attack_loop();
}

static void attack_wfe(void)
{
	mask_everything();
	for (;;)
		__asm__ volatile("wfe" ::: "memory");
}

static void attack_gic(void)
{
	uint64_t gicd = gic_distributor();

	mask_everything();
	for (;;)
		mmio_read32(gicd + GICD_TYPER);
}

static void attack_sgis(void)
{
	mask_everything();
	for (;;)
		irq_send_self(1);
}

static void attack_calls(void)
{
	mask_everything();
	call_without_end();
}

/* Every entry of the vectors is another BRK. */
static void attack_brk(void)
{
	static uint32_t vectors[512] __attribute__((aligned(2048)));
	const uint32_t brk = 0xd4200000;

	for (unsigned int i = 0; i < ARRAY_SIZE(vectors); i++)
		vectors[i] = brk;
	mask_everything();
	sysreg_write(vbar_el1, (uintptr_t)vectors);
	__asm__ volatile("dsb sy\n\tic iallu\n\tdsb sy\n\tisb\n\tbrk #0" ::: "memory");
}

void inmate_main(void)
{
	static const struct attack ops[] = {
		{ "read", attack_read }, { "write", attack_write }, { "exec", attack_exec },
		{ "sgi", attack_sgi }, { "gicd", attack_gicd }, { "gicr", attack_gicr },
		{ "smc", attack_smc }, { "hvc", attack_hvc }, { "sysreg", attack_sysreg },
		{ "ap1r0", attack_ap1r0 }, { "loop", attack_loop }, { "wfi", attack_wfi },
		{ "pmr0", attack_pmr0 }, { "wfe", attack_wfe }, { "gic", attack_gic },
		{ "sgis", attack_sgis }, { "calls", attack_calls }, { "brk", attack_brk },
		{ "doze", attack_doze },
	};

	attack_chosen(ops, ARRAY_SIZE(ops));
}
