# SPDX-License-Identifier: GPL-2.0-only
"""TOML as people write it: addresses in hexadecimal with underscores, sizes with units, notes as comments."""

from collections.abc import Callable, Iterable, Iterator

from jailhouse.config.model import Span
from jailhouse.config.units import UNITS, function_text
from jailhouse.config_import import texts

_WIDTH = 110


def machine_toml(machine: texts.Machine, source: str) -> str:
    lines = [*_head(source), "",
             f"name = {_text(machine.name)}", f"arch = {_text(machine.arch)}",
             *_note(machine.cpus_note), f"cpus = {machine.cpus}", f"ram = {_spans(machine.ram)}"]
    if machine.console:
        lines.append(f"console = {_text(machine.console)}")
    lines.append("")
    lines += _gic(machine.interrupts) if isinstance(machine.interrupts, texts.Gic) else _apic(machine.interrupts)
    for device in machine.devices:
        lines += ["", *_device(device)]
    return _joined(lines)


def system_toml(system: texts.System, source: str) -> str:
    division = system.division
    lines = [*_head(source), "", 'machine = "machine.toml"', "", "[memory]", f"linux = {_spans(division.linux)}",
             *_note(division.cells_note), f"cells = {_span(division.cells)}",
             f"hypervisor = {_span(division.hypervisor)}", "", "[root]", f"name = {_text(system.root_name)}"]
    for shared in system.shared:
        lines += ["", *_shared(shared)]
    for cell in system.cells:
        lines += ["", *_cell(cell)]
    return _joined(lines)


def fragment_toml(fragment: texts.Fragment, source: str) -> str:
    """A [[cell]]; what other tables have to say besides stands above it as comments."""
    lines = list(_head(source))
    if fragment.devices:
        lines += ["#", "# For the machine text, with other names if it has these registers already:"]
    for device in fragment.devices:
        lines += ["#", *(f"# {line}" for line in _device(device))]
    if fragment.shared:
        lines += ["#", "# For the system text:"]
    for shared in fragment.shared:
        lines += ["#", *(f"# {line}" for line in _shared(shared))]
    lines += ["", *_cell(fragment.cell)]
    return _joined(lines)


def _head(source: str) -> Iterator[str]:
    yield f"# Imported from {_plain(source)}, made for Jailhouse (revision 14)."


def _plain(source: str) -> str:
    """A file's name can hold anything; a comment ends with its line."""
    return "".join(c if " " <= c <= "~" else "?" for c in source)


