# SPDX-License-Identifier: GPL-2.0-only
"""
The checker against the hypervisor's own rules: what is accepted here is admitted there,
and what is refused there for a reason in the text is refused here.
"""

import copy
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import specs
import verdict
from conftest import DEMO, PC_DEMO
from hypothesis import given, settings
from hypothesis import strategies as st
from specs import MIB, PAGE, Spec, systems
from verdict import SLOW_IS_FINE, hypervisor_says

from jailhouse.config import abi, blob, emit
from jailhouse.config.model import System
from jailhouse.config.problems import Problems

FLAGS = {"injected": abi.ABI_CELL_INJECTED, "trusted": abi.ABI_CELL_TRUSTED_WFI,
         "fail": abi.ABI_CELL_FAIL_ON_VIOLATION, "counted": abi.ABI_CELL_CPUS_COUNTED,
         "absent": abi.ABI_CELL_ABSENT_PORTS}


def checked(file: Path) -> tuple[System, Problems]:
    system, problems = verdict.checked(file)
    assert system is not None, [str(p) for p in problems]
    return system, problems


@settings(SLOW_IS_FINE, max_examples=150)
@given(spec=systems())
def test_right_texts_are_admitted(admit_tool: Path, spec: Spec) -> None:
    with tempfile.TemporaryDirectory() as name:
        system, problems = checked(spec.write(Path(name)))
        assert not problems.errors, [str(p) for p in problems]
        assert hypervisor_says(admit_tool, system, Path(name) / "out") == "ok"


@pytest.mark.parametrize("demo", [DEMO, PC_DEMO, PC_DEMO.parent / "bench-direct.toml"])
def test_demo_is_admitted(admit_tool: Path, tmp_path: Path, demo: Path) -> None:
    system, problems = checked(demo)
    assert list(problems) == []
    assert hypervisor_says(admit_tool, system, tmp_path) == "ok"


def same_host(spec: Spec) -> None:
    for cell in spec.cells[:2]:
        cell["memory"][0]["host"] = specs.RESERVED + 64 * MIB


def host_below_cells(spec: Spec) -> None:
    spec.cells[0]["memory"][0]["host"] = specs.RESERVED - PAGE


def host_is_hypervisor(spec: Spec) -> None:
    spec.cells[1]["memory"][0]["host"] = specs.HYPERVISOR


def host_misaligned(spec: Spec) -> None:
    spec.cells[0]["memory"][0]["host"] = specs.RESERVED + 64 * MIB + 0x10


def guest_misaligned(spec: Spec) -> None:
    spec.cells[0]["memory"][0]["guest"] += 0x800


def size_misaligned(spec: Spec) -> None:
    spec.cells[0]["memory"][0]["size"] += 1


def guest_overlap(spec: Spec) -> None:
    first = spec.cells[0]["memory"][0]
    spec.cells[0]["memory"].append(dict(first, name="again", host=specs.RESERVED + 64 * MIB))


def guest_on_gic(spec: Spec) -> None:
    spec.cells[0].pop("gic", None)
    spec.cells[0]["memory"].append(
        {"name": "gic", "guest": specs.GICD, "size": PAGE, "access": "rw"})


def guest_too_high(spec: Spec) -> None:
    spec.cells[0]["memory"].append(
        {"name": "high", "guest": 1 << specs.ADDRESS_BITS, "size": PAGE, "access": "rw"})


def comm_on_memory(spec: Spec) -> None:
    spec.cells[0]["comm_page"] = spec.cells[0]["memory"][0]["guest"]


def comm_misaligned(spec: Spec) -> None:
    spec.cells[0]["comm_page"] = 0x8000_0004


def entry_outside(spec: Spec) -> None:
    spec.cells[1]["entry"] = 0x7fff_0000


def no_cpu(spec: Spec) -> None:
    spec.cells[1]["cpus"] = []


def cpu_twice(spec: Spec) -> None:
    spec.cells[1]["cpus"].append(spec.cells[0]["cpus"][0])


def root_without_cpu(spec: Spec) -> None:
    spec.cells[0]["cpus"].append(0)


def device_twice(spec: Spec) -> None:
    spec.cells[1]["devices"].append(spec.cells[0]["devices"][0])


def line_twice(spec: Spec) -> None:
    spec.cells[1]["lines"] = [32]


def trusted_and_injected(spec: Spec) -> None:
    spec.cells[0] |= {"interrupts": "injected", "wfi": "trusted"}


def direct_and_renumbered(spec: Spec) -> None:
    line = specs.own_lines(spec.devices, spec.cells[0]["devices"])[0]
    spec.cells[0] |= {"interrupts": "direct", "renumber": {f'"{line}"': 600}}


def renumbered_to_another(spec: Spec) -> None:
    first, second = specs.own_lines(spec.devices, spec.cells[0]["devices"])[:2]
    spec.cells[0] |= {"interrupts": "injected", "renumber": {f'"{first}"': second}}


def renumbered_to_one(spec: Spec) -> None:
    first, second = specs.own_lines(spec.devices, spec.cells[0]["devices"])[:2]
    spec.cells[0] |= {"interrupts": "auto", "renumber": {f'"{first}"': 600, f'"{second}"': 600}}


