# SPDX-License-Identifier: GPL-2.0-only
"""Measures what docs/performance.md (x86_64: performance-x86_64.md) says, in instructions, and
writes that page.

    python -m machine.bench [--kernel 6.12] [--reference-only]

Everything is run twice; two runs that differ are refused. Exit status 1 if they differ
or if a number that must hold does not.
"""

import argparse
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from jailhouse.bench import record as bench_record
from jailhouse.bench import table

from . import bench_cells, bench_life, bench_must, bench_page, bench_root, paths
from .bench_inmate import Json
from .bench_run import BenchError, tool
from .bench_target import BENCH
from .steps import Steps
from .target import TARGET

PAGE = paths.TOP / "docs" / BENCH.page
RECORD = paths.BUILD / "bench.json"
REPORT = paths.BUILD / "bench"
REFERENCE = paths.TOP / "tests" / "qemu" / TARGET.name / "reference.json"
CYCLIC_KERNEL = "6.12-rt"

Numbers = dict[str, int]
Measured = TypeVar("Measured")


# --- sizes ----------------------------------------------------------------------------

def sizes() -> Numbers:
    elf = paths.built(paths.BUILD / "hypervisor.elf", "hypervisor")
    sections = dict(re.findall(r"^(\.\w+)\s+(\d+)", tool("size", "-A", elf), re.MULTILINE))
    numbers = {f"size.{name}": int(sections.get(name, 0)) for name in BENCH.sections}
    image = paths.built(paths.BUILD / "hypervisor.bin", "hypervisor")
    return {**numbers, "size.image": image.stat().st_size}


def code_lines(text: str) -> int:
    """Lines that hold more than blanks and comments."""
    literal_or_comment = re.compile(r'"(?:\\.|[^"\\\n])*"|/\*.*?\*/|//[^\n]*', re.DOTALL)
    bare = literal_or_comment.sub(
        lambda found: found[0] if found[0][0] == '"' else "\n" * found[0].count("\n"), text)
    return sum(1 for line in bare.splitlines() if line.strip())


def source_lines() -> Numbers:
    """Of the hypervisor for all architectures, and of what stands beside it."""
    folders = {"hypervisor": paths.TOP / "hypervisor", "driver": paths.TOP / "driver",
               "abi": paths.TOP / "include" / "abi"}
    model = folders["hypervisor"] / "arch" / "host"
    numbers: Numbers = {}
    for name, folder in folders.items():
        files = [path for path in folder.rglob("*.[chS]") if model not in path.parents]
        numbers[f"lines.{name}"] = sum(code_lines(path.read_text()) for path in files)
    return numbers


# --- what it was measured with --------------------------------------------------------

