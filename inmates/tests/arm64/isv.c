/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Loads and stores of the interrupt controller's registers in the forms that a data abort
 * describes and, mostly, in those it does not (ESR_EL1.ISS.ISV = 0): what is read, what
 * lands and what is written back to the base register must be what one CPU does by itself.
 * On the bare machine leave out the pairs (`pairs=0`): they need not reach a device as two.
 */
#include "inmate.h"
#include "arm64/gic.h"
#include "arm64/sysreg.h"

/* Priority bytes of software interrupts 0 to 7, for the stores */
#define PRIORITIES (GICR_SGI_FRAME + GIC_IPRIORITYR)

struct suite {
	uint64_t rd;		/* own redistributor */
	uint64_t gicd;
	unsigned int forms;
	unsigned int failed;
};

static void expect(struct suite *s, const char *form, const char *what, uint64_t got,
		   uint64_t want)
{
	if (got == want)
		return;
	s->failed++;
	printk("isv: %s: %s 0x%lx, expected 0x%lx\n", form, what, got, want);
}

/*
 * One load of `value` through base register %1, which holds `at` before and `after` after.
 * The destination starts as all ones, so that what it should clear is seen to be cleared.
 */
#define LOAD(s, form, at, value, after) do { \
	uint64_t base = (at), got = UINT64_MAX; \
	__asm__ volatile(form : "+r"(got), "+r"(base) :: "memory"); \
	(s)->forms++; \
	expect(s, form, "value", got, value); \
	expect(s, form, "base", base, after); \
} while (0)

/* One store of `value`; `read` finds it again. */
#define STORE(s, form, at, value, read, want, after) do { \
	uint64_t base = (at), data = (value); \
	__asm__ volatile(form "\n\tdsb sy" : "+r"(data), "+r"(base) :: "memory"); \
	(s)->forms++; \
	expect(s, form, "landed", read, want); \
	expect(s, form, "base", base, after); \
} while (0)

static void load_words(struct suite *s)
{
	uint64_t at = s->gicd + GICD_TYPER;
	uint32_t want = mmio_read32(at);
	uint64_t offset = GICD_TYPER / 4;

	LOAD(s, "ldr %w0, [%1]", at, want, at);
	LOAD(s, "ldr %w0, [%1], #4", at, want, at + 4);
	LOAD(s, "ldr %w0, [%1], #-256", at, want, at - 256);
	LOAD(s, "ldr %w0, [%1, #4]!", at - 4, want, at);
	LOAD(s, "ldr %w0, [%1, #-16]!", at + 16, want, at);
	LOAD(s, "ldur %w0, [%1, #-5]", at + 5, want, at + 5);
	LOAD(s, "ldtr %w0, [%1, #8]", at - 8, want, at - 8);
	LOAD(s, "ldar %w0, [%1]", at, want, at);
	LOAD(s, "ldr wzr, [%1], #4", at, UINT64_MAX, at + 4);
	LOAD(s, "mov %0, #1\n\tldr %w0, [%1, %0, lsl #2]", at - 4 * offset, want,
	     at - 4 * offset);
	LOAD(s, "mov %0, #-1\n\tldr %w0, [%1, %w0, sxtw #2]", at + 4, want, at + 4);
	LOAD(s, "ldrsw %0, [%1], #4", at, (uint64_t)(int64_t)(int32_t)want, at + 4);
}

static void load_doublewords(struct suite *s)
{
	uint64_t at = s->rd + GICR_TYPER, want = mmio_read64(at);

	LOAD(s, "ldr %0, [%1]", at, want, at);
	LOAD(s, "ldr %0, [%1], #8", at, want, at + 8);
	LOAD(s, "ldr %0, [%1, #8]!", at - 8, want, at);
	LOAD(s, "ldur %0, [%1, #-3]", at + 3, want, at + 3);
	LOAD(s, "ldar %0, [%1]", at, want, at);
}

/* What a W register holds of a byte; its upper half is cleared. */
static uint64_t sign_extend_to_32(uint64_t byte)
{
	uint32_t word = (uint32_t)(int8_t)byte;

	return word;
}

/* With the top bit set, so that the sign shows. */
static void load_signed_bytes(struct suite *s)
{
	uint64_t at = s->rd + PRIORITIES, want;

	mmio_write32(at, 0xf0e0d0c0);
	want = mmio_read8(at + 3);
	expect(s, "ldrb", "priority with the top bit set", want >> 7, 1);
	at += 3;
	LOAD(s, "ldrb %w0, [%1]", at, want, at);
	LOAD(s, "ldrb %w0, [%1], #1", at, want, at + 1);
	LOAD(s, "ldrsb %w0, [%1]", at, sign_extend_to_32(want), at);
	LOAD(s, "ldrsb %w0, [%1], #1", at, sign_extend_to_32(want), at + 1);
	LOAD(s, "ldrsb %0, [%1, #3]!", at - 3, (uint64_t)(int8_t)want, at);
	LOAD(s, "ldursb %0, [%1, #-1]", at + 1, (uint64_t)(int8_t)want, at + 1);
	at -= 3;
	want = mmio_read32(at);
	LOAD(s, "ldrsw %0, [%1, #4]!", at - 4, (uint64_t)(int64_t)(int32_t)want, at);
	LOAD(s, "ldursw %0, [%1, #-4]", at + 4, (uint64_t)(int64_t)(int32_t)want, at + 4);
}

