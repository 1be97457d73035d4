# SPDX-License-Identifier: GPL-2.0-only
"""Cells that boot: what a loader of their own puts into their memory, at each start and each reset."""

import re
import struct

import pytest
from conftest import SPACE, STATE

AT, SIZE, ZERO, COUNT, LIVES = 0x8_0003, 1000, 5001, 0x30_0000, 4
DATA = bytes(n * 7 & 0xff for n in range(SIZE))
# One segment that is not aligned to anything, with memory behind it
ELF = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", 2, 183, 1, AT, 64, 0, 0, 64, 56, 1, 0, 0, 0) + \
    struct.pack("<IIQQQQQQ", 1, 7, 120, AT, AT, SIZE, SIZE + ZERO, 1) + DATA
WORDS = f"at={AT:#x} size={SIZE} zero={ZERO} count={COUNT:#x} lives={LIVES}"


@pytest.fixture(scope="module")
def more_files() -> dict[str, bytes]:
    return {"tests/data.elf": ELF, "tests/large": bytes(3 << 19)}


def checksum() -> str:
    total = 1
    for byte in DATA:
        total = (total * 31 + byte) & 0xffff_ffff
    return f"{total:x}"


def lives(root, first: int, last: int) -> None:
    """All that it finds is as it was loaded, but for the memory that no image is for."""
    said = root.expect(rf"^\[boot\] boot: life {last}: .*$")
    found = re.findall(r"^\[boot\] boot: (life .*?)\r?$", root.said(), re.MULTILINE)
    same = f"sum {checksum()}, 0 behind it not 0, tree at 200000 is edfe0dd0, spoilt 0"
    assert found == [f"life {n}: {same}" for n in range(first, last + 1)], said[0]


def test_each_life_begins_with_what_was_loaded(root):
    root.create("boot", "boot")
    load = f'cell load boot /inmates/boot.bin -s "{WORDS}" -a 0x1000 /tests/data.elf --entry 0'
    root.mark()
    root.jailhouse(load)
    root.start("boot")
    lives(root, 1, LIVES)
    root.wait_state("boot", "shut down")
    # started again, it is as it was; its memory is not emptied for that
    root.mark()
    root.start("boot")
    lives(root, LIVES + 1, LIVES + 1)
    root.wait_state("boot", "shut down")
    # nor for another load, as it is not loadable
    root.mark()
    root.jailhouse(load)
    root.start("boot")
    lives(root, LIVES + 2, LIVES + 2)
    root.wait_state("boot", "shut down")


def test_what_is_refused_changes_nothing(root):
    root.create("boot", "boot")
    root.refused("cell load boot /inmates/boot.bin /tests/large -a 0x100000", SPACE, r"bytes are missing: size = \"2M\"")
    root.refused("cell load boot /inmates/boot.bin -a 0x500000", SPACE, "not all in one region")
    root.refused("cell linux boot /inmates/boot.bin", 1, "no kernel image")
    root.jailhouse(f'cell load boot /inmates/boot.bin -s "{WORDS}" -a 0x1000 /tests/data.elf --entry 0')
    root.mark()
    root.start("boot")
    lives(root, 1, LIVES)


def test_files_of_cells_are_shown_as_they_were_given(root):
    root.create("boot", "boot")
    root.check(f"cmp {root.SYSFS}/cells/{root.cell_id('boot')}/config /tests/boot/boot.cell")
    root.check(f"cmp {root.SYSFS}/cells/0/config {root.SYSTEM}")
    assert root.check(f"stat -c '%a %s' {root.SYSFS}/cells/0/config").split()[0] == "400"


def test_a_running_cell_is_not_loaded(root):
    root.create("boot", "boot")
    root.jailhouse("cell load boot /inmates/hello.bin")
    root.start("boot")
    root.refused("cell load boot /inmates/hello.bin", STATE, "is running")
    root.goes_on("boot")
