# SPDX-License-Identifier: GPL-2.0-only
"""The hypervisor's own errors are said aloud, and an MSR the CPU does not take is none. gdb makes them happen."""

import re
import subprocess
import time
from pathlib import Path

import pytest
from conftest import Root

from machine import paths
from machine.machine import MachineFault

DEADLINE_SECONDS = 60
STEERED = ("set pagination off",)


def gdb(socket: Path, *commands: str) -> subprocess.Popen:
    """gdb running the commands on the machine, which it stops as it attaches."""
    script = [argument for command in (*STEERED, f"target remote {socket}", *commands) for argument in ("-ex", command)]
    return subprocess.Popen(["gdb-multiarch", "-q", "-batch", str(paths.BUILD / "hypervisor.elf"), *script],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.fixture
def socket(tmp_path):
    return tmp_path / "gdb"


@pytest.fixture
def root(boot, blobs, socket):
    return Root(boot(files=blobs, gdb=socket))


def astray(root, socket: Path, *commands: str) -> str:
    """What the machine says after gdb ran the commands at an exit."""
    process = gdb(socket, "hbreak svm_exit", "continue", *commands, "delete", "detach")
    time.sleep(2)  # the call must come after gdb has stopped the machine and let it go on
    try:
        root.machine.run("jailhouse cell list; sleep 5; jailhouse cell list", DEADLINE_SECONDS)
    except MachineFault as fault:
        return str(fault)
    finally:
        steered = process.communicate(timeout=DEADLINE_SECONDS)[0]
    raise AssertionError(f"nothing was said; gdb:\n{steered}")


def test_bug_says_where(root, socket):
    said = astray(root, socket, "set $rdi = 0", "set $rsi = 4711", "set $rdx = 0", "set $rip = bug")
    assert "jailhouse BUG: (null):4711: (null) (APIC id 0x" in said


def test_jump_to_nowhere_is_reported(root, socket):
    said = astray(root, socket, "set $rip = 0x1000")
    assert re.search(r"jailhouse BUG: exception in the hypervisor: vector 14, error code 0x\d+, RIP 0x1000,", said), said


def test_stack_overflow_meets_the_guard_page(root, socket):
    said = astray(root, socket, "set $rsp = (unsigned long)$rsp - 0x2000")
    assert "jailhouse BUG: exception in the hypervisor: vector " in said


def test_code_cannot_be_written(root, socket):
    said = astray(root, socket, "set $rdi = svm_exit", "set $rsi = 0", "set $rdx = 8", "set $rip = memset")
    assert "jailhouse BUG: exception in the hypervisor: vector 14, error code 0x3," in said


def test_an_msr_the_cpu_does_not_take_is_the_guests_fault(root, socket):
    """An LVT entry of a cell's, sent to a register there is not: the cell has its #GP, and lives."""
    root.create("a")
    root.load("a", "attack", "op=wrmsr msr=0x837 value=0x100fe")
    process = gdb(socket, "hbreak *msr_try if $rcx == 0x837 && $rax == 0x100fe", "continue", "set $rcx = 0x8ff", "delete", "detach")
    time.sleep(2)
    root.start("a")
    root.expect(r"^\[a\] attack: wrmsr survived exception 13 code=0x0", DEADLINE_SECONDS)
    assert process.wait(DEADLINE_SECONDS) == 0
    assert root.cell_state("a") == "running"
