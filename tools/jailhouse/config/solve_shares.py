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
    shared = dict(system.shared)
    cells = {cell.name: cell for cell in system.cells}
    for cell in system.cells:
        for share in cell.shares:
            found = _found(cell, share, shared, cells, problems)
            if found is None:
                continue
            shared[found.name] = found
            pair = [cells[cell.name], cells[share.other.name]]
            if any(r.shared == found.name for r in pair[0].memory):
                continue
            at = _place(pair, found.size, system.machine)
            for one in pair:
                use = Region(found.name, share.where, at, 0, None, "rw", shared=found.name)
                cells[one.name] = replace(one, memory=(*one.memory, use))
    return replace(system, shared=shared, cells=tuple(cells[cell.name] for cell in system.cells))


def _found(cell: Cell, share: Share, shared: dict[str, Shared], cells: dict[str, Cell], problems: Problems) -> Shared | None:
    other = share.other.name
    if other == cell.name or other not in cells:
        near = difflib.get_close_matches(other, set(cells) - {cell.name}, 1)
        problems.error(share.other.where, f'cell "{cell.name}": `share`: there is no other cell "{other}"',
                       "memory in common is that of two cells; the root cell sees all of it anyway",
                       f'did you mean "{near[0]}"?' if near else "name one of the other cells in `with`")
        return None
    told = shared.get(f"{other}-{cell.name}")
    if told is None:
        name = f"{cell.name}-{other}"
        if what := name_problem(name):
            problems.error(share.where, f'cell "{cell.name}": `share` would be called "{name}": {what}',
                           "the region has a name that is made of both", "shorten a cell's name, or write "
                           "[shared.NAME] and use it in both cells' `shared`")
            return None
        return Shared(name, share.where, share.size, None)
    if told.size != share.size:
        problems.error(share.where, f'cell "{cell.name}": it shares {size_text(share.size)} with "{other}", which says '
                       f"{size_text(told.size)} ({told.where})", "the region has one size", "say the same in both, or in one only")
    return told


def seen_by(cell: Cell, machine: Machine) -> list[Span]:
    """All that is somewhere in its addresses."""
    found = [r.guest_span for r in cell.memory if r.size]
    if cell.comm_page is not None:
        found.append(Span(cell.comm_page, PAGE))
    if cell.uart is not None and not ARCHES[machine.arch].uart_by_port:
        found.append(Span(cell.uart.address, PAGE))
    if machine.platform is not None:
        found += [p.span for p in ARCHES[machine.arch].mediated(cell, machine.platform)]
    return found + [page.span.moved(offset) for page, offset in cell_pages(cell, machine)]


def _place(cells: list[Cell], size: int, machine: Machine) -> int:
    return free_place([span for cell in cells for span in seen_by(cell, machine)], size, _FIRST, BLOCK)


def free_place(taken: list[Span], size: int, first: int, unit: int) -> int:
    """The lowest multiple of `unit` from `first` on from which `size` bytes are nothing's."""
    at = align_up(first, unit)
    for span in sorted(taken, key=lambda s: s.start):
        if Span(at, size).overlaps(span):
            at = align_up(span.end, unit)
    return at
