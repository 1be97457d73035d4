# SPDX-License-Identifier: GPL-2.0-only
"""Each cell by itself: CPUs, memory as it sees it, entry, console, devices' names."""

import difflib
from dataclasses import dataclass
from itertools import combinations, product

from jailhouse.config.arch import Arch
from jailhouse.config.arches import ARCHES
from jailhouse.config.check_machine import check_address, check_aligned, check_line, check_port, check_size, check_start
from jailhouse.config.emit import cell_functions, cell_ports, device_pages, guest_offset
from jailhouse.config.model import CONSOLE_PUTC, CONSOLE_UART, Cell, Device, Line, Machine, Placed, Region, Span, System
from jailhouse.config.problems import Problems, Where
from jailhouse.config.read_machine import UARTS
from jailhouse.config.units import PAGE, function_text, size_text


def check_cells(system: System, problems: Problems) -> None:
    _check_shared(system, problems)
    for cell in system.cells:
        _check_cpus(cell, system.machine, problems)
        _check_memory(cell, system, problems)
        _check_guest(cell, system.machine, problems)
        _check_entry(cell, system.machine, problems)
        _check_boot(cell, ARCHES[system.machine.arch], problems)
        _check_numbers(cell, system.machine, problems)
        devices = _devices(cell, system.machine, problems)
        _check_console(cell, devices, problems)
        _check_hypervisors_console(cell, system.machine, problems)
        _check_uart_ports(cell, system.machine, problems)


def _check_cpus(cell: Cell, machine: Machine, problems: Problems) -> None:
    why = ARCHES[machine.arch].cpu0_stays
    for line in cell.cpus:
        if why and 0 in line.numbers:
            problems.error(line.where, f'cell "{cell.name}": CPU 0 stays the root cell\'s', why,
                           "choose another CPU")
    if not cell.cpus and cell.cpu_count is None and cell.whole:
        problems.error(cell.where, f'cell "{cell.name}": it has no CPU', "nothing would run in it",
                       "list at least one CPU in `cpus`")


def _check_memory(cell: Cell, system: System, problems: Problems) -> None:
    if not cell.memory and cell.whole:
        problems.error(cell.where, f'cell "{cell.name}": it has no memory',
                       "there is nothing to load a program into",
                       "add `memory = [{ name = ..., guest = ..., size = ..., access = ... }]`")
    _check_region_names(cell, problems)
    for region in cell.memory:
        if region.shared is not None or region.host is None:
            continue
        title = f'cell "{cell.name}", memory "{region.name}"'
        host = Span(region.host, region.size)
        check_start(f"{title}, host", region.where, host, PAGE, problems)
        check_size(title, region.where, region.size, PAGE, problems)
        _check_reserved(title, region.where, host, system.reserved, problems)


def _check_region_names(cell: Cell, problems: Problems) -> None:
    seen: dict[str, Region] = {}
    for region in cell.memory:
        other = seen.setdefault(region.name, region)
        # Of one shared region that stands there twice check_owners.py says so
        if other is not region and (other.shared is None or region.shared is None):
            problems.error(region.where, f'cell "{cell.name}": two memory regions are called "{region.name}" ({other.where})',
                           "messages, `config explain` and `config diff` call them so, and must mean one of them",
                           "rename one of the two" if other.where != region.where else
                           "rename yours: `platform`, or a memory that is only a size, has the other")


def _check_shared(system: System, problems: Problems) -> None:
    for shared in system.shared.values():
        if shared.host is not None:
            title = f'shared "{shared.name}"'
            host = Span(shared.host, shared.size)
            check_start(f"{title}, host", shared.where, host, PAGE, problems)
            check_size(title, shared.where, shared.size, PAGE, problems)
            _check_reserved(title, shared.where, host, system.reserved, problems)


def _check_reserved(title: str, where: Where, host: Span, reserved: Placed,
                    problems: Problems) -> None:
    if not host.within(reserved.span):
        problems.error(where, f"{title}: host {host} is not within the cells' RAM "
                       f"{reserved.span} ({reserved.where})",
                       "cells are carved from there only; all else is Linux's, the hypervisor's "
                       "or nobody's", "leave `host` out to have it placed, or enlarge `cells` in "
                       "[memory]")


