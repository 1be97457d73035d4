# SPDX-License-Identifier: GPL-2.0-only
"""Two records, number by number."""

from collections.abc import Iterator
from dataclasses import dataclass

from jailhouse.bench import table
from jailhouse.bench.record import Record, Run, Wrong
from jailhouse.bench.stats import MAX, MEDIAN, STATISTICS, exits_per_event, of_list, statistic

# Past which percentage a change counts if nobody says
THRESHOLDS = {"icount": 0.0, "wall": 10.0}
Numbers = dict[tuple[str, str], float | None]


@dataclass(frozen=True)
class Change:
    """A number in both records. ratio: None where the first is 0 and the second is not."""

    row: str
    name: str
    first: float
    second: float

    @property
    def ratio(self) -> float | None:
        if self.first == 0:
            return 1.0 if self.second == 0 else None
        return self.second / self.first

    def past(self, threshold: float, downwards: bool) -> bool:
        """Is it more than `threshold` percent up, or down where that counts as well?"""
        distance = self.second - self.first
        if distance == 0 or (distance < 0 and not downwards):
            return False
        return abs(distance) * 100 > threshold * self.first

    def words(self) -> str:
        ratio = "from nothing" if self.ratio is None else f"x {self.ratio:.3f}"
        return f"{self.row}: {self.name} {table.rate(self.first)} -> {table.rate(self.second)} ({ratio})"


@dataclass(frozen=True)
class Comparison:
    """missing: measured in the first record only; new: in the second only."""

    changes: tuple[Change, ...]
    missing: tuple[str, ...]
    new: tuple[str, ...]
    downwards: bool

    def past(self, threshold: float) -> list[Change]:
        return [change for change in self.changes if change.past(threshold, self.downwards)]


# --- what can be compared -------------------------------------------------------------

def _same(what: str, first: object, second: object) -> None:
    if first != second:
        raise Wrong(f"{what} differs ({first} and {second}): the numbers do not mean the same, measure both alike")


def _check_runs(first: Run, second: Run) -> None:
    _same(f"{first.name}: unit", first.unit, second.unit)
    _same(f"{first.name}: resolution", first.resolution, second.resolution)
    for name in sorted(first.parameters.keys() | second.parameters.keys()):
        _same(f"{first.name}: parameter '{name}'", first.parameters.get(name, "absent"),
              second.parameters.get(name, "absent"))


def _check(first: Record, second: Record) -> None:
    _same("mode", first.mode, second.mode)
    _same("unit", first.unit, second.unit)
    _same("whether the machine is an emulator", first.machine["emulator"], second.machine["emulator"])
    pairs = [(run, other) for run in first.runs if (other := second.run(*run.key))
             and not run.refused and not other.refused]
    if not pairs:
        raise Wrong("no workload was run in the same place under the same load in both: there is nothing to compare")
    for run, other in pairs:
        _check_runs(run, other)
        if first.mode == "icount":
            _same(f"{run.name}: samples", run.samples, other.samples)


# --- numbers by row and name ----------------------------------------------------------

def _run_numbers(run: Run) -> Iterator[tuple[str, float | None]]:
    for which in STATISTICS:
        yield which.name, statistic(run, which)
    yield "exits per event", exits_per_event(run)
    yield "hypervisor instructions", run.hypervisor_instructions


def _numbers(record: Record) -> Numbers:
    numbers: Numbers = {}
    for run in table.ordered(record):
        row = f"{run.workload}, {run.where}, {run.load}"
        numbers |= {(row, name): value for name, value in _run_numbers(run)}
    for operation in record.lifecycle:
        row = f"cell {operation.operation}, {operation.cell}, {table.size(operation.memory)}"
        numbers[row, "median"] = of_list(operation.times, MEDIAN)
        numbers[row, "max"] = of_list(operation.times, MAX)
        numbers[row, "longest pause"] = max(operation.pauses) if operation.pauses else None
    for root in record.root:
        for reason, count in sorted(root.exits.items()):
            numbers[f"root {root.load}", f"{reason} exits per second"] = round(count / root.seconds, 2)
    return numbers


def compare(first: Record, second: Record) -> Comparison:
    """Wrong if the two were not measured alike."""
    _check(first, second)
    before, after = _numbers(first), _numbers(second)
    changes, missing, new = [], [], []
    for key in [*before, *(key for key in after if key not in before)]:
        a, b = before.get(key), after.get(key)
        if a is not None and b is not None:
            changes.append(Change(*key, a, b))
        elif a is not None:
            missing.append(", ".join(key))
        elif b is not None:
            new.append(", ".join(key))
    # An instruction less has a reason, too: the reference is to be measured again
    return Comparison(tuple(changes), tuple(missing), tuple(new), downwards=first.mode == "icount")


def summary(comparison: Comparison, threshold: float) -> str:
    """Every number with its ratio; marked where it is past the threshold."""
    past = set(comparison.past(threshold))
    rows: list[table.Row] = []
    last = ""
    for change in comparison.changes:
        ratio = "from nothing" if change.ratio is None else f"{change.ratio:.3f}"
        mark = "" if change not in past else "UP" if change.second > change.first else "DOWN"
        rows.append((change.row if change.row != last else "", change.name, table.rate(change.first),
                     table.rate(change.second), ratio, mark))
        last = change.row
    return table.text(("", "", "first", "second", "ratio", ""), rows, 2)


def verdict(comparison: Comparison, threshold: float) -> list[str]:
    """Why the second is not as good as the first; nothing if it is."""
    return [change.words() for change in comparison.past(threshold)] + \
        [f"{name}: not measured any more" for name in comparison.missing]
