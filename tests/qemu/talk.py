# SPDX-License-Identifier: GPL-2.0-only
"""The second UART, with the test at its other end: Linux's, and inmates/tests/uart.c's in a cell."""

import re

from board import SERIAL
from conftest import Root

TEXT = bytes(range(0x20, 0x7f)) * 4


def converse(root: Root, text: bytes) -> None:
    """It comes back with small and capital letters exchanged, each character once."""
    serial = root.machine.serial
    serial.write(text)
    assert serial.read(len(text)) == text.swapcase()


def interrupts(root: Root) -> tuple[int, int]:
    """Characters it has received, and interrupts it has had until it says so."""
    serial = root.machine.serial
    serial.write(b"\x04")
    said = b""
    while not said.endswith(b"\n") or b"interrupts=" not in said:
        got = serial.read(1)
        assert got, said
        said += got
    found = re.fullmatch(rb"\nuart: received=(\d+) interrupts=(\d+)\n", said)
    assert found, said
    return int(found[1]), int(found[2])


def ready(root: Root, name: str, text: str, words: str) -> None:
    root.machine.serial.read(1 << 16, 0.2)
    root.run_cell(name, "uart", words, text)
    assert root.machine.serial.read(12) == b"uart: ready\n"


def root_has_it(root: Root) -> None:
    """Both directions, through Linux's driver."""
    root.machine.serial.read(1 << 16, 0.2)
    # One who has it open throughout: the driver forgets what came when the last one closes it
    root.check(f"stty -F {SERIAL} raw -echo; exec 3<{SERIAL}; (head -n 1 <&3 >/tmp/came) & echo $! >/tmp/head;"
               f"echo 'root has it' >{SERIAL}")
    assert root.machine.serial.read(12) == b"root has it\n"
    root.machine.serial.write(b"so it has\n")
    assert root.check("while kill -0 $(cat /tmp/head) 2>/dev/null; do usleep 10000; done; cat /tmp/came") == "so it has\n"
