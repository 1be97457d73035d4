# SPDX-License-Identifier: GPL-2.0-only
"""Each mistake in the demo's texts: where it is said to be, and in which words."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from jailhouse.config.command import checked_system, main
from jailhouse.config.problems import Problem

Edited = Callable[..., Path]

RTOS_RAM = 'name = "ram", guest = 0, size = "1M",'
RTOS = 'cpus = [3]'
COMPUTE = 'cpus = [2]'
LINUX = '0x4000_0000, size = "1792M"'
HYPERVISOR = '0xbf00_0000, size = "16M"'

# Its name, (what to replace, by what) ..., (file, words of the line it is said of), words of it
CASES: list[tuple[str, tuple[tuple[str, str], ...], tuple[str, str], tuple[str, ...]]] = [
    ("unknown key", ((RTOS, 'cpu = [3]'),), ("demo.toml", "cpu = [3]"),
     ("unknown key `cpu`", "did you mean `cpus`?")),
    ("missing key", ((RTOS, ''),), ("demo.toml", "[[cell]]"), ('cell "rtos"', "`cpus` is missing")),
    ("unknown unit", ((RTOS_RAM, 'name = "ram", guest = 0, size = "1MB",'),), ("demo.toml", "1MB"),
     ('unknown unit "MB"', "K, M, G, T")),
    ("lower-case unit", (('size = "64M", access', 'size = "64m", access'),), ("demo.toml", "64m"),
     ('unknown unit "m"',)),
    ("no number", ((RTOS_RAM, 'name = "ram", guest = "zero", size = "1M",'),),
     ("demo.toml", '"zero"'),
     ('"zero" is no number',)),
    ("negative", ((RTOS_RAM, 'name = "ram", guest = -4096, size = "1M",'),), ("demo.toml", "-4096"),
     ("-4096 does not fit",)),
    ("float", ((RTOS_RAM, 'name = "ram", guest = 0.5, size = "1M",'),),
     ("demo.toml", "guest = 0.5"),
     ("0.5 is no number",)),
    ("too big", ((RTOS_RAM, 'name = "ram", guest = 0, size = "99999999T",'),),
     ("demo.toml", "99999999T"),
     ("does not fit 64 bits",)),
    ("zero size", ((RTOS_RAM, 'name = "ram", guest = 0, size = 0,'),), ("demo.toml", "size = 0,"),
     ("`size` is 0", "give it a size")),
    ("guest misaligned", ((RTOS_RAM, 'name = "ram", guest = 0x800, size = "1M",'),
                          (RTOS, RTOS + "\nentry = 0x800")), ("demo.toml", "guest = 0x800"),
     ("start 0x800 is no multiple of 4K", "use 0x0 or 0x1000")),
    ("access", (('size = "64M", access = "rwx"', 'size = "64M", access = "wx"'),),
     ("demo.toml", '"wx"'),
     ('"wx" is not known', "r, rw, rx, rwx")),
    ("name too long", (('"rtos"', '"' + "r" * 32 + '"'),), ("demo.toml", "rrrr"),
     ("it has 32 bytes, 1 more than fit",)),
    ("name not ASCII", (('"rtos"', '"rt\u00f6s"'),),
     ("demo.toml", "rt\u00f6s"), ("not printable ASCII",)),
    ("name empty", (('"rtos"', '""'),), ("demo.toml", 'name = ""'), ("it is empty",)),
    ("name no file name", (('"rtos"', '"../rtos"'),),
     ("demo.toml", "../rtos"), ("name of a file",)),
    ("name system", (('"rtos"', '"system"'),), ("demo.toml", '"system"'), ("beside system.cell",)),
    ("two of one name", (('"compute"', '"rtos"'),), ("demo.toml", "[[cell]]"),
     ('cell "rtos"', "another cell", "demo.toml:")),
    ("name of the root cell", (('"compute"', '"root"'),),
     ("demo.toml", "[[cell]]"), ("the root cell",)),
    ("CPU out of range", ((RTOS, 'cpus = [4]'),), ("demo.toml", "[4]"), ("4 is outside 0..3",)),
    ("CPU twice", ((COMPUTE, 'cpus = ["2-3"]'),), ("demo.toml", '["2-3"]'),
     ('cell "compute", CPU 3', 'cell "rtos"', "demo.toml:")),
    ("CPU twice in one", ((RTOS, 'cpus = [3, 3]'),), ("demo.toml", "[3, 3]"), ("CPU 3 again",)),
    ("no CPU", ((RTOS, 'cpus = []'),), ("demo.toml", "[[cell]]"), ("it has no CPU",)),
    ("root without a CPU", ((RTOS, 'cpus = [0, 1, 3]'),), ("demo.toml", "SPDX"),
     ("all 4 CPUs", 'the root cell "root" has none')),
    ("range backwards", ((RTOS, 'cpus = ["3-2"]'),),
     ("demo.toml", "3-2"), ("ends before it starts",)),
    ("host overlap", ((RTOS_RAM, RTOS_RAM + " host = 0xb010_0000,"),
                      ('size = "64M", access', 'size = "64M", host = 0xb000_0000, access')),
     ("demo.toml", "host = 0xb000_0000"),
     ('cell "rtos", memory "ram" (', 'demo.toml:', 'cell "compute", memory',
                      "at 0xb0100000+1M")),
    ("host outside", ((RTOS_RAM, RTOS_RAM + " host = 0x8000_0000,"),),
     ("demo.toml", "host = 0x8000_0000"),
     ("0x80000000+1M is not within the cells' RAM 0xb0000000+240M", "demo.toml:")),
    ("host half outside", ((RTOS_RAM, RTOS_RAM + " host = 0xbefff000,"),),
     ("demo.toml", "host = 0xbefff000"),
     ("is not within the cells' RAM",)),
    ("does not fit", (('size = "64M", access', 'size = "239M", access'),), ("demo.toml", "239M"),
     ("239M fit nowhere in the cells' RAM",)),
    ("linux on cells", ((LINUX, '0x4000_0000, size = "1793M"'),), ("demo.toml", "cells = {"),
     ("Linux RAM 0x40000000+1793M", "overlap at 0xb0000000+1M")),
    ("linux outside", ((LINUX, '0x3000_0000, size = "1792M"'),), ("demo.toml", "linux = {"),
     ("is not within the RAM of machine",)),
    ("hypervisor small", ((HYPERVISOR, '0xbf00_0000, size = "2M"'),),
     ("demo.toml", "hypervisor = {"),
     ("2M are too little", "4M or more")),
    ("hypervisor misaligned", ((HYPERVISOR, '0xbf10_0000, size = "14M"'),),
     ("demo.toml", "hypervisor = {"),
     ("0xbf100000 is no multiple of 2M", "0xbf000000 or 0xbf200000")),
    ("entry", ((RTOS, RTOS + "\nentry = 0x10_0000"),), ("demo.toml", "entry ="),
     ("entry 0x100000 is outside its executable memory", '"ram" 0x0+1M')),
    ("comm page on memory", ((COMPUTE, COMPUTE + "\ncomm_page = 0x1000"),),
     ("demo.toml", "comm_page = 0x1000"),
     ('memory "ram"', "communication page", "overlap in guest addresses at 0x1000+4K")),
    ("guest on the GIC", ((RTOS_RAM, 'name = "ram", guest = 0x0800_0000, size = "1M",'),
                          (RTOS, RTOS + "\nentry = 0x0800_0000")),
     ("demo.toml", "guest = 0x0800_0000"),
     ("overlaps gicd", "machine.toml:")),
    ("unknown device", ((RTOS, RTOS + '\ndevices = ["uart2"]'),), ("demo.toml", "uart2"),
     ('has no device "uart2"', 'did you mean "uart')),
    ("device twice", ((RTOS, RTOS + '\ndevices = ["uart1"]'),
                      (COMPUTE, COMPUTE + '\ndevices = ["uart1"]')), ("demo.toml", "devices ="),
     ('cell "rtos", device "uart1"', 'cell "compute", device "uart1"', "both have it")),
    ("interrupt of Linux's device", ((RTOS, RTOS + '\ninterrupts = [34]'),),
     ("demo.toml", "interrupts = [34]"),
     ("interrupt 34", 'cell "rtos"', 'root cell "root", device "rtc"', "machine.toml:")),
    ("interrupt of a cell's device", ((RTOS, RTOS + '\ndevices = ["uart1"]'),
                                      (COMPUTE, COMPUTE + '\ninterrupts = ["38-40"]')),
     ("demo.toml", 'devices = ["uart1"]'),
     ("interrupt 40", 'cell "rtos", device "uart1"', 'cell "compute"')),
    ("interrupt out of range", ((RTOS, RTOS + '\ninterrupts = [288]'),), ("demo.toml", "288"),
     ("288 is outside 32..287",)),
    ("console unknown", (('cpus = [3]\nconsole = "putc"', 'cpus = [3]\nconsole = "uart1"'),),
     ("demo.toml", 'console = "uart1"'), ('console "uart1" is no UART of its own', "`devices`")),
    ("shared unknown", ((RTOS, RTOS + '\nshared = [{ name = "box", guest = 0x7000_0000 }]'),),
     ("demo.toml", '"box"'), ('no shared region "box"', "[shared.box]")),
    ("page of two owners", (('0x0904_0000, size = "4K"', '0x0903_0800, size = "1K"'),
                            ('0x0903_0000, size = "4K"', '0x0903_0000, size = "1K"'),
                            (RTOS, RTOS + '\ndevices = ["uart1"]')),
     ("demo.toml", 'devices = ["uart1"]'),
     ('cell "rtos", device "uart1"', 'root cell "root", device "gpio"',
      "same page 0x9030000+4K")),
    ("devices overlap", (('0x0904_0000, size = "4K"', '0x0903_0800, size = "4K"'),),
     ("machine.toml", "0x0903_0800"),
     ("gpio 0x9030000+4K", "uart1 0x9030800+4K", "overlap at 0x9030800+2K")),
    ("device on the GIC", (('0x0808_0000, size = "128K"', '0x0800_8000, size = "4K"'),),
     ("machine.toml", "0x0800_8000"), ("its 0x8008000+4K", "gicd")),
    ("registers too few", (('size = 0xf6_0000', 'size = "256K"'),), ("machine.toml", "gicr ="),
     ("no room for 4 redistributors of 128K",)),
    ("maintenance", (('maintenance_irq = 25', 'maintenance_irq = 32'),),
     ("machine.toml", "maintenance_irq = 32"),
     ("32 is no PPI",)),
    ("architecture", (('arch = "arm64"', 'arch = "arm46"'),), ("machine.toml", "arm46"),
     ('did you mean "arm64"?',)),
    ("CPU ids", (('cpus = 4', 'cpus = [0, 1, 1, 2]'),),
     ("machine.toml", "[0, 1, 1, 2]"), ("0x1 stands there twice",)),
    ("CPU id", (('cpus = 4', 'cpus = [0, 0x8000_0001, 2, 3]'),), ("machine.toml", "0x8000_0001"),
     ("0x80000001 is no MPIDR affinity",)),
    ("console of the machine", (('console = "uart0"', 'console = "rtc"'),),
     ("machine.toml", 'console = "rtc"'),
     ('console "rtc" is no device with a `uart`',)),
    ("machine missing", (('machine = "machine.toml"', 'machine = "mashine.toml"'),),
     ("demo.toml", "mashine"), ("cannot read", "No such file")),
    ("no TOML", ((RTOS, 'cpus = [3'),), ("demo.toml", 'console = "putc"'), ("not TOML",)),
    ("table twice", (("[devices.rtc]", "[devices.uart0]"),),
     ("machine.toml", "[devices.uart0]"), ("not TOML",)),
]


def said_of(problem: Problem) -> tuple[str, str]:
    """The file's name and the line of text the message points at."""
    file = Path(problem.where.file)
    return file.name, file.read_text().splitlines()[problem.where.line - 1]


