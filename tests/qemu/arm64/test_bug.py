# SPDX-License-Identifier: GPL-2.0-only
"""The hypervisor's own errors are said aloud. gdb makes them happen: no guest can.

Each test stops a CPU in the hypervisor at the next hypercall, sends it astray, and reads
what the machine's UART says.
"""

import re
from pathlib import Path

import pytest
from astray import DEADLINE_SECONDS, astray, steer
from board import STATES

from machine.machine import Machine

SYSTEM = "/configs/qemu-arm64/demo/system.cell"


@pytest.fixture
def states():
    return "one"


@pytest.fixture
def enabled(boot, tmp_path, states):
    """A machine with the hypervisor under it and gdb's socket open."""
    socket = tmp_path / "gdb"
    machine = boot(gdb=socket, secure=states == "two")
    machine.check("insmod /lib/modules/*/extra/jailhouse.ko")
    machine.check(f"jailhouse enable {SYSTEM}")
    return machine, socket


def at_call(machine: Machine, socket: Path, *commands: str) -> str:
    return astray(machine, socket, "exit_hvc", *commands)


def test_bug_says_where(enabled):
    said = at_call(*enabled, "set $x0 = 0", "set $x1 = 4711", "set $x2 = 0", "set $pc = bug")
    assert "jailhouse BUG: (null):4711: (null) (CPU 0x" in said


def test_jump_to_nowhere_is_reported(enabled):
    said = at_call(*enabled, "set $pc = 0x1000")
    assert "jailhouse BUG: exception in the hypervisor: vector 4" in said
    assert "ELR_EL2 0x1000" in said


def test_stack_overflow_meets_the_guard_page(enabled):
    said = at_call(*enabled, "set $sp = $sp - 0x2000")
    assert "jailhouse BUG: exception in the hypervisor: vector 4" in said


def test_code_cannot_be_written(enabled):
    said = at_call(*enabled, "set $x0 = exit_hvc", "set $pc = lock_drop")
    assert "jailhouse BUG: exception in the hypervisor: vector 4" in said


@pytest.mark.parametrize("states", STATES)
def test_no_cpu_goes_on(enabled):
    """Not Linux's idle ones either, however the hypervisor has them back."""
    machine, socket = enabled
    at_call(machine, socket, "set $pc = 0x1000")
    output = steer(socket, "thread apply all -q print/x $pc", "thread apply all -q print/x $cpsr", "print/x (long)_start",
                   "detach").communicate(timeout=DEADLINE_SECONDS)[0]
    values = [int(value, 16) for value in re.findall(r"^\$\d+ = (0x[0-9a-f]+)$", output, re.MULTILINE)]
    assert len(values) == 9, output
    start = values[8]
    assert all(start <= pc < start + (1 << 20) for pc in values[:4]), output
    assert all((cpsr >> 2) & 3 == 2 for cpsr in values[4:8]), output  # EL2
