# SPDX-License-Identifier: GPL-2.0-only
"""gdb on a running machine: what no guest can make happen."""

import subprocess
import time
from pathlib import Path

from machine import paths
from machine.machine import Machine, MachineFault

DEADLINE_SECONDS = 60


def steer(socket: Path, *commands: str) -> subprocess.Popen[str]:
    """gdb running the commands. It stops the machine as it attaches: what they wait for must come after this returns."""
    script = [argument for command in ("set pagination off", f"target remote {socket}", *commands)
              for argument in ("-ex", command)]
    process = subprocess.Popen(["gdb-multiarch", "-q", "-batch", str(paths.BUILD / "hypervisor.elf"), *script],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    time.sleep(2)
    return process


def astray(machine: Machine, socket: Path, at: str, *commands: str) -> str:
    """What the machine says after gdb ran the commands where a CPU comes by as cells are listed."""
    process = steer(socket, f"hbreak {at}", "continue", *commands, "delete", "detach")
    try:
        machine.run("jailhouse cell list; sleep 5; jailhouse cell list", DEADLINE_SECONDS)
    except MachineFault as fault:
        return str(fault)
    finally:
        output = process.communicate(timeout=DEADLINE_SECONDS)[0]
    raise AssertionError(f"nothing was said; gdb:\n{output}")
