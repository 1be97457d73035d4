# SPDX-License-Identifier: GPL-2.0-only
"""
Which nodes have registers, and which of them are one device.

The address space is divided by its registers: one address belongs to one device. Where nodes have the same, they become
one device with the registers, interrupts and needs of all: the outermost node of the tree if the others are below it,
else the one with the most registers. A system controller with its functions below it is such a device, and so are two
drivers' views of one block. A node without `compatible` is nobody's device by itself and belongs to what it is below.

A bus whose `reg` contains that of its children says its window there, and no registers of its own: it is no device.

What lies on a page with RAM or with the GIC can be nobody's device, since devices are given away in pages.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from jailhouse.config.arches import ARCHES
from jailhouse.config.model import Span
from jailhouse.probe.description import Piece
from jailhouse.config.spans import merged, overlapping
from jailhouse.probe.tree import Flaw, Node, Tree
from jailhouse.probe.tree_bus import Buses, Registers, is_pci

_END = 1 << ARCHES["arm64"].address_bits
_BUSES = {"simple-bus", "simple-pm-bus"}
_NO_DEVICES = {"cpus", "reserved-memory", "chosen", "aliases"}	# and what is below them


@dataclass(frozen=True, eq=False)
class Part:
    """
    A node with its registers, none of which overlap. first: where the first element of `reg` is, if a CPU reaches it.
    order: its place in the tree.
    """
    node: Node
    first: int | None
    pieces: tuple[Piece, ...]
    notes: tuple[str, ...]
    order: int

    @property
    def size(self) -> int:
        return sum(piece.span.size for piece in self.pieces)


@dataclass(frozen=True, eq=False)
class Group:
    """The parts of one device, the one that it is called after first. pieces do not overlap."""
    parts: tuple[Part, ...]
    pieces: tuple[Piece, ...]

    @property
    def node(self) -> Node:
        return self.parts[0].node


def find_groups(tree: Tree, buses: Buses, gic: Node, taken: tuple[Span, ...], notes: list[str]) -> list[Group]:
    """taken: RAM and the GIC's frames. In the tree's order."""
    taken = tuple(merged(taken))
    parts = [part for order, node in enumerate(_candidates(tree)) if node is not gic
             and (part := _part(node, order, buses, taken, notes)) is not None]
    parts = _without_buses(parts, notes)
    groups = [_group(members) for members in _joined(parts)]
    return sorted(groups, key=lambda group: group.parts[0].order)


def _candidates(tree: Tree) -> Iterator[Node]:
    left = [node for node in reversed(tree.root.children) if node.name not in _NO_DEVICES]
    while left:
        node = left.pop()
        if node.enabled and node.strings("device_type") not in (("memory",), ("cpu",)):
            yield node
            left.extend(reversed(node.children))


def _part(node: Node, order: int, buses: Buses, taken: tuple[Span, ...], notes: list[str]) -> Part | None:
    registers = buses.registers(node)
    mine = list(registers.flaws)
    pieces = []
    for piece in _said(node, registers, buses, mine):
        where = f"{piece.name} {piece.span}".strip()
        if piece.span.end > _END:
            mine.append(f"{where} is above every address of a CPU's, and left out")
        elif any(overlapping(taken, piece.span.pages())):
            mine.append(f"{where} is on a page with RAM or the GIC, and left out")
        else:
            pieces.append(piece)
    if not pieces:
        notes += [f"{node.path}: {note}" for note in mine]
        return None
    first = registers.spans[0].start if registers.spans and registers.spans[0] is not None else None
    return Part(node, first, _apart(pieces), tuple(mine), order)


def _said(node: Node, registers: Registers, buses: Buses, notes: list[str]) -> Iterator[Piece]:
    """What its `reg` says, and a PCI host's windows, in their order."""
    names = node.strings("reg-names")
    ecam = is_pci(node) and any("ecam" in c for c in node.compatible)
    for index, span in enumerate(registers.spans):
        if span is not None:
            yield Piece("ecam" if ecam and not names else names[index] if index < len(names) else "", span)
    if is_pci(node) and node.parent is not None and buses.windows(node.parent):
        try:
            yield from (Piece(*window) for window in buses.pci_windows(node))
        except Flaw as flaw:
            notes.append(str(flaw))


def _apart(pieces: Iterable[Piece]) -> tuple[Piece, ...]:
    """Those that overlap become one, which has the place and the name of the first of them. The order stays."""
    found: list[tuple[int, Piece]] = []
    for order, piece in sorted(enumerate(pieces), key=lambda p: p[1].span.start):
        if found and piece.span.start < found[-1][1].span.end:
            before, other = found.pop()
            name = other.name if before < order else piece.name
            start, end = other.span.start, max(other.span.end, piece.span.end)
            order, piece = min(before, order), Piece(name, Span(start, end - start))
        found.append((order, piece))
    return tuple(piece for _, piece in sorted(found, key=lambda f: f[0]))


def _without_buses(parts: list[Part], notes: list[str]) -> list[Part]:
    by_node = {part.node: part for part in parts}
    windows: set[Node] = set()
    for part in parts:
        for above in part.node.ancestry():
            bus = by_node.get(above)
            if bus is not None and bus is not part and _BUSES.intersection(above.compatible) and \
                    any(p.span.within(w.span) for p in part.pieces for w in bus.pieces):
                windows.add(above)
    notes += [f"{node.path}: its registers are the window of what is below it; no device" for node in by_node
              if node in windows]
    return [part for part in parts if part.node not in windows]


def _joined(parts: list[Part]) -> list[list[Part]]:
    """Sets of parts that have registers in common, or belong to one above them."""
    leader = {part: part for part in parts}

    def lead(part: Part) -> Part:
        while leader[part] is not part:
            leader[part] = leader[leader[part]]
            part = leader[part]
        return part

    by_node = {part.node: part for part in parts}
    for part in parts:
        if not part.node.has("compatible"):
            above = next((by_node[n] for n in part.node.ancestry() if n is not part.node and n in by_node), part)
            leader[lead(part)] = lead(above)
    spans = sorted(((piece.span, part) for part in parts for piece in part.pieces), key=lambda p: p[0].start)
    end, last = 0, parts[0] if parts else None
    for span, part in spans:
        if last is not None and span.start < end:
            leader[lead(part)] = lead(last)
        if span.end > end:
            end, last = span.end, part
    sets: dict[Part, list[Part]] = {}
    for part in parts:
        sets.setdefault(lead(part), []).append(part)
    return list(sets.values())


def _group(parts: list[Part]) -> Group:
    nodes = {part.node for part in parts}
    outermost = [part for part in parts if not nodes.intersection(list(part.node.ancestry())[1:])]
    first = outermost[0] if len(outermost) == 1 else max(parts, key=lambda part: (part.size, -part.order))
    rest = [part for part in parts if part is not first]
    named = [*first.pieces]
    for part in rest:
        named += [Piece(piece.name or part.node.base, piece.span) for piece in part.pieces]
    return Group((first, *rest), _apart(named))
