# SPDX-License-Identifier: GPL-2.0-only
"""
From the hypervisor's lines (core/fault.c, core/budget.c, arch/x86/pio.c) to what the cell wanted, and the words for its
text that give it to it.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from jailhouse.config.arches import ARCHES
from jailhouse.config.emit import cell_pages, guest_offset
from jailhouse.config.model import Cell, Device, Given, Region, System
from jailhouse.config.units import MIB, PAGE, align_down, function_text

_LINE = re.compile(r'(?:FAILED cell|refused to cell|cell) "(?P<cell>[^"]*)": CPU \d+: (?P<what>.*)')
_ACCESS = re.compile(r"(?P<kind>read|write|execute) of 0x(?P<at>[0-9a-f]+) at PC 0x(?P<pc>[0-9a-f]+)")
_PORT = re.compile(r"(?P<kind>read of|write to|string instruction on) port 0x(?P<at>[0-9a-f]+)")
_MSR = re.compile(r"(?:read|write) of MSR 0x(?P<at>[0-9a-f]+)")
_EXIT = re.compile(r"exit beyond its contract \((?P<limit>[^)]*)\): (?P<reason>\w+)(?: 0x(?P<detail>[0-9a-f]+))?")


@dataclass(frozen=True)
class Lesson:
    said: str			# the hypervisor's line
    meant: str			# what is there
    advice: str			# what to do about it

    def __str__(self) -> str:
        return f"{self.said}\n    that is: {self.meant}\n    to do:   {self.advice}"


def lessons(lines: Iterable[str], system: System) -> Iterator[Lesson]:
    """Of each line that is about a fault of one of the system's cells; the same is told once."""
    cells = {cell.name: cell for cell in system.cells}
    told: set[tuple[str, str]] = set()
    for line in lines:
        found = _LINE.search(line)
        if found is None or found["cell"] not in cells:
            continue
        lesson = _of(found[0], found["what"], cells[found["cell"]], system)
        if lesson is not None and (found["cell"], lesson.meant) not in told:
            told.add((found["cell"], lesson.meant))
            yield lesson


def _of(said: str, what: str, cell: Cell, system: System) -> Lesson | None:
    if exit_ := _EXIT.match(what):
        return _of_exit(said, exit_, cell, system)
    if access := _ACCESS.search(what):
        return Lesson(said, *_of_address(int(access["at"], 16), access["kind"], cell, system))
    if port := _PORT.search(what):
        return Lesson(said, *_of_port(int(port["at"], 16), cell, system))
    if msr := _MSR.search(what):
        return Lesson(said, f"model-specific register 0x{msr['at']}, which no cell has",
                      "the program must do without it; Linux does, if it is told of no such feature")
    return None


# --- addresses ---

def _of_address(at: int, kind: str, cell: Cell, system: System) -> tuple[str, str]:
    for region in cell.memory:
        if region.guest <= at < region.guest + region.size:
            return f'its own memory "{region.name}", which it may not {kind} ("{region.access}")', _more_access(region, kind)
    if cell.comm_page is not None and cell.comm_page <= at < cell.comm_page + PAGE:
        return "its communication page, from which nothing is executed", "the program jumped to a wrong place"
    if device := _device_at(at, system):
        meant, advice = _of_device(device, at, cell, system)
        return meant + (f"; it is just behind its memory {near}, too" if (near := _near(at, cell)) else ""), advice
    if near := _near(at, cell):
        return f"just behind its memory {near}", f'give that more `size` in cell "{cell.name}" ({cell.where}) if the program needs it'
    mediated = _mediated(at, cell, system)
    if mediated is not None:
        return f"the machine's {mediated}, where the hypervisor answers", "the program did what that device takes no access for"
    if any(placed.span.start <= at < placed.span.end for placed in system.machine.ram):
        return ("RAM of the machine, which is not at that address in the cell",
                f'link the program for where the cell has memory, or add to it: {{ name = "more", guest = {align_down(at, PAGE):#x}, '
                'size = "1M", access = "rw" }')
    return ("nothing that the machine's text knows",
            "if a device is there, describe it in the machine text (`jailhouse config create`); else the program is wrong, or "
            "was built for another machine")


def _more_access(region: Region, kind: str) -> str:
    if region.boot:
        return "what it is started from cannot be written: the program is to keep its data in other memory"
    if region.shared is not None:
        return ("the program jumped to a wrong place: nothing is executed there" if kind == "execute" else
                f'write access = "rw" at {region.where}')
    return f'write access = "rwx" (or what it is to have) at {region.where}'


def _mediated(at: int, cell: Cell, system: System) -> str | None:
    """What of the interrupt controller and the like is there."""
    platform = system.machine.platform
    found = ARCHES[system.machine.arch].mediated(cell, platform) if platform is not None else ()
    return next((p.name for p in found if p.span.start <= at < p.span.end), None)


