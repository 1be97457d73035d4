/* SPDX-License-Identifier: GPL-2.0-only */
/* How large the rings of text are (abi/image.h); also read by the assembler and the linker scripts. */
#ifndef CORE_LOG_AREA_H
#define CORE_LOG_AREA_H

#define LOG_OWN_SIZE (CONFIG_LOG_SIZE_KB * 1024)
#define LOG_CONSOLE_SIZE (CONFIG_CONSOLE_SIZE_KB * 1024)
#define LOG_CONSOLES (CONFIG_MAX_CELLS - 1)
#define LOG_AREA_SIZE (LOG_OWN_SIZE + LOG_CONSOLES * LOG_CONSOLE_SIZE)

#endif
