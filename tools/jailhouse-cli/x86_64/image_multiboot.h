/* SPDX-License-Identifier: GPL-2.0-only */
/* Images with a header of the Multiboot Specification, 0.6.96. Acts on nothing. */
#ifndef JAILHOUSE_CLI_IMAGE_MULTIBOOT_H
#define JAILHOUSE_CLI_IMAGE_MULTIBOOT_H

#include "image_elf.h"

/* Is there such a header? */
bool multiboot_is(const void *data, size_t size);

/* elf_parse() of it: an ELF file of 32 or 64 bits, or one whose header has its addresses. */
struct elf *multiboot_parse(const void *data, size_t size, char problem[PROBLEM_SIZE]);

#endif
