# SPDX-License-Identifier: GPL-2.0-only
"""Sets of addresses as spans."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence

from jailhouse.config.model import Span
from jailhouse.config.units import PAGE, align_down, align_up


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


def overlapping(spans: Sequence[Span], wanted: Span) -> Iterator[Span]:
    """Those of merged ones that overlap it."""
    at = max(bisect_right(spans, wanted.start, key=lambda s: s.start) - 1, 0)
    while at < len(spans) and spans[at].start < wanted.end:
        if spans[at].overlaps(wanted):
            yield spans[at]
        at += 1


def whole_pages(span: Span) -> Span:
    """Those that are all in it; none, of size 0, where it is too small."""
    start = align_up(span.start, PAGE)
    return Span(start, max(0, align_down(span.end, PAGE) - start))


def as_range(span: Span) -> range:
    return range(span.start, span.end)


def as_span(numbers: range) -> Span:
    return Span(numbers.start, len(numbers))


def as_ranges(numbers: Iterable[int]) -> tuple[range, ...]:
    return tuple(as_range(s) for s in merged(Span(n, 1) for n in set(numbers)))
