# SPDX-License-Identifier: GPL-2.0-only
"""From a placed system to the records of its files, in the terms of include/abi/config.h."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from jailhouse.config import abi
from jailhouse.config.arches import ARCHES
from jailhouse.config.model import (CONSOLE_PUTC, CONSOLE_UART, Cell, Device, Function, Given, Line, Machine, Placed,
                                    Region, Span, System)
from jailhouse.config.units import PAGE

ACCESS_FLAGS = {"r": abi.ABI_MEM_READ, "w": abi.ABI_MEM_WRITE, "x": abi.ABI_MEM_EXEC}

_NO_UART: abi.Values = {"address": 0, "type": abi.ABI_CONSOLE_NONE, "irq": 0}
_RW = abi.ABI_MEM_READ | abi.ABI_MEM_WRITE
_RWX = _RW | abi.ABI_MEM_EXEC


@dataclass(frozen=True)
class Mem:
    name: str
    phys: int
    virt: int
    size: int
    flags: int


@dataclass(frozen=True)
class Irq:
    """Lines `first` and up of the machine are the cell's `virt` and up."""
    first: int
    count: int
    virt: int


@dataclass(frozen=True)
class Pio:
    first: int
    count: int


@dataclass(frozen=True)
class Section:
    """A cell section: the root cell's in a system file, or a cell file's."""
    name: str
    flags: int
    entry: int
    cpus: frozenset[int]
    mem: tuple[Mem, ...]
    irqs: tuple[Irq, ...]
    console: abi.Values = field(default_factory=dict)
    exits: int = abi.ABI_EXITS_ANY
    settle_ms: int = 0
    pios: tuple[Pio, ...] = ()
    pcis: tuple[int, ...] = ()		# bus << 8 | device << 3 | function
    uart: abi.Values = field(default_factory=lambda: dict(_NO_UART))
    gicd: int = 0			# where the cell sees them; 0: where they are
    gicr: int = 0


@dataclass(frozen=True)
class SystemFile:
    arch: int
    hypervisor: Span
    console: abi.Values
    platform: bytes
    hwids: tuple[int, ...]
    root: Section


@dataclass(frozen=True)
class CellFile:
    arch: int
    cell: Section


def emit_system(system: System) -> SystemFile:
    machine = system.machine
    assert machine.platform is not None
    mem = [_root_mem(p, _RWX) for p in system.linux]
    mem.append(_root_mem(system.reserved, _RWX | abi.ABI_MEM_RESERVED))
    mem += [_device_mem(page) for page in device_pages(_without_windows(machine))]
    root = Section(system.root_name, 0, 0, frozenset(range(len(machine.hwids))), tuple(mem),
                   _irqs({n: n for n in machine.platform.lines
                          if n not in machine.platform.absent}),
                   pios=_pios(root_ports(machine)))
    return SystemFile(ARCHES[machine.arch].id, system.hypervisor.span,
                      _console(machine.devices.get(machine.console.name))
                      if machine.console else {},
                      machine.platform.encoded, machine.hwids, root)


def emit_cell(cell: Cell, machine: Machine) -> CellFile:
    mem = [_region_mem(r) for r in cell.memory]
    if cell.comm_page is not None:
        mem.append(Mem("comm page", 0, cell.comm_page, PAGE, _RW | abi.ABI_MEM_COMM))
    mem += [_device_mem(page, offset) for page, offset in cell_pages(cell, machine)]
    return CellFile(ARCHES[machine.arch].id,
                    Section(cell.name, _flags(cell), cell.entry, frozenset(cell.cpu_numbers()),
                            tuple(mem), _irqs(cell_numbers(cell, machine)), _cell_console(cell, machine),
                            cell.limit.exits, cell.limit.settle_ms,
                            _pios(p for line in cell_ports(cell, machine) for p in line.numbers),
                            tuple(sorted({f.bdf for f in cell_functions(cell, machine)})),
                            _cell_uart(cell, machine), cell.view.gicd, cell.view.gicr))


def in_window(device: Device, placed: Placed, machine: Machine) -> Device | None:
    """The device, e.g. a PCI host bridge, whose registers hold these of a PCI function's."""
    for other in machine.devices.values() if device.functions else ():
        if not other.functions and any(placed.span.within(r.span) for r in other.registers):
            return other
    return None


def _without_windows(machine: Machine) -> list[Device]:
    """The root cell has a window as a whole, until a cell takes its part."""
    return [replace(d, registers=tuple(p for p in d.registers if not in_window(d, p, machine)))
            for d in machine.devices.values()]


def cell_numbers(cell: Cell, machine: Machine) -> dict[int, int]:
    """The machine's lines that are the cell's, and what it calls them."""
    devices = [machine.devices[n.name] for n in cell.devices if n.name in machine.devices]
    lines = [line for d in devices for line in d.lines] + list(cell.lines)
    renumbered = {r.line: r.number for r in cell.delivery.renumbered}
    return {n: renumbered.get(n, n) for line in lines for n in line.numbers}


def root_ports(machine: Machine) -> Iterable[int]:
    """All there are but for those nobody has."""
    mediated = machine.platform.mediated_ports if machine.platform else None
    return (n for n in ARCHES[machine.arch].ports if mediated is None or n not in mediated.numbers)


def cell_ports(cell: Cell, machine: Machine) -> list[Line]:
    devices = [machine.devices[n.name] for n in cell.devices if n.name in machine.devices]
    return [line for d in devices for line in d.ports] + list(cell.ports)


