# SPDX-License-Identifier: GPL-2.0-only
"""Cells that do all they can to keep their CPUs: they are stopped, and nobody else notices."""

import re

import pytest
from board import STATES
from conftest import STATE, Root

CPUS = {"direct": 3, "trusted": 2, "injected": 1}
# Of inmates/tests/attack.c. To be deaf and asleep is what a trusted cell is trusted not to be
OPS = ("loop", "ap1r0", "pmr0", "wfi", "wfe", "gic", "sgis", "calls", "brk", "doze")
TRUSTED_NOT_TO = ("wfi",)
# What has to do with the GIC's security states: masks, groups, and how who sleeps is woken
GIC_OPS = ("ap1r0", "pmr0", "wfi", "wfe", "sgis", "doze")


@pytest.fixture(scope="module")
def states(request):
    return request.param


@pytest.fixture
def more_machine(states):
    return {"secure": states == "two"}


def begin(root: Root, op: str, *cells: str) -> None:
    """They are there and do not run; now all of them attack."""
    root.mark()
    root.check(f"for cell in {' '.join(cells)}; do jailhouse cell load $cell /inmates/attack.bin "
               f"-s op={op} -a 0x1000 && jailhouse cell start $cell || exit 1; done")
    for cell in cells:
        root.expect(rf"^\[{cell}\] attack: {op} begins$")
    # They are in their loops a moment after the line
    root.check("usleep 200000")
    for cell in cells:
        assert root.cell_state(cell) == "running"


def stop(root: Root, *cells: str) -> None:
    """In time, and their CPUs are the hypervisor's again: they work for it, and start anew."""
    root.mark()
    root.check(f"for cell in {' '.join(cells)}; do timeout 20 jailhouse cell shutdown $cell || exit 1; done", 60)
    for cell in cells:
        assert root.cell_state(cell) == "shut down"
    root.check(f"for cell in {' '.join(cells)}; do timeout 20 jailhouse cell load $cell /inmates/hello.bin && "
               "jailhouse cell start $cell || exit 1; done", 60)
    for cell in cells:
        root.expect(rf"^\[{cell}\] hello: 1 ")


def guilty(op: str) -> list[str]:
    return [cell for cell in CPUS if cell != "trusted" or op not in TRUSTED_NOT_TO]


@pytest.mark.parametrize(("states", "op"), [(states, op) for states in STATES for op in (OPS if states == "one" else GIC_OPS)],
                         indirect=["states"])
def test_stopped(root, op):
    """All at once; each is had back, with its memory."""
    cells = guilty(op)
    for cell in cells:
        root.create(cell, "kinds")
    begin(root, op, *cells)
    stop(root, *cells)
    root.tidy()
    assert root.timers_run() == 4


@pytest.mark.parametrize(("states", "bystander"), [*(("one", cell) for cell in CPUS), ("two", "injected")], indirect=["states"])
def test_nobody_else_notices(root, bystander):
    """A cell says hello on while the others hold on to their CPUs, and while those are taken."""
    root.run_cell(bystander, "hello", text="kinds")
    for op in ("wfi", "gic"):
        cells = [cell for cell in guilty(op) if cell != bystander]
        for cell in cells:
            root.create(cell, "kinds")
        for _ in range(2):
            begin(root, op, *cells)
            root.expect(rf"^\[{bystander}\] hello: ")
            root.stop(*cells)
            root.mark()
            root.expect(rf"^\[{bystander}\] hello: ")
        for cell in cells:
            root.check(f"timeout 20 jailhouse cell destroy {cell}", 30)
    assert root.cell_state(bystander) == "running"
    root.tidy()
    assert root.timers_run() == 4


@pytest.mark.parametrize("states", STATES, indirect=["states"])
def test_trusted_cell_that_was_not_to_be_trusted(boot, blobs, say, states):
    """It keeps its CPU, and its memory with it. Nothing else is lost, and the command says it."""
    root = Root(boot(files=blobs, secure=states == "two"))
    root.run_cell("direct", "hello", text="kinds")
    root.create("trusted", "kinds")
    begin(root, "wfi", "trusted")
    for _ in range(2):
        result = root.run("timeout 30 jailhouse cell shutdown trusted", 40)
        assert result.status == STATE, result
        assert re.fullmatch(r'jailhouse: cell shutdown: cell "trusted" keeps CPU 2: its program, trusted [^\n]+\n',
                            result.output), result
    say(result.output.strip())
    result = root.run("timeout 30 jailhouse cell destroy trusted", 40)
    assert result.status == STATE and 'cell "trusted" ' in result.output, result
    assert re.search(r"^\d+ +trusted ", root.listed(), re.MULTILINE)
    root.mark()
    root.expect(r"^\[direct\] hello: ")
    root.destroy("direct")
    assert root.timers_run() == 3
    assert not root.state().complaints
