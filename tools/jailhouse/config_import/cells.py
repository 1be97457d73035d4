# SPDX-License-Identifier: GPL-2.0-only
"""A cell's file as its part of the system text."""

from dataclasses import dataclass

from jailhouse.config.model import CONSOLE_PUTC, Span
from jailhouse.config.problems import Problems
from jailhouse.config.units import PAGE, function_text
from jailhouse.config_import import texts
from jailhouse.config_import.devices import port_uart, uart_key, uart_of, whole_in
from jailhouse.config_import.machine import Numbering
from jailhouse.config_import.memory import CellMemory
from jailhouse.config_import.records import (CELL_PUTC, CELL_PUTC_CONSOLE, CONSOLE_8250, CONSOLE_NAMES, CONSOLE_NONE,
                                             CONSOLE_PL011, MEM_EXECUTE, MEM_LOADABLE, MEM_READ, MEM_WRITE, PCI_BRIDGE,
                                             PCI_DEVICE, PCI_IVSHMEM, Cell, Memory, PciDevice)

_MEDIATED_PORTS = range(0xcf8, 0xd00)	# PCI's configuration space


@dataclass(frozen=True)
class Board:
    """What a cell's text refers to. pool None: there is no system text."""
    arch: str
    pool: Span | None
    devices: tuple[texts.Device, ...]
    numbering: Numbering


def cell_text(name: str, cell: Cell, memory: CellMemory, board: Board, problems: Problems) -> texts.Cell:
    own = [d for m in memory.devices for d in _devices_in(m, board, problems)]
    ports = _ports(cell, problems)
    functions = _functions(cell, board, problems)
    for uart in board.devices:
        if uart.ports and set(uart.ports) <= ports:
            own.append(texts.Given(uart.name))
            ports -= set(uart.ports)
    tables = {d.pci: d.name for d in board.devices if d.pci is not None}
    own += [texts.Given(tables[bdf]) for bdf in functions if bdf in tables]
    for region in memory.root_devices:
        problems.warn(region.at, f"{region.span} is a device that the root cell has as well; it is left to that",
                      "a device has one owner here",
                      f'add "{_name_at(region, board)}" to its `devices` if Linux can do without it')
    console, putc, emulated = _console(cell, memory, board, own, problems)
    lines = sorted({n for chip in cell.irqchips for n in board.numbering(chip, problems)})
    return texts.Cell(
        name, tuple(sorted(cell.cpus)), cell.entry, memory.comm.virt if memory.comm else None,
        _regions(memory, board, problems), tuple(_use(m, problems) for m in memory.shared), tuple(dict.fromkeys(own)),
        tuple(lines), tuple(sorted(ports)), tuple(b for b in functions if b not in tables), console, putc, emulated)


def shared_name(span: Span) -> str:
    return f"shared-{span.start:x}"


def _devices_in(memory: Memory, board: Board, problems: Problems) -> list[texts.Given]:
    found = []
    for device in board.devices:
        if whole_in(device, memory.span) and device.pci is None:
            start = device.registers[0].start // PAGE * PAGE
            guest = start - memory.phys + memory.virt
            found.append(texts.Given(device.name, guest if guest != start else None))
    size = sum(part.size for d in board.devices if whole_in(d, memory.span) for part in d.registers)
    if size < memory.size:
        problems.warn(memory.at, f"{memory.size - size:#x} bytes of {memory.span} are left out",
                      "RAM or an interrupt controller is there, which the hypervisor answers for, or which is `memory`",
                      "nothing, unless the cell uses them")
    return found


def _name_at(memory: Memory, board: Board) -> str:
    return next((d.name for d in board.devices if whole_in(d, memory.span)), f"mmio-{memory.phys:x}")


def _ports(cell: Cell, problems: Problems) -> set[int]:
    ports = {n for pio in cell.pios for n in range(pio.base, pio.base + pio.length)}
    for pio in cell.pios:
        if set(range(pio.base, pio.base + pio.length)) & set(_MEDIATED_PORTS):
            problems.warn(pio.at, "ports 0xcf8 to 0xcff are left out",
                          "the hypervisor answers there for every cell", "nothing")
    return ports - set(_MEDIATED_PORTS)


def _functions(cell: Cell, board: Board, problems: Problems) -> list[int]:
    found = []
    for device in cell.pci:
        if device.type == PCI_IVSHMEM:
            continue
        what = f"PCI function {device.domain:04x}:{function_text(device.bdf)}"
        if why := _not_given(device, board):
            problems.warn(device.at, f"{what} is left out", why[0], why[1])
        else:
            found.append(device.bdf)
    return list(dict.fromkeys(found))


def _not_given(device: PciDevice, board: Board) -> tuple[str, str] | None:
    """Why, and what to do."""
    if device.type != PCI_DEVICE:
        return ("it is a bridge, which the root cell keeps" if device.type == PCI_BRIDGE else
                f"its type {device.type} is none of revision 14", "give the cell the functions behind it")
    if board.arch != "x86_64":
        return "a PCI function is not given away by itself on this architecture", \
            "give the cell its registers as a device in machine.toml, and its interrupts as `lines`"
    if device.domain:
        return "only segment 0 is known here", "leave it to the root cell"
    return None


