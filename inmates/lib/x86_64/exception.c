/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "state.h"
#include "x86_64/apic.h"
#include "x86_64/asm.h"
#include "x86_64/cpu.h"
#include "x86_64/exception.h"

#define STUB_SIZE 16u
#define GATES 256u
#define GATE_INTERRUPT 0x8e00u		/* present, interrupts masked (APM 2, 4.8.4) */
#define GATE_USER 0x6000u

struct gate {
	uint16_t low, selector, type, middle;
	uint32_t high, reserved;
};

static struct gate gates[GATES] __attribute__((aligned(16)));

void exception_use(const void *table, uint16_t size)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) idtr = { (uint16_t)(size - 1), (uintptr_t)table };

	__asm__ volatile("lidt %0" :: "m"(idtr) : "memory");
}

void exception_set_gate(unsigned int vector, const void *entry, bool user)
{
	uint64_t to = (uintptr_t)entry;

	gates[vector] = (struct gate){
		.low = (uint16_t)to,
		.selector = SEGMENT_CODE,
		.type = GATE_INTERRUPT | (user ? GATE_USER : 0),
		.middle = (uint16_t)(to >> 16),
		.high = (uint32_t)(to >> 32),
	};
}

void exception_init(void)
{
	if (!gates[0].type) {
		for (unsigned int i = 0; i < VECTOR_END; i++)
			exception_set_gate(i, vector_stubs + i * STUB_SIZE, false);
		exception_set_gate(VECTOR_SPURIOUS, vector_spurious, false);
	}
	exception_use(gates, sizeof(gates));
}

void exception_call(struct exception_catch *c, void (*what)(void *argument), void *argument)
{
	*c = (struct exception_catch){ 0 };
	inmate.catch = c;
	exception_guarded(c, what, argument);
	inmate.catch = NULL;
}

void exception_print(const struct exception_catch *c)
{
	printk("exception %u code=0x%lx address=0x%lx", c->vector, c->code, c->address);
}

static void exception_end(struct exception_frame *frame, struct exception_catch *c)
{
	c->count = 1;
	c->vector = (uint32_t)frame->vector;
	c->code = frame->code;
	c->address = read_cr2();
	c->rip = frame->rip;
	inmate.catch = NULL;
	frame->rip = (uintptr_t)exception_unwind;
	frame->rsp = c->rsp;
	/* From user mode, too */
	frame->cs = SEGMENT_CODE;
	frame->ss = SEGMENT_DATA;
}

static _Noreturn void exception_fatal(const struct exception_frame *frame)
{
	if (!inmate.dying) {
		inmate.dying = true;
		printk("inmate: unexpected exception %lu: code 0x%lx RIP 0x%lx CR2 0x%lx RSP 0x%lx; stopped\n",
		       frame->vector, frame->code, frame->rip, read_cr2(), frame->rsp);
	}
	inmate_stop(ABI_CELL_FAILED);
}

void exception_handle(struct exception_frame *frame)
{
	if (frame->vector >= VECTOR_LINES)
		irq_dispatch(frame->vector, frame->entered);
	else if (inmate.catch)
		exception_end(frame, inmate.catch);
	else
		exception_fatal(frame);
}
