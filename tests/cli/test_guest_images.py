# SPDX-License-Identifier: GPL-2.0-only
"""What goes into memory that a cell boots from, and what its program finds: kernels, trees, segments."""

import gzip
import os
import re
import struct
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from foreground import signals_as_at_a_terminal  # noqa: F401, a fixture
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from parts import FLAGS, INCLUDE, TOP, boot_harness, command_parts, loader
from test_cli import ABSENT, CONFIG, MACHINE, OTHER, SPACE, USAGE, Command
from test_elf import Elf, Segment

HERE = Path(__file__).parent
MIB = 1 << 20
RAM, FLASH = 0x4000_0000, 0x2000_0000
TEXT = """
machine = "{machine}"
[memory]
linux = {{ start = 0x4000_0000, size = "1792M" }}
cells = {{ start = 0xb000_0000, size = "240M" }}
hypervisor = {{ start = 0xbf00_0000, size = "16M" }}
[shared.mailbox]
size = "64K"
[[cell]]
name = "guest"
cpus = [2, 3]
memory = [{memory}]
shared = [{{ name = "mailbox", guest = 0x7000_0000 }}]
{more}
"""
UART = 'devices = ["uart1"]\nconsole = "uart1"\n'
MEMORY = ('{ name = "ram", guest = 0x4000_0000, size = "64M", access = "rwx" }, '
          '{ name = "data", guest = 0x1000, size = "64K", access = "rw" }, '
          '{ name = "rom", guest = 0x3000_0000, size = "64K", access = "rx", loadable = true }, ')
BOOT = '{ name = "flash", guest = 0x2000_0000, size = "8M", boot = true }, '


def build(folder: Path, memory: str = MEMORY + BOOT, more: str = UART) -> tuple[Path, Path]:
    """guest.cell and system.cell."""
    machine = TOP / "configs/qemu-arm64/machine.toml"
    (folder / "text.toml").write_text(TEXT.format(machine=machine, memory=memory, more=more))
    subprocess.run([sys.executable, "-m", "jailhouse", "config", "build", str(folder / "text.toml"), "-o", str(folder)],
                   check=True, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(TOP / "tools")})
    return folder / "guest.cell", folder / "system.cell"


@pytest.fixture(scope="session")
def harness(tmp_path_factory) -> Path:
    return boot_harness(tmp_path_factory.mktemp("boot"))


def said(harness: Path, *words: object) -> str:
    r = subprocess.run([str(harness), *map(str, words)], capture_output=True, text=True)
    assert r.returncode == 0 and r.stderr == "", r.stdout + r.stderr
    return r.stdout.rstrip("\n")


# --- kernels --------------------------------------------------------------------------

def image(offset: int = 0, memory: int = 0x30_0000, size: int = 0x1_0000, magic: bytes = b"ARM\x64") -> bytes:
    return struct.pack("<II3Q3Q4sI", 0x91005a4d, 0x14000010, offset, memory, 0xa, 0, 0, 0, magic, 0x40).ljust(size, b"k")


@pytest.mark.parametrize("content, says", [
    (image(), f"0 {0x30_0000}"),
    (image(offset=0x8_0000, memory=0x1000), f"{0x8_0000} {0x1_0000}"),
    (image(memory=0), f"{0x8_0000} {0x1_0000}"),
    (image(offset=2 * MIB), "its header says text_offset 0x200000, image_size 0x300000: it is damaged"),
    (image(memory=2**63), "image_size 0x8000000000000000: it is damaged"),
    (image(magic=b"ARMd"[:3] + b"e"), 'is no kernel image for arm64: no "ARM\\x64" at 0x38'),
    (image()[:63], "is no kernel image for arm64"),
    (b"x", "is no kernel image for arm64"),
    (gzip.compress(image()), "is compressed: gunzip it first"),
    (b"\xfd7zXZ\0" + bytes(100), "is compressed: unxz it first"),
    (b"MZ\0\0zimg" + bytes(100), "take arch/arm64/boot/Image"),
    (b"\x7fELF" + bytes(100), "is an ELF file (vmlinux): take arch/arm64/boot/Image"),
], ids=lambda value: "" if isinstance(value, bytes) else value[:40])
def test_kernel(harness, tmp_path, content, says):
    (tmp_path / "kernel").write_bytes(content)
    assert says in said(harness, "kernel", tmp_path / "kernel")


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=100), st.booleans())
def test_any_bytes_are_a_kernel_or_none(harness, tmp_path, content, marked):
    if marked:
        content = content[:0x38] + b"ARM\x64" + content[0x3c:]
    (tmp_path / "kernel").write_bytes(content)
    found = said(harness, "kernel", tmp_path / "kernel")
    if re.fullmatch(r"\d+ \d+", found):
        offset, memory = map(int, found.split())
        assert offset < 2 * MIB and len(content) <= memory <= 1 << 40


