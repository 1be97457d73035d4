# SPDX-License-Identifier: GPL-2.0-only
"""`cell shutdown --timeout`: the cell is asked first, by its communication page."""

import pytest
from conftest import STATE

NONE, UNKNOWN, DENIED, APPROVED = range(4)


@pytest.mark.parametrize(("answer", "wait"), [(APPROVED, 600000), (UNKNOWN, 600000), (NONE, 3000)])
def test_it_agrees_or_does_not_know_or_does_not_answer(root, answer, wait):
    root.run_cell("b", "asked", f"answer={answer}")
    root.expect(r"^\[b\] asked: ready$")
    root.jailhouse(f"cell shutdown --timeout {wait} b")
    assert root.cell_state("b") == "shut down"
    root.expect(r"^\[b\] asked: 1 times$")
    # it does not run: there is nobody to ask
    root.jailhouse("cell shutdown --timeout 600000 b")
    root.destroy("b")


def test_it_refuses(root):
    root.run_cell("b", "asked", f"answer={DENIED}")
    root.expect(r"^\[b\] asked: ready$")
    for times in (1, 2):
        root.refused("cell shutdown -t 600000 b", STATE, 'cell "b" was asked and wants to go on')
        root.expect(rf"^\[b\] asked: {times} times$")
    assert root.cell_state("b") == "running"
    root.jailhouse("cell shutdown b")
    assert root.cell_state("b") == "shut down"
    root.destroy("b")


def test_one_that_tidies_up(root):
    """A demonstration's program says by itself that it has ended."""
    root.run_cell("b", "hello")
    root.expect(r"^\[b\] hello: 1 ")
    root.jailhouse("cell shutdown --timeout 600000 b")
    assert root.cell_state("b") == "shut down"
    root.destroy("b")
