# SPDX-License-Identifier: GPL-2.0-only
"""Names of letters, digits, _ and -, of a length that fits, none of them twice."""

import re
from itertools import count

NAME_MAX = 24			# of a device's, as in Device
_OTHERS = re.compile(r"[^A-Za-z0-9_]+")


def plain(text: str) -> str:
    """What is something else becomes a -, and none stands at either end. May be empty."""
    return _OTHERS.sub("-", text).strip("-")


def suffixed(name: str, suffix: str, length: int) -> str:
    """name-suffix, of which the name is what is shortened."""
    return f"{name[:length - len(suffix) - 1].rstrip('-')}-{suffix}"[-length:].lstrip("-")


def unique(name: str, suffix: str, length: int, taken: set[str]) -> str:
    """The name, with the suffix if somebody has it, with a number from 2 on if that is not enough. It is taken from then on."""
    name = plain(name)[:length].rstrip("-") or "unnamed"[:length]
    found = name
    if found in taken and suffix:
        found = suffixed(name, plain(suffix), length)
    stem, numbers = found, count(2)
    while found in taken:
        found = suffixed(stem, str(next(numbers)), length)
    taken.add(found)
    return found
