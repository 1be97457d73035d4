# SPDX-License-Identifier: GPL-2.0-only
"""Boards of different makers, from their device trees to files that the hypervisor admits: two cells each."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT
from test_schema import refusals
from test_trees import RAM
from trees import Said
from verdict import hypervisor_says

from jailhouse.config.command import checked_system, main
from jailhouse.probe.command import write_checked
from jailhouse.probe.description import Description, Refused
from jailhouse.probe.from_tree import describe_tree

TREES = ROOT / "build/arm64/linux/6.12/dtb"
BOARDS = 20
CELL = '[[cell]]\nname = "{}"\ncpus = {}\nmemory = "{}"\nconsole = "putc"\n'


def described(tree: Path) -> Description | None:
    try:
        return describe_tree(Said({"sys/firmware/fdt": tree.read_bytes(), "proc/iomem": RAM}))
    except Refused:
        return None


def chosen() -> Iterator[tuple[Path, Description]]:
    """A board of each maker with three CPUs or more, then a second one of each, until there are enough."""
    makers = {folder.name: iter(sorted(folder.glob("*.dtb"))) for folder in sorted(TREES.iterdir()) if folder.is_dir()}
    while makers:
        for name, trees in list(makers.items()):
            found = next(((t, d) for t in trees if (d := described(t)) is not None and len(d.hwids) >= 3), None)
            if found is None:
                del makers[name]
            else:
                yield found


@pytest.mark.skipif(not TREES.is_dir(), reason="make setup ARCH=arm64 has not unpacked them")
def test_two_cells_on_boards_of_many_makers(tmp_path: Path, admit_tool: Path, request: pytest.FixtureRequest) -> None:
    lines, makers = list[str](), set[str]()
    for (tree, machine), number in zip(chosen(), range(BOARDS), strict=False):
        folder = tmp_path / str(number)
        problems = write_checked(machine, str(folder / "machine.toml"))
        assert not problems.errors, (tree, [str(p) for p in problems])
        assert refusals((folder / "machine.toml").read_text()) == []
        uart = next((d.name for d in machine.devices if d.uart is not None and d.name != machine.console and not d.needs), None)
        text = 'machine = "machine.toml"\n' + CELL.format("rtos", 1, "16M") + "exits = 1000\n" + \
            (f'devices = ["{uart}"]\n' if uart else "") + CELL.format("compute", 1, "64M") + \
            'share = [{ with = "rtos", size = "1M" }]\n'
        (folder / "intent.toml").write_text(text)
        system, found = checked_system(str(folder / "intent.toml"))
        assert system is not None, (tree, [str(p) for p in found])
        assert hypervisor_says(admit_tool, system, folder / "out") == "ok", tree
        assert main(["build", str(folder / "intent.toml"), "-o", str(folder / "built")]) == 0
        for written in ("rtos.dts", "compute.dts"):
            dtc = subprocess.run(["dtc", "-O", "dtb", "-o", folder / "dtb", folder / "built" / written], capture_output=True, text=True)
            assert (dtc.returncode, dtc.stderr) == (0, ""), tree
        cpus = ["".join(str(n) for n in c.cpu_numbers()) for c in system.cells]
        lines.append(f"{tree.parent.name}/{tree.stem}: {len(machine.hwids)} CPUs, {len(machine.devices)} devices, rtos on CPU {cpus[0]}, "
                     f"compute on CPU {cpus[1]}, {len(list(found))} warnings")
        makers.add(tree.parent.name)
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print("".join(f"\n    {line}" for line in lines), flush=True)
    assert len(lines) == BOARDS and len(makers) >= 8