# --- trees ----------------------------------------------------------------------------

class Tree:
    """A tree as dtc reads it, which has nothing to say against what is generated."""

    def __init__(self, path: Path, generated: bool = True):
        self.path = path
        r = subprocess.run(["dtc", "-I", "dtb", "-O", "dts", str(path)], capture_output=True, text=True)
        assert r.returncode == 0 and (r.stderr == "" or not generated), r.stderr
        self.text = r.stdout

    def _get(self, node: str, name: str, kind: str) -> list[str]:
        r = subprocess.run(["fdtget", "-t", kind, str(self.path), node, name], capture_output=True, text=True, check=True)
        return r.stdout.split()

    def cells(self, node: str, name: str) -> list[int]:
        return [int(word, 16) for word in self._get(node, name, "x")]

    def longs(self, node: str, name: str) -> list[int]:
        cells = self.cells(node, name)
        return [high << 32 | low for high, low in zip(cells[::2], cells[1::2])]

    def text_of(self, node: str, name: str) -> str:
        return " ".join(self._get(node, name, "s"))

    def has(self, node: str, name: str = "") -> bool:
        words = ["fdtget", str(self.path), node, name] if name else ["fdtget", "-l", str(self.path), node]
        return subprocess.run(words, capture_output=True).returncode == 0

    def children(self, node: str) -> list[str]:
        return subprocess.run(["fdtget", "-l", str(self.path), node], capture_output=True, text=True, check=True).stdout.split()


@dataclass
class Maker:
    harness: Path
    folder: Path
    note: str = ""

    def make(self, *words: object, memory: str = MEMORY + BOOT, more: str = UART) -> Tree:
        cell, system = build(self.folder, memory, more)
        self.note = said(self.harness, "tree", cell, system, self.folder / "tree", *words)
        assert not self.note.startswith("refused: "), self.note
        return Tree(self.folder / "tree", "-d" not in words)

    def user(self, text: str) -> Path:
        subprocess.run(["dtc", "-q", "-@", "-O", "dtb", "-o", str(self.folder / "user")], input=text.encode(), check=True)
        return self.folder / "user"


@pytest.fixture
def maker(harness, tmp_path) -> Maker:
    return Maker(harness, tmp_path)


def test_tree(maker):
    tree = maker.make("-c", "panic=-1", "-i", "0x43000000", "0x1234")
    assert maker.note == ""
    assert tree.text_of("/", "compatible") == "linux,dummy-virt"
    assert tree.text_of("/psci", "compatible") == "arm,psci-1.0 arm,psci-0.2" and tree.text_of("/psci", "method") == "hvc"
    assert tree.children("/cpus") == ["cpu@2", "cpu@3"]
    assert tree.cells("/cpus/cpu@3", "reg") == [3] and tree.text_of("/cpus/cpu@3", "enable-method") == "psci"
    assert [n for n in tree.children("/") if n.startswith("memory")] == ["memory@40000000"]
    assert tree.longs("/memory@40000000", "reg") == [RAM, 64 * MIB]
    gic = "/interrupt-controller@8000000"
    assert tree.longs(gic, "reg") == [0x800_0000, 0x1_0000, 0x80a_0000, 0xf6_0000]
    assert tree.cells("/", "interrupt-parent") == tree.cells(gic, "phandle")
    assert tree.cells("/timer", "interrupts") == [1, 13, 4, 1, 14, 4, 1, 11, 4, 1, 10, 4]
    assert tree.cells("/clock", "clock-frequency") == [24_000_000]
    uart = "/serial@9040000"
    assert tree.text_of(uart, "compatible") == "arm,pl011 arm,primecell" and tree.cells(uart, "interrupts") == [0, 8, 4]
    assert tree.cells(uart, "clocks") == 2 * tree.cells("/clock", "phandle")
    assert tree.text_of("/aliases", "serial0") == tree.text_of("/chosen", "stdout-path") == uart
    assert tree.text_of("/chosen", "bootargs") == "panic=-1 console=ttyAMA0"
    assert tree.longs("/chosen", "linux,initrd-start") == [0x4300_0000]
    assert tree.longs("/chosen", "linux,initrd-end") == [0x4300_1234]


def test_its_size_does_not_depend_on_addresses(maker):
    a = len(maker.make("-i", "1", "1").path.read_bytes())
    assert a == len(maker.make("-i", "0xffffffff00000000", "0xfff").path.read_bytes())


@pytest.mark.parametrize("given, becomes", [
    ("", "console=ttyAMA0"), ("quiet", "quiet console=ttyAMA0"), ("console=tty0 quiet", "console=tty0 quiet"),
    ("quiet console=tty0", "quiet console=tty0"), ("noconsole=1", "noconsole=1 console=ttyAMA0"),
])
def test_a_console_is_added_where_none_is_named(maker, given, becomes):
    assert maker.make("-c", given).text_of("/chosen", "bootargs") == becomes


