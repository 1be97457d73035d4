# SPDX-License-Identifier: GPL-2.0-only
"""The numbers that must hold, and what others pay for the same."""

from collections.abc import Mapping, Sequence

from . import bench_run
from .bench_inmate import Json
from .bench_run import BenchError

TEXT_LIMIT = 48 * 1024
SGI_MORE = 60
INJECTED_MORE = 150
CALLS = {"hypercall": 80, "psci": 90, "gicd-read": 120, "gicr-write": 160}

# Instructions on the same machine (cortex-a72, -icount shift=0) with one and the same other
# program; '-': not measured
PEERS = ("Bao 738e3dc", "Jailhouse e57d1eff", "KVM 6.1 (nVHE)")
OTHERS: Mapping[str, tuple[str, str, str]] = {
    "timer-spin": ("201", "208", "2,912"), "timer-wfi": ("202", "209", "2,516"), "tick": ("257", "264", "~2,970"),
    "self-sgi": ("797", "1,403", "2,951"), "hypercall": ("148", "139", "1,546"), "psci": ("204", "138", "-"),
    "gicd-read": ("226", "286", "2,279"), "gicr-write": ("3,592", "268", "2,424"),
}
# The same program's on the bare machine
OTHERS_BARE = {"timer-spin": "2", "timer-wfi": "3", "tick": "58", "self-sgi": "4", "gicd-read": "2",
               "gicr-write": "3"}
OTHERS_EXITS = {"timer": ("1", "1", "2"), "self-sgi": ("2", "2", "2")}


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


def _direct(runs: Runs) -> list[Json]:
    rules = []
    for where in ("direct", "trusted"):
        for workload in ("timer-spin", "tick", "device"):
            if runs.most(where, workload) < runs.most("bare", workload):
                raise BenchError(f"{workload} takes {runs.most(where, workload)} instructions in the {where} cell and "
                                 f"{runs.most('bare', workload)} on the bare machine: the two are not the same program")
            rules += [rule(f"{workload}, {where}: instructions, as on the bare machine", runs.most(where, workload),
                           runs.most("bare", workload)),
                      rule(f"{workload}, {where}: exits", runs.exits(where, workload), 0)]
        for workload in ("self-sgi", "ipi"):
            rules += [rule(f"{workload}, {where}: instructions, bare + {SGI_MORE}", runs.most(where, workload),
                           runs.most("bare", workload) + SGI_MORE),
                      rule(f"{workload}, {where}: exits, one each", runs.exits(where, workload),
                           runs.samples(where, workload))]
    rules += [rule("timer-wfi, trusted: instructions, as on the bare machine", runs.most("trusted", "timer-wfi"),
                   runs.most("bare", "timer-wfi")),
              rule("timer-wfi, trusted: exits", runs.exits("trusted", "timer-wfi"), 0)]
    return rules


def _injected(runs: Runs) -> list[Json]:
    rules = []
    for workload in ("timer-spin", "timer-wfi", "device"):
        exits, samples = runs.exits("injected", workload), runs.samples("injected", workload)
        if exits < samples:
            raise BenchError(f"injected, {workload}: {exits} exits in {samples} interrupts: each costs one, so these "
                             "were not injected or not counted")
        rules += [rule(f"{workload}, injected: instructions, bare + {INJECTED_MORE}", runs.most("injected", workload),
                       runs.most("bare", workload) + INJECTED_MORE),
                  rule(f"{workload}, injected: exits, one each", exits, samples)]
    return rules


def cell_rules(measured: Sequence[Json], numbers: Mapping[str, int]) -> list[Json]:
    """What must hold of cells while Linux sleeps, and whether it does."""
    runs = Runs(measured)
    found = _direct(runs) + _injected(runs)
    for workload, limit in CALLS.items():
        found += [rule(f"{workload}, {where}: instructions", runs.most(where, workload), limit)
                  for where in ("direct", "trusted", "injected")]
    found.append(rule(f"{numbers['ticks.interrupts']:,} timer interrupts, direct: exits", numbers["ticks.exits"], 0))
    return found


def rules(measured: Sequence[Json], numbers: Mapping[str, int]) -> list[Json]:
    """All that must hold, and whether it does."""
    runs = Runs(measured)
    found = cell_rules(measured, numbers)
    for workload in ("timer-spin", "device"):
        run = runs.get("direct", workload, "loaded")
        found += [rule(f"{workload}, direct, loaded: hypervisor instructions on the cell's CPUs",
                       run["hypervisor_instructions"], 0),
                  rule(f"{workload}, direct, loaded: exits", run["exits"]["total"], 0)]
    found += [rule("timer interrupts of the root cell: exits but for its SGIs",
                   numbers["root.exits"] - numbers.get("root.exits.sgi", 0), 0),
              rule(f"{numbers['root.perf.interrupts']:,} PMU interrupts of the root cell: exits but for its SGIs",
                   numbers["root.perf.exits.total"] - numbers.get("root.perf.exits.sgi", 0), 0),
              rule("cell create: management exits of the root cell's CPUs", sum(
                  count for name, count in numbers.items() if ".create.exits of CPU" in name
                  and name.endswith(".management")), 0),
              rule("hypervisor .text: bytes", numbers["size..text"], TEXT_LIMIT)]
    return found


def check_machine(runs: Sequence[Json]) -> None:
    """The bare machine's own numbers are known: others mean another clock."""
    known = {"timer-spin": 2, "timer-wfi": 3}
    for workload, value in known.items():
        if (found := Runs(runs).most("bare", workload)) != value:
            raise BenchError(f"{workload} takes {found} instructions on the bare machine, not {value}: is "
                             f"'{' '.join(bench_run.CLOCK)}' in force, is this QEMU another one?")
