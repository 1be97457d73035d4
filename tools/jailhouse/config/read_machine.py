# SPDX-License-Identifier: GPL-2.0-only
"""A machine text: CPUs and what they share, RAM, the interrupt controller, devices and what these need."""

import os
from typing import Any

from jailhouse.config import abi
from jailhouse.config.arch import Arch
from jailhouse.config.arches import ARCHES
from jailhouse.config.load import load
from jailhouse.config.model import (TREE_CELLS, Cache, Device, Line, Machine, Named, Need, Placed, Streams, Topology, Uart)
from jailhouse.config.problems import Problems, Where
from jailhouse.config.table import Table
from jailhouse.config.units import parse_number, parse_range

_FOUR_APART = abi.ABI_CONSOLE_MMIO | abi.ABI_CONSOLE_STRIDE_4
_BY_PORT = "8250"		# ... of a device that has no registers
UARTS = {
    _BY_PORT: Uart(abi.ABI_CONSOLE_8250, abi.ABI_CONSOLE_MMIO),
    "8250-32": Uart(abi.ABI_CONSOLE_8250, _FOUR_APART),
    "pl011": Uart(abi.ABI_CONSOLE_PL011, _FOUR_APART),
}
# Where it is not known which there are: none has more
ANY_LINE = range(1020)
_STREAM_IDS = range(0, 1 << 32)


def machine_of(top: Table) -> Machine | None:
    """The one that a system text names."""
    name = top.text("machine", required=True)
    if name is None:
        return None
    return read_machine(os.path.join(os.path.dirname(top.document.file), name), top.problems, top.where("machine"))


def is_machine_text(data: dict[str, Any]) -> bool:
    """Rather than a system text, which names one."""
    return "arch" in data and "machine" not in data


def read_machine(file: str, problems: Problems, asked_at: Where | None = None) -> Machine | None:
    """None: too little to go on with."""
    document = load(file, problems, asked_at)
    if document is None:
        return None
    return _machine(Table(document, (), document.data, "machine", problems))


def _machine(top: Table) -> Machine | None:
    name = top.name()
    arch_name = top.choice("arch", list(ARCHES), None)
    if arch_name not in ARCHES:
        return None
    arch = ARCHES[arch_name]
    bits = top.number("address_bits", default=arch.address_bits)
    if bits is not None and not 32 <= bits <= arch.address_bits:
        top.wrong("address_bits", f"{bits} is outside 32..{arch.address_bits}",
                  "take it from the CPU's manual, or leave it out")
        bits = None
    hwids = _hwids(top, arch)
    platform = arch.platform(top, len(hwids))
    ram = tuple(p for t in top.tables("ram", required=True) if (p := t.span("RAM")))
    valid = platform.lines if platform else ANY_LINE
    devices = {n: _device(n, t, valid, arch) for n, t in top.named_tables("devices")}
    console = top.named("console")
    firmware = tuple(p for t in top.tables("firmware") if (p := _firmware(t)))
    topology = _topology(top, len(hwids))
    tree_cells = _tree_cells(top, ram)
    top.done()
    if name is None or bits is None or not ram or not hwids:
        return None
    return Machine(top.where(), name, arch_name, hwids, bits, ram, devices, console, platform, firmware, topology,
                   tree_cells)


def _firmware(table: Table) -> Placed | None:
    name = table.name(default="firmware")
    return table.span(name or "firmware")


def _tree_cells(top: Table, ram: tuple[Placed, ...]) -> tuple[int, int]:
    """#address-cells and #size-cells of the root node."""
    if top.get("tree_cells") is None:
        return TREE_CELLS
    cells = top.items("tree_cells")
    if len(cells) != 2 or not all(type(n) is int and n in (1, 2) for n in cells):
        top.wrong("tree_cells", f"{cells!r} are no #address-cells and #size-cells", "write 1 or 2 for each, [2, 2] on most boards")
    elif cells[0] == 1 and any(p.span.end > 1 << 32 for p in ram):
        top.wrong("tree_cells", "RAM ends above 4 GiB, where no address of one cell is", "take it from the device tree's root node, or leave it out")
    else:
        return cells[0], cells[1]
    return TREE_CELLS


def _topology(top: Table, count: int) -> Topology:
    table = top.table("topology")
    if table is None:
        return Topology()
    threads, clusters = (_groups(table, key, count) for key in ("threads", "clusters"))
    caches = tuple(c for t in table.tables("caches") if (c := _cache(t, count)))
    table.done()
    return Topology(threads, clusters, caches)


