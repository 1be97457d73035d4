# SPDX-License-Identifier: GPL-2.0-only
"""
What the tools ask of an architecture. Each is one module with one constant of this
type; arches.py names them as the texts do.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jailhouse.config.model import Cell, Placed, Platform
from jailhouse.config.problems import Problems
from jailhouse.config.table import Table


@dataclass(frozen=True)
class KernelWords:
    """What makes Linux leave alone what is not its own."""
    parameters: str			# for its command line
    tree: bool = False			# and a fragment of a device tree must reserve the memory, as none of them can


@dataclass(frozen=True)
class Arch:
    id: int				# ABI_ARCH_*
    comm_page: int			# where inmates look for it
    address_bits: int			# the most any machine has
    numbers: range			# what an interrupt line can be called in a cell
    ports: range			# the I/O ports there can be; empty: none, and no PCI functions
    uart: str				# what a UART is that only the hypervisor has: as `uart` of devices calls it
    uart_by_port: bool			# it has I/O ports, and no interrupt; else a page
    # Keys of cells and devices that mean nothing here -> what is the case instead
    refused: dict[str, str]
    entry_end: int			# a cell's first instruction is below
    boot_align: int			# what a cell starts from lies at multiples of
    cells_below: int			# cells and hypervisor lie below, where there is room
    cpu0_stays: str | None		# why CPU 0 is always the root cell's
    # What the hypervisor answers for in that cell, in the cell's addresses
    mediated: Callable[[Cell, Platform], tuple[Placed, ...]]
    # (the machine's table, how many CPUs): reads what is this architecture's own
    platform: Callable[[Table, int], Platform | None]
    # The id of CPU n where the text only counts them
    hwid: Callable[[int], int]
    # What is wrong with a CPU id, or None
    hwid_problem: Callable[[int], str | None]
    # (the machine's RAM, Linux's part)
    kernel_words: Callable[[tuple[Placed, ...], tuple[Placed, ...]], KernelWords]
    kernel_parameters_note: str		# what to heed where they are written; may be empty
    # ABI_CELL_* -> how interrupts arrive and how the cell sleeps
    delivery: Callable[[int], str]
    # What a cell whose exits are "none" has to leave, though nothing in its text is wrong
    warn_none: Callable[[Cell, Problems], None]
    # The platform record of a built blob, for people
    show: Callable[[bytes], dict[str, Any]]
