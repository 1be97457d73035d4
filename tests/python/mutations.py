# SPDX-License-Identifier: GPL-2.0-only
"""Plans that something was done to: what lies elsewhere, belongs to others as well, is gone, or is said besides."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import intents
from hypothesis import strategies as st

from jailhouse.config.units import BLOCK, PAGE, parse_number

Draw = Callable[[st.SearchStrategy[Any]], Any]
Table = dict[str, Any]
FRAME = 0x1_0000
ADDRESSES = {"start", "guest", "host", "entry", "comm_page", "gicd", "gicr", "address", "port"}
NEAR = [0] * 6 + [n * unit for unit in (PAGE, FRAME, BLOCK) for n in (1, -1)] + [8, -8]
SIZES = [1, 0x200, PAGE, 2 * PAGE, FRAME, 4 * FRAME, BLOCK, 2 * BLOCK, 1 << 30, 1 << 40, (1 << 64) - PAGE]


@dataclass
class Plan:
    """Both texts as TOML reads them; all that was found is said."""
    machine: Table
    system: Table

    def write(self, folder: Path) -> Path:
        return intents.write(folder, self.machine, **{k: v for k, v in self.system.items() if k != "machine"})

    @property
    def arm64(self) -> bool:
        return self.machine["arch"] == "arm64"


def mutate(draw: Draw, plan: Plan) -> None:
    draw(st.sampled_from([_changed, _changed, _in_list, _in_list, _said, _said, _dropped]))(draw, plan)


def _cell(draw: Draw, plan: Plan) -> Table:
    """One of those that are left."""
    cell: Table = draw(st.sampled_from(plan.system["cell"] or [{}]))
    return cell


def _tables(value: Any) -> Iterator[Table]:
    """All that are in it, from the outside in."""
    if isinstance(value, dict):
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _tables(part)


def _address(plan: Plan) -> st.SearchStrategy[int]:
    """Where something of either text starts or ends, or near it."""
    found = {0, 1 << 32, 0xfee0_0000, 1 << plan.machine.get("address_bits", 48), (1 << 64) - PAGE}
    for table in _tables([plan.machine, plan.system]):
        for key in ADDRESSES & table.keys():
            if isinstance(table[key], int) and not isinstance(table[key], bool):
                found |= {table[key], table[key] + parse_number(table.get("size", PAGE))}
    return st.builds(lambda at, by: min(max(0, at + by), (1 << 64) - 1), st.sampled_from(sorted(found)), st.sampled_from(NEAR))


def _size(plan: Plan) -> st.SearchStrategy[int]:
    found = {parse_number(t["size"]) for t in _tables([plan.machine, plan.system]) if "size" in t}
    return st.one_of(st.sampled_from(SIZES), st.builds(lambda size, by: max(1, size + by), st.sampled_from(sorted(found)),
                                                       st.sampled_from(NEAR)))


def _name(plan: Plan) -> st.SearchStrategy[str]:
    """Anybody's."""
    named = [t["name"] for t in _tables([plan.machine, plan.system]) if isinstance(t.get("name"), str)]
    return st.sampled_from([*named, *plan.system.get("shared", {}), *plan.machine.get("devices", {}), "root", "new"])


def _device(plan: Plan) -> st.SearchStrategy[str]:
    return st.sampled_from([*plan.machine.get("devices", {}), "nothing"])


def _found(plan: Plan, *keys: str) -> list[Any]:
    """The elements of all lists that are called so."""
    return [v for t in _tables([plan.machine, plan.system]) for key in keys if isinstance(t.get(key), list) for v in t[key]]


def _line(plan: Plan) -> st.SearchStrategy[int]:
    """Mostly one that somebody has."""
    named = [int(str(v).split("-", maxsplit=1)[0]) for v in _found(plan, "interrupts", "lines")]
    return st.one_of(st.sampled_from(named or [40]), st.integers(30, 34 + 64) if plan.arm64 else st.integers(0, 100))


def _ports(plan: Plan) -> st.SearchStrategy[Any]:
    first = st.one_of(st.sampled_from([0, 0x3f8, 0xcf8, 0xcf0, 0x1000, 0x1020, 0xfff8]), st.integers(0, 0x1100))
    new = st.builds(lambda at, count: f"{at:#x}-{min(at + count, 0xffff):#x}", first, st.integers(0, 40))
    return st.one_of(new, st.sampled_from(_found(plan, "ports") or [0x3f8]))


