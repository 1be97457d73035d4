# SPDX-License-Identifier: GPL-2.0-only
"""Machines that cells stand in for: what `platform` stands for, what says something else instead, what is refused."""

from collections.abc import Callable
from pathlib import Path

import pytest

from jailhouse.config import abi, blob
from jailhouse.config.command import checked_system, main
from jailhouse.config.emit import CellFile, Section

Edited = Callable[..., Path]
COMPUTE = '''console = "putc"
memory = [
	{ name = "ram", guest = 0, size = "64M", access = "rwx", loadable = true },
]
'''
R = abi.ABI_MEM_READ
RW, RX = R | abi.ABI_MEM_WRITE, R | abi.ABI_MEM_EXEC
RWX = RW | RX
LOADABLE, BOOT = abi.ABI_MEM_LOADABLE, abi.ABI_MEM_LOADABLE | abi.ABI_MEM_BOOT
Regions = dict[str, tuple[int, int, int]]
RAM: Regions = {"ram": (0x4000_0000, 32 << 20, RWX)}
BOOTED: Regions = {"boot": (0x2000_0000, 16 << 20, RX | BOOT)}
MORE: Regions = {"more": (0x7000_0000, 1 << 20, R)}


def guest(edited: Edited, text: str) -> Path:
    """The compute cell with a platform and `text` in place of its console and memory."""
    return edited((COMPUTE, f'platform = "qemu-virt"\n{text}\n'))


def section(file: Path, out: Path) -> Section:
    assert main(["build", str(file), "-o", str(out)]) == 0
    built = blob.decode((out / "compute.cell").read_bytes())
    assert isinstance(built, CellFile)
    return built.cell


def regions(cell: Section) -> Regions:
    return {m.name: (m.virt, m.size, m.flags) for m in cell.mem}


def test_the_machine(edited: Edited, tmp_path: Path) -> None:
    cell = section(guest(edited, 'ram = "32M"'), tmp_path / "out")
    assert regions(cell) == RAM | BOOTED		# and no communication page
    assert (cell.entry, cell.gicd, cell.gicr) == (0x2000_0000, 0x0800_0000, 0x080a_0000)
    assert cell.flags & abi.ABI_CELL_CPUS_COUNTED
    (irq,) = cell.irqs
    assert irq.virt == 33
    assert cell.uart == {"address": 0x0900_0000, "type": abi.ABI_CONSOLE_PL011, "irq": irq.first}
    assert cell.console["address"] == 0x0900_0000


@pytest.mark.parametrize(("text", "expected"), [
    ('boot = "1M"', {"boot": (0x2000_0000, 1 << 20, RX | BOOT)}),
    ('flash = "2M"', BOOTED | {"flash": (0, 2 << 20, RX | LOADABLE), "flash1": (0x0400_0000, 256 << 10, R | LOADABLE)}),
    # More memory is beside what the platform has, however it is written
    ('memory = [{ name = "more", guest = 0x7000_0000, size = "1M", access = "r" }]', BOOTED | MORE),
    ('memory = { name = "more", guest = 0x7000_0000, size = "1M", access = "r" }', BOOTED | MORE),
    ('comm_page = 0x7000_0000', BOOTED | {"comm page": (0x7000_0000, 4096, RW | abi.ABI_MEM_COMM)}),
])
def test_its_memory(edited: Edited, tmp_path: Path, text: str, expected: Regions) -> None:
    assert regions(section(guest(edited, f'ram = "32M"\n{text}'), tmp_path / "out")) == RAM | expected


def test_what_is_said_stands(edited: Edited, tmp_path: Path) -> None:
    cell = section(guest(edited, 'ram = "32M"\nconsole = "putc"\ncpu_ids = "machine"\nentry = 0x2000_1000'),
                   tmp_path / "out")
    assert not cell.uart["address"] and not cell.irqs and cell.flags & abi.ABI_CELL_PUTC_CONSOLE
    assert not cell.flags & abi.ABI_CELL_CPUS_COUNTED
    assert cell.entry == 0x2000_1000
    cell = section(guest(edited, 'ram = "32M"\nuart = { guest = 0x0a00_0000 }'), tmp_path / "other")
    assert cell.uart["address"] == 0x0a00_0000 and not cell.irqs


@pytest.mark.parametrize(("text", "words"), [
    ("", ("`ram` is missing", "add `ram = ...`")),
    ('ram = "32 eggs"', ('"ram"', 'unknown unit "eggs"')),
    ('ram = "1G"', ('memory "ram"', "1G fit nowhere", "enlarge `cells`")),
    ('ram = "32M"\nflash = 0', ('"flash"', "`size` is 0")),
    ('ram = "32M"\nentry = 0x4000_0000', ("entry 0x40000000", 'not in memory "boot"')),
    ('ram = "32M"\nboot = "3K"', ('memory "boot"', "no multiple of 4K")),
    ('ram = "32M"\nmemory = 5', ("5 is no table",)),
    ('ram = "32M"\nmemory = { name = "more", guest = 0x4100_0000, size = "1M", access = "r" }',
     ('memory "ram"', 'memory "more"', "overlap in guest addresses")),
    ('ram = "32M"\nflahs = "2M"', ("unknown key `flahs`", "did you mean `flash`?")),
])
def test_what_is_refused(edited: Edited, text: str, words: tuple[str, ...]) -> None:
    system, problems = checked_system(str(guest(edited, text)))
    assert system is None
    said = [str(p) for p in problems]
    assert any(all(word in line for word in words) for line in said), said


@pytest.mark.parametrize(("name", "words"), [
    ("qemu-vrit", ('"qemu-vrit" is not known', 'did you mean "qemu-virt"?')),
    ("pc", ('"pc" is not known', "known: qemu-virt")),
])
def test_no_such_machine(edited: Edited, name: str, words: tuple[str, ...]) -> None:
    system, problems = checked_system(str(edited((COMPUTE, f'platform = "{name}"\n{COMPUTE}'))))
    assert system is None
    assert [str(p) for p in problems if all(word in str(p) for word in words)]


def test_a_pc_stands_in_for_none(edited_pc: Edited) -> None:
    system, problems = checked_system(str(edited_pc(("cpus = [2]\n", 'cpus = [2]\nplatform = "qemu-virt"\n'))))
    assert system is None
    (said,) = map(str, problems)
    assert "there is no other machine for it to stand in for" in said and "remove it" in said
