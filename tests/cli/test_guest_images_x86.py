# SPDX-License-Identifier: GPL-2.0-only
"""What goes into memory that an x86 cell boots from, and what its program finds: kernels, boot parameters, ACPI."""

import gzip
import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from foreground import signals_as_at_a_terminal  # noqa: F401, a fixture
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from parts import TOP
from test_cli import ABSENT, OTHER, SPACE, USAGE
from test_elf import Elf, Segment
from test_guest_images import Booting, Started, good, put, started  # noqa: F401, put is a fixture

MIB = 1 << 20
FLASH = 0x1000_0000
LINUX, MULTIBOOT, LONG = 1, 2, 3
RAM, RESERVED = 1, 2
KHZ = 2_345_678
ADDED = f"tsc_early_khz={KHZ} tsc=reliable reboot=acpi io_delay=none"
TEXT = """
machine = "{machine}"
[memory]
linux = [{{ start = 0, size = 0xa_0000 }}, {{ start = 0x000c_0000, size = 0x2ff4_0000 }}]
cells = {{ start = 0x3000_0000, size = "240M" }}
hypervisor = {{ start = 0x3f00_0000, size = "16M" }}
[shared.mailbox]
size = "64K"
[[cell]]
name = "guest"
cpus = [2, 3]
memory = [{memory}]
shared = [{{ name = "mailbox", guest = 0x7000_0000 }}]
{more}
"""
UART = 'devices = ["uart1"]\nconsole = "uart1"\ncomm_page = false\n'
MEMORY = '{ name = "ram", guest = 0, size = "96M", access = "rwx" }, '
BOOT = '{ name = "flash", guest = 0x1000_0000, size = "8M", boot = true }, '


def build(folder: Path, memory: str = MEMORY + BOOT, more: str = UART) -> tuple[Path, Path]:
    """guest.cell and system.cell."""
    machine = TOP / "configs/qemu-x86_64/machine.toml"
    if "other_ports" not in more:
        more += 'other_ports = "absent"\n'
    (folder / "text.toml").write_text(TEXT.format(machine=machine, memory=memory, more=more))
    subprocess.run([sys.executable, "-m", "jailhouse", "config", "build", str(folder / "text.toml"), "-o", str(folder)],
                   check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(TOP / "tools")})
    return folder / "guest.cell", folder / "system.cell"


@pytest.fixture(scope="session")
def booting(tmp_path_factory) -> Booting:
    return Booting(tmp_path_factory.mktemp("booting"), "x86_64")


@pytest.fixture(scope="session")
def files(tmp_path_factory) -> tuple[Path, Path]:
    return build(tmp_path_factory.mktemp("files"))


def made(cli: Booting, cell: Path, system: Path) -> None:
    cli.made(cell, system)
    (cli.sysfs / "tsc_khz").write_text(f"{KHZ}\n")


@pytest.fixture
def cli(booting, files) -> Booting:
    made(booting, *files)
    return booting


# --- kernels --------------------------------------------------------------------------

CODE = bytes(range(256)) * 64


