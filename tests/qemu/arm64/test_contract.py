# SPDX-License-Identifier: GPL-2.0-only
"""Cells that may cause no exits, or so many: what they can do without, and what is said if they cannot."""

import json
import re

import pytest
from board import HZ
from program import BEYOND, CALL, MILLION, READ, SAID, SAY, SEND, SLEEP, TICKS, Program
from talk import TEXT, converse, interrupts, ready, root_has_it

GICD_TYPER = 0x0800_0004
HVC = (0xd400_0002 | 0x4a48 << 5).to_bytes(4, "little")


@pytest.fixture
def more_machine():
    return {"serials": 2}


def test_a_million_timer_interrupts_without_an_exit(root, say):
    """... after which the same program prints, and is told of: once, with reason, call and place."""
    program = Program(root, "none")
    before = program.exits()
    # What it needed to begin was its own affair
    assert before["mmio"] > 0 and before["over_budget"] == 0
    # Later than its deadline is the next one due at once
    assert program.do(TICKS, MILLION, 1, 400) == MILLION
    assert program.exits() == before
    assert BEYOND not in root.said()
    say(f"{MILLION} timer interrupts: exits before and after: {before}")

    for _ in range(2):
        program.do(SAY)
    found = re.findall(rf'^cell "none": CPU 3: {BEYOND} \(none after 500 ms\): hypercall 0x8 at PC (0x[0-9a-f]+)$',
                       root.said(), re.MULTILINE)
    assert len(found) == 1 and root.said().count(BEYOND) == 1, root.said()
    assert HVC in program.code_around(int(found[0], 16), 4)
    after = program.exits()
    assert after["over_budget"] == after["hypercall"] - before["hypercall"] == 2 * len(SAID)
    assert root.cell_state("none") == "running"


