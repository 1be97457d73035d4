# SPDX-License-Identifier: GPL-2.0-only
"""
A PCI function as its configuration space and Linux's `resource` file show it. Sections are those of the PCI Express
Base Specification 6.0, unless another is named.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from jailhouse.probe.raw import Bytes, Malformed

# What a reader without privileges gets of a configuration space
HEADER_SIZE = 64
_CAP_MSI, _CAP_MSIX = 0x05, 0x11
_COMMAND_IO, _COMMAND_MEMORY, _COMMAND_MASTER = 1, 2, 4
_STATUS_CAPABILITIES = 0x10
_BARS = {0: 6, 1: 2, 2: 1}		# of each type of header
_VENDOR_NONE = 0xffff
_ROM = 6				# in a `resource` file: behind the six BARs
_RESOURCES_MAX = 32

# Linux's include/linux/ioport.h
_IO, _MEM, _ROM_SHADOW = 0x100, 0x200, 2
_UNSET, _DISABLED = 0x2000_0000, 0x1000_0000

_ADDRESS = re.compile(r"([0-9a-f]{4,8}):([0-9a-f]{2}):([01][0-9a-f])\.([0-7])", re.ASCII)
_RESOURCE = re.compile(r"0x([0-9a-f]{1,16}) 0x([0-9a-f]{1,16}) 0x([0-9a-f]{1,16})", re.ASCII)


def parse_address(name: str) -> tuple[int, int] | None:
    """"0000:00:1f.2" -> segment and bus << 8 | device << 3 | function, or None."""
    found = _ADDRESS.fullmatch(name)
    if found is None:
        return None
    segment, bus, device, function = (int(digits, 16) for digits in found.groups())
    return segment, bus << 8 | device << 3 | function


@dataclass(frozen=True)
class Bar:
    """As the register says it; its size is in a Resource."""
    index: int
    io: bool
    wide: bool			# 64 bits: the next BAR is its upper half
    prefetchable: bool
    address: int


@dataclass(frozen=True)
class Resource:
    """What Linux gave a BAR. index: of the BAR, or _ROM. unset: it has no place."""
    index: int
    start: int
    size: int
    io: bool
    unset: bool


@dataclass(frozen=True)
class Msix:
    """Where the table lies: that far into BAR `bar`."""
    vectors: int
    bar: int
    offset: int

    @property
    def size(self) -> int:
        return 16 * self.vectors


@dataclass(frozen=True)
class Bridge:
    """windows: memory that it passes on, the last address included."""
    secondary: int
    subordinate: int
    windows: tuple[range, ...]


@dataclass(frozen=True)
class Function:
    """
    kind: base class << 8 | subclass. pin: 1 to 4 for INTA to INTD, or 0. whole: the capabilities could be read.
    virtual: an SR-IOV function, whose BARs are in its `resource` file alone.
    """
    vendor: int
    device: int
    kind: int
    interface: int
    decodes_io: bool
    decodes_memory: bool
    master: bool
    pin: int
    bars: tuple[Bar, ...]
    whole: bool
    msi: bool = False
    msix: Msix | None = None
    bridge: Bridge | None = None
    virtual: bool = False

    @property
    def id(self) -> str:
        return f"{self.vendor:04x}:{self.device:04x}"


def _bars(config: Bytes, count: int) -> Iterator[Bar]:
    """7.5.1.2.1"""
    index = 0
    while index < count:
        low = config.u32(0x10 + 4 * index)
        io = bool(low & 1)
        wide = not io and low >> 1 & 3 == 2 and index + 1 < count
        address = low & (~3 if io else ~0xf)
        if wide:
            address |= config.u32(0x14 + 4 * index) << 32
        if low:
            yield Bar(index, io, wide, not io and bool(low & 8), address)
        index += 2 if wide else 1


def _capabilities(config: Bytes) -> dict[int, Bytes]:
    """The first of each kind, to the end of the space. A list that does not end is cut where it comes again."""
    found: dict[int, Bytes] = {}
    seen: set[int] = set()
    at = config.u8(0x34) & ~3
    while at >= HEADER_SIZE and at not in seen:
        seen.add(at)
        part = config.part(at, 256 - at)
        found.setdefault(part.u8(0), part)
        at = part.u8(1) & ~3
    return found


def _msix(part: Bytes) -> Msix:
    """7.7.2"""
    table = part.u32(4)
    return Msix((part.u16(2) & 0x7ff) + 1, table & 7, table & ~7)


def _bridge(config: Bytes) -> Bridge:
    """7.5.1.3. A base above its limit is a window that is closed."""
    memory = range((config.u16(0x20) & 0xfff0) << 16, (config.u16(0x22) & 0xfff0) + 0x10 << 16)
    base, limit = config.u16(0x24), config.u16(0x26)
    start, end = (base & 0xfff0) << 16, (limit & 0xfff0) + 0x10 << 16
    if base & 0xf == 1:
        start, end = start | config.u32(0x28) << 32, end + (config.u32(0x2c) << 32)
    return Bridge(config.u8(0x19), config.u8(0x1a), tuple(w for w in (memory, range(start, end)) if w))


def parse_config(data: bytes) -> Function:
    """A `config` file: 64 bytes of it, or 256 or more. Malformed if nobody answered there, or it is no header."""
    config = Bytes(data, "configuration space")
    config.part(0, HEADER_SIZE)
    vendor, header = config.u16(0), config.u8(0x0e) & 0x7f
    virtual = vendor == _VENDOR_NONE and config.u32(0x08) not in (0, 0xffff_ffff)
    if vendor == _VENDOR_NONE and not virtual:
        raise Malformed("configuration space: all ones, so nothing answers there")
    if header not in _BARS:
        raise Malformed(f"configuration space: a header of type {header}")
    command = config.u16(4)
    whole = len(data) >= 256
    listed = whole and config.u16(6) & _STATUS_CAPABILITIES
    capabilities = _capabilities(config) if listed else {}
    msix = capabilities.get(_CAP_MSIX)
    return Function(
        vendor=vendor, device=config.u16(2), kind=config.u16(0x0a), interface=config.u8(0x09),
        decodes_io=bool(command & _COMMAND_IO), decodes_memory=bool(command & _COMMAND_MEMORY),
        master=bool(command & _COMMAND_MASTER), pin=config.u8(0x3d), bars=tuple(_bars(config, _BARS[header])),
        whole=whole, msi=_CAP_MSI in capabilities, msix=_msix(msix) if msix else None,
        bridge=_bridge(config) if header == 1 else None, virtual=virtual)


def parse_resources(text: str) -> tuple[Resource, ...]:
    """A `resource` file: the BARs and the option ROM that have a size. What stands behind them is left out."""
    found = []
    for index, line in enumerate(text.splitlines()[:_RESOURCES_MAX]):
        fields = _RESOURCE.fullmatch(line.strip())
        if fields is None:
            raise Malformed(f"resource: line {index + 1} is {line[:80]!r}")
        start, end, flags = (int(digits, 16) for digits in fields.groups())
        if index > _ROM or not flags & (_IO | _MEM) or index == _ROM and flags & _ROM_SHADOW:
            continue
        if end < start:
            raise Malformed(f"resource: line {index + 1} ends before it starts")
        found.append(Resource(index, start, end - start + 1, bool(flags & _IO),
                              bool(flags & (_UNSET | _DISABLED)) or start == 0))
    return tuple(found)


def is_rom(resource: Resource) -> bool:
    return resource.index == _ROM