def test_lines_are_numbered_as_the_cell_does(maker):
    tree = maker.make(more=UART + 'renumber = { "40" = 33 }\n')
    assert tree.cells("/serial@9040000", "interrupts") == [0, 1, 4]


def test_which_of_several_lines_is_the_consoles_nobody_knows(maker):
    tree = maker.make(more=UART + "lines = [250]\n")
    assert not tree.has("/serial@9040000", "interrupts")
    assert "which interrupt the UART at 0x9040000 has" in maker.note and "-d" in maker.note


def test_what_build_writes_of_a_cells_devices_says_it(maker):
    """Laid over the tree: the console's interrupt is there, and all that the command knows of it besides."""
    more = UART + "lines = [250]\n"
    maker.make(more=more)
    written, = maker.folder.rglob("*.dts")
    tree = maker.make("-d", maker.user(written.read_text()), more=more)
    assert tree.cells("/serial@9040000", "interrupts") == [0, 8, 4] and tree.longs("/serial@9040000", "reg") == [0x904_0000, 0x1000]
    assert tree.has("/serial@9040000", "clocks") and tree.text_of("/chosen", "stdout-path") == "/serial@9040000"


def test_a_device_seen_elsewhere(maker):
    tree = maker.make(more='devices = [{ name = "uart1", guest = 0x0900_0000 }]\nconsole = "uart1"\n')
    assert tree.longs("/serial@9000000", "reg") == [0x900_0000, 0x1000]


def test_no_console(maker):
    tree = maker.make(more="")
    assert not tree.has("/chosen", "stdout-path") and not tree.has("/chosen", "bootargs")
    assert "has none" in maker.note


def test_a_uart_that_is_none_of_the_machines(maker):
    own = "uart = { guest = 0x0900_0000, interrupt = 250 }\n"
    tree = maker.make(more=UART + own)
    assert maker.note == ""
    assert tree.cells("/serial@9000000", "interrupts") == [0, 218, 4]
    assert tree.cells("/serial@9040000", "interrupts") == [0, 8, 4]
    assert tree.text_of("/aliases", "serial0") == "/serial@9040000" and tree.text_of("/aliases", "serial1") == "/serial@9000000"
    for console in ("", 'console = "uart"\n'):
        tree = maker.make(more=own + console)
        assert tree.text_of("/chosen", "stdout-path") == tree.text_of("/aliases", "serial0") == "/serial@9000000"
        assert not tree.has("/aliases", "serial1") and tree.cells("/serial@9000000", "interrupts") == [0, 218, 4]
        assert maker.note == ""


def test_the_number_by_which_the_cell_knows_its_uart(maker):
    tree = maker.make(more="uart = { guest = 0x0900_0000, interrupt = 33 }\n")
    assert tree.cells("/serial@9000000", "interrupts") == [0, 1, 4]


def test_counted_cpus_and_another_place_for_the_gic(maker):
    tree = maker.make(more='cpu_ids = "counted"\ngic = { gicd = 0x1000_0000, gicr = 0x1100_0000 }\n' + UART)
    assert tree.children("/cpus") == ["cpu@0", "cpu@1"]
    assert tree.longs("/interrupt-controller@10000000", "reg") == [0x1000_0000, 0x1_0000, 0x1100_0000, 0x4_0000]


# --- what the user adds ---------------------------------------------------------------

def test_a_users_tree_is_laid_over(maker):
    user = maker.user("""/dts-v1/; /memreserve/ 0x44000000 0x1000;
        / { model = "mine"; #address-cells = <2>; #size-cells = <2>;
            chosen { bootargs = "loglevel=8"; };
            memory@40000000 { reg = <0 0x40000000 0 0x1000000>; };
            gic: interrupt-controller@8000000 { }; other: clock { clock-frequency = <1000>; };
            dev@a000000 { compatible = "x,y"; reg = <0 0xa000000 0 0x200>; interrupt-parent = <&gic>; interrupts = <0 16 1>;
                          clocks = <&other>; child { label = "z"; }; }; };""")
    tree = maker.make("-d", user)
    assert tree.text_of("/", "model") == "mine" and tree.text_of("/dev@a000000/child", "label") == "z"
    assert tree.longs("/memory@40000000", "reg") == [RAM, 16 * MIB]
    assert tree.text_of("/chosen", "bootargs") == "loglevel=8 console=ttyAMA0"
    # Numbers of both trees for one node are one
    gic = tree.cells("/interrupt-controller@8000000", "phandle")
    assert gic == tree.cells("/", "interrupt-parent") == tree.cells("/dev@a000000", "interrupt-parent")
    clock = tree.cells("/clock", "phandle")
    assert clock != gic and clock == tree.cells("/dev@a000000", "clocks") and tree.cells("/serial@9040000", "clocks") == 2 * clock
    assert tree.cells("/clock", "clock-frequency") == [1000]
    assert "/memreserve/\t0x0000000044000000 0x0000000000001000;" in tree.text


