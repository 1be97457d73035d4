# SPDX-License-Identifier: GPL-2.0-only
"""Jailhouse's binary configurations as texts: known boards, what cannot be carried over, and bytes nobody made."""

import tempfile
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jailhouse_boards import (BOARDS, IMX8MQ, IMX8MQ_DEMO, JETSON_TX2, JETSON_TX2_DEMO, LINUX_X86_DEMO, QEMU_ARM64,
                              QEMU_ARM64_DEMO, QEMU_X86, TINY_DEMO)
from jailhouse_files import (AARCH32, ARM, COMM, DEVICE, IO, LOADABLE, PUTC, PUTC_CONSOLE, RW, RWX, SHARED, TEST_DEVICE,
                             CellFile, R, SystemFile, console, irqchip, pci)

from jailhouse.config.command import checked_system, main
from jailhouse.config.model import System
from jailhouse.config.problems import Problems
from jailhouse.config.toml_text import entry_lines, value_text
from jailhouse.config.units import parse_number
from jailhouse.config_import.run import import_files

# Where the records begin in a cell's file whose CPU set has eight bytes
CELL_MEMORY = 132 + 8


def write(directory: Path, *files: SystemFile | CellFile | bytes) -> list[str]:
    paths = []
    for number, file in enumerate(files):
        path = directory / f"{number}.cell"
        path.write_bytes(file if isinstance(file, bytes) else file.encode())
        paths.append(str(path))
    return paths


def imported(directory: Path, *files: SystemFile | CellFile | bytes) -> tuple[dict[str, Any], str]:
    """The texts as TOML has them, and all that was said."""
    problems = Problems()
    texts = import_files(write(directory, *files), problems)
    said = "\n".join(map(str, problems))
    return {name: tomllib.loads(text.decode()) for name, text in texts.items()}, said


def system_of(directory: Path, *files: SystemFile | CellFile) -> tuple[System, str]:
    """As our checker takes it; it must not find an error."""
    out = directory / "out"
    assert main(["import", *write(directory, *files), "-o", str(out)]) == 0
    system, problems = checked_system(str(out / "system.toml"))
    assert system is not None
    return system, (out / "system.toml").read_text()


# --- known boards -------------------------------------------------------------------


@pytest.mark.parametrize("board", [name for name in BOARDS if name != "jetson-tx2"])
def test_board_is_built(board: str, tmp_path: Path) -> None:
    system, cells = BOARDS[board]
    system_of(tmp_path, system, *cells)
    assert main(["build", str(tmp_path / "out" / "system.toml"), "-o", str(tmp_path / "built")]) == 0
    assert {p.name for p in (tmp_path / "built").glob("*.cell")} == {"system.cell", *(f"{c.name}.cell" for c in cells)}


@pytest.mark.parametrize("system", [QEMU_ARM64, IMX8MQ, QEMU_X86])
def test_system_without_cells(system: SystemFile, tmp_path: Path) -> None:
    found, _ = system_of(tmp_path, system)
    assert found.cells == ()
    assert found.reserved.span.size >= 16 << 20


def test_qemu_arm64(tmp_path: Path) -> None:
    system, _ = system_of(tmp_path, QEMU_ARM64, QEMU_ARM64_DEMO)
    machine, (cell,) = system.machine, system.cells
    assert (machine.name, machine.arch, len(machine.hwids)) == ("qemu-arm64", "arm64", 16)
    assert system.root_name == "qemu-arm64"
    assert [str(p.span) for p in machine.ram] == ["0x40000000+1G"]
    assert machine.platform is not None
    assert [str(p.span) for p in machine.platform.mediated] == ["0x8000000+64K", "0x80a0000+2M"]
    assert machine.platform.lines == range(32, 160)
    assert machine.console is not None and machine.devices[machine.console.name].registers[0].span.start == 0x0900_0000
    assert [str(p.span) for p in system.linux] == ["0x40000000+1018M"]
    assert str(system.hypervisor.span) == "0x7fc00000+4M"
    assert list(cell.cpu_numbers()) == [1]
    ram, *shared = cell.memory
    assert (ram.guest, ram.host, ram.size, ram.access, ram.loadable) == (0, 0x7fa0_0000, 0x1_0000, "rwx", True)
    assert [(r.guest, r.host, r.size, r.access) for r in shared] == [
        (0x7faf_0000, 0x7faf_0000, 0x1000, "r"), (0x7faf_1000, 0x7faf_1000, 0x9000, "rw"),
        (0x7faf_a000, 0x7faf_a000, 0x2000, "r"), (0x7faf_c000, 0x7faf_c000, 0x2000, "rw"),
        (0x7faf_e000, 0x7faf_e000, 0x2000, "r")]
    assert [n for line in cell.lines for n in line.numbers] == [144]
    assert cell.comm_page == 0x8000_0000
    # Linux's UART stays Linux's; the program finds a PL011 in its place
    assert cell.devices == () and cell.uart is not None and cell.uart.address == 0x0900_0000


