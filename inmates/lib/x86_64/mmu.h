/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The root of the page tables the start code uses. */
#ifndef INMATE_X86_64_MMU_H
#define INMATE_X86_64_MMU_H

#include <stdint.h>

extern uint64_t image_tables[];

#endif
