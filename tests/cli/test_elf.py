# SPDX-License-Identifier: GPL-2.0-only
"""ELF files as images: what goes where, and what is refused before anything is written."""

import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_cli import ABSENT, FLAGS, OTHER, SPACE, TOP, USAGE, Command, built, cli  # noqa: F401, its fixtures too

MACHINES = {"aarch64": 183, "x86_64": 62}
LOAD, DYNAMIC, INTERP, NOTE = 1, 2, 3, 4
X, W, R = 1, 2, 4
HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
PROGRAM = struct.Struct("<IIQQQQQQ")


@dataclass
class Segment:
    at: int
    content: bytes = b""
    memory: int | None = None
    virtual: int | None = None
    kind: int = LOAD
    flags: int = R | X
    offset: int | None = None
    size: int | None = None


@dataclass
class Elf:
    segments: list[Segment]
    entry: int = 0
    machine: str = "x86_64"
    kind: int = 2
    ident: bytes = b"\x7fELF\x02\x01\x01"
    program_size: int = PROGRAM.size
    programs: int | None = None
    program_offset: int = HEADER.size

    def bytes(self) -> bytes:
        table, content = b"", b""
        behind = HEADER.size + PROGRAM.size * len(self.segments)
        for s in self.segments:
            offset = behind + len(content) if s.offset is None else s.offset
            size = len(s.content) if s.size is None else s.size
            table += PROGRAM.pack(s.kind, s.flags, offset, s.at if s.virtual is None else s.virtual, s.at, size,
                                  len(s.content) if s.memory is None else s.memory, 0x1000)
            content += s.content
        count = len(self.segments) if self.programs is None else self.programs
        return HEADER.pack(self.ident.ljust(16, b"\0"), self.kind, MACHINES[self.machine], 1, self.entry,
                           self.program_offset, 0, 0, HEADER.size, self.program_size, count, 0, 0, 0) + table + content


CODE = Segment(0, b"code")
DATA = Segment(0x4000, b"data", memory=0x2000, flags=R | W)


@pytest.fixture(scope="session")
def parse(tmp_path_factory):
    folder = tmp_path_factory.mktemp("elf")
    program, image = folder / "harness", folder / "image"
    subprocess.run(["gcc", *FLAGS, f"-I{TOP}/tools/jailhouse-cli", str(TOP / "tests/cli/elf_harness.c"),
                    *(str(TOP / "tools/jailhouse-cli" / name) for name in ("image_elf.c", "problem.c")), "-o", str(program)], check=True)

    def run(content: bytes, machine: str = "x86_64") -> list[str]:
        image.write_bytes(content)
        r = subprocess.run([str(program), machine, str(image)], capture_output=True, text=True)
        assert r.returncode == 0 and r.stderr == "", r.stderr
        return r.stdout.splitlines()

    return run


@pytest.mark.parametrize("machine", MACHINES)
def test_segments_go_where_their_physical_addresses_say(parse, machine):
    elf = Elf([Segment(0x4000_0000, b"code", virtual=0xffff_0000_0000_0000), Segment(0, b"note", kind=NOTE), DATA],
              entry=0xffff_0000_0000_0002, machine=machine)
    assert parse(elf.bytes(), machine) == [
        "entry 0x40000002", "0x40000000 0x4 0xe8 0x4", "0x4000 0x2000 0xf0 0x4"]


def test_memory_without_bytes_in_the_file(parse):
    assert parse(Elf([CODE, Segment(0x1000, memory=0x800, flags=R | W)]).bytes())[2] == "0x1000 0x800 0xb4 0"


def test_an_empty_segment_is_none(parse):
    assert parse(Elf([CODE, Segment(0, b"")]).bytes()) == ["entry 0", "0 0x4 0xb0 0x4"]


def test_anything_else_is_raw(parse):
    for content in (b"x", b"\x7fEL", b"\x7fELG" + bytes(100)):
        assert parse(content) == ["raw"]


