# SPDX-License-Identifier: GPL-2.0-only
"""
From the probe to a partitioned machine: what a machine says of itself is collected, described and divided by twelve
lines; booted again with the parameters that this printed, it has the cells.
"""

import base64
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import MACHINE, TOOLS, Root

from machine.machine import Machine
from machine.target import TARGET

# CPUs, RAM, what only machines of this architecture have, more devices
BOARDS = {
    "arm64": {
        "small": (2, "1G", {}, ()),
        "smmu": (4, "2G", {"options": "iommu=smmuv3"}, ("-device", "e1000e,addr=3", "-device", "edu,addr=4")),
        "large": (8, "8G", {}, ("-device", "virtio-net-pci-non-transitional,addr=5")),
    },
    "x86_64": {
        "small": (2, "1G", {"x2apic": False}, ()),
        "remapped": (4, "2G", {"x2apic": True}, ("-device", "e1000e,addr=3", "-device", "edu,addr=4")),
        "large": (8, "8G", {"x2apic": False}, ("-device", "virtio-net-pci-non-transitional,addr=5")),
    },
}[TARGET.name]
CELL = '[[cell]]\nname = "{}"\ncpus = 1\nmemory = "{}"\nconsole = "putc"\n'
# What the board's texts want is left out
PLAIN = " ".join(word for word in TARGET.append.split() if not re.match(r"mem=|memmap=|kvm-arm", word))


def python(*words: str | Path) -> str:
    """The configuration tools, on this computer."""
    return subprocess.run([sys.executable, "-m", "jailhouse", *map(str, words)], check=True, capture_output=True, text=True,
                          env={"PYTHONPATH": str(TOOLS), "PATH": "/usr/bin:/bin"}).stdout


def collected(machine: Machine, file: Path) -> Path:
    machine.check("jailhouse config collect /tmp/facts.tar")
    file.write_bytes(base64.b64decode(machine.check("gzip -c /tmp/facts.tar | base64", 120)))
    return file


@pytest.mark.parametrize("name", BOARDS)
def test_three_commands(boot, say, tmp_path, name):
    smp, memory, special, extra = BOARDS[name]
    board = {"smp": smp, "memory": memory, "extra": extra, **special}
    first = boot(append=PLAIN, **board)
    check = first.run("jailhouse hardware check")
    assert check.status == MACHINE and re.search(r"^FAILED +.*memory", check.output, re.MULTILINE | re.IGNORECASE), check.output
    facts = collected(first, tmp_path / "facts.tar.gz")
    first.close()

    say(python("config", "create", "-r", facts, "-o", tmp_path / "machine.toml").strip())
    cells = ["a", "b"][:smp - 1]
    text = 'machine = "machine.toml"\n' + "".join(CELL.format(cell, "16M") for cell in cells)
    (tmp_path / "intent.toml").write_text(text + ('share = [{ with = "a", size = "1M" }]\n' if len(cells) > 1 else ""))
    assert len((tmp_path / "intent.toml").read_text().splitlines()) <= 12
    built = python("config", "build", tmp_path / "intent.toml", "-o", tmp_path / "out")
    parameters = re.search(r"^kernel parameters: (.*)$", built, re.MULTILINE)
    assert parameters
    say(parameters[0])

    blobs = {f"tests/cells/{path.name}": path for path in (tmp_path / "out").glob("*.cell")}
    second = boot(append=f"{PLAIN} {parameters[1]}", files=blobs, **board)
    check = second.run("jailhouse hardware check")
    assert check.status == 0, check.output
    root = Root(second)
    before = root.state()
    for cell in cells:
        root.run_cell(cell, "hello")
        root.goes_on(cell)
    for cell in cells:
        root.goes_on(cell)
    assert root.timers_run() == smp - len(cells)
    root.destroy(*cells)
    assert root.state() == before
    assert root.timers_run() == smp
    root.jailhouse("disable")
