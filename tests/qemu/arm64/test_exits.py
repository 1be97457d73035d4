# SPDX-License-Identifier: GPL-2.0-only
"""What enters the hypervisor, and above all what does not."""

import pytest

TICKS = 500


def test_timer_interrupts_of_a_cell_cost_no_exit(root, say):
    """period: of the counter's ticks, 62.5 million a second here."""
    root.run_cell("a", "ticks", f"cpu=3 count={TICKS} period=62500")
    said = root.expect(r"^\[a\] ticks: count=(\d+) exits=(\d+)$")
    say(said[0])
    assert (int(said[1]), int(said[2])) == (TICKS, 0)


def test_sleeping_costs_its_own_exits_only(root, say):
    root.run_cell("a", "ticks", f"cpu=3 count={TICKS} period=62500 wfi")
    said = root.expect(r"^\[a\] ticks: count=(\d+) exits=(\d+)$")
    numbers = root.statistics(1, 3)
    say(f"{said[0]} ({numbers['wfi']} WFI)")
    assert int(said[1]) == TICKS and 0 < int(said[2]) <= numbers["wfi"]
    assert numbers["management"] == numbers["fault"] == 0


def test_timer_interrupts_of_linux_cost_no_exit(root, say):
    """A busy CPU's ticks: what exits it has are the software interrupts it sends."""
    before, ticks_before = root.statistics(0, 1), root.timers()[1]
    root.check("taskset -c 1 timeout 3 sh -c 'while :; do :; done'; true")
    after, ticks = root.statistics(0, 1), root.timers()[1] - ticks_before
    exits = {name: after[name] - before[name] for name in after}
    say(f"{ticks} timer interrupts, exits: {exits}")
    assert ticks > 100
    # Read one after the other while the CPU goes on: no sum of them is exact
    assert not any(count for name, count in exits.items() if name not in ("total", "sgi")), exits


@pytest.mark.parametrize("cell, text, bystanders", (("b", "cells", (0, 1, 3)), ("pair", "pair", (0, 1))))
def test_bystanders_are_not_held_up(root, say, cell, text, bystanders):
    """`cell create`, `load`, `start`, `shutdown`, `destroy`: no management exit elsewhere."""
    def numbers():
        return {cpu: root.statistics(0, cpu) for cpu in bystanders}

    before = numbers()
    root.create(cell, text)
    created = numbers()
    root.rerun(cell, "hello")
    root.expect(rf"^\[{cell}\] hello: 1")
    root.destroy(cell)
    after = numbers()
    for cpu in bystanders:
        for what, then, now in (("create", before, created), ("the rest", created, after)):
            exits = {name: now[cpu][name] - then[cpu][name] for name in now[cpu]}
            say(f"{cell}, {what}: CPU {cpu}: {exits}")
            assert exits["management"] == exits["fault"] == 0
