# SPDX-License-Identifier: GPL-2.0-only
# It runs beyond the reach of absolute 32-bit addresses, so all of them are relative to RIP
ARCH_FREESTANDING := -fpie -fvisibility=hidden -mno-red-zone -fcf-protection=none
# Bytes before everything: most of an exit is the hardware's
ARCH_CFLAGS := -Oz -fno-code-hoisting -fno-inline-functions-called-once -mskip-rax-setup \
	-fno-caller-saves -fno-if-conversion -fno-ipa-sra -fno-forward-propagate -fno-guess-branch-probability -fno-ipa-modref -fno-ira-hoist-pressure
ARCH_HOT :=
