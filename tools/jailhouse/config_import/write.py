# SPDX-License-Identifier: GPL-2.0-only
"""The imported texts as TOML, with notes as comments."""

from collections.abc import Iterable, Iterator
from typing import Any

from jailhouse.config.model import Span
from jailhouse.config.spans import as_ranges
from jailhouse.config.toml_text import comment_lines, entry_lines, key_text, ports_text, ranges_text
from jailhouse.config.units import function_text
from jailhouse.config_import import texts


def machine_toml(machine: texts.Machine, source: str) -> str:
    lines = [*_head(source), "", *entry_lines("name", machine.name), *entry_lines("arch", machine.arch),
             *_note(machine.cpus_note), *entry_lines("cpus", machine.cpus), *entry_lines("ram", _spans(machine.ram))]
    if machine.console:
        lines += entry_lines("console", machine.console)
    lines.append("")
    lines += _gic(machine.interrupts) if isinstance(machine.interrupts, texts.Gic) else _apic(machine.interrupts)
    for device in machine.devices:
        lines += ["", *_device(device)]
    return _joined(lines)


def system_toml(system: texts.System, source: str) -> str:
    division = system.division
    lines = [*_head(source), "", *entry_lines("machine", "machine.toml"), "", "[memory]",
             *entry_lines("linux", _spans(division.linux)), *_note(division.cells_note),
             *entry_lines("cells", _span(division.cells)), *entry_lines("hypervisor", _span(division.hypervisor)),
             "", "[root]", *entry_lines("name", system.root_name)]
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
    return comment_lines(f"Imported from {source}, made for Jailhouse (revision 14).")


def _joined(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"


def _note(note: str) -> Iterator[str]:
    if note:
        yield from comment_lines(note)


def _entries(*entries: tuple[str, Any]) -> Iterator[str]:
    """Those that say something."""
    for key, value in entries:
        if value not in (None, "", [], 0):
            yield from entry_lines(key, value)


def _gic(gic: texts.Gic) -> Iterator[str]:
    yield "[gic]"
    yield from entry_lines("version", gic.version)
    yield from entry_lines("gicd", _span(gic.gicd))
    if gic.gicr:
        yield from _note(gic.gicr_note)
        yield from entry_lines("gicr", _span(gic.gicr))
    yield from _note(gic.irq_note)
    yield from entry_lines("maintenance_irq", gic.maintenance_irq)
    yield from _note(gic.spis_note)
    yield from entry_lines("spis", gic.spis)


def _apic(apic: texts.Apic) -> Iterator[str]:
    yield "[apic]"
    yield from _note(apic.ioapics_note)
    yield from entry_lines("ioapics", [{"address": c.address, "first": c.first, "pins": c.pins} for c in apic.ioapics])
    yield from _entries(("mmconfig", _span(apic.mmconfig) if apic.mmconfig else None), ("apic_khz", apic.apic_khz),
                        ("pm_timer", apic.pm_timer))


def _device(device: texts.Device) -> Iterator[str]:
    yield from _note(device.note)
    yield f"[devices.{key_text(device.name)}]"
    yield from _entries(("pci", None if device.pci is None else function_text(device.pci)),
                        ("registers", _spans(device.registers)),
                        ("ports", ports_text([device.ports] if device.ports else [])), ("uart", device.uart))


def _shared(shared: texts.Shared) -> Iterator[str]:
    yield f"[shared.{key_text(shared.name)}]"
    yield from entry_lines("size", shared.size)
    if shared.host is not None:
        yield from entry_lines("host", shared.host)


def _cell(cell: texts.Cell) -> Iterator[str]:
    yield "[[cell]]"
    yield from entry_lines("name", cell.name)
    yield from entry_lines("cpus", ranges_text(cell.cpus))
    yield from _entries(("entry", cell.entry))
    yield from entry_lines("comm_page", False if cell.comm_page is None else cell.comm_page)
    yield from _entries(
        ("uart", {cell.uart.key: cell.uart.address} if cell.uart else None), ("console", cell.console), ("putc", cell.putc),
        ("devices", [_given(g) for g in cell.devices]), ("lines", ranges_text(cell.lines)),
        ("ports", ports_text(as_ranges(cell.ports))), ("pci", [function_text(bdf) for bdf in cell.pci]))
    yield from entry_lines("memory", [_region(r) for r in cell.memory])
    yield from _entries(("shared", [{"name": u.name, "guest": u.guest, "access": u.access} for u in cell.shared]))


def _given(given: texts.Given) -> Any:
    return given.name if given.guest is None else {"name": given.name, "guest": given.guest}


def _region(region: texts.Region) -> dict[str, Any]:
    told: dict[str, Any] = {"name": region.name, "guest": region.guest, "size": region.size, "access": region.access}
    return told | ({"loadable": True} if region.loadable else {}) | ({} if region.host is None else {"host": region.host})


def _spans(spans: tuple[Span, ...]) -> Any:
    return _span(spans[0]) if len(spans) == 1 else [_span(span) for span in spans]


def _span(span: Span) -> dict[str, int]:
    return {"start": span.start, "size": span.size}
