# SPDX-License-Identifier: GPL-2.0-only
"""What a text leaves open: CPUs by what they share, RAM, memory in common, devices that come along."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from conftest import PC_DEMO, ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from intents import BOARD, MIB, RAM, intents, text, write
from verdict import SLOW_IS_FINE, hypervisor_says

from jailhouse.config.command import checked_system, main
from jailhouse.config.model import Span, System
from jailhouse.config.solve_memory import LINUX_LEAST
from jailhouse.config.spans import minus

TWO_CLUSTERS = {"clusters": [["0-3"], ["4-7"]]}
THREADS = {"threads": [[0, 1], [2, 3], [4, 5], [6, 7]]}


def cell(name: str, **keys: Any) -> dict[str, Any]:
    return {"name": name, "cpus": 1, "memory": "16M"} | keys


def solved(file: Path) -> System:
    system, problems = checked_system(str(file))
    assert system is not None, [str(p) for p in problems]
    return system


def said(file: Path) -> str:
    return "\n".join(str(p) for p in checked_system(str(file))[1])


def test_a_machine_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It can be checked, and nothing else."""
    board = tmp_path / "board.toml"
    board.write_text(text(BOARD))
    assert main(["check", str(board)]) == 0
    assert capsys.readouterr().out.startswith(f"{board}: no errors; it describes a machine")
    for command in (["explain"], ["build", "-o", str(tmp_path / "out")]):
        assert main([*command, str(board)]) == 1
        error, _, fix, count = capsys.readouterr().err.splitlines()
        assert error == f"{board}:1: error: it describes a machine, and no system on it" and count == "1 error"
        assert 'machine = "board.toml"' in fix and "`jailhouse config check`" in fix
    wrong = {"uart": {"registers": {"start": RAM, "size": "4K"}, "needs": {"clocks": ["cru"]}}}
    board.write_text(text(BOARD | {"devices": wrong}))
    assert main(["check", str(board)]) == 1
    said = capsys.readouterr().err
    assert "overlap at" in said and 'the machine has no device "cru"' in said and said.endswith("2 errors\n")


# --- CPUs ---

@pytest.mark.parametrize(("topology", "cells", "wanted"), [
    # one of no cluster at all: from the top
    ({}, [cell("a"), cell("b", cpus=2)], {"a": {7}, "b": {5, 6}}),
    # a whole cluster for who wants as many
    (TWO_CLUSTERS, [cell("a", cpus=4), cell("b")], {"a": {4, 5, 6, 7}, "b": {3}}),
    # who has a contract chooses first, and shares no cluster
    (TWO_CLUSTERS, [cell("a"), cell("b", exits=100)], {"a": {3}, "b": {7}}),
    # who has none leaves whole clusters to others
    (TWO_CLUSTERS, [cell("a"), cell("b", cpus=4)], {"a": {3}, "b": {4, 5, 6, 7}}),
    # a whole one and the rest
    (TWO_CLUSTERS, [cell("a", cpus=5)], {"a": {3, 4, 5, 6, 7}}),
    # whole cores; then threads of one that is begun already
    (THREADS, [cell("a", cpus=2), cell("b", cpus=2)], {"a": {6, 7}, "b": {4, 5}}),
    (THREADS, [cell("a", cpus=3)], {"a": {5, 6, 7}}),
    # no clusters are known, but caches
    ({"caches": [{"level": 3, "size": "8M", "cpus": ["0-3"]}, {"level": 3, "size": "8M", "cpus": ["4-7"]}]},
     [cell("a", cpus=4)], {"a": {4, 5, 6, 7}}),
    # one that is shared by all says nothing
    ({"caches": [{"level": 3, "size": "8M", "cpus": ["0-7"]}]}, [cell("a", cpus=2)], {"a": {6, 7}}),
    # what is named stays
    (TWO_CLUSTERS, [cell("a", cpus=[5]), cell("b", cpus=2, exits=9)], {"a": {5}, "b": {6, 7}}),
])
def test_cpus(tmp_path: Path, topology: dict[str, Any], cells: list[dict[str, Any]], wanted: dict[str, set[int]]) -> None:
    board = BOARD | ({"topology": topology} if topology else {})
    system = solved(write(tmp_path, board, cell=cells))
    assert {c.name: set(c.cpu_numbers()) for c in system.cells} == wanted


def test_more_cpus_than_there_are(tmp_path: Path) -> None:
    file = write(tmp_path, BOARD, cell=[cell("a", cpus=6), cell("b", cpus=2)])
    assert 'cell "b": it wants 2 CPUs, and 1 of the machine\'s 8 are left' in said(file)
    file = write(tmp_path, BOARD, cell=[cell("a", cpus=8)])
    assert "8 of the machine's 8 CPUs cannot be given to a cell" in said(file)


