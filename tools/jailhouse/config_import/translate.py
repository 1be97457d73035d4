# SPDX-License-Identifier: GPL-2.0-only
"""Records to what the texts say. What cannot be said there is a warning; what cannot be done at all, an error."""

from dataclasses import dataclass

from jailhouse.config.abi import NAME_SIZE
from jailhouse.config.model import Span
from jailhouse.config.problems import Problems
from jailhouse.config.units import function_text
from jailhouse.config_import import texts
from jailhouse.config_import.cells import Board, cell_text, console_host, console_ports, msix_tables, shared_name
from jailhouse.config_import.devices import UartAt, cut_devices, port_uart, root_devices, uart_at, uart_key, uart_of
from jailhouse.config_import.machine import apic, apic_numbering, apic_spans, gic, gic_numbering, gic_spans
from jailhouse.config_import.memory import CellMemory, divide, machine_ram, sort_cell, sort_root
from jailhouse.config_import.records import (ARCH_NAMES, ARCH_X86, CELL_AARCH32, CELL_KNOWN, CELL_TEST_DEVICE,
                                             CONSOLE_8250, CONSOLE_NAMES, CONSOLE_NONE, IOMMU_NAMES, MEM_EXECUTE,
                                             MEM_IO, PCI_IVSHMEM, ArmPlatform, Cell, Console, System, X86Platform)

_FILE_NAME = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.+")


@dataclass(frozen=True)
class Imported:
    machine: texts.Machine
    system: texts.System


def translate_system(system: System, cells: list[Cell], problems: Problems) -> Imported | None:
    """None: there is no system to be had of it, and `problems` says why."""
    count = max(system.root.cpus, default=-1) + 1
    _check_fit(system, cells, problems)
    if problems.errors:
        return None
    executed = [m.span for cell in cells for m in cell.memory if m.has(MEM_EXECUTE) and not m.has(MEM_IO)]
    root = sort_root(system, executed, problems)
    memories = [sort_cell(cell, [m.span for m in root.ram], problems) for cell in cells]
    division = divide(system, root, memories, problems)
    if division is None:
        return None
    _system_warnings(system, count, problems)
    ram = machine_ram(root, division)
    interrupts, blocked = _interrupts(system, cells, count, problems)
    uarts = _uarts(system, cells, memories)
    cut = _cut(cells, memories, uarts, [*blocked, *ram])
    devices = cut + root_devices(root, cut, [*blocked, *ram]) + _port_uarts(system, cells)
    numbering = gic_numbering(interrupts.gicd.start) if isinstance(interrupts, texts.Gic) else \
        apic_numbering(interrupts)
    board = Board(ARCH_NAMES[system.arch], division.cells, tuple(devices), numbering)
    root_name = _root_name(system.root, problems)
    names = _cell_names(cells, root_name, problems)
    for cell in cells:
        _cell_warnings(cell, problems)
    cell_texts = [cell_text(name, cell, memory, board, problems)
                  for name, cell, memory in zip(names, cells, memories, strict=True)]
    machine = texts.Machine(
        root_name, board.arch, count, _cpus_note(board.arch), ram, _machine_console(system.console, devices, problems),
        interrupts, tuple(sorted(devices, key=_device_order)))
    return Imported(machine, texts.System(division, root_name, _shared(memories, division.cells, problems),
                                          tuple(cell_texts)))


def translate_cell(cell: Cell, problems: Problems) -> texts.Fragment:
    """A cell of a system that is not known."""
    memory = sort_cell(cell, [], problems)
    arch = ARCH_NAMES[cell.arch]
    devices = _cut([cell], [memory], _cell_uarts([cell], [memory]), [])
    uart = console_ports(cell)
    numbering = gic_numbering(None) if arch == "arm64" else apic_numbering(None)
    board = Board(arch, None, (*devices, *([uart] if uart else [])), numbering)
    _cell_warnings(cell, problems)
    text = cell_text(_cell_names([cell], "", problems)[0], cell, memory, board, problems)
    named = {given.name for given in text.devices}
    return texts.Fragment(text, _shared([memory], None, problems), tuple(d for d in board.devices if d.name in named))


def _check_fit(system: System, cells: list[Cell], problems: Problems) -> None:
    if not system.root.cpus:
        problems.error(system.root.at, "the root cell has no CPU", "Linux has to run somewhere",
                       "name the system file that the root cell was enabled with")
    for cell in cells:
        if cell.arch != system.arch:
            problems.error(cell.at, f"the cell is for {ARCH_NAMES[cell.arch]}", f"the system ({system.at.file}) is for "
                           f"{ARCH_NAMES[system.arch]}", "name cells of this system only")


