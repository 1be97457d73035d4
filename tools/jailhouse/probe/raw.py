# SPDX-License-Identifier: GPL-2.0-only
"""Little-endian numbers out of bytes that nobody vouches for."""


class Malformed(Exception):
    """The bytes are not what they say they are. Says what of them."""


class Bytes:
    """Part of a table or a register space. Whatever lies beyond it is Malformed, never something else."""

    def __init__(self, data: bytes, title: str) -> None:
        self.data = data
        self.title = title

    def __len__(self) -> int:
        return len(self.data)

    def number(self, at: int, size: int) -> int:
        return int.from_bytes(self.part(at, size).data, "little")

    def u8(self, at: int) -> int:
        return self.number(at, 1)

    def u16(self, at: int) -> int:
        return self.number(at, 2)

    def u32(self, at: int) -> int:
        return self.number(at, 4)

    def u64(self, at: int) -> int:
        return self.number(at, 8)

    def part(self, at: int, size: int, title: str = "") -> "Bytes":
        if at < 0 or size < 0 or at + size > len(self.data):
            raise Malformed(f"{self.title}: {len(self.data)} bytes, and {size} from byte {at} on are needed")
        return Bytes(self.data[at:at + size], title or self.title)
