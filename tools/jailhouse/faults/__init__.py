# SPDX-License-Identifier: GPL-2.0-only
"""What the hypervisor says of a cell's fault, and what of the machine was meant by it."""
