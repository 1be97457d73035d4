/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hostile program: what it tries alike on every architecture. `op=` says what; a line tells
 * that it begins, and, where it can be survived, another what came of it. Then messages
 * are answered as usual.
 *
 *   read, write, exec addr=A   one access there; write: value=V (default ~0)
 *   calls                      asks the hypervisor without end for nothing
 *   doze                       sleeps like one that means no harm: its interrupts are on
 */
#ifndef TESTS_ATTACK_H
#define TESTS_ATTACK_H

#include "inmate.h"
#include "exception.h"

struct attack {
	const char *name;
	void (*run)(void);
};

struct access {
	uint64_t address;
	uint32_t value;
};

/* The outcome of an access that came back, unless an exception did. */
static inline void report_access(const char *op, const struct exception_catch *c, uint64_t value)
{
	printk("attack: %s survived ", op);
	if (c->count)
		exception_print(c);
	else
		printk("value=0x%lx", value);
	printk("\n");
}

static inline void access_read(void *argument)
{
	struct access *a = argument;

	a->value = mmio_read32(a->address);
}

static inline void access_write(void *argument)
{
	const struct access *a = argument;

	mmio_write32(a->address, a->value);
	memory_barrier();
}

static inline void access_exec(void *argument)
{
	const struct access *a = argument;

	((void (*)(void))(uintptr_t)a->address)();
}

static inline void attack_read(void)
{
	struct access a = { .address = cmdline_get_int("addr", 0) };
	struct exception_catch c;

	exception_call(&c, access_read, &a);
	report_access("read", &c, a.value);
}

static inline void attack_write(void)
{
	struct access a = { cmdline_get_int("addr", 0), (uint32_t)cmdline_get_int("value", UINT32_MAX) };
	struct exception_catch c;

	exception_call(&c, access_write, &a);
	report_access("write", &c, c.count ? 0 : mmio_read32(a.address));
}

static inline void attack_exec(void)
{
	struct access a = { .address = cmdline_get_int("addr", 0) };
	struct exception_catch c;

	exception_call(&c, access_exec, &a);
	report_access("exec", &c, 0);
}

/* nr=N [arg=A]: that one; without, each one of the management's, `denied`. */
static inline void attack_hypercall(const char *op)
{
	static const uint8_t management[] = {
		ABI_HC_DISABLE, ABI_HC_CELL_CREATE, ABI_HC_CELL_START, ABI_HC_CELL_SET_LOADABLE,
		ABI_HC_CELL_DESTROY, ABI_HC_CELL_SHUTDOWN, ABI_HC_CONSOLE_INPUT, ABI_HC_CELL_ASK,
	};
	uint64_t nr = cmdline_get_int("nr", UINT64_MAX), arg = cmdline_get_int("arg", 0);
	unsigned int denied = 0;

	if (nr != UINT64_MAX) {
		printk("attack: %s survived nr=%lu result=%ld\n", op, nr, hypercall(nr, arg, 0));
		return;
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(management); i++) {
		int64_t result = hypercall(management[i], arg, 0);

		if (result == -ABI_EPERM)
			denied++;
		else
			printk("attack: %s nr=%u result=%ld\n", op, management[i], result);
	}
	printk("attack: %s survived denied=%u of=%u\n", op, denied, (unsigned int)ARRAY_SIZE(management));
}

static inline _Noreturn void spin(void)
{
	for (;;)
		__asm__ volatile("" ::: "memory");
}

static inline _Noreturn void call_without_end(void)
{
	for (;;)
		hypercall(ABI_HC_INFO, ABI_INFO_CELLS, 0);
}

static inline void attack_doze(void)
{
	irq_unmask();
	for (;;)
		irq_wait();
}

/* Does what the command line says of these. */
static inline void attack_chosen(const struct attack *attacks, size_t count)
{
	char op[16];

	cmdline_get_str("op", op, sizeof(op));
	irq_init();
	for (size_t i = 0; i < count; i++) {
		if (strcmp(attacks[i].name, op) != 0)
			continue;
		printk("attack: %s begins\n", op);
		attacks[i].run();
		inmate_serve();
	}
	printk("attack: op=%s is none of", op);
	for (size_t i = 0; i < count; i++)
		printk(" %s", attacks[i].name);
	printk("\n");
	inmate_stop(ABI_CELL_FAILED);
}

#endif
