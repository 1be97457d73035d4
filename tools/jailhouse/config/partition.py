# SPDX-License-Identifier: GPL-2.0-only
"""A system that was built, as who has what: for `config explain`, `config diff` and the picture."""

from collections.abc import Iterator
from dataclasses import dataclass

from jailhouse.config import emit
from jailhouse.config.arches import ARCHES
from jailhouse.config.expansion import cpus_text
from jailhouse.config.model import Cell, Device, Given, Machine, Span, System
from jailhouse.config.show import contract
from jailhouse.config.spans import minus
from jailhouse.config.toml_text import address_text, ranges_text
from jailhouse.config.units import function_text, size_text


# Owners that are no cells: no cell is called so
HYPERVISOR, SHARED = "(hypervisor)", "(shared)"


@dataclass(frozen=True)
class Owned:
    """A piece of host memory, whose it is and what it is called there."""
    span: Span
    owner: str
    name: str


def memory_map(system: System) -> list[Owned]:
    """All RAM, by address; what is nobody's has the owner ""."""
    found = [Owned(p.span, system.root_name, "Linux") for p in system.linux]
    found.append(Owned(system.hypervisor.span, HYPERVISOR, "hypervisor"))
    found += [Owned(Span(s.host, s.size), SHARED, s.name) for s in system.shared.values() if s.host is not None]
    found += [Owned(Span(r.host, r.size), cell.name, r.name)
              for cell in system.cells for r in cell.memory if r.host is not None and r.shared is None]
    gaps = minus((r.span for r in system.machine.ram), [o.span for o in found])
    return sorted([*found, *(Owned(gap, "", "left over") for gap in gaps)], key=lambda o: o.span.start)


def root_cpus(system: System) -> list[int]:
    taken = {n for c in system.cells for n in c.cpu_numbers()}
    return [n for n in range(len(system.machine.hwids)) if n not in taken]


def root_devices(system: System) -> list[str]:
    taken = {g.name for c in system.cells for g in c.devices}
    return [name for name in system.machine.devices if name not in taken]


def explain(system: System) -> str:
    machine = system.machine
    ram = size_text(sum(p.span.size for p in machine.ram))
    lines = [f'{machine.name} ({machine.where.file}): {machine.arch}, {len(machine.hwids)} CPUs, {ram} of RAM']
    branches = [(f'root cell "{system.root_name}"', list(_root(system)))]
    branches += [(f'cell "{c.name}"', list(_cell(c, system))) for c in system.cells]
    branches.append(("hypervisor", [f"memory {_place(system.hypervisor.span)}"]))
    lines += _tree(branches)
    lines += ["", "RAM of the machine:"]
    lines += [f"  {address_text(o.span.start):>16} {size_text(o.span.size):>8}  {o.owner or '-':<12} {o.name}"
              for o in memory_map(system)]
    return "\n".join(lines) + "\n"


def _tree(branches: list[tuple[str, list[str]]]) -> Iterator[str]:
    for number, (title, leaves) in enumerate(branches):
        last = number == len(branches) - 1
        yield f"{'└' if last else '├'}── {title}"
        for n, leaf in enumerate(leaves):
            yield f"{' ' if last else '│'}   {'└' if n == len(leaves) - 1 else '├'}── {leaf}"


def _place(span: Span) -> str:
    return f"{size_text(span.size)} at {address_text(span.start)}"


def _numbers(numbers: list[int]) -> str:
    return ", ".join(map(str, ranges_text(numbers)))


def _root(system: System) -> Iterator[str]:
    yield f"CPU {_numbers(root_cpus(system))}"
    for placed in system.linux:
        yield f"memory {_place(placed.span)}"
    devices = root_devices(system)
    yield f"{len(devices)} devices: {', '.join(devices)}" if devices else "no devices"


def _cell(cell: Cell, system: System) -> Iterator[str]:
    yield f"CPU {_numbers(list(cell.cpu_numbers()))} ({cpus_text(cell, system.machine)})"
    for region in cell.memory:
        what = f'shared "{region.shared}"' if region.shared is not None else f'memory "{region.name}"'
        yield (f"{what} {size_text(region.size)} {region.access} at {address_text(region.guest)}, in the machine at "
               f"{address_text(region.host or 0)}")
    if cell.comm_page is not None:
        yield f"communication page at {address_text(cell.comm_page)}"
    for given in cell.devices:
        yield f'device "{given.name}" {device_text(given, system.machine)}'
    if cell.console is not None:
        yield f'console "{cell.console.name}"'
    yield contract(emit.emit_cell(cell, system.machine).cell, ARCHES[system.machine.arch])


def device_text(given: Given, machine: Machine) -> str:
    """What a cell gets with it."""
    device: Device = machine.devices[given.name]
    offset = emit.guest_offset(given, device)
    words = [f"registers {_place(p.span.moved(offset))}" for p in device.registers]
    if device.lines:
        words.append(f"interrupts {_numbers([n for line in device.lines for n in line.numbers])}")
    words += [f"ports {line.numbers.start:#x}-{line.numbers.stop - 1:#x}" for line in device.ports]
    words += [f"PCI function {function_text(f.bdf)}" for f in device.functions]
    return ", ".join(words) or "without anything of its own"
