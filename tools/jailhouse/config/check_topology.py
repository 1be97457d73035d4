# SPDX-License-Identifier: GPL-2.0-only
"""What a real-time cell's CPUs share with others' CPUs, which is felt though nobody does anything wrong."""

from jailhouse.config.model import Cell, System
from jailhouse.config.problems import Problems
from jailhouse.config.solve_cpus import Group, clusters, cores, is_real_time


def check_topology(system: System, problems: Problems) -> None:
    for cell in system.cells:
        own = frozenset(cell.cpu_numbers())
        if not is_real_time(cell) or not own:
            continue
        threads = [core for core in cores(system.machine) if core & own and core - own]
        for core in threads:
            problems.warn(cell.cpus_where or cell.where, f'cell "{cell.name}": {_cpus(core & own)} and {_whose(core - own, system)} '
                          "are threads of one core", "each waits whenever the other works, and it has a contract on its exits",
                          "give the cell all threads of the core, or take them offline in Linux before the cell is created")
        if not threads:
            _check_clusters(cell, own, system, problems)


def _check_clusters(cell: Cell, own: Group, system: System, problems: Problems) -> None:
    if not system.machine.topology.clusters and not system.machine.topology.caches:
        return			# what its CPUs share is not known
    all_clusters = clusters(system.machine)
    for cluster in all_clusters:
        if cluster & own and cluster - own:
            cache = max((c for c in system.machine.topology.caches if cluster & own & c.cpus and (cluster - own) & c.cpus),
                        key=lambda c: c.level, default=None)
            what = f" and a {cache}" if cache else ""
            problems.warn(cell.cpus_where or cell.where, f'cell "{cell.name}": {_cpus(cluster & own)} shares a cluster{what} with '
                          f"{_whose(cluster - own, system)}", "what they do takes its place in the cache and on the bus, which its "
                          "latencies feel", "give it whole clusters" if len(all_clusters) > 1 else
                          "this machine has no second cluster: measure what it costs with `jailhouse bench --load both`")


def _cpus(group: Group) -> str:
    numbers = sorted(group)
    return f"CPU {', '.join(map(str, numbers))}"


def _whose(group: Group, system: System) -> str:
    owners: dict[str, list[int]] = {}
    for number in sorted(group):
        name = next((f'cell "{c.name}"' for c in system.cells if number in c.cpu_numbers()), f'root cell "{system.root_name}"')
        owners.setdefault(name, []).append(number)
    return " and ".join(f"CPU {', '.join(map(str, numbers))} of {name}" for name, numbers in owners.items())
