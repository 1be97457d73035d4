# SPDX-License-Identifier: GPL-2.0-only
"""
Devices of a cell as nodes of its device tree. A .cell file says which pages and lines a cell has; what is behind them, and which
line is whose, only the texts do.
"""

import re
from dataclasses import dataclass

from jailhouse.config import abi
from jailhouse.config.emit import cell_numbers, emit_cell, guest_offset
from jailhouse.config.model import Cell, Device, Machine, Span
from jailhouse.config.tree_text import comment, node, reg, specifiers, strings
from jailhouse.config.units import PAGE

# What a clock that nobody knows is said to have
CLOCK_HZ = 24_000_000
# The cell's number of it, and whether it is an edge
Interrupt = tuple[int, bool]
# The first word of what create wrote of a device of a tree
_COMPATIBLE = re.compile(r"[A-Za-z0-9][\w.+-]*,[\w.+-]+", re.ASCII)


class Guest:
    """A cell with its devices, and the record that says of it what its file does."""

    def __init__(self, cell: Cell, machine: Machine) -> None:
        self.cell = cell
        self.machine = machine
        self.section = emit_cell(cell, machine).cell
        self.numbers = cell_numbers(cell, machine)
        self.devices = [machine.devices[given.name] for given in cell.devices]
        self.console = self._console()

    def _console(self) -> Device | None:
        console, own = self.section.console, self.section.uart
        if self.cell.console is None or not console.get("type") or own["type"] and own["address"] == console["address"]:
            return None
        return self.machine.devices[self.cell.console.name]

    def spans(self, device: Device) -> tuple[Span, ...]:
        given = next(g for g in self.cell.devices if g.name == device.name)
        return tuple(p.span.moved(guest_offset(given, device)) for p in device.registers)

    def interrupts(self, device: Device) -> tuple[Interrupt, ...]:
        """As the cell numbers them. The only line of a cell, if it is no other device's, is taken for the console's."""
        known = tuple((self.numbers[n], n in device.edges) for line in device.lines for n in line.numbers)
        others = set(self.numbers) - {self.section.uart["irq"]}
        if not known and device is self.console and len(others) == 1:
            return tuple((self.numbers[n], False) for n in others if n not in self._of_devices())
        return known

    def nobodys_interrupts(self) -> list[Interrupt]:
        found = {(self.numbers[n], False) for n in set(self.numbers) - self._of_devices() - {self.section.uart["irq"]}}
        return sorted(found.difference(self.interrupts(self.console) if self.console is not None else ()))

    def _of_devices(self) -> set[int]:
        return {n for device in self.devices for line in device.lines for n in line.numbers}


@dataclass(frozen=True)
class GuestUart:
    """As the cell sees it. label: the tree's alias for it; empty: it has none."""
    type: int
    flags: int
    spans: tuple[Span, ...]
    interrupts: tuple[Interrupt, ...]
    notes: tuple[str, ...]
    label: str = ""


def labelled_uarts(guest: Guest) -> list[GuestUart]:
    """The console first, and the one that only the hypervisor has."""
    found = []
    if guest.console is not None:
        found.append(_console(guest, guest.console))
    own = guest.section.uart
    if own["type"]:
        interrupts = ((guest.numbers[own["irq"]], False),) if own["irq"] else ()
        found.append(GuestUart(own["type"], 0, (Span(own["address"], PAGE),), interrupts,
                               ("none of the machine's: the hypervisor answers there",), f"serial{len(found)}"))
    return found


def _console(guest: Guest, device: Device) -> GuestUart:
    console = guest.section.console
    whole = Span(console["address"], max(console["size"], PAGE - console["address"] % PAGE))
    interrupts = guest.interrupts(device)
    guess = ("to be checked: the only interrupt of the cell is taken for its",) if interrupts and not device.lines else ()
    return GuestUart(console["type"], console["flags"], (whole, *guest.spans(device)[1:]), interrupts,
                     _uart_notes(device) + guess, "serial0")


def uart_node(uart: GuestUart) -> list[str]:
    kind = f"serial@{uart.spans[0].start:x}"
    body = [line for note in uart.notes for line in comment(note)]
    if uart.type == abi.ABI_CONSOLE_PL011:
        body += [strings("compatible", "arm,pl011", "arm,primecell"), "clocks = <&clock>, <&clock>;",
                 strings("clock-names", "uartclk", "apb_pclk")]
    else:
        body += [strings("compatible", "ns16550a"), f"clock-frequency = <{CLOCK_HZ}>;"]
        if uart.flags & abi.ABI_CONSOLE_STRIDE_4:
            body += ["reg-shift = <2>;", "reg-io-width = <4>;"]
    return node(f"{uart.label}: {kind}" if uart.label else kind, body + _places(uart.spans, uart.interrupts))


def device_nodes(guest: Guest) -> list[list[str]]:
    """Of all but the console."""
    return [_device(guest, device) for device in guest.devices if device.registers and device is not guest.console]


def _device(guest: Guest, device: Device) -> list[str]:
    spans, interrupts = guest.spans(device), guest.interrupts(device)
    if device.uart is not None:
        return uart_node(GuestUart(device.uart.type, device.uart.flags, spans, interrupts, _uart_notes(device)))
    compatible = _COMPATIBLE.match(device.about)
    body = [strings("compatible", compatible[0])] if compatible else comment('to be written: compatible = "...";')
    body += [line for need in _needs(device) for line in comment(need)]
    return node(f"{re.sub(r'[^A-Za-z0-9,._+-]', '-', device.name)}@{spans[0].start:x}", body + _places(spans, interrupts))


def _uart_notes(device: Device) -> tuple[str, ...]:
    compatible = _COMPATIBLE.match(device.about)
    return (f'"{device.name}"' + (f': "{compatible[0]}" on the machine' if compatible else ""), *_needs(device))


def _needs(device: Device) -> list[str]:
    return [f'it needs {need.what} of "{need.device.name}"' for need in device.needs]


def _places(spans: tuple[Span, ...], interrupts: tuple[Interrupt, ...]) -> list[str]:
    return [reg(spans)] + ([f"interrupts = {specifiers(interrupts)};"] if interrupts else [])


def unplaced_interrupts(guest: Guest) -> list[str]:
    """A comment on the lines that no node has, if there are any."""
    lines = [f'"{device.name}" has no registers; interrupts = {specifiers(guest.interrupts(device))};'
             for device in guest.devices if device.lines and not device.registers]
    if nobodys := guest.nobodys_interrupts():
        lines.append(f"which device has them is not known: interrupts = {specifiers(nobodys)};")
    return comment(*lines) if lines else []
