# SPDX-License-Identifier: GPL-2.0-only
"""
Host addresses for the memory whose text gives none: first fit in the cells' RAM, shared
regions first, then cell by cell, all in the text's order. The same text always gives
the same addresses.
"""

from dataclasses import replace

from jailhouse.config.model import Cell, Placed, Region, Shared, Span, System
from jailhouse.config.problems import Problems, Where
from jailhouse.config.units import BLOCK, PAGE, align_up, size_text


def place(system: System, problems: Problems) -> System:
    """
    The system with every region's host address and every shared use's size. What fits
    nowhere, and uses of unknown shared regions, are said and left out.
    """
    taken = [Span(s.host, s.size) for s in system.shared.values() if s.host is not None]
    taken += [Span(r.host, r.size) for c in system.cells for r in c.memory if r.host is not None]
    finder = _Finder(system.reserved, taken, problems)
    shared = {name: _placed_shared(s, finder) for name, s in system.shared.items()}
    found = {name: s for name, s in shared.items() if s}
    cells = tuple(_placed_cell(c, found, system.shared, finder, problems) for c in system.cells)
    _unused(system, problems)
    return replace(system, shared=found, cells=cells)


def room(system: System) -> int:
    """How much `place` needs for all that has no host address, from a block on."""
    at = 0
    sizes = [s.size for s in system.shared.values() if s.host is None]
    sizes += [r.size for c in system.cells for r in c.memory if r.host is None and r.shared is None]
    for size in sizes:
        at = align_up(at, _unit(size)) + size
    return at


def _unit(size: int) -> int:
    return BLOCK if size >= BLOCK else PAGE


class _Finder:
    def __init__(self, reserved: Placed, taken: list[Span], problems: Problems) -> None:
        self.reserved = reserved
        self.taken = taken
        self.problems = problems

    def find(self, title: str, where: Where, size: int) -> int | None:
        unit = _unit(size)
        whole = self.reserved.span
        at = align_up(whole.start, unit)
        for span in sorted(self.taken, key=lambda s: (s.start, s.end)):
            if Span(at, size).overlaps(span):
                at = align_up(span.end, unit)
        if not Span(at, size).within(whole):
            self.problems.error(
                where, f"{title}: {size_text(size)} fit nowhere in the cells' RAM {whole} "
                f"({self.reserved.where})", "cells get their memory from there only",
                "enlarge `cells` in [memory], or make this or another region smaller")
            return None
        self.taken.append(Span(at, size))
        return at


def _placed_shared(shared: Shared, finder: _Finder) -> Shared | None:
    if shared.host is not None:
        return shared
    at = finder.find(f'shared "{shared.name}"', shared.where, shared.size)
    return replace(shared, host=at) if at is not None else None


def _placed_cell(cell: Cell, found: dict[str, Shared], written: dict[str, Shared],
                 finder: _Finder, problems: Problems) -> Cell:
    memory: list[Region] = []
    for region in cell.memory:
        title = f'cell "{cell.name}", memory "{region.name}"'
        if region.shared is not None:
            shared = found.get(region.shared)
            if shared:
                memory.append(replace(region, size=shared.size, host=shared.host))
            elif region.shared not in written:
                problems.error(region.where, f'cell "{cell.name}": there is no shared region '
                               f'"{region.shared}"', "its size and place are unknown",
                               f"add [shared.{region.shared}] with a size, or use one of: "
                               f"{', '.join(written) or 'none'}")
            continue
        host = region.host
        if host is None:
            host = finder.find(title, region.where, region.size)
        if host is not None:
            memory.append(replace(region, host=host))
    return replace(cell, memory=tuple(memory),
                   whole=cell.whole and len(memory) == len(cell.memory))


def _unused(system: System, problems: Problems) -> None:
    used = {r.shared for c in system.cells for r in c.memory}
    for shared in system.shared.values():
        if shared.name not in used:
            problems.warn(shared.where, f'shared "{shared.name}": no cell uses it',
                          "its memory lies idle", "name it in a cell's `shared`, or remove it")
