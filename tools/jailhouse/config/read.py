# SPDX-License-Identifier: GPL-2.0-only
"""
From documents to the model: keys, types, units, names. What cannot be read is said and
left out, so that the rest is still checked.
"""

import difflib
import os
from dataclasses import dataclass

from jailhouse.config import abi
from jailhouse.config.arch import Arch
from jailhouse.config.arches import ARCHES
from jailhouse.config.load import load
from jailhouse.config.model import (AUTO, CONSOLE_PUTC, CONSOLE_UART, DIRECT, INJECTED, Cell, CellUart, Delivery, Limit, Line, Machine,
                                    Named, Placed, Region, Renumbering, Share, Shared, Span, System, View)
from jailhouse.config.platforms import expanded
from jailhouse.config.problems import Problems
from jailhouse.config.read_machine import ANY_LINE, is_machine_text, machine_of
from jailhouse.config.table import Table, name_problem
from jailhouse.config.units import parse_number, parse_range

ACCESS = ["r", "rw", "rx", "rwx"]
_GIC_FRAME = 0x1_0000
_SETTLE_MS = 1000
_FILE_NAME = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.+")


def read_system(file: str, problems: Problems) -> System | None:
    """The system text and the machine text it names. None: too little to go on with."""
    document = load(file, problems)
    if document is None:
        return None
    if is_machine_text(document.data):
        problems.error(document.where(()), "it describes a machine, and no system on it", "who has what of it is another text's to say",
                       f'name a system text, which says machine = "{os.path.basename(file)}", or look at this one alone with '
                       "`jailhouse config check`")
        return None
    top = Table(document, (), document.data, "system", problems)
    machine = machine_of(top)
    if machine is None:
        # what may stand in the text is the machine's to say
        return None
    root_name, root_where = "root", top.where()
    root = top.table("root")
    if root:
        root_name = root.name(default="root") or "root"
        root_where = root.where("name")
        root.done()
    parts = _memory(top)
    shared = {name: s for name, t in top.named_tables("shared") if (s := _shared(name, t))}
    valid = machine.platform.lines if machine.platform else ANY_LINE
    cells = [_cell(t, machine, valid) for t in top.tables("cell")]
    top.done()
    if parts is None:
        return None
    return System(top.where(), machine, root_name, root_where, parts.linux, parts.reserved, parts.hypervisor,
                  shared, tuple(c for c in cells if c), parts.open)


@dataclass(frozen=True)
class _Memory:
    """[memory]; of what is open, the spans are empty."""
    linux: tuple[Placed, ...]
    reserved: Placed
    hypervisor: Placed
    open: frozenset[str]


def _memory(top: Table) -> _Memory | None:
    table = top.table("memory")
    if table is None and "memory" in top.data:
        return None
    known = table.data if table else {}
    linux = tuple(p for t in table.tables("linux", "linux" in known) if (p := t.span("Linux RAM"))) if table else ()
    spans: list[Placed | None] = []
    for key, name in (("cells", "cells' RAM"), ("hypervisor", "hypervisor")):
        part = table.table(key) if table else None
        spans.append(part.span(name) if part else
                     None if key in known else Placed(name, Span(0, 0), table.where() if table else top.where()))
    if table:
        table.done()
    reserved, hypervisor = spans
    if reserved is None or hypervisor is None or "linux" in known and not linux:
        return None
    return _Memory(linux, reserved, hypervisor, frozenset({"linux", "cells", "hypervisor"} - set(known)))


def _shared(name: str, table: Table) -> Shared | None:
    size, host = table.size(), table.number("host")
    table.done()
    return Shared(name, table.where(), size, host) if size is not None else None


def _cell(table: Table, machine: Machine, valid: range) -> Cell | None:
    arch = ARCHES[machine.arch]
    before = table.problems.errors
    name = _cell_name(table)
    if name is not None:
        table.title = f'cell "{name}"'
    sized = isinstance(table.data.get("memory"), str | int)
    if not ("platform" in arch.refused and "platform" in table.data):
        table = expanded(table, machine)
    cpus, count = _cpus(table, len(machine.hwids))
    memory = [_region(t) for t in table.tables("memory", required=True)]
    boot = next((r.guest for r in memory if r and r.boot), 0)
    entry = table.number("entry", default=boot)
    memory += [_shared_use(t) for t in table.tables("shared")]
    comm_page = _comm_page(table, arch.comm_page)
    devices = table.given("devices")
    lines = table.lines("lines", valid)
    ports = table.ports("ports", arch.ports) if arch.ports else ()
    functions = table.functions("pci") if arch.ports else ()
    absent = table.choice("other_ports", ["refused", "absent"], "refused") if arch.ports else None
    table.refuse(arch.refused)
    delivery = _delivery(table, valid, arch)
    view = _view(table, arch)
    limit = _limit(table)
    uart = _cell_uart(table, arch, valid)
    console = table.named("console")
    if console is None and uart is not None:
        console = Named(CONSOLE_UART, uart.where)
    shares = tuple(s for t in table.tables("share") if (s := _share(t)))
    image = table.text("image")
    putc = table.flag("putc", console is not None and console.name == CONSOLE_PUTC)
    table.done()
    if name is None:
        return None
    return Cell(name, table.where(), cpus, entry or 0, table.where("entry"),
                tuple(r for r in memory if r), comm_page, table.where("comm_page"), devices,
                lines, delivery, limit, putc, console, table.problems.errors == before, ports,
                functions, uart, view, absent == "absent", table.where("cpus"), count, shares, sized,
                image)