def test_asleep_without_an_exit(root, say):
    """What `wfi = "trusted"` is for."""
    program = Program(root, "none")
    before = program.exits()
    assert program.do(SLEEP, 2000, HZ // 2000) == 2000
    assert program.exits() == before
    say(f"2000 times asleep, no exit: {before}")


@pytest.mark.parametrize("command, says, reason", (
    (READ, rf"mmio {GICD_TYPER:#x} at PC 0x[0-9a-f]+", "mmio"), (SEND, r"sgi\b.* at PC 0x[0-9a-f]+", "sgi")))
def test_what_the_report_says(root, say, command, says, reason):
    program = Program(root, "none")
    before = program.exits()
    program.do(command, 5)
    say(root.expect(rf'^cell "none": CPU 3: {BEYOND} \(none after 500 ms\): {says}$')[0])
    after = program.exits()
    assert after["over_budget"] == after[reason] - before[reason] == 5


def test_told_anew_after_a_new_start(root):
    program = Program(root, "none")
    program.do(READ)
    root.expect(BEYOND)
    root.stop("none")
    program.begin()
    program.do(TICKS, 1000, 1)
    assert BEYOND not in root.said()
    program.do(READ)
    root.expect(BEYOND)


def test_failed_for_it(root):
    program = Program(root, "fails")
    assert program.do(TICKS, 10_000, 1) == 10_000
    assert root.cell_state("fails") == "running"
    program.order(SAY)
    root.wait_state("fails", "failed")
    found = root.expect(rf'^FAILED cell "fails": CPU 2: {BEYOND} \(none after 500 ms\): hypercall 0x8 at PC '
                        r"(0x[0-9a-f]+)$")
    assert HVC in program.code_around(int(found[1], 16), 4)
    # The character it failed for was not printed either
    assert "[fails]" not in root.said()
    program.begin()
    assert root.cell_state("fails") == "running"


def test_so_many_a_second(root, say):
    """However slow the machine is, calls 1/100 s apart are not more than 200 a second."""
    program = Program(root, "budget")
    before = program.exits()
    program.do(CALL, 300, HZ // 100)
    below = program.exits()
    assert below["hypercall"] == before["hypercall"] + 300 and below["over_budget"] == 0
    assert BEYOND not in root.said()
    program.do(CALL, 2000, 0)
    above = program.exits()
    say(root.expect(rf'^cell "budget": CPU 1: {BEYOND} \(200 a second after 500 ms\): hypercall .*$')[0])
    say(f"of 2000 calls at once {above['over_budget']} were too many")
    assert 0 < above["over_budget"] <= 1800
    assert root.said().count(BEYOND) == 1
    # Nor is a second of restraint forgotten
    root.check("sleep 1")
    over = above["over_budget"]
    program.do(CALL, 100, HZ // 50)
    assert program.exits()["over_budget"] == over


def test_load_elsewhere_costs_no_exit(root, say):
    """Memory, hotplug, another cell's whole life, and the statistics themselves."""
    program = Program(root, "none")
    before = program.exits()
    done = program.word(1)
    program.order(TICKS, MILLION, HZ // 1000)
    root.check("for cpu in 0 1; do taskset -c $cpu timeout 12 sh -c "
               "'while :; do dd if=/dev/zero of=/tmp/load bs=1M count=8 2>/dev/null; cat /proc/stat >/dev/null; done' "
               "& done; wait & "
               "n=0; while [ $n -lt 5 ]; do n=$((n+1));"
               "jailhouse cell create /tests/cells/b.cell && jailhouse cell load b /inmates/hello.bin && "
               "jailhouse cell start b && jailhouse cell stats b >/dev/null && "
               "jailhouse cell shutdown b && jailhouse cell destroy b || exit 1;"
               "for cpu in 1 2; do echo 0 >/sys/devices/system/cpu/cpu$cpu/online && "
               "echo 1 >/sys/devices/system/cpu/cpu$cpu/online || exit 1; done; done; rm -f /tmp/load", 120)
    assert program.word(1) == done, "the cell had nothing to do any more: give it more"
    after = program.exits()
    say(f"before and after: {before}")
    assert after == before


def test_reasons_add_up(root):
    """Each exit has one reason; what is over the budget is none of its own."""
    program = Program(root, "budget")
    for command, n in ((CALL, 400), (READ, 30), (SEND, 20), (SLEEP, 10), (SAY, 1)):
        program.do(command, n, 1000)
    root.stop("budget")
    numbers = program.exits()
    record = json.loads(root.jailhouse("cell stats budget --json"))
    total, over = numbers.pop("total"), numbers.pop("over_budget")
    assert total == sum(numbers.values())
    assert numbers["hypercall"] >= 400 and numbers["sgi"] >= 20 and numbers["mmio"] >= 30
    assert 0 < over < total
    assert record["total"] == total and record["over_budget"]["sum"] == over
    assert {name: reason["sum"] for name, reason in record["reasons"].items()} == numbers


# --- a device of the cell's own ------------------------------------------------------------

@pytest.fixture
def given_up(root):
    """Linux has the UART before, and afterwards; meanwhile nobody opens it there."""
    root_has_it(root)
    yield
    root.tidy()
    root_has_it(root)


@pytest.mark.usefixtures("given_up")
def test_device_with_its_interrupt_costs_no_exit(root, say):
    ready(root, "serial", "uart", "line=40 wfi")
    # Its settling time is over
    root.check("sleep 3")
    cell = root.cell_id("serial")
    before = root.statistics(cell, 3)
    for _ in range(3):
        converse(root, TEXT)
    received, taken = interrupts(root)
    after = root.statistics(cell, 3)
    say(f"{received} characters, {taken} interrupts, exits before and after: {before}")
    assert received == 3 * len(TEXT) + 1 and taken > received
    assert after == before and after["over_budget"] == 0
    assert BEYOND not in root.said()


@pytest.mark.usefixtures("given_up")
def test_device_whose_line_has_another_number(root, say):
    """40 by the machine, 33 in the cell: an exit for each interrupt, and each of them arrives."""
    ready(root, "moved", "moved", "line=33")
    cell = root.cell_id("moved")
    before = root.statistics(cell, 3)
    converse(root, TEXT)
    received, taken = interrupts(root)
    # What comes behind those that were counted: the answer itself
    after = root.statistics(cell, 3)
    say(f"{received} characters, {taken} interrupts, exits {before} -> {after}")
    assert received == len(TEXT) + 1
    assert after["irq"] >= taken
    assert after["irq"] - before["irq"] == after["total"] - before["total"]
