# SPDX-License-Identifier: GPL-2.0-only
"""What enters the hypervisor, and above all what does not."""

import pytest
from board import MODES

TICKS = 500
# Of the time stamp counter, some GHz: about a millisecond
PERIOD = 2_000_000
# No more than one flush for each of its regions, and one for the page it talks by
FLUSHES = 4


@pytest.fixture(scope="module", params=MODES)
def mode(request):
    return request.param


@pytest.fixture
def more_machine(mode):
    return {"x2apic": mode == "x2apic"}


@pytest.mark.parametrize("how", ("", " wfi"))
def test_timer_interrupts_of_a_cell_cost_no_exit(root, say, how):
    """Nor does sleeping, whichever mode Linux uses."""
    root.run_cell("a", "ticks", f"cpu=3 count={TICKS} period={PERIOD}{how}")
    said = root.expect(r"^\[a\] ticks: count=(\d+) exits=(\d+)$")
    say(said[0])
    assert (int(said[1]), int(said[2])) == (TICKS, 0)


def exits_of(root, command):
    """What CPU 1 of Linux has entered the hypervisor for meanwhile, and its timer interrupts."""
    before, ticks_before = root.statistics(0, 1), root.timers()[1]
    root.check(command)
    after, ticks = root.statistics(0, 1), root.timers()[1] - ticks_before
    return {name: after[name] - before[name] for name in after}, ticks


def reasons(exits) -> set[str]:
    """Of the counters, which are read one after the other while the CPU goes on: what had any."""
    return {name for name, count in exits.items() if count} - {"total"}


def test_timer_interrupts_of_linux(root, say, mode):
    """A busy CPU's ticks. In x2APIC mode they cost nothing: what exits it has are the IPIs it
    sends, and programs that ask for CPUID as they start. In xAPIC mode each write is one."""
    exits, ticks = exits_of(root, "taskset -c 1 timeout 3 sh -c 'while :; do :; done'; true")
    say(f"{ticks} timer interrupts, exits: {exits}")
    assert ticks > 100
    if mode == "x2apic":
        assert reasons(exits) <= {"icr", "cpuid"}
    else:
        assert reasons(exits) <= {"xapic", "cpuid"} and exits["xapic"] > ticks


def test_linux_asleep(root, say, mode):
    exits, ticks = exits_of(root, "sleep 3")
    say(f"{ticks} timer interrupts, exits: {exits}")
    assert exits["management"] == exits["fault"] == exits["other"] == 0
    if mode == "x2apic":
        assert reasons(exits) <= {"icr", "cpuid"}


@pytest.mark.parametrize("cell, text, bystanders", (("b", "cells", (0, 1, 3)), ("pair", "pair", (0, 1))))
def test_bystanders_are_not_held_up(root, say, cell, text, bystanders):
    """`cell create`, `load`, `start`, `shutdown`, `destroy`: other CPUs are asked only to flush."""
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
            assert exits["management"] <= FLUSHES and exits["fault"] == 0
