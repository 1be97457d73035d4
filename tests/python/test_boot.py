# SPDX-License-Identifier: GPL-2.0-only
"""How often the emulated machine is booted."""

from types import SimpleNamespace

import pytest
from machine.machine import Machine, MachineFault

TORN = "[    1.552276] Oops: int3: 0000 [#1] PREEMPT SMP NOPTI"


class Booting(Machine):
    """Without a QEMU: each boot says one of these last, and the shell comes after all of them."""

    def __init__(self, *tails: str):
        self._pending, self._console = b"", []
        self._tails, self.boots = list(tails), 0
        self._boot(1.0)

    def _start(self) -> None:
        self.boots += 1
        self._process = SimpleNamespace(close=lambda force: None)

    def _wait_for(self, text: bytes, timeout: float, what: str) -> None:
        if self._tails:
            raise MachineFault("a fault was reported", self._tails.pop(0))


def test_a_boot_that_the_emulator_tore_is_tried_once_more():
    assert Booting().boots == 1
    assert Booting(TORN).boots == 2


@pytest.mark.parametrize("tails", [(TORN, TORN), ("Kernel panic - not syncing: VFS",)])
def test_any_other_end_is_one(tails):
    with pytest.raises(MachineFault):
        Booting(*tails)