def _regions(memory: CellMemory, board: Board, problems: Problems) -> tuple[texts.Region, ...]:
    found: list[texts.Region] = []
    for index, region in enumerate(memory.ram):
        host: int | None = region.phys
        if board.pool and not region.span.within(board.pool):
            host = None
            problems.warn(region.at, f"{region.span} is not within the cells' RAM {board.pool}; it is placed anew",
                          "cells get their memory from one span", "nothing, unless a device does DMA there")
        name = "ram" if index == 0 else f"ram-{region.virt:x}"
        if name in [r.name for r in found]:
            name = f"ram{index}-{region.virt:x}"
        found.append(texts.Region(name, region.virt, region.size, _access(region, problems),
                                  region.has(MEM_LOADABLE), host))
    return tuple(found)


def _access(region: Memory, problems: Problems) -> str:
    if not region.has(MEM_READ):
        problems.warn(region.at, f"{region.span} may not be read; it may be now",
                      "there is no memory that is only written or executed", "nothing")
    return "r" + "w" * region.has(MEM_WRITE) + "x" * region.has(MEM_EXECUTE)


def _use(region: Memory, problems: Problems) -> texts.Use:
    for flag, what in ((MEM_EXECUTE, "executed from"), (MEM_LOADABLE, "filled by `cell load`")):
        if region.has(flag):
            problems.warn(region.at, f"{region.span} is shared, and not {what} any more",
                          "shared memory is for data", "give the cell `memory` of its own for that")
    return texts.Use(shared_name(region.span), region.virt, "rw" if region.has(MEM_WRITE) else "r")


def _console(cell: Cell, memory: CellMemory, board: Board, own: list[texts.Given], problems: Problems) -> \
        tuple[str | None, bool, texts.Uart | None]:
    """`console`, `putc`, `uart`."""
    console, putc = cell.console, bool(cell.flags & (CELL_PUTC | CELL_PUTC_CONSOLE))
    if cell.flags & CELL_PUTC_CONSOLE:
        return CONSOLE_PUTC, True, None
    if console.type == CONSOLE_NONE:
        return None, putc, None
    name = CONSOLE_NAMES.get(console.type, f"of unknown type {console.type}")
    what = f"its console, {name} at {console.address:#x},"
    if uart_key(console) is None:
        problems.warn(console.at, f"{what} is none that the texts know", "the communication page can name an 8250 or a "
                      "PL011", 'nothing, if its program knows its UART; else print by the hypercall: console = "putc"')
        return None, putc, None
    device = uart_of(console, console_host(cell, memory), board.devices)
    if device in [given.name for given in own]:
        return device, putc, None
    return _stand_in(cell, what, board, putc, problems)


def console_host(cell: Cell, memory: CellMemory) -> int | None:
    """Where the machine has the cell's console: an address, or a port; None: nowhere that is known."""
    console = cell.console
    if not console.in_memory:
        return console.address
    for region in (*memory.devices, *memory.root_devices):
        if region.virt <= console.address < region.virt + region.size:
            return console.address - region.virt + region.phys
    return None


def _stand_in(cell: Cell, what: str, board: Board, putc: bool, problems: Problems) -> \
        tuple[str | None, bool, texts.Uart | None]:
    console = cell.console
    if board.arch == "arm64" and console.type == CONSOLE_PL011 and console.address % PAGE == 0:
        uart = texts.Uart("guest", console.address)
    elif board.arch == "x86_64" and console.type == CONSOLE_8250 and not console.in_memory:
        uart = texts.Uart("port", console.address)
    else:
        problems.warn(console.at, f"{what} is not its own; it prints by the debug-console hypercall",
                      "a device has one owner here, and none of this kind can be stood in for",
                      "give the cell the UART in `devices`, and name it in `console`")
        return CONSOLE_PUTC, True, None
    problems.warn(console.at, f"{what} is not its own; it gets one that only the hypervisor has, in its place",
                  "a device has one owner here", "nothing: `jailhouse console` shows what it prints. Or give the cell "
                  "the UART in `devices`, and name it in `console` instead of `uart`")
    return None, putc, uart


def console_ports(cell: Cell) -> texts.Device | None:
    """The UART that its console is, if that has ports and they are the cell's own."""
    console = cell.console
    if console.in_memory or console.type != CONSOLE_8250 or console.address > 0x1_0000 - 8:
        return None
    uart = port_uart(console.address)
    own = {n for pio in cell.pios for n in range(pio.base, pio.base + pio.length)}
    return uart if uart.ports and set(uart.ports) <= own else None


def msix_tables(cell: Cell, memory: CellMemory) -> dict[int, Span]:
    """By function: where no region of the cell's covers them already."""
    covered = [m.span for m in (*memory.devices, *memory.root_devices)]
    return {d.bdf: d.msix for d in cell.pci if d.type == PCI_DEVICE and d.domain == 0 and d.msix.size and
            not any(d.msix.pages().overlaps(span) for span in covered)}
