# SPDX-License-Identifier: GPL-2.0-only
"""PCI functions as devices, and which IOMMU has their DMA."""

from collections.abc import Iterable
from dataclasses import dataclass

from jailhouse.config.model import Span
from jailhouse.config.spans import as_range
from jailhouse.config.units import PAGE, function_text
from jailhouse.probe import acpi
from jailhouse.probe.board import Board, Draft
from jailhouse.probe.description import Streams
from jailhouse.probe.facts import Facts
from jailhouse.probe.pci import Function, Resource, is_rom, parse_address, parse_config, parse_resources
from jailhouse.probe.raw import Malformed

# PCI Code and ID Assignment Specification 1.11: class and subclass -> what people say
_CLASSES = {
    0x0100: "scsi", 0x0101: "ide", 0x0104: "raid", 0x0105: "ata", 0x0106: "sata", 0x0107: "sas", 0x0108: "nvme",
    0x0200: "ethernet", 0x0280: "network", 0x0300: "vga", 0x0302: "gpu", 0x0380: "display", 0x0400: "video",
    0x0401: "audio", 0x0403: "audio", 0x0500: "memory", 0x0580: "memory", 0x0700: "serial", 0x0701: "parallel",
    0x0703: "modem", 0x0780: "comm", 0x0801: "dma", 0x0802: "timer", 0x0803: "rtc", 0x0805: "sdhci", 0x0880: "system",
    0x0c00: "firewire", 0x0c03: "usb", 0x0c04: "fc", 0x0c05: "smbus", 0x0c07: "ipmi", 0x0c09: "can", 0x0c80: "spi",
    0x0d00: "irda", 0x0d11: "bluetooth", 0x1000: "crypto", 0x1080: "crypto", 0x1101: "counter", 0x1180: "signal",
    0x1200: "accelerator",
}
_BASES = {0x00: "old", 0x01: "storage", 0x02: "network", 0x03: "display", 0x04: "media", 0x05: "memory", 0x07: "comm",
          0x08: "system", 0x09: "input", 0x0b: "processor", 0x0c: "bus", 0x0d: "wireless", 0x10: "crypto",
          0x11: "signal", 0x12: "accelerator"}
# Bridges, interrupt controllers and IOMMUs: what others depend on
_KEPT = {0x0600, 0x0601, 0x0602, 0x0603, 0x0604, 0x0605, 0x0607, 0x0608, 0x0609, 0x060a, 0x0800, 0x0806}
# They have no DMA to do, unless they are found to
_NO_DMA = {0x0500, 0x0580, 0x0700, 0x0701, 0x0c05, 0x0800, 0x1180}
_UART_16550, _UART_PORTS = 2, 8
_SUBTRACTIVE = 1


@dataclass(frozen=True)
class Found:
    """A function with what Linux says of it. bdf: within its segment. msi: Linux has it interrupt by MSI or MSI-X."""
    name: str			# Linux's: "0000:00:1f.2"
    segment: int
    bdf: int
    function: Function
    resources: tuple[Resource, ...]
    id: str
    driver: str
    group: int | None
    irq: int
    msi: bool

    @property
    def kept(self) -> bool:
        """Not to be given away."""
        return self.function.kind in _KEPT or self.function.bridge is not None

    @property
    def spans(self) -> list[Span]:
        """Of its BARs in memory."""
        return [Span(r.start, r.size) for r in self.resources if not (r.io or r.unset or is_rom(r))]

    @property
    def class_name(self) -> str:
        return _CLASSES.get(self.function.kind, _BASES.get(self.function.kind >> 8, "pci"))


def read_functions(facts: Facts, notes: list[str]) -> tuple[Found, ...]:
    folder = "sys/bus/pci/devices"
    found = []
    for name in facts.names(folder):
        address = parse_address(name)
        if address is None:
            continue
        try:
            found.append(_read(facts, f"{folder}/{name}", name, address))
        except Malformed as error:
            notes.append(f"PCI function {name} is left out: {error}")
    return tuple(found)


