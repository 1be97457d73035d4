# SPDX-License-Identifier: GPL-2.0-only
"""The numbers that must hold."""

from collections.abc import Mapping, Sequence

from . import bench_run
from .bench_arch import Must
from .bench_inmate import Json
from .bench_run import BenchError
from .bench_target import BENCH

TEXT_LIMIT = 56 * 1024


class Runs:
    """Runs by where, load and workload; one that is missing is an error."""

    def __init__(self, runs: Sequence[Json]):
        self._runs = {(run["where"], run["load"], run["workload"]): run for run in runs}

    def get(self, where: str, workload: str, load: str = "idle") -> Json:
        try:
            return self._runs[where, load, workload]
        except KeyError:
            raise BenchError(f"'{where}, {load}, {workload}' was not measured: without it nothing is recorded") from None

    def most(self, where: str, workload: str) -> int:
        return int(self.get(where, workload)["histogram"][-1][0])

    def exits(self, where: str, workload: str, load: str = "idle") -> int:
        return int(self.get(where, workload, load)["exits"]["total"])

    def samples(self, where: str, workload: str) -> int:
        return int(self.get(where, workload)["samples"])


def rule(name: str, value: int, limit: int) -> Json:
    return {"name": name, "value": value, "limit": limit, "kept": value <= limit}


def _instructions(runs: Runs, must: Must) -> list[Json]:
    name, value = f"{must.workload}, {must.where}: instructions", runs.most(must.where, must.workload)
    if must.most is not None:
        return [rule(name, value, must.most)]
    if must.more is None:
        return []
    bare = runs.most("bare", must.workload)
    if must.more:
        return [rule(f"{name}, bare + {must.more}", value, bare + must.more)]
    if value < bare:
        raise BenchError(f"{must.workload} takes {value} instructions in the {must.where} cell and {bare} on the bare "
                         "machine: the two are not the same program")
    return [rule(f"{name}, as on the bare machine", value, bare)]


def _exits(runs: Runs, must: Must) -> list[Json]:
    if must.exits is None:
        return []
    exits, samples = runs.exits(must.where, must.workload), runs.samples(must.where, must.workload)
    if exits < must.least * samples:
        raise BenchError(f"{must.where}, {must.workload}: {exits} exits in {samples} events: each costs {must.least}, so "
                         "these were not trapped or not counted")
    each = {0: "", 1: ", one each"}.get(must.exits, f", {must.exits} each")
    return [rule(f"{must.workload}, {must.where}: exits{each}", exits, must.exits * samples)]


def cell_rules(measured: Sequence[Json], numbers: Mapping[str, int]) -> list[Json]:
    """What must hold of cells while Linux sleeps, and whether it does."""
    runs = Runs(measured)
    found = [found for must in BENCH.must for found in (*_instructions(runs, must), *_exits(runs, must))]
    ticks = f"{numbers['ticks.interrupts']:,} timer interrupts, direct"
    return found + [rule(f"{ticks}: exits", numbers["ticks.exits"], 0),
                    rule(f'{ticks}, exits = "none": exits beyond the contract', numbers["ticks.over_budget"], 0)]


def _root_rules(numbers: Mapping[str, int]) -> list[Json]:
    """Where the root cell's interrupts cost nothing but the SGIs they lead to."""
    if not BENCH.root_free:
        return []
    ours = BENCH.ipi_reason
    return [rule("timer interrupts of the root cell: exits but for its SGIs",
                 numbers["root.exits"] - numbers.get(f"root.exits.{ours}", 0), 0),
            rule(f"{numbers['root.perf.interrupts']:,} PMU interrupts of the root cell: exits but for its SGIs",
                 numbers["root.perf.exits.total"] - numbers.get(f"root.perf.exits.{ours}", 0), 0)]


def rules(measured: Sequence[Json], numbers: Mapping[str, int]) -> list[Json]:
    """All that must hold, and whether it does."""
    runs = Runs(measured)
    found = cell_rules(measured, numbers)
    for where, workload in BENCH.loaded_without:
        run = runs.get(where, workload, "loaded")
        found += [rule(f"{workload}, {where}, loaded: hypervisor instructions on the cell's CPUs",
                       run["hypervisor_instructions"], 0),
                  rule(f"{workload}, {where}, loaded: exits", run["exits"]["total"], 0)]
    interrupted = [(name.split(".create.")[0], count) for name, count in numbers.items()
                   if ".create.exits of CPU" in name and name.endswith(".management")]
    # Of each cell's, one CPU makes the call
    others = len(interrupted) - len({cell for cell, _ in interrupted})
    return found + _root_rules(numbers) + [
        rule("cell create: management exits of the root cell's CPUs", sum(count for _, count in interrupted),
             others * BENCH.create_interrupts),
        rule("hypervisor .text: bytes", numbers["size..text"], TEXT_LIMIT)]


def check_machine(runs: Sequence[Json]) -> None:
    """The bare machine's own numbers are known: others mean another clock."""
    for workload, value in BENCH.known.items():
        if (found := Runs(runs).most("bare", workload)) != value:
            raise BenchError(f"{workload} takes {found} instructions on the bare machine, not {value}: is "
                             f"'{' '.join(bench_run.CLOCK)}' in force, is this QEMU another one?")
