# SPDX-License-Identifier: GPL-2.0-only
"""
Binary configurations of Jailhouse, revision 14, as its compiler lays them out: built from the layout, so that
reading them is tested against something else than the reader's own tables.
"""

import struct
from dataclasses import dataclass, field

X86, ARM, ARM64 = 0, 1, 2
R, W, X, DMA, IO, COMM, LOADABLE, SHARED = 1, 2, 4, 8, 0x10, 0x20, 0x40, 0x80
RW, RWX = R | W, R | W | X
PASSIVE, TEST_DEVICE, AARCH32, PUTC, PUTC_CONSOLE = 1, 2, 4, 0x4000_0000, 0x8000_0000
DEVICE, BRIDGE, IVSHMEM = 1, 2, 3
HOLE = (0, 0, 0, 0)

NO_CONSOLE = b"\0" * 32
CELL_SIZE, SYSTEM_SIZE = 132, 356


def console(address: int, kind: int, flags: int, size: int = 0x1000, divider: int = 0) -> bytes:
    """kind: 2 8250, 3 PL011, 8 i.MX; flags: 1 in memory, 2 registers four bytes apart."""
    return struct.pack("<QIHHIIQ", address, size, kind, flags, divider, 0, 0)


def irqchip(address: int, pin_base: int, *words: int) -> bytes:
    return struct.pack("<QII4I", address, 0, pin_base, *(words + (0,) * 4)[:4])


def pci(kind: int, bdf: int, domain: int = 0, caps: int = 0, msix: tuple[int, int, int] = (0, 0, 0), first: int = 0,
        peers: int = 0) -> bytes:
    """msix: how many vectors, size and address of their table."""
    vectors, size, address = msix
    return struct.pack("<BBHH6IHHBBHHQIBBH", kind, 0, domain, bdf, *([0] * 6), 0, caps, 0, 0, vectors, size, address,
                       first, 0, peers, 0)


def iommu(kind: int, base: int) -> bytes:
    return struct.pack("<IQI12x", kind, base, 0x1000)


@dataclass(frozen=True)
class CellFile:
    name: str
    cpus: int
    memory: list[tuple[int, int, int, int]]		# phys, virt, size, flags
    arch: int = ARM64
    flags: int = PASSIVE
    console: bytes = NO_CONSOLE
    caches: int = 0
    irqchips: list[bytes] = field(default_factory=list)
    pios: list[tuple[int, int]] = field(default_factory=list)
    pci: list[bytes] = field(default_factory=list)
    caps: int = 0
    streams: int = 0
    entry: int = 0
    vpci_irq_base: int = 0
    signature: bytes = b"JHCLL"

    def encode(self) -> bytes:
        cpus = struct.pack("<Q", self.cpus)
        head = struct.pack("<5sBH32sII8IIQQ", self.signature, self.arch, 14 if self.signature else 0,
                           self.name.encode(), 0, self.flags, len(cpus), len(self.memory), self.caches,
                           len(self.irqchips), len(self.pios), len(self.pci), self.caps, self.streams,
                           self.vpci_irq_base, self.entry, 0) + self.console
        assert len(head) == CELL_SIZE
        return b"".join([
            head, cpus, *(struct.pack("<4Q", *m) for m in self.memory), struct.pack("<IIBxH", 0, 2, 3, 0) * self.caches,
            *self.irqchips, *(struct.pack("<HH", *p) for p in self.pios), *self.pci,
            struct.pack("<4H", 5, 0x60, 14, 1) * self.caps, struct.pack("<I", 0x12) * self.streams])


@dataclass(frozen=True)
class SystemFile:
    root: CellFile
    hypervisor: tuple[int, int]			# start, size
    console: bytes = NO_CONSOLE
    mmconfig: tuple[int, int, int] = (0, 0, 0)	# base, last bus, is it virtual
    iommus: list[bytes] = field(default_factory=list)
    gic: tuple[int, int, int] = (3, 0, 0)		# version, gicd, gicr
    pm_timer: int = 0
    maintenance_irq: int = 25

    def encode(self) -> bytes:
        arch = self.root.arch
        units = b"".join(self.iommus)
        platform = struct.pack("<HBBIII28x", self.pm_timer, 0, 0, 256, 0, 0) if arch == X86 else \
            struct.pack("<BBxx5Q", self.maintenance_irq, self.gic[0], self.gic[1], 0, 0, 0, self.gic[2])
        head = struct.pack("<5sBHI4Q", b"JHSYS", arch, 14, 1, self.hypervisor[0], 0, self.hypervisor[1], 0) + \
            self.console + struct.pack("<QBBH", *self.mmconfig, 0) + units.ljust(8 * 28, b"\0") + platform
        assert len(head) == SYSTEM_SIZE
        return head + self.root.encode()


def sections(start: int, *rights: int) -> list[tuple[int, int, int, int]]:
    """An ivshmem device's memory: a page, 36 KiB, and an output section of 8 KiB for each peer."""
    sizes = [0x1000, 0x9000] + [0x2000] * (len(rights) - 2)
    found = []
    for size, flags in zip(sizes, rights, strict=True):
        found.append((start, start, size, flags))
        start += size
    return found
