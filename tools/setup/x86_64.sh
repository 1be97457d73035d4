# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2034
# What of the set-up is x86_64's, to be sourced

DEBIAN_ARCH=amd64
# Of GCC's and binutils' packages for it on machines of another kind
CROSS_SUFFIX=x86-64-linux-gnu
QEMU_PROGRAM=qemu-system-x86_64
QEMU_PACKAGE=qemu-system-x86
LOADER=ld-linux-x86-64.so.2
# A program that was built for PCs, and for nothing else
STRANGER=memtest.bin
STRANGER_PACKAGE=memtest86+:amd64
STRANGER_MEMBER='/memtest86\+x64\.bin$'
# Modules of the kernels that tests load: MSRs for root, and who has SVM else
KERNEL_MODULES="msr irqbypass ccp kvm kvm-amd"
# Boards of this kind have no device trees
TREES_OF=
