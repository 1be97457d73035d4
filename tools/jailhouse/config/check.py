# SPDX-License-Identifier: GPL-2.0-only
"""
Every rule a readable system can break. The hypervisor checks again (config/parse.h,
config/admit.h) and has the last word; what passes here must be admitted there.
"""

from jailhouse.config import blob, emit
from jailhouse.config.abi import ABI_CONFIG_MAX_SIZE
from jailhouse.config.check_cells import check_cells
from jailhouse.config.check_contract import check_contracts
from jailhouse.config.check_devices import check_devices
from jailhouse.config.check_machine import check_machine, check_memory
from jailhouse.config.check_owners import check_owners
from jailhouse.config.check_topology import check_topology
from jailhouse.config.model import System
from jailhouse.config.problems import Problems


def check(system: System, problems: Problems) -> None:
    """`system` as place() left it."""
    check_machine(system.machine, problems)
    check_memory(system, problems)
    check_cells(system, problems)
    check_contracts(system, problems)
    check_owners(system, problems)
    check_devices(system, problems)
    check_topology(system, problems)
    if not problems.errors:
        _check_sizes(system, problems)


def _check_sizes(system: System, problems: Problems) -> None:
    files = [(system.where, "system", blob.encode_system(emit.emit_system(system)))]
    files += [(c.where, f'cell "{c.name}"', blob.encode_cell(emit.emit_cell(c, system.machine)))
              for c in system.cells]
    for where, title, data in files:
        if len(data) > ABI_CONFIG_MAX_SIZE:
            problems.error(where, f"{title}: {len(data)} bytes when built, at most "
                           f"{ABI_CONFIG_MAX_SIZE}", "the hypervisor refuses larger files",
                           "describe it with fewer regions and interrupt ranges")
