# SPDX-License-Identifier: GPL-2.0-only
"""A cell that is out to hold on to its CPUs, to hide from being stopped, or to take the machine down."""

import re
from dataclasses import replace

import pytest
from conftest import MACHINE, Root

from jailhouse.config import blob
from jailhouse.config.emit import Mem, SystemFile

# RD_base and SGI_base of each of the four CPUs: the configured span goes on behind them
BEHIND_REDISTRIBUTORS = 0x080a_0000 + 4 * 0x2_0000
LINUX = 0x4000_0000
HOLES = "tests/holes"
ROUNDS = 40
MIB = 1 << 20


def system_without(data: bytes, start: int, size: int) -> bytes:
    """The system's file with a hole in what is Linux's."""
    system = blob.decode(data)
    assert isinstance(system, SystemFile)
    mem: list[Mem] = []
    for m in system.root.mem:
        if not m.phys <= start < m.phys + m.size:
            mem.append(m)
            continue
        mem.append(replace(m, size=start - m.phys))
        mem.append(replace(m, name="more", phys=start + size, virt=start + size,
                           size=m.phys + m.size - start - size))
    return blob.encode_system(replace(system, root=replace(
        system.root, mem=tuple(m for m in mem if m.size))))


# What Linux's text does not hold, of the RAM Linux has: an inner part and the end of it
MISSING = {"inner": (LINUX + 640 * MIB, 2 * MIB), "end": (LINUX + 1664 * MIB, 128 * MIB)}


@pytest.fixture
def more_files(blobs) -> dict[str, bytes]:
    system = blobs[Root.SYSTEM.lstrip("/")]
    return {f"{HOLES}/{name}.cell": system_without(system, *span) for name, span in MISSING.items()}


def stands_still(root: Root, name: str, cpus: tuple[int, ...]) -> None:
    """None of the cell's CPUs enters the hypervisor any more: they are in it."""
    cell = root.cell_id(name)
    before = [root.statistics(cell, cpu) for cpu in cpus]
    assert sum(counts["total"] for counts in before) > 0
    root.check("usleep 500000")
    assert [root.statistics(cell, cpu) for cpu in cpus] == before


@pytest.mark.parametrize("op", ("read", "write"))
def test_behind_the_last_redistributor(root, op):
    """The span ends later than the redistributors: nothing is there, and nothing happens."""
    root.run_cell("b", "hello")
    root.create("a")
    for offset in (0, 8, 0x1_0100, 0x2_0000, 0xf6_0000 - 0x8_0000 - 4):
        root.rerun("a", "attack", f"op={op} addr={BEHIND_REDISTRIBUTORS + offset:#x}")
        root.expect(rf"^\[a\] attack: {op} survived value=0x0$")
        assert root.cell_state("a") == "running"
        root.stop("a")
    assert root.timers_run() == 2
    root.mark()
    root.expect(r"^\[b\] hello: ")


def test_power_off_against_power_on(root):
    """One CPU turns the cell off, the other turns that one on all the time: it ends, each time."""
    root.create("pair", "pair")
    root.load("pair", "poweroff")
    state = f"{root.SYSFS}/cells/{root.cell_id('pair')}/state"
    root.check(f"i=0; while [ $i -lt {ROUNDS} ]; do i=$((i+1));"
               f'timeout 10 jailhouse cell start pair || {{ echo "start $i" >&2; exit 1; }};'
               f"n=0; while [ \"$(cat {state})\" != 'shut down' ]; do n=$((n+1));"
               f'[ $n -lt 500 ] || {{ echo "round $i: $(cat {state})" >&2; exit 1; }}; usleep 10000;'
               "done; done", timeout=240)
    stands_still(root, "pair", (2, 3))
    root.mark()
    root.check("timeout 20 jailhouse cell load pair /inmates/hello.bin", timeout=30)
    root.start("pair")
    root.expect(r"^\[pair\] hello: 1")
    root.stop("pair")
    root.check("timeout 20 jailhouse cell destroy pair", timeout=30)
    assert root.timers_run() == 4


@pytest.mark.parametrize("end", ("load", "destroy"))
def test_cell_that_says_it_has_ended_and_goes_on(root, end):
    """Its word counts: nobody has to shut it down, and its CPU is had back from the loop."""
    root.run_cell("a", "poweroff", "words")
    root.expect(r"^\[a\] poweroff: says so$")
    root.wait_state("a", "shut down")
    if end == "load":
        root.rerun("a", "hello")
        root.expect(r"^\[a\] hello: 2")
        root.stop("a")
    root.check("timeout 20 jailhouse cell destroy a", timeout=30)
    assert root.timers_run() == 4


def test_interrupts_masked_by_priority(root, say):
    """ICC_PMR_EL1 masks what the cell has masked, and never the hypervisor's own."""
    root.run_cell("a", "pmr", "hold")
    said = root.expect(r"^\[a\] pmr: (ok|\d+ wrong).*$")[0]
    assert re.search(r"ok \d+ masks$", said), root.said()
    say(said)
    root.expect(r"^\[a\] pmr: holds$")
    root.check("usleep 200000")
    assert root.cell_state("a") == "running"
    root.check("timeout 20 jailhouse cell shutdown a", timeout=30)
    assert root.cell_state("a") == "shut down"
    # Whoever comes next finds the mask as a CPU from reset has it
    root.rerun("a", "pmr")
    root.expect(r"^\[a\] pmr: ok \d+ masks$")
    root.stop("a")
    root.rerun("a", "hello")
    root.expect(r"^\[a\] hello: 2")


def test_state_is_always_one_of_the_known(root):
    """Read all the time while the cell comes, runs, and goes."""
    names = "running|running/locked|shut down|failed"
    # Without a process for each look, so that there are many of them
    root.check("rm -f /tmp/states; echo > /tmp/reading;"
               "for reader in 1 2; do (while [ -e /tmp/reading ]; do "
               f"for file in {root.SYSFS}/cells/*/state; do read -r state < $file && echo $state; done;"
               " done >> /tmp/states 2> /dev/null) & done")
    for _ in range(12):
        root.run_cell("a", "hello")
        root.destroy("a")
    root.check("rm /tmp/reading; wait")
    seen = root.check("sort /tmp/states | uniq -c").splitlines()
    assert any("running" in line for line in seen) and any("shut down" in line for line in seen), seen
    assert all(re.fullmatch(rf" *\d+ ({names})", line) for line in seen), seen


def test_text_without_linuxs_own_ram(root):
    """Linux would die of the first touch: `enable` says what is missing, and nothing changes."""
    root.jailhouse("disable")
    for name, (start, _) in MISSING.items():
        line = root.refused(f"enable /{HOLES}/{name}.cell", MACHINE,
                            "^jailhouse: .*Linux uses RAM at 0x[0-9a-f]+-0x[0-9a-f]+ .*add it")
        assert f"RAM at {start:#x}-" in line
    root.jailhouse(f"enable {root.SYSTEM}")
