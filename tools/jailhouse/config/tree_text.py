# SPDX-License-Identifier: GPL-2.0-only
"""Device tree source (Devicetree Specification 0.4, appendix A), as lines without line feeds."""

from collections.abc import Iterable

from jailhouse.config.arch_arm64 import SPI_FIRST
from jailhouse.config.model import Span

_SPI, _EDGE_RISING, _LEVEL_HIGH = 0, 1, 4


def node(head: str, body: Iterable[str]) -> list[str]:
    return [f"{head} {{", *(f"\t{line}" if line else "" for line in body), "};"]


def spaced(parts: Iterable[list[str]]) -> list[str]:
    """With an empty line between them."""
    found: list[str] = []
    for part in parts:
        found += ["", *part] if found else part
    return found


def comment(*lines: str) -> list[str]:
    """Of any words: names in them are a user's."""
    plain = [line.replace("*/", "* /") for line in lines]
    if len(plain) == 1:
        return [f"/* {plain[0]} */"]
    return ["/*", *(f" * {line}".rstrip() for line in plain), " */"]


def strings(name: str, *values: str) -> str:
    return f"{name} = " + ", ".join(f'"{value}"' for value in values) + ";"


def cells(value: int, count: int = 2) -> str:
    return " ".join(f"{value >> 32 * n & 0xffff_ffff:#x}" for n in reversed(range(count)))


def reg(spans: Iterable[Span], address: int = 2, size: int = 2) -> str:
    """Where addresses and sizes have so many cells."""
    return f"reg = {', '.join(f'<{cells(s.start, address)} {cells(s.size, size)}>' for s in spans)};"


def specifiers(interrupts: Iterable[tuple[int, bool]]) -> str:
    """Of a GIC's shared interrupts, each with whether it is an edge."""
    return ", ".join(f"<{_SPI} {n - SPI_FIRST} {_EDGE_RISING if edge else _LEVEL_HIGH}>" for n, edge in interrupts)
