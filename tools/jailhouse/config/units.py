# SPDX-License-Identifier: GPL-2.0-only
"""Numbers as people write them: 4096, 0x1000, "4K", "0x4000_0000", "48-79"."""

import re

UNITS = {"": 0, "K": 10, "M": 20, "G": 30, "T": 40}
PAGE = 4096
MIB = 1 << 20
BLOCK = 2 * MIB		# what a table entry one level above pages maps

_NUMBER = re.compile(r"(0[xX][0-9a-fA-F]+(?:_[0-9a-fA-F]+)*|[0-9]+(?:_[0-9]+)*) ?([A-Za-z]*)",
                     re.ASCII)
_RANGE = re.compile(r"(0[xX][0-9a-fA-F]+|[0-9]+) ?- ?(0[xX][0-9a-fA-F]+|[0-9]+)", re.ASCII)
_FUNCTION = re.compile(r"(?:0000:)?([0-9a-fA-F]{2}):([01][0-9a-fA-F])\.([0-7])", re.ASCII)


def parse_number(value: object) -> int:
    """An unsigned 64-bit number. ValueError says what is wrong."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError(f"{value!r} is no number")
    if isinstance(value, str):
        found = _NUMBER.fullmatch(value)
        if found is None:
            raise ValueError(f'"{value}" is no number')
        digits, unit = found.groups()
        if unit not in UNITS:
            raise ValueError(f'"{value}" has the unknown unit "{unit}" (known: K, M, G, T, '
                             "powers of 1024)")
        number = int(digits.replace("_", ""), 16 if digits[:2] in ("0x", "0X") else 10)
        number <<= UNITS[unit]
    else:
        number = value
    if not 0 <= number < 1 << 64:
        raise ValueError(f"{value} does not fit 64 bits unsigned")
    return number


def parse_range(value: object, first: int, end: int) -> range:
    """5 or "3-7", all of it in [first, end). ValueError says what is wrong."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError(f"{value!r} is no number")
    if isinstance(value, str):
        found = _RANGE.fullmatch(value)
        if found is None:
            raise ValueError(f'"{value}" is no range (write 7 or "3-7")')
        low, high = (int(digits, 16 if digits[:2] in ("0x", "0X") else 10)
                     for digits in found.groups())
        if high < low:
            raise ValueError(f'"{value}" ends before it starts')
    else:
        low = high = value
    if low < first or high >= end:
        raise ValueError(f"{value} is outside {first}..{end - 1}")
    return range(low, high + 1)


def parse_function(value: object) -> int:
    """"00:1f.2" -> bus << 8 | device << 3 | function. ValueError says what is wrong."""
    found = _FUNCTION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"{value!r} is no PCI function of segment 0")
    bus, device, function = (int(digits, 16) for digits in found.groups())
    return bus << 8 | device << 3 | function


def function_text(bdf: int) -> str:
    return f"{bdf >> 8:02x}:{bdf >> 3 & 0x1f:02x}.{bdf & 7}"


def align_up(value: int, unit: int) -> int:
    return -(-value // unit) * unit


def align_down(value: int, unit: int) -> int:
    return value // unit * unit


def size_text(size: int) -> str:
    for unit in "TGMK":
        shift = UNITS[unit]
        if size and size % (1 << shift) == 0:
            return f"{size >> shift}{unit}"
    return str(size)


def span_text(start: int, size: int) -> str:
    return f"{start:#x}+{size_text(size)}"