def _check_guest(cell: Cell, machine: Machine, problems: Problems) -> None:
    """What the cell sees at its own addresses must not collide there."""
    seen = [Placed(f'memory "{r.name}"', r.guest_span, r.where) for r in cell.memory]
    for placed in seen:
        check_start(f'cell "{cell.name}", {placed.name}, guest', placed.where, placed.span, PAGE, problems)
    if cell.comm_page is not None:
        page = Placed("communication page", Span(cell.comm_page, PAGE), cell.comm_where)
        check_aligned(f'cell "{cell.name}", {page.name}', page.where, page.span, PAGE, problems)
        seen.append(page)
    if cell.uart is not None and not ARCHES[machine.arch].uart_by_port:
        page = Placed("uart", Span(cell.uart.address, PAGE), cell.uart.where)
        check_aligned(f'cell "{cell.name}", {page.name}', page.where, page.span, PAGE, problems)
        seen.append(page)
    for placed in seen:
        check_address(f'cell "{cell.name}", {placed.name}, guest', placed.where, placed.span,
                      machine, problems)
    registers = _registers(cell, machine)
    _check_mediated(cell, seen + [r.seen for r in registers], machine, problems)
    _check_moved(cell, registers, machine, problems)
    for a, b in (*combinations(seen, 2), *product(seen, (r.seen for r in registers)),
                 *((r.seen, s.seen) for r, s in combinations(registers, 2) if r.offset != s.offset)):
        if a.span.overlaps(b.span):
            problems.error(b.where, f'cell "{cell.name}": {a.name} {a.span} ({a.where}) and '
                           f"{b.name} {b.span} overlap in guest addresses at "
                           f"{a.span.common(b.span)}",
                           "the cell can see only one of them there",
                           "move one of the two: `guest`, or `comm_page` "
                           "(false leaves it out)")


def _check_mediated(cell: Cell, seen: list[Placed], machine: Machine, problems: Problems) -> None:
    mediated = ARCHES[machine.arch].mediated(cell, machine.platform) if machine.platform else ()
    for placed in mediated if cell.view.where else ():
        check_address(f'cell "{cell.name}", {placed.name}', placed.where, placed.span, machine, problems)
    for a, b in combinations(mediated, 2) if cell.view.where else ():
        if a.span.overlaps(b.span):
            problems.error(b.where, f'cell "{cell.name}": {a.name} {a.span} and {b.name} {b.span} overlap where '
                           "it sees them", "an access would mean two registers", "move one of the two in `gic`")
    for own, other in product(seen, mediated):
        if own.span.overlaps(other.span):
            problems.error(own.where, f'cell "{cell.name}": {own.name} {own.span} overlaps '
                           f"{other.name} {other.span} ({other.where}) in guest addresses",
                           "the hypervisor answers there itself",
                           "move it: `guest`, or `comm_page`, or the interrupt controller: `gic`")


@dataclass(frozen=True)
class _Registers:
    """Pages of a device's, as the cell sees them. Devices on a common page become one record."""
    seen: Placed
    offset: int
    host: Span


def _registers(cell: Cell, machine: Machine) -> list[_Registers]:
    found = []
    for given in cell.devices:
        if device := machine.devices.get(given.name):
            offset = guest_offset(given, device)
            found += [_Registers(Placed(f'device "{given.name}"', page.span.moved(offset), given.where), offset, page.span)
                      for page in device_pages([device])]
    return found