def _near(at: int, cell: Cell) -> str:
    """The region that ends less than a MiB before that address: who runs over the end of one comes there."""
    return next((f'"{r.name}"' for r in cell.memory if r.guest + r.size <= at < r.guest + r.size + MIB), "")


def _device_at(at: int, system: System) -> Device | None:
    """One whose registers are there; else one that has something on that page."""
    page = align_down(at, PAGE)
    devices = [d for d in system.machine.devices.values() if d.registers]
    # a window of a host bridge is less than the function in it
    exact = [(p.span.size, d) for d in devices for p in d.registers if p.span.start <= at < p.span.end]
    near = [(p.span.size, d) for d in devices for p in d.registers if p.span.pages().start <= page < p.span.pages().end]
    found = min(exact or near, key=lambda f: f[0], default=None)
    return found[1] if found else None


def _of_device(device: Device, at: int, cell: Cell, system: System) -> tuple[str, str]:
    part = next((p for p in device.registers if p.span.start <= at < p.span.end), device.registers[0])
    about = f" ({device.about})" if device.about else ""
    name = f'device "{device.name}"{about}'
    if at >= part.span.start:
        name += f", {part.name} + {at - part.span.start:#x}"
    owner = next((c.name for c in system.cells if device.name in {g.name for g in c.devices}), None)
    if owner == cell.name:
        return name, _moved(device, cell, system)
    if owner is not None:
        return (f"{name}, which is cell \"{owner}\"'s",
                f'take it from cell "{owner}", then add to cell "{cell.name}": {_line(device, cell)}')
    pages = {p.span.pages().start for p in device.registers}
    beside = sorted(d.name for d in system.machine.devices.values() if d is not device and
                    any(p.span.pages().start in pages for p in d.registers) and not d.functions)
    more = f' (with {", ".join(beside)}: registers on the same page)' if beside else ""
    return f"{name}, which is the root cell's", f'add to cell "{cell.name}" ({cell.where}): {_line(device, cell, beside)}{more}'


def _line(device: Device, cell: Cell, beside: Iterable[str] = ()) -> str:
    names = [g.name for g in cell.devices] + [device.name, *beside]
    line = "devices = [" + ", ".join(f'"{n}"' for n in dict.fromkeys(names)) + "]"
    if lines := [str(n) for one in device.lines for n in one.numbers]:
        line += f", which brings interrupt{'s' if len(lines) > 1 else ''} {', '.join(lines)} too"
    if device.functions:
        line += f", which brings PCI function {', '.join(function_text(f.bdf) for f in device.functions)} too"
    return line


def _moved(device: Device, cell: Cell, system: System) -> str:
    given: Given = next(g for g in cell.devices if g.name == device.name)
    if guest_offset(given, device):
        seen = min(page.span.start + offset for page, offset in cell_pages(cell, system.machine) if offset)
        return f"the cell sees it at {seen:#x} (`guest` at {given.where}): remove `guest`, or build the program for that address"
    return "it is the cell's: the access is wider, or of another kind, than the device takes"


# --- ports and exits ---

def _of_port(at: int, cell: Cell, system: System) -> tuple[str, str]:
    absent = 'or let it see nothing there: other_ports = "absent"'
    device = next((d for d in system.machine.devices.values() if any(at in line.numbers for line in d.ports)), None)
    if device is None:
        return ("a port of no device that the machine's text knows",
                f'give it by ports = ["{at:#x}"] in cell "{cell.name}" ({cell.where}), {absent}')
    about = f" ({device.about})" if device.about else ""
    owner = next((f'cell "{c.name}"' for c in system.cells if device.name in {g.name for g in c.devices}), "the root cell")
    return (f'a port of device "{device.name}"{about}, which is {owner}\'s',
            f'add to cell "{cell.name}" ({cell.where}): {_line(device, cell)}; {absent}')


_INSTEAD = {
    "hypercall": "print on a UART of its own (`devices` and `console`) instead of by hypercalls",
    "wfi": 'write wfi = "trusted", if the program may be trusted not to keep its CPU',
    "irq": 'have its interrupts direct: interrupts = "direct", without `renumber`',
    "sgi": "let its CPUs talk through memory",
    "icr": "let its CPUs talk through memory",
    "xapic": "let the program switch its local APIC to x2APIC mode",
}


def _of_exit(said: str, found: re.Match[str], cell: Cell, system: System) -> Lesson:
    reason = found["reason"]
    meant = f"its contract ({found['limit']}) has no room for an exit of kind {reason}"
    if reason == "mmio" and found["detail"]:
        at = int(found["detail"], 16)
        meant += f": an access to the {_mediated(at, cell, system) or 'device'} at {at:#x}"
    advice = _INSTEAD.get(reason, "have the program do so while it starts up, within `settle_ms`")
    return Lesson(said, meant, f'{advice}; or raise `exits` ({cell.limit.where})')
