# SPDX-License-Identifier: GPL-2.0-only
"""`jailhouse explain`: a failed cell's fault by the machine's text. Exit status: 0, 1 for a wrong text, 2 for usage."""

import argparse
import subprocess
import sys
from collections.abc import Sequence

from jailhouse.config.command import checked_system, report
from jailhouse.faults.learn import lessons


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="jailhouse explain", description="What a cell wanted when it failed, by the text it was "
                                     "built from, and what to write there.")
    parser.add_argument("file", metavar="SYSTEM.toml", help="the text that the cells were built from")
    parser.add_argument("log", metavar="LOG", nargs="?", help="a file with the hypervisor's messages, - for the standard input; "
                        "what `jailhouse console` says, if left out")
    options = parser.parse_args(arguments)
    system, problems = checked_system(options.file)
    if system is None:
        report(problems)
        return 1
    try:
        lines = _lines(options.log)
    except (OSError, subprocess.CalledProcessError) as error:
        what = error.strerror if isinstance(error, OSError) else f"it ended with {error.returncode}: {error.stderr.strip()}"
        print(f"{options.log or 'jailhouse console'}: cannot read the messages: {what}; give a file with them", file=sys.stderr)
        return 1
    found = list(lessons(lines, system))
    for lesson in found:
        print(lesson)
    if not found:
        print("no message is about a fault of one of this system's cells")
    return 0


def _lines(log: str | None) -> list[str]:
    if log == "-":
        return sys.stdin.read().splitlines()
    if log is not None:
        with open(log, errors="replace", encoding="utf-8") as stream:
            return stream.read().splitlines()
    done = subprocess.run(["jailhouse", "console"], capture_output=True, text=True, errors="replace", check=True)
    return done.stdout.splitlines()
