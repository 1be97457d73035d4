# SPDX-License-Identifier: GPL-2.0-only
"""UARTs that only the hypervisor has: what is written of them, decided and refused."""

from collections.abc import Callable
from pathlib import Path

import pytest

from jailhouse.config import abi, blob
from jailhouse.config.command import checked_system, main
from jailhouse.config.emit import CellFile, Irq, Section

Edited = Callable[..., Path]
COMPUTE = 'cpus = [2]\nconsole = "putc"'
PL011_FLAGS = abi.ABI_CONSOLE_MMIO | abi.ABI_CONSOLE_STRIDE_4


def section(file: Path, out: Path, name: str = "compute") -> Section:
    assert main(["build", str(file), "-o", str(out)]) == 0
    built = blob.decode((out / f"{name}.cell").read_bytes())
    assert isinstance(built, CellFile)
    return built.cell


@pytest.mark.parametrize(("uart", "irqs", "injected", "shown"), [
    # A number nobody has stays what it is; one that is a device's stands for the last that is nobody's
    ("interrupt = 250", (Irq(250, 1, 250),), False, "interrupt 250, which is line 250, direct"),
    ("interrupt = 33", (Irq(287, 1, 33),), True, "interrupt 33, which is line 287, injected"),
    ("interrupt = 1000", (Irq(287, 1, 1000),), True, "interrupt 1000, which is line 287, injected"),
    ("interrupt = 33, line = 230", (Irq(230, 1, 33),), True, "interrupt 33, which is line 230, injected"),
    ("line = 230", (Irq(230, 1, 230),), False, "interrupt 230, which is line 230, direct"),
    ("", (), False, "no interrupt"),
])
def test_what_is_decided(edited: Edited, tmp_path: Path, capsys: pytest.CaptureFixture[str], uart: str,
                         irqs: tuple[Irq, ...], injected: bool, shown: str) -> None:
    keys = ", ".join(filter(None, ("guest = 0x0900_0000", uart)))
    cell = section(edited((COMPUTE, f"cpus = [2]\nuart = {{ {keys} }}")), tmp_path / "out")
    assert f"compute: uart pl011 at 0x9000000, {shown}" in capsys.readouterr().out.splitlines()
    assert cell.irqs == irqs and bool(cell.flags & abi.ABI_CELL_INJECTED) == injected
    assert cell.uart == {"address": 0x0900_0000, "type": abi.ABI_CONSOLE_PL011, "irq": irqs[0].first if irqs else 0}
    # its console, as nothing else is said
    assert (cell.console["address"], cell.console["size"], cell.console["type"], cell.console["flags"]) == \
        (0x0900_0000, 4096, abi.ABI_CONSOLE_PL011, PL011_FLAGS)
    assert not cell.flags & abi.ABI_CELL_PUTC
    assert main(["show", str(tmp_path / "out" / "compute.cell")]) == 0
    line = f" line {irqs[0].first}" if irqs else ""
    assert f"  uart pl011 0x9000000{line}" in capsys.readouterr().out.splitlines()


def test_each_cell_has_its_own_line(edited: Edited, tmp_path: Path) -> None:
    file = edited((COMPUTE, "cpus = [2]\nuart = { guest = 0x0900_0000, interrupt = 33 }"),
                  ('cpus = [3]\nconsole = "putc"\n', "cpus = [3]\nuart = { guest = 0x0900_0000, interrupt = 33 }\n"),
                  ('wfi = "trusted"\n', ""))
    assert section(file, tmp_path / "out", "rtos").irqs == (Irq(287, 1, 33),)
    assert section(file, tmp_path / "out").irqs == (Irq(286, 1, 33),)


def test_a_console_may_be_another_thing(edited: Edited, tmp_path: Path) -> None:
    cell = section(edited((COMPUTE, 'cpus = [2]\nconsole = "putc"\nuart = { guest = 0x0900_0000 }')), tmp_path / "out")
    assert cell.console["type"] == abi.ABI_CONSOLE_NONE and cell.flags & abi.ABI_CELL_PUTC_CONSOLE


def test_by_port(edited_pc: Edited, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cell = section(edited_pc((COMPUTE, "cpus = [2]\nuart = { port = 0x3f8 }")), tmp_path / "out")
    assert "compute: uart 8250 at 0x3f8, no interrupt" in capsys.readouterr().out.splitlines()
    assert cell.uart == {"address": 0x3f8, "type": abi.ABI_CONSOLE_8250, "irq": 0} and cell.pios == ()
    assert (cell.console["address"], cell.console["size"], cell.console["flags"]) == (0x3f8, 8, 0)


@pytest.mark.parametrize(("text", "words"), [
    ("uart = { interrupt = 33 }", ("`guest` is missing",)),
    ("uart = { guest = 0x0900_0004 }", ("uart", "0x9000004")),
    ("uart = { guest = 0x0010_0000, port = 1 }", ("unknown key `port`",)),
    ("uart = { guest = 0x0800_0000 }", ("overlaps gicd",)),
    ("uart = { guest = 0x0100_0000 }", ('memory "ram"', "overlap in guest addresses")),
    ("uart = { guest = 0x8000_0000 }", ("communication page", "overlap in guest addresses")),
    ("uart = { guest = 0x0900_0000, interrupt = 20 }", ("20 is no line",)),
    ("uart = { guest = 0x0900_0000, line = 288 }", ("288 is no line",)),
    ("uart = { guest = 0x0900_0000, line = 40 }", ("interrupt 40", 'device "uart1"')),
    ("uart = 5", ("5 is no table",)),
    ('uart = { guest = 0x0900_0000, interrupt = 33 }\ninterrupts = "direct"',
     ("line 287 is renumbered to 33", 'say interrupts = "injected"')),
    ('uart = { guest = 0x0900_0000 }\nexits = "none"', ('exits are "none"', "only the hypervisor has")),
    ('uart = { guest = 0x0900_0000, interrupt = 48 }\ndevices = ["virtio"]', ("would be its 48", "line 48 is already")),
    ('console = "uart"', ('console "uart" is no UART of its own',)),
    ('uart = { guest = 0x0900_0000, interrupt = 33 }\nlines = [32, "41-47", "80-143", "208-287"]', ("no line is left",)),
])
def test_what_is_refused(edited: Edited, text: str, words: tuple[str, ...]) -> None:
    system, problems = checked_system(str(edited((COMPUTE, f"cpus = [2]\n{text}"))))
    assert system is None
    said = [str(p) for p in problems]
    assert any(all(word in line for word in words) for line in said), said


@pytest.mark.parametrize(("text", "words"), [
    ("uart = { port = 0xfff9 }", ("are no I/O ports",)),
    ("uart = { port = 0xcf8 }", ("port 0xcf8 is mediated",)),
    ("uart = { port = 0x3f8, interrupt = 4 }", ("interrupts nobody",)),
    ('uart = { port = 0x3f8 }\nports = ["0x3ff-0x400"]', ("its uart and its ports 0x3ff to 0x400",)),
])
def test_what_is_refused_by_port(edited_pc: Edited, text: str, words: tuple[str, ...]) -> None:
    system, problems = checked_system(str(edited_pc((COMPUTE, f"cpus = [2]\n{text}"))))
    assert system is None
    said = [str(p) for p in problems]
    assert any(all(word in line for word in words) for line in said), said