def gic_misaligned(spec: Spec) -> None:
    spec.cells[0]["gic"] = {"gicd": specs.SEEN + 0x8000, "gicr": specs.SEEN + MIB}


def gic_with_one_address(spec: Spec) -> None:
    spec.cells[0]["gic"] = {"gicd": 0, "gicr": specs.SEEN}


def gic_on_itself(spec: Spec) -> None:
    count = len(spec.cells[0]["cpus"]) if spec.cells[0].get("cpu_ids") == "counted" else spec.cpus
    spec.cells[0]["gic"] = {"gicd": specs.SEEN + 0x2_0000 * count - 0x1_0000, "gicr": specs.SEEN}


def gic_too_high(spec: Spec) -> None:
    spec.cells[0]["gic"] = {"gicd": specs.SEEN, "gicr": (1 << specs.ADDRESS_BITS) - 0x1_0000}


def gic_too_high_to_be_true(spec: Spec) -> None:
    spec.cells[0]["gic"] = {"gicd": specs.SEEN, "gicr": (1 << 64) - 0x1_0000}


def gic_on_memory(spec: Spec) -> None:
    spec.cells[0]["gic"] = {"gicd": specs.SEEN, "gicr": specs.SEEN + MIB}
    spec.cells[0]["memory"].append(
        {"name": "gic", "guest": specs.SEEN + MIB + 0x1_f000, "size": PAGE, "access": "rw"})


def gic_on_comm(spec: Spec) -> None:
    spec.cells[0]["gic"] = {"gicd": 0x8000_0000, "gicr": specs.SEEN}


