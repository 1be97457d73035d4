# SPDX-License-Identifier: GPL-2.0-only
"""The programs of inmates/guests/arm64: the shell that each has on its console, wherever it runs."""

import re
import time
from abc import ABC, abstractmethod

from conftest import Root

from machine import paths

# What was asked for may take so long on a busy machine: no measure of anything
PATIENCE = 120.0
NESTED = "nest (i)l ()il (i)l pi"
# Harmonic number of 10000, in millionths
HARMONIC = "fpu 9787606"
LATE = "late 1, then 2"
# What a shell leaves alone and the answers are not known by
TEXT = "".join(chr(c) for c in range(0x20, 0x7f) if chr(c) not in "'\\%>#")


def built(name: str) -> str:
    return str(paths.built(paths.BUILD / "inmates" / "guests" / name, "inmates"))


def hashed(text: str) -> str:
    """As its `take` does."""
    value = 0x811c9dc5
    for byte in text.encode():
        value = (value ^ byte) * 0x0100_0193 & 0xffff_ffff
    return f"{value:x}"


class Guest(ABC):
    """What is typed, and what it says to that."""

    def __init__(self) -> None:
        self._asked = 0

    @abstractmethod
    def type(self, text: str) -> None:
        ...

    @abstractmethod
    def text(self) -> str:
        """All that it has said, or the last of that."""

    def wait(self, pattern: str) -> re.Match[str]:
        deadline = time.monotonic() + PATIENCE
        while True:
            text = self.text().replace("\r", "")
            if found := re.search(pattern, text):
                return found
            assert time.monotonic() < deadline, f"the guest does not say {pattern!r}:\n{text[-2000:]}"

    def ask(self, command: str, alone: bool = False) -> str:
        """Its answer, in which the command stands as it came there. alone: nothing is typed while it works."""
        self._asked += 1
        mark = f"#{self._asked}"
        if alone:
            self.type(f"{command}\r")
            self.wait(rf"> {re.escape(command)}\n[^>]*\n> $")
            self.type(f"echo {mark}\r")
        else:
            self.type(f"{command}\recho {mark}\r")
        return self.wait(rf"> {re.escape(command)}\n([^>]*)\n> echo {mark}\n{mark}\n")[1]

    def numbers(self, command: str) -> list[int]:
        return [int(n) for n in re.findall(r"\d+", self.ask(command))]

    def lives(self) -> int:
        """Nothing of what was loaded was ever found changed."""
        lives, left, spoilt, _ = self.numbers("lives")
        assert (left, spoilt) == (0, 0)
        return lives

    def reset(self) -> None:
        life = self.lives() + 1
        self.type("reset\r")
        self.wait(rf"ready, life {life}, .*\n> $")

    def seems_well(self, cpus: int) -> None:
        """Every CPU has its ticks and its software interrupts, and its console each character once."""
        before = self.numbers("ticks")
        assert self.ask(f"echo {TEXT}") == TEXT
        assert self.ask("psci") == "psci 1.1 on 0 off 0 reset 0 other ffffffff"
        for _ in range(2):
            assert self.ask("cpus") == f"cpus {cpus} answered {cpus}, {cpus - 1} to all, own 0"
            assert self.ask("cycle") == f"cycle {cpus - 1}, none fffffffe"
        # one that polls may have no such line
        expected = "priority a0 route 0 pended 1" if self.numbers("irqs")[1] else "priority (a0|0) route 0 pended 0"
        assert re.fullmatch(f"probe 3 3 {expected} rpr ff hppir 3ff", self.ask("probe", alone=True))
        now = self.numbers("ticks")
        assert len(now) == len(before) == cpus and all(a < b for a, b in zip(before, now)), (before, now)
        assert self.numbers("irqs")[4:] == [0, 0]


class Cell(Guest):
    """In a cell that a console was made for."""

    def __init__(self, root: Root, name: str, text: str):
        super().__init__()
        self.root, self.name = root, name
        root.create(name, text)

    def run(self, words: str) -> None:
        """`words` as for `cell load`, less the cell."""
        self.root.jailhouse(f"cell load {self.name} {words}")
        self.root.start(self.name)
        self.wait(r"ready, .*\n> $")

    def type(self, text: str) -> None:
        self.root.check(f"printf '%s' '{text}' | jailhouse console -i {self.name}", PATIENCE)

    def text(self) -> str:
        return self.root.jailhouse(f"console {self.name}")

    def exits(self, cpu: int) -> dict[str, int]:
        return self.root.statistics(self.root.cell_id(self.name), cpu)

    def off(self) -> None:
        self.type("off\r")
        self.root.wait_state(self.name, "shut down")
