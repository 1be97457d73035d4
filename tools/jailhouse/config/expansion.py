# SPDX-License-Identifier: GPL-2.0-only
"""
A system text in which everything is said that was found for it: to be read, and to be kept where it must never change.
It builds the same files.
"""

import os
from collections.abc import Iterator
from typing import Any

from jailhouse.config.arches import ARCHES
from jailhouse.config.load import Document, load
from jailhouse.config.model import Cell, Given, Machine, Placed, Region, System
from jailhouse.config.platforms import expanded
from jailhouse.config.problems import Problems
from jailhouse.config.solve_cpus import clusters, cores
from jailhouse.config.table import Table
from jailhouse.config.toml_text import comment_lines, entry_lines, key_text, ranges_text

# What of a cell's text is said in other words
_REPLACED = {"share", "platform", "ram", "flash", "boot", "memory", "cpus", "shared", "devices", "uart", "renumber", "lines",
             "gic"}


def expansion(file: str, system: System, directory: str) -> str:
    """The text for `directory` of what `file` says, which was solved and placed without errors."""
    problems = Problems()
    document = load(file, problems)
    assert document is not None, "it was read just now"
    return "\n".join(_lines(document, system, directory)) + "\n"


def _lines(document: Document, system: System, directory: str) -> Iterator[str]:
    yield from comment_lines(f"What `jailhouse config build` made of {os.path.basename(document.file)}: it builds the same files.")
    yield ""
    # the folder may be a link, and `..` in it leads elsewhere than it seems
    yield from entry_lines("machine", os.path.relpath(os.path.realpath(system.machine.where.file), os.path.realpath(directory)))
    yield from ("", "[memory]")
    yield from entry_lines("linux", [_span(p) for p in system.linux])
    for key, placed in (("cells", system.reserved), ("hypervisor", system.hypervisor)):
        yield from entry_lines(key, _span(placed))
    if "root" in document.data:
        yield from ("", "[root]", *entry_lines("name", system.root_name))
    for shared in system.shared.values():
        yield from ("", f"[shared.{key_text(shared.name)}]")
        yield from entry_lines("size", shared.size)
        yield from entry_lines("host", shared.host)
    tables = document.data.get("cell", [])
    for cell, data in zip(system.cells, [tables] if isinstance(tables, dict) else tables, strict=True):
        yield from ("", "[[cell]]", *_cell(cell, data, document, system.machine))


def _span(placed: Placed) -> dict[str, int]:
    return {"start": placed.span.start, "size": placed.span.size}


def _cell(cell: Cell, data: dict[str, Any], document: Document, machine: Machine) -> Iterator[str]:
    said = expanded(Table(document, (), data, "cell", Problems()), machine).data
    for key, value in said.items():
        if key not in _REPLACED:
            yield from entry_lines(key, value)
    yield from comment_lines(f"CPUs: {cpus_text(cell, machine)}")
    yield from entry_lines("cpus", ranges_text(cell.cpu_numbers()))
    yield from entry_lines("memory", [_region(r) for r in cell.memory if r.shared is None])
    if cell.view.where is not None:
        yield from entry_lines("gic", {"gicd": cell.view.gicd, "gicr": cell.view.gicr})
    if uses := [_use(r) for r in cell.memory if r.shared is not None]:
        yield from entry_lines("shared", uses)
    if cell.devices:
        yield from entry_lines("devices", [_given(g) for g in cell.devices])
    yield from _interrupts(cell, machine)


def _region(region: Region) -> dict[str, Any]:
    told: dict[str, Any] = {"name": region.name, "guest": region.guest, "size": region.size, "host": region.host}
    if region.boot:
        return told | {"boot": True}
    return told | {"access": region.access} | ({"loadable": True} if region.loadable else {})


def _use(region: Region) -> dict[str, Any]:
    return {"name": region.shared, "guest": region.guest, "access": region.access}


def _given(given: Given) -> Any:
    return given.name if given.guest is None else {"name": given.name, "guest": given.guest}


def _interrupts(cell: Cell, machine: Machine) -> Iterator[str]:
    """The line that was found for its `uart` is among its lines, and renumbered, by that `uart` alone."""
    uart = cell.uart
    if uart is not None:
        told: dict[str, Any] = {"port" if ARCHES[machine.arch].uart_by_port else "guest": uart.address}
        if uart.interrupt is not None:
            told |= {"interrupt": uart.interrupt, "line": uart.line}
        yield from entry_lines("uart", told)
    own = uart.line if uart is not None else None
    if lines := [n for line in cell.lines for n in line.numbers if n != own]:
        yield from entry_lines("lines", ranges_text(lines))
    if renumbered := {str(r.line): r.number for r in cell.delivery.renumbered if r.line != own}:
        yield from entry_lines("renumber", renumbered)


def cpus_text(cell: Cell, machine: Machine) -> str:
    """Which of the machine's its CPUs are, and what they share."""
    own = frozenset(cell.cpu_numbers())
    words = []
    for number, group in enumerate(clusters(machine)):
        if group & own and len(clusters(machine)) > 1:
            words.append(f"cluster {number} {'whole' if group <= own else f'in part, {len(group & own)} of {len(group)}'}")
    words += [f"{len(core & own)} of {len(core)} threads of a core" for core in cores(machine) if core & own and core - own]
    words += [f"{c} {'of its own' if c.cpus <= own else 'shared with others'}"
              for c in machine.topology.caches if c.level > 1 and c.cpus & own]
    return ", ".join(dict.fromkeys(words)) or "what they share with others is not known"
