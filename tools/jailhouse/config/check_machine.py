# SPDX-License-Identifier: GPL-2.0-only
"""The machine text by itself, and the division of its RAM."""

import difflib
from itertools import combinations, pairwise, product

from jailhouse.config.emit import device_pages, in_window
from jailhouse.config.model import Line, Machine, Placed, Span, System
from jailhouse.config.problems import Problems, Where
from jailhouse.config.units import BLOCK, MIB, PAGE, align_down, function_text, size_text

HYPERVISOR_MIN = 4 * MIB


def check_machine(machine: Machine, problems: Problems) -> None:
    registers = [p for d in machine.devices.values() for p in d.registers]
    inner = {p for d in machine.devices.values() for p in d.registers
             if in_window(d, p, machine)}
    mediated = machine.platform.mediated if machine.platform else ()
    for placed in machine.ram:
        check_aligned(placed.name, placed.where, placed.span, PAGE, problems)
    for placed in [*machine.ram, *registers, *mediated]:
        check_address(placed.name, placed.where, placed.span, machine, problems)
    for kept in machine.firmware:
        if not any(kept.span.within(ram.span) for ram in machine.ram):
            problems.error(kept.where, f"firmware {kept.name} {kept.span} is not within the machine's RAM",
                           "only parts of RAM can be kept from others", "correct it, or leave it out")
    for a, b in combinations([*machine.ram, *registers, *mediated], 2):
        if a.span.overlaps(b.span) and (a in inner) == (b in inner):
            _overlap(a, b, "one address has one meaning on a board",
                     "correct one of the two from the board's manual or device tree", problems)
    for page in device_pages(machine.devices.values()):
        for other in [*machine.ram, *mediated]:
            if page.span.overlaps(other.span) and not any(r.span.overlaps(other.span)
                                                          for r in registers):
                _overlap(page, other, "a device is handed over in whole pages, and this page is "
                         "not the device's alone", "leave the device out", problems)
    _check_console(machine, problems)
    _check_ports(machine, problems)
    _check_functions(machine, problems)
    _check_references(machine, problems)
    for device in machine.devices.values():
        for line in device.lines:
            check_line(f'device "{device.name}"', line, machine, problems)


def check_line(title: str, line: Line, machine: Machine, problems: Problems) -> None:
    absent = machine.platform.absent.intersection(line.numbers) if machine.platform else ()
    if absent:
        problems.error(line.where, f"{title}: interrupt {min(absent)} is none of the machine's",
                       "no interrupt controller has such a pin", "correct the number, or the "
                       "interrupt controllers in the machine text")


def check_port(title: str, line: Line, machine: Machine, problems: Problems) -> None:
    mediated = machine.platform.mediated_ports if machine.platform else None
    both = [n for n in line.numbers if mediated and n in mediated.numbers]
    if both:
        problems.error(line.where, f"{title}: port {both[0]:#x} is mediated",
                       "the hypervisor answers there for every cell, so it is nobody's",
                       "leave it out")


def _check_ports(machine: Machine, problems: Problems) -> None:
    claims = [(d.name, line) for d in machine.devices.values() for line in d.ports]
    for name, line in claims:
        check_port(f'device "{name}"', line, machine, problems)
    claims.sort(key=lambda c: c[1].numbers.start)
    for (a, first), (b, second) in pairwise(claims):
        if second.numbers.start < first.numbers.stop:
            problems.error(max(first.where, second.where), f"ports of {a} and {b} ("
                           f"{min(first.where, second.where)}) overlap at "
                           f"{second.numbers.start:#x}", "one port has one meaning on a board",
                           "correct one of the two from the board's manual or /proc/ioports")


def _check_functions(machine: Machine, problems: Problems) -> None:
    seen: dict[int, str] = {}
    for device in machine.devices.values():
        for function in device.functions:
            other = seen.setdefault(function.bdf, device.name)
            if other != device.name:
                problems.error(function.where, f'device "{device.name}": PCI function '
                               f'{function_text(function.bdf)} is device "{other}"',
                               "a function is handed over as one", "correct one of the two, or "
                               "make both one device")


def _check_console(machine: Machine, problems: Problems) -> None:
    if machine.console is None:
        return
    name = machine.console.name
    device = machine.devices.get(name)
    if device is None or device.uart is None:
        problems.error(machine.console.where, f'machine "{machine.name}": console "{name}" is no '
                       "device with a `uart`", "the hypervisor would not know how to print there",
                       "name a device that has `uart = ...`, or leave `console` out")


