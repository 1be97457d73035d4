# SPDX-License-Identifier: GPL-2.0-only
"""Random systems that are right, and the texts that say them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

PAGE = 4096
MIB = 1 << 20
RAM = 0x4000_0000
LINUX = 512 * MIB
CELLS = 256 * MIB
GICD = 0x0800_0000
DEVICES = 0x0900_0000
RESERVED = RAM + LINUX
HYPERVISOR = RESERVED + CELLS
ADDRESS_BITS = 40
SPIS = 64
PORTS = 0x1000
MOVED = 0xe0 << 32
GICR = GICD + 0x10_0000
SEEN = 0xd8 << 32		# where a cell may see the GIC
ARCHES = ["arm64", "x86_64"]


@dataclass
class Spec:
    """What the texts say, in the texts' own keys."""
    cpus: int
    devices: dict[str, dict[str, Any]]
    shared: dict[str, dict[str, Any]]
    cells: list[dict[str, Any]]
    arch: str = "arm64"
    root: str = "root"
    # Cells that see their devices elsewhere
    moved: frozenset[str] = frozenset()
    linux: dict[str, Any] = field(default_factory=lambda: {"start": RAM, "size": LINUX})
    reserved: dict[str, Any] = field(default_factory=lambda: {"start": RESERVED, "size": CELLS})
    hypervisor: dict[str, Any] = field(
        default_factory=lambda: {"start": HYPERVISOR, "size": 16 * MIB})

    def write(self, directory: Path) -> Path:
        (directory / "board.toml").write_text(_table({
            "name": "board", "arch": self.arch, "cpus": self.cpus, "address_bits": ADDRESS_BITS,
            "ram": {"start": RAM, "size": "1G"},
            **(self._gic() if self.arch == "arm64" else self._apic()),
            "devices": self.devices}))
        (directory / "system.toml").write_text(_table({
            "machine": "board.toml", "root": {"name": self.root},
            "memory": {"linux": self.linux, "cells": self.reserved,
                       "hypervisor": self.hypervisor},
            "shared": self.shared, "cell": [self._with_moved(cell) for cell in self.cells]}))
        return directory / "system.toml"

    def _with_moved(self, cell: dict[str, Any]) -> dict[str, Any]:
        """All of its devices alike, as some may share a page."""
        devices = [self.devices.get(name, {}) for name in cell["devices"]]
        if cell["name"] not in self.moved or not all("registers" in d and "pci" not in d for d in devices):
            return cell
        return cell | {"devices": [{"name": name, "guest": d["registers"]["start"] // PAGE * PAGE + MOVED}
                                   for name, d in zip(cell["devices"], devices, strict=True)]}

    def _gic(self) -> dict[str, Any]:
        return {"gic": {"gicd": {"start": GICD, "size": "64K"},
                        "gicr": {"start": GICR, "size": 0x2_0000 * self.cpus},
                        "maintenance_irq": 25, "spis": SPIS}}

    def _apic(self) -> dict[str, Any]:
        return {"apic": {"ioapics": [{"address": GICD, "first": 0, "pins": 40},
                                     {"address": GICD + PAGE, "first": 40, "pins": SPIS - 8}],
                         "mmconfig": {"start": GICD + 0x10_0000, "size": "2M"},
                         "pm_timer": 0x608}}


def _table(table: dict[str, Any]) -> str:
    return "".join(f"{key} = {_value(value)}\n" for key, value in table.items())


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{k} = {_value(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return hex(value)
    return f'"{value}"'


@st.composite
def systems(draw: st.DrawFn, arch: str | None = None) -> Spec:
    """At least two cells, each with a device of its own, memory and two CPUs' worth of room."""
    arch = arch or draw(st.sampled_from(ARCHES))
    count = draw(st.integers(2, 4))
    cpus = draw(st.integers(count + 1, 12))
    owners = draw(st.permutations(range(1, cpus)))
    devices, own = _devices(draw, count)
    if arch == "x86_64":
        _make_pc(draw, devices)
    shared = {f"box{n}": {"size": PAGE * draw(st.integers(1, 600))}
              for n in range(draw(st.integers(0, 2)))}
    top = HYPERVISOR
    cells = []
    for n in range(count):
        memory, top = _memory(draw, top)
        cells.append({
            "name": f"cell-{n}", "cpus": sorted(owners[n::count]), "memory": memory,
            "entry": memory[0]["guest"] + 4 * draw(st.integers(0, PAGE // 4 - 1)),
            "devices": own[n],
            "console": draw(st.sampled_from(["putc", own[n][0]])),
            "shared": [{"name": name, "guest": (0xc0 + i) << 32,
                        "access": draw(st.sampled_from(["r", "rw"]))}
                       for i, name in enumerate(shared) if draw(st.booleans())],
        })
        if arch == "arm64":
            cells[-1] |= _contract(draw, own_lines(devices, own[n]), cells[-1]["console"])
            cells[-1] |= _view(draw, cells[-1])
        else:
            cells[-1] |= _pc_cell(draw, n, cells[-1]["console"])
    moved = frozenset(cell["name"] for cell in cells if draw(st.booleans()))
    return Spec(cpus, devices, shared, cells, arch, moved=moved)


def _make_pc(draw: st.DrawFn, devices: dict[str, dict[str, Any]]) -> None:
    """Ports beside or instead of registers; some are PCI functions."""
    for n, device in enumerate(devices.values()):
        device["uart"] = "8250"
        first = PORTS + 0x20 * n
        if draw(st.booleans()):
            device["ports"] = [f"{first:#x}-{first + draw(st.integers(1, 31)):#x}"]
            if draw(st.booleans()):
                del device["registers"]
        if draw(st.booleans()):
            device["pci"] = f"{n // 8:02x}:{n % 8:02x}.{draw(st.integers(0, 7))}"


def _pc_cell(draw: st.DrawFn, n: int, console: str) -> dict[str, Any]:
    """Its communication page lies high: memory starts below 1 MiB and has no hole there."""
    said: dict[str, Any] = {"comm_page": 0x8000_0000}
    if draw(st.booleans()):
        said["ports"] = [f"{0x100 * n:#x}-{0x100 * n + draw(st.integers(1, 255)):#x}"]
    if draw(st.booleans()):
        said["pci"] = [f"{0x80 + n:02x}:1f.{f}" for f in range(draw(st.integers(1, 3)))]
    if draw(st.booleans()):
        said["other_ports"] = draw(st.sampled_from(["refused", "absent"]))
    exits = draw(st.sampled_from([None, "any", 7, 0 if console != "putc" else 8]))
    return said | ({} if exits is None else {"exits": exits})


def own_lines(devices: dict[str, dict[str, Any]], names: list[str]) -> list[int]:
    lines: list[int] = []
    for name in names:
        for item in devices[name]["interrupts"]:
            first, _, last = str(item).partition("-")
            lines += range(int(first), int(last or first) + 1)
    return lines


def _view(draw: st.DrawFn, cell: dict[str, Any]) -> dict[str, Any]:
    """What it calls its CPUs, and where it sees the GIC: behind another, where counted as soon as that ends."""
    said: dict[str, Any] = {}
    ids = draw(st.sampled_from([None, "machine", "counted"]))
    if ids:
        said["cpu_ids"] = ids
    if draw(st.booleans()):
        gicr = SEEN + 0x1_0000 * draw(st.integers(0, 16))
        count = len(cell["cpus"]) if ids == "counted" else 12
        said["gic"] = {"gicr": gicr, "gicd": gicr + 0x2_0000 * count + 0x1_0000 * draw(st.integers(0, 1))}
        # ... and where the machine has it is something else
        if draw(st.booleans()):
            cell["memory"].append({"name": "high", "guest": GICD, "size": PAGE, "access": "rw"})
    return said


def _contract(draw: st.DrawFn, lines: list[int], console: str) -> dict[str, Any]:
    """How its interrupts come, how it sleeps and what exits it has; said or left to the default."""
    said: dict[str, Any] = {}
    interrupts = draw(st.sampled_from([None, "direct", "injected", "auto"]))
    if interrupts:
        said["interrupts"] = interrupts
    injected = interrupts == "injected"
    if interrupts != "direct" and draw(st.booleans()):
        # All of them, so that no number is one of the others'
        numbers = draw(st.permutations(range(700, 700 + len(lines))))
        said["renumber"] = {f'"{line}"': n for line, n in zip(lines, numbers, strict=True)}
        injected = True
    if not injected and draw(st.booleans()):
        said["wfi"] = draw(st.sampled_from(["trapped", "trusted"]))
    limits = st.one_of(st.none(), st.just("any"), st.integers(1, (1 << 32) - 2))
    if not injected and console != "putc":
        limits = st.one_of(limits, st.sampled_from(["none", 0]))
    exits = draw(limits)
    if exits is not None:
        said["exits"] = exits
    if exits not in (None, "any"):
        said |= {key: draw(value) for key, value in (
            ("settle_ms", st.integers(0, 600_000)),
            ("on_violation", st.sampled_from(["log", "fail"]))) if draw(st.booleans())}
    return said


def _memory(draw: st.DrawFn, top: int) -> tuple[list[dict[str, Any]], int]:
    """Host addresses that are given come from the top; what is placed starts at the bottom."""
    memory: list[dict[str, Any]] = []
    guest = PAGE * draw(st.integers(0, 16))
    for n in range(draw(st.integers(1, 3))):
        size = PAGE * draw(st.one_of(st.integers(1, 64), st.sampled_from([512, 513, 1024, 2048])))
        region: dict[str, Any] = {
            "name": f"m{n}", "guest": guest, "size": size, "loadable": draw(st.booleans()),
            "access": "rwx" if n == 0 else draw(st.sampled_from(["r", "rw", "rx", "rwx"]))}
        if draw(st.booleans()):
            top -= size
            region["host"] = top
        memory.append(region)
        guest += size + PAGE * draw(st.integers(0, 1024))
    return memory, top


def _devices(draw: st.DrawFn, count: int) -> tuple[dict[str, Any], list[list[str]]]:
    """Small ones share pages, but only with devices of the same owner; so do interrupts."""
    devices: dict[str, Any] = {}
    own: list[list[str]] = []
    page, line = DEVICES, 32
    for owner in range(count + 1):		# the last one's stay with the root cell
        names = []
        for n in range(draw(st.integers(1, 3))):
            small = draw(st.booleans())
            at = page + 0x200 * n
            devices[f"d{owner}-{n}"] = {
                "registers": {"start": at, "size": 0x200 if small else PAGE - 0x200 * n},
                "interrupts": [line, f"{line + 1}-{line + draw(st.integers(1, 2))}"],
                "uart": "pl011"}
            names.append(f"d{owner}-{n}")
            if not small:
                page += PAGE * draw(st.integers(1, 3))
                page -= page % PAGE
                line += 3
                break
        page += PAGE
        line += 3
        own.append(names)
    return devices, own[:count]
