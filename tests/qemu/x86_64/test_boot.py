# SPDX-License-Identifier: GPL-2.0-only
"""Cells that boot: each of the ways in which a program is entered, at each start and each reset."""

import re
import struct
from pathlib import Path

import pytest
from conftest import SPACE

from machine import paths

LIVES = 3


def guest(name: str) -> Path:
    return paths.built(paths.BUILD / f"inmates/guests/{name}.elf", "inmates")


@pytest.fixture(scope="module")
def more_files() -> dict[str, bytes | Path]:
    elf = guest("long").read_bytes()
    # its one segment, with what is zero behind
    offset, _, _, size, memory = struct.unpack_from("<5Q", elf, 64 + 8)
    return {"tests/long.elf": elf, "tests/multiboot.elf": guest("multiboot"),
            "tests/long.bin": elf[offset:offset + size] + bytes(memory - size), "tests/large": bytes(33 << 20)}


# As many ranges of memory, the first up to 640 KiB, "RSD "; the magic, KiB above 1 MiB, bytes of four ranges
LONG = "long: 00000004 000a0000 20445352"
WAYS = {"long.elf": ("-c 'some words'", LONG, "some words"),
        "long.bin": ("-a 0x200000 -c 'some words'", LONG, "some words"),
        "multiboot.elf": ("-c words", "multiboot: 2badb002 0002fc00 00000060", "words")}


@pytest.mark.parametrize("image", WAYS)
def test_entered(root, image):
    """Each life finds all as it was loaded, but for memory that no image is for."""
    options, told, cmdline = WAYS[image]
    root.create("plain", "linux-plain")
    root.mark()
    root.jailhouse(f"cell load plain /tests/{image} {options}")
    root.start("plain")
    root.wait_state("plain", "shut down")
    root.expect(r'^cell "plain" powered itself off$')
    said = re.findall(r"^\[plain\] (.*?)\s*$", root.said(), re.MULTILINE)
    assert said == [line for n in range(LIVES) for line in (f"{told} {n + 1:08x} 0000600d 00000000", cmdline)]


def test_what_is_refused_changes_nothing(root):
    root.create("plain", "linux-plain")
    root.refused("cell load plain /tests/large -a 0x200000", SPACE, r"bytes are missing: size = \"34M\"")
    root.refused("cell linux plain /tests/long.bin", 1, "no kernel image")
    root.jailhouse("cell load plain /tests/long.elf -c again")
    root.mark()
    root.start("plain")
    root.wait_state("plain", "shut down")
    assert "[plain] again" in root.said()
