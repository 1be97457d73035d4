# SPDX-License-Identifier: GPL-2.0-only
"""The same program on the bare machine and in cells, while Linux sleeps."""

import json
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from jailhouse.bench import record as bench_record

from . import bench_inmate, bench_run
from .bench_inmate import CELLS_ONLY, EVERYWHERE, Json
from .bench_run import BenchError

CELLS = ("direct", "trusted", "injected")
SAMPLES = 1000
# Rounds of a quarter of a millisecond: more of them, and Linux wakes up in between
COMPUTE_SAMPLES = 20
# Linux wakes up now and then. A row it disturbed is taken from the next attempt, whole
ATTEMPTS = (1, 2)
INTERRUPTS = 1_000_000
# Longer than what a tick takes, and short enough for a million of them
TICK_PERIOD = 500
CELL_CPU = 2

PROLOGUE = """
dmesg -n 1
insmod /lib/modules/$(uname -r)/extra/jailhouse.ko || exit
"""
# The root cell's command measures; then the million interrupts
CELLS_SCRIPT = PROLOGUE + f"""
folders=
for where in @cells; do folders="$folders /configs/qemu-arm64/bench-$where"; done
measure() {{
	jailhouse bench --mode icount --load idle --rounds 0 --samples $2 --workloads $3 --cells $folders -o /tmp/$1 \\
		>/dev/null || exit
	sed "s/^/@$1 /" /tmp/$1
}}
for attempt in {' '.join(map(str, ATTEMPTS))}; do
	measure many$attempt {SAMPLES} @many
	measure compute$attempt {COMPUTE_SAMPLES} compute
done
D=/configs/qemu-arm64/bench-direct
jailhouse enable $D/system.cell && jailhouse cell create $D/bench.cell || exit
jailhouse cell load bench /inmates/ticks.bin -s "cpu={CELL_CPU} count={INTERRUPTS} period={TICK_PERIOD}" \\
	-a {bench_run.CMDLINE:#x} && jailhouse cell start bench || exit
sleep 2
jailhouse console
jailhouse cell shutdown bench && jailhouse cell destroy bench && jailhouse disable && echo '@end'
"""


def _lines(workloads: Sequence[str]) -> list[tuple[str, ...]]:
    """What is measured at once: of most there are many samples."""
    return [tuple(name for name in workloads if name != "compute"), ("compute",)]


def measure_bare() -> list[Json]:
    """At EL1 of the machine without a hypervisor."""
    runs: list[Json] = []
    for workloads, samples in zip(_lines(EVERYWHERE), (SAMPLES, COMPUTE_SAMPLES)):
        text = bench_run.run_bare(bench_inmate.command_line(workloads, samples), "bench: done")
        runs += bench_inmate.runs(text, "bare", workloads)
    return runs


def _printed(text: str, name: str) -> Json:
    """A file of `jailhouse bench`, checked."""
    lines = re.findall(rf"^@{name} (.*)$", text, re.MULTILINE)
    try:
        record: Json = json.loads("\n".join(lines))
        bench_record.check(record)
    except (ValueError, bench_record.Wrong) as error:
        raise BenchError(f"what 'jailhouse bench' wrote is not right ({error})") from error
    return record


def _ticks(text: str) -> int:
    found = re.search(r"ticks: count=(\d+) exits=(-?\d+)$", text, re.MULTILINE)
    if not found or int(found[1]) != INTERRUPTS or int(found[2]) < 0:
        raise BenchError(f"ticks.bin did not take {INTERRUPTS} interrupts in the direct cell: it said "
                         f"{found[0] if found else 'nothing'}")
    return int(found[2])


def measure_cells(kernel: str, cells: Sequence[str] = CELLS) -> tuple[Json, dict[str, int]]:
    """What `jailhouse bench` of the root cell writes, and the million interrupts' exits."""
    many, _ = _lines(EVERYWHERE + CELLS_ONLY)
    script = CELLS_SCRIPT.replace("@cells", " ".join(cells)).replace("@many", ",".join(many))
    with tempfile.TemporaryDirectory(prefix="bench.") as folder:
        text = bench_run.run_root(script, kernel, Path(folder))
    records = [_printed(text, f"{name}{attempt}") for attempt in ATTEMPTS for name in ("many", "compute")]
    found = [run for record in records for run in record["runs"]]
    chosen = [undisturbed(found, where, workload) for where in cells for workload in EVERYWHERE + CELLS_ONLY]
    return {**records[0], "runs": chosen}, {"ticks.interrupts": INTERRUPTS, "ticks.exits": _ticks(text)}


# --- are the samples what they seem? --------------------------------------------------

# A round of arithmetic has a tick in it or not; whatever else runs alike takes as long
VALUES = {"compute": 2}


def explain(run: Json) -> None:
    """BenchError if something else ran while it was measured."""
    name = f"{run['where']}, {run['workload']}"
    if run.get("refused"):
        raise BenchError(f"{name}: refused: {run['refused']}")
    permitted = VALUES.get(run["workload"], 1)
    if len(run["histogram"]) > permitted:
        values = ", ".join(f"{value} ({count})" for value, count in run["histogram"][:8])
        raise BenchError(f"{name}: samples took {values} instructions where {permitted} value"
                         f"{'s are' if permitted > 1 else ' is'} to be expected: something else ran")
    if run["where"] == "bare":
        return
    if not run["exits"] or "total" not in run["exits"]:
        raise BenchError(f"{name}: the program could not read its exits: has its cell hypercalls?")
    if run["exits"].get("management"):
        raise BenchError(f"{name}: {run['exits']['management']} management exits: somebody managed the cell meanwhile")
    # A round of arithmetic has as many exits as ticks; of all else each event is like the other
    if run["workload"] != "compute" and 0 < run["exits"]["total"] < run["samples"]:
        raise BenchError(f"{name}: {run['exits']['total']} exits in {run['samples']} events")


def undisturbed(runs: Sequence[Json], where: str, workload: str) -> Json:
    """The first attempt all of whose samples are explained; BenchError, with the first one's
    reason, if there is none."""
    attempts = [run for run in runs if (run["where"], run["workload"]) == (where, workload)]
    if not attempts:
        raise BenchError(f"'jailhouse bench' did not measure {where}, {workload}")
    reasons = []
    for run in attempts:
        try:
            explain(run)
            return run
        except BenchError as error:
            reasons.append(error)
    raise reasons[0]
