# SPDX-License-Identifier: GPL-2.0-only
"""The hypervisor's own errors are said aloud. gdb makes them happen: no guest can.

Each test stops a CPU in the hypervisor at the next hypercall, sends it astray, and reads
what the machine's UART says.
"""

import subprocess
import threading
import time
from pathlib import Path

import pytest

from machine import paths
from machine.machine import Machine, MachineFault

SYSTEM = "/configs/qemu-arm64/demo/system.cell"
DEADLINE_SECONDS = 60


@pytest.fixture
def enabled(boot, tmp_path):
    """A machine with the hypervisor under it and gdb's socket open."""
    socket = tmp_path / "gdb"
    machine = boot(gdb=socket)
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
