# SPDX-License-Identifier: GPL-2.0-only
"""
UARTs that only the hypervisor has: which line of the machine's stands for their interrupt. It needs one
without a wire; where the number the program knows is taken, another is given that number, and the
cell's interrupts are injected.
"""

from dataclasses import replace

from jailhouse.config.arches import ARCHES
from jailhouse.config.model import Cell, CellUart, Line, Machine, Renumbering, System
from jailhouse.config.problems import Problems


def settle_uarts(system: System, problems: Problems) -> System:
    """The system with a line for each interrupt. Where there is none left, that is said."""
    taken = _taken(system)
    cells = []
    for cell in system.cells:
        uart = cell.uart
        if uart is not None and uart.interrupt is not None:
            line = uart.line if uart.line is not None else _free(uart.interrupt, taken, system.machine)
            if line is None:
                problems.error(uart.where, f'cell "{cell.name}": no line is left for its uart\'s '
                               f"interrupt {uart.interrupt}", "each is a device's or a cell's",
                               "take a line from another cell, or leave `interrupt` out and let its "
                               "program look by itself whether something was typed")
            else:
                taken.add(line)
                cell = _with_line(cell, uart, line)
        cells.append(cell)
    return replace(system, cells=tuple(cells))


def _taken(system: System) -> set[int]:
    lines = [line for device in system.machine.devices.values() for line in device.lines]
    lines += [line for cell in system.cells for line in cell.lines]
    taken = {n for line in lines for n in line.numbers}
    return taken | {c.uart.line for c in system.cells if c.uart is not None and c.uart.line is not None}


def _free(wanted: int, taken: set[int], machine: Machine) -> int | None:
    """The number itself if nobody has it, else the last that nobody has."""
    if machine.platform is None:
        return None
    lines = [n for n in machine.platform.lines if n not in taken and n not in machine.platform.absent]
    if wanted in lines:
        return wanted
    return lines[-1] if lines else None


def _with_line(cell: Cell, uart: CellUart, line: int) -> Cell:
    assert uart.interrupt is not None
    renumbered = cell.delivery.renumbered
    if line != uart.interrupt:
        renumbered += (Renumbering(line, uart.interrupt, uart.where),)
    return replace(cell, uart=replace(uart, line=line), lines=cell.lines + (Line(range(line, line + 1), uart.where),),
                   delivery=replace(cell.delivery, renumbered=renumbered))


def uart_text(cell: Cell, machine: Machine) -> str | None:
    """What was decided, for people."""
    uart = cell.uart
    if uart is None:
        return None
    said = f"{ARCHES[machine.arch].uart} at {uart.address:#x}"
    if uart.interrupt is None:
        return f"uart {said}, no interrupt"
    how = "injected" if cell.delivery.injected else "direct"
    return f"uart {said}, interrupt {uart.interrupt}, which is line {uart.line}, {how}"
