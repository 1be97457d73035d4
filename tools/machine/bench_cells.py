# SPDX-License-Identifier: GPL-2.0-only
"""The same program on the bare machine and in cells, while Linux sleeps."""

import json
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from jailhouse.bench import record as bench_record

from . import bench_inmate, bench_run
from .bench_arch import Place
from .bench_inmate import Json
from .bench_run import BenchError
from .bench_target import BENCH
from .target import TARGET

CONFIGS = f"/configs/{TARGET.board}"
SAMPLES = 1000
# Rounds of a quarter of a millisecond: more of them, and Linux wakes up in between
COMPUTE_SAMPLES = 20
# Linux wakes up now and then. A row that was disturbed is taken from the next attempt, whole
ATTEMPTS = (1, 2)
INTERRUPTS = 1_000_000
# Longer than what a tick takes, and short enough for a million of them
TICK_PERIOD = 500
# inmates/tests/contract.c: the command that takes interrupts, and when it may be given the first
TAKE_TICKS = 1
SETTLE_MS = 700

PROLOGUE = """
dmesg -n 1
insmod /lib/modules/$(uname -r)/extra/jailhouse.ko || exit
"""
# The root cell's command measures; what came out is looked at here, refused runs as well
MEASURE = """
sleep 2
# name, samples, workloads, the program's words, folders
measure() {
	name=$1 samples=$2 workloads=$3 words=$4
	shift 4
	jailhouse bench --mode icount --load idle --rounds 0 --samples $samples --workloads $workloads \\
		${words:+--words "$words"} --cells "$@" -o /tmp/$name >/dev/null
	sed "s/^/@$name /" /tmp/$name || exit
}
"""
# Nobody asks the cell for its exits: it may have none, and Linux reads them
TICKS = f"""
board() {{ devmem $(({BENCH.board:#x} + $1 * 4)) 32 $2; }}
wait_done() {{ until [ $(($(board 1))) = $1 ]; do usleep 100000; done; }}
exits() {{
	for name in total over_budget; do
		read -r value </sys/devices/jailhouse/cells/1/statistics/vmexits_$name && echo "@ticks $1 $name $value"
	done
}}
D={CONFIGS}/bench-none
jailhouse enable $D/system.cell && jailhouse cell create $D/bench.cell && board 1 0 || exit
jailhouse cell load bench /inmates/contract.bin -s settle={SETTLE_MS} -a {bench_run.CMDLINE:#x} || exit
jailhouse cell start bench || exit
wait_done 1
exits before
board 2 {INTERRUPTS} && board 3 {TICK_PERIOD} && board 0 {TAKE_TICKS} || exit
wait_done 2
exits after
echo "@ticks taken $(($(board 4)))"
jailhouse console
jailhouse cell shutdown bench && jailhouse cell destroy bench && jailhouse disable && echo '@end'
"""


def _lines(workloads: Sequence[str]) -> list[tuple[tuple[str, ...], int]]:
    """What is measured at once, and how often: of most there are many samples."""
    many, few = (tuple(name for name in workloads if (name == "compute") == slow) for slow in (False, True))
    return [(names, samples) for names, samples in ((many, SAMPLES), (few, COMPUTE_SAMPLES)) if names]


def measure_bare() -> list[Json]:
    """On the machine without a hypervisor. Nothing but the emulator is beside the program there;
    even so, seldom, one of a thousand samples took longer."""
    runs: list[Json] = []
    for _ in ATTEMPTS:
        for workloads, samples in _lines(BENCH.everywhere):
            text = bench_run.run_bare(bench_inmate.command_line(workloads, samples), "bench: done")
            runs += bench_inmate.runs(text, "bare", workloads)
        try:
            return [undisturbed(runs, "bare", workload) for workload in BENCH.everywhere]
        except BenchError as error:
            disturbed = error
    raise disturbed


def _groups() -> list[tuple[Place, list[str]]]:
    """The places that are measured alike, by their names."""
    groups: list[tuple[Place, list[str]]] = []
    for where, place in BENCH.places.items():
        for first, wheres in groups:
            if (first.workloads, first.words) == (place.workloads, place.words):
                wheres.append(where)
                break
        else:
            groups.append((place, [where]))
    return groups


def _script() -> tuple[str, list[str]]:
    """And the names of the files that it prints."""
    # What is measured is called by its folder's last name
    lines = [f"ln -s {CONFIGS}/{place.folder} /tmp/bench-{where}" for where, place in BENCH.places.items()]
    names: list[str] = []
    for attempt in ATTEMPTS:
        for number, (place, wheres) in enumerate(_groups()):
            folders = " ".join(f"/tmp/bench-{where}" for where in wheres)
            for workloads, samples in _lines(place.workloads):
                names.append(f"run{attempt}.{number}.{samples}")
                lines.append(f"measure {names[-1]} {samples} {','.join(workloads)} '{place.words}' {folders}")
    return PROLOGUE + MEASURE + "\n".join(lines) + "\n" + TICKS, names


def _printed(text: str, name: str) -> Json:
    """A file of `jailhouse bench`, checked."""
    lines = re.findall(rf"^@{re.escape(name)} (.*)$", text, re.MULTILINE)
    try:
        record: Json = json.loads("\n".join(lines))
        bench_record.check(record)
    except (ValueError, bench_record.Wrong) as error:
        raise BenchError(f"what 'jailhouse bench' wrote is not right ({error})") from error
    return record


def _ticks(text: str) -> dict[str, int]:
    """Exits while the million interrupts came, to a cell that may have none."""
    taken = re.search(r"^@ticks taken (\d+)$", text, re.MULTILINE)
    exits = {(when, name): int(value) for when, name, value in
             re.findall(r"^@ticks (before|after) (\w+) (\d+)$", text, re.MULTILINE)}
    if not taken or int(taken[1]) != INTERRUPTS or len(exits) != 4:
        raise BenchError(f"contract.bin did not take {INTERRUPTS} interrupts in the cell that may have no exits: it took "
                         f"{taken[1] if taken else 'none'}, and {len(exits)} of its 4 counters were read")
    return {"ticks.interrupts": INTERRUPTS, **{f"ticks.{name}": exits["after", other] - exits["before", other]
                                               for name, other in (("exits", "total"), ("over_budget", "over_budget"))}}


def measure_cells(kernel: str) -> tuple[Json, dict[str, int]]:
    """What `jailhouse bench` of the root cell writes, and the million interrupts' exits."""
    script, names = _script()
    with tempfile.TemporaryDirectory(prefix="bench.") as folder:
        text = bench_run.run_root(script, kernel, Path(folder))
    records = [_printed(text, name) for name in names]
    found = [run for record in records for run in record["runs"]]
    chosen = [undisturbed(found, where, workload) for where, place in BENCH.places.items()
              for workload in place.workloads]
    return {**records[0], "runs": chosen}, _ticks(text)


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