@pytest.mark.parametrize(("topology", "words"), [
    (TWO_CLUSTERS, 'cell "a": CPU 7 shares a cluster with CPU 4, 5, 6 of root cell "root"\n'
     "    why: what they do takes its place in the cache and on the bus, which its latencies feel\n    fix: give it whole clusters"),
    ({"clusters": [["0-7"]]}, "this machine has no second cluster"),
    (THREADS, 'cell "a": CPU 7 and CPU 6 of root cell "root" are threads of one core'),
    ({"caches": [{"level": 2, "size": "1M", "cpus": ["6-7"]}, {"level": 3, "size": "8M", "cpus": ["4-7"]}]},
     "shares a cluster and a level 3 cache of 8M with CPU 4, 5, 6 of"),
])
def test_what_a_real_time_cell_shares(tmp_path: Path, topology: dict[str, Any], words: str) -> None:
    board = BOARD | {"topology": topology}
    assert words in said(write(tmp_path, board, cell=[cell("a", exits=100)]))
    assert said(write(tmp_path, board, cell=[cell("a")])) == ""


# --- memory ---

def test_memory_of_nobody_is_found(tmp_path: Path) -> None:
    system = solved(write(tmp_path, BOARD, cell=[cell("a"), cell("b", memory="100M")]))
    assert system.hypervisor.span == Span(RAM + 1008 * MIB, 16 * MIB)
    assert system.reserved.span == Span(RAM + 892 * MIB, 116 * MIB)
    assert [p.span for p in system.linux] == [Span(RAM, 892 * MIB)]
    assert [r.host for c in system.cells for r in c.memory] == [RAM + 892 * MIB, RAM + 908 * MIB]


def test_a_system_without_cells(tmp_path: Path) -> None:
    system = solved(write(tmp_path, BOARD))
    assert system.reserved.span == Span(RAM + 1006 * MIB, 2 * MIB)
    assert_same(tmp_path / "system.toml", tmp_path)


