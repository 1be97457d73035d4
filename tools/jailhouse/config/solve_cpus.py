# SPDX-License-Identifier: GPL-2.0-only
"""
CPUs for cells that say how many. Whole clusters first, as their CPUs share caches: what runs on one is felt by the
others. Cells with a contract on their exits choose first; all from the highest number down, since CPU 0 stays Linux's.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from jailhouse.config import abi
from jailhouse.config.model import Cell, Line, Machine, System, Topology
from jailhouse.config.problems import Problems

Group = frozenset[int]


def is_real_time(cell: Cell) -> bool:
    """It has a contract on its exits, so it is one that time matters to."""
    return cell.limit.exits != abi.ABI_EXITS_ANY


def clusters(machine: Machine) -> list[Group]:
    """All CPUs, by the cluster that they are in; those of no cluster by the largest cache that not all have in common."""
    return _partition(machine.topology.clusters or _by_cache(machine), len(machine.hwids))


def cores(machine: Machine) -> list[Group]:
    return _partition(machine.topology.threads, len(machine.hwids), single=True)


def _by_cache(machine: Machine) -> tuple[Group, ...]:
    topology: Topology = machine.topology
    shared = [c for c in topology.caches if 1 < len(c.cpus) < len(machine.hwids)]
    level = max((c.level for c in shared), default=0)
    return tuple(dict.fromkeys(c.cpus for c in shared if c.level == level))


def _partition(groups: Iterable[Group], count: int, single: bool = False) -> list[Group]:
    """With the rest as one group, or each alone; by their lowest CPUs."""
    found = list(groups)
    rest = frozenset(range(count)).difference(*found)
    found += [frozenset({n}) for n in rest] if single else [rest] if rest else []
    return sorted(found, key=min)


def with_cpus(system: System, problems: Problems) -> System:
    free = set(range(1, len(system.machine.hwids))).difference(*(c.cpu_numbers() for c in system.cells))
    # of those with a contract: beside them nobody is put who could be elsewhere
    quiet = {n for c in system.cells if is_real_time(c) for n in c.cpu_numbers()}
    chosen: dict[str, tuple[int, ...]] = {}
    open_cells = [c for c in system.cells if c.cpu_count is not None]
    for cell in sorted(open_cells, key=is_real_time, reverse=True):
        assert cell.cpu_count is not None
        if cell.cpu_count > len(free):
            problems.error(cell.cpus_where or cell.where, f'cell "{cell.name}": it wants {cell.cpu_count} CPUs, and '
                           f"{len(free) or 'none'} of the machine's {len(system.machine.hwids)} are left",
                           "Linux keeps CPU 0, and each of the others has one owner",
                           f"ask for {len(free)}, or let another cell have fewer" if free else
                           "let another cell have fewer, or use a machine with more CPUs")
            continue
        chosen[cell.name] = _choose(system.machine, free, cell.cpu_count, quiet, is_real_time(cell))
        free -= set(chosen[cell.name])
        if is_real_time(cell):
            quiet |= set(chosen[cell.name])
    return replace(system, cells=tuple(_given(cell, chosen[cell.name]) if cell.name in chosen and cell.cpu_count else cell
                                       for cell in system.cells))


def _given(cell: Cell, numbers: Sequence[int]) -> Cell:
    return replace(cell, cpus=tuple(Line(range(n, n + 1), cell.cpus_where or cell.where) for n in numbers), cpu_count=None)


def _choose(machine: Machine, free: set[int], count: int, quiet: set[int], apart: bool) -> tuple[int, ...]:
    """`count` of `free`, which has so many. apart: rather begin a cluster than share one."""
    left, taken = set(free), set[int]()
    groups = clusters(machine)
    while count > len(taken):
        group = _next_cluster([g for g in groups if g & left and not g & quiet] or groups, left, count - len(taken), apart)
        some = _of_cluster(machine, group & left, count - len(taken))
        taken |= some
        left -= some
    return tuple(sorted(taken))


def _next_cluster(groups: Sequence[Group], free: set[int], count: int, apart: bool) -> Group:
    """The largest whole one that is not too large; else one that has room for the rest; else the one with the most."""
    some = [g for g in groups if g & free]
    whole = [g for g in some if g <= free]
    if fitting := [g for g in whole if len(g) <= count]:
        return max(fitting, key=lambda g: (len(g), min(g)))
    roomy = [g for g in some if len(g & free) >= count]
    if roomy:
        return min(roomy, key=lambda g: ((g in whole) != apart, len(g & free), -min(g)))
    return max(some, key=lambda g: (len(g & free), min(g)))


def _of_cluster(machine: Machine, free: Group | set[int], count: int) -> set[int]:
    """Whole cores first, so that no other's thread runs beside one of these; the highest first."""
    taken: set[int] = set()
    parts = [c & free for c in cores(machine)]
    for whole in (True, False):
        for core, mine in sorted(zip(cores(machine), parts, strict=True), key=lambda p: min(p[0]), reverse=True):
            room = count - len(taken)
            if whole and mine == core and len(core) <= room:
                taken |= core
            elif not whole:
                taken |= set(sorted(mine - taken, reverse=True)[:room])
    return taken
