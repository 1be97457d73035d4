# SPDX-License-Identifier: GPL-2.0-only
"""The machine's devices: what the root cell has, cut where a cell's part or a UART begins."""

from collections.abc import Iterable
from dataclasses import dataclass

from jailhouse.config.model import Span
from jailhouse.config.units import PAGE, function_text
from jailhouse.config_import.memory import RootMemory
from jailhouse.config_import.records import CONSOLE_8250, CONSOLE_PL011, CONSOLE_STRIDE_4, Console
from jailhouse.config.spans import covered, merged, minus
from jailhouse.config_import.texts import TO_CHECK, Device

_PORTS_OF_8250 = 8
_DOUBTFUL = TO_CHECK + "marked as memory in Jailhouse's file"


@dataclass(frozen=True)
class UartAt:
    """Where the machine has a UART, in memory; key: as `uart` of devices calls it, if it has a word for it."""
    span: Span
    key: str | None


def uart_key(console: Console) -> str | None:
    if console.type == CONSOLE_8250:
        return "8250-32" if console.in_memory and console.flags & CONSOLE_STRIDE_4 else "8250"
    return "pl011" if console.type == CONSOLE_PL011 and console.in_memory else None


def uart_at(console: Console, address: int) -> UartAt:
    """`address` is the machine's. It has its pages to their end."""
    end = -(-(address + max(console.size, 1)) // PAGE) * PAGE
    return UartAt(Span(address, end - address), uart_key(console))


def uart_of(console: Console, address: int | None, devices: Iterable[Device]) -> str | None:
    """The device that a console is, which the machine has at `address`: in memory, or its first port."""
    for device in devices:
        at = device.ports.start if device.ports and not console.in_memory else \
            device.registers[0].start if device.registers and console.in_memory else None
        if device.uart and at is not None and at == address:
            return device.name
    return None


def port_uart(port: int) -> Device:
    return Device(f"uart-{port:x}", uart="8250", ports=range(port, port + _PORTS_OF_8250))


def function_name(bdf: int) -> str:
    return f"pci-{function_text(bdf)}".translate(str.maketrans(":.", "--"))


def cut_devices(claims: Iterable[Span], uarts: list[UartAt], functions: dict[int, Span], blocked: list[Span]) -> \
        list[Device]:
    """
    The parts of what cells have, UARTs and MSI-X tables (by function), each a device that can be given away. No two
    overlap, and none has anything of what is `blocked`.
    """
    tables = {bdf: span.pages() for bdf, span in functions.items()}
    spans = [*claims, *(u.span for u in uarts), *tables.values()]
    keys = {u.span.start: u.key for u in reversed(uarts)}
    names = {span.start: bdf for bdf, span in tables.items()}
    found = []
    for piece in _pieces(spans):
        parts = tuple(minus([piece], blocked))
        if not parts:
            continue
        start = parts[0].start
        bdf = names.get(start)
        prefix = "uart" if start in keys else "mmio"
        name = f"{prefix}-{start:x}" if bdf is None else function_name(bdf)
        found.append(Device(name, parts, keys.get(start), pci=bdf))
    return found


def _pieces(spans: list[Span]) -> list[Span]:
    """All of it, cut wherever one begins or ends."""
    cuts = sorted({edge for span in spans for edge in (span.start, span.end)})
    whole = merged(spans)
    pieces = [Span(start, end - start) for start, end in zip(cuts, cuts[1:], strict=False)]
    return [piece for piece in pieces if covered(piece, whole)]


def root_devices(root: RootMemory, cut: list[Device], blocked: list[Span]) -> list[Device]:
    """The rest of what the root cell has; what lies within another region is a device of its own."""
    taken = [*blocked, *(span for device in cut for span in device.registers)]
    found = []
    for memory in sorted(root.io, key=lambda m: (m.size, m.phys)):
        parts = minus([memory.span], taken)
        taken.append(memory.span)
        if parts:
            found.append(Device(f"mmio-{parts[0].start:x}", tuple(parts), note=_DOUBTFUL if root.doubtful else ""))
    return found


def whole_in(device: Device, span: Span) -> bool:
    return bool(device.registers) and all(part.within(span) for part in device.registers)
