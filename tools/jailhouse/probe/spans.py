# SPDX-License-Identifier: GPL-2.0-only
"""Sets of spans."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator

from jailhouse.config.model import Span


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """By their addresses; those that overlap or touch as one."""
    found: list[Span] = []
    for span in sorted(spans, key=lambda s: s.start):
        if found and span.start <= found[-1].end:
            last = found.pop()
            span = Span(last.start, max(last.end, span.end) - last.start)
        found.append(span)
    return tuple(found)


def overlapping(spans: tuple[Span, ...], wanted: Span) -> Iterator[Span]:
    """Those of merged ones that overlap it."""
    at = max(bisect_right(spans, wanted.start, key=lambda s: s.start) - 1, 0)
    while at < len(spans) and spans[at].start < wanted.end:
        if spans[at].overlaps(wanted):
            yield spans[at]
        at += 1
