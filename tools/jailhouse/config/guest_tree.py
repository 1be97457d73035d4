# SPDX-License-Identifier: GPL-2.0-only
"""
The devices of a cell as a device tree, which `jailhouse cell linux -d` lays over the one that it makes itself: a .cell file
says which pages and lines a cell has, but not what is behind them, nor which line is whose.
"""

import re
from collections.abc import Iterator

from jailhouse.config import abi
from jailhouse.config.emit import cell_numbers, guest_offset
from jailhouse.config.model import Cell, Device, Machine, Span

_SPI_FIRST = 32
# The first word of what create wrote of a device of a tree
_COMPATIBLE = re.compile(r"[A-Za-z0-9][\w.+-]*,[\w.+-]+")


def guest_tree(cell: Cell, machine: Machine) -> str | None:
    """The text, or None for a cell without registers of a device's in its addresses."""
    given = [(g, machine.devices[g.name]) for g in cell.devices if machine.devices[g.name].registers]
    if not given:
        return None
    lines = ["/*", f' * The devices of cell "{cell.name}". dtc -q -O dtb makes of it what jailhouse cell linux -d takes.',
             " * To be checked: interrupts are taken to be level-triggered, high.", " */", "/dts-v1/;", "", "/ {",
             "\t#address-cells = <2>;", "\t#size-cells = <2>;"]
    numbers = cell_numbers(cell, machine)
    for one, device in given:
        spans = [p.span.moved(guest_offset(one, device)) for p in device.registers]
        lines += ["", *_node(device, spans, [numbers[n] for line in device.lines for n in line.numbers])]
    return "\n".join([*lines, "};"]) + "\n"


def _node(device: Device, spans: list[Span], interrupts: list[int]) -> Iterator[str]:
    kind = "serial" if device.uart is not None else re.sub(r"[^A-Za-z0-9,._+-]", "-", device.name)
    yield f"\t{kind}@{spans[0].start:x} {{"
    compatible = _COMPATIBLE.match(device.about)
    if device.uart is not None:
        # the rest of it is what the command makes of the console
        yield f'\t\tcompatible = {_of_uart(device)};'
    elif compatible:
        yield f'\t\tcompatible = "{compatible[0]}";'
    else:
        yield "\t\t/* to be written: compatible = \"...\"; */"
    for need in device.needs:
        yield f'\t\t/* it needs {need.what} of "{need.device.name}" */'
    yield f"\t\treg = {', '.join(f'<{_cells(s.start)} {_cells(s.size)}>' for s in spans)};"
    if interrupts:
        yield f"\t\tinterrupts = {', '.join(f'<0 {n - _SPI_FIRST} 4>' for n in interrupts)};"
    yield "\t};"


def _of_uart(device: Device) -> str:
    assert device.uart is not None
    return '"arm,pl011", "arm,primecell"' if device.uart.type == abi.ABI_CONSOLE_PL011 else '"ns16550a"'


def _cells(value: int) -> str:
    return f"{value >> 32:#x} {value & 0xffff_ffff:#x}"
