# SPDX-License-Identifier: GPL-2.0-only
"""Runs all tests of a set-up machine through make and counts them.

    run.py ARCH...

The last line is `N passed, N failed`; what failed is named above it, a line each. A step
that fails without naming a failed test, a build that does not go through for one, counts
as one failure.
"""

import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
REPORTS = TOP / "build" / "tests"
# Of a machine's four CPUs few have something to do at a time, and Python has one
SIDE_BY_SIDE = 2
CMOCKA = re.compile(r"^\[  (PASSED|FAILED)  \] (?:(?P<tests>\d+) test\(s\)|(?P<name>\w+)$)")
REASON_SHOWN = 300


@dataclass
class Count:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    # What failed, a line each
    names: list[str] = field(default_factory=list)

    def add(self, other: "Count") -> None:
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.names += other.names

    def fail(self, name: str) -> None:
        """One failure more, of a step that counted none itself."""
        self.failed += 1
        self.names.append(name)


def make(arguments: list[str], count: Count | None = None, mark: str = "") -> int:
    """Runs make, shows what it prints behind the mark and counts cmocka's verdicts in it."""
    # What the calling make passed down; its job server's pipes come with it
    command = [*os.environ.get("MAKE", "make").split(), "--no-print-directory", *arguments]
    with subprocess.Popen(command, cwd=TOP, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          close_fds=False, text=True, errors="replace") as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(f"{mark}{line}", end="", flush=True)
            if count is None or not (verdict := CMOCKA.search(line)):
                continue
            if verdict[1] == "PASSED":
                count.passed += int(verdict["tests"])
            elif verdict["tests"]:
                count.failed += int(verdict["tests"])
            elif verdict["name"] not in count.names:  # said when it happens and listed at the end
                count.names.append(verdict["name"])
    return process.returncode


def counted(report: Path) -> Count:
    """What a pytest report says; nothing when it was not written."""
    if not report.is_file():
        return Count()
    count = Count()
    for suite in ElementTree.parse(report).getroot().iter("testsuite"):
        failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        skipped = int(suite.get("skipped", 0))
        count.add(Count(int(suite.get("tests", 0)) - failed - skipped, failed, skipped))
        count.names += [name for case in suite.iter("testcase") for name in why(case)]
    return count


def why(case: ElementTree.Element) -> list[str]:
    """A line of each failure and error of a test."""
    return [f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name')}: "
            + " ".join(bad.get("message", "").split())[:REASON_SHOWN]
            for bad in case if bad.tag in ("failure", "error")]


def built(target: str, arch: str) -> Count:
    """A build, which is no test: only its failure counts."""
    count = Count()
    if make([f"-j{os.cpu_count() or 1}", target, f"ARCH={arch}"]) != 0:
        count.fail(f"make {target} ARCH={arch}")
    return count


def host() -> Count:
    count = Count()
    if make([f"-j{os.cpu_count() or 1}", "test-host"], count) != 0 and count.failed == 0:
        count.fail("make test-host")
    return count


def python(target: str, *more: str, mark: str = "") -> Count:
    report = REPORTS / f"{'-'.join([target, *more]).replace('/', '-')}.xml"
    report.unlink(missing_ok=True)
    flags = f"PYTEST_FLAGS=-v --durations=5 -o cache_dir={report.with_suffix('.cache')} --junitxml={report}"
    status = make([target, *more, flags], mark=mark)
    count = counted(report)
    if status != 0 and count.failed == 0:
        count.fail(" ".join(["make", target, *more]))
    count.names = [f"{mark}{name}" for name in count.names]
    return count


def told(name: str, step: Callable[[], Count]) -> Count:
    print(f"=== {name}", flush=True)
    began = time.monotonic()
    count = step()
    print(f"=== {name}: {count.passed} passed, {count.failed} failed, "
          f"{count.skipped} skipped, {time.monotonic() - began:.0f} s", flush=True)
    return count


def tools() -> Count:
    """Each folder's tests in a process of their own."""
    total = Count()
    with ThreadPoolExecutor(SIDE_BY_SIDE) as several:
        for count in several.map(lambda folder: python("test-python", f"PYTHON_TESTS={folder}"), ("tests/python", "tests/cli")):
            total.add(count)
    return total


def machines(arch: str, mark: str) -> Count:
    return told(f"tests in emulated {arch} machines", lambda: python("test-qemu", f"ARCH={arch}", mark=mark))


def main() -> int:
    arches = sys.argv[1:]
    REPORTS.mkdir(parents=True, exist_ok=True)
    total = Count()
    for arch in arches:
        total.add(told(f"build for {arch}", lambda arch=arch: built("all", arch)))
        total.add(told(f"build for {arch} with clang", lambda arch=arch: built("lint", arch)))
    total.add(told("host tests", host))
    total.add(told("Python tests", tools))
    with ThreadPoolExecutor(SIDE_BY_SIDE) as several:
        for count in several.map(lambda arch: machines(arch, f"{arch}: " if len(arches) > 1 else ""), arches):
            total.add(count)
    for name in total.names:
        print(f"FAILED {name}")
    print(f"{total.passed} passed, {total.failed} failed", flush=True)
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main())
