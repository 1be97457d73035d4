# SPDX-License-Identifier: GPL-2.0-only
"""Percentiles of a histogram, by nearest rank, and only where there are samples enough."""

from collections.abc import Sequence
from dataclasses import dataclass

from jailhouse.bench.record import Run

Histogram = Sequence[tuple[int, int]]


@dataclass(frozen=True)
class Statistic:
    """The value with `numerator` of `denominator` samples at or below it."""

    name: str
    numerator: int
    denominator: int

    @property
    def needed(self) -> int:
        """With fewer samples this would be the maximum under another name."""
        beyond = self.denominator - self.numerator
        return 1 if beyond == 0 else -(-self.denominator // beyond)


MIN = Statistic("min", 0, 1)
MEDIAN = Statistic("median", 1, 2)
MAX = Statistic("max", 1, 1)
STATISTICS = (MIN, MEDIAN, Statistic("p99", 99, 100), Statistic("p99.99", 9999, 10000), MAX)


def percentile(histogram: Histogram, statistic: Statistic) -> int | None:
    """None if there are fewer samples than it takes."""
    total = sum(count for _, count in histogram)
    if total < statistic.needed:
        return None
    rank = max(1, -(-total * statistic.numerator // statistic.denominator))
    seen = 0
    for value, count in histogram:
        seen += count
        if seen >= rank:
            return value
    raise AssertionError("a rank is at most the number of samples")


def statistic(run: Run, which: Statistic) -> int | None:
    return None if run.histogram is None else percentile(run.histogram, which)


def exits_per_event(run: Run) -> float | None:
    return None if run.exits is None or not run.samples else run.exits["total"] / run.samples


def of_list(values: Sequence[int], which: Statistic) -> int | None:
    return percentile([(value, 1) for value in sorted(values)], which)
