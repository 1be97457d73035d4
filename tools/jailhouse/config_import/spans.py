# SPDX-License-Identifier: GPL-2.0-only
"""Sets of addresses as spans."""

from collections.abc import Iterable

from jailhouse.config.model import Span


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same addresses, sorted; what touches is one."""
    found: list[Span] = []
    for span in sorted((s for s in spans if s.size), key=lambda s: s.start):
        if found and span.start <= found[-1].end:
            last = found.pop()
            span = Span(last.start, max(last.end, span.end) - last.start)
        found.append(span)
    return found


def minus(spans: Iterable[Span], holes: Iterable[Span]) -> list[Span]:
    """Sorted, without what the holes cover. Spans that touch stay apart."""
    gaps = merged(holes)
    found: list[Span] = []
    for span in sorted((s for s in spans if s.size), key=lambda s: s.start):
        at = span.start
        for gap in gaps:
            if gap.end <= at or gap.start >= span.end:
                continue
            if gap.start > at:
                found.append(Span(at, gap.start - at))
            at = gap.end
        if at < span.end:
            found.append(Span(at, span.end - at))
    return found


def hull(spans: Iterable[Span]) -> Span:
    """Of at least one."""
    listed = list(spans)
    start = min(s.start for s in listed)
    return Span(start, max(s.end for s in listed) - start)


def overlap(span: Span, others: Iterable[Span]) -> bool:
    return any(span.overlaps(other) for other in others)


def covered(span: Span, by: Iterable[Span]) -> bool:
    return not minus([span], by)
