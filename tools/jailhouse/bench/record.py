# SPDX-License-Identifier: GPL-2.0-only
"""The file `jailhouse bench -o` writes, format 1: read and checked.

Everything that was measured is there and consistent, or the file is refused: a count
that contradicts another one would make every number next to it doubtful.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

FORMAT = 1
UNITS = {"icount": "instructions", "wall": "ns"}
# Others are named after the folders they were configured in
WHERES = ("bare", "direct", "trusted", "injected", "linux")
LOADS = ("idle", "loaded")
WORKLOADS = ("timer-spin", "timer-wfi", "self-sgi", "ipi", "device", "spi", "hypercall", "psci", "gicd-read",
             "gicr-write", "icr", "cpuid", "msr", "ioapic-read", "compute", "tick", "cyclictest")
OPERATIONS = ("enable", "create", "load", "start", "shutdown", "destroy", "disable")
# One tick of the counter is one instruction is one nanosecond
ICOUNT_HZ = 1_000_000_000
# Counted beside the reasons, not one of them
NO_REASON = ("total", "over-budget", "over_budget")


class Wrong(Exception):
    """The file is not what it should be; the text says where and what."""


@dataclass(frozen=True)
class Run:
    """One workload in one configuration. histogram: (value, count), values rising."""

    where: str
    load: str
    workload: str
    samples: int
    resolution: int
    histogram: tuple[tuple[int, int], ...] | None
    exits: Mapping[str, int] | None
    hypervisor_instructions: int | None
    unit: str
    parameters: Mapping[str, int | str]
    refused: str = ""  # why there are no numbers

    @property
    def key(self) -> tuple[str, str, str]:
        return self.where, self.load, self.workload

    @property
    def name(self) -> str:
        return f"{self.where}, {self.load}, {self.workload}"


@dataclass(frozen=True)
class Operation:
    """A management operation, done `rounds` times; pauses: of the root cell's other CPUs."""

    operation: str
    cell: str
    memory: int
    rounds: int
    times: tuple[int, ...]
    pauses: tuple[int, ...] | None
    quiet_pauses: tuple[int, ...] | None


@dataclass(frozen=True)
class RootExits:
    """The root cell's exits in so many seconds."""

    load: str
    seconds: float
    exits: Mapping[str, int]


@dataclass(frozen=True)
class Rule:
    """A number that must hold, and whether it does."""

    name: str
    value: int
    limit: int
    kept: bool


@dataclass(frozen=True)
class Record:
    mode: str
    unit: str
    machine: Mapping[str, Any]
    kernel: str
    hypervisor: str
    config: Mapping[str, str]
    samples: int
    runs: tuple[Run, ...]
    lifecycle: tuple[Operation, ...] = ()
    root: tuple[RootExits, ...] = ()
    rules: tuple[Rule, ...] = ()
    about: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[str, int] = field(default_factory=dict)

    def run(self, where: str, load: str, workload: str) -> Run | None:
        return next((run for run in self.runs if run.key == (where, load, workload)), None)


# --- one value ------------------------------------------------------------------------

def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


