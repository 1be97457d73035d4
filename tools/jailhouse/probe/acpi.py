# SPDX-License-Identifier: GPL-2.0-only
"""
ACPI's tables of numbers: what interrupt controllers, buses, timers and IOMMUs there are. Those of code (DSDT, SSDT)
are not read. Every function takes a file of /sys/firmware/acpi/tables and raises Malformed where it is none such.
Sections are those of the ACPI Specification 6.5, unless another is named.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from jailhouse.probe.raw import Bytes, Malformed

# 5.2.6: what each table begins with
_HEADER = 36
# 5.2.3.2: Generic Address Structure
SPACE_MEMORY, SPACE_IO = 0, 1
_ENABLED, _ONLINE_CAPABLE = 1, 2
_PORTS = 0x1_0000


def table(data: bytes, signature: str) -> Bytes:
    """The whole table, with its header, and nothing behind it."""
    if len(data) < _HEADER:
        raise Malformed(f"{signature}: {len(data)} bytes, and a table has {_HEADER} or more")
    named = data[:4].decode("latin-1")
    if named != signature:
        raise Malformed(f"{signature}: the table calls itself {named!r}")
    length = int.from_bytes(data[4:8], "little")
    if not _HEADER <= length <= len(data):
        raise Malformed(f"{signature}: says that it has {length} bytes, and the file has {len(data)}")
    if sum(data[:length]) & 0xff:
        raise Malformed(f"{signature}: its checksum is wrong")
    return Bytes(data[:length], signature)


def _parts(data: Bytes, at: int, wide: bool = False) -> Iterator[tuple[int, Bytes]]:
    """Structures to the table's end, each with its type and its length before it: bytes, or 16 bits each (wide)."""
    size = 2 if wide else 1
    while at < len(data):
        kind, length = data.number(at, size), data.number(at + size, size)
        if length < 2 * size:
            raise Malformed(f"{data.title}: the structure at byte {at} has length {length}")
        yield kind, data.part(at, length, f"{data.title}: structure {kind} at byte {at}")
        at += length


@dataclass(frozen=True)
class Address:
    """A Generic Address Structure. width: of the register in bits. access: 1 to 4 for 8 to 64 bits, or 0."""
    space: int
    width: int
    access: int
    address: int


def _address(data: Bytes, at: int) -> Address:
    return Address(data.u8(at), data.u8(at + 1), data.u8(at + 3), data.u64(at + 4))


# --- MADT -----------------------------------------------------------------------------

@dataclass(frozen=True)
class Cpu:
    """apic_id: or MPIDR's affinity fields. gicr and maintenance_irq: of arm64; gicr may be 0 where Gicr says it."""
    apic_id: int
    uid: int
    enabled: bool
    online_capable: bool
    gicr: int = 0
    maintenance_irq: int = 0


@dataclass(frozen=True)
class MadtIoApic:
    id: int
    address: int
    first: int			# global system interrupt of its pin 0


@dataclass(frozen=True)
class Override:
    """ISA's `irq` arrives at that global system interrupt."""
    irq: int
    gsi: int


@dataclass(frozen=True)
class Gicd:
    address: int
    version: int		# 0: not said


@dataclass(frozen=True)
class Gicr:
    address: int
    size: int


@dataclass(frozen=True)
class Its:
    id: int
    address: int


@dataclass(frozen=True)
class Madt:
    local_apic: int
    cpus: tuple[Cpu, ...]
    ioapics: tuple[MadtIoApic, ...] = ()
    overrides: tuple[Override, ...] = ()
    gicds: tuple[Gicd, ...] = ()
    gicrs: tuple[Gicr, ...] = ()
    itses: tuple[Its, ...] = ()

    def gsi(self, irq: int) -> int:
        """Where ISA's interrupt arrives."""
        return next((o.gsi for o in self.overrides if o.irq == irq), irq)


def _gicc(part: Bytes) -> Cpu:
    """5.2.12.14. Tables before ACPI 6.0 have 76 bytes of it."""
    flags = part.u32(12)
    return Cpu(part.u64(68) & 0xff_00ff_ffff, part.u32(8), bool(flags & _ENABLED), bool(flags & 8), part.u64(60),
               part.u32(56))


def _flagged(apic_id: int, uid: int, flags: int) -> Cpu:
    return Cpu(apic_id, uid, bool(flags & _ENABLED), bool(flags & _ONLINE_CAPABLE))


