# SPDX-License-Identifier: GPL-2.0-only
"""What the scenarios of every architecture have to know of this one, and of its cells."""

MIB = 1 << 20
TEXTS = ("cells", "pair", "contract", "uart", "consoles", "linux", "linux-plain", "memtest")
# Its line in /proc/interrupts
TIMER = "LOC:"
# CPUs that Linux can switch off: the one it booted on it cannot
HOTPLUG = (1, 2, 3)
# The second UART
SERIAL = "/dev/ttyS1"
# What a machine must have for cells to get lines
LINES = {"x2apic": False}
# Where a cell finds its communication page
COMM = 0x10_0000
# In the machine: the regions of cell a, cell b and the one with two CPUs
A = ((0x3000_0000, MIB), (0x3040_0000, 64 << 10), (0x3060_0000, 2 * MIB))
B = ((0x3100_0000, MIB), (0x3120_0000, 2 * MIB))
PAIR = ((0x3000_0000, MIB), (0x3020_0000, 22 * MIB))
# Linux's local APICs in x2APIC mode, and in xAPIC mode
MODES = ("x2apic", "xapic")
# The counter's ticks a second, about, and the pages by which contract.toml's cells are commanded
HZ = 2_600_000_000
BOARDS = {"none": 0x3e00_0000, "fails": 0x3e00_1000, "budget": 0x3e00_2000}
# Devices that a driver of Linux's can let go of, and the one that has each; and what it says of others
RELEASED = {"uart1": "/sys/bus/pnp/drivers/serial"}
KEPT: dict[str, str] = {}