def _check_references(machine: Machine, problems: Problems) -> None:
    """Names that stand in a machine text are those of its devices."""
    for device in machine.devices.values():
        for key, named in (*(("needs", n.device) for n in device.needs), *(("streams", s.iommu) for s in device.streams)):
            if named.name not in machine.devices:
                near = difflib.get_close_matches(named.name, machine.devices, 1)
                problems.error(named.where, f'device "{device.name}": `{key}`: the machine has no device "{named.name}"',
                               "whose it is could not be found out", f'did you mean "{near[0]}"?' if near else
                               "correct the name, or remove it")


def check_memory(system: System, problems: Problems) -> None:
    parts = [*system.linux, system.reserved, system.hypervisor]
    for part in parts:
        if part is not system.hypervisor:
            check_aligned(part.name, part.where, part.span, PAGE, problems)
        if not any(part.span.within(ram.span) for ram in system.machine.ram):
            known = ", ".join(f"{r.span} ({r.where})" for r in system.machine.ram)
            problems.error(part.where, f"{part.name} {part.span} is not within the RAM of machine "
                           f'"{system.machine.name}": {known}',
                           "accesses there go to a device or to nothing",
                           "choose addresses within one span of the machine's RAM")
    for a, b in combinations(parts, 2):
        if a.span.overlaps(b.span):
            _overlap(a, b, "each byte of RAM has one owner",
                     "move or shrink one of the two in [memory]", problems)
    for part, kept in product((system.reserved, system.hypervisor), system.machine.firmware):
        if part.span.overlaps(kept.span):
            _overlap(part, kept, "firmware keeps that for itself: it would be written over, or an access there would "
                     "be answered by an error", f"move `{'cells' if part is system.reserved else 'hypervisor'}` in [memory], or "
                     "leave it out to have a place found for it", problems)
    _check_hypervisor(system.hypervisor, problems)
    _check_idle(system, problems)


def _check_hypervisor(placed: Placed, problems: Problems) -> None:
    check_aligned("hypervisor", placed.where, placed.span, BLOCK, problems)
    if placed.span.size < HYPERVISOR_MIN:
        problems.error(placed.where, f"hypervisor: {size_text(placed.span.size)} are too little",
                       "its image, its log and the page tables of all cells lie there",
                       f"give it {size_text(HYPERVISOR_MIN)} or more; 16M serve many cells")


def _check_idle(system: System, problems: Problems) -> None:
    for ram in system.machine.ram:
        at = ram.span.start
        owned = sorted((p.span for p in [*system.linux, system.reserved, system.hypervisor]),
                       key=lambda s: s.start)
        for span in [*owned, Span(ram.span.end, 0)]:
            if ram.span.start <= span.start <= ram.span.end and span.start > at:
                hole = Span(at, span.start - at)
                problems.warn(system.where, f"RAM {hole} belongs to nobody ({ram.where})",
                              "neither Linux, nor cells, nor the hypervisor will use it",
                              "enlarge a neighbour in [memory]")
            at = max(at, span.end)


def check_aligned(title: str, where: Where, span: Span, unit: int, problems: Problems) -> None:
    check_start(title, where, span, unit, problems)
    check_size(title, where, span.size, unit, problems)


def check_start(title: str, where: Where, span: Span, unit: int, problems: Problems) -> None:
    _check_multiple(f"{title}: start", where, span.start, unit, 0, problems)


def check_size(title: str, where: Where, size: int, unit: int, problems: Problems) -> None:
    _check_multiple(f"{title}: size", where, size, unit, unit, problems)


def _check_multiple(title: str, where: Where, value: int, unit: int, least: int, problems: Problems) -> None:
    if value % unit:
        below = align_down(value, unit)
        problems.error(where, f"{title} {value:#x} is no multiple of {size_text(unit)}", "memory is handed over in whole units of that",
                       (f"use {below:#x} or " if below >= least else "use ") + f"{below + unit:#x}")


def check_address(title: str, where: Where, span: Span, machine: Machine,
                  problems: Problems) -> None:
    if span.end > 1 << machine.address_bits:
        problems.error(where, f"{title} {span} ends above the {machine.address_bits} address "
                       f'bits of machine "{machine.name}"', "no CPU can form such an address",
                       "correct the address, or `address_bits` in the machine text")


def _overlap(a: Placed, b: Placed, why: str, fix: str, problems: Problems) -> None:
    first, second = sorted((a, b), key=lambda p: (p.where.file, p.where.line), reverse=True)
    problems.error(first.where, f"{first.name} {first.span} and {second.name} {second.span} "
                   f"({second.where}) overlap at {a.span.common(b.span)}", why, fix)
