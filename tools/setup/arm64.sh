# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2034
# What of the set-up is arm64's, to be sourced

DEBIAN_ARCH=arm64
# Of GCC's and binutils' packages for it on machines of another kind
CROSS_SUFFIX=aarch64-linux-gnu
QEMU_PROGRAM=qemu-system-aarch64
QEMU_PACKAGE=qemu-system-arm
LOADER=ld-linux-aarch64.so.1
# A program that was built for QEMU's machine, and for nothing else
STRANGER=u-boot.bin
STRANGER_PACKAGE=u-boot-qemu
STRANGER_MEMBER='/qemu_arm64/u-boot\.bin$'
# Modules of the kernels that tests load
KERNEL_MODULES=
# The kernel whose package's device trees the tests read
TREES_OF=6.12