def madt(data: bytes) -> Madt:
    """5.2.12"""
    whole = table(data, "APIC")
    local_apic = whole.u32(36)
    cpus: list[Cpu] = []
    ioapics: list[MadtIoApic] = []
    overrides: list[Override] = []
    gicds: list[Gicd] = []
    gicrs: list[Gicr] = []
    itses: list[Its] = []
    for kind, part in _parts(whole, 44):
        if kind == 0:
            cpus.append(_flagged(part.u8(3), part.u8(2), part.u32(4)))
        elif kind == 1:
            ioapics.append(MadtIoApic(part.u8(2), part.u32(4), part.u32(8)))
        elif kind == 2:
            overrides.append(Override(part.u8(3), part.u32(4)))
        elif kind == 5:
            local_apic = part.u64(4)
        elif kind == 9:
            cpus.append(_flagged(part.u32(4), part.u32(12), part.u32(8)))
        elif kind == 0xb:
            cpus.append(_gicc(part))
        elif kind == 0xc:
            gicds.append(Gicd(part.u64(8), part.u8(20)))
        elif kind == 0xe:
            gicrs.append(Gicr(part.u64(4), part.u32(12)))
        elif kind == 0xf:
            itses.append(Its(part.u32(4), part.u64(8)))
    return Madt(local_apic, tuple(cpus), tuple(ioapics), tuple(overrides), tuple(gicds), tuple(gicrs), tuple(itses))


# --- MCFG, FADT, HPET, SPCR -----------------------------------------------------------

@dataclass(frozen=True)
class Ecam:
    """address: of bus 0, even where the first bus is another."""
    address: int
    segment: int
    first_bus: int
    last_bus: int

    @property
    def start(self) -> int:
        return self.address + (self.first_bus << 20)

    @property
    def size(self) -> int:
        return self.last_bus - self.first_bus + 1 << 20


def mcfg(data: bytes) -> tuple[Ecam, ...]:
    """PCI Firmware Specification 3.3, 4.1.2"""
    whole = table(data, "MCFG")
    found = []
    for at in range(44, len(whole), 16):
        ecam = Ecam(whole.u64(at), whole.u16(at + 8), whole.u8(at + 10), whole.u8(at + 11))
        if ecam.last_bus < ecam.first_bus:
            raise Malformed(f"MCFG: buses {ecam.first_bus} to {ecam.last_bus}")
        found.append(ecam)
    return tuple(found)


@dataclass(frozen=True)
class Fadt:
    """pm_timer: its port, 0 where there is none or it is no port. ports: of ACPI's registers."""
    sci: int
    pm_timer: int
    ports: tuple[range, ...]
    hardware_reduced: bool


# 5.2.9: (the 32-bit address, its length in bytes, the Address that replaces both)
_PM_TIMER = (76, 91, 208)
_BLOCKS = ((56, 88, 148), (60, 88, 160), (64, 89, 172), (68, 89, 184), (72, 90, 196), _PM_TIMER, (80, 92, 220),
           (84, 93, 232))
_SMI_COMMAND = 48


def _block(whole: Bytes, fields: tuple[int, int, int]) -> range:
    """Empty where the block is none or lies in memory."""
    short, length, extended = fields
    start, size = whole.u32(short), whole.u8(length)
    if len(whole) >= extended + 12 and (x := _address(whole, extended)).address:
        start = x.address if x.space == SPACE_IO else 0
    return range(start, start + size) if 0 < start and start + size <= _PORTS else range(0)


def fadt(data: bytes) -> Fadt:
    """5.2.9"""
    whole = table(data, "FACP")
    timer = _block(whole, _PM_TIMER)
    ports = [b for b in (_block(whole, fields) for fields in _BLOCKS) if b]
    command = whole.u32(_SMI_COMMAND)
    if 0 < command < _PORTS - 1:
        # with APM's status port behind it
        ports.append(range(command, command + 2))
    reduced = bool(whole.u32(112) >> 20 & 1)
    return Fadt(whole.u16(46), timer.start if timer and not reduced else 0, () if reduced else tuple(ports), reduced)


def hpet(data: bytes) -> Address:
    """IA-PC HPET Specification 1.0a, 3.2.4"""
    return _address(table(data, "HPET"), 40)


@dataclass(frozen=True)
class Spcr:
    """interface: 0, 1 and 0x12 are of the 8250's kind, 3 is a PL011. gsi: 0 where none is said."""
    interface: int
    address: Address
    gsi: int


def spcr(data: bytes) -> Spcr:
    """Microsoft's Serial Port Console Redirection Table, revision 4"""
    whole = table(data, "SPCR")
    kinds = whole.u8(52)
    return Spcr(whole.u8(36), _address(whole, 40), whole.u32(54) if kinds & ~1 else 0)


# --- DMAR -----------------------------------------------------------------------------

SCOPE_ENDPOINT, SCOPE_BRIDGE = 1, 2


@dataclass(frozen=True)
class Scope:
    """path: (device, function) from `bus` on, through bridges to the last."""
    kind: int
    bus: int
    path: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Drhd:
    segment: int
    address: int
    size: int
    rest: bool			# it has all functions that no other has
    scopes: tuple[Scope, ...]