def _interrupts(system: System, cells: list[Cell], cpus: int, problems: Problems) -> \
        tuple[texts.Gic | texts.Apic, list[Span]]:
    """The interrupt controllers, and where the hypervisor answers for them."""
    if isinstance(system.platform, ArmPlatform):
        controller = gic(system, system.platform, cells, cpus, problems)
        return controller, gic_spans(system.platform, controller)
    assert isinstance(system.platform, X86Platform)
    local = apic(system, system.platform, cells, problems)
    return local, apic_spans(local)


def _uarts(system: System, cells: list[Cell], memories: list[CellMemory]) -> list[UartAt]:
    console = system.console
    own = [uart_at(console, console.address)] if console.in_memory and console.type != CONSOLE_NONE else []
    return own + _cell_uarts(cells, memories)


def _cell_uarts(cells: list[Cell], memories: list[CellMemory]) -> list[UartAt]:
    found = []
    for cell, memory in zip(cells, memories, strict=True):
        host = console_host(cell, memory)
        if host is not None and cell.console.in_memory and cell.console.type != CONSOLE_NONE:
            found.append(uart_at(cell.console, host))
    return found


def _cut(cells: list[Cell], memories: list[CellMemory], uarts: list[UartAt], blocked: list[Span]) -> list[texts.Device]:
    claims = [m.span for memory in memories for m in (*memory.devices, *memory.root_devices)]
    functions: dict[int, Span] = {}
    for cell, memory in zip(cells, memories, strict=True):
        functions |= msix_tables(cell, memory)
    return cut_devices(claims, uarts, functions, blocked)


def _port_uarts(system: System, cells: list[Cell]) -> list[texts.Device]:
    found = {}
    if _by_port(system.console):
        found[system.console.address] = port_uart(system.console.address)
    for cell in cells:
        if uart := console_ports(cell):
            found[cell.console.address] = uart
    return list(found.values()) if system.arch == ARCH_X86 else []


def _by_port(console: Console) -> bool:
    return console.type == CONSOLE_8250 and not console.in_memory and console.address <= 0x1_0000 - 8


def _machine_console(console: Console, devices: list[texts.Device], problems: Problems) -> str | None:
    if console.type == CONSOLE_NONE:
        return None
    if name := uart_of(console, console.address, devices):
        return name
    name = CONSOLE_NAMES.get(console.type, f"of unknown type {console.type}")
    problems.warn(console.at, f"the debug console, {name} at {console.address:#x}, is left out",
                  "the hypervisor knows 8250 and PL011" if uart_key(console) is None else
                  "RAM or an interrupt controller is there, or the architecture has no such address",
                  "nothing: `jailhouse console` shows the log")
    return None


def _device_order(device: texts.Device) -> tuple[bool, int]:
    if device.registers:
        return False, device.registers[0].start
    return True, device.ports.start if device.ports else 0


def _shared(memories: list[CellMemory], pool: Span | None, problems: Problems) -> tuple[texts.Shared, ...]:
    found: dict[str, texts.Shared] = {}
    for memory in memories:
        for region in memory.shared:
            name = shared_name(region.span)
            host: int | None = region.phys
            if pool and not region.span.within(pool):
                host = None
                problems.warn(region.at, f"shared memory {region.span} is not within the cells' RAM {pool}; it is "
                              "placed anew", "cells get their memory from one span",
                              "tell Linux's program the new address, which `config show` prints")
            if name in found and found[name].size != region.size:
                problems.warn(region.at, f"{region.span} is shared with another size elsewhere",
                              "a shared region has one size", f"cut [shared.{name}] into regions that all agree on")
                continue
            found[name] = texts.Shared(name, region.size, host)
    return tuple(sorted(found.values(), key=lambda s: s.name))


def _cpus_note(arch: str) -> str:
    if arch == "arm64":
        return texts.TO_CHECK + "Jailhouse's file holds no MPIDR; list them if there are not clusters of sixteen"
    return texts.TO_CHECK + "Jailhouse's file holds no APIC ids; list them if CPU n has not APIC id n"


def _root_name(root: Cell, problems: Problems) -> str:
    name = "".join(c if " " <= c <= "~" else "-" for c in root.name)[:NAME_SIZE - 1] or "imported"
    if name != root.name:
        problems.warn(root.at, f"the root cell is called {name!r} now", "names are 1 to 31 printable ASCII characters",
                      "change `name` in both texts")
    return name


