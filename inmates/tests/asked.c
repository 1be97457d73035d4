/* SPDX-License-Identifier: GPL-2.0-only */
/* Waits to be asked to shut down and says so; `answer` is one of ABI_REPLY_*, or 0 for none. */
#include "inmate.h"

void inmate_main(void)
{
	uint32_t answer = (uint32_t)cmdline_get_int("answer", ABI_REPLY_APPROVED);

	printk("asked: ready\n");
	for (unsigned int times = 1;; times++) {
		while (comm_message() != ABI_MSG_SHUTDOWN_REQUEST)
			;
		printk("asked: %u times\n", times);
		while (answer == ABI_REPLY_NONE)
			;
		comm_reply(answer);
	}
}
