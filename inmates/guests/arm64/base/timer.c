// SPDX-License-Identifier: GPL-2.0-only
/* A hundred ticks a second, none left out: each compares with the one before. */
#include "guest.h"

#define VIRTUAL 27u
#define HZ 100u

void timer_start(void)
{
	uint64_t period = sys_read(cntfrq_el0) / HZ;

	if (habits.timer == VIRTUAL) {
		sys_write(cntv_cval_el0, sys_read(cntvct_el0) + period);
		sys_write(cntv_ctl_el0, 1);
	} else {
		sys_write(cntp_cval_el0, sys_read(cntpct_el0) + period);
		sys_write(cntp_ctl_el0, 1);
	}
	isb();
	gic_enable_line(habits.timer);
}

void timer_tick(void)
{
	uint64_t period = sys_read(cntfrq_el0) / HZ;

	if (habits.timer == VIRTUAL)
		sys_write(cntv_cval_el0, sys_read(cntv_cval_el0) + period);
	else
		sys_write(cntp_cval_el0, sys_read(cntp_cval_el0) + period);
	isb();
}

void timer_wait(unsigned ticks)
{
	const struct cpu_state *self = &cpu_state[this_cpu()];
	unsigned from = self->ticks;

	while (self->ticks - from < ticks)
		wfi();
}