def _cell_names(cells: list[Cell], root_name: str, problems: Problems) -> list[str]:
    """Each also a file's name, and no two the same."""
    found: list[str] = []
    for cell in cells:
        name = plain = "".join(c if c in _FILE_NAME else "-" for c in cell.name).lstrip(".-")[:NAME_SIZE - 1] or "cell"
        number = 2
        while name in (*found, root_name, "system", "machine", "reserved-memory"):
            name = f"{plain[:NAME_SIZE - 6]}-{number}"
            number += 1
        if name != cell.name:
            problems.warn(cell.at, f"the cell is called {name!r} now",
                          "its name is also a file's: letters, digits, _ - + and ., unlike all others and not system",
                          "change `name`, and scripts that use the old one")
        found.append(name)
    return found


def _system_warnings(system: System, count: int, problems: Problems) -> None:
    for unit in system.iommus:
        name = IOMMU_NAMES.get(unit.type, f"of unknown type {unit.type}")
        problems.warn(unit.at, f"IOMMU {name} at {unit.base:#x} is left out", "no IOMMU is driven here: what a cell's "
                      "devices do by DMA is not confined",
                      "give cells only such devices as you would trust with all memory")
    missing = sorted(set(range(count)) - system.root.cpus)
    if missing:
        problems.warn(system.root.at, f"CPU {', '.join(map(str, missing))} is not the root cell's",
                      "here it has all of them, from 0 to the highest, and all have to be online",
                      "bring them online, or list in `cpus` of machine.toml those that are and number the cells' anew")
    holes = _missing_lines(system.root)
    if holes:
        problems.warn(system.root.at, f"{len(holes)} interrupts are not the root cell's, the first is {holes[0]}",
                      "here it has every line of the machine that no cell has", "nothing, unless Linux uses them")
    _cell_warnings(system.root, problems)


def _missing_lines(root: Cell) -> list[int]:
    pins = {n for chip in root.irqchips for n in chip.pins}
    return sorted(set(range(32, min(max(pins, default=0), 1020))) - pins) if ARCH_NAMES[root.arch] == "arm64" else []


def _cell_warnings(cell: Cell, problems: Problems) -> None:
    """Of what the texts have no word for."""
    _flag_warnings(cell, problems)
    for cache in cell.caches:
        problems.warn(cache.at, f"cache region {cache.start}+{cache.size} is left out", "caches are not divided here",
                      "nothing; docs/performance.md says what sharing costs")
    if cell.caps:
        problems.warn(cell.caps[0], f"{len(cell.caps)} PCI capabilities are left out",
                      "which registers of a function may be written is the hypervisor's to know here", "nothing")
    if cell.streams:
        problems.warn(cell.streams[0], f"{len(cell.streams)} stream ids are left out", "no IOMMU is driven here",
                      "give cells only such devices as you would trust with all memory")
    for device in cell.pci:
        if device.type == PCI_IVSHMEM:
            problems.warn(device.at, f"ivshmem device {device.domain:04x}:{function_text(device.bdf)} is left out",
                          "there is no virtual PCI bus here", "let its program use the memory itself, which is in "
                          "[shared]; its interrupt stays among the cell's `lines` and can be removed")
    if cell.rest:
        problems.warn(cell.rest, "what follows was not read", "the header counts no more records",
                      "correct the counts in the source it was built from if something is missing")


def _flag_warnings(cell: Cell, problems: Problems) -> None:
    console = cell.console
    found = (
        (cell.flags & CELL_AARCH32, "its program is 32-bit arm code", "CPUs start in 64-bit mode here",
         "build the program for arm64"),
        (cell.flags & CELL_TEST_DEVICE, "the test device is left out", "there is none here",
         "let its program do without"),
        (cell.flags & ~CELL_KNOWN, f"flags {cell.flags & ~CELL_KNOWN:#x} are none of revision 14",
         "what they ask for does not happen here", "look them up in the Jailhouse it was built for"),
        (cell.reply_timeout, f"it replies to messages within {cell.reply_timeout} us",
         "the texts have no word for it", "nothing"),
        (console.divider or console.gate_nr or console.clock_reg, "its console's divider and clock gate are left out",
         "a UART is used as Linux or the firmware left it", "have its clock and baud rate set before"),
    )
    for so, what, why, fix in found:
        if so:
            problems.warn(cell.at, what, why, fix)
