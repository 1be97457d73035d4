/* SPDX-License-Identifier: GPL-2.0-only */
/* The build's choices, as the host tests fix them: small, so that limits are met. */
#ifndef HOST_AUTOCONF_H
#define HOST_AUTOCONF_H

#define CONFIG_MAX_CPUS 8
#define CONFIG_MAX_CELLS 8
#define CONFIG_LOG_SIZE_KB 16
#define CONFIG_CONSOLE_SIZE_KB 4
#define CONFIG_SERVE_CELL_UART 1
#define CONFIG_STACK_SIZE_KB 8
#define CONFIG_POOL_MIN_KB 256
#define CONFIG_LOG_TO_UART 0

#endif
