# SPDX-License-Identifier: GPL-2.0-only
"""The command as it is run: files, output, exit status."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import DEMO, ROOT

from jailhouse.config import abi, blob
from jailhouse.config.command import main
from jailhouse.config.files import write_all
from jailhouse.config.emit import CellFile, Irq, Mem, SystemFile

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
        ["compute.cell", "compute.dts", "expanded.toml", "guest.cell", "guest.dts", "next-steps.txt", "rtos.cell", "rtos.dts",
         "system.cell"]


def test_demo_system(tmp_path: Path) -> None:
    assert main(["build", str(DEMO), "-o", str(tmp_path)]) == 0
    system = built(tmp_path, "system.cell")
    assert isinstance(system, SystemFile)
    assert (system.hypervisor.start, system.hypervisor.size) == (0xbf00_0000, 16 << 20)
    assert (system.console["type"], system.console["address"]) == \
        (abi.ABI_CONSOLE_PL011, 0x0900_0000)
    assert system.hwids == (0, 1, 2, 3)
    assert system.root.cpus == {0, 1, 2, 3}
    assert system.root.irqs == (Irq(32, 256, 32),)
    assert (system.root.flags, system.root.exits, system.root.settle_ms) == \
        (0, abi.ABI_EXITS_ANY, 0)
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
    assert cell.flags == \
        abi.ABI_CELL_PUTC | abi.ABI_CELL_PUTC_CONSOLE | abi.ABI_CELL_TRUSTED_WFI
    assert (cell.exits, cell.settle_ms) == (10_000, 1000)
    assert cell.mem == (
        Mem("ram", 0xb000_0000, 0, 1 << 20, RWX | abi.ABI_MEM_LOADABLE),
        Mem("comm page", 0, 0x8000_0000, 4096,
            abi.ABI_MEM_READ | abi.ABI_MEM_WRITE | abi.ABI_MEM_COMM))
    compute = cell_of(tmp_path, "compute.cell").cell
    # 64 MiB are placed at the next multiple of 2 MiB
    assert compute.mem[0].phys == 0xb020_0000
    assert compute.flags == abi.ABI_CELL_PUTC | abi.ABI_CELL_PUTC_CONSOLE
    assert (compute.exits, compute.settle_ms) == (abi.ABI_EXITS_ANY, 0)


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
    assert cell.irqs == (Irq(40, 1, 40),)
    assert (cell.flags & ~abi.ABI_CELL_TRUSTED_WFI, cell.console["address"], cell.console["size"]) == (0, 0x0904_0000, 4096)
    assert mem["ram"].phys == 0xb001_0000


def test_same_text_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert main(["build", str(DEMO), "-o", str(tmp_path / name)]) == 0
    for file in (tmp_path / "a").iterdir():
        other = (tmp_path / "b" / file.name).read_bytes()
        assert file.read_bytes() == other.replace(bytes(tmp_path / "b"), bytes(tmp_path / "a"))


def test_a_folder_in_the_way(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "out" / "expanded.toml").mkdir(parents=True)
    assert main(["build", str(DEMO), "-o", str(tmp_path / "out")]) == 1
    assert "cannot write" in capsys.readouterr().err
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["expanded.toml"]


def test_files_of_an_earlier_build_are_named(edited: Edited, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "out")
    assert main(["build", str(DEMO), "-o", out]) == 0
    assert "earlier build" not in capsys.readouterr().err
    assert main(["build", str(edited(('name = "rtos"', 'name = "control"'))), "-o", out]) == 0
    said = capsys.readouterr().err
    assert f"{out}/rtos.cell is of an earlier build" in said and "compute" not in said


def test_output_that_nobody_reads(tmp_path: Path) -> None:
    """Or that the terminal cannot show: no traceback."""
    words = f"PYTHONPATH={ROOT}/tools PYTHONIOENCODING=ascii {sys.executable} -m jailhouse config"
    done = subprocess.run(["sh", "-c", f"{words} schema system | head -n 1; {words} explain {DEMO}"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("{\nqemu-arm64")


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
    for line in ("system file, version 4, arm64", "hypervisor 0xbf000000+16M", "gic_version 3",
                 "console pl011 0x9000000+4K flags 0x3", 'cell "root"', "  lines 32-287"):
        assert line in text.splitlines()
    assert "exits" not in text		# there is no contract for the root cell
    assert main(["show", str(tmp_path / "rtos.cell")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "  memory rwx guest 0x0 host 0xb0000000 size 0x100000 loadable 'ram'" in lines
    assert "  interrupts direct, WFI trusted, exits at most 10000/s after 1000 ms (then: log)" \
        in lines


def test_boot(edited: Edited, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is where the cell starts, and is loadable without being said."""
    flash = '{ name = "flash", guest = 0x2000_0000, size = "2M", boot = true },\n'
    file = edited(('size = "64M", access = "rwx", loadable = true },\n', f'size = "64M", access = "rwx" }},\n{flash}'))
    assert main(["build", str(file), "-o", str(tmp_path / "out")]) == 0
    assert re.search(r"^.*compute.cell: CPU 2, .* flash=0x\w+\+2M \(boot\)$", capsys.readouterr().out, re.MULTILINE)
    assert main(["show", str(tmp_path / "out" / "compute.cell")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "  entry 0x20000000" in lines
    assert any(re.fullmatch(r"  memory r-x guest 0x20000000 host 0x\w+ size 0x200000 loadable boot 'flash'", x) for x in lines)
    assert any(line.startswith("  memory rwx guest 0x0 ") and "loadable" not in line for line in lines)


DIRECT = "interrupts direct, WFI trapped, exits any"
# What is said of a cell with the lines 40 and 48-79, what is emitted of it, and shown
CONTRACTS = [
    ("", (0, abi.ABI_EXITS_ANY, 0), DIRECT),
    ('interrupts = "direct"\nwfi = "trapped"\nexits = "any"', (0, abi.ABI_EXITS_ANY, 0), DIRECT),
    ('interrupts = "auto"', (0, abi.ABI_EXITS_ANY, 0), DIRECT),
    ('renumber = { "40" = 40 }', (0, abi.ABI_EXITS_ANY, 0), DIRECT),
    ('interrupts = "direct"\nrenumber = { "40" = 40 }', (0, abi.ABI_EXITS_ANY, 0), DIRECT),
    ('wfi = "trusted"', (abi.ABI_CELL_TRUSTED_WFI, abi.ABI_EXITS_ANY, 0),
     "interrupts direct, WFI trusted, exits any"),
    ('interrupts = "injected"', (abi.ABI_CELL_INJECTED, abi.ABI_EXITS_ANY, 0),
     "interrupts injected, WFI not trapped, exits any"),
    ('renumber = { "40" = 33 }', (abi.ABI_CELL_INJECTED, abi.ABI_EXITS_ANY, 0),
     "interrupts injected, WFI not trapped, exits any"),
    ('exits = "none"', (0, 0, 1000), "interrupts direct, WFI trapped, exits none after 1000 ms "
     "(then: log)"),
    ("exits = 0", (0, 0, 1000), "interrupts direct, WFI trapped, exits none after 1000 ms "
     "(then: log)"),
    ('exits = "none"\nwfi = "trusted"\nsettle_ms = 0\non_violation = "fail"',
     (abi.ABI_CELL_TRUSTED_WFI | abi.ABI_CELL_FAIL_ON_VIOLATION, 0, 0),
     "interrupts direct, WFI trusted, exits none after 0 ms (then: fail)"),
    ('exits = 500\nsettle_ms = 600_000\non_violation = "log"', (0, 500, 600_000),
     "interrupts direct, WFI trapped, exits at most 500/s after 600000 ms (then: log)"),
    ('exits = 0xffff_fffe\ninterrupts = "injected"\non_violation = "fail"',
     (abi.ABI_CELL_INJECTED | abi.ABI_CELL_FAIL_ON_VIOLATION, abi.ABI_EXITS_ANY - 1, 1000),
     "interrupts injected, WFI not trapped, exits at most 4294967294/s after 1000 ms (then: fail)"),
]


@pytest.mark.parametrize(("text", "emitted", "shown"), CONTRACTS)
def test_contract(edited: Edited, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str,
                  emitted: tuple[int, int, int], shown: str) -> None:
    file = edited(('cpus = [2]\nconsole = "putc"',
                   f'cpus = [2]\ndevices = ["uart1", "virtio"]\n{text}'))
    assert main(["build", str(file), "-o", str(tmp_path / "out")]) == 0
    assert f"compute: CPU 2, {shown}" in capsys.readouterr().out.splitlines()
    cell = cell_of(tmp_path / "out", "compute.cell").cell
    assert (cell.flags, cell.exits, cell.settle_ms) == emitted
    assert main(["show", str(tmp_path / "out" / "compute.cell")]) == 0
    assert f"  {shown}" in capsys.readouterr().out.splitlines()
    # ... and where the C structure has them
    data = (tmp_path / "out" / "compute.cell").read_bytes()
    at = abi.HEADER.size
    assert int.from_bytes(data[at + 32:at + 36], "little") == emitted[0]
    assert int.from_bytes(data[at + 44:at + 48], "little") == emitted[1]
    assert int.from_bytes(data[at + 56:at + 60], "little") == emitted[2]


VIEW = 'cpu_ids = "counted"\ngic = { gicd = 0x0900_0000, gicr = 0x0800_0000 }'


@pytest.mark.parametrize(("text", "cpus", "gic", "shown"), [
    ("", "1 2", (0, 0), ""),
    ('cpu_ids = "machine"', "1 2", (0, 0), ""),
    ('cpu_ids = "counted"', "1 2 as 0 1", (0, 0), ""),
    ("gic = { gicd = 0x5000_0000, gicr = 0x5010_0000 }", "1 2", (0x5000_0000, 0x5010_0000),
     "gic seen at gicd 0x50000000 gicr 0x50100000"),
    # Where the machine has it there is room for something else, and the machine's UART is nothing special
    (f'{VIEW}\nshared = [{{ name = "box", guest = 0x0804_0000 }}]', "1 2 as 0 1", (0x0900_0000, 0x0800_0000),
     "gic seen at gicd 0x9000000 gicr 0x8000000"),
])
def test_view(edited: Edited, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, cpus: str,
              gic: tuple[int, int], shown: str) -> None:
    file = edited(("[memory]", '[shared.box]\nsize = "64K"\n[memory]'), ("cpus = [2]", f"cpus = [1, 2]\n{text}"))
    assert main(["build", str(file), "-o", str(tmp_path / "out")]) == 0
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("compute: ")]
    assert said[0].startswith(f"compute: CPU {cpus}, interrupts")
    assert said[0].endswith(f", {shown}") if shown else "gic" not in said[0]
    cell = cell_of(tmp_path / "out", "compute.cell").cell
    assert bool(cell.flags & abi.ABI_CELL_CPUS_COUNTED) == ("as" in cpus)
    assert (cell.gicd, cell.gicr) == gic
    data = (tmp_path / "out" / "compute.cell").read_bytes()
    at = abi.HEADER.size + 144
    assert tuple(int.from_bytes(data[n:n + 8], "little") for n in (at, at + 8)) == gic
    assert main(["show", str(tmp_path / "out" / "compute.cell")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert f"  cpus {cpus}" in lines
    assert [line for line in lines if "gic" in line] == ([f"  {shown}"] if shown else [])


@pytest.mark.parametrize(("renumber", "records", "shown"), [
    ('"40" = 33', [(40, 1, 33), (48, 32, 48)], ["40 as 33", "48-79"]),
    ('40 = 1019', [(40, 1, 1019), (48, 32, 48)], ["40 as 1019", "48-79"]),
    ('"48" = 100, "49" = 101, "50" = 90', [(40, 1, 40), (48, 2, 100), (50, 1, 90), (51, 29, 51)],
     ["40", "48-49 as 100-101", "50 as 90", "51-79"]),
    ('"48-79" = 988', [(40, 1, 40), (48, 32, 988)], ["40", "48-79 as 988-1019"]),
    # Two that change places, and neighbours that meet
    ('"48" = 40, "40" = 48', [(40, 1, 48), (48, 1, 40), (49, 31, 49)],
     ["40 as 48", "48 as 40", "49-79"]),
    ('"40" = 80', [(40, 1, 80), (48, 32, 48)], ["40 as 80", "48-79"]),
])
def test_renumber(edited: Edited, tmp_path: Path, capsys: pytest.CaptureFixture[str],
                  renumber: str, records: list[tuple[int, int, int]], shown: list[str]) -> None:
    file = edited(("cpus = [2]", 'cpus = [2]\ndevices = ["uart1", "virtio"]\n'
                   f"renumber = {{ {renumber} }}"))
    assert main(["build", str(file), "-o", str(tmp_path / "out")]) == 0
    cell = cell_of(tmp_path / "out", "compute.cell").cell
    assert cell.irqs == tuple(Irq(*r) for r in records)
    assert cell.flags & abi.ABI_CELL_INJECTED
    data = (tmp_path / "out" / "compute.cell").read_bytes()
    assert data[-16 * len(records):] == b"".join(
        word.to_bytes(4, "little") for r in records for word in (*r, 0))
    capsys.readouterr()
    assert main(["show", str(tmp_path / "out" / "compute.cell")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("  lines")] == \
        [f"  lines {text}" for text in shown]


@pytest.mark.parametrize(("devices", "records"), [
    ('{ name = "uart1", guest = 0x0900_0000 }', [("uart1", 0x0904_0000, 0x0900_0000, 4096)]),
    ('{ name = "uart1", guest = 0x0904_0000 }', [("uart1", 0x0904_0000, 0x0904_0000, 4096)]),
    # To where another of its own is not any more, and one that stays
    ('{ name = "uart1", guest = 0x0903_0000 }, { name = "gpio", guest = 0x0904_0000 }, "rtc"',
     [("rtc", 0x0901_0000, 0x0901_0000, 4096), ("gpio", 0x0903_0000, 0x0904_0000, 4096),
      ("uart1", 0x0904_0000, 0x0903_0000, 4096)]),
    # Several pages, several spans: all by the same way
    ('{ name = "pcie", guest = 0x2000_0000 }',
     [("pcie.mmio", 0x1000_0000, 0x2000_0000, 0x2eff_0000), ("pcie.pio", 0x3eff_0000, 0x4eff_0000, 0x1_0000),
      ("pcie.ecam", 0x40_1000_0000, 0x40_2000_0000, 256 << 20), ("pcie.mmio64", 0x80_0000_0000, 0x80_1000_0000, 512 << 30)]),
])
def test_device_elsewhere(edited: Edited, tmp_path: Path, devices: str, records: list[tuple[str, int, int, int]]) -> None:
    file = edited(("cpus = [2]", f"cpus = [2]\ndevices = [{devices}]"))
    assert main(["build", str(file), "-o", str(tmp_path / "out")]) == 0
    mem = cell_of(tmp_path / "out", "compute.cell").cell.mem
    assert [m for m in mem if m.flags & abi.ABI_MEM_IO] == [Mem(*r, IO) for r in records]


def test_console_elsewhere(edited: Edited, tmp_path: Path) -> None:
    """The communication page tells the cell where it sees it."""
    file = edited(('cpus = [2]\nconsole = "putc"', 'cpus = [2]\nconsole = "uart1"\n'
                   'devices = [{ name = "uart1", guest = 0x0900_0000 }]'))
    assert main(["build", str(file), "-o", str(tmp_path / "out")]) == 0
    console = cell_of(tmp_path / "out", "compute.cell").cell.console
    assert (console["type"], console["address"], console["size"]) == (abi.ABI_CONSOLE_PL011, 0x0900_0000, 4096)


@pytest.mark.parametrize(("name", "said"), [
    ("direct", "interrupts direct, WFI trapped, exits any"),
    ("trusted", "interrupts direct, WFI trusted, exits any"),
    ("injected", "interrupts injected, WFI not trapped, exits any"),
])
def test_bench(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, said: str) -> None:
    """What differs between the three is what is compared with them."""
    assert main(["build", str(DEMO.parent / f"bench-{name}.toml"), "-o", str(tmp_path)]) == 0
    output = capsys.readouterr()
    assert output.err == ""
    assert f"bench: CPU 2 3, {said}" in output.out.splitlines()
    bench, churn = (cell_of(tmp_path, f"{n}.cell").cell for n in ("bench", "churn"))
    assert (bench.cpus, bench.entry, bench.irqs) == ({2, 3}, 0, (Irq(40, 1, 40),))
    assert bench.mem[0] == Mem("ram", 0xb000_0000, 0, 2 << 20, RWX | abi.ABI_MEM_LOADABLE)
    assert "uart1" in [m.name for m in bench.mem]
    assert (churn.cpus, churn.mem[0].size, churn.irqs) == ({1}, 1 << 20, ())


@pytest.mark.parametrize(("at", "byte", "words"), [
    (0, 0x4b, "magic"), (8, 1, "version 1"), (8, 5, "version 5"), (10, 9, "architecture 9"), (11, 3, "kind 3"),
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
