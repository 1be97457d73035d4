# SPDX-License-Identifier: GPL-2.0-only
"""What stands in a binary configuration of Jailhouse, each record with its place in the file."""

from dataclasses import dataclass

from jailhouse.config.model import Span
from jailhouse.config.problems import Where

ARCH_X86, ARCH_ARM64 = 0, 2
ARCH_NAMES = {ARCH_X86: "x86_64", ARCH_ARM64: "arm64"}

MEM_READ, MEM_WRITE, MEM_EXECUTE = 0x1, 0x2, 0x4
MEM_IO, MEM_COMM, MEM_LOADABLE, MEM_SHARED = 0x10, 0x20, 0x40, 0x80
MEM_SMALL_PAGES = 0x100
MEM_KNOWN = 0xf_81ff

CELL_TEST_DEVICE, CELL_AARCH32 = 0x2, 0x4
CELL_PUTC, CELL_PUTC_CONSOLE = 0x4000_0000, 0x8000_0000
CELL_KNOWN = 0xc000_0007

CONSOLE_NONE, CONSOLE_8250, CONSOLE_PL011 = 0, 2, 3
CONSOLE_NAMES = {1: "EFI framebuffer", 2: "8250", 3: "PL011", 4: "XUARTPS", 5: "MVEBU", 6: "HSCIF", 7: "SCIFA",
                 8: "i.MX UART", 9: "i.MX LPUART"}
CONSOLE_MMIO, CONSOLE_STRIDE_4 = 0x1, 0x2

PCI_DEVICE, PCI_BRIDGE, PCI_IVSHMEM = 1, 2, 3
IOMMU_NAMES = {1: "AMD IOMMU", 2: "VT-d", 3: "SMMUv3", 4: "PVU", 5: "MMU-500"}


@dataclass(frozen=True, order=True)
class Place(Where):
    """A record of a binary file. `line` is the offset of its first byte."""
    record: str

    def __str__(self) -> str:
        return f"{self.file}: byte {self.line:#x} ({self.record})"


@dataclass(frozen=True)
class Memory:
    at: Place
    phys: int
    virt: int
    size: int
    flags: int

    @property
    def span(self) -> Span:
        return Span(self.phys, self.size)

    def has(self, flags: int) -> bool:
        return bool(self.flags & flags)


@dataclass(frozen=True)
class Console:
    at: Place
    address: int
    size: int
    type: int
    flags: int
    divider: int
    gate_nr: int
    clock_reg: int

    @property
    def in_memory(self) -> bool:
        return bool(self.flags & CONSOLE_MMIO)


@dataclass(frozen=True)
class Cache:
    at: Place
    start: int
    size: int


@dataclass(frozen=True)
class Irqchip:
    at: Place
    address: int
    pins: tuple[int, ...]		# pin_base counted in


@dataclass(frozen=True)
class Pio:
    at: Place
    base: int
    length: int


@dataclass(frozen=True)
class PciDevice:
    at: Place
    type: int
    domain: int
    bdf: int
    caps: int
    msix: Span			# where the table of its MSI-X vectors is; of size 0 if it has none
    first_memory: int		# ivshmem: index of its first memory region
    peers: int


@dataclass(frozen=True)
class Iommu:
    at: Place
    type: int
    base: int


@dataclass(frozen=True)
class Cell:
    """A cell file, or the root cell's part of a system file."""
    at: Place
    arch: int
    name: str
    flags: int
    cpus: frozenset[int]
    entry: int
    reply_timeout: int
    console: Console
    memory: tuple[Memory, ...]
    caches: tuple[Cache, ...]
    irqchips: tuple[Irqchip, ...]
    pios: tuple[Pio, ...]
    pci: tuple[PciDevice, ...]
    caps: tuple[Place, ...]
    streams: tuple[Place, ...]
    rest: Place | None		# bytes behind the last record


@dataclass(frozen=True)
class ArmPlatform:
    maintenance_irq: int
    gic_version: int
    gicd: int
    gicc: int
    gich: int
    gicv: int
    gicr: int


@dataclass(frozen=True)
class X86Platform:
    pm_timer: int
    tsc_khz: int
    apic_khz: int


@dataclass(frozen=True)
class System:
    at: Place
    arch: int
    hypervisor: Memory
    console: Console
    mmconfig: int
    mmconfig_buses: int
    pci_is_virtual: bool
    iommus: tuple[Iommu, ...]
    platform: ArmPlatform | X86Platform
    platform_at: Place
    root: Cell
