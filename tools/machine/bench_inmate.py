# SPDX-License-Identifier: GPL-2.0-only
"""What bench.bin (inmates/bench) prints, as runs of a record."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from .bench_run import COUNTER_HZ, BenchError
from .bench_target import BENCH

Json = dict[str, Any]

HEAD = re.compile(r"workload=(\S+) samples=(\d+) unit=ticks freq=(\d+) min=(\d+) max=(\d+)(?: resolution=(\d+))?$")
SAID = re.compile(r"^(?:\[bench\] )?bench: (.*)$", re.MULTILINE)


def command_line(workloads: Sequence[str], samples: int, *more: str) -> str:
    """With icount=1 it refuses by itself where the counter or the machine is not as it must be."""
    words = [f"workload={','.join(workloads)}", f"samples={samples}", f"freq={COUNTER_HZ}", "icount=1", BENCH.device, *more]
    text = " ".join(words)
    if len(text) > 255:
        raise BenchError(f"the command line is too long for a program: {text}")
    return text


def _phases(text: str, where: str) -> Iterator[tuple[str, list[str]]]:
    """Each workload with its lines."""
    lines: list[str] = []
    for line in SAID.findall(text):
        if line.startswith("refused:"):
            raise BenchError(f"bench.bin ({where}) {line}")
        if line.startswith("end workload="):
            yield line.removeprefix("end workload="), lines
            lines = []
        else:
            lines.append(line)


def _pairs(lines: Sequence[str], kind: str, separator: str) -> list[list[str]]:
    return [word.split(separator) for line in lines if line.startswith(kind + " ") for word in line.split()[1:]]


def _run(where: str, workload: str, lines: Sequence[str]) -> Json:
    heads = [found for line in lines if (found := HEAD.match(line))]
    if len(heads) != 1 or heads[0][1] != workload:
        raise BenchError(f"bench.bin ({where}, {workload}) did not say what it measured:\n  " + "\n  ".join(lines))
    samples, freq, low, high = (int(heads[0][i]) for i in range(2, 6))
    histogram = [[int(value), int(count)] for value, count in _pairs(lines, "values", ":")]
    exits = {name: int(count) for name, count in _pairs(lines, "exits", "=")}
    if freq != COUNTER_HZ:
        raise BenchError(f"bench.bin ({where}) saw a counter of {freq} Hz, not of {COUNTER_HZ}: what it counted is "
                         "no instructions")
    if sum(count for _, count in histogram) != samples or (histogram[0][0], histogram[-1][0]) != (low, high):
        raise BenchError(f"bench.bin ({where}, {workload}): its samples are not all in its histogram: was its output "
                         "torn?")
    return {"where": where, "load": "idle", "workload": workload, "samples": samples,
            "resolution": int(heads[0][6] or 0), "histogram": histogram, "exits": exits or None,
            "hypervisor_instructions": None}


def runs(text: str, where: str, workloads: Sequence[str]) -> list[Json]:
    """One run for each of the workloads, which were started in that order."""
    found = [(workload, lines) for workload, lines in _phases(text, where)]
    if [workload for workload, _ in found] != list(workloads):
        raise BenchError(f"bench.bin ({where}) was to measure {', '.join(workloads)}, it measured "
                         f"{', '.join(workload for workload, _ in found) or 'nothing'}")
    return [_run(where, workload, lines) for workload, lines in found]
