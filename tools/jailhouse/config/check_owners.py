# SPDX-License-Identifier: GPL-2.0-only
"""One owner for each page, CPU, interrupt and name."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import combinations, product

from jailhouse.config.emit import in_window
from jailhouse.config.model import Cell, Device, Placed, Span, System
from jailhouse.config.problems import Problems, Where
from jailhouse.config.units import function_text

_LIST = "`lines`"


@dataclass(frozen=True)
class _Claim:
    owner: str
    what: str
    where: Where

    def __str__(self) -> str:
        return f"{self.owner}, {self.what}"


def check_owners(system: System, problems: Problems) -> None:
    check_names(system, problems)
    _check_cpus(system, problems)
    _check_ram(system, problems)
    _check_devices(system, problems)
    _check_lines(system, problems)
    _check_ports(system, problems)
    _check_functions(system, problems)


def check_names(system: System, problems: Problems) -> None:
    seen = {system.root_name: Placed("the root cell", Span(0, 0), system.root_where)}
    for cell in system.cells:
        other = seen.get(cell.name)
        if other:
            problems.error(cell.where, f'cell "{cell.name}": {other.name} ({other.where}) has this '
                           "name", "commands and files name cells, and must mean one of them",
                           "rename one of the two")
        seen.setdefault(cell.name, Placed("another cell", Span(0, 0), cell.where))


def _check_cpus(system: System, problems: Problems) -> None:
    owners: dict[int, _Claim] = {}
    for cell in system.cells:
        for line in cell.cpus:
            for number in line.numbers:
                claim = _Claim(_title(cell), f"CPU {number}", line.where)
                _sole(owners, number, claim, "a CPU runs one cell", problems)
    count = len(system.machine.hwids)
    if len(owners) == count:
        problems.error(system.where, f"all {count} CPUs are given to cells: the root cell "
                       f'"{system.root_name}" has none', "Linux could not run, and nobody could "
                       "manage the cells", "take a CPU from a cell")


def _check_ram(system: System, problems: Problems) -> None:
    claims = [(_Claim(_title(c), f'memory "{r.name}"', r.where), Span(r.host, r.size))
              for c in system.cells for r in c.memory if r.host is not None and r.shared is None]
    claims += [(_Claim(f'shared "{s.name}"', "memory", s.where), Span(s.host, s.size))
               for s in system.shared.values() if s.host is not None]
    for (a, a_span), (b, b_span) in combinations(claims, 2):
        if a_span.overlaps(b_span):
            problems.error(b.where, f"{a} ({a.where}) and {b} overlap in host memory at "
                           f"{a_span.common(b_span)}", "one would read and write the other's data",
                           "leave `host` out of one of the two, or make it a [shared.NAME] region")
    for cell in system.cells:
        uses = [r for r in cell.memory if r.shared is not None]
        for index, use in enumerate(uses):
            if use.shared in [u.shared for u in uses[:index]]:
                problems.error(use.where, f'{_title(cell)}: shared "{use.shared}" stands there '
                               "twice", "a cell sees a region at one address",
                               "remove one of the two")


def _check_devices(system: System, problems: Problems) -> None:
    claims = list(_device_claims(system))
    for (device, a), (other, b) in combinations(claims, 2):
        first, second = sorted((a, b), key=lambda c: _is_root(c, system))
        if a.owner == b.owner:
            continue
        if device is other:
            problems.error(b.where, f"{a} ({a.where}) and {b}: both have it",
                           "a device's memory and interrupts go to one cell",
                           "remove it from one of the two")
            continue
        for page in _common_pages(device, other):
            if _carved(device, a, other, b, system):
                continue
            problems.error(first.where, f"{first} and {second} ({second.where}) have registers on "
                           f"the same page {page}",
                           "memory is handed over in whole pages, so each could drive the other's "
                           "device", "give both devices to the same cell, or both to none")


def _carved(device: Device, a: _Claim, other: Device, b: _Claim, system: System) -> bool:
    """Is one a PCI function, and the other the root cell's window it is carved from?"""
    for inner, outer, claim in ((device, other, b), (other, device, a)):
        if _is_root(claim, system) and any(in_window(inner, p, system.machine) is outer
                                           for p in inner.registers):
            return True
    return False


