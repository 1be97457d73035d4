/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "state.h"
#include "arm64/exception.h"
#include "arm64/gic.h"
#include "arm64/sysreg.h"

void exception_catch(struct exception_catch *c)
{
	*c = (struct exception_catch){ 0 };
	inmate.catch = c;
}

void exception_release(void)
{
	inmate.catch = NULL;
}

void exception_call(struct exception_catch *c, void (*what)(void *argument), void *argument)
{
	exception_catch(c);
	what(argument);
	exception_release();
}

void exception_print(const struct exception_catch *c)
{
	printk("exception esr=0x%lx far=0x%lx", c->esr, c->far);
}

static bool in_image(uint64_t address)
{
	return address >= image_start() && address < image_end();
}

static void exception_skip(struct exception_frame *frame, struct exception_catch *c)
{
	c->esr = sysreg_read(esr_el1);
	c->far = sysreg_read(far_el1);
	c->elr = frame->elr;
	c->count++;
	frame->elr = in_image(c->elr) ? c->elr + 4 : frame->x[30];
}

static _Noreturn void exception_fatal(const struct exception_frame *frame, uint32_t vector)
{
	static const char *const kinds[] = { "synchronous exception", "IRQ", "FIQ", "SError" };

	if (!inmate.dying) {
		inmate.dying = true;
		printk("inmate: unexpected %s (vector %u): ESR 0x%lx ELR 0x%lx FAR 0x%lx LR 0x%lx; "
		       "stopped\n", kinds[vector & 3], vector, sysreg_read(esr_el1),
		       frame->elr, sysreg_read(far_el1), frame->x[30]);
	}
	inmate_stop(ABI_CELL_FAILED);
}

void exception_handle(struct exception_frame *frame, uint32_t vector)
{
	if (vector == VECTOR_IRQ)
		irq_dispatch(frame->entered);
	else if (vector == VECTOR_SYNC && inmate.catch)
		exception_skip(frame, inmate.catch);
	else
		exception_fatal(frame, vector);
}
