# SPDX-License-Identifier: GPL-2.0-only
"""Instruction counts that must not change unnoticed; `make bench` measures all of them."""

import copy
import json
import tomllib
from typing import Any

import pytest

from jailhouse.bench import compare, record
from machine import bench, bench_cells, bench_inmate, bench_must, bench_run, paths
from machine.bench_run import BenchError
from machine.bench_target import BENCH
from machine.target import TARGET

REGENERATE = (f"if that is meant, run 'make bench {TARGET.make}' and commit {bench.REFERENCE.relative_to(paths.TOP)} "
              f"with {bench.PAGE.relative_to(paths.TOP)}")
LAST = list(BENCH.places)[-1]
Json = dict[str, Any]


@pytest.fixture(scope="module")
def measured() -> tuple[Json, bench.Numbers]:
    return bench.measure_quick("6.12")


@pytest.fixture(scope="module")
def reference() -> record.Record:
    return record.read(str(bench.REFERENCE))


def test_a_million_timer_interrupts_cost_a_cell_that_may_have_none_no_exit(measured: tuple[Json, bench.Numbers]) -> None:
    cell, = tomllib.loads((paths.TOP / "configs" / TARGET.board / "bench-none.toml").read_text())["cell"]
    assert cell["exits"] == "none"
    assert measured[1] == {"ticks.interrupts": 1_000_000, "ticks.exits": 0, "ticks.over_budget": 0}


def test_counts_are_those_of_the_reference(measured: tuple[Json, bench.Numbers], reference: record.Record) -> None:
    comparison = compare.compare(reference, record.check(bench.reference_of(measured[0])))
    reasons = compare.verdict(comparison, compare.THRESHOLDS["icount"])
    assert not reasons, "\n".join([*reasons, REGENERATE])
    assert not comparison.new, f"not in the reference: {comparison.new}; {REGENERATE}"


@pytest.mark.parametrize("where, workload", [("bare", "timer-spin"), ("direct", "hypercall"), (LAST, "tick")])
def test_one_instruction_more_is_noticed(measured: tuple[Json, bench.Numbers], reference: record.Record, where: str,
                                         workload: str) -> None:
    doctored = copy.deepcopy(bench.reference_of(measured[0]))
    run = bench_must.Runs(doctored["runs"]).get(where, workload)
    run["histogram"] = [[value + 1, count] for value, count in run["histogram"]]
    reasons = compare.verdict(compare.compare(reference, record.check(doctored)), 0)
    assert any(text.startswith(f"{workload}, {where}, idle: max") for text in reasons)


def test_one_exit_more_is_noticed(measured: tuple[Json, bench.Numbers], reference: record.Record) -> None:
    doctored = copy.deepcopy(bench.reference_of(measured[0]))
    run = bench_must.Runs(doctored["runs"]).get("direct", "timer-spin")
    reason = next(name for name in run["exits"] if name not in record.NO_REASON)
    for name in ("total", reason):
        run["exits"][name] += 1
    reasons = compare.verdict(compare.compare(reference, record.check(doctored)), 0)
    assert any("timer-spin, direct, idle" in text and "exit" in text for text in reasons), reasons
    for counter in ("exits", "over_budget"):
        rules = bench_must.cell_rules(measured[0]["runs"], {**measured[1], f"ticks.{counter}": 1})
        assert [rule["name"][:26] for rule in rules if not rule["kept"]] == ["1,000,000 timer interrupts"]


def test_what_must_hold_of_the_cells(measured: tuple[Json, bench.Numbers]) -> None:
    broken = [rule for rule in bench_must.cell_rules(measured[0]["runs"], measured[1]) if not rule["kept"]]
    assert not broken, json.dumps(broken, indent=1)


def test_a_sample_that_nothing_explains_is_refused(measured: tuple[Json, bench.Numbers]) -> None:
    run = copy.deepcopy(bench_must.Runs(measured[0]["runs"]).get("direct", "timer-spin"))
    bench_cells.explain(run)
    (value, count), = run["histogram"]
    run["histogram"] = [[value, count - 1], [value + 5000, 1]]
    with pytest.raises(BenchError, match="something else ran"):
        bench_cells.explain(run)


def test_a_run_that_is_missing_is_refused(measured: tuple[Json, bench.Numbers]) -> None:
    where, workload = BENCH.must[-1].where, BENCH.must[-1].workload
    runs = [run for run in measured[0]["runs"] if (run["where"], run["workload"]) != (where, workload)]
    with pytest.raises(BenchError, match=f"'{where}, idle, {workload}' was not measured"):
        bench_must.cell_rules(runs, measured[1])


def test_a_clock_of_which_a_tick_is_no_instruction_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    other = tuple(word.replace("shift=0", "shift=1") for word in bench_run.QEMU)
    assert other != bench_run.QEMU
    monkeypatch.setattr(bench_run, "QEMU", other)
    text = bench_run.run_bare(bench_inmate.command_line(["timer-spin"], 10), "bench: done")
    with pytest.raises(BenchError, match="icount is off or something else runs: 10001 instructions took 20002 ticks"):
        bench_inmate.runs(text, "bare", ["timer-spin"])
