# SPDX-License-Identifier: GPL-2.0-only
"""inmates/tests/contract.c in one of the cells of contract.toml: it causes exits only when told to."""

import time

from board import BOARDS
from conftest import Root

from machine import paths

# Its commands
TICKS, SLEEP, CALL, SAY, READ, SEND = range(1, 7)
MILLION = 1_000_000
SAID = "contract: says so\n"
CPUS = {"none": 3, "fails": 2, "budget": 1}
BEYOND = "exit beyond its contract"
# Longer than the cells' settling time
SETTLED_MS = 700


class Program:
    """The program in one of the cells of contract.toml, and the page it is commanded by."""

    def __init__(self, root: Root, name: str):
        self.root, self.name = root, name
        self.cpu, self.board = CPUS[name], BOARDS[name]
        root.create(name, "contract")
        self.begin()

    def begin(self) -> None:
        self.root.check(f"devmem {self.board + 4:#x} 32 0")
        self.root.rerun(self.name, "contract", f"settle={SETTLED_MS}")
        self.wait(1, 30)

    def word(self, n: int) -> int:
        return int(self.root.check(f"devmem {self.board + 4 * n:#x} 32"), 16)

    def wait(self, done: int, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while self.word(1) != done:
            assert time.monotonic() < deadline, f"{done} not reached:\n{self.root.said()}"

    def order(self, command: int, n: int = 1, gap: int = 0) -> None:
        words = f"{self.board + 8:#x} 32 {n}", f"{self.board + 12:#x} 32 {gap}", f"{self.board:#x} 32 {command}"
        self.root.check(" && ".join(f"devmem {word}" for word in words))

    def do(self, command: int, n: int = 1, gap: int = 0, seconds: float = 60) -> int:
        """Returns how many interrupts it has taken, if that is what it was to do."""
        done = self.word(1)
        self.order(command, n, gap)
        self.wait(done + 1, seconds)
        return self.word(4)

    def exits(self) -> dict[str, int]:
        return self.root.statistics(self.root.cell_id(self.name), self.cpu)

    def code_around(self, pc: int, size: int) -> bytes:
        """So much before there, and so much from there on."""
        image = (paths.BUILD / "inmates" / "contract.bin").read_bytes()
        return image[pc - size:pc + size]
