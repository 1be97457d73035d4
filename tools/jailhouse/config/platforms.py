# SPDX-License-Identifier: GPL-2.0-only
"""
Machines that cells stand in for, so that programs built for them run unchanged: keys of a cell's text
that stand for others. What a text says itself, it says instead.
"""

from collections.abc import Callable, Iterator
from typing import Any

from jailhouse.config.arches import ARCHES
from jailhouse.config.emit import guest_offset
from jailhouse.config.model import Given, Machine, Span
from jailhouse.config.spans import merged
from jailhouse.config.table import Table
from jailhouse.config.units import BLOCK, PAGE, align_up, parse_number

# QEMU's hw/arm/virt.c, base_memmap and a15irqmap; interrupts are INTIDs
_FLASH, _FLASH_1, _GICD, _GICR = 0, 0x0400_0000, 0x0800_0000, 0x080a_0000
_UART, _UART_INTERRUPT = 0x0900_0000, 33
# Among what is PCI's there: no such program looks for anything at that place
_BOOT = 0x2000_0000
_RAM = 0x4000_0000
_BOOT_SIZE = "16M"
# The second flash is where U-Boot looks for its environment
_FLASH_1_SIZE = "256K"


def _with_memory(table: Table, machine: Machine) -> Table:
    """`memory = "256M"`: as much RAM as the architecture's inmates expect it, where they do."""
    size = table.data.get("memory")
    if not isinstance(size, str | int) or isinstance(size, bool):
        return table
    try:
        bytes_wanted = parse_number(size)
        if bytes_wanted == 0 or bytes_wanted % PAGE:
            raise ValueError(f"{size!r} is no number of whole pages")
    except ValueError as error:
        table.get("memory")
        table.wrong("memory", str(error), 'write how much RAM it has, e.g. "64M", or a list of regions')
        return table.with_data({key: value for key, value in table.data.items() if key != "memory"} | {"memory": []})
    return table.with_data({**table.data, "memory": _around(bytes_wanted, merged(_no_ram(table, machine)))})


def _number(value: object) -> int | None:
    try:
        return parse_number(value)
    except ValueError:		# or `false`, or nothing
        return None


def _no_ram(table: Table, machine: Machine) -> Iterator[Span]:
    """Where the cell sees something else. What is no such thing is the reader's to refuse."""
    arch = ARCHES[machine.arch]
    uart, gic = (part if isinstance(part := table.data.get(key), dict) else {} for key in ("uart", "gic"))
    pages = [table.data.get("comm_page", arch.comm_page), *([] if arch.uart_by_port else [uart.get("guest")])]
    yield from (Span(at, PAGE).pages() for page in pages if (at := _number(page)) is not None)
    mediated = [p.span for p in machine.platform.mediated] if machine.platform else []
    # where a cell cannot say that it sees the controller elsewhere, it sees it at its place
    if "gic" in arch.refused:
        yield from mediated
    # left out where it can, it is put where nothing else is
    yield from (Span(at, span.size) for key, span in zip(("gicd", "gicr"), mediated) if (at := _number(gic.get(key))) is not None)
    yield from _registers(table, machine)


def _registers(table: Table, machine: Machine) -> Iterator[Span]:
    """Of its devices, as the cell sees them."""
    given = table.data.get("devices")
    for item in given if isinstance(given, list) else []:
        name, guest = (item.get("name"), item.get("guest")) if isinstance(item, dict) else (item, None)
        device = machine.devices.get(name) if isinstance(name, str) else None
        if device is None:
            continue
        offset = guest_offset(Given(name, table.where(), _number(guest)), device)
        yield from (p.span.moved(offset).pages() for p in device.registers if p.span.start + offset >= 0)


def _around(size: int, holes: list[Span]) -> list[dict[str, Any]]:
    """RAM from 0 on; where something is in its way, it goes on behind it, at a whole block."""
    parts: list[Span] = []
    at, left = 0, size
    for hole in holes:
        if hole.start >= at + left:
            break
        if hole.start > at:
            parts.append(Span(at, hole.start - at))
            left -= hole.start - at
        # what is at 0 itself cannot be gone around: no program would find its beginning
        if parts:
            at = max(at, align_up(hole.end, BLOCK))
    names = [f"low ram {n + 1}" if n else "low ram" for n in range(len(parts))]
    return [{"name": name, "guest": span.start, "size": span.size, "access": "rwx", "loadable": True}
            for name, span in zip([*names, "ram"], [*parts, Span(at, left)], strict=True)]


def _qemu_virt(table: Table) -> dict[str, Any]:
    ram = table.get("ram", required=True)
    boot, flash = table.get("boot"), table.get("flash")
    memory = [{"name": "boot", "guest": _BOOT, "size": _BOOT_SIZE if boot is None else boot, "boot": True}]
    if ram is not None:
        memory.append({"name": "ram", "guest": _RAM, "size": ram, "access": "rwx"})
    if flash is not None:
        memory += [{"name": "flash", "guest": _FLASH, "size": flash, "access": "rx", "loadable": True},
                   {"name": "flash1", "guest": _FLASH_1, "size": _FLASH_1_SIZE, "access": "r", "loadable": True}]
    keys: dict[str, Any] = {"cpu_ids": "counted", "gic": {"gicd": _GICD, "gicr": _GICR}, "comm_page": False,
                            "memory": memory}
    if "console" not in table.data:
        keys["uart"] = {"guest": _UART, "interrupt": _UART_INTERRUPT}
    return keys


PLATFORMS: dict[str, Callable[[Table], dict[str, Any]]] = {"qemu-virt": _qemu_virt}


def expanded(table: Table, machine: Machine) -> Table:
    """The cell's table with what its `platform` and a `memory` that is only a size stand for."""
    if "platform" not in table.data:
        return _with_memory(table, machine)
    name = table.choice("platform", list(PLATFORMS), "")
    if not name:
        return table
    keys = PLATFORMS[name](table)
    given = table.data.get("memory", [])
    said = {key: value for key, value in table.data.items() if key != "memory"}
    # One region or a list of them is beside the platform's; what is neither is the reader's to refuse
    beside = [given] if isinstance(given, dict) else given
    memory = beside + keys["memory"] if isinstance(beside, list) else given
    return table.with_data({**keys, **said, "memory": memory})