class Table:
    """An object of the file. What was not asked for by the end is refused as well."""

    def __init__(self, value: object, at: str):
        if not isinstance(value, dict):
            raise Wrong(f"{at}: must be an object, is {_said(value)}")
        self._values: dict[str, Any] = value
        self._asked: set[str] = set()
        self.at = at

    def _get(self, key: str, fits: Callable[[Any], bool], what: str, default: Any = ...) -> Any:
        self._asked.add(key)
        if key not in self._values:
            if default is ...:
                raise Wrong(f"{self.at}: '{key}' is missing")
            return default
        value = self._values[key]
        if not fits(value):
            raise Wrong(f"{self.at}.{key}: must be {what}, is {_said(value)}")
        return value

    def has(self, key: str) -> bool:
        return key in self._values

    def raw(self, key: str) -> Any:
        """Anything; whoever asks checks it."""
        return self._get(key, lambda v: True, "")

    def text(self, key: str, default: Any = ...) -> str:
        value: str = self._get(key, lambda v: isinstance(v, str) and v.isprintable(), "a line of text", default)
        return value

    def word(self, key: str) -> str:
        value: str = self._get(key, lambda v: isinstance(v, str) and bool(re.fullmatch(r"[\w.+-]{1,40}", v, re.ASCII)),
                               "a name of letters, digits and . _ + -")
        return value

    def text_or_none(self, key: str) -> str:
        """What was not seen is null, and shown as such."""
        return "not known" if self.raw(key) is None else self.text(key)

    def choice(self, key: str, choices: Sequence[str]) -> str:
        value: str = self._get(key, lambda v: v in choices, f"one of {', '.join(choices)}")
        return value

    def count(self, key: str, least: int = 0) -> int:
        what = "a whole number" + (f" of at least {least}" if least else ", 0 or more")
        value: int = self._get(key, lambda v: _is_count(v) and v >= least, what)
        return value

    def count_or_none(self, key: str) -> int | None:
        value: int | None = self._get(key, lambda v: v is None or _is_count(v), "a whole number or null", None)
        return value

    def truth(self, key: str) -> bool:
        value: bool = self._get(key, lambda v: isinstance(v, bool), "true or false")
        return value

    def seconds(self, key: str) -> float:
        return float(self._get(key, lambda v: isinstance(v, (int, float)) and not isinstance(v, bool)
                               and 0 < v < 1e9, "a number of seconds above 0"))

    def counts(self, key: str, default: Any = ...) -> Mapping[str, int] | None:
        value = self._get(key, lambda v: v is None or (isinstance(v, dict) and all(map(_is_count, v.values()))),
                          "an object of whole numbers", default)
        return None if value is None else dict(value)

    def texts(self, key: str, default: Any = ...) -> Mapping[str, str]:
        return dict(self._get(key, lambda v: isinstance(v, dict) and all(isinstance(t, str) for t in v.values()),
                              "an object of texts", default))

    def parameters(self, key: str) -> Mapping[str, int | str]:
        return dict(self._get(key, lambda v: isinstance(v, dict)
                              and all(isinstance(p, str) or _is_count(p) for p in v.values()),
                              "an object of texts and whole numbers", {}))

    def list(self, key: str, default: Any = ...) -> list[Any]:
        value: list[Any] = self._get(key, lambda v: isinstance(v, list), "a list", default)
        return value

    def durations(self, key: str, rounds: int) -> tuple[int, ...] | None:
        value = self._get(key, lambda v: v is None or (isinstance(v, list) and all(map(_is_count, v))),
                          "a list of whole numbers or null", None)
        if value is not None and len(value) != rounds:
            raise Wrong(f"{self.at}.{key}: has {len(value)} entries for {rounds} rounds")
        return None if value is None else tuple(value)

    def end(self) -> None:
        if unknown := sorted(self._values.keys() - self._asked):
            raise Wrong(f"{self.at}: '{unknown[0]}' is not known in format {FORMAT}")