def image(version: int = 0x20f, code: bytes = CODE, sectors: int = 3, high: int = 1, pref: int = 16 * MIB, align: int = 2 * MIB,
          memory: int = 48 * MIB, initrd_max: int = 0x7fff_ffff, cmdline: int = 2047, end: int = 0x6c, units: int | None = None) -> bytes:
    """A bzImage."""
    head = bytearray((sectors + 1) * 512)
    struct.pack_into("<B", head, 0x1f1, sectors)
    struct.pack_into("<I", head, 0x1f4, (len(code) + 15) // 16 if units is None else units)
    struct.pack_into("<HBB4sH", head, 0x1fe, 0xaa55, 0xeb, end, b"HdrS", version)
    struct.pack_into("<B", head, 0x211, high)
    struct.pack_into("<III", head, 0x22c, initrd_max, align, 1)
    struct.pack_into("<I", head, 0x238, cmdline)
    struct.pack_into("<QI", head, 0x258, pref, memory)
    return bytes(head) + code


@pytest.mark.parametrize("content, status, says", [
    (image(version=0x209), OTHER, "speaks boot protocol 2.09: a kernel from 2.6.31 on speaks 2.10"),
    (image(high=0), OTHER, "is a zImage"),
    (image()[:-400], OTHER, "is damaged, or was cut"),
    (image()[:0x700], OTHER, "is damaged, or was cut"),
    (image()[:0x263], OTHER, "is no kernel image for x86"),
    (image(units=2**32 - 1), OTHER, "is damaged, or was cut"),
    (image(end=0x40), OTHER, "its header says that it ends at 0x242: it is damaged"),
    (image(pref=0x1000), OTHER, "pref_address 0x1000"),
    (image(pref=2**63), OTHER, "pref_address 0x8000000000000000"),
    (image(pref=0xff00_0000, memory=2**32 - 1), OTHER, "init_size 0xffffffff: it is damaged"),
    (image(align=0), OTHER, "kernel_alignment 0x0"),
    (gzip.compress(image()), OTHER, "is compressed: gunzip it first"),
    (b"\xfd7zXZ" + bytes(1000), OTHER, "is compressed: unxz it first"),
    (b"\x7fELF" + bytes(1000), OTHER, "is an ELF file (vmlinux): take arch/x86/boot/bzImage"),
    (bytes(0x38) + b"ARM\x64" + bytes(1000), OTHER, "is a kernel for arm64"),
    (b"x", OTHER, 'is no kernel image for x86: no "HdrS" at 0x202'),
    (image(memory=90 * MIB), SPACE, "needs RAM from 0x1000000 to 0x69fffff"),
    (image(pref=128 * MIB), SPACE, 'which cell "guest" has not in one region'),
    (image(code=bytes(9 * MIB)), SPACE, 'do not fit into "flash": '),
], ids=lambda x: x if isinstance(x, str) else "")
def test_kernels_that_are_refused(cli, put, content, status, says):  # noqa: F811
    r = cli.run("cell", "linux", "guest", put("kernel", content))
    assert r.returncode == status and says in r.stderr, r.stderr
    assert cli.told() == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.integers(0x1f1, 0x264), st.integers(0, 255)), min_size=1, max_size=5), cut=st.integers(0, 4000))
def test_damaged_headers(cli, put, changes, cut):  # noqa: F811
    """Under AddressSanitizer: whatever the bytes are, nothing outside of them is read."""
    content = bytearray(image(code=CODE[:512]))
    for at, byte in changes:
        content[at] = byte
    r = cli.run("cell", "linux", "--no-start", "guest", put("kernel", bytes(content[:max(1, cut)])))
    assert r.returncode in (0, OTHER, SPACE), r.stderr
    cli.told()


class Params:
    """Linux's boot parameters, as a kernel reads them."""

    def __init__(self, found: Started):
        self.found = found
        self.page = found.at(found.argument, 4096)
        count, = struct.unpack_from("<B", self.page, 0x1e8)
        self.e820 = [struct.unpack_from("<QQI", self.page, 0x2d0 + 20 * n) for n in range(count)]
        self.rsdp, = struct.unpack_from("<Q", self.page, 0x70)
        at, = struct.unpack_from("<I", self.page, 0x228)
        self.cmdline = found.at(at, 4096).split(b"\0")[0].decode()
        self.initrd = struct.unpack_from("<II", self.page, 0x218)


E820 = [(0, 0xa_0000, RAM), (0xa_0000, 0x6_0000, RESERVED), (0x10_0000, 95 * MIB, RAM), (FLASH, 8 * MIB, RESERVED),
        (0x7000_0000, 0x1_0000, RESERVED)]


