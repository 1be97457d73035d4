# SPDX-License-Identifier: GPL-2.0-only
"""Configuration files that are damaged: what is so on every architecture."""

import random
import zlib
from collections.abc import Iterable

from conftest import CONFIG, SPACE

from jailhouse.config import abi

RW = abi.ABI_MEM_READ | abi.ABI_MEM_WRITE
RWX = RW | abi.ABI_MEM_EXEC
FLIPS = 60
# name -> file, exit status, what the message says
Bad = dict[str, tuple[bytes, int, str]]


def sealed(data: bytes, at: int, new: bytes) -> bytes:
    """The file with `new` at `at`, and a checksum that is right."""
    changed = bytearray(data[:at] + new + data[at + len(new):])
    crc = abi.HEADER.offsets["crc"]
    changed[crc:crc + 4] = bytes(4)
    changed[crc:crc + 4] = zlib.crc32(changed).to_bytes(4, "little")
    return bytes(changed)


def damaged(data: bytes) -> Bad:
    """Cut, extended, of another version or architecture."""
    head = abi.HEADER.offsets
    other = abi.ABI_ARCH_ARM64 + abi.ABI_ARCH_X86_64 - data[head["arch"]]
    return {
        **{f"cut-{size}": (data[:size], CONFIG, "^size: ")
           for size in (1, 31, 32, 100, len(data) // 2, len(data) - 1)},
        "longer": (data + b"\0", CONFIG, "^size: "),
        "magic": (sealed(data, head["magic"], b"JAILSYST"), CONFIG, "^magic: "),
        "version": (sealed(data, head["version"], b"\x63\0"), CONFIG, "^version: 99"),
        "arch": (sealed(data, head["arch"], bytes([other])), CONFIG, f"^arch: .* {other}"),
        "unknown-arch": (sealed(data, head["arch"], b"\x77"), CONFIG, "^arch: .* 119"),
        "reserved": (sealed(data, head["reserved"], b"\1"), CONFIG, "^(header.)?reserved"),
        "text": (b"machine = \"machine.toml\"\n" * 20, CONFIG, "^magic: "),
        "huge": (data + bytes(64 << 10), SPACE, "too large"),
    }


def flipped(data: bytes, bits: Iterable[int]) -> Bad:
    """One bit wrong; which field gives it away depends on the bit."""
    found = {}
    for bit in bits:
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        found[f"bit-{bit}"] = (bytes(changed), 0, r"^\w[\w\[\]\",() -]*: ")
    return found


def some_bits(data: bytes) -> list[int]:
    return sorted(random.Random(2).sample(range(8 * len(data)), FLIPS))
