# SPDX-License-Identifier: GPL-2.0-only
"""A machine as its device tree or its firmware's tables describe it. write.py makes a machine text of it."""

from dataclasses import dataclass, field

from jailhouse.config.model import TREE_CELLS, Span


class Refused(Exception):
    """The machine, or what was gathered of it, is none that can be described. Says what, why and what to do."""

    def __init__(self, what: str, why: str, fix: str) -> None:
        super().__init__(f"{what}\n    why: {why}\n    fix: {fix}")
        self.what, self.why, self.fix = what, why, fix


@dataclass(frozen=True)
class Piece:
    """Addresses with the name that they have within their owner; "" where the owner has no others."""
    name: str
    span: Span


@dataclass(frozen=True)
class Streams:
    """The ids by which an IOMMU knows a device's DMA."""
    iommu: str			# name of a described device
    ids: tuple[range, ...]


@dataclass(frozen=True)
class Need:
    """Something of another device's that a device does not work without."""
    what: str			# "clocks", "resets", "power-domains", "pinctrl", "supply", "interrupts", ...
    device: str			# name of a described device


@dataclass(frozen=True)
class Device:
    """
    name: as people know it (an alias of the tree's, what the kernel calls it), letters, digits, _ and -, at most 24
    of them, unique. interrupts: GIC INTIDs of SPIs, or global system interrupts. functions: bus << 8 | device << 3 |
    function. dma: it reads and writes memory by itself. group: of the IOMMU's; its members can only go together.
    """
    name: str
    about: str = ""			# for the reader: its `compatible`, its path, what `lspci` would say
    registers: tuple[Piece, ...] = ()
    interrupts: tuple[int, ...] = ()
    ports: tuple[range, ...] = ()
    functions: tuple[int, ...] = ()
    uart: str | None = None		# as `uart` of a device's text
    iommu: str | None = None		# which kind it is: "smmuv3", "smmuv2", "vt-d", "amd-vi", ...
    streams: tuple[Streams, ...] = ()
    group: int | None = None
    dma: bool = False
    needs: tuple[Need, ...] = ()
    notes: tuple[str, ...] = ()		# what of it could not be described
    edges: tuple[int, ...] = ()		# those of its interrupts that are edges, where that is known


@dataclass(frozen=True)
class Cache:
    """One that several CPUs share, or a CPU's own. kind: "data", "instruction" or "unified"."""
    level: int
    kind: str
    size: int
    cpus: tuple[int, ...]		# Linux's numbers


@dataclass(frozen=True)
class Gic:
    gicd: Span
    gicr: Span
    maintenance_irq: int
    spis: int


@dataclass(frozen=True)
class IoApic:
    address: int
    first: int
    pins: int


@dataclass(frozen=True)
class Apic:
    ioapics: tuple[IoApic, ...]
    mmconfig: Span | None
    pm_timer: int
    apic_khz: int = 0			# 0: not known


@dataclass(frozen=True)
class Description:
    """cpus, threads and clusters by Linux's numbers; hwids in their order."""
    name: str
    arch: str				# "arm64" or "x86_64"
    source: str				# what it was made of, for the first lines of the text
    hwids: tuple[int, ...]
    ram: tuple[Span, ...]
    platform: Gic | Apic
    devices: tuple[Device, ...]
    firmware: tuple[Piece, ...] = ()	# parts of `ram` that firmware keeps for itself
    console: str | None = None		# name of a device
    address_bits: int | None = None
    cpu_names: tuple[str, ...] = ()	# "Cortex-A53", in the order of hwids, or ()
    threads: tuple[tuple[int, ...], ...] = ()	# CPUs of one core, each set of two or more
    clusters: tuple[tuple[int, ...], ...] = ()
    caches: tuple[Cache, ...] = ()
    tree_cells: tuple[int, int] = TREE_CELLS	# #address-cells and #size-cells of the root node
    notes: tuple[str, ...] = field(default=())	# what could not be described, and what is to be checked