def test_linux(cli, put):  # noqa: F811
    kernel, initrd = put("kernel", image()), put("initrd", b"archive" * 1000)
    good(cli, "linux", "-i", initrd, "-c", "quiet", "guest", kernel)
    assert (cli.sysfs / "told").read_text().endswith("start\n")
    found = started(cli, FLASH)
    assert (found.entry, found.mode, found.argument, found.tables) == (16 * MIB, LINUX, 0x1_0000, 0)
    assert found.at(found.entry, len(CODE)) == CODE
    params = Params(found)
    assert params.e820 == E820
    assert params.cmdline == f"quiet {ADDED} pci=off console=ttyS1,115200"
    assert params.page[0x1f1:0x26e].replace(params.page[0x210:0x230], b"") == image()[0x1f1:0x26e].replace(image()[0x210:0x230], b"")
    assert params.page[0x210] == 0xff and struct.unpack_from("<I", params.page, 0x214) == (16 * MIB,)
    at, size = params.initrd
    assert size == 7000 and at == 96 * MIB - 0x2000 and found.at(at, size) == b"archive" * 1000
    assert params.rsdp == FLASH + 0x1000 and found.at(params.rsdp, 8) == b"RSD PTR "


@pytest.mark.parametrize("highest, at", [(0x4fff_ffff, 96 * MIB - 4096), (80 * MIB - 1, 80 * MIB - 4096), (80 * MIB - 2, 80 * MIB - 8192)])
def test_the_initrd_is_where_the_kernel_can_reach_it(cli, put, highest, at):  # noqa: F811
    good(cli, "linux", "guest", put("kernel", image(initrd_max=highest)), "-i", put("initrd", bytes(4096)))
    assert Params(started(cli, FLASH)).initrd == (at, 4096)


@pytest.mark.parametrize("more, given, becomes, note", [
    (UART, "", f"{ADDED} pci=off console=ttyS1,115200", ""),
    (UART, "console=tty0", f"console=tty0 {ADDED} pci=off", ""),
    (UART, "pci=nomsi tsc_early_khz=1", f"pci=nomsi tsc_early_khz=1 {ADDED.split(' ', 1)[1]} pci=off".replace(" pci=off", "") +
     " console=ttyS1,115200", ""),
    (UART, "xtsc=1 noreboot=a", f"xtsc=1 noreboot=a {ADDED} pci=off console=ttyS1,115200", ""),
    ("comm_page = false\nuart = { port = 0x3f8 }\n", "", f"{ADDED} pci=off console=ttyS0,115200", ""),
    ("comm_page = false\nuart = { port = 0x1234 }\n", "", f"{ADDED} pci=off console=uart8250,io,0x1234,115200n8", ""),
    (UART + 'pci = ["01:02.3"]\n', "", f"{ADDED} console=ttyS1,115200", "PCI functions are not described"),
    ("comm_page = false\n", "", f"{ADDED} pci=off", "no UART at I/O ports"),
    (UART + 'other_ports = "refused"\n', "", f"{ADDED} pci=off console=ttyS1,115200", 'other_ports = "absent" in its text'),
])
def test_what_is_added_to_the_command_line(booting, tmp_path, put, more, given, becomes, note):  # noqa: F811
    made(booting, *build(tmp_path, more=more))
    r = booting.run("cell", "linux", "guest", put("kernel", image()), "-c", given)
    assert r.returncode == 0 and r.stderr.count("note: ") == bool(note) and note in r.stderr, r.stderr
    assert Params(started(booting, FLASH)).cmdline == becomes


def test_linux_refuses(cli, put, tmp_path):  # noqa: F811
    kernel = put("kernel", image())
    for words, status, says in (
        (["guest", kernel, "-d", kernel], USAGE, "kernels here have no device tree: -d"),
        (["guest", kernel, "-c", "x" * 2047], SPACE, "more than the 2047 there may be"),
        (["guest", put("short", image(cmdline=80))], SPACE, "more than the 80 there may be"),
        (["guest", kernel, "-i", put("large", bytes(33 * MIB))], SPACE, 'kernel and initrd do not fit into "ram", '),
        (["guest", put("near", image(initrd_max=20 * MIB)), "-i", put("small", b"x")], SPACE, "bytes are missing"),
    ):
        r = cli.run("cell", "linux", *words)
        assert r.returncode == status and says in r.stderr, (words, r.stderr)
        assert cli.told() == []
    (cli.sysfs / "tsc_khz").unlink()
    r = cli.run("cell", "linux", "guest", kernel)
    assert r.returncode == ABSENT and "tsc_khz: command and driver are of different versions" in r.stderr


