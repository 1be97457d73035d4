# SPDX-License-Identifier: GPL-2.0-only
"""Who has what, as text, as a comparison and as a page; and what a fault says of it."""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from conftest import DEMO, PC_DEMO

from jailhouse.__main__ import main as jailhouse
from jailhouse.config.command import checked_system, main
from jailhouse.config.model import System
from jailhouse.config.partition import memory_map
from jailhouse.faults.learn import lessons

Edited = Callable[..., Path]
RTOS = 'cpus = [3]\nconsole = "putc"'


def system_of(file: Path) -> System:
    system, problems = checked_system(str(file))
    assert system is not None, [str(p) for p in problems]
    return system


@pytest.mark.parametrize("demo", [DEMO, PC_DEMO])
def test_every_byte_of_ram_has_one_line(demo: Path) -> None:
    system = system_of(demo)
    pieces = memory_map(system)
    assert sum(p.span.size for p in pieces) == sum(r.span.size for r in system.machine.ram)
    assert all(a.span.end <= b.span.start for a, b in zip(pieces, pieces[1:], strict=False))
    owners = {p.owner for p in pieces}
    assert owners == {"root", "rtos", "compute", "guest", "(hypervisor)", ""}


def test_explain(capsys: pytest.CaptureFixture[str], edited: Edited) -> None:
    file = edited((RTOS, 'cpus = [3]\nconsole = "uart1"\ndevices = ["uart1"]'))
    assert main(["explain", str(file)]) == 0
    text = capsys.readouterr().out
    assert re.search(r'├── root cell "root"\n│   ├── CPU 0-1\n', text)
    assert '│   ├── device "uart1" registers 4K at 0x904_0000, interrupts 40' in text
    assert "uart1" not in next(line for line in text.splitlines() if "9 devices:" in line)
    assert re.search(r"^ +0xbf00_0000 +16M +\(hypervisor\) +hypervisor$", text, re.MULTILINE)