def commit() -> str:
    """Of the clone, with a word if it was changed since."""
    try:
        head = subprocess.run(["git", "-C", str(paths.TOP), "rev-parse", "--short=12", "HEAD"], check=True,
                              capture_output=True, text=True).stdout.strip()
        changed = subprocess.run(["git", "-C", str(paths.TOP), "status", "--porcelain", "--untracked-files=no"],
                                 check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "not a clone"
    return head + (" and changes" if changed else "")


def identity(kernel: str) -> dict[str, str]:
    image = paths.built(paths.BUILD / "hypervisor.bin", "hypervisor")
    first = subprocess.run([TARGET.qemu, "--version"], check=True, capture_output=True,
                           text=True).stdout.splitlines()[0]
    return {"qemu": first, "cpu": BENCH.cpu, "kernel": paths.kernel_release(kernel),
            "kernel of cyclictest": paths.kernel_release(CYCLIC_KERNEL),
            "compiler": tool("gcc-12", "--version").splitlines()[0], "commit": commit(),
            "hypervisor.bin sha256": hashlib.sha256(image.read_bytes()).hexdigest(),
            "rerun": f"make bench {TARGET.make}"}


def differences(first: object, second: object, at: str = "") -> list[str]:
    """Where two runs are not the same."""
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        return [text for key in sorted(first.keys() | second.keys())
                for text in differences(first.get(key), second.get(key), f"{at}.{key}" if at else str(key))]
    if isinstance(first, (list, tuple)) and isinstance(second, (list, tuple)) and len(first) == len(second):
        return [text for i, (a, b) in enumerate(zip(first, second)) for text in differences(a, b, f"{at}[{i}]")]
    return [] if first == second else [f"{at}: {first} and {second}"]


def twice(steps: Steps, what: str, kernel: str, action: Callable[[], Measured]) -> Measured:
    """Runs a measurement twice and refuses what does not repeat."""
    runs: list[Measured] = []
    about = identity(kernel)
    for number in ("first", "second"):
        steps.run(f"{what}, {number} run", lambda: runs.append(action()) or None)
    if about != identity(kernel):
        raise BenchError("the hypervisor was built anew while it was measured: run it again")
    if found := differences(*runs):
        raise BenchError(f"{what}: two runs differ, so nothing was recorded:\n  " + "\n  ".join(found[:20]))
    return runs[0]


# --- all of it ------------------------------------------------------------------------

def measure_quick(kernel: str) -> tuple[Json, Numbers]:
    """The bare machine and the cells, once: as `jailhouse bench -o` writes it."""
    bare = bench_cells.measure_bare()
    bench_must.check_machine(bare)
    record, numbers = bench_cells.measure_cells(kernel)
    record["runs"] = bare + [run for run in record["runs"] if run["where"] != "linux"]
    for run in record["runs"]:
        bench_cells.explain(run)
    return record, numbers


def write_json(path: Path, record: Json) -> None:
    path.write_text(json.dumps(record, indent=1) + "\n")


def reference_of(record: Json) -> Json:
    """What the test compares: the latencies, which depend on nothing but the program and
    the hypervisor."""
    runs = [without_ticks(run) for run in record["runs"] if run["load"] == "idle" and run["where"] != "linux"]
    kept = ("format", "mode", "unit", "machine", "kernel", "hypervisor", "config", "samples")
    return {**{key: record[key] for key in kept}, "runs": runs}


def without_ticks(run: Json) -> Json:
    """
    Ticks come by time, of which `compute` has a bit more where Linux ran between two of its rounds: how many of them
    fall into all rounds is nobody's to promise. That a direct cell has no exit for them is.
    """
    by_ticks = run["workload"] == "compute" and run["where"] == "injected"
    return {**run, "exits": None} if by_ticks else run


def measure_all(kernel: str, steps: Steps) -> Json:
    record, numbers = twice(steps, "bare machine and cells", kernel, lambda: measure_quick(kernel))
    loaded, managed = twice(steps, "cells under load", kernel, lambda: bench_life.measure_load(kernel))
    root, ticks = twice(steps, "the root cell's exits", kernel, lambda: bench_root.measure_root(kernel))
    cyclic = twice(steps, "cyclictest", kernel, lambda: bench_root.measure_cyclic(CYCLIC_KERNEL))
    life = twice(steps, "life cycle", kernel, lambda: bench_life.measure_life(kernel))
    numbers = {**numbers, **managed, **ticks, **life, **sizes(), **source_lines()}
    runs = [*record["runs"], *loaded, *cyclic]
    return {**record, "runs": runs, "root": root, "rules": bench_must.rules(runs, numbers),
            "about": identity(kernel), "numbers": numbers}


def reference(kernel: str) -> int:
    """What the test compares, and nothing else."""
    record, numbers = twice(Steps(), "bare machine and cells", kernel, lambda: measure_quick(kernel))
    write_json(REFERENCE, reference_of(record))
    print(f"written: {REFERENCE.relative_to(paths.TOP)}, and not {PAGE.relative_to(paths.TOP)}")
    return said([rule for rule in bench_must.cell_rules(record["runs"], numbers) if not rule["kept"]])


def said(broken: Sequence[Json]) -> int:
    for rule in broken:
        print(f"bench: {rule['name']}: {rule['value']:,}, must be at most {rule['limit']:,}", file=sys.stderr)
    return 1 if broken else 0


def bench(kernel: str) -> int:
    record = measure_all(kernel, Steps())
    checked = bench_record.check(record)
    write_json(RECORD, record)
    PAGE.write_text(bench_page.page(checked))
    write_json(REFERENCE, reference_of(record))
    print(f"\n{table.summary(checked)}\n")
    # Only who draws needs matplotlib
    from jailhouse.bench import report
    for path in (PAGE, RECORD, REFERENCE, *report.write(checked, REPORT)):
        print(f"written: {path.relative_to(paths.TOP)}")
    return said([rule for rule in record["rules"] if not rule["kept"]])


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__.splitlines()[0])
    parser.add_argument("--kernel", default="6.12", help="6.1, 6.1-rt, 6.12 or 6.12-rt")
    parser.add_argument("--reference-only", action="store_true",
                        help="measure only what the tests compare, and leave the page alone")
    try:
        arguments = parser.parse_args()
        return (reference if arguments.reference_only else bench)(arguments.kernel)
    except (BenchError, paths.MissingError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except ImportError as error:
        print(f"bench: the plots need matplotlib ({error}): run 'make setup' (as root)", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