@pytest.mark.parametrize(("changes", "place", "words"), [case[1:] for case in CASES],
                         ids=[case[0] for case in CASES])
def test_mistake(edited: Edited, changes: tuple[tuple[str, str], ...],
                 place: tuple[str, str], words: tuple[str, ...]) -> None:
    system, problems = checked_system(str(edited(*changes)))
    assert system is None
    found = [(*said_of(p), str(p)) for p in problems if not p.warning]
    assert any(file == place[0] and place[1] in line and all(word in text for word in words)
               for file, line, text in found), found
    for _, _, text in found:
        assert re.search(r"^\S+:\d+: error: .+\n    why: .+\n    fix: .+$", text)


def test_one_mistake_makes_one_message(edited: Edited) -> None:
    """Follow-up errors would hide the cause."""
    for changes in (((RTOS, 'cpus = [4]'),),
                    ((RTOS_RAM, 'name = "ram", guest = 0, size = "1MB",'),),
                    ((RTOS, RTOS + '\ndevices = ["uart2"]'),)):
        _, problems = checked_system(str(edited(*changes)))
        assert problems.errors == 1, [str(p) for p in problems]


def test_every_mistake_is_reported(edited: Edited, capsys: pytest.CaptureFixture[str]) -> None:
    file = edited((RTOS, 'cpus = [2]\ncolour = "red"'), (HYPERVISOR, '0xbf00_0000, size = "2M"'),
                  ('size = "64M", access', 'size = "64M", host = 0x4000_0000, access'),
                  ('spis = 256', 'spis = 256\nspeed = 1'))
    assert main(["check", str(file)]) == 1
    text = capsys.readouterr().err
    for words in ("unknown key `colour`", "unknown key `speed`", "CPU 2", "too little",
                  "not within the cells' RAM", "5 errors"):
        assert words in text


@pytest.mark.parametrize(("changes", "words"), [
    (((HYPERVISOR, '0xbf00_0000, size = "8M"'),), "RAM 0xbf800000+8M belongs to nobody"),
    ((('[memory]', '[shared.box]\nsize = "64K"\n[memory]'),), "no cell uses it"),
    ((('cpus = [3]\nconsole = "putc"', 'cpus = [3]\nconsole = "uart0"\ndevices = ["uart0"]'),),
     "is the hypervisor's too"),
    (((LINUX, '0x5000_0000, size = "1536M"'),), "not the lowest part"),
])
def test_warning(edited: Edited, changes: tuple[tuple[str, str], ...], words: str) -> None:
    system, problems = checked_system(str(edited(*changes)))
    assert system is not None, [str(p) for p in problems]
    assert any(words in str(p) for p in problems)


@pytest.mark.parametrize("raw", [b"\xff\xfe", b"JHCONFIG\x01\x00\x80", b"a = [" * 5000,
                                 b"a = " + b"9" * 5000])
def test_bytes_that_are_no_text(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "x.toml").write_bytes(raw)
    system, problems = checked_system(str(tmp_path / "x.toml"))
    assert system is None
    assert problems.errors == 1