def _cpus(table: Table, machine_has: int) -> tuple[tuple[Line, ...], int | None]:
    """A list of Linux's numbers, or how many."""
    value = table.data.get("cpus")
    if isinstance(value, bool) or not isinstance(value, int):
        return table.lines("cpus", range(machine_has), required=True), None
    table.get("cpus")
    if not 1 <= value < machine_has:
        table.wrong("cpus", f"{value} of the machine's {machine_has} CPUs cannot be given to a cell",
                    f"give a number from 1 to {machine_has - 1}: Linux keeps one" if machine_has > 1 else
                    "use a machine with two CPUs or more: Linux keeps one")
        return (), None
    return (), value


def _share(table: Table) -> Share | None:
    other, size = table.named("with", required=True), table.size()
    table.done()
    return Share(other, size, table.where()) if other is not None and size is not None else None


def _cell_uart(table: Table, arch: Arch, valid: range) -> CellUart | None:
    part = table.table("uart")
    if part is None:
        return None
    part.title = f"{table.title}: uart"
    address = part.number("port" if arch.uart_by_port else "guest", required=True)
    interrupt = line = None
    if arch.uart_by_port:
        part.refuse({key: "this UART interrupts nobody; its program looks by itself whether something was typed"
                     for key in ("interrupt", "line")})
    else:
        interrupt, line = _one_line(part, "interrupt", arch.numbers), _one_line(part, "line", valid)
        if line is not None and interrupt is None:
            interrupt = line
    part.done()
    return CellUart(table.where("uart"), address, interrupt, line) if address is not None else None


def _one_line(table: Table, key: str, valid: range) -> int | None:
    number = table.number(key)
    if number is not None and number not in valid:
        table.wrong(key, f"{number} is no line", f"give a number from {valid.start} to {valid.stop - 1}")
        return None
    return number


def _delivery(table: Table, valid: range, arch: Arch) -> Delivery:
    """Where the architecture leaves no choice, what was said of it is refused already."""
    interrupts: str | None = AUTO
    if "interrupts" in arch.refused:
        return Delivery(AUTO, table.where(), (), False, table.where())
    if not isinstance(table.get("interrupts"), str | None):
        table.problems.error(table.where("interrupts"), f"{table.title}: `interrupts` takes "
                             f"{DIRECT}, {INJECTED} or {AUTO}; lines beside its devices' are "
                             "`lines` now", "the lines would silently not be handed over",
                             "rename the key to `lines`")
    else:
        interrupts = table.choice("interrupts", [DIRECT, INJECTED, AUTO], AUTO)
    trusted = table.choice("wfi", ["trapped", "trusted"], "trapped") == "trusted"
    return Delivery(interrupts or AUTO, table.where("interrupts"),
                    _renumbered(table, valid, arch.numbers), trusted,
                    table.where("wfi"))


def _view(table: Table, arch: Arch) -> View:
    if "gic" in arch.refused:
        return View()
    counted = table.choice("cpu_ids", ["machine", "counted"], "machine") == "counted"
    gic = table.table("gic")
    if gic is None:
        return View(counted)
    addresses = [gic.number(key, required=True) for key in ("gicd", "gicr")]
    gic.done()
    for key, address in zip(("gicd", "gicr"), addresses, strict=True):
        if address is not None and (address == 0 or address % _GIC_FRAME):
            gic.wrong(key, f"{address:#x} is no place for it",
                      "give a multiple of 64K, not 0, where its program looks for it")
    return View(counted, addresses[0] or 0, addresses[1] or 0, table.where("gic"))