def test_firmware_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What lies at the end of RAM is not in the way, and no parameter can say what is left."""
    board = BOARD | {"firmware": {"name": "tee", "start": RAM + 1000 * MIB, "size": "1M"}}
    file = write(tmp_path, board, cell=[cell("a")])
    system = solved(file)
    assert system.hypervisor.span.end == RAM + 1000 * MIB
    assert [p.span for p in system.linux] == [Span(RAM, 968 * MIB), Span(RAM + 1000 * MIB, 24 * MIB)]
    assert main(["build", str(file), "-o", str(tmp_path / "out")]) == 0
    assert "mem=" not in capsys.readouterr().out
    tree = overlaid(tmp_path, 2, 2)
    assert "no-map" in tree and f"partition@{system.reserved.span.start:x}" in tree and "<0x00 0x7c800000 0x00 0x2000000>" in tree


def overlaid(tmp_path: Path, address: int, size: int) -> str:
    """A board's tree with what build wrote laid over it."""
    overlay = tmp_path / "overlay.dtbo"
    subprocess.run(["dtc", "-q", "-@", "-I", "dts", "-O", "dtb", "-o", overlay, tmp_path / "out" / "reserved-memory.dts"], check=True)
    (tmp_path / "base.dts").write_text(f"/dts-v1/; / {{ #address-cells = <{address}>; #size-cells = <{size}>; }};")
    subprocess.run(["dtc", "-q", "-@", "-I", "dts", "-O", "dtb", "-o", tmp_path / "base.dtb", tmp_path / "base.dts"], check=True)
    subprocess.run(["fdtoverlay", "-i", tmp_path / "base.dtb", "-o", tmp_path / "new.dtb", overlay], check=True)
    return subprocess.run(["dtc", "-q", "-I", "dtb", "-O", "dts", tmp_path / "new.dtb"], check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize(("cells", "reg"), [
    ((1, 1), ["<0x7c800000 0x2000000>"]), ((2, 1), ["<0x00 0x7c800000 0x2000000>"]), ((1, 2), ["<0x7c800000 0x00 0x2000000>"]),
])
def test_the_fragment_is_as_the_boards_root_node(tmp_path: Path, cells: tuple[int, int], reg: list[str]) -> None:
    board = BOARD | {"firmware": {"name": "tee", "start": RAM + 1000 * MIB, "size": "1M"}, "tree_cells": list(cells)}
    assert main(["build", str(write(tmp_path, board, cell=[cell("a")])), "-o", str(tmp_path / "out")]) == 0
    tree = overlaid(tmp_path, *cells)
    assert re.findall(r"reg = (.*);", tree) == reg
    for name, count in zip(("address", "size"), cells):
        assert re.findall(rf"#{name}-cells = <0x0(.)>", tree) == [str(count)] * 2


def test_a_fragment_of_more_than_a_cell_can_say(tmp_path: Path) -> None:
    """6 GiB of a cell's, sizes of one cell: three nodes."""
    board = BOARD | {"ram": {"start": RAM, "size": "8G"}, "tree_cells": [2, 1]}
    file = write(tmp_path, board, cell=[cell("a")],
                 memory={"linux": [{"start": RAM, "size": "2032M"}, {"start": RAM + 8128 * MIB, "size": "64M"}],
                         "cells": {"start": RAM + 2048 * MIB, "size": "6080M"},
                         "hypervisor": {"start": RAM + 2032 * MIB, "size": "16M"}})
    assert main(["build", str(file), "-o", str(tmp_path / "out")]) == 0
    sizes = [int(text, 16) for text in re.findall(r"reg = <.* (0x\w+)>;", overlaid(tmp_path, 2, 1))]
    assert len(sizes) == 3 and sum(sizes) == (6080 + 16) * MIB


@pytest.mark.parametrize(("cells", "ram", "words"), [
    ([2], "1G", "are no #address-cells and #size-cells"), ([3, 2], "1G", "are no"), (["2", 2], "1G", "are no"), (2, "1G", "is no list"),
    ([True, True], "1G", "are no"), ([2.0, 2], "1G", "are no"), ([], "1G", "are no"),
    ([1, 1], "4G", "RAM ends above 4 GiB"),
])
def test_what_no_root_node_has(tmp_path: Path, cells: Any, ram: str, words: str) -> None:
    assert words in said(write(tmp_path, BOARD | {"tree_cells": cells, "ram": {"start": RAM, "size": ram}}, cell=[cell("a")]))


@pytest.mark.parametrize(("ram", "firmware"), [
    # less than a block at the end of RAM; firmware there; both
    (1024 * MIB + 0x1_0000, None), (1024 * MIB, {"name": "tee", "start": RAM + 1023 * MIB, "size": "1M"}),
    (1024 * MIB, {"name": "tee", "start": RAM + 1022 * MIB, "size": "1M"}),
])
def test_crumbs_are_not_worth_a_fragment(tmp_path: Path, ram: int, firmware: dict[str, Any] | None,
                                         capsys: pytest.CaptureFixture[str]) -> None:
    """A parameter does, firmware stays in the root cell's sight, and the rest of the last block is nobody's."""
    board = BOARD | {"ram": {"start": RAM, "size": ram}} | ({"firmware": firmware} if firmware else {})
    file = write(tmp_path, board, cell=[cell("a")])
    system = solved(file)
    assert [p.span for p in system.linux[1:]] == [f.span for f in system.machine.firmware]
    assert main(["build", str(file), "-o", str(tmp_path / "out")]) == 0
    assert f"kernel parameters: mem={system.linux[0].span.size >> 20}M " in capsys.readouterr().out
    assert not (tmp_path / "out" / "reserved-memory.dts").exists()
    assert_same(file, tmp_path)


def test_cells_over_firmware_are_refused(tmp_path: Path) -> None:
    board = BOARD | {"firmware": {"name": "tee", "start": RAM + 600 * MIB, "size": "1M"}}
    file = write(tmp_path, board, memory={"linux": {"start": RAM, "size": "512M"}, "cells": {"start": RAM + 512 * MIB, "size": "496M"},
                                          "hypervisor": {"start": RAM + 1008 * MIB, "size": "16M"}}, cell=[cell("a")])
    assert "overlap at 0x65800000+1M" in said(file)
    assert "firmware keeps that for itself" in said(file)


@pytest.mark.parametrize("memory", [
    {"linux": {"start": RAM, "size": "768M"}},
    {"cells": {"start": RAM + 768 * MIB, "size": "64M"}},
    {"hypervisor": {"start": RAM + 512 * MIB, "size": "8M"}},
    {"cells": {"start": RAM + 768 * MIB, "size": "64M"}, "hypervisor": {"start": RAM + 512 * MIB, "size": "8M"}},
])
def test_what_is_said_stays(tmp_path: Path, memory: dict[str, Any]) -> None:
    system = solved(write(tmp_path, BOARD, memory=memory, cell=[cell("a")]))
    found = {"linux": system.linux[0].span, "cells": system.reserved.span, "hypervisor": system.hypervisor.span}
    for key, value in memory.items():
        assert found[key].start == value["start"]
        assert found[key].size == int(value["size"][:-1]) * MIB


@pytest.mark.parametrize(("keys", "words"), [
    ({"cell": [cell("a", memory="1000M")]}, "are left for Linux"),
    ({"cell": [cell("a", memory="2G")]}, "need 2064M of RAM in one piece, and the largest that is nobody's has 1G"),
    ({"cell": [cell("a", memory=[{"name": "ram", "guest": 0, "size": "1M", "access": "rwx", "host": RAM}])]}, "and `cells` has none"),
    ({"cell": [cell("a", memory="1000")]}, "no number of whole pages"),
    ({"cell": [cell("a", memory="much")]}, "is no number"),
    ({"cell": [cell("a", cpus=0)]}, "0 of the machine's 8 CPUs"),
    ({"cell": [cell("a", cpus=True)]}, "`cpus`"),
    ({"memory": {"cells": {"start": RAM}}, "cell": [cell("a")]}, "`size` is missing"),
    ({"memory": 5, "cell": [cell("a")]}, "5 is no table"),
    ({"cell": [cell("a", share=[{"with": "b", "size": "1M"}])]}, 'there is no other cell "b"'),
    ({"cell": [cell("a", share=[{"with": "a", "size": "1M"}])]}, 'there is no other cell "a"'),
    ({"cell": [cell("a", share=[{"with": "b", "size": "1M"}]), cell("b", share=[{"with": "a", "size": "2M"}])]}, "and 1M was said at"),
    ({"cell": [cell("a-b", share=[{"with": "c", "size": "2M"}]), cell("c"), cell("a", share=[{"with": "b-c", "size": "64K"}]), cell("b-c")]},
     "that is another region's name"),
    ({"shared": {"a-b": {"size": "4M"}}, "cell": [cell("a", share=[{"with": "b", "size": "64K"}]), cell("b")]}, "that is another region's name"),
    ({"memory": {"linux": []}, "cell": [cell("a")]}, "the list is empty"),
    ({"cell": [cell("a"), cell("a")]}, "has this name"),
    ({"cell": [cell("root")]}, "has this name"),
    ({"cell": [cell("a" * 20, share=[{"with": "b" * 20, "size": "1M"}]), cell("b" * 20)]}, "10 more than fit"),
])
def test_what_cannot_be(tmp_path: Path, keys: dict[str, Any], words: str) -> None:
    file = write(tmp_path, BOARD, **keys)
    assert words in said(file)
    assert main(["build", str(file), "-o", str(tmp_path / "out")]) == 1
    assert not (tmp_path / "out").exists()


def test_a_pc(tmp_path: Path) -> None:
    """RAM of a cell goes around the communication page; its host memory is below 4 GiB where Linux has enough there."""
    board = (PC_DEMO.parent / "machine.toml").read_text()
    high = "{ start = 0x1_0000_0000, size = \"6G\" },\n]\nfirmware"
    (tmp_path / "board.toml").write_text(board.replace("]\nfirmware", high).replace(
        '{ name = "mmio64", start = 0x1_0000_0000, size = "32G" }', '{ name = "mmio64", start = 0x80_0000_0000, size = "32G" }'))
    (tmp_path / "system.toml").write_text(text({"machine": "board.toml", "cell": [cell("a", memory="64M")]}))
    system = solved(tmp_path / "system.toml")
    assert [(r.guest, r.size) for r in system.cells[0].memory] == [(0, MIB), (2 * MIB, 63 * MIB)]
    assert system.hypervisor.span.end == 0x7fe0_0000, "below ACPI's tables"
    (tmp_path / "system.toml").write_text(text({"machine": "board.toml", "cell": [cell("a", memory="1200M")]}))
    assert solved(tmp_path / "system.toml").hypervisor.span.end == 0x2_8000_0000


def test_the_gic_makes_room_for_ram(tmp_path: Path) -> None:
    """Where RAM of a size would lie over it; what is written as a list is the writer's to sort out."""
    file = write(tmp_path, BOARD, cell=[cell("a", memory="256M"), cell("b")])
    big, small = solved(file).cells
    assert (big.view.gicd, big.view.gicr) == (0x1000_0000, 0x1001_0000) and small.view.gicd == 0
    assert_same(file, tmp_path)
    region = {"name": "ram", "guest": 0, "size": "256M", "access": "rwx"}
    assert "the hypervisor answers there itself" in said(write(tmp_path, BOARD, cell=[cell("a", memory=[region])]))


# --- memory in common, and devices ---

def test_shares(tmp_path: Path) -> None:
    """At one place in both, where nothing of either is; said by both it is one."""
    far = [{"name": "ram", "guest": 0x7000_0000, "size": "3M", "access": "rwx"}]
    file = write(tmp_path, BOARD, cell=[cell("a", share=[{"with": "b", "size": "1M"}]),
                                        cell("b", memory=far, entry=0x7000_0000, share=[{"with": "a", "size": "1M"}])])
    system = solved(file)
    assert list(system.shared) == ["a-b"]
    assert [(r.guest, r.size, r.shared) for c in system.cells for r in c.memory if r.shared] == [(0x7040_0000, MIB, "a-b")] * 2


@pytest.mark.parametrize(("size", "wanted"), [(100, "use 0x1000"), (5000, "use 0x1000 or 0x2000")])
def test_a_size_of_no_pages_is_said_once(tmp_path: Path, size: int, wanted: str) -> None:
    """Not of the region and of each of its uses, and not of both addresses of a cell's own."""
    share = write(tmp_path, BOARD, cell=[cell("a", share=[{"with": "b", "size": size}]), cell("b")])
    words = f"size {size:#x} is no multiple of 4K\n    why: memory is handed over in whole units of that\n    fix: {wanted}"
    assert said(share) == f'{share}:3: error: shared "a-b": {words}'
    own = write(tmp_path, BOARD, cell=[cell("a", memory=[{"name": "ram", "guest": 0, "size": size, "access": "rwx"}])])
    assert said(own) == f'{own}:2: error: cell "a", memory "ram": {words}'


def test_shares_with_several(tmp_path: Path) -> None:
    """One behind the other, and behind what is said to be there."""
    use = {"name": "box", "guest": 0x7000_0000}
    file = write(tmp_path, BOARD, shared={"box": {"size": "3M"}},
                 cell=[cell("a", shared=[use], share=[{"with": "b", "size": "1M"}, {"with": "c", "size": "1M"}]), cell("b"), cell("c")])
    system = solved(file)
    assert [(r.shared, r.guest) for r in system.cells[0].memory if r.shared] == \
        [("box", 0x7000_0000), ("a-b", 0x7040_0000), ("a-c", 0x7060_0000)]
    assert_same(file, tmp_path)


def test_one_cell_as_a_table(tmp_path: Path) -> None:
    file = write(tmp_path, BOARD, cell=cell("a"))
    assert [c.name for c in solved(file).cells] == ["a"]
    assert_same(file, tmp_path)


def test_counted_cpus_have_redistributors(tmp_path: Path) -> None:
    """Whether they are named or counted: the interrupt controller goes where there is room for all of them."""
    board = BOARD | {"devices": {"uart": {"registers": {"start": 0x1002_0000, "size": "4K"}}}}
    for cpus in (2, [6, 7]):
        file = write(tmp_path, board, cell=[cell("a", cpus=cpus, cpu_ids="counted", memory="256M", devices=["uart"])])
        assert solved(file).cells[0].view.gicd == 0x1003_0000


DEVICES = {
    "uart": {"registers": {"start": 0x900_0000, "size": "4K"}, "interrupts": [40], "needs": {"clocks": ["cru"], "phys": ["phy"]}},
    "phy": {"registers": {"start": 0x901_0000, "size": "4K"}, "needs": {"supply": ["ldo"]}},
    "ldo": {"registers": {"start": 0x902_0000, "size": "4K"}},
    "cru": {"registers": {"start": 0x903_0000, "size": "4K"}},
    "net": {"registers": {"start": 0x904_0000, "size": "4K"}, "dma": True, "group": 3, "needs": {"clocks": ["cru"]}},
    "disk": {"registers": {"start": 0x905_0000, "size": "4K"}, "group": 3},
}


def test_what_only_they_need_comes_along(tmp_path: Path) -> None:
    file = write(tmp_path, BOARD | {"devices": DEVICES}, cell=[cell("a", devices=["uart"])])
    assert [g.name for g in solved(file).cells[0].devices] == ["uart", "phy", "ldo"]
    assert 'device "uart" needs clocks of device "cru"' in said(file)
    assert "boot it with clk_ignore_unused" in said(file)
    both = write(tmp_path, BOARD | {"devices": DEVICES}, cell=[cell("a", devices=["uart", "cru"])])
    assert said(both) == ""


def test_what_is_beside_others_stays(tmp_path: Path) -> None:
    """Something on its page is the root cell's, which nobody who reads the text could know."""
    more = DEVICES | {"watchdog": {"registers": {"start": 0x901_0800, "size": 0x100}}}
    file = write(tmp_path, BOARD | {"devices": more | {"phy": DEVICES["phy"] | {"registers": {"start": 0x901_0000, "size": 0x100}}}},
                 cell=[cell("a", devices=["uart"])])
    assert [g.name for g in solved(file).cells[0].devices] == ["uart"]
    assert 'needs phys of device "phy"' in said(file)


def test_dma_and_groups(tmp_path: Path) -> None:
    file = write(tmp_path, BOARD | {"devices": DEVICES}, cell=[cell("a", devices=["net"])])
    assert 'device "net" does DMA, and no IOMMU stands between' in said(file)
    assert 'device "net" is in IOMMU group 3 with "disk", which is not the cell\'s' in said(file)
    file = write(tmp_path, BOARD | {"devices": DEVICES}, cell=[cell("a", devices=["net", "disk"])])
    assert "IOMMU group" not in said(file)


def test_names_of_no_device(tmp_path: Path) -> None:
    wrong = DEVICES | {"uart": {"registers": {"start": 0x900_0000, "size": "4K"}, "needs": {"clocks": ["crux"]}}}
    assert 'the machine has no device "crux"' in said(write(tmp_path, BOARD | {"devices": wrong}, cell=[cell("a")]))


# --- the text with everything said ---

# Those whose machine text is there; one scenario makes its own
SYSTEMS = [file for file in [*sorted((ROOT / "configs").glob("*/demo.toml")), *sorted((ROOT / "tests/qemu").glob("*64/*.toml"))]
           if (file.parent / file.read_text().split('machine = "')[1].split('"')[0]).exists()]


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda path: str(path.relative_to(ROOT)))
def test_expansion_builds_the_same(system: Path, tmp_path: Path) -> None:
    assert_same(system, tmp_path)