def test_numbers_of_the_users_tree_are_left_to_it(maker):
    user = maker.user('/dts-v1/; / { a: a { phandle = <1>; }; b { phandle = <2>; ref = <&a>; }; };')
    tree = maker.make("-d", user)
    numbers = [tree.cells(node, "phandle")[0] for node in ("/a", "/b", "/clock", "/interrupt-controller@8000000")]
    assert numbers[:2] == [1, 2] and len(set(numbers)) == 4


def test_names_without_address_are_not_those_with_one(maker):
    assert "is there with one: write that" in refusal(maker, maker.user('/dts-v1/; / { serial { label = "x"; }; };'))
    tree = maker.make("-d", maker.user('/dts-v1/; / { cpu-map { label = "x"; }; };'))
    assert tree.has("/cpu-map", "label")


def test_a_device_with_the_name_of_a_node_is_not_that_node(maker):
    user = maker.user("""/dts-v1/; / { #address-cells = <2>; #size-cells = <2>;
        c: clock@a000000 { reg = <0 0xa000000 0 0x1000>; ref = <&c>; }; chosen@b000000 { reg = <0 0xb000000 0 0x1000>; }; };""")
    tree = maker.make("-d", user, "-c", "ours")
    # fdtget takes one for the other
    number = re.search(r"\tclock {[^}]*phandle = <(\w+)>", tree.text)
    assert number and tree.cells("/serial@9040000", "clocks") == 2 * [int(number[1], 16)] != tree.cells("/clock@a000000", "ref") * 2
    assert tree.text.count("bootargs") == 1 and "\tchosen {\n\t\tbootargs" in tree.text


def test_a_console_in_the_users_tree_has_the_interrupts_that_are_there(maker):
    node = "/dts-v1/; / {{ #address-cells = <2>; #size-cells = <2>; serial@9040000 {{ {} }}; }};"
    assert maker.make("-d", maker.user(node.format('label = "x";'))).cells("/serial@9040000", "interrupts") == [0, 8, 4]
    tree = maker.make("-d", maker.user(node.format("reg = <0 0x9040000 0 0x1000>;")))
    assert not tree.has("/serial@9040000", "interrupts") and tree.has("/serial@9040000", "clocks")


def test_the_commands_words_win(maker):
    user = maker.user('/dts-v1/; / { chosen { bootargs = "theirs"; linux,initrd-start = <1>; }; };')
    tree = maker.make("-d", user, "-c", "ours", "-i", "0x43000000", "16")
    assert tree.text_of("/chosen", "bootargs") == "ours console=ttyAMA0"
    assert tree.longs("/chosen", "linux,initrd-start") == [0x4300_0000]


def test_an_overlay_is_applied(maker):
    user = maker.user("""/dts-v1/; /plugin/; &{/} { model = "over"; };
        &serial0 { status = "disabled"; }; &{/} { led { compatible = "a"; interrupt-parent = <&gic>; }; };""")
    tree = maker.make("-d", user)
    assert tree.text_of("/serial@9040000", "status") == "disabled" and tree.text_of("/", "model") == "over"
    assert tree.cells("/led", "interrupt-parent") == tree.cells("/interrupt-controller@8000000", "phandle")


def refusal(maker: Maker, user: Path) -> str:
    cell, system = build(maker.folder)
    return said(maker.harness, "tree", cell, system, maker.folder / "tree", "-d", user)


def test_users_trees_that_are_refused(maker, tmp_path):
    overlay = maker.user("/dts-v1/; /plugin/; &nobody { x = <1>; };")
    assert "names a label that the cell's tree does not have" in refusal(maker, overlay)
    deep = "/dts-v1/; / { " + "n { " * 80 + "x = <1>; " + "}; " * 80 + "};"
    assert "cannot be laid over" in refusal(maker, maker.user(deep))
    for content, says in ((b"", "ends within its header"), (b"/dts-v1/; / { model = \"text\"; compatible = \"x\"; };",
                          "dtc -@ -O dtb makes one"), (maker.user("/dts-v1/; / { };").read_bytes()[:-1], "damaged, or was cut")):
        (tmp_path / "wrong").write_bytes(content)
        assert says in refusal(maker, tmp_path / "wrong")


WHOLE = """/dts-v1/; / { chosen { bootargs = "b"; }; cpus { cpu@2 { x; }; }; a: a { c = <&a>; }; };"""
PLUGIN = """/dts-v1/; /plugin/; &gic { x = <1>; y { z = <&clock>; }; };"""


@pytest.fixture(scope="module")
def damaged(harness, tmp_path_factory):
    folder = tmp_path_factory.mktemp("damaged")
    maker = Maker(harness, folder)
    trees = [maker.user(text).read_bytes() for text in (WHOLE, PLUGIN)]
    return maker, trees, build(folder)


