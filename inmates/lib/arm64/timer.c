/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "state.h"
#include "arm64/sysreg.h"

#define CNTV_CTL_ENABLE 1
#define DAIF_I 0x80

uint64_t timer_frequency(void)
{
	return sysreg_read(cntfrq_el0);
}

uint64_t timer_now(void)
{
	/* The counter may be read ahead of earlier instructions (DDI0487 D12.1.2). */
	isb();
	return sysreg_read(cntvct_el0);
}

void timer_arm(uint64_t at)
{
	sysreg_write(cntv_cval_el0, at);
	sysreg_write(cntv_ctl_el0, CNTV_CTL_ENABLE);
	isb();
}

void timer_disarm(void)
{
	sysreg_write(cntv_ctl_el0, 0);
	isb();
}

void timer_sleep_until(uint64_t at)
{
	uint64_t daif = sysreg_read(daif);

	if (!inmate.irq_ready) {
		while (timer_now() < at)
			;
		return;
	}
	/* Masked, the pending interrupt ends WFI all the same and is withdrawn by disarming. */
	irq_mask();
	timer_arm(at);
	while (timer_now() < at) {
		irq_wait();
		/* Another line's interrupt must be taken for WFI to wait again. */
		if (!(daif & DAIF_I) && timer_now() < at) {
			irq_unmask();
			isb();
			irq_mask();
		}
	}
	timer_disarm();
	sysreg_write(daif, daif);
}
