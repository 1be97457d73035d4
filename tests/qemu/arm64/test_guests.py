# SPDX-License-Identifier: GPL-2.0-only
"""
The programs of inmates/guests in cells that stand in for the machine they were written for. What is asked of
them here is what test_guests_bare.py asks there.
"""

from pathlib import Path

import pytest
from guests import HARMONIC, NESTED, TEXT, Cell, built, hashed

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