@pytest.mark.parametrize("memory, more, says", [
    (BOOT + '{ name = "ram", guest = 0x10_0000, size = "96M", access = "rwx" }, ', UART, "has no RAM from 0 to 1 MiB"),
    (BOOT + '{ name = "low", guest = 0, size = "512K", access = "rwx" }, { name = "ram", guest = 0x10_0000, size = "96M", access = "rwx" }, ',
     UART, "has no RAM from 0 to 1 MiB"),
    (MEMORY, UART + "entry = 0\n", 'add { name = "boot", guest = 0x6000000, size = "1M", boot = true } to `memory` in its text'),
])
def test_what_the_text_lacks(booting, tmp_path, put, memory, more, says):  # noqa: F811
    made(booting, *build(tmp_path, memory, more))
    r = booting.run("cell", "linux", "guest", put("kernel", image()))
    assert r.returncode == SPACE and says in r.stderr, r.stderr
    assert booting.told() == []


# --- ACPI -----------------------------------------------------------------------------

class Tables:
    """As the root pointer leads to them; iasl has nothing to say against any."""

    def __init__(self, found: Started, rsdp: int, folder: Path):
        self.found, self.folder = found, folder
        head = found.at(rsdp, 36)
        assert head[:8] == b"RSD PTR " and sum(head[:20]) % 256 == sum(head) % 256 == 0 and head[15] == 2
        self.bytes: dict[str, bytes] = {}
        xsdt = self._take(struct.unpack_from("<Q", head, 24)[0], "XSDT")
        for at, in struct.iter_unpack("<Q", xsdt[36:]):
            self._take(at)
        fadt = self.bytes["FACP"]
        assert struct.unpack_from("<I", fadt, 40)[0] == struct.unpack_from("<Q", fadt, 140)[0]
        self._take(struct.unpack_from("<Q", fadt, 140)[0], "DSDT")
        self.text = {name: self._read(name) for name in self.bytes}

    def _take(self, at: int, name: str = "") -> bytes:
        length, = struct.unpack("<I", self.found.at(at + 4, 4))
        table = self.found.at(at, length)
        assert sum(table) % 256 == 0
        self.bytes[table[:4].decode()] = table
        assert not name or table.startswith(name.encode())
        return table

    def _read(self, name: str) -> str:
        (self.folder / f"{name}.aml").write_bytes(self.bytes[name])
        r = subprocess.run(["iasl", "-d", f"{name}.aml"], cwd=self.folder, capture_output=True, text=True)
        assert r.returncode == 0 and not re.search("(?i)error|warning|invalid|unknown", r.stderr + r.stdout), r.stdout + r.stderr
        if name == "DSDT":
            r = subprocess.run(["iasl", "-p", "again", "DSDT.dsl"], cwd=self.folder, capture_output=True, text=True)
            assert r.returncode == 0 and "0 Errors, 0 Warnings" in r.stdout, r.stdout + r.stderr
        return (self.folder / f"{name}.dsl").read_text()


def tables(cli: Booting, put, folder: Path, more: str) -> Tables:  # noqa: F811
    made(cli, *build(folder, more=more))
    assert cli.run("cell", "linux", "guest", put("kernel", image())).returncode == 0
    found = started(cli, FLASH)
    return Tables(found, Params(found).rsdp, folder)