def assert_same(system: Path, folder: Path) -> None:
    assert main(["build", str(system), "-o", str(folder / "a")]) == 0
    assert main(["build", str(folder / "a" / "expanded.toml"), "-o", str(folder / "b")]) == 0
    names, again = (sorted(p.name for p in (folder / out).iterdir() if p.suffix in (".cell", ".dts")) for out in "ab")
    assert names == again and "system.cell" in names
    for name in names:
        assert (folder / "a" / name).read_bytes() == (folder / "b" / name).read_bytes()


# --- what a guest is told of its devices ---

def test_guest_tree(tmp_path: Path) -> None:
    """Devices where the cell sees them, under the numbers that it has for them; each cell has one."""
    devices = {"net": {"about": "acme,net-2, /soc/net", "registers": [{"name": "a", "start": 0x904_0000, "size": "4K"},
                                                                      {"name": "b", "start": 0x905_0000, "size": "64K"}],
                       "interrupts": [40, 42], "needs": {"clocks": ["cru"]}},
               "cru": {"registers": {"start": 0x906_0000, "size": "4K"}},
               "uart1": {"registers": {"start": 0x907_0000, "size": "4K"}, "interrupts": [50], "uart": "pl011"}}
    file = write(tmp_path, BOARD | {"devices": devices}, cell=[
        cell("a", devices=["net", {"name": "uart1", "guest": 0x900_0000}], renumber={"50": 33}), cell("b")])
    assert main(["build", str(file), "-o", str(tmp_path / "out")]) == 0
    assert '"arm,gic-v3"' in (tmp_path / "out" / "b.dts").read_text()
    tree = subprocess.run(["dtc", "-I", "dts", "-O", "dts", tmp_path / "out" / "a.dts"], check=True, capture_output=True, text=True).stdout
    text = " ".join(tree.split())
    assert 'net@9040000 { compatible = "acme,net-2"; reg = <0x00 0x9040000 0x00 0x1000>, <0x00 0x9050000 0x00 0x10000>; ' \
        "interrupts = <0x00 0x08 0x04>, <0x00 0x0a 0x04>; }" in text
    assert 'clock-names = "uartclk", "apb_pclk"; reg = <0x00 0x9000000 0x00 0x1000>; ' \
        "interrupts = <0x00 0x01 0x04>; }" in text
    assert "cell linux" not in (tmp_path / "out" / "next-steps.txt").read_text()
    assert "it needs clocks of \"cru\"" in (tmp_path / "out" / "a.dts").read_text()


