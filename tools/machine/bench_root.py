# SPDX-License-Identifier: GPL-2.0-only
"""The root cell's own exits and latency."""

import re
import tempfile
from collections import Counter
from pathlib import Path

from . import bench_cells, bench_run, paths
from .bench_inmate import Json
from .bench_life import COUNTERS, Numbers, counter_change
from .bench_run import COUNTER_HZ, BenchError
from .bench_target import BENCH

SECONDS = 10
BUSY_SECONDS = 2
TICKS = 1000
HOTPLUGS = 4
CYCLES = 1000
CYCLE_US = 1000
# perf: a sample each million cycles, which are instructions here: 1000 a second
SAMPLE_SECONDS = 1
SAMPLE_CYCLES = 1_000_000
# cyclictest keeps one entry for each nanosecond up to here
LONGEST_NS = 200_000

PERF = f"""
chmod 755 /bin/sample
grep {BENCH.pmu_line} /proc/interrupts | sed 's/^/@before-pmu /'
counters before-perf 0
sample 0 {SAMPLE_SECONDS} {SAMPLE_CYCLES} 2>&1
counters after-perf 0
grep {BENCH.pmu_line} /proc/interrupts | sed 's/^/@after-pmu /'
"""
# A reading's own hypercalls can be taken off only if one CPU, 0, makes all of them. At the end
# Linux has that one alone, so that none of its CPUs sends another an SGI
EXITS = bench_cells.PROLOGUE + f"""
cat >/tmp/counters <<'END'
{COUNTERS}
counters "$@"
END
# A shell that is moved while it sleeps may go on where it was: each reading is one of its own
counters() {{ taskset 1 sh /tmp/counters "$@"; }}
jailhouse enable {bench_cells.CONFIGS}/demo/system.cell || exit
sleep 2
counters before-idle '0 1 2 3'
sleep {SECONDS}
counters after-idle '0 1 2 3'
counters before-busy '0 1 2 3'
(
	while [ ! -e /tmp/stop ]; do /bin/busybox true; done &
	while [ ! -e /tmp/stop ]; do dd if=/dev/zero of=/tmp/memory bs=64k count=64 2>/dev/null; done &
	while [ ! -e /tmp/stop ]; do echo 1; done | while read -r line; do :; done &
	n=0
	while [ $n -lt {HOTPLUGS} ]; do
		echo 0 >/sys/devices/system/cpu/cpu3/online
		echo 1 >/sys/devices/system/cpu/cpu3/online
		n=$((n + 1))
	done
	sleep {BUSY_SECONDS}
	touch /tmp/stop
	wait
) &
wait
counters after-busy '0 1 2 3'
for cpu in 1 2 3; do echo 0 >/sys/devices/system/cpu/cpu$cpu/online; done
sleep 1
grep {BENCH.timer_line} /proc/interrupts | sed 's/^/@before /'
counters before-ticks 0
n=0
while [ $n -lt {TICKS} ]; do usleep 1000; n=$((n + 1)); done
counters after-ticks 0
grep {BENCH.timer_line} /proc/interrupts | sed 's/^/@after /'
{PERF if BENCH.pmu_line else ""}
for cpu in 1 2 3; do echo 1 >/sys/devices/system/cpu/cpu$cpu/online; done
jailhouse disable && echo '@end'
"""
# With one CPU the clock is that CPU's alone, so that a loaded root cell can be counted too
CYCLIC = bench_cells.PROLOGUE + f"""
jailhouse enable {bench_cells.CONFIGS}/demo/system.cell || exit
for cpu in 1 2 3; do echo 0 >/sys/devices/system/cpu/cpu$cpu/online || exit; done
sleep 1
cyclic() {{
	cyclictest -q -m -t1 -a0 -p95 -i{CYCLE_US} -l{CYCLES} -N -h{LONGEST_NS} >/tmp/$1 || exit
}}
cyclic idle
while [ ! -e /tmp/stop ]; do /bin/busybox true; done &
while [ ! -e /tmp/stop ]; do dd if=/dev/zero of=/tmp/memory bs=64k count=64 2>/dev/null; done &
while [ ! -e /tmp/stop ]; do echo 1; done | while read -r line; do :; done &
cyclic loaded
touch /tmp/stop
wait
for load in idle loaded; do
	echo "@cyclic $load"
	grep -E '^[0-9]+ 0*[1-9][0-9]*$|^#' /tmp/$load
	echo '@cyclic-end'
done
for cpu in 1 2 3; do echo 1 >/sys/devices/system/cpu/cpu$cpu/online; done
jailhouse disable && echo '@end'
"""


def build_sample(folder: Path) -> Path:
    program = folder / "sample"
    bench_run.tool("gcc-12", "-std=c11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror", "-static",
                   paths.TOP / "tools" / "machine" / "sample.c", "-o", program)
    return program


def _seconds(text: str, name: str) -> float:
    """Between the two readings, by Linux's clock."""
    found = dict(re.findall(rf"^@uptime (before|after)-{name} ([\d.]+)$", text, re.MULTILINE))
    if len(found) != 2:
        raise BenchError(f"the times around '{name}' are not both there")
    return round(float(found["after"]) - float(found["before"]), 2)