def _check_moved(cell: Cell, registers: list[_Registers], machine: Machine, problems: Problems) -> None:
    """Devices that the cell is to see elsewhere."""
    for given in cell.devices:
        device = machine.devices.get(given.name)
        if device is None or given.guest is None:
            continue
        title = f'cell "{cell.name}": device "{given.name}"'
        if device.functions or not device.registers:
            problems.error(given.where, f"{title} cannot be moved: it " +
                           ("is a PCI function" if device.functions else "has no registers in memory"),
                           "where it is, its BARs say" if device.functions else "there is nothing to move",
                           "remove its `guest`")
    for r in registers:
        if r.offset:
            check_aligned(f'cell "{cell.name}", {r.seen.name}, guest', r.seen.where, r.seen.span, PAGE, problems)
            check_address(f'cell "{cell.name}", {r.seen.name}, guest', r.seen.where, r.seen.span, machine, problems)
    for a, b in combinations(registers, 2):
        if a.host.overlaps(b.host) and a.offset != b.offset:
            problems.error(b.seen.where, f'cell "{cell.name}": {a.seen.name} ({a.seen.where}) and {b.seen.name} have '
                           f"registers on a common page, {a.host.common(b.host)}, and only one is moved, or to another place",
                           "a page is seen at one address", "move both alike, or leave both where they are")


def _check_numbers(cell: Cell, machine: Machine, problems: Problems) -> None:
    title = f'cell "{cell.name}"'
    for line in cell.lines:
        check_line(title, line, machine, problems)
    for line in cell.ports:
        check_port(title, line, machine, problems)
    functions = cell_functions(cell, machine)
    for function in functions[:1]:
        more = f" and {len(functions) - 1} more" if functions[1:] else ""
        problems.warn(function.where, f"{title}: PCI function {function_text(function.bdf)}{more}: "
                      "no IOMMU stands between it and memory",
                      "a function that can do DMA reads and writes all memory, the hypervisor's "
                      "too, if its program tells it to", "give it to a program you would trust "
                      "with the whole machine, or leave it to the root cell")


def _check_entry(cell: Cell, machine: Machine, problems: Problems) -> None:
    end = ARCHES[machine.arch].entry_end
    if cell.entry >= end:
        problems.error(cell.entry_where, f'cell "{cell.name}": entry {cell.entry:#x} is not below '
                       f"{end:#x}", "a CPU cannot start there", "move it and its memory down")
        return
    executable = [r for r in cell.memory if "x" in r.access]
    if not cell.whole or any(r.guest <= cell.entry < r.guest + r.size for r in executable):
        return
    known = ", ".join(f'"{r.name}" {r.guest_span}' for r in executable) or "none"
    problems.error(cell.entry_where, f'cell "{cell.name}": entry {cell.entry:#x} is outside its '
                   f"executable memory ({known})", "its first instruction would be a fault",
                   'correct `entry` or `guest`, or give a region access = "rwx"')


def _check_boot_place(cell: Cell, region: Region, arch: Arch, problems: Problems) -> None:
    title = f'cell "{cell.name}", memory "{region.name}" {region.guest_span}'
    if region.guest % arch.boot_align:
        problems.error(region.where, f"{title}: {region.guest:#x} is no multiple of {size_text(arch.boot_align)}",
                       "what starts the cell there is in real mode, which begins at such an address",
                       "correct `guest`")
    if region.guest + region.size > arch.entry_end:
        problems.error(region.where, f"{title}: it reaches beyond {arch.entry_end:#x}",
                       "what starts the cell there does not", "give it another `guest`, or less `size`")


def _check_boot(cell: Cell, arch: Arch, problems: Problems) -> None:
    regions = [r for r in cell.memory if r.boot]
    for region in regions[1:]:
        problems.error(region.where, f'cell "{cell.name}", memory "{region.name}": "{regions[0].name}" '
                       f"({regions[0].where}) is for booting already", "a cell starts at one place",
                       "remove `boot = true` from one of the two")
    for region in regions[:1]:
        _check_boot_place(cell, region, arch, problems)
        if not region.guest <= cell.entry < region.guest + region.size:
            problems.error(cell.entry_where, f'cell "{cell.name}": entry {cell.entry:#x} is not in memory '
                           f'"{region.name}" {region.guest_span} ({region.where}), which is for booting',
                           "what `cell load` puts there is to run first at each start",
                           "leave `entry` out")


