# SPDX-License-Identifier: GPL-2.0-only
"""What `next-steps.txt` says of drivers: Linux's lets go of a device, a cell has it, and Linux may have it again."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from board import LINES, SERIAL_DRIVER
from conftest import HERE, TOOLS, Root
from talk import TEXT, converse, ready, root_has_it

from machine.target import TARGET


@pytest.fixture
def more_machine():
    return {"serials": 2, **LINES}


def steps(folder: Path) -> list[str]:
    subprocess.run([sys.executable, "-m", "jailhouse", "config", "build", str(HERE / TARGET.name / "uart.toml"), "-o", str(folder)],
                   check=True, capture_output=True, env={"PYTHONPATH": str(TOOLS), "PATH": "/usr/bin:/bin"})
    return re.findall(r"^ +(release.*)$", (folder / "next-steps.txt").read_text(encoding="utf-8"), re.MULTILINE)


def devices(root: Root) -> set[str]:
    """What the second UART's driver has."""
    return set(root.check(f"ls {SERIAL_DRIVER}").split())


def test_a_driver_lets_go(root, tmp_path):
    root_has_it(root)
    before = devices(root)
    # Once more, and nothing happens
    for _ in range(2):
        root.check("\n".join(steps(tmp_path)))
        device, = before - devices(root)
    ready(root, "serial", "uart", "wfi")
    converse(root, TEXT)
    root.tidy()
    root.check(f"echo {device} >{SERIAL_DRIVER}/bind")
    assert devices(root) == before
    root_has_it(root)
