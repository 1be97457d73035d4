# SPDX-License-Identifier: GPL-2.0-only
"""Whatever is asked for wrongly has its own message and status, and changes nothing."""

import random
import re
import zlib
from collections.abc import Iterable
from dataclasses import replace

import pytest
from conftest import ABSENT, CONFIG, EXISTS, MACHINE, NO_CELL, SPACE, STATE, Root

from jailhouse.config import abi, blob
from jailhouse.config.emit import CellFile, Irq, Mem, SystemFile
from jailhouse.config.model import Span

PARAMETERS = "kvm-arm.mode=nvhe kvm-arm.mode=none"
RW = abi.ABI_MEM_READ | abi.ABI_MEM_WRITE
RWX = RW | abi.ABI_MEM_EXEC
FLIPS = 60
# name -> file, exit status, what the message says
Bad = dict[str, tuple[bytes, int, str]]


def sealed(data: bytes, at: int, new: bytes) -> bytes:
    """The file with `new` at `at`, and a checksum that is right."""
    changed = bytearray(data[:at] + new + data[at + len(new):])
    crc = abi.HEADER.offsets["crc"]
    changed[crc:crc + 4] = bytes(4)
    changed[crc:crc + 4] = zlib.crc32(changed).to_bytes(4, "little")
    return bytes(changed)


