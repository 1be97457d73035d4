# SPDX-License-Identifier: GPL-2.0-only
"""One program, its interrupts direct or injected, its sleep trapped or not: it must not see which."""

import re

import pytest
from board import STATES
from conftest import Root

TICKS, ROUNDS = 200, 500
# CPU, and words for inmates/tests/irqs.c: lines as the cell sees them
KINDS = {
    "direct": (3, "lines=208 extra=227"),
    "trusted": (2, "lines=228 extra=247"),
    "injected": (1, "lines=48 extra=250"),
}
OK = r"irqs: ok \d+ checks$"


@pytest.fixture(scope="module", params=STATES)
def states(request):
    return request.param


@pytest.fixture
def more_machine(states):
    return {"secure": states == "two"}


def words(kind: str) -> str:
    cpu, others = KINDS[kind]
    return f"cpu={cpu} ticks={TICKS} {others}"


def outcome(root: Root, cell: str) -> None:
    """It has come to its end, and nothing was wrong."""
    end = root.expect(rf"^\[{cell}\] irqs: (ok \d+ checks|\d+ of \d+ wrong)$", 120)
    assert "ok" in end[1], root.said()


def numbers(root: Root, cell: str, what: str) -> dict[str, int]:
    """Of the line that begins so."""
    found = re.search(rf"^\[{cell}\] irqs: {what} (.*=.*)$", root.said(), re.MULTILINE)
    assert found, root.said()
    return {name: int(value) for name, value in (pair.split("=") for pair in found[1].split())}


def test_side_by_side(root, say):
    """All at once; and what an interrupt costs each of them."""
    for kind in KINDS:
        root.create(kind, "kinds")
    root.mark()
    for kind in KINDS:
        root.load(kind, "irqs", words(kind))
    for kind in KINDS:
        root.start(kind)
    for kind in KINDS:
        outcome(root, kind)
    for kind in KINDS:
        spin, sleep, many = (numbers(root, kind, what) for what in ("timer", "timer wfi", "many"))
        say(f"{kind}: {spin}, asleep {sleep}, many at once {many}")
        assert spin["ticks"] == sleep["ticks"] == TICKS
        if kind == "injected":
            assert spin["irq"] == spin["exits"] == sleep["irq"] == sleep["exits"] == TICKS
            assert many["maintenance"] > 0
        else:
            assert spin["irq"] == spin["exits"] == sleep["irq"] == many["maintenance"] == 0
            assert (sleep["exits"] > 0) == (kind == "direct")


@pytest.mark.parametrize("cell, text, injected", (("pair", "pair", False), ("duo", "duo", True)))
def test_between_two_cpus(root, say, cell, text, injected):
    """Each software interrupt arrives once, and costs its sender one exit."""
    root.run_cell(cell, "irqs", "cpu=2 peer=3 lines=208 extra=227", text)
    outcome(root, cell)
    peer = numbers(root, cell, "peer")
    say(f"{cell}: {peer}")
    assert peer["rounds"] == peer["sgi"] == ROUNDS
    assert peer["irq"] == (ROUNDS if injected else 0)
    assert peer["exits"] == peer["sgi"] + peer["irq"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_never_ended(root, kind):
    """Active, pending and waiting when the cell is stopped: whoever comes next sees none of it."""
    root.create(kind, "kinds")
    for _ in range(2):
        root.rerun(kind, "irqs", words(kind) + " hold")
        root.expect(rf"^\[{kind}\] irqs: holds 0$")
        root.check("usleep 200000")
        root.stop(kind)
        root.rerun(kind, "irqs", words(kind))
        outcome(root, kind)
        root.stop(kind)
    root.destroy(kind)
    assert root.timers_run() == 4


@pytest.mark.parametrize("program, end", (("pmr", r"pmr: ok \d+ masks"), ("isv", r"isv: ok \d+ forms"),
                                          ("regs", "regs: clean"), ("psci", r"psci: ok \d+ checks"),
                                          ("idregs", r"idregs: ok \d+ checks")))
def test_other_programs(root, program, end):
    """What they look at is the same however interrupts come."""
    for kind in KINDS:
        root.run_cell(kind, program, text="kinds")
        root.expect(rf"^\[{kind}\] {end}$")


def test_which_way_it_is_managed(root, states):
    """The log says so when the hypervisor is enabled."""
    way = {"one": "GIC: one security state: ", "two": "GIC: two security states: "}[states]
    assert re.search(rf"^{way}", root.check("jailhouse console"), re.MULTILINE)
