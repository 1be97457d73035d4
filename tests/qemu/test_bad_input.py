# SPDX-License-Identifier: GPL-2.0-only
"""Whatever is asked for wrongly has its own message and status, and changes nothing."""

import re

import pytest
from bad_bytes import Bad
from bad_files import NOT_READY, bad_cells, bad_systems
from board import COMM, A
from conftest import ABSENT, CONFIG, EXISTS, MACHINE, NO_CELL, SPACE, STATE, Root
from elf_files import elf_files, segments

from machine import paths

OTHER = 1


def other_kinds(blobs: dict[str, bytes]) -> tuple[Bad, Bad]:
    return ({"cell-file": (blobs["tests/cells/a.cell"], CONFIG, "^kind: ")},
            {"system-file": (blobs["tests/cells/system.cell"], CONFIG, "^kind: ")})


def collections(blobs: dict[str, bytes]) -> dict[str, Bad]:
    system, cell = other_kinds(blobs)
    return {"enable": {**bad_systems(blobs["tests/cells/system.cell"]), **system},
            "cell create": {**bad_cells(blobs["tests/cells/b.cell"]), **cell}}


@pytest.fixture
def more_files(blobs) -> dict[str, bytes]:
    bad = {f"bad/{command.split()[-1]}/{name}": data
           for command, bad in collections(blobs).items() for name, (data, _, _) in bad.items()}
    return {**bad, **elf_files(paths.BUILD / "inmates")}


def all_refused(root: Root, command: str, bad: Bad) -> int:
    """Every file is refused as it should be, and all of them together change nothing."""
    before = root.state()
    output = root.check(f"cd /bad/{command.split()[-1]}; for file in *; do "
                        f"text=$(jailhouse {command} $file 2>&1); echo $? $file $text; done", 300)
    wrong = []
    seen = set()
    for line in output.splitlines():
        status, name, *words = line.split(" ", 2)
        text = words[0] if words else ""
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
    (f"-s x -a {COMM:#x}", f"at {COMM:#x} are not all"),
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


@pytest.mark.parametrize("words, status, says", (
    ("/tests/high.elf", SPACE, "image 1: .* at 0x100000 are not all in loadable memory.*ram 0x0-0xfffff"),
    ("/tests/later.elf", OTHER, "is to be started at 0x1000, but cell \"a\" starts at 0x0: entry = 0x1000 in its text"),
    ("/tests/foreign.elf", OTHER, "is for another machine"),
    ("/tests/hello.elf /inmates/hello.bin", SPACE, "would overwrite /tests/hello.elf: both want the memory at 0x0"),
))
def test_elf_files_that_do_not_fit(root, words, status, says):
    root.create("a")
    root.load("a", "hello")
    root.refused(f"cell load a {words}", status, says)
    root.mark()
    root.start("a")
    root.expect(r"^\[a\] hello: 1")


def test_elf_file(root, more_files):
    """Each segment where it belongs, and zeros behind what the file has of it, whatever was there."""
    last = segments(more_files["tests/hello.elf"])[-1]
    assert last.size < last.memory
    root.create("a")
    root.check("tr '\\0' '\\377' </dev/zero | dd of=/tmp/ones bs=4096 count=64 iflag=fullblock 2>/dev/null")
    root.jailhouse("cell load a /tmp/ones")
    root.mark()
    root.jailhouse("cell load a /tests/hello.elf")
    (start, _), *_ = A
    words = root.check(f"for at in {' '.join(hex(start + last.at + at) for at in (last.size, last.memory - 8, last.memory))}; "
                       "do devmem $at 64; done").split()
    assert [int(word, 16) for word in words] == [0, 0, (1 << 64) - 1]
    root.start("a")
    root.expect(r"^\[a\] hello: 2")


def test_files_that_cannot_be_loaded(root):
    root.create("a")
    root.refused("cell load a /none", OTHER, "/none: there is no such file")
    root.refused("cell load a /inmates", OTHER, "is a directory")


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


@pytest.mark.parametrize("case", NOT_READY)
def test_machine_that_is_not_ready(boot, blobs, say, case):
    arguments, says = NOT_READY[case]
    root = Root(boot(files=blobs, **arguments), enable=False)
    say(root.refused(f"enable {root.SYSTEM}", MACHINE, says))
