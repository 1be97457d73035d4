# SPDX-License-Identifier: GPL-2.0-only
"""
What a text leaves open, found: devices that others of the cell's do not work without, where a cell sees what, memory
in common, CPUs, and what of RAM is whose. The same text always gives the same answer; what it says itself stays as it is said.
"""

from dataclasses import replace

from jailhouse.config.check_owners import check_names
from jailhouse.config.model import System
from jailhouse.config.problems import Problems
from jailhouse.config.solve_cpus import with_cpus
from jailhouse.config.solve_devices import with_companions
from jailhouse.config.solve_gic import with_gics
from jailhouse.config.solve_memory import with_memory
from jailhouse.config.solve_shares import with_shares


def solve(system: System, problems: Problems) -> System:
    """`system` as it was read. What cannot be found is said, and left open; of cells of one name the first is looked at."""
    check_names(system, problems)
    first = {cell.name: cell for cell in reversed(system.cells)}
    system = replace(system, cells=tuple(cell for cell in system.cells if first[cell.name] is cell))
    system = with_gics(with_cpus(with_companions(system), problems))
    return with_memory(with_shares(system, problems), problems)
