# SPDX-License-Identifier: GPL-2.0-only
"""
The programs of inmates/guests in cells that stand in for the machine they were written for. What is asked of
them here is what test_guests_bare.py asks there.
"""

from pathlib import Path

import pytest
from conftest import Root
from guests import HARMONIC, LATE, NESTED, Cell, built, hashed

NAMES = ("polled.bin", "smp.elf", "smp.bin", "tree.bin", "nested.elf")
POLLED = "/guests/polled.bin -a 0x40000000"
SMP_RAW = "/guests/smp.bin -a 0x40200000"
# Linked where QEMU loads it, which is not at the first place for a kernel
TREE = "/guests/tree.bin -a 0x40200000"
SMP, NESTED_ELF = "/guests/smp.elf", "/guests/nested.elf"


@pytest.fixture(scope="module")
def more_files() -> dict[str, Path]:
    return {f"guests/{name}": Path(built(name)) for name in NAMES}


@pytest.mark.parametrize("words, text, name, irq, cpus, conduit", [
    (POLLED, "guests", "solo", 33, 1, "hvc"),
    (POLLED, "guests-direct", "trio", 33, 1, "hvc"),
    (SMP, "guests-injected", "trio", 33, 3, "smc"),
    (SMP_RAW, "guests", "pair", 33, 2, "smc"),
    (TREE, "guests", "solo", 33, 1, "hvc"),
    (TREE, "guests-injected", "trio", 33, 3, "hvc"),
    (TREE, "guests-direct", "trio", 250, 3, "hvc"),
    (NESTED_ELF, "guests", "pair", 33, 2, "hvc"),
    (NESTED_ELF, "guests-direct", "trio", 250, 3, "hvc"),
])
def test_guest(root, say, words, text, name, irq, cpus, conduit):
    guest = Cell(root, name, text)
    guest.run(words)
    said = guest.wait(r"(\w+): ready, life 1, cpus (\d), (\w+), uart (\d+), lines 288\n")
    say(said[0].strip())
    for life in (1, 2):
        guest.seems_well(cpus)
        if said[1] == "tree":
            assert guest.ask("fpu") == HARMONIC
            assert guest.ask("late") == LATE
        if said[1] == "nested":
            assert guest.ask("nest") == NESTED
        assert guest.lives() == life
        guest.reset()
    assert said.groups()[1:] == (str(cpus), conduit, str(irq))
    guest.type("reset 5\r")
    guest.wait(r"ready, life 8, .*\n> $")
    assert guest.lives() == 8
    guest.off()
    # started again from what was loaded, its memory as it left it
    root.start(name)
    guest.wait(r"ready, life 9, .*\n> $")
    guest.seems_well(cpus)
    guest.off()


TYPED = 20_000


@pytest.mark.parametrize("words, text, name, cpus, resets", [
    (SMP, "guests-injected", "trio", 3, 100),
    (TREE, "guests-direct", "trio", 3, 500),
])
def test_resets_itself_again_and_again(root, say, words, text, name, cpus, resets):
    """As soon as it is up, its console and all CPUs' timers in use: it finds itself as it was loaded, and nothing leaks."""
    guest = Cell(root, name, text)
    guest.run(words)
    before, began = root.state(), guest.lives()
    guest.type(f"reset {resets}\r")
    guest.wait(rf"ready, life {began + resets}, cpus {cpus}, .*\n> $")
    assert guest.lives() == began + resets
    # a tick at least in each life
    ticks = guest.numbers("lives")[3]
    assert ticks >= resets
    say(f"{resets} resets, {ticks} ticks meanwhile; exits since: {guest.exits(1)}")
    assert root.state() == before
    guest.seems_well(cpus)
    guest.off()


@pytest.mark.parametrize("words, text, name", [
    (SMP, "guests-injected", "trio"), (TREE, "guests-direct", "trio"),
])
def test_what_is_typed_fast(root, say, words, text, name):
    """Each of 20,000 characters arrives once, and in order."""
    guest = Cell(root, name, text)
    guest.run(words)
    line = "".join(chr(0x21 + n % 90) for n in range(100)).replace("'", "_").replace("%", "_")
    root.check(f"for i in $(seq {TYPED // len(line)}); do printf '%s' '{line}'; done >/tmp/typed")
    guest.type(f"take {TYPED}\r")
    guest.wait(r"\ntake\n")
    exits = guest.exits(1)
    root.check(f"jailhouse console -i {name} </tmp/typed >/dev/null", 300)
    assert guest.wait(r"took .*\n")[0] == f"took {TYPED} {hashed(line * (TYPED // len(line)))}\n"
    say(f"exits for {TYPED} characters: { {k: v - exits[k] for k, v in guest.exits(1).items() if v != exits[k]} }")
    guest.seems_well(3)
    guest.off()


def quiet_exits(guest: Cell, cpu: int) -> dict[str, int]:
    """What it was asked last is over for it too."""
    exits = guest.exits(cpu)
    while (now := guest.exits(cpu))["mmio"] != exits["mmio"]:
        exits = now
    return now


@pytest.mark.parametrize("words", [SMP, TREE])
def test_a_flood_is_one_cells_own(boot, blobs, more_files, say, words):
    """One that floods its console with all it can takes no tick and causes no exit of another."""
    # a machine of its own: the flood's ring does not keep all of it
    root = Root(boot(files={**blobs, **more_files}))
    before = root.state()
    flooder, other = Cell(root, "solo", "guests"), Cell(root, "pair", "guests")
    flooder.run(POLLED)
    other.run(words)
    ticks, exits = other.numbers("ticks"), quiet_exits(other, 2)
    flooder.type("flood 20000\r")
    flooder.wait(r"flooded\n")
    after, now = other.exits(2), other.numbers("ticks")
    say(f"ticks of the other {ticks} to {now}, its interrupts {after['irq'] - exits['irq']}")
    # one for each tick, and nothing else
    assert 0 < after["irq"] - exits["irq"] <= now[0] - ticks[0]
    assert {**after, "irq": 0, "total": 0} == {**exits, "irq": 0, "total": 0}
    assert all(a < b for a, b in zip(ticks, now))
    flooder.seems_well(1)
    other.seems_well(2)
    flooder.off()
    other.off()
    root.destroy("solo", "pair")
    assert root.state() == before
