# SPDX-License-Identifier: GPL-2.0-only
"""The interrupt controller: a GICv3, its frames, and which interrupts of its arrive for whom."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from jailhouse.config.arch_arm64 import FRAME, REDISTRIBUTOR, SPI_FIRST, SPIS_MAX
from jailhouse.config.arches import ARCHES
from jailhouse.config.model import Span
from jailhouse.probe.description import Refused
from jailhouse.probe.facts import Facts
from jailhouse.probe.tree import Flaw, Node, Tree
from jailhouse.probe.tree_bus import Buses, is_pci
from jailhouse.probe.tree_interrupts import Interrupt, Interrupts

_PPI_FIRST, _PPIS = 16, 16
_ESPI_FIRST = 4096
_TYPE_SPI, _TYPE_PPI, _TYPE_ESPI = 0, 1, 2	# first cell of an interrupt of a GIC's
_SPECIFIER = 3
_EDGE = 3			# third cell: rising or falling
_END = 1 << ARCHES["arm64"].address_bits
_STRIDES = (0, REDISTRIBUTOR, 2 * REDISTRIBUTOR)	# without and with virtual LPIs
_REGIONS_MAX = 64

_V3 = "arm,gic-v3"
_V2 = {"arm,gic-400", "arm,cortex-a15-gic", "arm,cortex-a7-gic", "arm,cortex-a9-gic", "arm,pl390", "arm,gic-v2",
       "qcom,msm-qgic2", "qcom,msm-8660-qgic", "arm,arm11mp-gic", "arm,eb11mp-gic"}
_SPIS = re.compile(r"\bGICv3: ([0-9]{1,4}) SPIs implemented")


@dataclass(frozen=True)
class Controller:
    node: Node
    gicd: Span
    gicr: Span
    maintenance_irq: int
    notes: tuple[str, ...]


def find_gic(tree: Tree, buses: Buses, interrupts: Interrupts, cpu_count: int) -> Controller:
    node = _gic_node(tree)
    title = f"{tree.source}: {node.path}"
    spans = buses.registers(node).spans
    notes: list[str] = []
    try:
        regions = node.number("#redistributor-regions", 1)
        stride = node.cells("redistributor-stride")
    except Flaw as flaw:
        raise _unlike(title, str(flaw)) from flaw
    if not 1 <= regions <= _REGIONS_MAX or len(spans) <= regions or None in spans[:regions + 1]:
        raise _unlike(title, "`reg` does not have the distributor and the redistributors, where CPUs reach them")
    frames = [_frames(title, node.path, span, notes) for span in spans[:regions + 1] if span is not None]
    if stride and stride[-1] not in _STRIDES:
        raise Refused(f"{title}: a redistributor every {stride[-1]:#x} bytes is not served", "the hypervisor looks for "
                      "them every 128 KiB, or 256 KiB where they have virtual LPIs", "use another machine")
    gicr = _joined(title, frames[1:])
    if frames[0].overlaps(gicr) or max(frames[0].end, gicr.end) > _END:
        raise _unlike(title, f"{frames[0]} and {gicr} overlap, or are above every address of a CPU's")
    if gicr.size < cpu_count * REDISTRIBUTOR:
        raise _unlike(title, f"{gicr} has no room for the redistributors of {cpu_count} CPUs")
    return Controller(node, frames[0], gicr, _maintenance(title, node, interrupts), tuple(notes))


def _unlike(title: str, why: str) -> Refused:
    return Refused(f"{title}: the GIC cannot be described", why, "correct the tree from the board's manual, or write "
                   "the machine text by hand")


def _gic_node(tree: Tree) -> Node:
    """By whatever name it comes; what there is instead is named."""
    found = [n for n in tree.nodes() if n.enabled and n.has("interrupt-controller")]
    gics = [n for n in found if _V3 in n.compatible]
    if len(gics) > 1:
        raise Refused(f"{tree.source}: there are {len(gics)} GICv3: " + ", ".join(n.path for n in gics),
                      "the hypervisor serves one",
                      "disable the others in the tree if the CPUs have nothing to do with them")
    if gics:
        return gics[0]
    older = next((n for n in found if _V2.intersection(n.compatible)), None)
    fix = "use a machine with a GICv3"
    if older is not None:
        raise Refused(f"{tree.source}: {older.compatible[0]}: a GICv2 is not served",
                      "the hypervisor knows how to give parts of a GICv3 away, and of nothing else", fix)
    named = found[0].compatible[0] if found and found[0].compatible else None
    raise Refused(f"{tree.source}: the machine has no GICv3", f"its interrupt controller is {named}" if named else
                  "the tree has no enabled interrupt controller that is compatible with arm,gic-v3", fix)


def _frames(title: str, path: str, span: Span, notes: list[str]) -> Span:
    if span.start % FRAME:
        raise _unlike(title, f"{span} does not begin at a multiple of 64 KiB, as frames of a GICv3 do")
    size = -(-span.size // FRAME) * FRAME
    if size != span.size:
        notes.append(f"{path}: {span} taken as {size:#x} bytes: frames of a GICv3 have 64 KiB")
    return Span(span.start, size)


def _joined(title: str, regions: list[Span]) -> Span:
    regions = sorted(regions, key=lambda span: span.start)
    for before, after in zip(regions, regions[1:], strict=False):
        if before.end != after.start:
            raise Refused(f"{title}: the redistributors are in {len(regions)} places, {before} and {after} among them",
                          "the hypervisor serves those that follow one another", "use another machine")
    return Span(regions[0].start, regions[-1].end - regions[0].start)


def _maintenance(title: str, node: Node, interrupts: Interrupts) -> int:
    try:
        own = next(interrupts.of(node), None)
    except Flaw as flaw:
        raise _unlike(title, str(flaw)) from flaw
    if own is None or len(own.cells) < _SPECIFIER or own.cells[0] != _TYPE_PPI or own.cells[1] >= _PPIS:
        raise _unlike(title, "it does not say a PPI as its maintenance interrupt (`interrupts`), by which the "
                      "hypervisor learns that a guest has handled what was injected")
    return own.cells[1] + _PPI_FIRST


def spi_of(interrupt: Interrupt, gic: Node, interrupts: Interrupts) -> int | None:
    """
    The INTID, if it is an SPI of the GIC's, whether or not it has that many. A controller that stands between and says
    a line as the GIC does, having none of its own (which wake a CPU, or invert a line), hands it on under the same
    number.
    """
    between = interrupt.controller is not gic
    if between and not _hands_on(interrupt.controller, gic, interrupts):
        return None
    first = {_TYPE_SPI: SPI_FIRST, _TYPE_ESPI: _ESPI_FIRST}.get(interrupt.cells[0])
    return first + interrupt.cells[1] if first is not None and len(interrupt.cells) >= _SPECIFIER else None


def _hands_on(node: Node, gic: Node, interrupts: Interrupts) -> bool:
    if node.has("interrupts") or node.has("interrupts-extended") or node.number("#interrupt-cells") != _SPECIFIER:
        return False
    try:
        return interrupts.parent(node) is gic
    except Flaw:
        return False


def find_lines(tree: Tree, controller: Controller, interrupts: Interrupts, facts: Facts, notes: list[str]) -> range:
    """The SPIs that the GIC has: as the kernel's log says, else as many as hold the highest that the tree names."""
    said = _SPIS.search(facts.text("dmesg.txt") or "")
    if said and 1 <= int(said.group(1)) <= SPIS_MAX:
        return range(SPI_FIRST, SPI_FIRST + int(said.group(1)))
    highest = max((spi for node in tree.nodes() if node.enabled for spi, _ in spis_of(node, controller, interrupts, [])
                   if spi < SPI_FIRST + SPIS_MAX), default=SPI_FIRST)
    end = min((highest // 32 + 1) * 32, SPI_FIRST + SPIS_MAX)
    notes.append(f"how many SPIs the GIC has is not known: {end - SPI_FIRST} hold the highest that the tree names; the "
                 "kernel's log has the number (GICv3: ... SPIs implemented)")
    return range(SPI_FIRST, end)


def spis_of(node: Node, controller: Controller, interrupts: Interrupts, notes: list[str]) -> Iterator[tuple[int, bool]]:
    """INTIDs, and whether each is an edge. Interrupts of its CPU go with the CPU, others' are needs."""
    has_map = is_pci(node) and node.has("interrupt-map")
    for arrivals in (interrupts.of(node), interrupts.of_map(node) if has_map else ()):
        try:
            for interrupt in arrivals:
                spi = spi_of(interrupt, controller.node, interrupts)
                if spi is not None:
                    yield spi, bool(interrupt.cells[2] & _EDGE)
        except Flaw as flaw:
            notes.append(str(flaw))