def _without_asking(change: dict[int, dict[str, int]]) -> dict[str, int]:
    """All CPUs' exits by reason, but for the hypercalls that read the counters: from a
    counter's first reading to its second all of them are read once."""
    asked = sum(map(len, change.values()))
    exits = Counter[str]()
    for counts in change.values():
        exits.update(counts)
    exits["hypercall"] -= asked
    # CPUs go on while they are read: what stands under total is of another moment
    exits["total"] = sum(count for reason, count in exits.items() if reason not in ("total", "over_budget"))
    if exits["hypercall"] < 0:
        raise BenchError(f"the root cell made fewer hypercalls than the {asked} that read its counters: were they "
                         "read by something else?")
    return {reason: count for reason, count in exits.items() if count or reason == "total"}


def _ticks(text: str) -> Numbers:
    """Timer interrupts and exits of CPU 0, the only one Linux had then."""
    seen = dict(re.findall(rf"^@(before|after)\s+(?:\d+|{BENCH.timer_line}):\s+(\d+)", text, re.MULTILINE))
    if len(seen) != 2:
        raise BenchError(f"/proc/interrupts has no {BENCH.timer_line} line")
    exits = _without_asking(counter_change(text, "ticks"))
    interrupts = int(seen["after"]) - int(seen["before"])
    if interrupts < TICKS:
        raise BenchError(f"the root cell took only {interrupts} timer interrupts: nothing was measured")
    return {"root.timer interrupts": interrupts, "root.exits": exits["total"],
            **{f"root.exits.{reason}": count for reason, count in exits.items() if reason != "total"}}


def _perf(text: str) -> Numbers:
    """The PMU's interrupts and the exits of CPU 0 while it was sampled (sample.c)."""
    said = re.search(r"^sample: (.*)$", text, re.MULTILINE)
    count = said and re.fullmatch(r"(\d+) samples", said[1])
    if not count:
        raise BenchError(f"perf measured nothing: sample said {said[1] if said else 'nothing'}")
    seen = dict(re.findall(r"^@(before|after)-pmu\s+\d+:\s+(\d+)", text, re.MULTILINE))
    if len(seen) != 2:
        raise BenchError(f"/proc/interrupts has no {BENCH.pmu_line} line: Linux drives no PMU")
    samples, interrupts = int(count[1]), int(seen["after"]) - int(seen["before"])
    least = SAMPLE_SECONDS * COUNTER_HZ // SAMPLE_CYCLES // 2
    if not least <= samples <= interrupts:
        raise BenchError(f"perf got {samples} samples from {interrupts} interrupts of the PMU in {SAMPLE_SECONDS} s: "
                         f"there should be at least {least}, each of an interrupt of its own")
    exits = _without_asking(counter_change(text, "perf"))
    return {"root.perf.samples": samples, "root.perf.interrupts": interrupts,
            **{f"root.perf.exits.{reason}": number for reason, number in exits.items()}}


def measure_root(kernel: str) -> tuple[list[Json], Numbers]:
    """Exits of an idle and of a busy root cell, of its timer interrupts and of perf's where it has a PMU."""
    with tempfile.TemporaryDirectory(prefix="bench.") as name:
        folder = Path(name)
        files = {"bin/sample": build_sample(folder)} if BENCH.pmu_line else {}
        text = bench_run.run_root(EXITS, kernel, folder, files=files)
    root = [{"load": load, "seconds": _seconds(text, load), "exits": _without_asking(counter_change(text, load))}
            for load in ("idle", "busy")]
    return root, {**_ticks(text), **(_perf(text) if BENCH.pmu_line else {}), "root.hotplugs": HOTPLUGS}


def _cyclic_run(text: str, load: str) -> Json:
    found = re.search(rf"^@cyclic {load}$(.*?)^@cyclic-end$", text, re.MULTILINE | re.DOTALL)
    if not found:
        raise BenchError(f"cyclictest did not run ({load}): run 'make setup-all' (as root)")
    histogram = [[int(value), int(count)] for value, count in re.findall(r"^(\d+) (\d+)$", found[1], re.MULTILINE)]
    beyond = sum(int(count) for count in re.findall(r"Histogram Overflows: *(\d+)", found[1]))
    samples = sum(count for _, count in histogram)
    if beyond or samples != CYCLES:
        raise BenchError(f"cyclictest ({load}) put {samples} of {CYCLES} cycles into its histogram, {beyond} took "
                         f"more than {LONGEST_NS} ns")
    return {"where": "linux", "load": load, "workload": "cyclictest", "samples": samples, "resolution": 0,
            "histogram": histogram, "exits": None, "hypervisor_instructions": None}


def measure_cyclic(kernel: str) -> list[Json]:
    """cyclictest on CPU 0, the others taken from Linux: instructions to its next cycle."""
    with tempfile.TemporaryDirectory(prefix="bench.") as folder:
        text = bench_run.run_root(CYCLIC, kernel, Path(folder))
    return [_cyclic_run(text, load) for load in ("idle", "loaded")]
