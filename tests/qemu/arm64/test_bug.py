# SPDX-License-Identifier: GPL-2.0-only
"""The hypervisor's own errors are said aloud. gdb makes them happen: no guest can.

Each test stops a CPU in the hypervisor at the next hypercall, sends it astray, and reads
what the machine's UART says.
"""

import re
import subprocess
import threading
import time
from pathlib import Path

import pytest
from board import STATES

from machine import paths
from machine.machine import Machine, MachineFault

SYSTEM = "/configs/qemu-arm64/demo/system.cell"
DEADLINE_SECONDS = 60


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


def astray(machine: Machine, socket: Path, *commands: str) -> str:
    """What the machine says after gdb ran the commands at a hypercall's first instruction."""
    script = [argument for command in ("set pagination off", f"target remote {socket}",
                                       "hbreak exit_hvc", "continue", *commands, "delete", "detach")
              for argument in ("-ex", command)]
    gdb = subprocess.Popen(["gdb-multiarch", "-q", "-batch", str(paths.BUILD / "hypervisor.elf"), *script],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said = ""

    def call() -> None:
        nonlocal said
        try:
            machine.run("jailhouse cell list; sleep 5; jailhouse cell list", DEADLINE_SECONDS)
        except MachineFault as fault:
            said = str(fault)

    caller = threading.Thread(target=call)
    time.sleep(2)  # gdb stops the machine as it attaches; the call must come after
    caller.start()
    caller.join()
    output = gdb.communicate(timeout=DEADLINE_SECONDS)[0]
    assert said, f"nothing was said; gdb:\n{output}"
    return said


def test_bug_says_where(enabled):
    said = astray(*enabled, "set $x0 = 0", "set $x1 = 4711", "set $x2 = 0", "set $pc = bug")
    assert "jailhouse BUG: (null):4711: (null) (CPU 0x" in said


def test_jump_to_nowhere_is_reported(enabled):
    said = astray(*enabled, "set $pc = 0x1000")
    assert "jailhouse BUG: exception in the hypervisor: vector 4" in said
    assert "ELR_EL2 0x1000" in said


def test_stack_overflow_meets_the_guard_page(enabled):
    said = astray(*enabled, "set $sp = $sp - 0x2000")
    assert "jailhouse BUG: exception in the hypervisor: vector 4" in said


def test_code_cannot_be_written(enabled):
    said = astray(*enabled, "set $x0 = exit_hvc", "set $pc = lock_drop")
    assert "jailhouse BUG: exception in the hypervisor: vector 4" in said


@pytest.mark.parametrize("states", STATES)
def test_no_cpu_goes_on(enabled):
    """Not Linux's idle ones either, however the hypervisor has them back."""
    machine, socket = enabled
    astray(machine, socket, "set $pc = 0x1000")
    output = subprocess.run(["gdb-multiarch", "-q", "-batch", str(paths.BUILD / "hypervisor.elf"),
                             "-ex", "set pagination off", "-ex", f"target remote {socket}",
                             "-ex", "thread apply all -q print/x $pc", "-ex", "thread apply all -q print/x $cpsr",
                             "-ex", "print/x (long)_start", "-ex", "detach"],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            timeout=DEADLINE_SECONDS).stdout
    values = [int(value, 16) for value in re.findall(r"^\$\d+ = (0x[0-9a-f]+)$", output, re.MULTILINE)]
    assert len(values) == 9, output
    start = values[8]
    assert all(start <= pc < start + (1 << 20) for pc in values[:4]), output
    assert all((cpsr >> 2) & 3 == 2 for cpsr in values[4:8]), output  # EL2