def test_imx8mq(tmp_path: Path) -> None:
    system, _ = system_of(tmp_path, IMX8MQ, IMX8MQ_DEMO)
    (cell,) = system.cells
    assert system.machine.platform is not None and system.machine.platform.lines == range(32, 416)
    # SPI 108, as the device tree counts
    assert [n for line in cell.lines for n in line.numbers] == [140]
    assert list(cell.cpu_numbers()) == [3]
    assert str(system.reserved.span) == "0xbfd00000+991M"
    registers = [p.span for d in system.machine.devices.values() for p in d.registers]
    assert sum(s.size for s in registers) == 0x4000_0000 - 0x1_0000 - 4 * 0x2_0000
    assert system.machine.console is None and cell.console is None


def test_jetson(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It has a GICv2, and is right in all else."""
    out = tmp_path / "out"
    assert main(["import", *write(tmp_path, JETSON_TX2, JETSON_TX2_DEMO), "-o", str(out)]) == 1
    said = capsys.readouterr().err
    assert "warning: the machine has a GICv2" in said
    assert "warning: CPU 1, 2 is not the root cell's" in said
    errors = [line for line in said.splitlines() if ": error: " in line]
    assert errors and all(": error: gic: " in line for line in errors)
    text = (out / "machine.toml").read_text()
    for old, new in (("version = 2", "version = 3\ngicr = { start = 0x390_0000, size = 0xc_0000 }"),
                     ('gicd = { start = 0x388_1000, size = "4K" }', 'gicd = { start = 0x388_0000, size = "64K" }')):
        assert text.count(old) == 1
        text = text.replace(old, new)
    (out / "machine.toml").write_text(text)
    system, problems = checked_system(str(out / "system.toml"))
    assert system is not None, [str(p) for p in problems]
    assert [str(p.span) for p in system.machine.ram] == ["0x80000000+8016M"]
    assert str(system.reserved.span) == "0x270000000+16M"
    (cell,) = system.cells
    assert cell.console is not None and cell.console.name == "uart-3100000"
    assert [g.name for g in cell.devices] == ["uart-3100000"]
    assert (uart := system.machine.devices["uart-3100000"].uart) is not None and uart.flags == 3
    # What Jailhouse calls RAM around the UART is none
    assert "mmio-277080000" in system.machine.devices


def test_qemu_x86_tiny(tmp_path: Path) -> None:
    system, _ = system_of(tmp_path, QEMU_X86, TINY_DEMO)
    (cell,) = system.cells
    assert [str(p.span) for p in system.linux] == ["0x0+928M", "0x3f200000+14M"]
    assert system.machine.devices["uart-3f8"].ports[0].numbers == range(0x3f8, 0x400)
    assert system.machine.console is not None and system.machine.console.name == "uart-3f8"
    assert cell.console is not None and cell.console.name == "uart-3f8" and cell.putc
    assert [line.numbers for line in cell.ports] == [range(0x2f8, 0x300), range(0xe010, 0xe018)]
    assert cell.comm_page == 0x10_0000
    assert system.machine.platform is not None
    assert [str(p.span) for p in system.machine.platform.mediated] == [
        "0xb0000000+256M", "0xfec00000+4K", "0xfee00000+4K"]


def test_linux_x86(tmp_path: Path) -> None:
    system, _ = system_of(tmp_path, QEMU_X86, LINUX_X86_DEMO)
    (cell,) = system.cells
    assert list(cell.cpu_numbers()) == [2, 3]
    assert [(r.guest, r.host, r.size) for r in cell.memory if r.shared is None] == [
        (0, 0x3a60_0000, 0x10_0000), (0x20_0000, 0x3a70_0000, 0x470_0000)]
    assert [n for line in cell.lines for n in line.numbers] == [3, 4]
    assert {g.name for g in cell.devices} == {"mmio-feb40000", "mmio-feb80000", "mmio-febd1000", "uart-3f8",
                                              "pci-00-02-0"}
    # The table of its MSI-X vectors, which Jailhouse keeps to itself, must be among its registers here
    assert [str(p.span) for p in system.machine.devices["pci-00-02-0"].registers] == ["0xfebd0000+4K"]
    assert cell.console is None and cell.putc


# --- one thing at a time ------------------------------------------------------------

RAM = (0xc000_0000, 0, 0x1_0000, RWX | LOADABLE)
PLAIN = CellFile("plain", 8, [RAM, (0, 0x8000_0000, 0x1000, RW | COMM)])


def cell_of(directory: Path, cell: CellFile, system: SystemFile = IMX8MQ) -> tuple[dict[str, Any], str]:
    texts, said = imported(directory, system, cell)
    return texts["system.toml"]["cell"][0], said


def with_memory(*more: tuple[int, int, int, int]) -> CellFile:
    return replace(PLAIN, memory=[*PLAIN.memory, *more])


# The cell, words of the warning, offset of the record it names
WARNINGS: list[tuple[str, CellFile, tuple[str, ...], int]] = [
    ("cache", replace(PLAIN, caches=1), ("(cache 0)", "cache region 0+2"), CELL_MEMORY + 64),
    ("stream", replace(PLAIN, streams=2), ("(stream id 0)", "2 stream ids"), CELL_MEMORY + 64),
    ("capability", replace(PLAIN, caps=3), ("(pci capability 0)", "3 PCI capabilities"), CELL_MEMORY + 64),
    ("ivshmem", replace(PLAIN, pci=[pci(3, 0x10)]), ("(pci device 0)", "ivshmem device 0000:00:02.0"),
     CELL_MEMORY + 64),
    ("pci on arm64", replace(PLAIN, pci=[pci(DEVICE, 8)]), ("PCI function 0000:00:01.0",), CELL_MEMORY + 64),
    ("32-bit", replace(PLAIN, flags=AARCH32), ("32-bit arm",), 0),
    ("test device", replace(PLAIN, flags=TEST_DEVICE), ("test device",), 0),
    ("flags", replace(PLAIN, flags=0x100), ("flags 0x100",), 0),
    ("divider", replace(PLAIN, console=console(0, 0, 0, divider=3)), ("divider",), 0),
    ("sub-page", with_memory((0x3020_0010, 0x3020_0010, 4, RW | IO)), ("(memory 2)", "whole pages"), CELL_MEMORY + 64),
    ("small pages", with_memory((0xc100_0000, 0x1000_0000, 0x1000, RW | 0x100)), ("small pages",), CELL_MEMORY + 64),
    ("unknown memory flag", with_memory((0xc100_0000, 0x1000_0000, 0x1000, RW | 0x200)), ("flags 0x200",),
     CELL_MEMORY + 64),
    ("shared device", with_memory((0x3020_0000, 0x3020_0000, 0x1000, RW | IO | SHARED)),
     ("0x30200000+4K", 'add "mmio-30200000"'), CELL_MEMORY + 64),
    ("the GIC", with_memory((0x3880_0000, 0x3880_0000, 0x1000, RW | IO)), ("0x1000 bytes of 0x38800000+4K",),
     CELL_MEMORY + 64),
    ("shared program", with_memory((0xc100_0000, 0x1000_0000, 0x1000, RWX | SHARED)), ("not executed from",),
     CELL_MEMORY + 64),
    ("far memory", with_memory((0x5000_0000, 0x1000_0000, 0x1000, RW)), ("0x50000000+4K", "placed anew"),
     CELL_MEMORY + 64),
    ("far shared memory", with_memory((0x5000_0000, 0x1000_0000, 0x1000, RW | SHARED)), ("placed anew",),
     CELL_MEMORY + 64),
    ("write only", with_memory((0xc100_0000, 0x1000_0000, 0x1000, 2)), ("may not be read",), CELL_MEMORY + 64),
    ("no size", with_memory((0xc100_0000, 0, 0, RW)), ("no size",), CELL_MEMORY + 64),
    ("another irqchip", replace(PLAIN, irqchips=[irqchip(0x1000, 32, 1)]), ("(irqchip 0)", "0x1000"), CELL_MEMORY + 64),
    ("no INTID", replace(PLAIN, irqchips=[irqchip(0x3880_0000, 1024, 1)]), ("INTID 1024",), CELL_MEMORY + 64),
    ("console of another kind", replace(PLAIN, console=console(0x3086_0000, 8, 3)), ("(console)", "i.MX UART"), 100),
    ("console of another's", replace(PLAIN, console=console(0x3086_0000, 2, 3)), ("(console)", "hypercall"), 100),
    ("name", replace(PLAIN, name="two words"), ("'two-words'",), 0),
]


@pytest.mark.parametrize("cell, words, offset", [case[1:] for case in WARNINGS], ids=[case[0] for case in WARNINGS])
def test_warning(cell: CellFile, words: tuple[str, ...], offset: int, tmp_path: Path) -> None:
    _, said = cell_of(tmp_path, cell)
    _, before = cell_of(tmp_path, PLAIN)
    own = [text for text in said.split("\n/") if text not in before.split("\n/")]
    assert any(all(word in text for word in words) and f"1.cell: byte {offset:#x} (" in text for text in own), own


def test_plain_cell_says_nothing(tmp_path: Path) -> None:
    cell, said = cell_of(tmp_path, PLAIN)
    assert "1.cell" not in said
    assert cell == {"name": "plain", "cpus": [3], "comm_page": 0x8000_0000, "memory": [
        {"name": "ram", "guest": 0, "size": "64K", "access": "rwx", "loadable": True, "host": 0xc000_0000}]}


@pytest.mark.parametrize("system, words", [
    (replace(IMX8MQ, root=replace(IMX8MQ.root, irqchips=[irqchip(0x3880_0000, 32, 0xf, 1)])), "28 interrupts"),
    (replace(IMX8MQ, root=replace(IMX8MQ.root, caches=1)), "(cache 0)"),
    (replace(IMX8MQ, root=replace(IMX8MQ.root, name="a\x01b")), "'a-b'"),
    (replace(IMX8MQ, root=replace(IMX8MQ.root, memory=[(0x1000, 0x2000, 0x1000, RW | IO), *IMX8MQ.root.memory])),
     "at 0x2000"),
])
def test_warning_of_the_system(system: SystemFile, words: str, tmp_path: Path) -> None:
    texts, said = imported(tmp_path, system)
    assert texts and words in said


@pytest.mark.parametrize("flags, access", [(R, "r"), (RW, "rw"), (R | 4, "rx"), (RWX, "rwx")])
def test_access(flags: int, access: str, tmp_path: Path) -> None:
    cell, _ = cell_of(tmp_path, with_memory((0xc100_0000, 0x1000_0000, 0x2000, flags)))
    assert cell["memory"][1] == {"name": "ram-10000000", "guest": 0x1000_0000, "size": "8K", "access": access,
                                 "host": 0xc100_0000}


def test_memory_elsewhere_is_placed_anew(tmp_path: Path) -> None:
    system, text = system_of(tmp_path, IMX8MQ, with_memory((0x5000_0000, 0x1000_0000, 0x1000, RW),
                                                           (0x5000_1000, 0x1000_1000, 0x1000, RW | SHARED)))
    assert "0x5000_" not in text
    for region in system.cells[0].memory:
        assert region.host is None or region.host >= 0xbfd0_0000


def test_device_elsewhere(tmp_path: Path) -> None:
    cell, _ = cell_of(tmp_path, replace(with_memory((0x3020_0000, 0x900_0000, 0x2000, RW | IO)),
                                        console=console(0x900_0000, 3, 3)))
    assert cell["console"] == "uart-30200000"
    assert cell["devices"] == [{"name": "uart-30200000", "guest": 0x900_0000},
                               {"name": "mmio-30201000", "guest": 0x900_1000}]


@pytest.mark.parametrize("flags, keys", [(0, {}), (PUTC, {"putc": True}),
                                         (PUTC_CONSOLE, {"console": "putc", "putc": True})])
def test_putc(flags: int, keys: dict[str, Any], tmp_path: Path) -> None:
    cell, _ = cell_of(tmp_path, replace(PLAIN, flags=flags))
    assert {key: cell[key] for key in ("console", "putc") if key in cell} == keys


def test_lines_are_counted_from_the_pin_base(tmp_path: Path) -> None:
    chips = [irqchip(0x3880_0000, 0, 0xffff_ffff, 1), irqchip(0x3880_0000, 160, 0, 0, 0, 0x8000_0000)]
    cell, _ = cell_of(tmp_path, replace(PLAIN, irqchips=chips))
    assert cell["lines"] == [32, 287]


def test_entry_and_no_communication_page(tmp_path: Path) -> None:
    cell, _ = cell_of(tmp_path, replace(PLAIN, memory=[RAM], entry=0x1000))
    assert (cell["entry"], cell["comm_page"]) == (0x1000, False)


def test_x86_pins_behind_another_ioapic(tmp_path: Path) -> None:
    chips = [irqchip(0xfec0_0000, 0, 0xff_ffff), irqchip(0xfec1_0000, 0, 0xffff_ffff)]
    system = replace(QEMU_X86, root=replace(QEMU_X86.root, irqchips=chips))
    texts, _ = imported(tmp_path, system, replace(TINY_DEMO, irqchips=[irqchip(0xfec1_0000, 0, 1 << 5)]))
    assert [(c["first"], c["pins"]) for c in texts["machine.toml"]["apic"]["ioapics"]] == [(0, 24), (24, 32)]
    assert texts["system.toml"]["cell"][0]["lines"] == [29]


def test_x86_console_of_the_root_cells(tmp_path: Path) -> None:
    texts, _ = imported(tmp_path, QEMU_X86, replace(TINY_DEMO, pios=[(0x2f8, 8)]))
    assert texts["system.toml"]["cell"][0]["uart"] == {"port": 0x3f8}


# --- files that cannot be used --------------------------------------------------------

GOOD = IMX8MQ_DEMO.encode()
GOOD_SYSTEM = IMX8MQ.encode()
UNUSABLE: list[tuple[str, bytes, str]] = [
    ("empty", b"", "byte 0x0 (file): error: it begins with neither"),
    ("another file", b"\x7fELF" + bytes(400), "byte 0x0 (file): error: it begins with neither"),
    ("our own", b"JHCONFIG" + bytes(400), "jailhouse config show"),
    ("revision 13's", b"JHSYST" + bytes(400), "revision 13 or older"),
    ("revision 15", GOOD[:6] + b"\x0f\0" + GOOD[8:], "byte 0x6 (revision): error: it has revision 15"),
    ("32-bit arm", GOOD[:5] + bytes([ARM]) + GOOD[6:],
     "byte 0x5 (architecture): error: its architecture is 32-bit arm"),
    ("architecture", GOOD[:5] + b"\x09" + GOOD[6:], "unknown (9)"),
    ("header cut off", GOOD[:100], "byte 0x0 (cell): error: its header: 132 bytes, and the file ends after 100"),
    ("first bytes", GOOD[:6], "its header: 8 bytes, and the file ends after 6"),
    ("system's header cut off", GOOD_SYSTEM[:300], "(system): error: its header: 356 bytes"),
    ("root cell cut off", GOOD_SYSTEM[:400], "byte 0x164 (root cell): error: its header: 132 bytes"),
    ("memory cut off", GOOD[:200], "byte 0x8c (memory): error: 8 of it: 256 bytes, and the file ends after 60"),
    ("a count that lies", GOOD[:52] + b"\xff\xff\xff\xff" + GOOD[56:], "4294967295 of it"),
    ("a CPU set that lies", GOOD[:48] + b"\xff\xff\xff\xff" + GOOD[52:], "byte 0x84 (CPU set)"),
    ("too many CPUs", replace(PLAIN, cpus=1).encode()[:132].replace(b"\x08\0\0\0\x02\0\0\0", b"\x48\0\0\0\0\0\0\0")
     + bytes(64) + b"\1" * 8, "it has CPU 568"),
    ("memory that wraps", with_memory(((1 << 64) - 0x1000, 0, 0x2000, RW)).encode(), "(memory 2): error: "),
    ("ports that end nowhere", replace(TINY_DEMO, pios=[(0xfff8, 9)]).encode(), "(pio 0): error: 9 ports"),
    ("too large", GOOD + bytes(64 * 1024), "more than 65536 bytes"),
]


@pytest.mark.parametrize("data, words", [case[1:] for case in UNUSABLE], ids=[case[0] for case in UNUSABLE])
def test_unusable(data: bytes, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = write(tmp_path, data) if data.startswith(b"JHSYS") else write(tmp_path, IMX8MQ, data)
    assert main(["import", *files, "-o", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err
    assert words in said
    assert "    why: " in said and "    fix: " in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("files, words", [
    ((IMX8MQ, QEMU_ARM64), "second system file"),
    ((IMX8MQ, TINY_DEMO), "the cell is for x86_64"),
    ((replace(IMX8MQ, root=replace(IMX8MQ.root, cpus=0)),), "no CPU"),
    ((replace(IMX8MQ, root=replace(IMX8MQ.root, memory=[])),), "none of its memory regions is RAM"),
    ((replace(IMX8MQ, root=replace(IMX8MQ.root, pci=[], memory=[(0xc000_0000, 0xc000_0000, 0x1_0000, RWX)])), PLAIN),
     "no RAM is left"),
    ((replace(IMX8MQ, root=replace(IMX8MQ.root, pci=[], memory=[(0xc000_0000, 0xc000_0000, 0x1000, RWX)])),),
     "too little RAM for cells"),
    ((PLAIN, PLAIN), 'second cell "plain"'),
])
def test_nothing_to_be_had(files: tuple[SystemFile | CellFile, ...], words: str, tmp_path: Path,
                           capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", *write(tmp_path, *files), "-o", str(tmp_path / "out")]) == 1
    assert words in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_what_does_not_fit_is_not_translated(tmp_path: Path) -> None:
    texts, said = imported(tmp_path, IMX8MQ, TINY_DEMO)
    assert texts == {} and said.count("    why: ") == 1


def test_missing_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", str(tmp_path / "no.cell"), "-o", str(tmp_path / "out")]) == 1
    assert "cannot read: No such file" in capsys.readouterr().err


def test_bytes_behind_the_last_record(tmp_path: Path) -> None:
    _, said = imported(tmp_path, GOOD + b"more")
    assert f"byte {len(GOOD):#x} (end): warning: what follows was not read" in said


# --- files written --------------------------------------------------------------------


def test_texts_are_not_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "system.toml").write_text("mine")
    arguments = ["import", *write(tmp_path, IMX8MQ, IMX8MQ_DEMO), "-o", str(out)]
    assert main(arguments) == 1
    assert "--force" in capsys.readouterr().err
    assert [p.name for p in out.iterdir()] == ["system.toml"] and (out / "system.toml").read_text() == "mine"
    assert main([*arguments, "--force"]) == 0
    assert {p.name for p in out.iterdir()} == {"machine.toml", "system.toml"}


def test_output_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main(["import", *write(tmp_path, IMX8MQ), "-o", str(tmp_path / "file" / "out")]) == 1
    assert "cannot write" in capsys.readouterr().err


def test_fragments(tmp_path: Path) -> None:
    """A cell alone; put into the system's text it is what an import of both had made of it."""
    together, _ = imported(tmp_path, QEMU_X86, TINY_DEMO)
    alone, _ = imported(tmp_path, TINY_DEMO, LINUX_X86_DEMO)
    assert set(alone) == {"linux-x86-demo.toml", "tiny-demo.toml"}
    assert alone["tiny-demo.toml"] == {"cell": together["system.toml"]["cell"]}


def test_comments_of_a_fragment_are_toml(tmp_path: Path) -> None:
    text = import_files(write(tmp_path, LINUX_X86_DEMO), Problems())["linux-x86-demo.toml"].decode()
    head = text.split("[[cell]]")[0]
    said = tomllib.loads("\n".join(line[2:] for line in head.splitlines() if "[" in line or " = " in line))
    assert said["devices"]["pci-00-02-0"]["pci"] == "00:02.0"
    assert said["shared"]["shared-3f0f0000"] == {"size": "4K", "host": 0x3f0f_0000}


@given(st.integers(0, (1 << 64) - 1))
def test_numbers(number: int) -> None:
    """As others' readers take them, too: TOML's integers end at 63 bits."""
    for key in ("start", "size", "group"):
        (line,) = entry_lines(key, number)
        value = tomllib.loads(line)[key]
        assert parse_number(value) == number and (isinstance(value, str) or value < 1 << 63)


def test_numbers_are_readable() -> None:
    assert [value_text(n, "start") for n in (0, 0x800, 0x4000_0000, 0x40_1000_0000, 1 << 63)] == [
        "0", "0x800", "0x4000_0000", "0x40_1000_0000", '"0x8000_0000_0000_0000"']
    assert [value_text(n, "size") for n in (4096, 64 << 20, 0xf6_0000, 0x18)] == ['"4K"', '"64M"', "0xf6_0000", "0x18"]


# --- bytes nobody made ------------------------------------------------------------------

FILES = [system.encode() for system, _ in BOARDS.values()] + [c.encode() for _, cells in BOARDS.values() for c in cells]


@st.composite
def mangled(draw: st.DrawFn) -> bytes:
    """A good file in which some bytes are others, or which ends early."""
    data = bytearray(draw(st.sampled_from(FILES)))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data) - 1))
        data[at:at + 1] = draw(st.binary(min_size=1, max_size=1))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(data) // 4 - 2)) * 4
        number = draw(st.sampled_from([0, 1, 0xfff, 0x1000, 0x4000_0000, 0x3f10_0000, 1 << 63, (1 << 64) - 1]))
        data[at:at + 8] = number.to_bytes(8, "little")
    return bytes(data[:draw(st.one_of(st.just(len(data)), st.integers(0, len(data))))])