def _read(facts: Facts, path: str, name: str, address: tuple[int, int]) -> Found:
    function = parse_config(facts.read(f"{path}/config") or b"")
    group = facts.link(f"{path}/iommu_group") or ""
    irq = facts.word(f"{path}/irq")
    vendor, device = (facts.word(f"{path}/{which}")[2:6] for which in ("vendor", "device"))
    return Found(name, *address, function, parse_resources(facts.text(f"{path}/resource") or ""),
                 f"{vendor}:{device}" if function.virtual else function.id, facts.link(f"{path}/driver") or "",
                 int(group) if group.isdecimal() else None, int(irq) if irq.isdecimal() else 0,
                 bool(facts.names(f"{path}/msi_irqs")))


# --- IOMMUs ---------------------------------------------------------------------------

@dataclass(frozen=True)
class Iommu:
    """functions: those that it has; rest: and those that no other has."""
    name: str
    kind: str
    span: Span
    functions: tuple[range, ...]
    rest: bool


@dataclass(frozen=True)
class Iommus:
    """reserved: (functions, memory that firmware needs their DMA to reach)"""
    units: tuple[Iommu, ...]
    reserved: tuple[tuple[tuple[range, ...], Span], ...]

    def of(self, bdf: int) -> Iommu | None:
        exact = (u for u in self.units if any(bdf in f for f in u.functions))
        return next(exact, None) or next((u for u in self.units if u.rest), None)


def _resolve(scope: acpi.Scope, functions: dict[int, Found]) -> list[range]:
    """What a path of bridges leads to; nothing where it is interrupted."""
    bus = scope.bus
    for device, number in scope.path[:-1]:
        bridge = functions.get(bus << 8 | device << 3 | number)
        if bridge is None or bridge.function.bridge is None:
            return []
        bus = bridge.function.bridge.secondary
    if not scope.path or scope.kind not in (acpi.SCOPE_ENDPOINT, acpi.SCOPE_BRIDGE):
        return []
    device, number = scope.path[-1]
    bdf = bus << 8 | (device & 0x1f) << 3 | number & 7
    last = functions.get(bdf)
    found = [range(bdf, bdf + 1)]
    if scope.kind == acpi.SCOPE_BRIDGE and last and last.function.bridge:
        found.append(range(last.function.bridge.secondary << 8, last.function.bridge.subordinate + 1 << 8))
    return found


def find_iommus(dmar: acpi.Dmar | None, ivrs: acpi.Ivrs | None, functions: Iterable[Found],
                sizes: dict[int, int]) -> Iommus:
    """sizes: of what /proc/iomem shows from an address on."""
    known = {f.bdf: f for f in functions if f.segment == 0}
    units, reserved = [], []
    for drhd in dmar.units if dmar else ():
        if drhd.segment == 0:
            exact = tuple(r for s in drhd.scopes for r in _resolve(s, known))
            units.append(("vt-d", drhd.address, drhd.size, exact, drhd.rest))
    for rmrr in dmar.reserved if dmar else ():
        if rmrr.segment == 0 and rmrr.end >= rmrr.start:
            reserved.append((tuple(r for s in rmrr.scopes for r in _resolve(s, known)),
                             Span(rmrr.start, rmrr.end - rmrr.start + 1)))
    for ivhd in ivrs.units if ivrs else ():
        if ivhd.segment == 0:
            # AMD I/O Virtualization Technology 3.08, 3.4: 16K, or 512K with counters
            units.append(("amd-vi", ivhd.address, 0x4000, ivhd.functions, not ivhd.functions))
    reserved += [((m.functions,), Span(m.start, m.size)) for m in ivrs.reserved] if ivrs else []
    names = ["iommu"] if len(units) == 1 else [f"iommu{n}" for n in range(len(units))]
    return Iommus(tuple(Iommu(name, kind, Span(address, max(size, sizes.get(address, 0))), exact, rest)
                        for name, (kind, address, size, exact, rest) in zip(names, units, strict=True)),
                  tuple(reserved))


# --- devices --------------------------------------------------------------------------