@pytest.mark.parametrize("elf, says", [
    (Elf([CODE], ident=b"\x7fELF\x01\x01"), "no little-endian ELF file of 64 bits"),
    (Elf([CODE], ident=b"\x7fELF\x02\x02"), "no little-endian ELF file of 64 bits"),
    (Elf([CODE], machine="aarch64"), "another machine (ELF machine number 183) than this x86_64"),
    (Elf([CODE], kind=3), "no addresses of its own (ELF type 3): link it as an executable, not position independent"),
    (Elf([CODE], kind=1), "no addresses of its own (ELF type 1)"),
    (Elf([CODE], program_size=32), "program headers that are not those of ELF64"),
    (Elf([CODE], programs=0xffff), "program headers that are not those of ELF64"),
    (Elf([CODE], programs=9), "ends before its program headers do"),
    (Elf([CODE], program_offset=2**64 - 1), "ends before its program headers do"),
    (Elf([]), "nothing to load"),
    (Elf([Segment(0, b"note", kind=NOTE)]), "nothing to load"),
    (Elf([CODE, Segment(0, b"/lib/ld.so", kind=INTERP)]), "wants a dynamic linker: link it statically"),
    (Elf([CODE, Segment(0, b"", kind=DYNAMIC)]), "wants a dynamic linker: link it statically"),
    (Elf([Segment(0, b"code", memory=3)]), "segment 0 has more bytes in the file than in memory"),
    (Elf([CODE, Segment(0x1000, b"code", offset=0xb5)]), "ends before its segment 1 does"),
    (Elf([Segment(0, b"code", offset=2**64 - 1)]), "ends before its segment 0 does"),
    (Elf([Segment(0, b"", size=2**63, memory=2**63)]), "ends before its segment 0 does"),
    (Elf([Segment(2**64 - 2, b"code")]), "segment 0 reaches past the last address there is"),
    (Elf([Segment(0, b"code", virtual=2**64 - 2)]), "segment 0 reaches past the last address there is"),
    (Elf([CODE, Segment(3, b"more")]), "two of its segments share memory, at 0x3"),
    (Elf([Segment(0x800, b"code"), Segment(0, b"", memory=2**64 - 1)], entry=0x800),
     "two of its segments share memory, at 0x800"),
    (Elf([CODE], entry=4), "its entry 0x4 is in none of its executable segments"),
    (Elf([CODE, DATA], entry=0x4000), "its entry 0x4000 is in none of its executable segments"),
])
def test_refused(parse, elf, says):
    said = parse(elf.bytes())
    assert len(said) == 1 and says in said[0], said


def test_neighbours_do_not_share(parse):
    last = Segment(2**64 - 4, b"last", flags=R)
    assert len(parse(Elf([CODE, Segment(4, b"more"), last]).bytes())) == 4


def test_every_shorter_file_is_refused(parse):
    whole = Elf([CODE, DATA]).bytes()
    for size in range(4, len(whole)):
        assert "ends " in parse(whole[:size])[0]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, HEADER.size + 2 * PROGRAM.size - 1), st.integers(0, 255)), min_size=1, max_size=6))
def test_what_is_taken_is_in_the_file_and_apart(parse, changes):
    content = bytearray(Elf([CODE, DATA]).bytes())
    for at, byte in changes:
        content[at] = byte
    said = parse(bytes(content))
    if not said[0].startswith("entry "):
        return
    entry = int(said[0].split()[1], 16)
    segments = [[int(number, 16) for number in line.split()] for line in said[1:]]
    assert any(at <= entry < at + memory for at, memory, _, _ in segments)
    for i, (at, memory, offset, size) in enumerate(segments):
        assert size <= memory and offset + size <= len(content) and 0 < memory and at + memory <= 2**64
        assert all(at + memory <= other or other + others <= at for other, others, _, _ in segments[:i])


# --- the command ----------------------------------------------------------------------

def image(folder: Path, name: str, elf: Elf) -> str:
    path = folder / name
    path.write_bytes(elf.bytes())
    return str(path)


@pytest.fixture
def host() -> str:
    """What the command is made for, by test_cli.py."""
    return "aarch64"


def test_load_takes_elf_files(cli: Command, tmp_path, host):  # noqa: F811
    good = image(tmp_path, "good", Elf([CODE, DATA], machine=host))
    (tmp_path / "raw").write_bytes(b"raw")
    for words in ([good], [good, "-s", "x", "-a", "0x1000"], [good, str(tmp_path / "raw"), "-a", "4"]):
        r = cli.run("cell", "load", "a", *words)
        assert r.returncode == ABSENT and "not loaded" in r.stderr


def test_load_refuses(cli: Command, tmp_path, host):  # noqa: F811
    good = image(tmp_path, "good", Elf([CODE, DATA], machine=host))
    foreign = image(tmp_path, "foreign", Elf([CODE], machine=next(m for m in MACHINES if m != host)))
    (tmp_path / "raw").write_bytes(b"raw")
    for words, status, says in (
        ([foreign], OTHER, f"jailhouse: {foreign}: is for another machine"),
        ([good, "-a", "0x1000"], USAGE, "an ELF file says itself where it goes: no address for it: 0x1000"),
        ([good, good], USAGE, "a second ELF file: a cell starts at one place only"),
        ([good, str(tmp_path / "raw"), "-a", "0x5fff"], SPACE,
         f"raw: would overwrite {good}: both want the memory at 0x5fff"),
        ([str(tmp_path / "raw"), "-a", "0", str(tmp_path / "raw"), "-a", "2"], SPACE, "both want the memory at 0x2"),
    ):
        r = cli.run("cell", "load", "a", *words)
        assert r.returncode == status and says in r.stderr, r.stderr
