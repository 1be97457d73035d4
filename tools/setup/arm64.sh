# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2034
# What of the set-up is arm64's, to be sourced

DEBIAN_ARCH=arm64
# Of GCC's and binutils' packages for it on machines of another kind
CROSS_SUFFIX=aarch64-linux-gnu
QEMU_PROGRAM=qemu-system-aarch64
QEMU_PACKAGE=qemu-system-arm
LOADER=ld-linux-aarch64.so.1
# Of the package u-boot-qemu: a program that was built for QEMU's machine, and for nothing else
U_BOOT=qemu_arm64
# Modules of the kernels that tests load
KERNEL_MODULES=
