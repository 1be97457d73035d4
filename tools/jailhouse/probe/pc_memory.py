# SPDX-License-Identifier: GPL-2.0-only
"""A PC's RAM, as its firmware's map shows it, with what firmware keeps of it for itself."""

from collections.abc import Iterable

from jailhouse.config.model import Span
from jailhouse.config.spans import merged, minus, whole_pages
from jailhouse.config.units import MIB
from jailhouse.probe.description import Piece, Refused
from jailhouse.probe.facts import Facts
from jailhouse.probe.listings import Entry
from jailhouse.probe.names import NAME_MAX, unique

FOLDER = "sys/firmware/memmap"
RAM = "System RAM"
VGA = Span(0xa_0000, 0x2_0000)
_BIOS = Span(0xc_0000, 0x4_0000)
_LOW = Span(0, VGA.start)
# Flash lies below it, right before RAM goes on
_4G = 1 << 32
# More would be no map of a machine's
_ENTRIES_MAX = 4096
# /proc/iomem has these for what lies within RAM
_KERNEL = ("Kernel ", "Crash kernel", "Video ROM", "Adapter ROM", "System ROM")
_SHORT = {"ACPI Tables": "acpi-tables", "ACPI Non-volatile Storage": "acpi-nvs"}

Map = tuple[tuple[Span, str], ...]


def firmware_map(facts: Facts, iomem: tuple[Entry, ...]) -> Map:
    """
    What kind of memory is where, in order and without overlaps. Where there is no firmware's own map, parameters such
    as mem= change it.
    """
    found = []
    for name in facts.names(FOLDER)[:_ENTRIES_MAX]:
        start, end = (_hex(facts.word(f"{FOLDER}/{name}/{which}")) for which in ("start", "end"))
        if start is not None and end is not None and start <= end:
            found.append((Span(start, end - start + 1), facts.word(f"{FOLDER}/{name}/type")))
    if not any(kind == RAM for _, kind in found):
        found = [(e.span, e.name) for e in iomem if _is_memory(e.name)]
    ram = merged(span for span, kind in found if kind == RAM)
    if not ram:
        raise Refused(f"{facts.source}: no RAM is to be seen", f"it is `System RAM` in {FOLDER} and proc/iomem",
                      "gather the facts anew with `jailhouse config collect`, as root")
    parts = [(span, RAM) for span in ram]
    for span, kind in found:
        if kind != RAM:
            parts += [(part, kind) for part in minus([span], [s for s, _ in parts])]
    return tuple(sorted(parts, key=lambda p: p[0].start))


def _hex(text: str) -> int | None:
    try:
        value = int(text, 16)
    except ValueError:
        return None
    return value if 0 <= value < 1 << 64 else None


def _is_memory(name: str) -> bool:
    return name in (RAM, "Reserved", "reserved") or name.startswith(("ACPI ", "Unusable"))


def within_ram(name: str) -> bool:
    """A name in /proc/iomem that says nothing of devices."""
    return name == RAM or name.startswith(_KERNEL)


def ram_spans(known: Map) -> list[Span]:
    return [span for span, kind in known if kind == RAM]


def divide(known: Map, devices: Iterable[Span], pc: bool) -> tuple[tuple[Span, ...], tuple[Piece, ...]]:
    """
    RAM in whole pages, and which parts of it are firmware's. What firmware reserved counts as RAM where RAM goes on
    before it, up to the first device there or to 4 GiB. The first megabyte of a PC is RAM but for VGA's window.
    """
    hard = [part for d in devices for part in minus([d.pages()], ram_spans(known))]
    low = pc and known[0][0].start < VGA.start
    kinds = [(part, kind) for span, kind in known for part in
             minus([span], [*hard, Span(0, MIB)] if low else hard)]
    if low:
        kinds = [*((s.common(_LOW), kind) for s, kind in known if s.overlaps(_LOW)), (_BIOS, "bios"), *kinds]
    runs = _runs(kinds)
    if low:
        runs = merged([_LOW, _BIOS, *runs])
    ram = tuple(s for s in (whole_pages(r) for r in runs) if s.size)
    return ram, _firmware(kinds, ram)


def _above(span: Span, start: int) -> Span:
    at = max(start, span.start)
    return Span(at, span.end - at)


def _runs(kinds: list[tuple[Span, str]]) -> list[Span]:
    """RAM with what touches its upper end."""
    found: list[Span] = []
    for span, kind in kinds:
        if found and found[-1].end == span.start != _4G and _is_memory(kind):
            found[-1] = Span(found[-1].start, found[-1].size + span.size)
        elif kind == RAM:
            found.append(span)
    return found


def _firmware(kinds: list[tuple[Span, str]], ram: tuple[Span, ...]) -> tuple[Piece, ...]:
    found: list[Piece] = []
    taken: set[str] = set()
    done = 0
    for span, kind in kinds:
        pages = _above(span.pages(), done)
        if kind == RAM or pages.size <= 0 or not any(pages.within(r) for r in ram):
            continue
        done = pages.end
        found.append(Piece(unique(_SHORT.get(kind, kind.lower()), "", NAME_MAX, taken), pages))
    return tuple(found)
