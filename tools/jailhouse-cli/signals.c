// SPDX-License-Identifier: GPL-2.0-only
#include <signal.h>

#include "cli.h"

bool signal_ignored(int number)
{
	struct sigaction action;

	return sigaction(number, NULL, &action) || action.sa_handler == SIG_IGN;
}
