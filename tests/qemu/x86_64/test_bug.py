# SPDX-License-Identifier: GPL-2.0-only
"""The hypervisor's own errors are said aloud, and an MSR the CPU does not take is none. gdb makes them happen."""

import re
from pathlib import Path

import pytest
from astray import DEADLINE_SECONDS, astray, steer
from conftest import Root


@pytest.fixture
def socket(tmp_path):
    return tmp_path / "gdb"


@pytest.fixture
def root(boot, blobs, socket):
    return Root(boot(files=blobs, gdb=socket))


def at_exit(root, socket: Path, *commands: str) -> str:
    return astray(root.machine, socket, "svm_exit", *commands)


def test_bug_says_where(root, socket):
    said = at_exit(root, socket, "set $rdi = 0", "set $rsi = 4711", "set $rdx = 0", "set $rip = bug")
    assert "jailhouse BUG: (null):4711: (null) (APIC id 0x" in said


def test_jump_to_nowhere_is_reported(root, socket):
    said = at_exit(root, socket, "set $rip = 0x1000")
    assert re.search(r"jailhouse BUG: exception in the hypervisor: vector 14, error code 0x\d+, RIP 0x1000,", said), said


def test_stack_overflow_meets_the_guard_page(root, socket):
    said = at_exit(root, socket, "set $rsp = (unsigned long)$rsp - 0x2000")
    assert "jailhouse BUG: exception in the hypervisor: vector " in said


def test_code_cannot_be_written(root, socket):
    said = at_exit(root, socket, "set $rdi = svm_exit", "set $rsi = 0", "set $rdx = 8", "set $rip = memset")
    assert "jailhouse BUG: exception in the hypervisor: vector 14, error code 0x3," in said


def test_an_msr_the_cpu_does_not_take_is_the_guests_fault(root, socket):
    """An LVT entry of a cell's, sent to a register there is not: the cell has its #GP, and lives."""
    root.create("a")
    root.load("a", "attack", "op=wrmsr msr=0x837 value=0x100fe")
    process = steer(socket, "hbreak *msr_try if $rcx == 0x837 && $rax == 0x100fe", "continue", "set $rcx = 0x8ff", "delete", "detach")
    root.start("a")
    root.expect(r"^\[a\] attack: wrmsr survived exception 13 code=0x0", DEADLINE_SECONDS)
    assert process.wait(DEADLINE_SECONDS) == 0
    assert root.cell_state("a") == "running"


def test_a_cpu_that_does_not_wake_is_reported(root, socket):
    """Its NMI is lost: the cell's memory is not zeroed, and the command says so instead of waiting for ever."""
    root.create("a")
    cpu = "((struct percpu *)((char *)machine.sys.cpus[3] - (long)&((struct percpu *)0)->cpu))"
    # One is on its way, it seems: nobody sends another
    assert steer(socket, "thread 4", f"set var {cpu}->kicked = 1", "detach").wait(DEADLINE_SECONDS) == 0
    result = root.run("jailhouse cell destroy a", DEADLINE_SECONDS)
    assert result.status == 1
    assert re.fullmatch(r'jailhouse: cell destroy: cell "a": CPU 3 had 10 s to zero its memory, and has not, [^\n]+\n', result.output), result
    # Nothing else is lost
    root.run_cell("b", "hello")
    root.expect(r"^\[b\] hello: 2 ")
    root.destroy("b")
    assert root.timers_run() == 3
