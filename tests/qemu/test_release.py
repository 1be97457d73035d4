# SPDX-License-Identifier: GPL-2.0-only
"""What `next-steps.txt` says of drivers: Linux's lets go of a device, a cell has it, and Linux may have it again."""

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from board import KEPT, LINES, RELEASED
from conftest import HERE, TOOLS, Root
from talk import root_has_it

from machine.target import TARGET

TEXT = """
machine = "{machine}"

{memory}
[[cell]]
name = "a"
cpus = 1
memory = "16M"
console = "putc"
devices = [{devices}]
"""


@pytest.fixture
def more_machine():
    return {"serials": 2, **LINES}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release")
    # With what the machines of all scenarios leave free
    memory = re.search(r"^\[memory\]\n.*?\n\n", (HERE / TARGET.name / "cells.toml").read_text(), re.DOTALL | re.MULTILINE)
    assert memory
    (folder / "intent.toml").write_text(TEXT.format(machine=HERE.parents[1] / f"configs/qemu-{TARGET.name}/machine.toml",
                                                    memory=memory[0], devices=", ".join(f'"{name}"' for name in (*RELEASED, *KEPT))))
    subprocess.run([sys.executable, "-m", "jailhouse", "config", "build", "intent.toml", "-o", "out"], cwd=folder,
                   check=True, capture_output=True, env={"PYTHONPATH": str(TOOLS), "PATH": "/usr/bin:/bin"})
    return folder / "out"


@pytest.fixture
def more_files(built: Path) -> dict[str, bytes]:
    return {f"tests/cells/{path.name}": path.read_bytes() for path in built.glob("*.cell")}


def script(built: Path) -> str:
    """Step 2, as it would be copied."""
    found = re.search(r"^2\. .*?\n\n(.*?)\n\n", (built / "next-steps.txt").read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert found
    return textwrap.dedent(found[1])


def devices(root: Root) -> dict[str, set[str]]:
    """What each driver has."""
    return {driver: set(root.check(f"ls {driver}").split()) for driver in RELEASED.values()}


def test_a_driver_lets_go(root, built):
    before = devices(root)
    root_has_it(root)
    said = root.check(script(built) + "\ntrue")
    assert all(words in said for words in KEPT.values()) and ("cannot" in said) == bool(KEPT), said
    gone = {driver: before[driver] - had for driver, had in devices(root).items()}
    assert all(len(names) == 1 for names in gone.values()), gone
    # Once more, and nothing happens
    root.check(script(built) + "\ntrue")
    assert {driver: before[driver] - had for driver, had in devices(root).items()} == gone

    root.run_cell("a", "hello")
    root.goes_on("a")
    root.destroy("a")
    for driver, (name,) in gone.items():
        root.check(f"echo {name} >{driver}/bind")
    assert devices(root) == before
    root_has_it(root)
