# SPDX-License-Identifier: GPL-2.0-only
"""The system as the texts describe it. Everything keeps the place it was written at."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from jailhouse.config.problems import Where
from jailhouse.config.units import PAGE, size_text, span_text

# Consoles that are no devices: the hypercall, and the cell's `uart`
CONSOLE_PUTC = "putc"
CONSOLE_UART = "uart"
DIRECT, INJECTED, AUTO = "direct", "injected", "auto"
# #address-cells and #size-cells of most boards' root nodes
TREE_CELLS = (2, 2)


@dataclass(frozen=True)
class Span:
    start: int
    size: int

    @property
    def end(self) -> int:
        return self.start + self.size

    def overlaps(self, other: "Span") -> bool:
        return self.start < other.end and other.start < self.end

    def within(self, outer: "Span") -> bool:
        return outer.start <= self.start and self.end <= outer.end

    def pages(self) -> "Span":
        """The whole pages it touches."""
        start = self.start // PAGE * PAGE
        return Span(start, -(-self.end // PAGE) * PAGE - start)

    def moved(self, offset: int) -> "Span":
        return Span(self.start + offset, self.size)

    def common(self, other: "Span") -> "Span":
        """Of two that overlap."""
        start = max(self.start, other.start)
        return Span(start, min(self.end, other.end) - start)

    def __str__(self) -> str:
        return span_text(self.start, self.size)


@dataclass(frozen=True)
class Placed:
    """A span with the name its owner gave it and its place in the text."""
    name: str
    span: Span
    where: Where


@dataclass(frozen=True)
class Named:
    """A reference by name."""
    name: str
    where: Where


@dataclass(frozen=True)
class Given(Named):
    """A device that a cell has, and where it sees the first page of its registers if not where they are."""
    guest: int | None = None


@dataclass(frozen=True)
class Line:
    """Consecutive interrupt lines as one element of a list."""
    numbers: range
    where: Where


@dataclass(frozen=True)
class Function:
    """A PCI function of segment 0: bus << 8 | device << 3 | function."""
    bdf: int
    where: Where


@dataclass(frozen=True)
class Uart:
    type: int			# ABI_CONSOLE_8250 or _PL011
    flags: int			# ABI_CONSOLE_MMIO, _STRIDE_4


@dataclass(frozen=True)
class Need:
    """Something (`what`: "clocks", "resets", ...) of another device's that a device does not work without."""
    what: str
    device: Named


@dataclass(frozen=True)
class Streams:
    """The ids by which an IOMMU knows a device's DMA."""
    iommu: Named
    ids: tuple[Line, ...]


@dataclass(frozen=True)
class Device:
    name: str
    where: Where
    registers: tuple[Placed, ...]
    lines: tuple[Line, ...]
    uart: Uart | None = None
    ports: tuple[Line, ...] = ()
    functions: tuple[Function, ...] = ()
    about: str = ""
    dma: bool = False			# it reads and writes memory by itself
    iommu: str | None = None		# which kind it is
    streams: tuple[Streams, ...] = ()
    group: int | None = None		# of the IOMMU's
    needs: tuple[Need, ...] = ()
    edges: frozenset[int] = frozenset()	# of its lines; the others are levels


@dataclass(frozen=True)
class Platform:
    """What an architecture reads from a machine text; see arch.py."""
    encoded: bytes
    mediated: tuple[Placed, ...]	# the hypervisor answers there; nobody's memory
    lines: range			# from the first to the last interrupt line the machine has ...
    absent: frozenset[int] = frozenset()	# ... but for these
    mediated_ports: Line | None = None	# the hypervisor answers there, too


@dataclass(frozen=True)
class Cache:
    level: int
    kind: str				# "data", "instruction" or "unified"
    size: int				# 0: not known
    cpus: frozenset[int]
    where: Where


    def __str__(self) -> str:
        return f"level {self.level} cache" + (f" of {size_text(self.size)}" if self.size else "")


@dataclass(frozen=True)
class Topology:
    """Sets of CPUs, by Linux's numbers: the threads of a core, the CPUs of a cluster."""
    threads: tuple[frozenset[int], ...] = ()
    clusters: tuple[frozenset[int], ...] = ()
    caches: tuple[Cache, ...] = ()