@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.one_of(mangled(), st.binary(max_size=600), st.sampled_from(FILES)), min_size=1, max_size=3))
def test_any_bytes(files: list[bytes]) -> None:
    """Nothing but texts or a reason comes of it, and the checker can read the texts."""
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        paths = write(directory, *files)
        problems = Problems()
        texts = import_files(paths, problems)
        assert bool(texts) == (problems.errors == 0)
        out = directory / "out"
        status = main(["import", *paths, "-o", str(out)])
        assert out.exists() == bool(texts)
        assert not (texts == {} and status == 0)
        for name in texts:
            text = tomllib.loads((out / name).read_text())
            for cell in text.get("cell", []):
                regions = [region["name"] for region in cell["memory"]]
                assert len(regions) == len(set(regions))


@pytest.mark.parametrize("data", FILES)
def test_every_truncation_is_said(data: bytes, tmp_path: Path) -> None:
    for end in range(0, len(data), 7):
        texts, said = imported(tmp_path, data[:end])
        assert texts == {} and ": error: " in said


def test_read_only_shared_memory_is_read_only(tmp_path: Path) -> None:
    cell, _ = cell_of(tmp_path, with_memory((0xc100_0000, 0x1000_0000, 0x1000, R | SHARED)))
    assert cell["shared"] == [{"name": "shared-c1000000", "guest": 0x1000_0000, "access": "r"}]