def _devices(cell: Cell, machine: Machine, problems: Problems) -> list[Device]:
    found = []
    for index, named in enumerate(cell.devices):
        device = machine.devices.get(named.name)
        if device is None:
            near = difflib.get_close_matches(named.name, machine.devices, 1)
            problems.error(named.where, f'cell "{cell.name}": machine "{machine.name}" has no '
                           f'device "{named.name}"', "there is nothing to hand over",
                           f'did you mean "{near[0]}"?' if near else
                           f"it has {', '.join(machine.devices) or 'none'}")
        elif named.name in [n.name for n in cell.devices[:index]]:
            problems.error(named.where, f'cell "{cell.name}": device "{named.name}" stands there '
                           "twice", "a device is handed over once", "remove one of the two")
        else:
            found.append(device)
    return found


def _is_printed_on(console: Device, machine: Machine) -> bool:
    """By the hypervisor, which knows one kind of UART on each architecture, by ports or by a page."""
    arch = ARCHES[machine.arch]
    return console.uart is not None and console.uart.type == UARTS[arch.uart].type and bool(console.registers) != arch.uart_by_port


def _check_console(cell: Cell, devices: list[Device], problems: Problems) -> None:
    if cell.console is None:
        return
    if cell.console.name == CONSOLE_UART and cell.uart is not None:
        return
    if cell.console.name == CONSOLE_PUTC:
        if not cell.putc:
            problems.error(cell.console.where, f'cell "{cell.name}": its console is putc and '
                           "`putc` is false", "everything it prints would be refused",
                           "remove `putc = false`, or name another console")
        return
    own = next((d for d in devices if d.name == cell.console.name), None)
    if own is None and cell.console.name in [named.name for named in cell.devices]:
        return
    if own is not None and own.uart is None:
        problems.error(cell.console.where, f'cell "{cell.name}": console "{own.name}" is no UART that is known here',
                       f'the machine text has no `uart` at its device "{own.name}" ({own.where})',
                       f'use "{CONSOLE_PUTC}", the cell\'s program can drive "{own.name}" all the same; or say there '
                       f"that it is {' or '.join(UARTS)}")
    elif own is None:
        usable = [d.name for d in devices if d.uart is not None]
        problems.error(cell.console.where, f'cell "{cell.name}": console "{cell.console.name}" is '
                       "no UART of its own", "it would print to nothing, or on another's device",
                       f'use "{CONSOLE_PUTC}"' + "".join(f' or "{n}"' for n in usable) +
                       ", or add the UART to `devices`")


def _check_hypervisors_console(cell: Cell, machine: Machine, problems: Problems) -> None:
    """Whether the cell's console is there or not: it has the UART."""
    if machine.console is None or machine.console.name not in machine.devices:
        return
    if not _is_printed_on(machine.devices[machine.console.name], machine):
        return
    for named in cell.devices:
        if named.name == machine.console.name:
            problems.warn(named.where, f'cell "{cell.name}": its device "{named.name}" is the hypervisor\'s too',
                          "their lines will mix; and where Linux prints there as well, it fails as soon as it does",
                          "use another UART; or remove the machine's `console`, and let Linux have its own elsewhere")


def _check_uart_ports(cell: Cell, machine: Machine, problems: Problems) -> None:
    """Eight ports, and none of them another thing's."""
    if cell.uart is None or not ARCHES[machine.arch].uart_by_port:
        return
    own = range(cell.uart.address, cell.uart.address + 8)
    if own.stop > ARCHES[machine.arch].ports.stop:
        problems.error(cell.uart.where, f'cell "{cell.name}": uart: ports {own.start:#x} to {own.stop - 1:#x} are no '
                       "I/O ports", "there is nothing behind 0xffff", "give its first port, e.g. 0x3f8")
    check_port(f'cell "{cell.name}", uart', Line(own, cell.uart.where), machine, problems)
    for line in cell_ports(cell, machine):
        if line.numbers.start < own.stop and own.start < line.numbers.stop:
            problems.error(cell.uart.where, f'cell "{cell.name}": its uart and its ports '
                           f"{line.numbers.start:#x} to {line.numbers.stop - 1:#x} ({line.where}) overlap",
                           "only one of them can answer", "move the uart: `port`")