def _common_pages(a: Device, b: Device) -> list[Span]:
    return [x.span.pages().common(y.span.pages()) for x, y in product(a.registers, b.registers)
            if x.span.pages().overlaps(y.span.pages())]


def _check_lines(system: System, problems: Problems) -> None:
    claims = [(claim, n) for device, claim in _device_claims(system)
              for line in device.lines for n in line.numbers]
    for cell in system.cells:
        claims += [(_Claim(_title(cell), _LIST, line.where), n)
                   for line in cell.lines for n in line.numbers]
    _check_one_owner("interrupt", str, claims, "an interrupt is delivered to one cell", system,
                     problems)


def _check_ports(system: System, problems: Problems) -> None:
    claims = [(claim, n) for device, claim in _device_claims(system)
              for line in device.ports for n in line.numbers]
    for cell in system.cells:
        claims += [(_Claim(_title(cell), "`ports`", line.where), n)
                   for line in cell.ports for n in line.numbers]
    _check_one_owner("port", hex, claims, "a port answers one cell", system, problems)


def _check_functions(system: System, problems: Problems) -> None:
    claims = [(claim, f.bdf) for device, claim in _device_claims(system)
              for f in device.functions]
    for cell in system.cells:
        claims += [(_Claim(_title(cell), "`pci`", f.where), f.bdf) for f in cell.functions]
    _check_one_owner("PCI function", function_text, claims, "a function is configured by one cell",
                     system, problems)


def _check_one_owner(kind: str, text: Callable[[int], str], claims: list[tuple[_Claim, int]],
                     why: str, system: System, problems: Problems) -> None:
    owners: dict[int, _Claim] = {}
    clashes: dict[tuple[_Claim, _Claim], list[int]] = {}
    for claim, number in claims:
        other = owners.setdefault(number, claim)
        # Two that have the same device hear it of the device
        same_device = other.what == claim.what and not claim.what.startswith("`")
        if other.owner != claim.owner and not same_device:
            first, second = sorted((other, claim), key=lambda c: _is_root(c, system))
            clashes.setdefault((first, second), []).append(number)
    for (first, second), numbers in clashes.items():
        problems.error(first.where, f"{kind} {_runs(numbers, text)}: {first} and "
                       f"{second} ({second.where}) both have it", why,
                       "give both devices to the same cell, or remove the number from one")


def _runs(numbers: list[int], text: Callable[[int], str]) -> str:
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and runs[-1][-1] + 1 == number:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(text(r[0]) + (f" to {text(r[-1])}" if r[1:] else "") for r in runs)


def _device_claims(system: System) -> Iterable[tuple[Device, _Claim]]:
    """Every device with each of its owners; the root cell's where no cell has it."""
    for device in system.machine.devices.values():
        users = [(cell, named) for cell in system.cells for named in cell.devices
                 if named.name == device.name]
        for cell, named in users:
            yield device, _Claim(_title(cell), f'device "{device.name}"', named.where)
        if not users:
            yield device, _Claim(_root(system), f'device "{device.name}"', device.where)


def _sole(owners: dict[int, _Claim], number: int, claim: _Claim, why: str,
          problems: Problems) -> None:
    other = owners.setdefault(number, claim)
    if other is not claim:
        again = " again" if other.owner == claim.owner else ""
        problems.error(claim.where, f"{claim}{again}: {other.owner} ({other.where}) has it",
                       why, "remove the number from one of the two")


def _is_root(claim: _Claim, system: System) -> bool:
    return claim.owner == _root(system)


def _root(system: System) -> str:
    return f'root cell "{system.root_name}"'


def _title(cell: Cell) -> str:
    return f'cell "{cell.name}"'
