# SPDX-License-Identifier: GPL-2.0-only
"""
The programs of inmates/guests on the machine that they were written for, with no hypervisor: what they do
otherwise in a cell is the cell's fault.
"""

import re
from collections.abc import Callable, Iterator

import pexpect
import pytest
from guests import HARMONIC, LATE, NESTED, Guest, built, hashed

from machine.target import TARGET

pytestmark = pytest.mark.bare


class Bare(Guest):
    """QEMU's virt machine and a guest in it, its console the only one."""

    def __init__(self, machine: str, arguments: list[str]):
        super().__init__()
        self._said = ""
        self._process = pexpect.spawn(
            TARGET.qemu, ["-M", f"virt,gic-version=3{machine}", "-cpu", "cortex-a72", "-m", "128M", "-display", "none",
                          "-serial", "stdio", "-monitor", "none", "-nic", "none", *arguments],
            echo=False, timeout=None, maxread=65536, encoding="ascii")
        self._process.delaybeforesend = None
        self.wait(r"ready, .*\n> $")

    def type(self, text: str) -> None:
        self._process.send(text)

    def text(self) -> str:
        try:
            self._said += self._process.read_nonblocking(65536, 0.2)
        except (pexpect.TIMEOUT, pexpect.EOF):
            pass
        return self._said

    def off(self) -> None:
        self.type("off\r")
        self._process.expect(pexpect.EOF, 60)

    def close(self) -> None:
        self._process.close(force=True)


@pytest.fixture
def bare() -> Iterator[Callable[..., Bare]]:
    made: list[Bare] = []

    def start(*arguments: str, machine: str = "") -> Bare:
        made.append(Bare(machine, list(arguments)))
        return made[-1]

    yield start
    for guest in made:
        guest.close()


KERNEL, RAW = "-kernel", "-device"


def loaded(how: str, name: str) -> tuple[str, str]:
    return how, built(name) if how == KERNEL else f"loader,file={built(name)},addr=0x40200000,cpu-num=0"


@pytest.mark.parametrize("name, file, how, cpus, conduit", [
    # a raw one at the start of RAM would be where QEMU has its tree, of which it spares an ELF file
    ("polled", "polled.elf", KERNEL, 1, "hvc"),
    ("smp", "smp.elf", KERNEL, 4, "smc"),
    ("smp", "smp.bin", RAW, 3, "smc"),
    ("tree", "tree.bin", KERNEL, 1, "hvc"),
    ("tree", "tree.bin", KERNEL, 4, "hvc"),
    ("tree", "tree.bin", KERNEL, 2, "smc"),
    ("nested", "nested.elf", KERNEL, 2, "hvc"),
])
def test_guest(bare, name, file, how, cpus, conduit):
    guest = bare("-smp", str(cpus), *loaded(how, file), machine=",virtualization=on" if conduit == "smc" else "")
    said = guest.wait(r"(\w+): ready, life 1, cpus (\d), (\w+), uart 33, lines 288\n")
    assert said.groups() == (name, str(cpus), conduit)
    for life in (1, 2):
        guest.seems_well(cpus)
        if name == "tree":
            assert guest.ask("fpu") == HARMONIC
            assert guest.ask("late") == LATE
        if name == "nested":
            assert guest.ask("nest") == NESTED
        assert guest.lives() == life
        guest.reset()
    guest.type("reset 5\r")
    guest.wait(r"ready, life 8, .*\n> $")
    assert guest.lives() == 8
    guest.off()


def test_what_is_typed_fast(bare):
    guest = bare(*loaded(KERNEL, "tree.bin"))
    text = "".join(chr(0x21 + n % 90) for n in range(2000))
    guest.type(f"take {len(text)}\r")
    guest.wait(r"\ntake\n")
    for at in range(0, len(text), 100):
        guest.type(text[at:at + 100])
    assert re.search(rf"took 2000 {hashed(text)}\n", guest.wait(r"took .*\n")[0])