@settings(max_examples=300, deadline=None)
@given(which=st.booleans(), changes=st.lists(st.tuples(st.integers(0, 999), st.integers(0, 255)), min_size=1, max_size=6),
       cut=st.one_of(st.none(), st.integers(0, 999)))
def test_damaged_trees_are_refused_or_laid_over(damaged, which, changes, cut):
    """Under AddressSanitizer: whatever the bytes are, nothing outside of them is read."""
    maker, trees, (cell, system) = damaged
    content = bytearray(trees[which])
    for at, byte in changes:
        content[at % len(content)] = byte
    user = maker.folder / "damaged"
    user.write_bytes(content[:cut])
    said(maker.harness, "tree", cell, system, maker.folder / "tree", "-d", user)


# --- places ---------------------------------------------------------------------------

@pytest.mark.parametrize("memory, size, at", [
    ('{ name = "ram", guest = 0x4000_0000, size = "64M", access = "rwx" }', 64 * MIB, 0),
    ('{ name = "ram", guest = 0, size = "64M", access = "rwx" }', 64 * MIB, 64 * MIB),
    # not as far as the GIC
    ('{ name = "ram", guest = 0, size = "64M", access = "rwx" }', 65 * MIB, 0x0900_0000),
    ('{ name = "ram", guest = 0, size = "64M", access = "rwx" }', 128 * MIB, 0x0900_0000),
])
def test_where_a_region_would_go(harness, tmp_path, memory, size, at):
    cell, system = build(tmp_path, memory, "entry = 0x4000_0000\n" * ("0x4000_0000" in memory))
    assert int(said(harness, "place", cell, system, size), 16) == at


# --- the command ----------------------------------------------------------------------

class Booting(Command):
    """The command with a driver that keeps what it is told."""

    def __init__(self, place: Path, arch: str = "arm64"):
        self.arch = arch
        self.place, self.device, self.sysfs = place, place / "device", place / "sysfs"
        self.binary, driver = place / "jailhouse", place / "driver.o"
        places = (f'-DJAILHOUSE_DEVICE="{self.device}"', f'-DJAILHOUSE_SYSFS="{self.sysfs}"')
        subprocess.run(["gcc", *FLAGS, *places, *INCLUDE, "-c", str(HERE / "boot_driver.c"), "-o", str(driver)], check=True)
        (place / "redirect.h").write_text("int boot_ioctl(int fd, unsigned long request, ...);\n")
        subprocess.run(["gcc", *FLAGS, *places, "-include", "sys/ioctl.h", "-Dioctl=boot_ioctl", "-include",
                        str(place / "redirect.h"), *command_parts(place, arch=arch), str(driver), "-o", str(self.binary)], check=True)

    def made(self, cell: Path, system: Path) -> None:
        self.clear()
        self.enabled()
        self.device.write_text("")
        for number, name, file in ((0, "root", system), (1, "guest", cell)):
            (self.cell(number, name, "shut down", str(number)) / "config").write_bytes(file.read_bytes())

    def told(self) -> list[list[str]]:
        """What the driver was told since the last time."""
        file = self.sysfs / "told"
        lines = [line.split() for line in file.read_text().splitlines()] if file.exists() else []
        file.unlink(missing_ok=True)
        return lines


@dataclass
class Started:
    """Memory as the program of a cell finds it, after the loader in `region` ran."""
    entry: int = 0
    argument: int = 0
    mode: int = 0
    tables: int = 0
    places: list[tuple[int, bytes]] = field(default_factory=list)

    def at(self, address: int, size: int) -> bytes:
        found = bytearray(size)
        for start, content in self.places:
            for n in range(max(start, address), min(start + len(content), address + size)):
                found[n - address] = content[n - start]
        return bytes(found)


def moved(code: bytes, to: int) -> bytes:
    """A loader of x86 where it is to run."""
    found = bytearray(code)
    for at in range(12, 12 + 4 * 8, 8) if to else ():
        struct.pack_into("<I", found, at, struct.unpack_from("<I", code, at)[0] + to)
    return bytes(found)


def started(cli: Booting, region: int = FLASH) -> Started:
    """As inmates/loader does it. What overlaps was laid there in its order."""
    flash: dict[int, bytes] = {}
    result = Started()
    for word, *numbers in cli.told():
        if word == "load":
            n, address, size, memory = map(int, numbers)
            assert size == memory
            content = (cli.sysfs / f"image-{n}.bin").read_bytes()
            for start, other in flash.items():
                assert address + size <= start or start + len(other) <= address or address not in range(region, region + 8 * MIB)
            flash[address] = content
            if n:
                result.places.append((address, content))
    head = flash[region]
    code = moved(loader(cli.place, cli.arch).read_bytes(), region if cli.arch == "x86_64" else 0)
    assert head.startswith(code) and len(code) % 64 == 0
    magic, version, count, result.entry, result.argument, result.mode, result.tables = \
        struct.unpack_from("<8sIIQQI4xQ", head, len(code))
    assert (magic, version) == (b"JAILBOOT", 2) and len(head) == len(code) + 48 + 32 * count
    for n in range(count):
        offset, to, size, memory = struct.unpack_from("<4Q", head, len(code) + 48 + 32 * n)
        at = region + len(code) + offset
        assert memory and size <= memory and (size == 0 or (at - to) % 64 == 0)
        content = flash[at] if size else b""
        assert len(content) == size
        result.places.append((to, content + bytes(min(memory - size, 4 * MIB))))
    return result


