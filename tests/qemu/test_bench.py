# SPDX-License-Identifier: GPL-2.0-only
"""Instruction counts that must not change unnoticed; `make bench` measures all of them."""

import copy
import json
from typing import Any

import pytest

from jailhouse.bench import compare, record
from machine import bench, bench_cells, bench_must
from machine.bench_run import BenchError

REGENERATE = "if that is meant, run 'make bench' and commit tests/qemu/arm64/reference.json with docs/performance.md"
Json = dict[str, Any]


@pytest.fixture(scope="module")
def measured() -> tuple[Json, bench.Numbers]:
    return bench.measure_quick("6.12")


@pytest.fixture(scope="module")
def reference() -> record.Record:
    return record.read(str(bench.REFERENCE))


def test_a_million_timer_interrupts_cost_a_cell_no_exit(measured: tuple[Json, bench.Numbers]) -> None:
    assert measured[1] == {"ticks.interrupts": 1_000_000, "ticks.exits": 0}


def test_counts_are_those_of_the_reference(measured: tuple[Json, bench.Numbers], reference: record.Record) -> None:
    comparison = compare.compare(reference, record.check(bench.reference_of(measured[0])))
    reasons = compare.verdict(comparison, compare.THRESHOLDS["icount"])
    assert not reasons, "\n".join([*reasons, REGENERATE])
    assert not comparison.new, f"not in the reference: {comparison.new}; {REGENERATE}"


@pytest.mark.parametrize("where, workload", [("bare", "timer-spin"), ("direct", "hypercall"), ("injected", "tick")])
def test_one_instruction_more_is_noticed(measured: tuple[Json, bench.Numbers], reference: record.Record, where: str,
                                         workload: str) -> None:
    doctored = copy.deepcopy(bench.reference_of(measured[0]))
    run = bench_must.Runs(doctored["runs"]).get(where, workload)
    run["histogram"] = [[value + 1, count] for value, count in run["histogram"]]
    reasons = compare.verdict(compare.compare(reference, record.check(doctored)), 0)
    assert any(text.startswith(f"{workload}, {where}, idle: max") for text in reasons)


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
    runs = [run for run in measured[0]["runs"] if (run["where"], run["workload"]) != ("trusted", "ipi")]
    with pytest.raises(BenchError, match="'trusted, idle, ipi' was not measured"):
        bench_must.cell_rules(runs, measured[1])
