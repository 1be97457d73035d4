# SPDX-License-Identifier: GPL-2.0-only
"""RAM, and what of it firmware keeps: of the tree, or where that says no RAM, of /proc/iomem."""

import re
from dataclasses import dataclass

from jailhouse.config.arches import ARCHES
from jailhouse.config.model import Span
from jailhouse.config.units import PAGE
from jailhouse.probe.description import Piece, Refused
from jailhouse.probe.facts import Facts
from jailhouse.probe.names import NAME_MAX, unique
from jailhouse.config.spans import merged, overlapping
from jailhouse.probe.tree import Node, Tree
from jailhouse.probe.tree_bus import Buses

_IOMEM = re.compile(r"^([0-9a-f]{8,16})-([0-9a-f]{8,16}) : (System RAM|reserved)$", re.MULTILINE)
_SHORTENED = re.compile(r"(?:^|\s)(mem=\S+|memmap=\S+)")
_END = 1 << ARCHES["arm64"].address_bits


@dataclass(frozen=True)
class Memory:
    ram: tuple[Span, ...]
    firmware: tuple[Piece, ...]
    notes: tuple[str, ...]


def find_memory(tree: Tree, buses: Buses, facts: Facts) -> Memory:
    notes: list[str] = []
    ram = [span for node in tree.root.children if node.enabled and node.strings("device_type") == ("memory",)
           for span in _spans(node, buses, notes)]
    kept = _reserved(tree, buses, notes)
    if not ram:
        ram, found = _of_iomem(facts, notes)
        kept += found
    whole = tuple(merged(_whole_pages(ram, notes)))
    if not whole:
        raise _no_ram(tree, facts)
    return Memory(whole, _within(whole, kept), tuple(notes))


def _spans(node: Node, buses: Buses, notes: list[str]) -> list[Span]:
    """What has no size is for a boot loader to fill in, and worth no words."""
    registers = buses.registers(node)
    notes += [f"{node.path}: {flaw}" for flaw in registers.flaws if "no size" not in flaw]
    return [span for span in registers.spans if span is not None]


def _reserved(tree: Tree, buses: Buses, notes: list[str]) -> list[Piece]:
    """Those of a fixed place that Linux may not even use until they are wanted."""
    found = [Piece("memreserve", Span(start, size)) for start, size in tree.reserved if size]
    parent = tree.root.child("reserved-memory")
    for node in parent.children if parent is not None else ():
        if node.enabled and not node.has("reusable"):
            found += [Piece(node.base, span) for span in _spans(node, buses, notes)]
    return found


def _of_iomem(facts: Facts, notes: list[str]) -> tuple[list[Span], list[Piece]]:
    """On arm64 a `reserved` at the outermost level is RAM that the firmware's memory map keeps from the kernel."""
    ram: list[Span] = []
    kept: list[Piece] = []
    for first, last, what in _IOMEM.findall(facts.text("proc/iomem") or ""):
        span = Span(int(first, 16), int(last, 16) - int(first, 16) + 1)
        if span.size > 1:
            ram.append(span)
            kept += [Piece("reserved", span)] if what == "reserved" else []
    if ram:
        notes.append("the tree says no RAM: what is said of it is from /proc/iomem")
        shortened = _SHORTENED.search(facts.text("proc/cmdline") or "")
        if shortened:
            notes.append(f"Linux was booted with {shortened.group(1)}, so /proc/iomem lacks what that keeps from it: "
                         "boot without it and gather the facts again")
    return ram, kept


def _whole_pages(spans: list[Span], notes: list[str]) -> list[Span]:
    found = []
    for span in spans:
        start, end = -(-span.start // PAGE) * PAGE, min(span.end, _END) // PAGE * PAGE
        if (start, end) != (span.start, span.end):
            notes.append(f"RAM {span} is no number of whole pages below {_END:#x}: what is more is left out")
        found += [Span(start, end - start)] if start < end else []
    return found


def _within(ram: tuple[Span, ...], pieces: list[Piece]) -> tuple[Piece, ...]:
    """In whole pages, none twice, each in one span of RAM. Of several that overlap the first gives the name."""
    parts = [Piece(piece.name, piece.span.pages().common(span)) for piece in pieces
             for span in overlapping(ram, piece.span.pages())]
    found: list[Piece] = []
    for part in sorted(parts, key=lambda p: (p.span.start, -p.span.size)):
        if found and part.span.start < found[-1].span.end:
            last = found.pop()
            part = Piece(last.name, merged((last.span, part.span))[0])
        found.append(part)
    taken: set[str] = set()
    return tuple(Piece(unique(piece.name, f"{piece.span.start:x}", NAME_MAX, taken), piece.span) for piece in found)


def _no_ram(tree: Tree, facts: Facts) -> Refused:
    if re.search(r"^0+-0+ : System RAM", facts.text("proc/iomem") or "", re.MULTILINE):
        return Refused(f"{tree.source}: the machine's RAM is not known",
                       "the tree says none, and /proc/iomem was read by a user to whom it shows zeros",
                       "gather the facts as root")
    return Refused(f"{tree.source}: the machine's RAM is not known",
                   "the tree has no memory node with a size: the boot loader puts that in",
                   "take the tree of the running machine, /sys/firmware/fdt, or what `jailhouse config collect` "
                   "gathers there")
