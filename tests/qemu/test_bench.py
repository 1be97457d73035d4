# SPDX-License-Identifier: GPL-2.0-only
"""Instruction counts that must not change unnoticed; `make bench` measures all of them."""

import json

import pytest

from machine import bench

REGENERATE = "if that is meant, run 'make bench' and commit tests/qemu/reference.json with docs/performance.md"


@pytest.fixture(scope="module")
def numbers() -> bench.Numbers:
    return bench.measure_quick("6.12")


def test_timer_interrupts_cost_a_cell_no_exit(numbers: bench.Numbers) -> None:
    assert numbers["cell.timer interrupts"] == bench.INTERRUPTS
    assert numbers["cell.exits"] == 0


def test_a_waiting_cell_exits_once_for_each_wfi(numbers: bench.Numbers) -> None:
    assert numbers["cell.exits with WFI"] <= bench.INTERRUPTS


@pytest.mark.parametrize("name", bench.REFERENCE_NAMES)
def test_counts_are_those_of_the_reference(numbers: bench.Numbers, name: str) -> None:
    wanted = json.loads(bench.REFERENCE.read_text())[name]
    assert numbers[name] == wanted, f"{name} was {wanted}, now {numbers[name]}: {REGENERATE}"


def test_every_sample_of_the_hypercall_is_equal(numbers: bench.Numbers) -> None:
    """Else something else ran meanwhile, and the count is not the hypercall's."""
    assert numbers["cell.hypercall.at_min"] == bench.SAMPLES