def cell_functions(cell: Cell, machine: Machine) -> list[Function]:
    devices = [machine.devices[n.name] for n in cell.devices if n.name in machine.devices]
    return [f for d in devices for f in d.functions] + list(cell.functions)


def device_pages(devices: Iterable[Device]) -> list[Placed]:
    """
    The whole pages their registers touch. Registers on a common page make one record:
    neither a cell's nor the root cell's records may overlap.
    """
    found: list[Placed] = []
    for placed in sorted((p for d in devices for p in d.registers), key=lambda p: p.span.start):
        pages = placed.span.pages()
        if found and found[-1].span.overlaps(pages):
            last = found.pop()
            end = max(last.span.end, pages.end)
            name = f"{last.name}+{placed.name}"[:abi.NAME_SIZE - 1]
            found.append(Placed(name, Span(last.span.start, end - last.span.start), last.where))
        else:
            found.append(Placed(placed.name, pages, placed.where))
    return found


def guest_offset(given: Given, device: Device) -> int:
    """How far from their place the cell sees the device's registers."""
    pages = device_pages([device])
    return given.guest - pages[0].span.start if given.guest is not None and pages else 0


def cell_pages(cell: Cell, machine: Machine) -> list[tuple[Placed, int]]:
    """The pages of its devices' registers, each with its offset."""
    moved: dict[int, list[Device]] = {}
    for given in cell.devices:
        if device := machine.devices.get(given.name):
            moved.setdefault(guest_offset(given, device), []).append(device)
    return sorted(((page, offset) for offset, devices in moved.items() for page in device_pages(devices)),
                  key=lambda found: (found[0].span.start, found[1]))


def _flags(cell: Cell) -> int:
    on_putc = cell.console is not None and cell.console.name == CONSOLE_PUTC
    said = ((cell.putc, abi.ABI_CELL_PUTC), (on_putc, abi.ABI_CELL_PUTC_CONSOLE),
            (cell.delivery.injected, abi.ABI_CELL_INJECTED),
            (cell.delivery.trusted_wfi, abi.ABI_CELL_TRUSTED_WFI),
            (cell.limit.fails, abi.ABI_CELL_FAIL_ON_VIOLATION),
            (cell.view.counted, abi.ABI_CELL_CPUS_COUNTED),
            (cell.absent_ports, abi.ABI_CELL_ABSENT_PORTS))
    return sum(flag for so, flag in said if so)


def _root_mem(placed: Placed, flags: int) -> Mem:
    return Mem(placed.name, placed.span.start, placed.span.start, placed.span.size, flags)


def _device_mem(page: Placed, offset: int = 0) -> Mem:
    return replace(_root_mem(page, _RW | abi.ABI_MEM_IO), virt=page.span.start + offset)


def _region_mem(region: Region) -> Mem:
    assert region.host is not None
    flags = sum(ACCESS_FLAGS[letter] for letter in region.access)
    if region.loadable:
        flags |= abi.ABI_MEM_LOADABLE
    if region.boot:
        flags |= abi.ABI_MEM_BOOT
    if region.shared is not None:
        flags |= abi.ABI_MEM_SHARED
    return Mem(region.name, region.host, region.guest, region.size, flags)


def _cell_console(cell: Cell, machine: Machine) -> abi.Values:
    """As the cell sees it; nothing if it has no UART for it."""
    if cell.uart is not None and cell.console is not None and cell.console.name == CONSOLE_UART:
        by_port = ARCHES[machine.arch].uart_by_port
        return {"address": cell.uart.address, "size": 8 if by_port else PAGE, "type": _uart_type(machine),
                "flags": 0 if by_port else abi.ABI_CONSOLE_MMIO | abi.ABI_CONSOLE_STRIDE_4}
    for given in cell.devices:
        if cell.console is not None and given.name == cell.console.name and (device := machine.devices.get(given.name)):
            return _console(device, guest_offset(given, device))
    return {}


def _uart_type(machine: Machine) -> int:
    return abi.ABI_CONSOLE_8250 if ARCHES[machine.arch].uart_by_port else abi.ABI_CONSOLE_PL011


def _cell_uart(cell: Cell, machine: Machine) -> abi.Values:
    if cell.uart is None:
        return dict(_NO_UART)
    return {"address": cell.uart.address, "type": _uart_type(machine), "irq": cell.uart.line or 0}


def _console(device: Device | None, offset: int = 0) -> abi.Values:
    if device is None or device.uart is None:
        return {}
    if device.registers:
        span = device.registers[0].span.moved(offset)
    else:
        span = Span(device.ports[0].numbers.start, len(device.ports[0].numbers))
    return {"address": span.start, "size": span.size, "type": device.uart.type,
            "flags": device.uart.flags}


def _irqs(numbers: dict[int, int]) -> tuple[Irq, ...]:
    """Consecutive lines that keep consecutive numbers in the cell make one record."""
    found: list[Irq] = []
    for number, virt in sorted(numbers.items()):
        last = found[-1] if found else Irq(-1, 0, -1)
        if (last.first + last.count, last.virt + last.count) == (number, virt):
            found[-1] = Irq(last.first, last.count + 1, last.virt)
        else:
            found.append(Irq(number, 1, virt))
    return tuple(found)


def _pios(ports: Iterable[int]) -> tuple[Pio, ...]:
    found: list[Pio] = []
    for port in sorted(set(ports)):
        if found and found[-1].first + found[-1].count == port:
            found[-1] = Pio(found[-1].first, found[-1].count + 1)
        else:
            found.append(Pio(port, 1))
    return tuple(found)
