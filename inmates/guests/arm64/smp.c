// SPDX-License-Identifier: GPL-2.0-only
/*
 * Linked some way into RAM, all CPUs by SMC from a list of its own, the MMU off; its UART has no FIFOs and
 * interrupts for each character.
 */
#include "base/guest.h"

const struct habits habits = {
	.name = "smp", .conduit = SMC, .cpus = CPUS, .timer = 27, .console = NO_FIFO,
};

const struct command commands[] = { { NULL, NULL } };
