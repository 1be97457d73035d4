// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts that interrupt others by their priorities, on CPUs that a device tree counts. An ELF file of which
 * whoever loads it has to zero what is not in it; the MMU on.
 */
#include "base/guest.h"

#define ICC_PMR_EL1 S3_0_C4_C6_0
#define ICC_BPR1_EL1 S3_0_C12_C12_3
#define OUTER 4u
#define INNER 5u
#define LATER 6u
/* Groups of 64 priorities: LOW and NORMAL are of one */
#define COARSE 6

const struct habits habits = {
	.name = "nested", .from_tree = true, .walks = true, .timer = 27, .console = FIFO,
};

static char order[16];
static unsigned length;

static void note(char c)
{
	if (length < sizeof(order) - 1)
		order[length++] = c;
}

/* The outer one lets others in, and sends both of them. */
static void serve(unsigned sgi)
{
	if (sgi == INNER || sgi == LATER)
		note(sgi == INNER ? 'i' : 'l');
	if (sgi != OUTER)
		return;
	note('(');
	irqs_on();
	gic_send(LATER, 0);
	gic_send(INNER, 0);
	timer_wait(2);
	irqs_off();
	note(')');
}

/* In which order, if the inner one has that priority and the outer one LOW. */
static void orders(enum priority inner, unsigned groups)
{
	length = 0;
	gic_set_priority(OUTER, LOW);
	gic_set_priority(INNER, inner);
	gic_set_priority(LATER, LOWEST);
	sys_write(ICC_BPR1_EL1, groups);
	isb();
	gic_send(OUTER, 0);
	timer_wait(2);
	sys_write(ICC_BPR1_EL1, 0);
	isb();
	order[length] = '\0';
	print(" %s", order);
}

/* One that PMR masks comes when it does not any more. */
static void masked(void)
{
	length = 0;
	gic_set_priority(INNER, LOW);
	sys_write(ICC_PMR_EL1, NORMAL);
	isb();
	gic_send(INNER, 0);
	timer_wait(2);
	note('p');
	sys_write(ICC_PMR_EL1, 0xff);
	isb();
	timer_wait(1);
	order[length] = '\0';
	print(" %s\n", order);
}

static void nest(const char *words)
{
	(void)words;
	/* above all of them */
	gic_set_priority(habits.timer, HIGHEST);
	on_sgi = serve;
	print("nest");
	orders(NORMAL, 0);
	orders(NORMAL, COARSE);
	orders(HIGH, COARSE);
	masked();
}

const struct command commands[] = { { "nest", nest }, { NULL, NULL } };