@dataclass(frozen=True)
class Rmrr:
    """Memory that firmware's use of those devices needs. end: the last byte."""
    segment: int
    start: int
    end: int
    scopes: tuple[Scope, ...]


@dataclass(frozen=True)
class Dmar:
    units: tuple[Drhd, ...]
    reserved: tuple[Rmrr, ...]


def _scopes(part: Bytes, at: int) -> tuple[Scope, ...]:
    """VT-d Specification 4.1, 8.3.1"""
    found = []
    while at < len(part):
        length = part.u8(at + 1)
        if length < 6 or length % 2:
            raise Malformed(f"{part.title}: a device scope has length {length}")
        scope = part.part(at, length)
        path = tuple((scope.u8(p), scope.u8(p + 1)) for p in range(6, length, 2))
        found.append(Scope(scope.u8(0), scope.u8(5), path))
        at += length
    return tuple(found)


def dmar(data: bytes) -> Dmar:
    """VT-d Specification 4.1, 8.1"""
    units, reserved = [], []
    for kind, part in _parts(table(data, "DMAR"), 48, wide=True):
        if kind == 0:
            units.append(Drhd(part.u16(6), part.u64(8), 4096 << (part.u8(5) & 0xf), bool(part.u8(4) & 1),
                              _scopes(part, 16)))
        elif kind == 1:
            reserved.append(Rmrr(part.u16(6), part.u64(8), part.u64(16), _scopes(part, 24)))
    return Dmar(tuple(units), tuple(reserved))


# --- IVRS -----------------------------------------------------------------------------

@dataclass(frozen=True)
class Ivhd:
    """An IOMMU, which is PCI function `id`; functions: those whose DMA it translates, all where there are none."""
    kind: int
    id: int
    address: int
    segment: int
    functions: tuple[range, ...]


@dataclass(frozen=True)
class Ivmd:
    """Memory that those functions' DMA needs as it is."""
    functions: range
    start: int
    size: int


@dataclass(frozen=True)
class Ivrs:
    units: tuple[Ivhd, ...]
    reserved: tuple[Ivmd, ...]


_IVHD = {0x10: 24, 0x11: 40, 0x40: 40}		# where the entries of each type begin
_IVMD = {0x20, 0x21, 0x22}
_ALL_FUNCTIONS = range(0x1_0000)


def _entry_size(part: Bytes, at: int) -> int:
    """AMD I/O Virtualization Technology 3.08, 5.2.2.1: by the type's upper two bits, but for HIDs of ACPI."""
    kind = part.u8(at)
    return 22 + part.u8(at + 21) if kind == 0xf0 else 4 << (kind >> 6)


def _ivhd_functions(part: Bytes, at: int) -> tuple[range, ...]:
    found: list[range] = []
    first: int | None = None
    while at < len(part):
        size = _entry_size(part, at)
        entry = part.part(at, size)
        kind, function = entry.u8(0), entry.u16(1)
        if kind == 1:
            found.append(_ALL_FUNCTIONS)
        elif kind in (2, 0x42, 0x46, 0xf0):
            found.append(range(function, function + 1))
        elif kind in (3, 0x43, 0x47):
            first = function
        elif kind == 4 and first is not None:
            found.append(range(first, function + 1))
            first = None
        at += size
    return tuple(f for f in found if f)


def ivrs(data: bytes) -> Ivrs:
    """AMD I/O Virtualization Technology 3.08, 5.2. An IOMMU is there once: the newest block that says it."""
    units: dict[tuple[int, int], Ivhd] = {}
    reserved = []
    whole = table(data, "IVRS")
    at = 48
    while at < len(whole):
        kind, length = whole.u8(at), whole.u16(at + 2)
        if length < 4:
            raise Malformed(f"IVRS: the block at byte {at} has length {length}")
        part = whole.part(at, length, f"IVRS: block {kind:#x} at byte {at}")
        if kind in _IVHD:
            unit = Ivhd(kind, part.u16(4), part.u64(8), part.u16(16), _ivhd_functions(part, _IVHD[kind]))
            key = (unit.segment, unit.id)
            if key not in units or units[key].kind < kind:
                units[key] = unit
        elif kind in _IVMD:
            first = part.u16(4)
            functions = {0x20: _ALL_FUNCTIONS, 0x21: range(first, first + 1), 0x22: range(first, part.u16(6) + 1)}
            reserved.append(Ivmd(functions[kind], part.u64(16), part.u64(24)))
        at += length
    return Ivrs(tuple(units.values()), tuple(reserved))


# --- GTDT, IORT -----------------------------------------------------------------------

@dataclass(frozen=True)
class TimerFrame:
    """A memory-mapped timer's frame, or a watchdog's. second: 0 where there is none."""
    name: str
    first: int
    second: int
    interrupts: tuple[int, ...]


