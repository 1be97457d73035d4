# SPDX-License-Identifier: GPL-2.0-only
"""The command as it is run: files, output, exit status."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import DEMO, ROOT

from jailhouse.config import abi, blob
from jailhouse.config.command import main, write_all
from jailhouse.config.emit import CellFile, Mem, SystemFile

Edited = Callable[..., Path]
RTOS = 'cpus = [3]'
RWX = abi.ABI_MEM_READ | abi.ABI_MEM_WRITE | abi.ABI_MEM_EXEC
IO = abi.ABI_MEM_READ | abi.ABI_MEM_WRITE | abi.ABI_MEM_IO


def built(directory: Path, name: str) -> SystemFile | CellFile:
    return blob.decode((directory / name).read_bytes())


def cell_of(directory: Path, name: str) -> CellFile:
    file = built(directory, name)
    assert isinstance(file, CellFile)
    return file


def test_demo_as_a_process(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "jailhouse", "config", "build", DEMO, "-o", tmp_path / "a" / "b"],
        env={**os.environ, "PYTHONPATH": str(ROOT / "tools")}, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "kernel parameters: mem=1792M kvm-arm.mode=nvhe kvm-arm.mode=none" \
        in done.stdout.splitlines()
    assert sorted(p.name for p in (tmp_path / "a" / "b").iterdir()) == \
        ["compute.cell", "rtos.cell", "system.cell"]


def test_demo_system(tmp_path: Path) -> None:
    assert main(["build", str(DEMO), "-o", str(tmp_path)]) == 0
    system = built(tmp_path, "system.cell")
    assert isinstance(system, SystemFile)
    assert (system.hypervisor.start, system.hypervisor.size) == (0xbf00_0000, 16 << 20)
    assert (system.console["type"], system.console["address"]) == \
        (abi.ABI_CONSOLE_PL011, 0x0900_0000)
    assert system.hwids == (0, 1, 2, 3)
    assert system.root.cpus == {0, 1, 2, 3}
    assert system.root.irqs == (range(32, 288),)
    mem = {m.name: m for m in system.root.mem}
    assert mem["Linux RAM"] == Mem("Linux RAM", 0x4000_0000, 0x4000_0000, 1792 << 20, RWX)
    assert mem["cells' RAM"].flags == RWX | abi.ABI_MEM_RESERVED
    assert mem["fw_cfg"] == Mem("fw_cfg", 0x0902_0000, 0x0902_0000, 4096, IO)
    for m in system.root.mem:		# GICD, GICR and the hypervisor are nobody's
        for start, size in ((0x0800_0000, 0x1_0000), (0x080a_0000, 0xf6_0000),
                            (0xbf00_0000, 16 << 20)):
            assert m.phys + m.size <= start or start + size <= m.phys


def test_demo_cell(tmp_path: Path) -> None:
    assert main(["build", str(DEMO), "-o", str(tmp_path)]) == 0
    cell = cell_of(tmp_path, "rtos.cell").cell
    assert (cell.name, cell.cpus, cell.entry, cell.irqs) == ("rtos", {3}, 0, ())
    assert cell.flags == abi.ABI_CELL_PUTC | abi.ABI_CELL_PUTC_CONSOLE
    assert cell.mem == (
        Mem("ram", 0xb000_0000, 0, 1 << 20, RWX | abi.ABI_MEM_LOADABLE),
        Mem("comm page", 0, 0x8000_0000, 4096,
            abi.ABI_MEM_READ | abi.ABI_MEM_WRITE | abi.ABI_MEM_COMM))
    # 64 MiB are placed at the next multiple of 2 MiB
    assert cell_of(tmp_path, "compute.cell").cell.mem[0].phys == 0xb020_0000


def test_device_and_shared(edited: Edited, tmp_path: Path) -> None:
    box = 'shared = [{ name = "box", guest = 0x7000_0000, access = "r" }]'
    file = edited(
        ('cpus = [3]\nconsole = "putc"',
         f'cpus = [3]\ndevices = ["uart1"]\ncomm_page = false\nconsole = "uart1"\n{box}'),
        ('[memory]', '[shared.box]\nsize = "64K"\n[memory]'))
    assert main(["build", str(file), "-o", str(tmp_path / "out")]) == 0
    cell = cell_of(tmp_path / "out", "rtos.cell").cell
    mem = {m.name: m for m in cell.mem}
    assert mem["uart1"] == Mem("uart1", 0x0904_0000, 0x0904_0000, 4096, IO)
    assert mem["box"] == Mem("box", 0xb000_0000, 0x7000_0000, 64 << 10,
                             abi.ABI_MEM_READ | abi.ABI_MEM_SHARED)
    assert "comm page" not in mem
    assert cell.irqs == (range(40, 41),)
    assert (cell.flags, cell.console["address"], cell.console["size"]) == (0, 0x0904_0000, 4096)
    assert mem["ram"].phys == 0xb001_0000


def test_same_text_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert main(["build", str(DEMO), "-o", str(tmp_path / name)]) == 0
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()


def test_nothing_is_written_on_errors(edited: Edited, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main(["build", str(edited((RTOS, 'cpus = [2]'))), "-o", str(out)]) == 1
    assert not out.exists()


def test_unwritable_directory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main(["build", str(DEMO), "-o", str(tmp_path / "file" / "below")]) == 1
    assert "choose a directory that can be written" in capsys.readouterr().err


def test_a_failed_write_leaves_the_old_files(tmp_path: Path) -> None:
    write_all(str(tmp_path), {"a.cell": b"old", "b.cell": b"old"})
    with pytest.raises(OSError):
        write_all(str(tmp_path), {"a.cell": b"new", "missing/b.cell": b"new"})
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == \
        {"a.cell": b"old", "b.cell": b"old"}


def test_show(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", str(DEMO), "-o", str(tmp_path)]) == 0
    capsys.readouterr()
    assert main(["show", str(tmp_path / "system.cell")]) == 0
    text = capsys.readouterr().out
    for line in ("system file, version 1, arm64", "hypervisor 0xbf000000+16M", "gic_version 3",
                 "console pl011 0x9000000+4K flags 0x3", 'cell "root"', "  interrupts 32-287"):
        assert line in text.splitlines()
    assert main(["show", str(tmp_path / "rtos.cell")]) == 0
    assert "  memory rwx guest 0x0 host 0xb0000000 size 0x100000 loadable 'ram'" \
        in capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(("at", "byte", "words"), [
    (0, 0x4b, "magic"), (8, 2, "version 2"), (10, 9, "architecture 9"), (11, 3, "kind 3"),
    (12, 0, "size field"), (16, 0, "checksum"), (20, 1, "header.reserved"), (200, 1, "checksum"),
])
def test_show_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str], at: int, byte: int,
                      words: str) -> None:
    assert main(["build", str(DEMO), "-o", str(tmp_path)]) == 0
    data = bytearray((tmp_path / "rtos.cell").read_bytes())
    assert data[at] != byte
    data[at] = byte
    (tmp_path / "bad.cell").write_bytes(data)
    capsys.readouterr()
    assert main(["show", str(tmp_path / "bad.cell")]) == 1
    assert words in capsys.readouterr().err