def gic_on_device(spec: Spec) -> None:
    device = spec.devices[spec.cells[0]["devices"][0]]
    spec.cells[0]["gic"] = {"gicd": device["registers"]["start"] // 0x1_0000 * 0x1_0000, "gicr": specs.SEEN}
    spec.moved = frozenset()


def counted_on_redistributor(spec: Spec) -> None:
    spec.cells[0].pop("gic", None)
    spec.cells[0]["cpu_ids"] = "counted"
    spec.cells[0]["memory"].append(
        {"name": "gic", "guest": specs.GICR + 0x2_0000 * len(spec.cells[0]["cpus"]) - PAGE, "size": PAGE, "access": "rw"})


def name_twice(spec: Spec) -> None:
    spec.cells[1]["name"] = spec.cells[0]["name"]


def name_of_root(spec: Spec) -> None:
    spec.root = spec.cells[0]["name"]


def linux_on_cells(spec: Spec) -> None:
    spec.linux["size"] += PAGE


def hypervisor_on_cells(spec: Spec) -> None:
    spec.hypervisor["start"] -= 2 * MIB


def hypervisor_misaligned(spec: Spec) -> None:
    spec.hypervisor["start"] += MIB


def hypervisor_too_small(spec: Spec) -> None:
    spec.hypervisor["size"] = 2 * MIB


def shared_on_private(spec: Spec) -> None:
    spec.shared["clash"] = {"size": PAGE, "host": specs.RESERVED + 64 * MIB}
    spec.cells[0]["memory"][0]["host"] = specs.RESERVED + 64 * MIB
    spec.cells[1]["shared"].append({"name": "clash", "guest": 0xd0 << 32})


def cpu_0(spec: Spec) -> None:
    spec.cells[0]["cpus"] = [0]


def port_twice(spec: Spec) -> None:
    for cell in spec.cells[:2]:
        cell["ports"] = [0x3f8]


def port_mediated(spec: Spec) -> None:
    spec.cells[0]["ports"] = ["0xcf0-0xcf8"]


def function_twice(spec: Spec) -> None:
    for cell in spec.cells[:2]:
        cell["pci"] = ["7f:00.0"]


def entry_too_high(spec: Spec) -> None:
    spec.cells[0]["memory"][0]["guest"] = spec.cells[0]["entry"] = 1 << 32


# What only one of the architectures has
ARM64_MISTAKES = [trusted_and_injected, direct_and_renumbered, renumbered_to_another,
                  renumbered_to_one, gic_misaligned, gic_with_one_address, gic_on_itself, gic_too_high,
                  gic_too_high_to_be_true, gic_on_memory, gic_on_comm, gic_on_device, counted_on_redistributor]
X86_64_MISTAKES = [cpu_0, port_twice, port_mediated, function_twice, entry_too_high]
MISTAKES = [same_host, host_below_cells, host_is_hypervisor, host_misaligned, guest_misaligned,
            size_misaligned, guest_overlap, guest_on_gic, guest_too_high, comm_on_memory,
            comm_misaligned, entry_outside, no_cpu, cpu_twice, root_without_cpu, device_twice,
            line_twice, name_twice, name_of_root, linux_on_cells, hypervisor_on_cells,
            hypervisor_misaligned, hypervisor_too_small, shared_on_private]


@pytest.mark.parametrize(
    ("mistake", "arch"),
    [(m, a) for m in MISTAKES for a in specs.ARCHES] + [(m, "arm64") for m in ARM64_MISTAKES] +
    [(m, "x86_64") for m in X86_64_MISTAKES],
    ids=lambda m: m if isinstance(m, str) else m.__name__)
@settings(SLOW_IS_FINE, max_examples=6)
@given(data=st.data())
def test_mistakes_are_refused_by_both(admit_tool: Path, mistake: Callable[[Spec], None],
                                      arch: str, data: st.DataObject) -> None:
    wrong = copy.deepcopy(data.draw(systems(arch)))
    mistake(wrong)
    with tempfile.TemporaryDirectory() as name:
        system, problems = checked(wrong.write(Path(name)))
        assert problems.errors
        assert hypervisor_says(admit_tool, system, Path(name) / "out") != "ok"


def said_ports(spec: Spec, cell: dict[str, Any]) -> set[int]:
    texts = [t for d in cell["devices"] for t in spec.devices[d].get("ports", [])]
    spans = [[int(end, 0) for end in t.split("-")] for t in texts + cell.get("ports", [])]
    return {port for first, last in spans for port in range(first, last + 1)}


@settings(SLOW_IS_FINE, max_examples=150)
@given(spec=systems())
def test_the_files_say_what_the_texts_say(spec: Spec) -> None:
    with tempfile.TemporaryDirectory() as name:
        system, _ = checked(spec.write(Path(name)))
        for said, cell in zip(spec.cells, system.cells, strict=True):
            emitted = emit.emit_cell(cell, system.machine)
            file = blob.decode(blob.encode_cell(emitted))
            assert isinstance(file, emit.CellFile)
            assert replace(file.cell, console={}) == replace(emitted.cell, console={})
            numbers = {i.first + n: i.virt + n for i in file.cell.irqs for n in range(i.count)}
            wanted = {int(k.strip('"')): v for k, v in said.get("renumber", {}).items()}
            assert numbers == {n: wanted.get(n, n)
                               for n in specs.own_lines(spec.devices, said["devices"])}
            assert sum(p.count for p in file.cell.pios) == len(said_ports(spec, said))
            assert len(file.cell.pcis) == len(said.get("pci", [])) + \
                sum("pci" in spec.devices[d] for d in said["devices"])
            seen = said.get("gic", {"gicd": 0, "gicr": 0})
            assert (file.cell.gicd, file.cell.gicr) == (seen["gicd"], seen["gicr"])
            exits = said.get("exits", "any")
            limited = exits != "any"
            assert file.cell.exits == {"any": abi.ABI_EXITS_ANY, "none": 0}.get(exits, exits)
            assert file.cell.settle_ms == (said.get("settle_ms", 1000) if limited else 0)
            flags = {name for name, bit in FLAGS.items() if file.cell.flags & bit}
            assert flags == {
                *(["injected"] if wanted or said.get("interrupts") == "injected" else []),
                *(["trusted"] if said.get("wfi") == "trusted" else []),
                *(["counted"] if said.get("cpu_ids") == "counted" else []),
                *(["fail"] if said.get("on_violation") == "fail" else []),
                *(["absent"] if said.get("other_ports") == "absent" else [])}


@settings(SLOW_IS_FINE, max_examples=150)
@given(pair=st.sampled_from(specs.ARCHES).flatmap(
    lambda arch: st.tuples(systems(arch), systems(arch))))
def test_mixed_texts(admit_tool: Path, pair: tuple[Spec, Spec]) -> None:
    """Cells of one system in another: right or wrong by chance, but never only here right."""
    a, b = pair
    mixed = copy.deepcopy(a)
    renamed = dict(copy.deepcopy(b.cells[0]), name="stranger", console="putc", shared=[])
    renamed["devices"] = [d for d in renamed["devices"] if d in mixed.devices]
    renamed["cpus"] = [n for n in renamed["cpus"] if n < mixed.cpus]
    mixed.cells[0] = renamed
    with tempfile.TemporaryDirectory() as name:
        system, problems = checked(mixed.write(Path(name)))
        says = hypervisor_says(admit_tool, system, Path(name) / "out")
        assert problems.errors or says == "ok"


@pytest.mark.parametrize("demo", [DEMO, PC_DEMO])
@pytest.mark.parametrize(("name", "kind"), [("system.cell", 1), ("rtos.cell", 2)])
def test_damage_is_refused(admit_tool: Path, tmp_path: Path, demo: Path, name: str,
                           kind: int) -> None:
    """Every single bit, every length; by the hypervisor's parser and by decode()."""
    system, _ = checked(demo)
    if kind == 1:
        data = blob.encode_system(emit.emit_system(system))
    else:
        data = blob.encode_cell(emit.emit_cell(system.cells[0], system.machine))
    (tmp_path / name).write_bytes(data)
    done = subprocess.run([admit_tool, "damage", str(kind), tmp_path / name],
                          capture_output=True, text=True)
    assert done.stdout == f"tried {9 * len(data) + 1}\n"
    for bit in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(blob.BlobError):
            blob.decode(bytes(flipped))
    for size in range(len(data)):
        with pytest.raises(blob.BlobError):
            blob.decode(data[:size])
    with pytest.raises(blob.BlobError):
        blob.decode(data + b"\0")
