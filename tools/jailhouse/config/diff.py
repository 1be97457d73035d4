# SPDX-License-Identifier: GPL-2.0-only
"""What changes between two systems, in the terms of who has what."""

from collections.abc import Iterator

from jailhouse.config import emit
from jailhouse.config.arches import ARCHES
from jailhouse.config.model import Cell, System
from jailhouse.config.partition import device_text, root_cpus, root_devices
from jailhouse.config.show import access_text, contract, flag_words
from jailhouse.config.toml_text import ranges_text
from jailhouse.config.units import function_text, span_text

Facts = dict[str, str]


def diff(first: System, second: System) -> str:
    """A line for each thing that only one has (- or +) or that both have otherwise (both); nothing where they are the same."""
    before, after = dict(_owners(first)), dict(_owners(second))
    lines = []
    for owner in dict.fromkeys([*before, *after]):
        changes = list(_changes(before.get(owner, {}), after.get(owner, {})))
        if changes:
            lines += [owner, *changes]
    return "".join(f"{line}\n" for line in lines)


def _changes(before: Facts, after: Facts) -> Iterator[str]:
    for key in dict.fromkeys([*after, *before]):
        old, new = before.get(key), after.get(key)
        if old != new:
            if old is not None:
                yield f"  - {key}: {old}"
            if new is not None:
                yield f"  + {key}: {new}"


def _owners(system: System) -> Iterator[tuple[str, Facts]]:
    yield "machine", {"name": system.machine.name, "arch": system.machine.arch, "CPUs": str(len(system.machine.hwids))}
    yield "hypervisor", {"memory": span_text(system.hypervisor.span.start, system.hypervisor.span.size)}
    yield f'root cell "{system.root_name}"', {
        "CPU": ", ".join(map(str, ranges_text(root_cpus(system)))),
        **{f"memory {n}": span_text(p.span.start, p.span.size) for n, p in enumerate(system.linux)},
        **{f'device "{name}"': "its own" for name in root_devices(system)}}
    for shared in system.shared.values():
        yield f'shared "{shared.name}"', {"memory": span_text(shared.host or 0, shared.size)}
    for cell in system.cells:
        yield f'cell "{cell.name}"', _of_cell(cell, system)


def _of_cell(cell: Cell, system: System) -> Facts:
    machine, section = system.machine, emit.emit_cell(cell, system.machine).cell
    found = {"CPU": ", ".join(map(str, ranges_text(cell.cpu_numbers()))), "entry": f"{cell.entry:#x}"}
    for m in section.mem:
        words = " ".join([access_text(m.flags), *flag_words(m.flags), span_text(m.virt, m.size)])
        found[f'memory "{m.name}"'] = f"{words} at host {m.phys:#x}"
    for given in cell.devices:
        found[f'device "{given.name}"'] = device_text(given, machine)
    if section.irqs:
        found["interrupts"] = ", ".join(f"{i.first}+{i.count} as {i.virt}" for i in section.irqs)
    if section.pios:
        found["ports"] = ", ".join(f"{p.first:#x}+{p.count:#x}" for p in section.pios)
    if section.pcis:
        found["PCI functions"] = ", ".join(map(function_text, section.pcis))
    if cell.console is not None:
        found["console"] = cell.console.name
    found["contract"] = contract(section, ARCHES[machine.arch])
    return found