def test_tables(booting, put, tmp_path):  # noqa: F811
    found = tables(booting, put, tmp_path, UART)
    fadt = found.text["FACP"]
    assert re.search(r"Hardware Reduced \(V5\) : 1", fadt) and re.search(r"Reset Register Supported \(V2\) : 1", fadt)
    assert len(re.findall(r"Address : 00000000000000E4", fadt)) == 3 and re.search(r"Value to cause reset : 01", fadt)
    madt = found.bytes["APIC"][36 + 8:]
    assert madt == bytes([0, 8, 0, 2, 1, 0, 0, 0, 0, 8, 1, 3, 1, 0, 0, 0]) + struct.pack("<BBBBII", 1, 12, 0, 0, 0xfec0_0000, 0)
    dsdt = found.text["DSDT"]
    assert re.search(r"Name \(_S5, Package \(0x02\)\s.*\s*\{\s*0x05,", dsdt)
    assert 'EisaId ("PNP0501")' in dsdt and re.search(r"IO \(Decode16,\s*0x02F8,.*\s*0x02F8,", dsdt)
    assert re.search(r"Interrupt \(ResourceConsumer, Edge, ActiveHigh, Exclusive, ,, \)\s*\{\s*0x00000003,", dsdt)


def test_tables_of_a_cell_without_lines(booting, put, tmp_path):  # noqa: F811
    found = tables(booting, put, tmp_path, "comm_page = false\nuart = { port = 0x3f8 }\n")
    assert len(found.bytes["APIC"]) == 36 + 8 + 16
    assert "0x03F8" in found.text["DSDT"] and "Interrupt (" not in found.text["DSDT"]
    bare = tables(booting, put, tmp_path, "comm_page = false\n")
    assert "Device (" not in bare.text["DSDT"] and "_S5" in bare.text["DSDT"]


def test_both_uarts_and_which_line_is_whose(booting, put, tmp_path):  # noqa: F811
    found = tables(booting, put, tmp_path, UART + "uart = { port = 0x3f8 }\nlines = [5]\n")
    dsdt = found.text["DSDT"]
    assert dsdt.index("0x02F8") < dsdt.index("0x03F8") and "Device (UAR1)" in dsdt
    # there are two: nobody knows
    assert "Interrupt (" not in dsdt and len(found.bytes["APIC"]) == 36 + 8 + 16 + 12


# --- anything else --------------------------------------------------------------------

def test_raw_images(cli, put):  # noqa: F811
    good(cli, "load", "guest", put("a", b"first" * 100), "-a", "0x200003", "-s", "words", "-a", "0x200010", "--entry", "0x200004")
    found = started(cli, FLASH)
    assert (found.entry, found.mode, found.argument, found.tables) == (0x20_0004, LONG, 0x1_0000, 0x1_2000)
    assert found.at(0x20_0003, 5) == b"first" and found.at(0x20_0010, 6) == b"words\0"
    params = Params(found)
    assert params.e820 == E820 and params.cmdline == "" and params.page[0x202:0x208] == b"HdrS\x0f\x02"
    assert found.at(params.rsdp, 8) == b"RSD PTR " and params.initrd == (0, 0)


def walk(found: Started, address: int) -> int:
    """What the tables make of an address."""
    at = found.tables
    for shift in (39, 30, 21):
        entry, = struct.unpack("<Q", found.at(at + (address >> shift & 511) * 8, 8))
        assert entry & 3 == 3
        at = entry & 0xf_ffff_ffff_f000
        if entry & 0x80:
            return at + address % (1 << shift)
    raise AssertionError(f"{address:#x} is not mapped")


def test_tables_of_pages(cli, put):  # noqa: F811
    good(cli, "load", "guest", put("a", b"x"), "-a", "0x200000")
    found = started(cli, FLASH)
    for address in (0, 0x20_0123, 0x4000_0000, 0xffff_ffff):
        assert walk(found, address) == address


def test_what_is_told_lies_where_no_image_is(cli, put):  # noqa: F811
    good(cli, "load", "guest", put("low", bytes(0x9_0001)), "-a", "0x8000", put("in", b"beside"), "-a", "0x10001800",
         "--entry", "0x8000")
    found = started(cli, FLASH)
    assert found.argument == 0x9_9000 and Params(found).rsdp == FLASH + 0x2000 and found.at(FLASH + 0x1800, 6) == b"beside"


def test_elf(cli, put):  # noqa: F811
    elf = Elf([Segment(0x100_0000, b"code"), Segment(0x100_2001, b"data", memory=0x2000, flags=6)], entry=0x100_0002)
    good(cli, "load", "guest", put("elf", elf.bytes()))
    found = started(cli, FLASH)
    assert (found.entry, found.mode) == (0x100_0002, LONG) and found.at(0x100_2001, 6) == b"data\0\0"