@pytest.fixture(scope="session")
def booting(tmp_path_factory) -> Booting:
    return Booting(tmp_path_factory.mktemp("booting"))


@pytest.fixture(scope="session")
def files(tmp_path_factory) -> tuple[Path, Path]:
    return build(tmp_path_factory.mktemp("files"))


@pytest.fixture
def cli(booting, files) -> Booting:
    booting.made(*files)
    return booting


@pytest.fixture
def put(tmp_path):
    def put(name: str, content: bytes) -> str:
        (tmp_path / name).write_bytes(content)
        return str(tmp_path / name)
    return put


def good(cli: Booting, *words: str) -> None:
    r = cli.run("cell", *words)
    assert r.returncode == 0 and r.stderr == "" and r.stdout == "", r.stderr


def tree_of(cli: Booting, found: Started) -> Tree:
    total = int.from_bytes(found.at(found.argument + 4, 4), "big")
    (cli.place / "tree").write_bytes(found.at(found.argument, total))
    return Tree(cli.place / "tree")


def test_raw_images_are_put_into_their_places(cli, put):
    good(cli, "load", "guest", put("a", b"first" * 100), "-a", "0x40000003", put("b", b"second"), "-a", "0x1fff",
         "-s", "words", "-a", "0x40000010")
    found = started(cli)
    assert found.entry == 0x4000_0003
    assert found.at(0x4000_0003, 13) == b"firstfirstfir" and found.at(0x4000_0010, 6) == b"words\0"
    assert found.at(0x1fff, 6) == b"second"
    # behind the images, as the start is taken
    assert found.argument == RAM + 2 * MIB
    assert tree_of(cli, found).text_of("/chosen", "bootargs") == "console=ttyAMA0"


def test_the_tree_is_at_the_start_of_ram_where_that_is_free(cli, put):
    good(cli, "load", "guest", put("a", b"x"), "-a", "0x42000000")
    found = started(cli)
    assert found.argument == RAM and tree_of(cli, found).longs("/memory@40000000", "reg") == [RAM, 64 * MIB]


def test_the_tree_is_at_the_end_of_a_small_ram(booting, tmp_path, put):
    booting.made(*build(tmp_path, '{ name = "ram", guest = 0, size = "1M", access = "rwx" }, ' + BOOT))
    good(booting, "load", "guest", put("a", b"x"), "-a", "0")
    assert started(booting).argument == 0xf_f000
    full = put("full", bytes(MIB - 100))
    r = booting.run("cell", "load", "guest", full)
    assert r.returncode == SPACE and "no room is left in the cell's RAM for a device tree" in r.stderr


@pytest.mark.parametrize("word, entry", [("0x42000040", 0x4200_0040), (None, 0x4200_0000)])
def test_entry(cli, put, word, entry):
    good(cli, "load", "guest", "-s", "not this", "-a", "0x41000000", put("a", bytes(0x80)), "-a", "0x42000000",
         *(["--entry", word] if word else []))
    assert started(cli).entry == entry


def test_elf_segments_are_put_into_their_places(cli, put):
    elf = Elf([Segment(0x4100_0000, b"code"), Segment(0x4100_2001, b"data", memory=0x2000, flags=6),
               Segment(0x4200_0000, memory=0x100, flags=6)], entry=0x4100_0002, machine="aarch64")
    good(cli, "load", "guest", put("elf", elf.bytes()))
    found = started(cli)
    assert found.entry == 0x4100_0002 and found.at(0x4100_0000, 4) == b"code"
    assert found.at(0x4100_2001, 0x2000) == b"data" + bytes(0x1ffc)
    assert (0x4200_0000, bytes(0x100)) in found.places


def test_a_kernel_goes_where_its_header_says(cli, put):
    good(cli, "load", "guest", put("kernel", image(offset=0x8_0000)))
    found = started(cli)
    assert found.entry == RAM + 0x8_0000 and found.at(found.entry, 0x1_0000) == image(offset=0x8_0000)
    # all of its memory becomes zero, and the tree is not in it
    assert any(at == found.entry and len(content) == 0x30_0000 for at, content in found.places)
    assert found.argument == RAM


