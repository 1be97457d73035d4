# SPDX-License-Identifier: GPL-2.0-only
"""TOML as people write it here: addresses in hexadecimal, sizes with units, one table of a list to a line."""

from collections.abc import Iterable, Iterator
from typing import Any

from jailhouse.config.units import PAGE, size_text

_WIDTH = 118
# Keys whose numbers are addresses, and those that are amounts
_ADDRESSES = {"start", "guest", "host", "entry", "comm_page", "gicd", "gicr", "address", "port", "pm_timer"}
_SIZES = {"size"}
_UNITS_LONGEST = len("9999K")	# what has more digits is no easier to read than an address
_INTEGER_END = 1 << 63		# TOML 1.0, Integer; the reader takes text for those beyond


def address_text(value: int) -> str:
    """0x4000_0000: groups of four digits."""
    digits = f"{value:x}"
    if len(digits) <= 4:
        return f"{value:#x}" if value else "0"
    head = len(digits) % 4 or 4
    return "0x" + "_".join([digits[:head], *(digits[i:i + 4] for i in range(head, len(digits), 4))])


def ranges_text(numbers: Iterable[int]) -> list[int | str]:
    """[1, 2, 3, 7] -> ["1-3", 7]: as lists of CPUs and lines are written."""
    found: list[list[int]] = []
    for n in sorted(set(numbers)):
        if found and found[-1][1] == n - 1:
            found[-1][1] = n
        else:
            found.append([n, n])
    return [first if first == last else f"{first}-{last}" for first, last in found]


def ports_text(ports: Iterable[range]) -> list[str]:
    """["0x3f8-0x3ff", "0x80"]"""
    return [f"{p.start:#x}-{p.stop - 1:#x}" if len(p) > 1 else f"{p.start:#x}" for p in sorted(ports, key=lambda p: p.start)]


def value_text(value: Any, key: str = "") -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        if key in _SIZES and value and value % PAGE == 0 and len(size := size_text(value)) <= _UNITS_LONGEST:
            return quoted(size)
        text = address_text(value) if key in _ADDRESSES | _SIZES else str(value)
        return text if value < _INTEGER_END else quoted(text)
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key_text(k)} = {value_text(v, k)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(value_text(v, key) for v in value) + "]"
    return quoted(str(value))


def quoted(text: str) -> str:
    """A basic string (TOML 1.0, String)."""
    escaped = "".join({'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}.get(
        c, c if c.isprintable() else f"\\U{ord(c):08x}") for c in text)
    return f'"{escaped}"'


def key_text(key: str) -> str:
    return key if key and all(c.isascii() and (c.isalnum() or c in "_-") for c in key) else quoted(key)


def entry_lines(key: str, value: Any) -> Iterator[str]:
    """`key = value`; a list of tables, or what is too long for a line, has one element to a line."""
    text = f"{key_text(key)} = {value_text(value, key)}"
    tables = isinstance(value, list) and any(isinstance(v, dict) for v in value)
    if not isinstance(value, list) or not value or (len(text) <= _WIDTH and not (tables and len(value) > 1)):
        yield text
        return
    yield f"{key_text(key)} = ["
    yield from (f"\t{value_text(v, key)}," for v in value) if tables else _filled(value, key)
    yield "]"


def _filled(values: list[Any], key: str) -> Iterator[str]:
    line = "\t"
    for value in values:
        text = f"{value_text(value, key)}, "
        if len(line) + len(text) > _WIDTH and line.strip():
            yield line.rstrip()
            line = "\t"
        line += text
    yield line.rstrip()


def comment_lines(text: str) -> Iterator[str]:
    """A comment of any length, in lines that are not too long. What is in it cannot end it."""
    line = "#"
    for word in text.split():
        word = "".join(c if c.isprintable() else "?" for c in word)
        if len(line) + 1 + len(word) > _WIDTH and line != "#":
            yield line
            line = "#"
        line += f" {word}"
    yield line