def test_a_pcs_cells_have_no_trees(tmp_path: Path) -> None:
    assert main(["build", str(PC_DEMO), "-o", str(tmp_path)]) == 0
    assert not list(tmp_path.glob("*.dts")) and ".dts" not in (tmp_path / "next-steps.txt").read_text()


def test_next_steps_of_a_kernel(tmp_path: Path) -> None:
    """It is started by another command, with what is known of its devices."""
    uart = {"uart1": {"registers": {"start": 0x907_0000, "size": "4K"}, "interrupts": [50], "uart": "pl011"}}
    file = write(tmp_path, BOARD | {"devices": uart}, cell=[cell("a", platform="qemu-virt", ram="32M", devices=["uart1"], image="Image 6",
                                                                 memory=[])])
    assert main(["build", str(file), "-o", str(tmp_path / "o t")]) == 0
    steps = (tmp_path / "o t" / "next-steps.txt").read_text()
    assert f"dtc -@ -O dtb -o a.dtb '{tmp_path}/o t/a.dts'\n       jailhouse cell linux -d a.dtb a 'Image 6'" in steps
    assert f"jailhouse enable '{tmp_path}/o t/system.cell'" in steps


def test_next_steps_of_devices(tmp_path: Path) -> None:
    """Linux's drivers let go of them: of nothing else, and not where there are none."""
    devices = {"net": {"registers": [{"name": "a", "start": 0x904_0000, "size": "4K"}, {"name": "b", "start": 0x905_0000, "size": "64K"}]}}
    file = write(tmp_path, BOARD | {"devices": devices}, cell=[cell("a", devices=["net"]), cell("b")])
    assert main(["build", str(file), "-o", str(tmp_path / "out")]) == 0
    steps = (tmp_path / "out" / "next-steps.txt").read_text()
    assert re.findall(r"^ +release ([/$].*)$", steps, re.MULTILINE) == [
        '/sys/bus/amba/devices/9040000.* /sys/bus/platform/devices/9040000.*      # net, cell "a"',
        '/sys/bus/amba/devices/9050000.* /sys/bus/platform/devices/9050000.*      # net, cell "a"']
    assert re.findall(r"^(\d)\. (\w+)", steps, re.MULTILINE) == [("1", "Have"), ("2", "Linux"), ("3", "Slide"), ("4", "Look")]

    file = write(tmp_path, BOARD | {"devices": devices}, cell=[cell("a")])
    assert main(["build", str(file), "-o", str(tmp_path / "none")]) == 0
    steps = (tmp_path / "none" / "next-steps.txt").read_text()
    assert "release" not in steps
    assert re.findall(r"^(\d)\. (\w+)", steps, re.MULTILINE) == [("1", "Have"), ("2", "Slide"), ("3", "Look")]