def test_what_the_cell_cannot_write_stays_where_it_is_loaded(cli, put):
    good(cli, "load", "guest", put("a", b"code"), "-a", "0x30000000", put("b", b"beside"), "-a", "0x20010000")
    found = started(cli)
    assert found.entry == 0x3000_0000 and found.argument == RAM
    assert found.at(0x3000_0000, 4) == b"code" and found.at(0x2001_0000, 6) == b"beside"


def test_all_in_the_boot_region_itself_is_loaded_as_it_is(cli, put):
    good(cli, "load", "guest", put("a", b"flash"), "-a", "0x20000000", "-s", "x", "-a", "0x20100000")
    assert cli.told() == [["load", "0", str(FLASH), "5", "5"], ["load", "1", str(FLASH + MIB), "2", "2"]]


def test_bytes_go_around_what_lies_in_the_region_already(cli, put):
    big = bytes(range(256)) * 0x2000
    good(cli, "load", "guest", put("a", big), "-a", "0x40000000", put("b", b"beside"), "-a", "0x20001003")
    found = started(cli)
    assert found.at(0x4000_0000, 0x400) == big[:0x400] and found.at(0x2000_1003, 6) == b"beside"


def test_a_cell_without_one_is_loaded_as_ever(booting, tmp_path, put):
    booting.made(*build(tmp_path, MEMORY.replace('"64M", access = "rwx"', '"64M", access = "rwx", loadable = true'),
                        more=UART + "entry = 0x4000_0000\n"))
    good(booting, "load", "guest", put("a", b"raw"), "-a", "0x40000000", put("kernel", image()), "-a", "0x41000000",
         "--entry", "0x40000000")
    assert booting.told() == [["load", "0", str(RAM), "3", "3"], ["load", "1", str(RAM + 16 * MIB), "65536", "65536"],
                              ["entry", str(RAM)]]


def test_loads_that_are_refused(cli, put):
    small, large = put("small", b"x" * 64), put("large", bytes(8 * MIB))
    for words, status, says in (
        ([small], SPACE, f'{small}: 64 bytes at 0x0 are not all in one region of the cell\'s RAM; it has "ram" at 0x40000000'),
        ([small, "-a", "0x43ffffe0"], SPACE, "64 bytes at 0x43ffffe0 are not all in one region"),
        ([small, "-a", "0xffffffffffffffff"], SPACE, "are not all in one region"),
        ([small, "-a", "0x9040000"], SPACE, "are not all in one region"),
        ([small, "-a", "0x40000000", small, "-a", "0x4000003f"], SPACE, "both want the memory at 0x4000003f"),
        ([small, "-a", "0x40000000", small, "-a", "0x20000100"], SPACE, "is what starts the other images"),
        ([large, "-a", "0x40000000"], SPACE, 'do not fit into "flash": '),
        ([small, "-a", "0x1000"], SPACE, "entry 0x1000 is not in memory that the cell may execute"),
        ([small, "-a", "0x40000000", "--entry", "0x40000040"], SPACE, "entry 0x40000040 is in none of the images"),
        (["-s", "only words", "-a", "0x40000000"], USAGE, "strings are nothing to start"),
        ([small, "--entry"], USAGE, "which address? none follows"),
        ([small, "--entry", "here"], USAGE, "no address"),
        (["--entry", "0x40000000"], USAGE, "which image?"),
        ([put("bad", image(offset=4 * MIB))], OTHER, "it is damaged"),
    ):
        r = cli.run("cell", "load", "guest", *words)
        assert r.returncode == status and says in r.stderr, (words, r.stderr)
        assert cli.told() == []


def test_how_much_is_missing(cli, put):
    r = cli.run("cell", "load", "guest", put("large", bytes(8 * MIB)), "-a", "0x40000000")
    missing = re.search(r'(\d+) bytes are missing: size = "9M" in the cell\'s text', r.stderr)
    assert missing and 384 < int(missing[1]) < 8192


def test_linux(cli, put):
    kernel, initrd = put("kernel", image()), put("initrd", b"archive" * 1000)
    good(cli, "linux", "-i", initrd, "-c", "quiet", "guest", kernel)
    assert (cli.sysfs / "told").read_text().endswith("start\n")
    found = started(cli)
    tree = tree_of(cli, found)
    assert found.entry == RAM and found.at(RAM, 64) == image()[:64]
    assert found.argument % (2 * MIB) == 0 and found.argument == RAM + 62 * MIB
    start, = tree.longs("/chosen", "linux,initrd-start")
    assert tree.longs("/chosen", "linux,initrd-end") == [start + 7000] and start % 4096 == 0
    assert found.at(start, 7000) == b"archive" * 1000
    assert tree.text_of("/chosen", "bootargs") == "quiet console=ttyAMA0"


def test_linux_in_any_order_and_without_start(cli, put):
    good(cli, "linux", "1", put("kernel", image()), "--no-start", "--cmdline", "a b")
    assert ["start"] not in [line[:1] for line in (cli.told())]