def _function(plan: Plan) -> st.SearchStrategy[str]:
    there = [*_found(plan, "pci"), *(t["pci"] for t in _tables(plan.machine) if isinstance(t.get("pci"), str)), "00:00.0"]
    new = st.builds("{:02x}:{:02x}.{}".format, st.integers(0, 1), st.integers(0, 3), st.integers(0, 7))
    return st.one_of(st.sampled_from(there), new)


def _given(plan: Plan) -> st.SearchStrategy[Any]:
    moved = st.builds(lambda name, guest: {"name": name, "guest": guest}, _device(plan), _address(plan))
    return st.one_of(_device(plan), _device(plan), moved)


def _renumber(plan: Plan) -> st.SearchStrategy[dict[str, int]]:
    return st.dictionaries(_line(plan).map(str), st.one_of(_line(plan), st.integers(32, 1019)), min_size=1, max_size=2)


def _uart(plan: Plan) -> st.SearchStrategy[Table]:
    if not plan.arm64:
        return st.builds(lambda port: {"port": port}, st.one_of(st.sampled_from([0, 0x2f8, 0xcf8, 0xfff8, 0xfff9]),
                                                                 st.integers(0, 0x1100)))
    return st.fixed_dictionaries({"guest": _address(plan)}, optional={"interrupt": _line(plan), "line": _line(plan)})