@dataclass(frozen=True)
class Gtdt:
    control: int			# CNTCTLBase of the memory-mapped timers, 0 where there are none
    frames: tuple[TimerFrame, ...]


_NOWHERE = (1 << 64) - 1


def gtdt(data: bytes) -> Gtdt:
    """5.2.25. The CPUs' own timers are not in what is returned."""
    whole = table(data, "GTDT")
    count, at = whole.u32(88), whole.u32(92)
    control = 0
    frames = []
    for _ in range(min(count, len(whole))):
        kind, length = whole.u8(at), whole.u16(at + 1)
        if length < 4 or at < 96:
            raise Malformed(f"GTDT: the timer at byte {at} has length {length}")
        part = whole.part(at, length, f"GTDT: timer at byte {at}")
        if kind == 0:
            control = part.u64(4)
            frames += [_timer(part, part.u32(16) + 40 * n) for n in range(min(part.u32(12), 8))]
        elif kind == 1:
            frames.append(TimerFrame("watchdog", part.u64(4), part.u64(12), (part.u32(20),)))
        at += length
    return Gtdt(control, tuple(frames))


def _timer(part: Bytes, at: int) -> TimerFrame:
    physical, second = part.u32(at + 20), part.u64(at + 12)
    virtual = part.u32(at + 28)
    return TimerFrame("timer", part.u64(at + 4), 0 if second == _NOWHERE else second,
                      tuple(n for n in (physical, virtual) if n))


@dataclass(frozen=True)
class Mapping:
    """Ids from `first` on become those of the node at `to`, from `output` on. single: whatever id there is."""
    first: int
    count: int
    output: int
    to: int
    single: bool


@dataclass(frozen=True)
class Node:
    """at: by which mappings name it. kind: as IORT_*. interrupts: of an SMMU, those that it says."""
    at: int
    kind: int
    address: int
    size: int
    segment: int
    name: str
    interrupts: tuple[int, ...]
    mappings: tuple[Mapping, ...]


IORT_ITS, IORT_NAMED, IORT_ROOT, IORT_SMMU, IORT_SMMUV3, IORT_PMCG = range(6)
_MAPPINGS_MAX = 4096


def _mappings(part: Bytes, count: int, at: int) -> tuple[Mapping, ...]:
    if count > _MAPPINGS_MAX:
        raise Malformed(f"{part.title}: {count} mappings of ids")
    return tuple(Mapping(part.u32(p), part.u32(p + 4) + 1, part.u32(p + 8), part.u32(p + 12),
                         bool(part.u32(p + 16) & 1)) for p in range(at, at + 20 * count, 20))


def _smmu_interrupts(part: Bytes) -> tuple[int, ...]:
    """Of an SMMUv1 or v2: global ones, then its contexts'; each with flags of 32 bits behind it."""
    both, count, at = part.u32(40), part.u32(44), part.u32(48)
    if count > len(part):
        raise Malformed(f"{part.title}: {count} interrupts")
    # the global ones are always two, of which the second may be 0
    numbers = [part.u32(both), part.u32(both + 8)]
    numbers += [part.u32(at + 8 * n) for n in range(count)]
    return tuple(dict.fromkeys(n for n in numbers if n))


def _node(part: Bytes, at: int) -> Node:
    """Arm's IO Remapping Table, DEN 0049E.e"""
    kind = part.u8(0)
    mappings = _mappings(part, part.u32(8), part.u32(12))
    address = size = segment = 0
    name = ""
    interrupts: tuple[int, ...] = ()
    if kind == IORT_NAMED:
        name = part.data[29:].split(b"\0")[0].decode("latin-1")
    elif kind == IORT_ROOT:
        segment = part.u32(28)
    elif kind == IORT_SMMU:
        address, size, interrupts = part.u64(16), part.u64(24), _smmu_interrupts(part)
    elif kind == IORT_SMMUV3:
        address, size = part.u64(16), 0x2_0000
        interrupts = tuple(dict.fromkeys(n for n in (part.u32(a) for a in range(44, 60, 4)) if n))
    elif kind == IORT_PMCG:
        address, size = part.u64(16), 0x1000
        interrupts = tuple(n for n in (part.u32(24),) if n)
    return Node(at, kind, address, size, segment, name, interrupts, mappings)


def iort(data: bytes) -> tuple[Node, ...]:
    whole = table(data, "IORT")
    count, at = whole.u32(36), whole.u32(40)
    nodes = []
    for _ in range(min(count, len(whole))):
        length = whole.u16(at + 1)
        if length < 16 or at < 48:
            raise Malformed(f"IORT: the node at byte {at} has length {length}")
        nodes.append(_node(whole.part(at, length, f"IORT: node at byte {at}"), at))
        at += length
    return tuple(nodes)