def test_next_steps_of_a_pcs_devices(tmp_path: Path) -> None:
    """A PCI function has a name; what else a PC has is known by its ports and registers only."""
    (tmp_path / "machine.toml").write_text(PC_DEMO.with_name("machine.toml").read_text() + """
[devices.edu]
pci = "00:05.0"
registers = { start = 0xfea0_0000, size = "1M" }
""")
    (tmp_path / "intent.toml").write_text('machine = "machine.toml"\n[[cell]]\nname = "a"\ncpus = 1\nmemory = "1M"\nputc = true\n'
                                          'devices = ["edu", "tpm", "uart1"]\npci = ["00:06.0"]\n')
    assert main(["build", str(tmp_path / "intent.toml"), "-o", str(tmp_path / "out")]) == 0
    steps = (tmp_path / "out" / "next-steps.txt").read_text()
    assert re.findall(r"^ +release ([/$].*)$", steps, re.MULTILINE) == [
        '/sys/bus/pci/devices/0000:00:06.0      # cell "a"',
        '/sys/bus/pci/devices/0000:00:05.0      # edu, cell "a"',
        """$(grep -ls 'mem 0xfed40000-' /sys/bus/pnp/devices/*/resources)      # tpm, cell "a\"""",
        """$(grep -ls 'io 0x2f8-' /sys/bus/pnp/devices/*/resources)      # uart1, cell "a\""""]