@dataclass(frozen=True)
class Machine:
    where: Where
    name: str
    arch: str
    hwids: tuple[int, ...]
    address_bits: int
    ram: tuple[Placed, ...]
    devices: dict[str, Device]
    console: Named | None
    platform: Platform | None		# None: could not be read
    firmware: tuple[Placed, ...] = ()	# parts of `ram` that are kept by it
    topology: Topology = Topology()
    tree_cells: tuple[int, int] = TREE_CELLS	# how many its device tree's root node has for an address and for a size


@dataclass(frozen=True)
class Region:
    """Memory of a cell. host None: to be placed. shared: the name of a shared region."""
    name: str
    where: Where
    guest: int
    size: int
    host: int | None
    access: str				# "r", "rw", "rx" or "rwx"
    loadable: bool = False
    shared: str | None = None
    boot: bool = False			# what `cell load` puts there is copied to its place at each start

    @property
    def guest_span(self) -> Span:
        return Span(self.guest, self.size)


@dataclass(frozen=True)
class Shared:
    """Memory of several cells; the root cell sees it too."""
    name: str
    where: Where
    size: int
    host: int | None


@dataclass(frozen=True)
class Share:
    """Memory that a cell wants in common with another."""
    other: Named
    size: int
    where: Where


@dataclass(frozen=True)
class Renumbering:
    """The machine's line is the cell's `number`."""
    line: int
    number: int
    where: Where


@dataclass(frozen=True)
class Delivery:
    """How its interrupts reach a cell, and how it waits for them."""
    interrupts: str			# DIRECT, INJECTED or AUTO
    where: Where
    renumbered: tuple[Renumbering, ...]
    trusted_wfi: bool
    wfi_where: Where

    @property
    def moved(self) -> tuple[Renumbering, ...]:
        """Without those that keep the number they have."""
        return tuple(r for r in self.renumbered if r.line != r.number)

    @property
    def injected(self) -> bool:
        return self.interrupts == INJECTED or self.interrupts == AUTO and bool(self.moved)


@dataclass(frozen=True)
class View:
    """How a cell sees its CPUs and the interrupt controller; a choice on arm64 only."""
    counted: bool = False		# its CPUs are 0, 1, 2, ...
    gicd: int = 0			# 0: both where the machine has them
    gicr: int = 0
    where: Where | None = None		# of the addresses


@dataclass(frozen=True)
class Limit:
    """The contract on exits, in the terms of abi_cell."""
    exits: int
    where: Where
    settle_ms: int
    fails: bool			# a cell over its limit; else it is logged


@dataclass(frozen=True)
class CellUart:
    """A UART that only the hypervisor has. Its interrupt as the cell knows it, and the machine's line that stands for it."""
    where: Where
    address: int			# guest-physical, or its first port
    interrupt: int | None
    line: int | None


@dataclass(frozen=True)
class Cell:
    name: str
    where: Where
    cpus: tuple[Line, ...]
    entry: int
    entry_where: Where
    memory: tuple[Region, ...]
    comm_page: int | None
    comm_where: Where
    devices: tuple[Given, ...]
    lines: tuple[Line, ...]		# beside its devices'
    delivery: Delivery
    limit: Limit
    putc: bool
    console: Named | None		# "putc" or a device
    whole: bool				# all that was written could be read
    ports: tuple[Line, ...] = ()	# beside its devices'
    functions: tuple[Function, ...] = ()
    uart: CellUart | None = None
    view: View = View()
    absent_ports: bool = False	# what is not its own is as where nothing is; else it fails
    cpus_where: Where | None = None
    cpu_count: int | None = None	# so many, to be chosen; None: `cpus` names them
    shares: tuple[Share, ...] = ()
    sized: bool = False		# of its memory only the size was said
    image: str | None = None		# what it is to run, for the words about the next steps

    def cpu_numbers(self) -> Iterator[int]:
        for line in self.cpus:
            yield from line.numbers


@dataclass(frozen=True)
class System:
    """open: of "linux", "cells" and "hypervisor" those whose place the text leaves to be found."""
    where: Where
    machine: Machine
    root_name: str
    root_where: Where
    linux: tuple[Placed, ...]
    reserved: Placed
    hypervisor: Placed
    shared: dict[str, Shared] = field(default_factory=dict)
    cells: tuple[Cell, ...] = ()
    open: frozenset[str] = frozenset()