def add_function(board: Board, found: Found, iommus: Iommus, bridges: dict[int, Found]) -> None:
    """One of segment 0 that is not kept. bridges: of segment 0, by the bus behind each."""
    function = found.function
    place = function_text(found.bdf).replace(":", "-").replace(".", "-")
    words = [found.id, f"class {function.kind:04x}", found.class_name]
    draft = board.new(f"{found.class_name}-{place}",
                      ", ".join([*words, f"driver {found.driver}" if found.driver else "no driver"]))
    draft.functions = (found.bdf,)
    draft.group = found.group
    draft.dma = function.master or function.kind not in _NO_DMA
    unit = iommus.of(found.bdf) if draft.dma else None
    if unit:
        draft.streams = (Streams(unit.name, (range(found.bdf, found.bdf + 1),)),)
    for resource in found.resources:
        _add_resource(board, draft, resource)
    if function.kind == 0x0700 and function.interface == _UART_16550 and not draft.registers and \
            [len(p) for p in draft.ports] == [_UART_PORTS]:
        draft.uart = "8250"
    _note_interrupts(draft, found)
    _note_state(draft, found)
    _note_bridge(draft, found, bridges.get(found.bdf >> 8))
    for ranges, span in iommus.reserved:
        if any(found.bdf in r for r in ranges):
            draft.note(f"firmware wants its DMA to reach {span}")


def _add_resource(board: Board, draft: Draft, resource: Resource) -> None:
    span = Span(resource.start, resource.size)
    if is_rom(resource):
        if not resource.unset:
            draft.note(f"its option ROM {span} is left out")
    elif resource.unset:
        draft.note(f"BAR {resource.index} ({span.size:#x} bytes) has no address")
    elif resource.io:
        parts = board.give_ports(draft, as_range(span)) if span.end <= 0x1_0000 else []
        if parts != [as_range(span)]:
            draft.note(f"BAR {resource.index}, ports {span.start:#x}-{span.end - 1:#x}: not all of them are its own")
    elif board.give_registers(draft, f"bar{resource.index}", span) != [span]:
        draft.note(f"BAR {resource.index}, {span}: not all of it is its own")


def _note_interrupts(draft: Draft, found: Found) -> None:
    function = found.function
    if not function.whole:
        draft.note("whether it has MSI was not to be seen: gather the facts as root")
    elif not function.msi and function.msix is None and function.pin:
        draft.note(f"no MSI: it interrupts by INT{chr(ord('A') + (function.pin - 1) % 4)} only, which cells do not get")
    table = function.msix
    bars = {r.index: r for r in found.resources}
    if table is not None:
        bar = bars.get(table.bar)
        if bar is None or bar.io or bar.unset or table.offset + table.size > bar.size:
            draft.note(f"its MSI-X table lies in BAR {table.bar} at {table.offset:#x}, where it has no registers")


def _note_state(draft: Draft, found: Found) -> None:
    function = found.function
    used = [r for r in found.resources if not (r.unset or is_rom(r))]
    if not function.virtual and any(not (function.decodes_io if r.io else function.decodes_memory) for r in used):
        draft.note("disabled: its BARs do not answer until a driver enables it")
    registers = {b.index: b for b in function.bars}
    for resource in used:
        bar = registers.get(resource.index)
        if bar and (bar.address, bar.io) != (resource.start, resource.io):
            draft.note(f"BAR {bar.index} reads {bar.address:#x}, and Linux has it at {resource.start:#x}")


def _note_bridge(draft: Draft, found: Found, above: Found | None) -> None:
    """A bridge passes on what is in its windows, unless it takes all that nobody else does."""
    if above is None or above.function.bridge is None or above.function.interface == _SUBTRACTIVE:
        return
    for span in found.spans:
        if not any(w.start <= span.start and span.end <= w.stop for w in above.function.bridge.windows):
            draft.note(f"{span} is in no window of its bridge {function_text(above.bdf)}")


def note_shared_pages(drafts: Iterable[Draft]) -> None:
    """Pages go to one owner; so registers on a common one go together."""
    owners: dict[int, dict[str, Draft]] = {}
    for draft in drafts:
        for piece in draft.registers:
            for page in {piece.span.start // PAGE, (piece.span.end - 1) // PAGE}:
                owners.setdefault(page, {})[draft.name] = draft
    for page, sharing in owners.items():
        for draft in sharing.values() if len(sharing) > 1 else ():
            others = ", ".join(n for n in sharing if n != draft.name)
            if draft.functions:
                draft.note(f"shares the page {page * PAGE:#x} with {others}")