def damaged(data: bytes) -> Bad:
    """Cut, extended, of another version or architecture."""
    head = abi.HEADER.offsets
    return {
        **{f"cut-{size}": (data[:size], CONFIG, "^size: ")
           for size in (1, 31, 32, 100, len(data) // 2, len(data) - 1)},
        "longer": (data + b"\0", CONFIG, "^size: "),
        "magic": (sealed(data, head["magic"], b"JAILSYST"), CONFIG, "^magic: "),
        "version": (sealed(data, head["version"], b"\3\0"), CONFIG, "^version: 3"),
        "arch": (sealed(data, head["arch"], b"\2"), CONFIG, "^arch: .* 2"),
        "unknown-arch": (sealed(data, head["arch"], b"\x77"), CONFIG, "^arch: .* 119"),
        "reserved": (sealed(data, head["reserved"], b"\1"), CONFIG, "^(header.)?reserved"),
        "text": (b"machine = \"machine.toml\"\n" * 20, CONFIG, "^magic: "),
        "huge": (data + bytes(64 << 10), SPACE, "too large"),
    }


def flipped(data: bytes, bits: Iterable[int]) -> Bad:
    """One bit wrong; which field gives it away depends on the bit."""
    found = {}
    for bit in bits:
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        found[f"bit-{bit}"] = (bytes(changed), 0, r"^\w[\w\[\]\"() -]*: ")
    return found


def some_bits(data: bytes) -> list[int]:
    return sorted(random.Random(2).sample(range(8 * len(data)), FLIPS))


def bad_systems(data: bytes) -> Bad:
    good = blob.decode(data)
    assert isinstance(good, SystemFile)
    at = abi.HEADER.size
    root = good.root

    def with_mem(*more: Mem) -> bytes:
        return blob.encode_system(replace(good, root=replace(root, mem=(*root.mem, *more))))

    def at_span(start: int, size: int) -> bytes:
        return blob.encode_system(replace(good, hypervisor=Span(start, size)))

    platform = at + abi.SYSTEM.offsets["platform"]
    return {
        **damaged(data),
        **flipped(data, some_bits(data)),
        # Every bit of where the hypervisor is put
        **flipped(data, range(8 * at, 8 * at + 128)),
        "overlap": (with_mem(Mem("twice", 0x5000_0000, 0x5000_0000, 4096, RWX)), CONFIG,
                    r"memory\[\d+\] \"twice\": .*overlaps"),
        "overlap-hypervisor": (with_mem(Mem("over", 0xbf00_0000, 0xbf00_0000, 4096, RWX)), CONFIG,
                               r"memory\[\d+\] \"over\": .*overlaps the hypervisor"),
        "overlap-gic": (with_mem(Mem("regs", 0x0800_0000, 0x0800_0000, 4096, RW | abi.ABI_MEM_IO)), CONFIG,
                        r"memory\[\d+\] \"regs\": .*overlaps the interrupt controller"),
        "beyond": (with_mem(Mem("far", 1 << 60, 1 << 60, 4096, RW)), CONFIG,
                   r"memory\[\d+\] \"far\": .*end at"),
        "wraps": (with_mem(Mem("wrap", (1 << 64) - 4096, (1 << 64) - 4096, 8192, RW)), CONFIG, "\"wrap\""),
        "unaligned": (at_span(0xbf00_1000, 0xff_f000), CONFIG, "^hypervisor: .*2 MiB"),
        "linux-ram": (at_span(0x5000_0000, 0x100_0000), MACHINE, "in use by Linux"),
        "small": (at_span(0xbf00_0000, 0x10_0000), SPACE, "^hypervisor: .*too small"),
        "no-ram": (at_span(0x1_0000_0000, 0x100_0000), MACHINE, "^hypervisor: .*no RAM"),
        "registers": (at_span(0x0a00_0000, 0x100_0000), MACHINE, "^hypervisor: .*no RAM"),
        "reserved-no-ram": (with_mem(Mem("none", 0x1_0000_0000, 0x1_0000_0000, 4096,
                                         RWX | abi.ABI_MEM_RESERVED)), MACHINE, "\"none\".*no RAM"),
        "gic-version": (sealed(data, platform + 32, b"\4"), CONFIG, "^gic_version: 4"),
        "gicd": (sealed(data, platform, (0x0800_1000).to_bytes(8, "little")), CONFIG, "^gicd: "),
        "gicr-elsewhere": (sealed(data, platform + 16, (0x0c00_0000).to_bytes(8, "little")), CONFIG,
                           "gicr|overlaps"),
        "root-limit": (blob.encode_system(replace(good, root=replace(root, exits=0))), CONFIG,
                       "the root cell has no limit"),
        "two-alike": (blob.encode_system(replace(good, hwids=(0, 1, 2, 2))), MACHINE, "^CPU 3 has the id 0x3"),
        "other-cpu": (blob.encode_system(replace(good, hwids=(0, 1, 2, 0x103))), MACHINE,
                      "^CPU 3 has the id 0x3, .*0x103"),
    }


def bad_cells(data: bytes) -> Bad:
    """Of cell b, while cell a is there."""
    good = blob.decode(data)
    assert isinstance(good, CellFile)
    ram = good.cell.mem[0]

    def cell(**changes) -> bytes:
        return blob.encode_cell(replace(good, cell=replace(good.cell, **changes)))

    def mem(*more: Mem, **changes) -> bytes:
        return cell(mem=(replace(ram, **changes), *good.cell.mem[1:], *more))

    def more(phys: int, virt: int = 0x7000_0000, size: int = 4096, flags: int = RW) -> bytes:
        return mem(Mem("more", phys, virt, size, flags))

    return {
        **damaged(data),
        **flipped(data, some_bits(data)),
        "other-cells": (more(0xb000_0000), CONFIG, r"memory\[\d\] \"more\": phys .*overlaps cell \"a\""),
        "own-phys": (more(ram.phys), CONFIG, r"\"more\": phys .*overlaps cell \"b\""),
        "own-virt": (more(0xb200_0000, 0), CONFIG, r"\"more\": virt .*overlaps memory\[0\]"),
        "linux-ram": (more(0x4000_0000), CONFIG, r"\"more\": phys .*not RESERVED"),
        "hypervisor": (more(0xbf00_0000), CONFIG, r"\"more\": phys .*no one region"),
        "no-ram": (more(0x1_0000_0000), CONFIG, r"\"more\": phys .*no one region"),
        "across": (more(0xbeff_f000, size=8192), CONFIG, r"\"more\": phys .*no one region"),
        "as-registers": (more(0xb200_0000, flags=RW | abi.ABI_MEM_IO), CONFIG, r"\"more\": phys .*not IO"),
        "gic": (more(0x0800_0000, 0x0800_0000, flags=RW | abi.ABI_MEM_IO), CONFIG, "\"more\": .*interrupt"),
        "over-gic": (more(0xb200_0000, 0x0800_0000), CONFIG, r"\"more\": virt .*overlaps the interrupt"),
        "beyond": (more(0xb200_0000, 1 << 60), CONFIG, r"\"more\": virt .*end at"),
        "wraps": (more(0xb200_0000, (1 << 64) - 4096, 8192), CONFIG, "\"more\""),
        "unaligned": (more(0xb200_0800), CONFIG, r"\"more\": phys .*multiple"),
        "empty": (more(0xb200_0000, size=0), CONFIG, r"\"more\": size"),
        "flags": (more(0xb200_0000, flags=RW | 1 << 20), CONFIG, r"\"more\": flags"),
        "entry": (cell(entry=0x40_0000), CONFIG, "^entry: "),
        "no-name": (cell(name=""), CONFIG, "^name: "),
        "no-cpu": (cell(cpus=frozenset()), CONFIG, "^cpus: "),
        "cpu-9": (cell(cpus=frozenset({9})), CONFIG, "^cpus: .*CPU 9"),
        "cpu-taken": (cell(cpus=frozenset({2, 3})), CONFIG, "^cpus: CPU 3 .*\"a\""),
        "last-cpu": (cell(cpus=frozenset({0, 1, 2})), CONFIG, "^cpus: .*last CPU"),
        "line-taken": (cell(irqs=(Irq(220, 1, 220),)), CONFIG, r"^irq\[0\]: .*\"a\""),
        "line-of-nobody": (cell(irqs=(Irq(900, 1, 900),)), CONFIG, r"^irq\[0\]: line 900"),
        "line-of-a-cpu": (cell(irqs=(Irq(27, 1, 27),)), CONFIG, r"^irq\[0\]: line 27"),
        "line-moved": (cell(irqs=(Irq(221, 1, 40),)), CONFIG, r"^irq\[0\]: .*INJECTED"),
        "line-moved-away": (cell(irqs=(Irq(221, 1, 1020),), flags=good.cell.flags | abi.ABI_CELL_INJECTED),
                            CONFIG, r"^irq\[0\]: virt 1020"),
        "no-limit-settles": (cell(settle_ms=1), CONFIG, "settle_ms needs a limit"),
        "roots-name": (cell(name="root"), EXISTS, "\"root\""),
        "twins-name": (cell(name="a"), EXISTS, "\"a\" exists already"),
    }


def other_kinds(blobs: dict[str, bytes]) -> tuple[Bad, Bad]:
    return ({"cell-file": (blobs["tests/cells/a.cell"], CONFIG, "^kind: ")},
            {"system-file": (blobs["tests/cells/system.cell"], CONFIG, "^kind: ")})


def collections(blobs: dict[str, bytes]) -> dict[str, Bad]:
    system, cell = other_kinds(blobs)
    return {"enable": {**bad_systems(blobs["tests/cells/system.cell"]), **system},
            "cell create": {**bad_cells(blobs["tests/cells/b.cell"]), **cell}}


@pytest.fixture
def more_files(blobs) -> dict[str, bytes]:
    return {f"bad/{command.split()[-1]}/{name}": data
            for command, bad in collections(blobs).items() for name, (data, _, _) in bad.items()}


def all_refused(root: Root, command: str, bad: Bad) -> int:
    """Every file is refused as it should be, and all of them together change nothing."""
    before = root.state()
    output = root.check(f"cd /bad/{command.split()[-1]}; for file in *; do "
                        f"text=$(jailhouse {command} $file 2>&1); echo $? $file $text; done", 300)
    wrong = []
    seen = set()
    for line in output.splitlines():
        status, name, text = line.split(" ", 2)
        _, wanted, says = bad[name]
        seen.add(name)
        said = re.sub(rf"^jailhouse: ({command}|{re.escape(name)}): ", "", text)
        good = int(status) == wanted if wanted else int(status) in (CONFIG, SPACE, MACHINE, EXISTS)
        if not good or not re.search(says, said):
            wrong.append(f"{line} (wanted {wanted or 'a refusal'}, {says})")
    assert not wrong, "\n".join(wrong)
    assert seen == bad.keys()
    assert root.state() == before
    return len(seen)


def test_bad_system_files(boot, blobs, more_files, say):
    root = Root(boot(files={**blobs, **more_files}), enable=False)
    say(f"{all_refused(root, 'enable', collections(blobs)['enable'])} files refused")
    # and the good one is good
    root.jailhouse(f"enable {root.SYSTEM}")
    root.jailhouse("disable")


def test_bad_cell_files(root, blobs, say):
    root.create("a")
    say(f"{all_refused(root, 'cell create', collections(blobs)['cell create'])} files refused")
    root.create("b")


def test_creating_a_cell_that_exists(root):
    root.create("a")
    root.refused("cell create /tests/cells/a.cell", EXISTS, "cell \"a\" exists already, as 1")


def test_cell_whose_cpu_another_has(root):
    root.create("a")
    root.refused("cell create /tests/pair/pair.cell", CONFIG, "cpus: CPU 3 belongs to cell \"a\"")


@pytest.mark.parametrize("words, says", (
    ("/inmates/hello.bin -a 0x100000", "at 0x100000 are not all in loadable memory.*ram 0x0-0xfffff"),
    ("/inmates/hello.bin -a 0xff000", "at 0xff000 are not all"),
    ("-s x -a 0x3000000", "at 0x3000000 are not all"),
    ("-s x -a 0x80000000", "at 0x80000000 are not all"),
    ("-s x -a 0xffffffffffffffff", "at 0xffffffffffffffff are not all"),
    ("/inmates/hello.bin -s x -a 0x100000", "image 2: .*at 0x100000 are not all"),
    ("/tmp/large", "image 1: 1048577 bytes at 0x0 are not all"),
))
def test_loading_what_does_not_fit(root, words, says):
    """Also not in part: what was loaded before still runs."""
    root.create("a")
    root.load("a", "hello")
    root.check("dd if=/dev/zero of=/tmp/large bs=1 seek=1048576 count=1 2>/dev/null")
    root.refused(f"cell load a {words}", SPACE, says)
    root.mark()
    root.start("a")
    root.expect(r"^\[a\] hello: 1")


def test_files_that_cannot_be_loaded(root):
    root.create("a")
    root.refused("cell load a /none", 1, "/none: there is no such file")
    root.refused("cell load a /inmates", 1, "is a directory")


def test_running_cell(root):
    """What a running cell is not to suffer, and does not."""
    root.run_cell("a", "hello")
    root.refused("cell start a", STATE, "cell \"a\" is running already")
    root.refused("cell destroy a", STATE, "cell \"a\" is running: jailhouse cell shutdown a first")
    root.refused("cell load a /inmates/hello.bin", STATE, "cell \"a\" is running: jailhouse cell shutdown a first")
    root.refused("disable", STATE, "cell \"a\" is still there: jailhouse cell destroy a first")
    root.mark()
    root.expect(r"^\[a\] hello: [2-9]")
    # Done is done: nothing to complain about
    root.stop("a", "a")


@pytest.mark.parametrize("command", ("start", "shutdown", "destroy", "load", "stats"))
def test_unknown_cells(root, command):
    root.create("a")
    more = " -s x" if command == "load" else ""
    for name, shown in (("nobody", '"nobody"'), ("7", "7"), ("--name 1", '"1"')):
        root.refused(f"cell {command} {name}{more}", NO_CELL, f"no cell {shown}.*0 root, 1 a")


@pytest.mark.parametrize("command", ("start", "shutdown", "destroy", "load"))
def test_root_cell_is_not_managed(root, command):
    more = " -s x" if command == "load" else ""
    root.refused(f"cell {command} root{more}", 1, "cell 0 \"root\" is the root cell, Linux itself")


def test_enabling_twice(root):
    root.refused(f"enable {root.SYSTEM}", STATE, "is enabled already: jailhouse disable first")


def test_disabling_with_a_cell(root):
    root.create("b")
    root.refused("disable", STATE, "cell \"b\" is still there: jailhouse cell destroy b first")
    assert root.run("rmmod jailhouse").status != 0


COMMANDS = ("disable", "cell list", "cell create /tests/cells/a.cell", "cell start a", "cell destroy a",
            "cell shutdown a", "cell stats a", "cell load a -s x")


def test_before_enable_and_before_the_driver(boot, blobs):
    root = Root(boot(files=blobs), enable=False)
    for command in (*COMMANDS, "console"):
        root.refused(command, ABSENT, "jailhouse enable SYSTEM.cell first")
    # A CPU that is off cannot be taken over
    root.check("echo 0 >/sys/devices/system/cpu/cpu3/online")
    root.refused(f"enable {root.SYSTEM}", MACHINE, "CPU 3 .*is offline: echo 1 > /sys")
    root.check("echo 1 >/sys/devices/system/cpu/cpu3/online")
    root.check("mv /lib/firmware/jailhouse.bin /tmp/")
    root.refused(f"enable {root.SYSTEM}", ABSENT, "/lib/firmware/jailhouse.bin cannot be read")
    root.check("dd if=/tmp/jailhouse.bin of=/lib/firmware/jailhouse.bin bs=1000 count=20 2>/dev/null")
    root.refused(f"enable {root.SYSTEM}", ABSENT, "install it anew")
    root.check("mv /tmp/jailhouse.bin /lib/firmware/")
    root.jailhouse(f"enable {root.SYSTEM}")
    root.jailhouse("disable")
    root.check("rmmod jailhouse")
    for command in (f"enable {root.SYSTEM}", "console", *COMMANDS):
        result = root.run(f"jailhouse {command}")
        assert result.status == ABSENT and "modprobe jailhouse" in result.output, result


@pytest.mark.parametrize("kernel, arguments, says", (
    ("6.12", {"append": f"console=ttyAMA0 {PARAMETERS}"},
     r"memory \"\w+\" 0x[0-9a-f]+-0x[0-9a-f]+ is in use by Linux: boot with mem=1792M"),
    ("6.12", {"append": "console=ttyAMA0 mem=1792M"}, f"boot with {PARAMETERS}"),
    ("6.1", {"append": "console=ttyAMA0 mem=1792M"}, f"boot with {PARAMETERS}"),
    ("6.12", {"append": "console=ttyAMA0 mem=1792M", "cpu": "max"}, rf"EL2 \(VHE\): boot with {PARAMETERS}"),
    ("6.12", {"smp": 2}, "CPU 2 .*is configured, but this machine has none"),
    ("6.12", {"smp": 6}, r"CPU 4 \(id 0x4\) is not in the configuration of 4 CPUs"),
), ids=("no-memory", "kvm-6.12", "kvm-6.1", "vhe", "two-cpus", "six-cpus"))
def test_machine_that_is_not_ready(boot, blobs, say, kernel, arguments, says):
    root = Root(boot(kernel=kernel, files=blobs, **arguments), enable=False)
    say(root.refused(f"enable {root.SYSTEM}", MACHINE, says))
