# SPDX-License-Identifier: GPL-2.0-only
"""
`share` of a cell: a shared region of two cells, at the same place in both. Its name is made of theirs.
"""

import difflib
from dataclasses import replace

from jailhouse.config.arches import ARCHES
from jailhouse.config.emit import cell_pages
from jailhouse.config.model import Cell, Machine, Region, Share, Shared, Span, System
from jailhouse.config.problems import Problems
from jailhouse.config.table import name_problem
from jailhouse.config.units import BLOCK, PAGE, align_up, size_text

# Where cells see it if nothing of theirs is there: above what an inmate's RAM reaches to, below the communication page
_FIRST = 0x7000_0000


def with_shares(system: System, problems: Problems) -> System:
    """Each share becomes a shared region, and a use of it in both cells."""
    made: dict[frozenset[str], Shared] = {}
    cells = {cell.name: cell for cell in system.cells}
    for cell in system.cells:
        for share in cell.shares:
            pair = frozenset({cell.name, share.other.name})
            if not _is_other_cell(cell, share, cells, problems):
                continue
            if pair in made:
                _check_same(cell, share, made[pair], problems)
                continue
            taken = [*system.shared.values(), *made.values()]
            new = _new(cell, share, taken, problems)
            if new is None:
                continue
            made[pair] = new
            both = [cells[name] for name in (cell.name, share.other.name)]
            at = _place(both, {s.name: s.size for s in taken}, new.size, system.machine)
            for one in both:
                use = Region(new.name, share.where, at, new.size, None, "rw", shared=new.name)
                cells[one.name] = replace(one, memory=(*one.memory, use))
    shared = system.shared | {s.name: s for s in made.values()}
    return replace(system, shared=shared, cells=tuple(cells[cell.name] for cell in system.cells))


def _is_other_cell(cell: Cell, share: Share, cells: dict[str, Cell], problems: Problems) -> bool:
    other = share.other.name
    if other == cell.name or other not in cells:
        near = difflib.get_close_matches(other, set(cells) - {cell.name}, 1)
        problems.error(share.other.where, f'cell "{cell.name}": `share`: there is no other cell "{other}"',
                       "memory in common is that of two cells; the root cell sees all of it anyway",
                       f'did you mean "{near[0]}"?' if near else "name one of the other cells in `with`")
        return False
    return True


def _new(cell: Cell, share: Share, taken: list[Shared], problems: Problems) -> Shared | None:
    name = f"{cell.name}-{share.other.name}"
    what = name_problem(name)
    if other := next((s for s in taken if s.name == name), None):
        what = f"that is another region's name ({other.where})"
    if what is None:
        return Shared(name, share.where, share.size, None)
    problems.error(share.where, f'cell "{cell.name}": `share` would be called "{name}": {what}',
                   "the region has a name that is made of both", "give a cell a shorter or another name, or write "
                   "[shared.NAME] and use it in both cells' `shared`")
    return None


def _check_same(cell: Cell, share: Share, told: Shared, problems: Problems) -> None:
    if told.size != share.size:
        problems.error(share.where, f'cell "{cell.name}": it shares {size_text(share.size)} with "{share.other.name}", and '
                       f"{size_text(told.size)} was said at {told.where}", "the region of two cells has one size",
                       "say the same in both, or in one only")


def seen_by(cell: Cell, machine: Machine, sizes: dict[str, int]) -> list[Span]:
    """All that is somewhere in its addresses. sizes: of shared regions, whose uses do not say it."""
    found = [Span(r.guest, r.size or sizes.get(r.shared or "", 0)) for r in cell.memory]
    if cell.comm_page is not None:
        found.append(Span(cell.comm_page, PAGE))
    if cell.uart is not None and not ARCHES[machine.arch].uart_by_port:
        found.append(Span(cell.uart.address, PAGE))
    if machine.platform is not None:
        found += [p.span for p in ARCHES[machine.arch].mediated(cell, machine.platform)]
    return found + [page.span.moved(offset) for page, offset in cell_pages(cell, machine)]


def _place(cells: list[Cell], sizes: dict[str, int], size: int, machine: Machine) -> int:
    return free_place([span for cell in cells for span in seen_by(cell, machine, sizes)], size, _FIRST, BLOCK)


def free_place(taken: list[Span], size: int, first: int, unit: int) -> int:
    """The lowest multiple of `unit` from `first` on from which `size` bytes are nothing's."""
    at = align_up(first, unit)
    for span in sorted(taken, key=lambda s: s.start):
        if Span(at, size).overlaps(span):
            at = align_up(span.end, unit)
    return at
