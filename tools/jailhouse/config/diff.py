# SPDX-License-Identifier: GPL-2.0-only
"""What changes between two systems, in the terms of who has what."""

from collections.abc import Iterator

from jailhouse.config import blob, emit
from jailhouse.config.arches import ARCHES
from jailhouse.config.model import Cell, System
from jailhouse.config.partition import device_text, root_cpus, root_devices
from jailhouse.config.show import access_text, contract, flag_words
from jailhouse.config.toml_text import ranges_text
from jailhouse.config.units import function_text, size_text, span_text

Facts = dict[str, str]


def diff(first: System, second: System) -> str:
    """A line for each thing that only one has (- or +) or that both have otherwise (both); nothing where they are the same."""
    before, after = dict(_owners(first)), dict(_owners(second))
    changes = {owner: list(_changes(before.get(owner, {}), after.get(owner, {}))) for owner in dict.fromkeys([*before, *after])}
    old, new = dict(_files(first)), dict(_files(second))
    for file, owners in ((f, owners) for f, (_, owners) in new.items() if f in old and old[f][0] != new[f][0]):
        if not any(changes[owner] for owner in owners):
            changes[owners[0]] = [f"  {file} differs in what is not shown here: compare what `jailhouse config show` says of both"]
    return "".join(f"{line}\n" for owner, lines in changes.items() if lines for line in [owner, *lines])


def _files(system: System) -> Iterator[tuple[str, tuple[bytes, list[str]]]]:
    """What is built, and whose changes it shows, by the titles of _owners()."""
    whose = ["machine", "hypervisor", f'root cell "{system.root_name}"']
    yield "system.cell", (blob.encode_system(emit.emit_system(system)), whose)
    for cell in system.cells:
        yield f"{cell.name}.cell", (blob.encode_cell(emit.emit_cell(cell, system.machine)), [f'cell "{cell.name}"'])


def _changes(before: Facts, after: Facts) -> Iterator[str]:
    for key in dict.fromkeys([*after, *before]):
        old, new = before.get(key), after.get(key)
        if old != new:
            if old is not None:
                yield f"  - {key}: {old}"
            if new is not None:
                yield f"  + {key}: {new}"


def _owners(system: System) -> Iterator[tuple[str, Facts]]:
    yield "machine", {"name": system.machine.name, "arch": system.machine.arch,
                      "CPUs": " ".join(f"{hwid:#x}" for hwid in system.machine.hwids)}
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
        words = " ".join([access_text(m.flags), *flag_words(m.flags), size_text(m.size)])
        found[f'memory "{m.name}" at {m.virt:#x}'] = f"{words} at host {m.phys:#x}"
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