def multiboot(flags: int = 0x1_0000, at: int = 16, load: int = 0x10_0000, end: int = 0, bss: int = 0, entry: int = 0x10_0004,
              header: int | None = None, size: int = 256) -> bytes:
    content = bytearray(bytes(range(256)) * (size // 256))
    struct.pack_into("<8I", content, at, 0x1bad_b002, flags, -(0x1bad_b002 + flags) & 0xffff_ffff,
                     load + at if header is None else header, load, end, bss, entry)
    return bytes(content)


def info_of(found: Started) -> tuple[int, int, str, list[tuple[int, int, int]]]:
    flags, lower, upper = struct.unpack("<III", found.at(found.argument, 12))
    cmdline, = struct.unpack("<I", found.at(found.argument + 16, 4))
    length, at = struct.unpack("<II", found.at(found.argument + 44, 8))
    assert flags == 0x245
    entries = list(struct.iter_unpack("<IQQI", found.at(at, length)))
    assert all(e[0] == 20 for e in entries)
    return lower, upper, found.at(cmdline, 4096).split(b"\0")[0].decode(), [e[1:] for e in entries]


def test_multiboot_with_addresses(cli, put):  # noqa: F811
    content = multiboot(bss=0x10_2000)
    good(cli, "load", "guest", put("m", content), "-c", "some words")
    found = started(cli, FLASH)
    assert (found.entry, found.mode, found.tables) == (0x10_0004, MULTIBOOT, 0)
    assert found.at(0x10_0000, 257) == content + b"\0"
    assert info_of(found) == (640, 95 * 1024, "some words", E820)


@pytest.mark.parametrize("machine", ["i386", "x86_64"])
def test_multiboot_elf(cli, put, machine):  # noqa: F811
    segments = [Segment(0x10_0000, multiboot(flags=3)), Segment(0x20_0000, b"data", memory=0x2000, flags=6)]
    elf = Elf(segments, entry=0x10_0040, machine="x86_64").bytes()
    good(cli, "load", "guest", put("m", narrow(segments, 0x10_0040) if machine == "i386" else elf))
    found = started(cli, FLASH)
    assert (found.entry, found.mode) == (0x10_0040, MULTIBOOT) and found.at(0x20_0000, 5) == b"data\0"


def narrow(segments: list[Segment], entry: int, kind: int = 2, machine: int = 3) -> bytes:
    """ELF32."""
    at = 52 + 32 * len(segments)
    ident = b"\x7fELF\x01\x01\x01".ljust(16, b"\0")
    head, rest = struct.pack("<16sHHIIIIIHHHHHH", ident, kind, machine, 1, entry, 52, 0, 0, 52, 32, len(segments), 0, 0, 0), b""
    for s in segments:
        head += struct.pack("<8I", 1, at + len(rest), s.at, s.at, len(s.content), max(s.memory or 0, len(s.content)), s.flags, 4)
        rest += s.content.ljust((len(s.content) + 3) // 4 * 4, b"\0")
    return head + rest


def test_loads_that_are_refused(cli, put):  # noqa: F811
    small = put("small", b"x" * 64)
    code = [Segment(0x10_0000, multiboot(flags=3))]
    for words, status, says in (
        ([small, "-a", "0x6000000"], SPACE, 'are not all in one region of the cell\'s RAM; it has "ram" at 0x0'),
        ([small, "-a", "0x10000000", small, "-a", "0x200000"], SPACE, "is what starts the other images"),
        ([put("kernel", image())], OTHER, "is a Linux kernel: jailhouse cell linux starts it"),
        ([put("m1", multiboot(flags=4 | 0x1_0000))], OTHER, "wants what no cell has, a video mode"),
        ([put("m2", multiboot(flags=3))], OTHER, "nothing says where it goes"),
        ([put("m3", multiboot(header=0x20_0000))], OTHER, "it is damaged"),
        ([put("m4", multiboot(end=0x10_1000))], OTHER, "ends before what its Multiboot header says"),
        ([put("m5", multiboot(entry=0x30_0000))], SPACE, "entry 0x300000 is in none of the images"),
        ([put("m6", multiboot(at=236, size=256 + 256)[:250])], OTHER, "ends within its Multiboot header"),
        ([put("m7", narrow(code, 0x10_0040, machine=40))], OTHER, "is for another machine"),
        ([put("m8", narrow(code, 0x10_0040)[:60])], OTHER, "ends within the ELF header"),
        ([put("e1", narrow([Segment(0x10_0000, b"code")], 0x10_0000))], OTHER, "is no little-endian ELF file of 64 bits"),
        ([small, "-a", "0x200000", "-c", "x" * 4096], SPACE, "more than the 4095 there may be"),
        ([small, "-a", "0x200000", "-c"], USAGE, "nothing follows: -c"),
    ):
        r = cli.run("cell", "load", "guest", *words)
        assert r.returncode == status and says in r.stderr, (words, r.stderr)
        assert cli.told() == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(which=st.integers(0, 2), changes=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=5),
       cut=st.integers(1, 600))
def test_damaged_multiboot_images(cli, put, which, changes, cut):  # noqa: F811
    segments = [Segment(0x10_0000, multiboot(flags=3))]
    content = bytearray((multiboot(), Elf(segments, entry=0x10_0040).bytes(), narrow(segments, 0x10_0040))[which])
    for at, byte in changes:
        content[at % len(content)] = byte
    r = cli.run("cell", "load", "guest", put("m", bytes(content[:cut])))
    assert r.returncode in (0, OTHER, SPACE), r.stderr
    cli.told()


def test_beyond_what_the_loader_reaches(booting, tmp_path, put):  # noqa: F811
    made(booting, *build(tmp_path, MEMORY + BOOT + '{ name = "high", guest = 0xfff0_0000_0, size = "1M", access = "rwx" }, '))
    r = booting.run("cell", "load", "guest", put("a", b"x" * 64), "-a", "0xfff000000")
    assert r.returncode == SPACE and "reach beyond 0xffffffff" in r.stderr
    good(booting, "load", "guest", put("a", b"x" * 64), "-a", "0x200000")
    assert (0xf_ff00_0000, MIB, RAM) in Params(started(booting, FLASH)).e820


def test_a_program_is_told_below_what_the_loader_reaches(booting, tmp_path, put):  # noqa: F811
    small = '{ name = "ram", guest = 0x20_0000, size = "1M", access = "rwx" }, '
    made(booting, *build(tmp_path, small + BOOT + '{ name = "high", guest = 0x1_0000_0000, size = "2M", access = "rwx" }, '))
    good(booting, "load", "guest", put("a", b"x" * 64), "-a", "0x200000")
    found = started(booting, FLASH)
    assert (found.argument, found.tables) == (0x20_1000, 0x20_3000)
    r = booting.run("cell", "load", "guest", put("b", b"x" * (MIB - 4096)), "-a", "0x200000")
    assert r.returncode == SPACE and "no room is left in the cell's RAM below 4 GiB for 32768 bytes" in r.stderr


def test_all_in_the_boot_region_itself_starts_in_real_mode(cli, put):  # noqa: F811
    good(cli, "load", "guest", put("a", b"bios"), "-a", "0x10000000")
    assert cli.told() == [["load", "0", str(FLASH), "4", "4"]]


def test_a_multiboot_image_needs_a_loader(booting, tmp_path, put):  # noqa: F811
    made(booting, *build(tmp_path, MEMORY.replace('"rwx"', '"rwx", loadable = true'), UART))
    r = booting.run("cell", "load", "guest", put("m", multiboot()))
    assert r.returncode == OTHER and "boot = true" in r.stderr and booting.told() == []
    r = booting.run("cell", "load", "guest", put("a", b"x"), "-c", "words")
    assert r.returncode == OTHER and "boot = true" in r.stderr and booting.told() == []