def test_linux_tree_alone(cli, put):
    user = cli.place / "user.dtb"
    subprocess.run(["dtc", "-q", "-O", "dtb", "-o", str(user)], input=b'/dts-v1/; / { model = "m"; };', check=True)
    r = subprocess.run([str(cli.binary), "cell", "linux", "--print-dtb", "-d", str(user), "guest", put("kernel", image())],
                       capture_output=True)
    assert r.returncode == 0 and r.stderr == b"" and cli.told() == []
    (cli.place / "tree").write_bytes(r.stdout)
    assert Tree(cli.place / "tree").text_of("/", "model") == "m"


def test_linux_refuses(cli, put, tmp_path):
    kernel = put("kernel", image())
    for words, status, says in (
        ([], USAGE, "which cell?"),
        (["guest"], USAGE, "which kernel?"),
        (["guest", kernel, "more"], USAGE, "one argument too many: more"),
        (["guest", kernel, "-i"], USAGE, "nothing follows: -i"),
        (["-x", "guest", kernel], USAGE, "unknown option: -x"),
        (["guest", kernel, "-x"], USAGE, "unknown option: -x"),
        (["guest", put("gz", gzip.compress(image()))], OTHER, f"{tmp_path}/gz: is compressed: gunzip it first"),
        (["guest", put("raw", b"raw" * 99)], OTHER, f"{tmp_path}/raw: is no kernel image"),
        (["guest", kernel, "-i", str(tmp_path / "none")], OTHER, "there is no such file"),
        (["guest", kernel, "-d", put("dtb", b"no tree" * 10)], OTHER, f"{tmp_path}/dtb: it is no device tree in binary form"),
        (["guest", put("huge", image(memory=65 * MIB))], SPACE, 'do not fit into "ram", '),
        (["guest", put("tight", image(memory=63 * MIB))], SPACE, 'do not fit into "ram", '),
        (["guest", put("big", image(size=8 * MIB))], SPACE, 'do not fit into "flash": '),
    ):
        r = cli.run("cell", "linux", *words)
        assert r.returncode == status and says in r.stderr, (words, r.stderr)
        assert len(cli.told()) == 0


def test_linux_says_what_the_text_lacks(booting, tmp_path, put):
    booting.made(*build(tmp_path, MEMORY, UART + "entry = 0x4000_0000\n"))
    r = booting.run("cell", "linux", "guest", put("kernel", image(size=5 * MIB)))
    assert r.returncode == SPACE and booting.told() == []
    assert 'add { name = "boot", guest = 0x200000, size = "6M", boot = true } to `memory` in its text' in r.stderr


def test_linux_without_driver_or_cell(cli, put):
    kernel = put("kernel", image())
    (cli.sysfs / "cells/1/config").unlink()
    r = cli.run("cell", "linux", "guest", kernel)
    assert r.returncode == ABSENT and "different versions" in r.stderr
    cli.clear()
    r = cli.run("cell", "linux", "guest", kernel)
    assert r.returncode == ABSENT and "modprobe jailhouse" in r.stderr


def test_a_configuration_that_is_none(cli, put):
    (cli.sysfs / "cells/1/config").write_bytes(b"x" * 200)
    r = cli.run("cell", "linux", "guest", put("kernel", image()))
    assert r.returncode == CONFIG and "cells/1/config: " in r.stderr


def test_only_its_own_architecture_has_a_loader(booting, tmp_path, put):
    subprocess.run([sys.executable, "-m", "jailhouse", "config", "build", str(TOP / "configs/qemu-x86_64/demo.toml"), "-o",
                    str(tmp_path)], check=True, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(TOP / "tools")})
    booting.made(tmp_path / "compute.cell", tmp_path / "system.cell")
    r = booting.run("cell", "linux", "guest", put("kernel", image()))
    assert r.returncode == MACHINE and "of another architecture" in r.stderr


SPANS = st.lists(st.tuples(st.sampled_from([0x1000, RAM, RAM + MIB]), st.integers(0, 0x800), st.integers(1, 0x300)),
                 min_size=1, max_size=8)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spans=SPANS)
def test_whatever_is_packed_is_found_in_its_place(cli, put, spans):
    words, whole, taken = [], {}, []
    for n, (base, offset, size) in enumerate(spans):
        at = base + offset
        if any(at < end and start < at + size for start, end in taken):
            continue
        taken.append((at, at + size))
        whole[at] = bytes((n * 17 + i) & 0xff for i in range(size))
        words += [put(f"part{n}", whole[at]), "-a", hex(at)]
    words += ["--entry", hex(RAM)] if any(start <= RAM < end for start, end in taken) else \
        [put("entry", b"1234"), "-a", "0x42000000", "--entry", "0x42000000"]
    cli.told()
    good(cli, "load", "guest", *words)
    found = started(cli)
    for at, content in whole.items():
        assert found.at(at, len(content)) == content