# --- of any machine ---

@settings(SLOW_IS_FINE, max_examples=100)
@given(intent=intents())
def test_a_plan_is_admitted(intent: tuple[dict[str, Any], dict[str, Any]], admit_tool: Path,
                            tmp_path_factory: pytest.TempPathFactory) -> None:
    """What is planned, the hypervisor takes; where nothing is, there is a reason."""
    folder = tmp_path_factory.mktemp("intent")
    board, keys = intent
    file = write(folder, board, **keys)
    system, problems = checked_system(str(file))
    if system is None:
        assert problems.errors
        return
    owners = [n for c in system.cells for n in c.cpu_numbers()]
    assert len(owners) == len(set(owners)) and 0 not in {n for c, k in zip(system.cells, keys["cell"], strict=True)
                                                         if isinstance(k["cpus"], int) for n in c.cpu_numbers()}
    for one, key in zip(system.cells, keys["cell"], strict=True):
        assert len(list(one.cpu_numbers())) == (key["cpus"] if isinstance(key["cpus"], int) else len(key["cpus"]))
    kept = [f.span for f in system.machine.firmware]
    assert not any(k.overlaps(p.span) for k in kept for p in (system.reserved, system.hypervisor))
    assert sum(p.span.size for p in system.linux) >= LINUX_LEAST
    assert hypervisor_says(admit_tool, system, folder / "out") == "ok"
    assert_same(file, folder)


