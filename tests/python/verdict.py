# SPDX-License-Identifier: GPL-2.0-only
"""What the hypervisor's own parser and ownership rules say of a system."""

import subprocess
from pathlib import Path

from hypothesis import HealthCheck, settings

from jailhouse.config import blob, emit
from jailhouse.config.arches import ARCHES
from jailhouse.config.check import check
from jailhouse.config.files import write_all
from jailhouse.config.model import System
from jailhouse.config.place import place
from jailhouse.config.problems import Problems
from jailhouse.config.read import read_system
from jailhouse.config.uart import settle_uarts

SLOW_IS_FINE = settings(deadline=None, derandomize=True,
                        suppress_health_check=[HealthCheck.function_scoped_fixture,
                                               HealthCheck.too_slow,
                                               HealthCheck.data_too_large])


def checked(file: Path) -> tuple[System | None, Problems]:
    """Of a text that leaves nothing to be found: as the command does it, but going on where it would stop."""
    problems = Problems()
    system = read_system(str(file), problems)
    if system is None:
        return None, problems
    system = settle_uarts(place(system, problems), problems)
    check(system, problems)
    return system, problems


def hypervisor_says(tool: Path, system: System, directory: Path) -> str:
    """"ok", or its reason to refuse."""
    files = {"system.cell": blob.encode_system(emit.emit_system(system))}
    for number, cell in enumerate(system.cells):
        files[f"{number}.cell"] = blob.encode_cell(emit.emit_cell(cell, system.machine))
    write_all(str(directory), files)
    done = subprocess.run(
        [tool, "verdict", "256", str(1 << system.machine.address_bits),
         str(ARCHES[system.machine.arch].numbers.stop), *(directory / name for name in files)],
        capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr
    assert (done.stdout == "ok\n") == (done.returncode == 0)
    return done.stdout.strip()
