/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the command's --help depends on the architecture. */
#ifndef JAILHOUSE_CLI_ARCH_WORDS_H
#define JAILHOUSE_CLI_ARCH_WORDS_H

#define ARCH_NAME "arm64"

/* As uname() and ELF name it */
#define ELF_MACHINE "aarch64"

#define WORDS_LOAD_TOLD \
	"with a device tree whose address the program finds in x0; a kernel's Image\n" \
	"goes where its header says. Each load replaces the one before.\n"

#define WORDS_LINUX_ARGUMENTS \
	"[-d|--dtb DTB] [-i|--initrd INITRD] [-c|--cmdline CMDLINE] [--no-start]\n" \
	"                      [--print-dtb] "

#define WORDS_LINUX \
	"KERNEL is arch/arm64/boot/Image, not compressed. Its device tree is made from the cell's configuration.\n" \
	"-d, --dtb DTB          lay this tree over it: nodes and properties replace or add; or apply this overlay\n" \
	"-i, --initrd INITRD    an initial file system\n" \
	"-c, --cmdline CMDLINE  the kernel's parameters; console=ttyAMA0 (or ttyS0) is added if they name no console\n" \
	"--no-start             only load; jailhouse cell start starts it\n" \
	"--print-dtb            print the tree (binary) and do nothing else\n"

#endif