@given(spans=st.lists(st.integers(0, 60), max_size=3), holes=st.lists(st.tuples(st.integers(0, 80), st.integers(0, 9)), max_size=5))
def test_minus(spans: list[int], holes: list[tuple[int, int]]) -> None:
    """As sets of numbers."""
    whole = [Span(100 * n + s, 20) for n, s in enumerate(spans)]
    cut = [Span(at, size) for at, size in holes]
    left = minus(whole, cut)
    numbers = {n for s in whole for n in range(s.start, s.end)} - {n for s in cut for n in range(s.start, s.end)}
    assert [n for s in left for n in range(s.start, s.end)] == sorted(numbers)
    assert all(s.size for s in left)


def test_memory_goes_around_what_else_the_cell_sees(tmp_path: Path) -> None:
    """The communication page, and registers where they are or where the cell has them."""
    devices = {name: {"registers": {"start": start, "size": size}} for name, start, size in (
        ("a", 0x280_0000, "4K"), ("b", 0x280_1010, "16"), ("c", 0x800_0000 - MIB, "64K"), ("d", 0x3000_0000, "4K"))}
    board = BOARD | {"devices": devices}
    file = write(tmp_path, board, cell=[cell("x", memory="64M", devices=["a", "b", "c", {"name": "d", "guest": 0x100_0000}], comm_page=0x120_0000)])
    system = solved(file)
    assert [(r.name, r.guest, r.size) for r in system.cells[0].memory] == [
        ("low ram", 0, 16 * MIB), ("low ram 2", 0x140_0000, 20 * MIB), ("ram", 0x2a0_0000, 28 * MIB)]
    assert_same(file, tmp_path)


def test_memory_goes_around_what_only_the_hypervisor_has(tmp_path: Path) -> None:
    file = write(tmp_path, BOARD, cell=[cell("x", memory="64M", uart={"guest": 0x100_0000, "interrupt": 33},
                                             gic={"gicd": 0x180_0000, "gicr": 0x200_0000}, comm_page=False)])
    system = solved(file)
    assert [(r.name, r.guest, r.size) for r in system.cells[0].memory] == [
        ("low ram", 0, 16 * MIB), ("low ram 2", 0x120_0000, 6 * MIB), ("low ram 3", 0x1a0_0000, 6 * MIB), ("ram", 0x220_0000, 36 * MIB)]
    assert_same(file, tmp_path)


def test_memory_of_a_pc_goes_around_the_apics(tmp_path: Path) -> None:
    board = {"name": "pc", "arch": "x86_64", "cpus": 4, "ram": [{"start": 0, "size": "2G"}, {"start": 1 << 32, "size": "16G"}],
             "apic": {"ioapics": [{"address": 0xfec0_0000, "pins": 24}], "mmconfig": {"start": 0xb000_0000, "size": "256M"}}}
    system = solved(write(tmp_path, board, cell=[cell("x", memory="6G", comm_page=0x8000_0000)]))
    regions = system.cells[0].memory
    assert sum(r.size for r in regions) == 6 << 30
    assert [(r.guest, r.size) for r in regions[:3]] == [(0, 0x8000_0000), (0x8020_0000, 0x2fe0_0000), (0xc000_0000, 0x3ec0_0000)]
    assert regions[3].guest == 0xff00_0000


def test_a_name_that_the_platform_has(tmp_path: Path) -> None:
    memory = [{"name": "ram", "guest": 0x7000_0000, "size": "1M", "access": "rw"}]
    assert "rename yours" in said(write(tmp_path, BOARD, cell=[cell("x", platform="qemu-virt", ram="16M", memory=memory)]))


def test_memory_does_not_go_around_its_own_beginning(tmp_path: Path) -> None:
    board = BOARD | {"devices": {"flash": {"registers": {"start": 0, "size": "64K"}}}}
    assert "overlap in guest addresses at 0x0+64K" in said(write(tmp_path, board, cell=[cell("x", memory="64M", devices=["flash"])]))
