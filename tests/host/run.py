#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Runs test programs, as many at a time as there are CPUs, and counts.

A program either speaks cmocka's language, `[  PASSED  ] N test(s).` and
`[  FAILED  ] N test(s), listed below:`, or is one test that its exit status decides.
What goes wrong is shown whole; everything is kept in the log directory.
"""

import argparse
import os
import re
import shlex
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

TIMEOUT = 600
COUNT = re.compile(r"^\[  (PASSED|FAILED)  \] (\d+) test\(s\)", re.MULTILINE)


def run(command: str) -> tuple[int | None, str]:
    """Exit status (None: too slow) and everything it printed."""
    environment = dict(os.environ, ASAN_OPTIONS="detect_stack_use_after_return=1",
                       UBSAN_OPTIONS="print_stacktrace=1")
    try:
        done = subprocess.run(shlex.split(command), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env=environment, timeout=TIMEOUT, check=False)
        return done.returncode, done.stdout.decode(errors="replace")
    except subprocess.TimeoutExpired as slow:
        return None, (slow.stdout or b"").decode(errors="replace")
    except OSError as error:
        return 127, f"{error}\n"


def count(status: int | None, output: str) -> tuple[int, int]:
    """Tests passed and failed. A program that dies has failed, whatever it said before."""
    passed = failed = 0
    for word, number in COUNT.findall(output):
        if word == "PASSED":
            passed += int(number)
        else:
            failed += int(number)
    if status != 0:
        failed = max(failed, 1)
    elif passed + failed == 0:
        passed = 1
    return passed, failed


def name_of(command: str) -> str:
    words = shlex.split(command)
    path = next((w for w in words if "tests/" in w), words[0])
    return "/".join(path.split("/")[-2:])


def timed(command: str) -> tuple[int | None, str, float]:
    start = time.monotonic()
    status, output = run(command)
    return status, output, time.monotonic() - start


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--logs", required=True, help="directory for the outputs")
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args()
    os.makedirs(arguments.logs, exist_ok=True)
    total_passed = total_failed = 0
    with ThreadPoolExecutor(os.cpu_count()) as several:
        for command, (status, output, seconds) in zip(arguments.command, several.map(timed, arguments.command)):
            name = name_of(command)
            with open(os.path.join(arguments.logs, name.replace("/", "-") + ".log"), "w",
                      encoding="utf-8") as log:
                log.write(output)
            passed, failed = count(status, output)
            if failed:
                # Indented, so that whoever counts this output counts only the sums at its end
                print("".join(f"    {line}\n" for line in output.splitlines()))
                print(f"{command}: " + ("no end" if status is None else f"exit status {status}"))
            print(f"{name:<28} {passed:5} passed {failed:3} failed {seconds:7.1f} s", flush=True)
            total_passed += passed
            total_failed += failed
    print(f"[  PASSED  ] {total_passed} test(s).")
    if total_failed:
        print(f"[  FAILED  ] {total_failed} test(s)")
    print(f"test-host: {total_passed} passed, {total_failed} failed")
    return 1 if total_failed else 0


if __name__ == "__main__":
    sys.exit(main())
