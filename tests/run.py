# SPDX-License-Identifier: GPL-2.0-only
"""Runs all tests of a set-up machine through make and counts them.

The last line is `N passed, N failed`. A step that fails without naming a failed test,
a build that does not go through for one, counts as one failure.
"""

import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
REPORTS = TOP / "build" / "tests"
CMOCKA = re.compile(r"^\[  (PASSED|FAILED)  \] (\d+) test\(s\)")


@dataclass
class Count:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def add(self, other: "Count") -> None:
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped


def make(arguments: list[str], count: Count | None = None) -> int:
    """Runs make, shows what it prints and counts cmocka's verdicts in it."""
    # What the calling make passed down; its job server's pipes come with it
    command = [*os.environ.get("MAKE", "make").split(), "--no-print-directory", *arguments]
    with subprocess.Popen(command, cwd=TOP, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          close_fds=False, text=True, errors="replace") as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            if count is not None and (verdict := CMOCKA.search(line)):
                if verdict[1] == "PASSED":
                    count.passed += int(verdict[2])
                else:
                    count.failed += int(verdict[2])
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
    return count


def built(target: str) -> Count:
    """A build, which is no test: only its failure counts."""
    return Count(failed=1 if make([f"-j{os.cpu_count() or 1}", target]) else 0)


def host() -> Count:
    count = Count()
    status = make(["test-host"], count)
    if status != 0 and count.failed == 0:
        count.failed = 1
    return count


def python(target: str) -> Count:
    report = REPORTS / f"{target}.xml"
    report.unlink(missing_ok=True)
    status = make([target, f"PYTEST_FLAGS=-v --durations=5 --junitxml={report}"])
    count = counted(report)
    if status != 0 and count.failed == 0:
        count.failed = 1
    return count


def main() -> int:
    REPORTS.mkdir(parents=True, exist_ok=True)
    total = Count()
    steps = (("build", lambda: built("all")),
             ("build with clang", lambda: built("lint")),
             ("host tests", host),
             ("Python tests", lambda: python("test-python")),
             ("tests in emulated machines", lambda: python("test-qemu")))
    for name, step in steps:
        print(f"=== {name}", flush=True)
        began = time.monotonic()
        count = step()
        total.add(count)
        print(f"=== {name}: {count.passed} passed, {count.failed} failed, "
              f"{count.skipped} skipped, {time.monotonic() - began:.0f} s", flush=True)
    print(f"{total.passed} passed, {total.failed} failed", flush=True)
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main())
