/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the command's --help depends on the architecture. */
#ifndef JAILHOUSE_CLI_ARCH_WORDS_H
#define JAILHOUSE_CLI_ARCH_WORDS_H

#define ARCH_NAME "x86_64"

#define WORDS_LOAD_TOLD \
	"and entered in 64-bit mode (Multiboot images: in 32-bit\n" \
	"mode), with the address of boot parameters in RSI (EBX). Each load replaces the one before.\n"

#define WORDS_LINUX_ARGUMENTS \
	"[-i|--initrd INITRD] [-c|--cmdline CMDLINE] [--no-start]\n                      "

#define WORDS_LINUX \
	"KERNEL is a bzImage, as distributions ship it. It finds ACPI tables that are made from the cell's configuration.\n" \
	"-i, --initrd INITRD    an initial file system\n" \
	"-c, --cmdline CMDLINE  the kernel's parameters. Added, if they do not say otherwise: tsc_early_khz= and tsc=reliable,\n" \
	"                       reboot=acpi, io_delay=none, console= for the cell's UART, pci=off without PCI functions\n" \
	"--no-start             only load; jailhouse cell start starts it\n"

#endif
