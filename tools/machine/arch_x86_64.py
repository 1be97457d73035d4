# SPDX-License-Identifier: GPL-2.0-only
"""QEMU's q35 with AMD's SVM, as configs/qemu-x86_64/machine.toml describes it."""

from collections.abc import Sequence

from .arch import Arch

# Without one Linux does not switch to x2APIC mode. Intel's, as AMD's has none that works
REMAPPING = ("-device", "intel-iommu,intremap=on,eim=on")


def machine(options: str = "", x2apic: bool = True) -> Sequence[str]:
    """options: further properties of -M q35. x2apic: Linux runs its local APICs in x2APIC
    mode, else in xAPIC mode."""
    return ("-M", ",".join(filter(None, ("q35", options))), *(REMAPPING if x2apic else ()))


def more_append(options: str = "", x2apic: bool = True) -> str:
    """While Linux gives PCI functions their places QEMU may lead another CPU's accesses to its local APIC astray
    (docs/testing.md): the others come up afterwards (rootfs.py), where that is in memory."""
    return "" if x2apic else "maxcpus=1"


# The cells' 240 MiB and the hypervisor's 16 MiB. EPYC-v4 has no LA57. Linux counts the timer's
# interrupts against a delay loop, and panics where a busy host lets the emulator stand still in it
ARCH = Arch(name="x86_64", board="qemu-x86_64", qemu="qemu-system-x86_64", cpu="EPYC-v4,+svm,+npt,+x2apic",
            append="console=ttyS0 memmap=256M$0x30000000 no_timer_check", icount="shift=1,sleep=off",
            loader_folder="lib64", hypercall="exit_hypercall", machine=machine, more_append=more_append)