def _groups(table: Table, key: str, count: int) -> tuple[frozenset[int], ...]:
    """[[0, 1], ["2-3"]]: each CPU in one of them at most."""
    found: list[frozenset[int]] = []
    for index, item in enumerate(table.items(key)):
        try:
            if not isinstance(item, list):
                raise ValueError(f"{item!r} is no list of CPUs")
            group = frozenset(n for part in item for n in parse_range(part, 0, count))
            if not group:
                raise ValueError("a group of no CPUs")
            twice = group & frozenset().union(*found)
            if twice:
                raise ValueError(f"CPU {min(twice)} stands there twice")
        except ValueError as error:
            table.wrong(key, str(error), f"write a list of CPUs below {count} for each group, e.g. [[0, 1], [\"2-3\"]]",
                        index)
            continue
        found.append(group)
    return tuple(found)


def _cache(table: Table, count: int) -> Cache | None:
    level = table.number("level", required=True)
    kind = table.choice("kind", ["unified", "data", "instruction"], "unified")
    # 0: nobody says
    size = table.number("size", default=0)
    cpus = table.lines("cpus", range(count), required=True)
    table.done()
    if level is None or kind is None or size is None:
        return None
    return Cache(level, kind, size, frozenset(n for line in cpus for n in line.numbers), table.where())


def _hwids(top: Table, arch: Arch) -> tuple[int, ...]:
    """`cpus` is how many there are, or a list of what the hardware calls them."""
    value = top.get("cpus", required=True)
    if value is None:
        return ()
    listed = isinstance(value, list)
    count = len(value) if listed else value
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= abi.MAX_CPUS:
        top.wrong("cpus", f"there cannot be {count!r} CPUs",
                  f"give a number from 1 to {abi.MAX_CPUS}, or a list of CPU ids")
        return ()
    if not listed:
        return tuple(arch.hwid(n) for n in range(count))
    hwids: list[int] = []
    for index, item in enumerate(value):
        try:
            hwid = parse_number(item)
            what = arch.hwid_problem(hwid)
            if hwid in hwids:
                what = f"{hwid:#x} stands there twice"
        except ValueError as error:
            hwid, what = 0, str(error)
        if what:
            top.wrong("cpus", what, "list each CPU's id once, in Linux's order", index)
        hwids.append(hwid)
    return tuple(hwids)


def _device(name: str, table: Table, valid: range, arch: Arch) -> Device:
    registers = []
    pieces = table.tables("registers")
    for index, piece in enumerate(pieces):
        part = piece.name(default="" if len(pieces) == 1 else str(index))
        label = f"{name}.{part}" if part else name
        if part is not None and piece.check_name(label, piece.where()):
            placed = piece.span(label)
            registers += [placed] if placed else []
    ports = table.ports("ports", arch.ports) if arch.ports else ()
    functions = table.functions("pci") if arch.ports else ()
    uart = _uart(table, registers, ports)
    lines = table.lines("interrupts", valid)
    edges = _edges(table, lines, valid)
    table.refuse({key: arch.refused[key] for key in ("ports", "pci") if key in arch.refused})
    about = table.text("about") or ""
    dma, iommu, group = table.flag("dma", False), table.text("iommu"), table.number("group")
    streams = tuple(s for t in table.tables("streams") if (s := _streams(t)))
    needs = _needs(table)
    table.done()
    return Device(name, table.where(), tuple(registers), lines, uart, ports, functions, about, dma, iommu, streams, group,
                  needs, edges)


def _edges(table: Table, lines: tuple[Line, ...], valid: range) -> frozenset[int]:
    own = {n for line in lines for n in line.numbers}
    found = frozenset(n for line in table.lines("edges", valid) for n in line.numbers)
    if others := found - own:
        table.wrong("edges", f"{min(others)} is none of its `interrupts`", "correct the number, or add it there")
    return found & own


def _streams(table: Table) -> Streams | None:
    iommu = table.named("iommu", required=True)
    ids = table.lines("ids", _STREAM_IDS, required=True)
    table.done()
    return Streams(iommu, ids) if iommu is not None else None


def _needs(table: Table) -> tuple[Need, ...]:
    """{ clocks = ["cru"], resets = ["cru"] }: kinds are the device tree's words, any."""
    part = table.table("needs")
    found = []
    for what in part.data if part else ():
        assert part is not None
        for index, item in enumerate(part.items(what)):
            if isinstance(item, str):
                found.append(Need(what, Named(item, part.where(what, index))))
            else:
                part.wrong(what, f"{item!r} is no name of a device", "put it in quotes", index)
    return tuple(found)


def _uart(table: Table, registers: list[Placed], ports: tuple[Line, ...]) -> Uart | None:
    name = table.choice("uart", list(UARTS), "")
    if not name:
        return None
    if name == _BY_PORT and ports and not registers:
        return Uart(abi.ABI_CONSOLE_8250, 0)
    if not registers or registers[0].span.size >= 1 << 32:
        table.wrong("uart", "the device has no registers for it, or 4G of them or more",
                    "give the UART's own span first in `registers`" +
                    (f', or say uart = "{_BY_PORT}" and its `ports`' if ports else ""))
        return None
    return UARTS[name]
