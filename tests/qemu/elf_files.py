# SPDX-License-Identifier: GPL-2.0-only
"""ELF files for the machine: programs as they were linked, and changed in one place each."""

import struct
from dataclasses import dataclass
from pathlib import Path

LOAD = 1
MACHINE_AT, ENTRY_AT, PROGRAMS_AT, PROGRAM_COUNT_AT = 18, 24, 32, 56
PADDR_AT = 24
MACHINES = (62, 183)
PROGRAM = struct.Struct("<IIQQQQQQ")


@dataclass(frozen=True)
class Segment:
    at: int
    size: int  # in the file
    memory: int


def _put(content: bytes, at: int, form: str, value: int) -> bytes:
    changed = bytearray(content)
    struct.pack_into(form, changed, at, value)
    return bytes(changed)


def segments(content: bytes) -> list[Segment]:
    first, count = struct.unpack_from("<Q", content, PROGRAMS_AT)[0], struct.unpack_from("<H", content, PROGRAM_COUNT_AT)[0]
    entries = [PROGRAM.unpack_from(content, first + n * PROGRAM.size) for n in range(count)]
    return [Segment(paddr, size, memory) for kind, _, _, _, paddr, size, memory, _ in entries if kind == LOAD]


def elf_files(inmates: Path) -> dict[str, bytes]:
    """By their paths in the machine: good ones, one outside a cell's memory, one that starts elsewhere, another machine's."""
    hello = (inmates / "hello.elf").read_bytes()
    programs, machine = struct.unpack_from("<Q", hello, PROGRAMS_AT)[0], struct.unpack_from("<H", hello, MACHINE_AT)[0]
    return {"tests/hello.elf": hello,
            "tests/high.elf": _put(hello, programs + PADDR_AT, "<Q", 0x10_0000),
            "tests/later.elf": _put(hello, ENTRY_AT, "<Q", 0x1000),
            "tests/foreign.elf": _put(hello, MACHINE_AT, "<H", sum(MACHINES) - machine)}
