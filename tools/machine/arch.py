# SPDX-License-Identifier: GPL-2.0-only
"""What the emulated machines of one architecture are and another's are not."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Arch:
    """One architecture's machine; target.py says which one is meant."""

    name: str
    # Of its folder in configs/
    board: str
    qemu: str
    cpu: str
    # The kernel's command line, with what the board's texts want to have reserved
    append: str
    # Deterministic: `shift=` says how many instructions are a tick, by powers of two
    icount: str
    # Where programs that are not static look for their loader
    loader_folder: str
    # The hypervisor's function that every hypercall comes to
    hypercall: str
    # Properties of its own, by name (`secure`, `x2apic`), to QEMU's arguments
    machine: Callable[..., Sequence[str]]
    # What else the kernel is told on a machine with such properties
    more_append: Callable[..., str]

    @property
    def make(self) -> str:
        """What to say to make for it."""
        return f"ARCH={self.name}"
