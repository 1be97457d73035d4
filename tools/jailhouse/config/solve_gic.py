# SPDX-License-Identifier: GPL-2.0-only
"""
Where a cell sees the interrupt controller, if its `memory` is only a size and would lie where the machine has it: behind
that memory. Programs for such cells are told by the communication page.
"""

from dataclasses import replace

from jailhouse.config.arches import ARCHES
from jailhouse.config.model import Cell, Machine, System
from jailhouse.config.solve_shares import free_place, seen_by

_FRAME = 0x1_0000


def with_gics(system: System) -> System:
    """Of cells that have their CPUs: each has a redistributor there."""
    sizes = {s.name: s.size for s in system.shared.values()}
    return replace(system, cells=tuple(_with_gic(cell, sizes, system.machine) for cell in system.cells))


def _with_gic(cell: Cell, sizes: dict[str, int], machine: Machine) -> Cell:
    if not cell.sized or machine.platform is None or "gic" in ARCHES[machine.arch].refused or cell.view.where is not None:
        return cell
    mediated = [p.span for p in ARCHES[machine.arch].mediated(cell, machine.platform)]
    if not any(r.guest_span.overlaps(span) for r in cell.memory for span in mediated):
        return cell
    taken = [span for span in seen_by(cell, machine, sizes) if span not in mediated]
    behind = max(r.guest_span.end for r in cell.memory)
    gicd, gicr = mediated
    at = free_place(taken, gicd.size + gicr.size, behind, _FRAME)
    return replace(cell, view=replace(cell.view, gicd=at, gicr=at + gicd.size, where=cell.where))
