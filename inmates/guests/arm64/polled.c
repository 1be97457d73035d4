// SPDX-License-Identifier: GPL-2.0-only
/*
 * Linked to the start of RAM, one CPU, everything hard-coded, the MMU off; never sets its UART up, and looks
 * for what was typed each time that the timer wakes it.
 */
#include "base/guest.h"

const struct habits habits = {
	.name = "polled", .conduit = HVC, .cpus = 1, .timer = 27, .console = POLLED,
};

const struct command commands[] = { { NULL, NULL } };