def _said(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."


# --- the parts ------------------------------------------------------------------------

def _histogram(table: Table, samples: int) -> tuple[tuple[int, int], ...] | None:
    pairs = table.raw("histogram")
    if pairs is None:
        return None
    at = f"{table.at}.histogram"
    if not isinstance(pairs, list):
        raise Wrong(f"{at}: must be a list or null, is {_said(pairs)}")
    last = -1
    for pair in pairs:
        if not (isinstance(pair, list) and len(pair) == 2 and all(map(_is_count, pair)) and pair[1] > 0):
            raise Wrong(f"{at}: each entry must be [value, count] with a count above 0, one is {_said(pair)}")
        if pair[0] <= last:
            raise Wrong(f"{at}: values must rise, {pair[0]} stands behind {last}")
        last = pair[0]
    total = sum(count for _, count in pairs)
    if total != samples:
        raise Wrong(f"{at}: holds {total} samples, 'samples' says {samples}: one of them is wrong")
    return tuple((value, count) for value, count in pairs)


def _check_exits(exits: Mapping[str, int] | None, at: str) -> None:
    if exits is None:
        return
    if "total" not in exits:
        raise Wrong(f"{at}: 'total' is missing")
    total = sum(count for reason, count in exits.items() if reason not in NO_REASON)
    if len(exits) > 1 and total != exits["total"]:
        raise Wrong(f"{at}: the reasons add up to {total}, 'total' says {exits['total']}: one of them is wrong")


def _refused(table: Table, mode: str) -> Run:
    """A run that its program would not make, or whose numbers were not whole."""
    run = Run(where=table.word("where"), load=table.choice("load", LOADS),
              workload=table.choice("workload", WORKLOADS), samples=0, resolution=table.count("resolution"),
              histogram=None, exits=None, hypervisor_instructions=None, unit=table.text("unit", UNITS[mode]),
              parameters={}, refused=table.text("refused"))
    for key in ("samples", "histogram", "exits"):
        if table.raw(key) is not None:
            raise Wrong(f"{table.at}.{key}: must be null where the run was refused")
    table.end()
    return run


def _run(value: object, at: str, mode: str) -> Run:
    table = Table(value, at)
    if table.has("refused"):
        return _refused(table, mode)
    samples = table.count("samples", 1)
    run = Run(where=table.word("where"), load=table.choice("load", LOADS),
              workload=table.choice("workload", WORKLOADS), samples=samples,
              resolution=table.count("resolution"), histogram=_histogram(table, samples),
              exits=table.counts("exits", None), unit=table.text("unit", UNITS[mode]),
              hypervisor_instructions=table.count_or_none("hypervisor_instructions"),
              parameters=table.parameters("parameters"))
    table.end()
    _check_exits(run.exits, f"{at}.exits")
    if run.where == "bare" and run.load != "idle":
        raise Wrong(f"{at}: nothing else runs on the bare machine, 'load' must be idle")
    if run.where == "bare" and (run.exits or run.hypervisor_instructions is not None):
        raise Wrong(f"{at}: the bare machine has no hypervisor, so no exits")
    if mode == "icount" and run.where != "linux":
        if run.load == "loaded" and run.histogram is not None:
            raise Wrong(f"{at}: under load the clock of icount is shared by all CPUs and says nothing: "
                        "'histogram' must be null")
        if run.unit != UNITS["icount"]:
            raise Wrong(f"{at}.unit: must be instructions in mode icount, is {run.unit}")
    if run.histogram is None and run.exits is None and run.hypervisor_instructions is None:
        raise Wrong(f"{at}: nothing was measured, no histogram and no exits: leave the run out")
    return run


def _operation(value: object, at: str) -> Operation:
    table = Table(value, at)
    rounds = table.count("rounds", 1)
    times = table.durations("times", rounds)
    if times is None:
        raise Wrong(f"{at}: 'times' is missing")
    operation = Operation(table.choice("operation", OPERATIONS), table.text("cell"), table.count("memory"), rounds,
                          times, table.durations("pauses", rounds), table.durations("quiet_pauses", rounds))
    table.end()
    return operation


def _root_exits(value: object, at: str) -> RootExits:
    table = Table(value, at)
    exits = table.counts("exits")
    if exits is None:
        raise Wrong(f"{at}.exits: must be an object of whole numbers, is null")
    root = RootExits(table.choice("load", ("idle", "busy")), table.seconds("seconds"), exits)
    table.end()
    if "total" in exits:
        _check_exits(exits, f"{at}.exits")
    return root


def _rule(value: object, at: str) -> Rule:
    table = Table(value, at)
    rule = Rule(table.text("name"), table.count("value"), table.count("limit"), table.truth("kept"))
    table.end()
    if rule.kept != (rule.value <= rule.limit):
        raise Wrong(f"{at}: {rule.value} with a limit of {rule.limit} is not 'kept': {str(rule.kept).lower()}")
    return rule


def _machine(value: object, mode: str) -> Mapping[str, Any]:
    table = Table(value, "machine")
    machine = {"model": table.text_or_none("model"), "cpus": table.count("cpus", 1),
               "midr": table.text_or_none("midr"), "counter_hz": table.count_or_none("counter_hz"),
               "emulator": table.truth("emulator"), "gic": table.text_or_none("gic")}
    table.end()
    if mode == "icount" and not machine["emulator"]:
        raise Wrong("machine.emulator: mode icount is an emulator's, a board has no such clock")
    if mode == "icount" and machine["counter_hz"] != ICOUNT_HZ:
        raise Wrong(f"machine.counter_hz: must be {ICOUNT_HZ} in mode icount (one tick is one instruction), "
                    f"is {machine['counter_hz']}: start QEMU with cntfrq={ICOUNT_HZ}")
    return machine


def check(value: object) -> Record:
    """The record a decoded file holds. Wrong says what is not right."""
    table = Table(value, "the file")
    number = table.count("format")
    if number != FORMAT:
        raise Wrong(f"format {number}: only format {FORMAT} is known; use the jailhouse command that wrote it")
    mode = table.choice("mode", tuple(UNITS))
    unit = table.text("unit")
    if unit != UNITS[mode]:
        raise Wrong(f"unit: must be {UNITS[mode]} in mode {mode}, is {unit}")
    runs = tuple(_run(run, f"runs[{i}]", mode) for i, run in enumerate(table.list("runs")))
    keys = [run.key for run in runs]
    if twice := next((run for run in runs if keys.count(run.key) > 1), None):
        raise Wrong(f"runs: '{twice.name}' is there twice")
    record = Record(
        mode=mode, unit=unit, machine=_machine(table.raw("machine"), mode),
        kernel=table.text_or_none("kernel"), hypervisor=table.text_or_none("hypervisor"), config=table.texts("config"),
        samples=table.count("samples", 1), runs=runs,
        lifecycle=tuple(_operation(o, f"lifecycle[{i}]") for i, o in enumerate(table.list("lifecycle", []))),
        root=tuple(_root_exits(r, f"root[{i}]") for i, r in enumerate(table.list("root", []))),
        rules=tuple(_rule(r, f"rules[{i}]") for i, r in enumerate(table.list("rules", []))),
        about=table.texts("about", {}), numbers=table.counts("numbers", {}) or {})
    table.end()
    return record


def read(path: str) -> Record:
    """The record in a file. Wrong names the file and says what is not right."""
    try:
        with open(path, encoding="utf-8") as file:
            return check(json.load(file))
    except OSError as error:
        raise Wrong(f"{path}: cannot be read: {error.strerror}") from error
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Wrong(f"{path}: is not JSON ({error}): was the measurement interrupted while it was written?") from error
    except Wrong as error:
        raise Wrong(f"{path}: {error}") from error