def _gic(plan: Plan) -> st.SearchStrategy[Table]:
    return st.fixed_dictionaries({key: _address(plan).map(lambda at: at // FRAME * FRAME) for key in ("gicd", "gicr")})


def _exits(_: Plan) -> st.SearchStrategy[Any]:
    return st.sampled_from(["any", "none", 0, 1, 1000, (1 << 32) - 2])


def _of(*values: Any) -> Callable[[Plan], st.SearchStrategy[Any]]:
    return lambda _: st.sampled_from(values)


Kind = Callable[[Plan], st.SearchStrategy[Any]]
# What a key may say, wherever it stands
VALUES: dict[str, Kind] = {
    **dict.fromkeys(ADDRESSES, _address), "size": _size, "name": _name, "console": _name,
    "access": _of("r", "rw", "rx", "rwx"), "loadable": _of(True, False), "boot": _of(True, False),
    "address_bits": _of(32, 36, 40, 48), "spis": _of(1, 8, 32, 64, 988), "maintenance_irq": _of(16, 25, 31),
    "first": _of(0, 1, 24, 40, 64, 240), "pins": _of(1, 8, 24, 40, 56, 240), "pm_timer": _of(0, 0x608, 0xcf8),
    "interrupt": _line, "line": _line, "cpu_ids": _of("machine", "counted"), "exits": _exits,
    "settle_ms": _of(0, 1, 600_000), "on_violation": _of("log", "fail"), "wfi": _of("trapped", "trusted"),
    "other_ports": _of("refused", "absent"), "putc": _of(True, False), "uart": _of("8250", "8250-32", "pl011"),
}
# ... what is an element of it, where it is a list
ELEMENTS: dict[str, Kind] = {
    "cpus": lambda _: st.integers(0, 12), "interrupts": _line, "lines": _line, "ports": _ports, "pci": _function, "devices": _given,
}


def _list(key: str) -> Kind:
    return lambda plan: st.lists(ELEMENTS[key](plan), max_size=2)


# What a cell can say, by what belongs together
_DEVICES: dict[str, Kind] = {
    "devices": _list("devices"), "lines": _list("lines"), "uart": _uart,
    "console": lambda plan: st.one_of(st.sampled_from(["putc", "uart"]), _device(plan)), "putc": VALUES["putc"]}
_PLACES: dict[str, Kind] = {
    "comm_page": lambda plan: st.one_of(st.just(False), _address(plan)), "entry": _address, "uart": _uart, "cpus": _list("cpus")}
_CONTRACT: dict[str, Kind] = {
    **{key: VALUES[key] for key in ("exits", "settle_ms", "on_violation")}, "uart": _uart,
    "console": lambda plan: st.one_of(st.just("putc"), _device(plan))}
_DELIVERY: dict[str, Kind] = {
    "renumber": _renumber, "interrupts": _of("auto", "direct", "injected"), "wfi": VALUES["wfi"], "lines": _list("lines"), "uart": _uart}
ARM64 = [_DEVICES, _PLACES | {"gic": _gic, "cpu_ids": VALUES["cpu_ids"]}, _CONTRACT | _DELIVERY, _DELIVERY,
         {key: _DELIVERY[key] for key in ("renumber", "interrupts", "wfi")}]
X86_64 = [_DEVICES, _PLACES, _CONTRACT, _DEVICES | {"ports": _list("ports"), "pci": _list("pci"), "other_ports": VALUES["other_ports"]}]


def _changed(draw: Draw, plan: Plan) -> None:
    """One value becomes another of its kind."""
    text = draw(st.sampled_from([plan.machine, plan.system, plan.system, plan.system]))
    places = [(table, key) for table in _tables(text) for key, value in table.items()
              if key in VALUES and not isinstance(value, dict | list)]
    table, key = draw(st.sampled_from(places))
    table[key] = draw(VALUES[key](plan))


def _in_list(draw: Draw, plan: Plan) -> None:
    """An element more or less; or what one has, another has, too."""
    places = [(t, key, value) for t in _tables([plan.machine, plan.system]) for key, value in t.items() if isinstance(value, list)]
    table, key, values = draw(st.sampled_from(places))
    how = draw(st.sampled_from(["new", "copied", "copied", "gone"]))
    if how == "new" and key in ELEMENTS:
        values.append(draw(ELEMENTS[key](plan)))
    elif how == "copied":
        others = [v for _, other, found in places if other == key for v in found]
        if others:
            values.append(copy.deepcopy(draw(st.sampled_from(others))))
    elif values:
        del values[draw(st.integers(0, len(values) - 1))]


def _said(draw: Draw, plan: Plan) -> None:
    """What was left to its default, or already said otherwise."""
    draw(st.sampled_from([_cell_said, _cell_said, _cell_said, _device_said, _more_memory, _boot, _console, _use]))(draw, plan)


def _cell_said(draw: Draw, plan: Plan) -> None:
    """Some of what belongs together, by one cell."""
    theme = draw(st.sampled_from(ARM64 if plan.arm64 else X86_64))
    cell = _cell(draw, plan)
    for key in draw(st.lists(st.sampled_from(sorted(theme)), min_size=1, max_size=3, unique=True)):
        cell[key] = draw(theme[key](plan))


def _device_said(draw: Draw, plan: Plan) -> None:
    devices = plan.machine.get("devices") or {"none": {}}
    device = devices[draw(st.sampled_from(sorted(devices)))]
    key = draw(st.sampled_from(["interrupts", "registers", "uart"] + ([] if plan.arm64 else ["ports", "pci"])))
    device[key] = draw(_registers(plan) if key == "registers" else VALUES[key](plan) if key == "uart" else _list(key)(plan))


def _more_memory(draw: Draw, plan: Plan) -> None:
    region = {"name": "more", "guest": draw(_address(plan)), "size": draw(_size(plan)), "access": draw(VALUES["access"](plan))}
    if draw(st.booleans()):
        region["host"] = draw(_address(plan))
    _cell(draw, plan).setdefault("memory", []).append(region)


def _boot(draw: Draw, plan: Plan) -> None:
    """A region of it becomes the one that it starts from; its entry is there, or stays."""
    cell = _cell(draw, plan)
    region = draw(st.sampled_from(cell.get("memory") or [{}]))
    region |= {"boot": True, "access": "rx", "loadable": True}
    if draw(st.booleans()):
        cell["entry"] = region.get("guest", 0)


def _console(draw: Draw, plan: Plan) -> None:
    plan.machine["console"] = draw(_device(plan))


def _use(draw: Draw, plan: Plan) -> None:
    """Of a shared region, which may be a new one."""
    shared = plan.system.setdefault("shared", {})
    if draw(st.booleans()):
        shared["new"] = {"size": draw(_size(plan))} | ({"host": draw(_address(plan))} if draw(st.booleans()) else {})
    use = {"name": draw(st.sampled_from([*shared, "nothing"])), "guest": draw(_address(plan))}
    _cell(draw, plan).setdefault("shared", []).append(use)


def _registers(plan: Plan) -> st.SearchStrategy[list[Table]]:
    """The large ones are windows in which others' may lie."""
    size = st.sampled_from([0x200, PAGE, FRAME, BLOCK, 16 * BLOCK])
    return st.lists(st.fixed_dictionaries({"start": _address(plan), "size": size}), min_size=1, max_size=2)


def _dropped(draw: Draw, plan: Plan) -> None:
    """What can be done without, or what is a list's only element written as such."""
    places = [(t, key) for t in _tables([plan.system["cell"], plan.system.get("shared", {}), plan.machine.get("devices", {})])
              for key in t if key not in ("name", "size", "start", "guest", "access", "gicd", "gicr", "port")]
    if places:
        table, key = draw(st.sampled_from(places))
        del table[key]