def _renumbered(table: Table, valid: range, numbers: range) -> tuple[Renumbering, ...]:
    """{ "40" = 33, "50-53" = 36 }: machine's line or lines = the cell's number of the first."""
    value = table.get("renumber")
    if value is not None and not isinstance(value, dict):
        table.wrong("renumber", f"{value!r} is no table", 'write `renumber = { "40" = 33 }`')
        value = None
    found: dict[int, Renumbering] = {}
    for key, number in (value or {}).items():
        try:
            lines = parse_range(int(key) if key.isascii() and key.isdigit() else key,
                                valid.start, valid.stop)
            if not isinstance(number, int):
                raise ValueError(f"{number!r} is no number")
            parse_range(number, numbers.start, numbers.stop - len(lines) + 1)
            for line in lines:
                if line in found:
                    raise ValueError(f"line {line} stands there twice")
        except ValueError as error:
            table.wrong("renumber", str(error), f"write lines of the cell's from {valid.start} to "
                        f"{valid.stop - 1} once each, and for each a number from {numbers.start} "
                        f'to {numbers.stop - 1}, e.g. {{ "{valid.start + 8}" = '
                        f"{numbers.start + 1} }}", key)
            continue
        found |= {line: Renumbering(line, number + n, table.where("renumber", key))
                  for n, line in enumerate(lines)}
    return tuple(found.values())


def _limit(table: Table) -> Limit:
    exits = _exits(table)
    settle_ms = table.number("settle_ms", default=_SETTLE_MS)
    if settle_ms is not None and settle_ms > abi.ABI_SETTLE_MAX_MS:
        table.wrong("settle_ms", f"{settle_ms} is more than {abi.ABI_SETTLE_MAX_MS}",
                    "give the milliseconds its program needs to start up")
        settle_ms = None
    fails = table.choice("on_violation", ["log", "fail"], "log") == "fail"
    if exits == abi.ABI_EXITS_ANY:
        for key in ("settle_ms", "on_violation"):
            if key in table.data and table.data.get("exits", "any") == "any":
                table.problems.error(table.where(key), f"{table.title}: `{key}` without a limit "
                                     "on exits", "any number of exits is permitted at any time",
                                     'remove it, or say exits = "none" or how many a second')
        return Limit(exits, table.where("exits"), 0, False)
    return Limit(exits, table.where("exits"), settle_ms or 0, fails)


def _exits(table: Table) -> int:
    """"none", "any", or how many a second."""
    words = {"any": abi.ABI_EXITS_ANY, "none": 0}
    value = table.get("exits")
    if value is None:
        return abi.ABI_EXITS_ANY
    if isinstance(value, str) and value in words:
        return words[value]
    try:
        number = parse_number(value)
        if number < abi.ABI_EXITS_ANY:
            return number
        what = f"{number} are more than can be counted"
    except ValueError as error:
        what = str(error)
    near = difflib.get_close_matches(str(value), words, 1)
    table.wrong("exits", what, (f'did you mean "{near[0]}"? ' if near else "") + 'write "none", '
                '"any", or how many a second each of its CPUs may cause')
    return abi.ABI_EXITS_ANY


def _cell_name(table: Table) -> str | None:
    """Also a file's name: NAME.cell beside system.cell, and NAME.dts beside reserved-memory.dts."""
    name = table.name()
    if name is None:
        return None
    if not _FILE_NAME.issuperset(name) or name[0] in ".-" or name in ("system", "reserved-memory"):
        table.wrong("name", f'"{name}" cannot be the name of a file NAME.cell beside system.cell, or NAME.dts beside '
                    "reserved-memory.dts", "use letters, digits, _ - + and ., and another name than those two")
        return None
    return name


def _region(table: Table) -> Region | None:
    name = table.name()
    if name is not None:
        table.title = f'{table.title} "{name}"'
    guest, size = table.number("guest", required=True), table.size()
    host = table.number("host")
    boot = table.flag("boot", False)
    access = table.choice("access", ACCESS, "rx" if boot else None)
    loadable = table.flag("loadable", boot)
    table.done()
    if boot and (access != "rx" or not loadable):
        table.wrong("boot", f'the region is {"" if loadable else "not loadable, "}access "{access}"',
                    'leave `access` and `loadable` out: it is loadable, and the cell may read and execute it')
    if name is None or guest is None or size is None or access not in ACCESS:
        return None
    return Region(name, table.where(), guest, size, host, access, loadable, boot=boot)


def _shared_use(table: Table) -> Region | None:
    """Size and host address are the shared region's: placed and checked later."""
    name = table.text("name", required=True)
    guest = table.number("guest", required=True)
    access = table.choice("access", ACCESS[:2], "rw")
    table.done()
    if name is None or guest is None or access is None or name_problem(name):
        return None
    return Region(name, table.where(), guest, 0, None, access, shared=name)


def _comm_page(table: Table, default: int | None) -> int | None:
    """`comm_page = false` leaves it out."""
    if table.data.get("comm_page") is False:
        table.get("comm_page")
        return None
    return table.number("comm_page", default=default)
