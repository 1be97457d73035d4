# SPDX-License-Identifier: GPL-2.0-only
"""Cells that may cause no exits, or so many: what they can do without, and what is said if they cannot."""

import re

from board import HZ
from program import BEYOND, CALL, MILLION, READ, SAID, SAY, SEND, SLEEP, TICKS, Program

# A program's first hypercall finds out first how it is made: by VMMCALL or VMCALL
SAYS = "(?:cpuid|hypercall 0x8)"
MANY = 200_000
CODE = {b"\x0f\x01\xd9", b"\x0f\xa2"}
LOAD = """
for cpu in 0 1; do taskset -c $cpu timeout 12 sh -c 'while :; do
	dd if=/dev/zero of=/tmp/load bs=1M count=8 2>/dev/null; cat /proc/stat >/dev/null; done' & done
n=0; while [ $n -lt 5 ]; do n=$((n+1))
	jailhouse cell create /tests/cells/b.cell && jailhouse cell load b /inmates/hello.bin &&
	jailhouse cell start b && jailhouse cell stats b >/dev/null &&
	jailhouse cell shutdown b && jailhouse cell destroy b || exit 1
	for cpu in 1 2; do
		echo 0 >/sys/devices/system/cpu/cpu$cpu/online && echo 1 >/sys/devices/system/cpu/cpu$cpu/online || exit 1
	done
done; wait; rm -f /tmp/load
"""


def exits_at(program, pc):
    """One of those instructions is there, or just before."""
    around = program.code_around(pc, 3)
    return any(code in around for code in CODE)


def test_timer_interrupts_without_an_exit(root, say):
    """
    After which the same program prints, and is told of: once, with reason, call and place. A million are test_bench.py's:
    here QEMU's main loop has to run for each.
    """
    program = Program(root, "none")
    before = program.exits()
    assert before["over_budget"] == 0
    # Later than its deadline is the next one due at once
    assert program.do(TICKS, MANY, 1, 400) == MANY
    assert program.exits() == before
    assert BEYOND not in root.said()
    say(f"{MANY} timer interrupts: exits before and after: {before}")

    for _ in range(2):
        program.do(SAY)
    found = re.findall(rf'^cell "none": CPU 3: {BEYOND} \(none after 500 ms\): {SAYS} at PC (0x[0-9a-f]+)$',
                       root.said(), re.MULTILINE)
    assert len(found) == 1 and root.said().count(BEYOND) == 1, root.said()
    assert exits_at(program, int(found[0], 16))
    after = program.exits()
    assert after["hypercall"] - before["hypercall"] == 2 * len(SAID)
    assert after["over_budget"] == after["total"] - before["total"] <= 2 * len(SAID) + 1
    assert root.cell_state("none") == "running"


def test_asleep_without_an_exit(root, say):
    """Sleep: HLT is not intercepted."""
    program = Program(root, "none")
    before = program.exits()
    assert program.do(SLEEP, 2000, HZ // 2000) == 2000
    assert program.exits() == before
    say(f"2000 times asleep, no exit: {before}")


def test_what_the_report_says(root, say):
    program = Program(root, "none")
    before = program.exits()
    program.do(READ, 5)
    say(root.expect(rf'^cell "none": CPU 3: {BEYOND} \(none after 500 ms\): mmio 0xfec0\d+ at PC 0x[0-9a-f]+$')[0])
    after = program.exits()
    assert after["over_budget"] == after["mmio"] - before["mmio"] == 5


def test_told_anew_after_a_new_start(root):
    program = Program(root, "none")
    program.do(CALL)
    root.expect(BEYOND)
    root.stop("none")
    program.begin()
    program.do(TICKS, 1000, 1)
    assert BEYOND not in root.said()
    program.do(CALL)
    root.expect(BEYOND)


def test_failed_for_it(root):
    program = Program(root, "fails")
    assert program.do(TICKS, 10_000, 1) == 10_000
    assert root.cell_state("fails") == "running"
    program.order(SAY)
    root.wait_state("fails", "failed")
    found = root.expect(rf'^FAILED cell "fails": CPU 2: {BEYOND} \(none after 500 ms\): {SAYS} at PC '
                        r"(0x[0-9a-f]+)$")
    assert exits_at(program, int(found[1], 16))
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
    assert 0 < above["over_budget"] <= 1800
    assert root.said().count(BEYOND) == 1


def test_load_elsewhere_costs_no_exit(root, say):
    """Memory, hotplug, another cell's whole life, and the statistics themselves."""
    program = Program(root, "none")
    before = program.exits()
    done = program.word(1)
    program.order(TICKS, MILLION, HZ // 1000)
    root.check(LOAD, 120)
    assert program.word(1) == done, "the cell had nothing to do any more: give it more"
    say(f"before and after: {before}")
    assert program.exits() == before


def test_reasons_add_up(root):
    """Each exit has one reason; what is over the budget is none of its own."""
    program = Program(root, "budget")
    for command, n in ((CALL, 400), (SEND, 20), (SLEEP, 10), (SAY, 1)):
        program.do(command, n, 1000)
    root.stop("budget")
    numbers = program.exits()
    total, over = numbers.pop("total"), numbers.pop("over_budget")
    assert total == sum(numbers.values())
    assert numbers["hypercall"] >= 400
    assert 0 < over < total
