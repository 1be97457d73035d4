# SPDX-License-Identifier: GPL-2.0-only
"""Emulated machines: initial file systems, QEMU, the demonstration."""