static void stores(struct suite *s)
{
	uint64_t at = s->rd + PRIORITIES;

	STORE(s, "str %w0, [%1]", at, 0x10203040, mmio_read32(at), 0x10203040, at);
	STORE(s, "str %w0, [%1], #4", at, 0x50607080, mmio_read32(at), 0x50607080, at + 4);
	STORE(s, "str %w0, [%1, #-4]!", at + 4, 0x90a0b0c0, mmio_read32(at), 0x90a0b0c0, at);
	STORE(s, "stur %w0, [%1, #-7]", at + 7, 0x20304050, mmio_read32(at), 0x20304050, at + 7);
	STORE(s, "stlr %w0, [%1]", at, 0x60708090, mmio_read32(at), 0x60708090, at);
	STORE(s, "strb %w0, [%1], #1", at + 1, 0x140, mmio_read32(at), 0x60704090, at + 2);
	STORE(s, "strb %w0, [%1, #2]!", at, 0x50, mmio_read32(at), 0x60504090, at + 2);
	STORE(s, "sttr %w0, [%1, #-4]", at + 4, 0xa0a0a0a0, mmio_read32(at), 0xa0a0a0a0, at + 4);
	/* Priority 0 is not a cell's to have: what lands is the highest one that is. */
	STORE(s, "str wzr, [%1], #4", at, 0, mmio_read32(at) == 0xa0a0a0a0, 0, at + 4);
}

/* The stack pointer as the base, register 31; interrupts are masked. */
#define LOAD_BY_SP(s, form, at, want, after) do { \
	uint64_t value, base, saved; \
	__asm__ volatile("mov %2, sp\n\tmov sp, %3\n\t" form "\n\tmov %1, sp\n\tmov sp, %2" \
			 : "=&r"(value), "=&r"(base), "=&r"(saved) : "r"(at) : "memory"); \
	(s)->forms++; \
	expect(s, form, "value", value, want); \
	expect(s, form, "base", base, after); \
} while (0)

static void stack_pointer(struct suite *s)
{
	uint64_t at = s->gicd, ctlr = mmio_read32(at), typer = mmio_read32(at + GICD_TYPER);

	LOAD_BY_SP(s, "ldr %w0, [sp], #32", at, ctlr, at + 32);
	LOAD_BY_SP(s, "ldr %w0, [sp, #20]!", at - 16, typer, at + GICD_TYPER);
}

#define LOAD_PAIR(s, form, at, low, high, after) do { \
	uint64_t base = (at), first = UINT64_MAX, second = UINT64_MAX; \
	__asm__ volatile(form : "+r"(first), "+r"(second), "+r"(base) :: "memory"); \
	(s)->forms++; \
	expect(s, form, "first", first, low); \
	expect(s, form, "second", second, high); \
	expect(s, form, "base", base, after); \
} while (0)

#define STORE_PAIR(s, form, at, low, high, after) do { \
	uint64_t base = (at), first = (low), second = (high), where = s->rd + PRIORITIES; \
	__asm__ volatile(form "\n\tdsb sy" : "+r"(first), "+r"(second), "+r"(base) :: "memory"); \
	(s)->forms++; \
	expect(s, form, "first", mmio_read32(where), low); \
	expect(s, form, "second", mmio_read32(where + 4), high); \
	expect(s, form, "base", base, after); \
} while (0)

static void pairs(struct suite *s)
{
	uint64_t at = s->gicd, low = mmio_read32(at), high = mmio_read32(at + 4);

	LOAD_PAIR(s, "ldp %w0, %w1, [%2]", at, low, high, at);
	LOAD_PAIR(s, "ldp %w0, %w1, [%2], #8", at, low, high, at + 8);
	LOAD_PAIR(s, "ldp %w0, %w1, [%2, #-8]!", at + 8, low, high, at);
	LOAD_PAIR(s, "ldnp %w0, %w1, [%2]", at, low, high, at);

	at = s->rd + PRIORITIES;
	STORE_PAIR(s, "stp %w0, %w1, [%2]", at, 0x20304050u, 0x60708090u, at);
	STORE_PAIR(s, "stp %w0, %w1, [%2], #8", at, 0xf0e0d0c0u, 0xa0b0c0d0u, at + 8);
	low = (uint64_t)(int64_t)(int32_t)mmio_read32(at);
	high = (uint64_t)(int64_t)(int32_t)mmio_read32(at + 4);
	LOAD_PAIR(s, "ldpsw %0, %1, [%2], #16", at, low, high, at + 16);
	LOAD_PAIR(s, "ldpsw %0, %1, [%2, #8]!", at - 8, low, high, at);
	STORE_PAIR(s, "stp %w0, %w1, [%2, #8]!", at - 8, 0x30405060u, 0x708090a0u, at);
	STORE_PAIR(s, "stnp %w0, %w1, [%2]", at, 0x405060f0u, 0x8090a0b0u, at);
	STORE_PAIR(s, "stp %w0, %w1, [%2], #-16", at, 0x50607080u, 0x90a0b0c0u, at - 16);
}

void inmate_main(void)
{
	struct suite s = { 0 };

	irq_init();
	s.gicd = gic_distributor();
	s.rd = gic_redistributor();
	load_words(&s);
	load_doublewords(&s);
	load_signed_bytes(&s);
	stores(&s);
	stack_pointer(&s);
	if (cmdline_get_bool("pairs", true))
		pairs(&s);
	if (s.failed)
		printk("isv: %u checks failed in %u forms\n", s.failed, s.forms);
	else
		printk("isv: ok %u forms\n", s.forms);
	inmate_serve();
}
