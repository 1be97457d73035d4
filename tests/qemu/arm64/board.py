# SPDX-License-Identifier: GPL-2.0-only
"""What the scenarios of every architecture have to know of this one, and of its cells."""

MIB = 1 << 20
TEXTS = ("cells", "pair", "kinds", "duo", "contract", "uart", "moved", "linux", "uboot", "counted-direct",
         "counted-injected", "gic-elsewhere", "consoles", "boot", "linux-plain", "linux-one", "linux-rt", "virt",
         "guests", "guests-injected", "guests-direct")
# Its line in /proc/interrupts
TIMER = "arch_timer"
# CPUs that Linux can switch off
HOTPLUG = (0, 1, 2, 3)
# The second UART
SERIAL = "/dev/ttyAMA1"
# What a machine must have for cells to get lines
LINES: dict[str, bool] = {}
# Where a cell finds its communication page
COMM = 0x8000_0000
# In the machine: the regions of cell a, cell b and the one with two CPUs
A = ((0xb000_0000, MIB), (0xb040_0000, 64 << 10), (0xb060_0000, 2 * MIB))
B = ((0xb100_0000, 4 * MIB),)
PAIR = ((0xb000_0000, 24 * MIB),)

# The GIC with one security state, and with two as on boards with EL3: GICD_CTLR.DS
STATES = ("one", "two")
# The counter's ticks a second, and the pages by which contract.toml's cells are commanded
HZ = 62_500_000
BOARDS = {"none": 0xbe00_0000, "fails": 0xbe00_1000, "budget": 0xbe00_2000}
# Devices that a driver of Linux's can let go of, and the one that has each; and what it says of others
RELEASED = {"gpio": "/sys/bus/amba/drivers/pl061_gpio"}
KEPT = {"uart1": "9040000.pl011: its driver cannot let go"}
