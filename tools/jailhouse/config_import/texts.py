# SPDX-License-Identifier: GPL-2.0-only
"""What the imported texts will say, in their own terms. A note becomes a comment above what it belongs to."""

from dataclasses import dataclass

from jailhouse.config.model import Span

TO_CHECK = "to be checked: "


@dataclass(frozen=True)
class Gic:
    version: int
    gicd: Span
    gicr: Span | None
    maintenance_irq: int
    spis: int
    gicr_note: str
    spis_note: str
    irq_note: str = ""


@dataclass(frozen=True)
class Ioapic:
    address: int
    first: int
    pins: int


@dataclass(frozen=True)
class Apic:
    ioapics: tuple[Ioapic, ...]
    ioapics_note: str
    mmconfig: Span | None
    apic_khz: int
    pm_timer: int


@dataclass(frozen=True)
class Device:
    name: str
    registers: tuple[Span, ...] = ()
    uart: str | None = None
    ports: range | None = None
    pci: int | None = None
    note: str = ""


@dataclass(frozen=True)
class Machine:
    name: str
    arch: str
    cpus: int
    cpus_note: str
    ram: tuple[Span, ...]
    console: str | None
    interrupts: Gic | Apic
    devices: tuple[Device, ...]


@dataclass(frozen=True)
class Region:
    name: str
    guest: int
    size: int
    access: str
    loadable: bool
    host: int | None


@dataclass(frozen=True)
class Shared:
    name: str
    size: int
    host: int | None


@dataclass(frozen=True)
class Use:
    """A shared region of a cell's."""
    name: str
    guest: int
    access: str


@dataclass(frozen=True)
class Given:
    """A device of a cell's; guest None: where it is."""
    name: str
    guest: int | None = None


@dataclass(frozen=True)
class Uart:
    """That only the hypervisor has: its page, or its first port."""
    key: str
    address: int


@dataclass(frozen=True)
class Cell:
    name: str
    cpus: tuple[int, ...]
    entry: int
    comm_page: int | None
    memory: tuple[Region, ...]
    shared: tuple[Use, ...]
    devices: tuple[Given, ...]
    lines: tuple[int, ...]
    ports: tuple[int, ...]
    pci: tuple[int, ...]
    console: str | None
    putc: bool
    uart: Uart | None


@dataclass(frozen=True)
class Division:
    """Of the machine's RAM."""
    linux: tuple[Span, ...]
    cells: Span
    hypervisor: Span
    cells_note: str


@dataclass(frozen=True)
class System:
    division: Division
    root_name: str
    shared: tuple[Shared, ...]
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Fragment:
    """A cell without its system: what the texts it is added to need besides is said as comments."""
    cell: Cell
    shared: tuple[Shared, ...]
    devices: tuple[Device, ...]
