# SPDX-License-Identifier: GPL-2.0-only
"""A description as a machine text (docs/configuration.md)."""

from collections.abc import Iterable, Iterator
from typing import Any

from jailhouse.config.model import TREE_CELLS, Span
from jailhouse.config.toml_text import address_text, comment_lines, entry_lines, key_text, ports_text, ranges_text
from jailhouse.config.units import function_text
from jailhouse.probe.description import Apic, Description, Device, Gic, Piece


def machine_text(machine: Description) -> str:
    return "\n".join(_lines(machine)) + "\n"


def _lines(machine: Description) -> Iterator[str]:
    yield from comment_lines(f"{machine.name}, as {machine.source} describes it.")
    for note in machine.notes:
        yield from comment_lines(f"To be checked: {note}")
    yield ""
    yield from entry_lines("name", machine.name)
    yield from entry_lines("arch", machine.arch)
    yield from _cpus(machine)
    if machine.address_bits is not None:
        yield from entry_lines("address_bits", machine.address_bits)
    yield from entry_lines("ram", [_span(s) for s in machine.ram])
    if machine.firmware:
        yield from comment_lines("RAM that firmware keeps for itself")
        yield from entry_lines("firmware", [_piece(p) for p in machine.firmware])
    if machine.tree_cells != TREE_CELLS:
        yield from comment_lines("#address-cells and #size-cells of the device tree's root node")
        yield from entry_lines("tree_cells", list(machine.tree_cells))
    if machine.console is not None:
        yield from entry_lines("console", machine.console)
    yield from ("", *(_gic(machine.platform) if isinstance(machine.platform, Gic) else _apic(machine.platform)))
    yield from _topology(machine)
    for device in machine.devices:
        yield from ("", *_device(device))


def _cpus(machine: Description) -> Iterator[str]:
    """What the hardware calls them; with what they are."""
    runs: list[tuple[str, list[int]]] = []
    for number, name in enumerate(machine.cpu_names):
        if runs and runs[-1][0] == name:
            runs[-1][1].append(number)
        else:
            runs.append((name, [number]))
    if runs:
        yield from comment_lines("; ".join(f"CPU {', '.join(map(str, ranges_text(numbers)))}: {name}" for name, numbers in runs))
    yield f"cpus = [{', '.join(address_text(n) for n in machine.hwids)}]"


def _span(span: Span) -> dict[str, Any]:
    return {"start": span.start, "size": span.size}


def _piece(piece: Piece) -> dict[str, Any]:
    return ({"name": piece.name} if piece.name else {}) | _span(piece.span)


def _gic(gic: Gic) -> Iterator[str]:
    yield "[gic]"
    yield from entry_lines("version", 3)
    for key, span in (("gicd", gic.gicd), ("gicr", gic.gicr)):
        yield from entry_lines(key, _span(span))
    yield from entry_lines("maintenance_irq", gic.maintenance_irq)
    yield from entry_lines("spis", gic.spis)


def _apic(apic: Apic) -> Iterator[str]:
    yield "[apic]"
    yield from entry_lines("ioapics", [{"address": i.address, "first": i.first, "pins": i.pins} for i in apic.ioapics])
    if apic.mmconfig is not None:
        yield from entry_lines("mmconfig", _span(apic.mmconfig))
    for key, value in (("apic_khz", apic.apic_khz), ("pm_timer", apic.pm_timer)):
        if value:
            yield from entry_lines(key, value)


def _topology(machine: Description) -> Iterator[str]:
    if not (machine.threads or machine.clusters or machine.caches):
        return
    yield from ("", "# Which CPUs share what", "[topology]")
    for key, groups in (("threads", machine.threads), ("clusters", machine.clusters)):
        if groups:
            yield from entry_lines(key, [ranges_text(group) for group in groups])
    if machine.caches:
        yield from entry_lines("caches", [{"level": c.level, "kind": c.kind} | ({"size": c.size} if c.size else {}) |
                                          {"cpus": ranges_text(c.cpus)} for c in machine.caches])


def _device(device: Device) -> Iterator[str]:
    for note in device.notes:
        yield from comment_lines(note)
    yield f"[devices.{key_text(device.name)}]"
    entries: list[tuple[str, Any]] = [
        ("about", device.about),
        ("registers", [_piece(p) for p in device.registers]),
        ("interrupts", ranges_text(device.interrupts)),
        ("edges", ranges_text(device.edges)),
        ("ports", ports_text(device.ports)),
        ("pci", [function_text(f) for f in device.functions]),
        ("uart", device.uart),
        ("iommu", device.iommu),
        ("group", device.group),
        ("dma", device.dma),
        ("streams", [{"iommu": s.iommu, "ids": _id_ranges(s.ids)} for s in device.streams]),
        ("needs", _needs(device)),
    ]
    for key, value in entries:
        if value or value == 0 and key == "group":
            yield from entry_lines(key, value)


def _id_ranges(ids: Iterable[range]) -> list[int | str]:
    return [f"{r.start:#x}-{r.stop - 1:#x}" if len(r) > 1 else r.start for r in ids]


def _needs(device: Device) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for need in device.needs:
        names = found.setdefault(need.what, [])
        if need.device not in names:
            names.append(need.device)
    return found