def test_diff(capsys: pytest.CaptureFixture[str], edited: Edited, tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    for name in ("demo.toml", "machine.toml"):
        (tmp_path / "old" / name).write_text(edited().with_name(name).read_text())
    new = edited((RTOS, 'cpus = [3]\nconsole = "uart1"\ndevices = ["uart1"]'))
    old = tmp_path / "old" / "demo.toml"
    assert main(["diff", str(old), str(old)]) == 0
    assert capsys.readouterr().out == ""
    assert main(["diff", str(old), str(new)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines == ['root cell "root"', '  - device "uart1": its own', 'cell "rtos"',
                     '  + memory "uart1" at 0x9040000: rw- io 4K at host 0x9040000',
                     '  + device "uart1": registers 4K at 0x904_0000, interrupts 40',
                     "  + interrupts: 40+1 as 40", "  - console: putc", "  + console: uart1"]
    assert main(["diff", str(old), str(tmp_path / "none.toml")]) == 2
    new.write_text(old.read_text().replace("wfi = \"trusted\"", "wfi = \"trusted\"\ncpu_ids = \"counted\""))
    capsys.readouterr()
    assert main(["diff", str(old), str(new)]) == 1
    assert "rtos.cell differs in what is not shown here" in capsys.readouterr().out


class Page(HTMLParser):
    """That what is opened is closed, and what would be fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words = ""
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [name for name, _ in attrs if name in ("src", "href")]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.mark.parametrize("demo", [DEMO, PC_DEMO])
def test_page(demo: Path, tmp_path: Path, edited: Edited) -> None:
    out = tmp_path / "page.html"
    assert main(["show", "--html", str(out), str(demo)]) == 0
    page = Page()
    page.feed(out.read_text())
    assert page.open == [] and page.fetched == []
    for words in ("CPU 0", "CPU 3", "rtos: ram, 1M", "hypervisor, 16M", "uart1"):
        assert words in page.words


def test_names_in_a_page_are_words(tmp_path: Path, edited: Edited) -> None:
    file = edited(('name = "ram", guest = 0, size = "64M"', 'name = "<b>&", guest = 0, size = "64M"'))
    assert main(["show", "--html", str(tmp_path / "page.html"), str(file)]) == 0
    assert "&lt;b&gt;&amp;, 64M" in (tmp_path / "page.html").read_text()


# --- faults ---

FAULT = 'FAILED cell "rtos": CPU 3: not its memory: %s of 0x%x at PC 0x104; nearest is "ram" 0x0..0xfffff rwx'


@pytest.mark.parametrize(("line", "meant", "advice"), [
    (FAULT % ("write", 0x904_0018), 'device "uart1", uart1 + 0x18, which is the root cell\'s',
     'devices = ["uart1"], which brings interrupt 40 too'),
    # two of virtio's transports are on that page, and all are one device here
    (FAULT % ("read", 0xa00_0e00), 'device "virtio"', 'devices = ["virtio"], which brings interrupts 48'),
    (FAULT % ("read", 0x4000_0000), "RAM of the machine", 'guest = 0x40000000, size = "1M"'),
    (FAULT % ("write", 0x10_0000), 'device "flash", flash + 0x100000, which is the root cell\'s; it is just behind its memory "ram", too', "flash"),
    (FAULT % ("read", 0x7000_0000_0000), "nothing that the machine's text knows", "jailhouse config create"),
    ('FAILED cell "rtos": CPU 3: not permitted: execute of 0x10 at PC 0x104; nearest is "ram" 0x0..0xfffff rwx',
     'its own memory "ram", which it may not execute', "write access"),
    ('cell "rtos": CPU 3: exit beyond its contract (none after 500 ms): mmio 0x8000004 at PC 0x33e0',
     "an access to the gicd at 0x8000004", "within `settle_ms`"),
    ('cell "rtos": CPU 3: exit beyond its contract (9 a second after 500 ms): wfi at PC 0x33e0', "of kind wfi", 'wfi = "trusted"'),
])
def test_faults(line: str, meant: str, advice: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "log").write_text(f"enabled\n[   3.1] {line}\n{line}\ncell \"rtos\" started\nFAILED cell \"other\": CPU 1: SError\n")
    assert jailhouse(["explain", str(DEMO), str(tmp_path / "log")]) == 0
    lesson, = list(lessons((tmp_path / "log").read_text().splitlines(), system_of(DEMO)))
    assert meant in lesson.meant and advice in lesson.advice
    assert capsys.readouterr().out == f"{lesson}\n"


def test_a_device_of_another_cell(edited: Edited) -> None:
    system = system_of(edited(('cpus = [2]\nconsole = "putc"', 'cpus = [2]\nconsole = "uart1"\ndevices = ["uart1"]')))
    lesson, = lessons([FAULT % ("read", 0x904_0000)], system)
    assert "which is cell \"compute\"'s" in lesson.meant and 'take it from cell "compute"' in lesson.advice


def test_ports() -> None:
    system = system_of(PC_DEMO)
    lines = ['FAILED cell "rtos": CPU 3: read of port 0x2fd at PC 0x7c; nearest of its ports are 0x3f8..0x3ff',
             'refused to cell "rtos": CPU 3: write to port 0x9999 at PC 0x7c',
             'refused to cell "rtos": CPU 3: read of MSR 0x1a0 at PC 0x7c']
    uart, unknown, msr = lessons(lines, system)
    assert 'a port of device "uart1"' in uart.meant and 'devices = ["uart1"], which brings interrupt 3 too' in uart.advice
    assert 'ports = ["0x9999"]' in unknown.advice
    assert "register 0x1a0" in msr.meant


def test_memory_that_cannot_be_had_more_of(tmp_path: Path) -> None:
    """No advice that the reader would refuse."""
    system = system_of(DEMO)
    boot, comm = lessons([FAULT.replace("rtos", "guest") % ("write", 0x2000_0000), FAULT % ("execute", 0x8000_0000)], system)
    assert "rwx" not in boot.advice and "communication page" in comm.meant


def test_messages_that_cannot_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "jailhouse").write_text("#!/bin/sh\necho not enabled >&2\nexit 3\n")
    (tmp_path / "jailhouse").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert jailhouse(["explain", str(DEMO)]) == 1
    assert "it ended with 3: not enabled" in capsys.readouterr().err


def test_nothing_to_explain(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "log").write_bytes(b"\xff\xfe cell\n")
    assert jailhouse(["explain", str(DEMO), str(tmp_path / "log")]) == 0
    assert "no message is about a fault" in capsys.readouterr().out
    assert jailhouse(["explain", str(DEMO), str(tmp_path / "none")]) == 1
    assert "cannot read the messages" in capsys.readouterr().err
