# SPDX-License-Identifier: GPL-2.0-only
"""Programs that know their CPUs as 0 and 1, or the GIC at another address, and none of the machine's."""

import pytest
from board import STATES

COUNTED = ("counted-direct", "counted-injected")
VIEW = "gicd=0x50000000 gicr=0x50100000 line=208"
OK = r"ok \d+ checks$"


@pytest.fixture(scope="module", params=STATES)
def states(request):
    return request.param


@pytest.fixture
def more_machine(states):
    return {"secure": states == "two"}


@pytest.mark.parametrize("cell", COUNTED)
@pytest.mark.parametrize("ram", ("0x08000000", "0x080a0000", "0x080c0000"))
def test_what_names_a_cpu(root, cell, ram):
    root.run_cell(cell, "counted", f"{VIEW} ram={ram}", text=cell)
    end = root.expect(rf"^\[{cell}\] counted: (ok \d+ checks|\d+ of \d+ wrong)$", 60)
    assert "ok" in end[1], root.said()


@pytest.mark.parametrize(("cell", "peer"), ((COUNTED[0], 1), (COUNTED[1], 1), ("gic-elsewhere", 3)))
def test_interrupts(root, cell, peer):
    """As of any other cell: inmates/tests/irqs.c, with the second CPU."""
    root.run_cell(cell, "irqs", f"cpu=2 peer={peer} lines=208 extra=227", text=cell)
    end = root.expect(rf"^\[{cell}\] irqs: (ok \d+ checks|\d+ of \d+ wrong)$", 120)
    assert "ok" in end[1], root.said()


@pytest.mark.parametrize("cell", COUNTED)
def test_psci(root, cell):
    """By hvc and by smc; the machine's number of this CPU is a stranger's."""
    root.run_cell(cell, "psci", "cpus=2 foreign=2", text=cell)
    root.expect(rf"^\[{cell}\] psci: {OK}", 60)


@pytest.mark.parametrize("cell", COUNTED)
def test_behind_the_last(root, cell):
    """There is a third redistributor in the machine, and none in the cell."""
    root.run_cell(cell, "attack", "op=read addr=0x50140000", text=cell)
    root.expect(rf'^FAILED cell "{cell}": CPU 2: not its memory: read of 0x50140000')