def _joined(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"


def _note(note: str) -> list[str]:
    return [f"# {note}"] if note else []


def _gic(gic: texts.Gic) -> Iterator[str]:
    yield "[gic]"
    yield f"version = {gic.version}"
    yield f"gicd = {_span(gic.gicd)}"
    if gic.gicr:
        yield from _note(gic.gicr_note)
        yield f"gicr = {_span(gic.gicr)}"
    yield from _note(gic.irq_note)
    yield f"maintenance_irq = {gic.maintenance_irq}"
    yield from _note(gic.spis_note)
    yield f"spis = {gic.spis}"


def _apic(apic: texts.Apic) -> Iterator[str]:
    yield "[apic]"
    yield from _note(apic.ioapics_note)
    yield _assigned("ioapics", [f"{{ address = {address(c.address)}, first = {c.first}, pins = {c.pins} }}"
                                for c in apic.ioapics])
    if apic.mmconfig:
        yield f"mmconfig = {_span(apic.mmconfig)}"
    if apic.apic_khz:
        yield f"apic_khz = {apic.apic_khz:_}"
    if apic.pm_timer:
        yield f"pm_timer = {apic.pm_timer:#x}"


def _device(device: texts.Device) -> Iterator[str]:
    yield from _note(device.note)
    yield f"[devices.{device.name}]"
    if device.pci is not None:
        yield f"pci = {_text(function_text(device.pci))}"
    if device.registers:
        yield f"registers = {_spans(device.registers)}"
    if device.ports:
        yield _assigned("ports", _runs(device.ports, hex))
    if device.uart:
        yield f"uart = {_text(device.uart)}"


def _shared(shared: texts.Shared) -> Iterator[str]:
    yield f"[shared.{shared.name}]"
    yield f"size = {size(shared.size)}"
    if shared.host is not None:
        yield f"host = {address(shared.host)}"


def _cell(cell: texts.Cell) -> Iterator[str]:
    yield "[[cell]]"
    yield f"name = {_text(cell.name)}"
    yield _assigned("cpus", _runs(cell.cpus, str))
    if cell.entry:
        yield f"entry = {address(cell.entry)}"
    yield f"comm_page = {'false' if cell.comm_page is None else address(cell.comm_page)}"
    if cell.uart:
        yield f"uart = {{ {cell.uart.key} = {address(cell.uart.address)} }}"
    if cell.console:
        yield f"console = {_text(cell.console)}"
    if cell.putc:
        yield "putc = true"
    for key, values in (("devices", [_given(g) for g in cell.devices]), ("lines", _runs(cell.lines, str)),
                        ("ports", _runs(cell.ports, hex)), ("pci", [_text(function_text(b)) for b in cell.pci])):
        if values:
            yield _assigned(key, values)
    yield _assigned("memory", [_region(r) for r in cell.memory], apart=True)
    if cell.shared:
        yield _assigned("shared", [_use(u) for u in cell.shared], apart=True)


def _given(given: texts.Given) -> str:
    if given.guest is None:
        return _text(given.name)
    return f"{{ name = {_text(given.name)}, guest = {address(given.guest)} }}"


def _region(region: texts.Region) -> str:
    parts = [f"name = {_text(region.name)}", f"guest = {address(region.guest)}", f"size = {size(region.size)}",
             f"access = {_text(region.access)}"]
    parts += ["loadable = true"] if region.loadable else []
    parts += [f"host = {address(region.host)}"] if region.host is not None else []
    return f"{{ {', '.join(parts)} }}"


def _use(use: texts.Use) -> str:
    return f"{{ name = {_text(use.name)}, guest = {address(use.guest)}, access = {_text(use.access)} }}"


def _assigned(key: str, values: list[str], apart: bool = False) -> str:
    """A list, on one line if it fits and nobody wants its elements apart."""
    line = f"{key} = [{', '.join(values)}]"
    if not values or len(line) <= _WIDTH and not apart:
        return line
    return "\n".join([f"{key} = [", *(f"\t{value}," for value in values), "]"])


def _spans(spans: tuple[Span, ...]) -> str:
    if len(spans) == 1:
        return _span(spans[0])
    return "\n".join(["[", *(f"\t{_span(span)}," for span in spans), "]"])


def _span(span: Span) -> str:
    return f"{{ start = {address(span.start)}, size = {size(span.size)} }}"


def _runs(numbers: Iterable[int], form: Callable[[int], str]) -> list[str]:
    """Sorted numbers; what follows one another as "first-last"."""
    runs: list[tuple[int, int]] = []
    for number in numbers:
        first = runs.pop()[0] if runs and runs[-1][1] + 1 == number else number
        runs.append((first, number))
    return [form(first) if first == last else f'"{form(first)}-{form(last)}"' for first, last in runs]


def _text(value: str) -> str:
    """Of printable ASCII, which the names are by now."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def address(number: int) -> str:
    """0x4000_0000: at least eight digits, in groups of four. TOML's integers end at 63 bits; beyond it is text."""
    if number == 0:
        return "0"
    digits = f"{number:_x}" if number >> 32 else f"{number >> 16:04x}_{number & 0xffff:04x}"
    return f"0x{digits}" if number < 1 << 63 else f'"0x{digits}"'


def size(number: int) -> str:
    """With a unit where that is shorter to read, else like an address."""
    for unit in "TGMK":
        count, rest = divmod(number, 1 << UNITS[unit])
        if count and not rest:
            return f'"{count}{unit}"' if count < 10_000 else address(number)
    return address(number)
